//! Texts that Hermes takes as they are.
//!
//! Hermes 0.19 fills in `${NAME}` in every text of `config.yaml` that is no key (`_expand_env_vars`), from an
//! environment that holds the user's other secrets, and knows no escape for it. A model id of a provider's list
//! could so fetch any of them. Its dotenv reader fills in `${NAME}` and `${NAME:-text}` even within quotes.

use crate::Message;
use anyhow::{Result, bail};

/// Whether a text of `config.yaml` is sent as it is. Hermes also drops white space around an id.
pub fn is_literal(text: &str) -> bool {
    !text.contains("${") && !text.contains(char::is_control) && text.trim() == text
}

/// The text, for a value of `config.yaml`.
///
/// # Errors
/// When Hermes would make another text of it; `what` says what it is, and `help` what to do.
pub fn setting<'a>(text: &'a str, what: &str, help: &str) -> Result<&'a str> {
    if is_literal(text) {
        return Ok(text);
    }
    bail!(Message::new(
        format!(
            "{what} `{}` cannot be passed to Hermes, which expands `${{…}}` from the environment and \
             removes white space and control characters",
            text.escape_debug()
        ),
        help
    ))
}

/// A line of a dotenv file that sets `name` to exactly `text`, for python-dotenv 1.2.
///
/// # Errors
/// When there is none. Hermes reads its dotenv files line by line before that, so a line break cannot be in one.
pub fn assignment(name: &str, text: &str) -> Result<String> {
    if text.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')) {
        bail!(Message::new(
            format!(
                "{name} cannot be `{}` for Hermes: its `.env` cannot hold a control character",
                text.escape_debug()
            ),
            "choose another folder or value"
        ));
    }
    // An unset variable without a name, whose default is the dollar sign: what follows is text again.
    let quoted = text.replace('\\', "\\\\").replace('\'', "\\'").replace("${", "${:-$}{");
    Ok(format!("{name}='{quoted}'\n"))
}

/// A line that sets `name` to what the environment has as `variable`.
pub fn reference(name: &str, variable: &str) -> String {
    format!("{name}='${{{variable}}}'\n")
}

/// What ends a quote that was left open above, and is a comment where none was.
pub const QUOTE_GUARD: &str = "\n# ' \"\n";

/// A text within a comment.
pub fn comment(text: &str) -> String {
    text.replace(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}'), "?")
}

#[cfg(test)]
mod tests {
    use super::super::yaml::Mapping;
    use super::*;

    /// Every special and control character of ASCII, alone and around what Hermes looks for.
    fn texts() -> Vec<String> {
        let specials = (0_u8..128).filter(|byte| !byte.is_ascii_alphanumeric()).map(char::from);
        let specials = specials.chain(['\u{85}', '\u{a0}', '\u{2028}', '\u{feff}', '\u{e9}', '\u{1f600}']);
        let forms =
            ["{}", "a{}b", "{}a", "a{}", "{}{}", "${{}A}", "a: {}", "{} #b", "'{}'", "\"{}\"", "\\{}"];
        let wrapped = specials.flat_map(|c| forms.map(|form| form.replace("{}", &c.to_string())));
        let whole =
            ["${A}", "${A:-b}", "$A", "${", "${}", "`id`", "$(id)", "null", "on", "1", "${${A}}", "yes\n"];
        wrapped.chain(whole.map(str::to_owned)).collect()
    }

    #[test]
    fn a_text_in_the_settings_is_read_as_it_was_written_or_refused() {
        let mut refused = 0;
        for text in texts() {
            let mut settings = Mapping::default();
            settings.set("a", serde_json::json!({ text.clone(): text.clone() }));
            let lines = settings.lines();
            assert_eq!(lines.lines().count(), 1, "{text:?}: {lines}");
            let read = Mapping::parse(&lines).expect("parses");
            let inner = read.get("a").and_then(super::super::yaml::Node::mapping).expect("a mapping");
            let (key, value) = inner.entries().next().expect("an entry");
            assert_eq!((key, value.text()), (text.as_str(), Some(text.as_str())), "{lines}");
            if setting(&text, "the model id", "x").is_err() {
                refused += 1;
            } else {
                assert!(!text.contains("${") && text.trim() == text, "{text:?}");
            }
        }
        assert!(refused > 0);
    }

    /// As python-dotenv 1.2 reads one line with a single quoted value, and fills it in.
    fn read(line: &str) -> Option<String> {
        let quoted = line.strip_prefix("A='")?.strip_suffix("'\n")?;
        let mut text = String::new();
        let mut chars = quoted.chars();
        while let Some(c) = chars.next() {
            match c {
                '\'' => return None,
                '\\' => text.push(chars.next().filter(|c| "\\'".contains(*c))?),
                c => text.push(c),
            }
        }
        let mut filled = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            let (inner, after) = after.split_once('}')?;
            let (name, default) = inner.split_once(":-").unwrap_or((inner, ""));
            filled.push_str(before);
            filled.push_str(if name.is_empty() { default } else { "<secret>" });
            rest = after;
        }
        filled.push_str(rest);
        Some(filled)
    }

    #[test]
    fn a_text_in_a_dotenv_is_read_as_it_was_written_or_refused() {
        for text in texts() {
            match assignment("A", &text) {
                Ok(line) => assert_eq!(read(&line).as_deref(), Some(text.as_str()), "{line}"),
                Err(error) => assert!(Message::of(&error).render().contains("\nhelp: "), "{text:?}"),
            }
        }
        assert_eq!(
            Message::of(&assignment("A", "/a\nb").expect_err("two lines")).render().lines().count(),
            2
        );
    }
}
