//! Values from outside, as Claude Code takes them literally, or not at all.
//!
//! `ANTHROPIC_CUSTOM_HEADERS` has one header a line, split at its first colon, with outer blanks cut off (2.1.197), and
//! a value that is no ASCII ends in an error that prints it. `--settings` is JSON, which `serde_json` writes: it
//! escapes every control character.

use anyhow::{Result, bail};

use crate::{Message, Part, Value};

/// One line of `ANTHROPIC_CUSTOM_HEADERS`.
///
/// # Errors
/// When Claude Code would read another header than this one.
pub fn header_line(name: &str, value: &Value) -> Result<Value> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        bail!(Message::new(
            format!("the header name {name:?} cannot be sent"),
            "use letters, digits and hyphens"
        ));
    }
    let mut texts = value.parts().iter().filter_map(|part| match part {
        Part::Text(text) => Some(text),
        Part::Key | Part::Env(_) => None,
    });
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t');
    if !texts.all(|text| text.as_encoded_bytes().iter().all(is_plain)) {
        bail!(Message::new(
            format!(
                "the value of header {name} holds a control character or is not ASCII, and Claude Code cannot send it"
            ),
            "remove it from `headers`"
        ));
    }
    if let Some(text) = value.plain()
        && text.as_encoded_bytes().trim_ascii().len() != text.len()
    {
        bail!(Message::new(
            format!("the value of header {name} starts or ends with a space, which Claude Code removes"),
            "remove the space"
        ));
    }
    Ok(Value::from(format!("{name}: ")).then(value.clone()))
}

/// A text that goes into a variable or an argument.
///
/// # Errors
/// When it holds a control character: no id, URL or name has one, and what reads it may stop there.
pub fn plain<'a>(what: &str, text: &'a str) -> Result<&'a str> {
    if text.contains(char::is_control) {
        bail!(Message::new(format!("{what} {text:?} holds a control character"), "correct it in the config"));
    }
    Ok(text)
}
