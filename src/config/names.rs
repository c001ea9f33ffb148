//! What a name in the file must be: the keys of its maps, and what names something outside.

use shims::Message;

use super::values::Validate;
use crate::key::shape::is_name;
use crate::ui::sanitize::is_terminal_control;
use crate::{header, suggest};

/// What else the name of a provider is, as the end of a sentence: then words of a launch may be read otherwise than meant.
pub fn clash(name: &str) -> Option<&'static str> {
    if shims::by_name(name).is_some() {
        return Some("is the name of an agent");
    }
    let (agent, _) = shims::split_shim_name(name)?;
    shims::by_name(agent).map(|_| "is written as a shim is, AGENT@PROVIDER")
}

/// What to do about a name that cannot be a provider's.
pub const NAME_HELP: &str = "use letters, digits, `-`, `_` and `.`: the name becomes part of file names";

/// Why a text cannot be the name of a provider, which names folders and symlinks too.
pub fn name_fault(text: &str) -> Option<&'static str> {
    const LONGEST: usize = 128;
    Some(if text.is_empty() {
        "the name is empty"
    } else if text.contains('/') {
        "the name contains a `/`"
    } else if text.chars().any(|c| c.is_control() || is_terminal_control(c)) {
        "the name contains a control character"
    } else if text.starts_with('-') {
        "the name starts with `-`, like an option"
    } else if text.starts_with('.') {
        "the name starts with `.`, like a hidden file"
    } else if text.trim() != text {
        "the name starts or ends with white space"
    } else if text.len() > LONGEST {
        "the name is longer than 128 bytes"
    } else {
        return None;
    })
}

/// Why a text should not be the name of a new provider: what [`name_fault`] says, or a character that a shell, a shim or a
/// URL may take for something else. With a name like it that is none of this.
pub fn new_name_fault(text: &str) -> Option<(String, String)> {
    // Accents may be characters of their own behind their letters, as in names of files on macOS.
    let is_plain = |c: char| c.is_alphanumeric() || "-_.".contains(c) || ('\u{300}'..='\u{36f}').contains(&c);
    let fault = match (name_fault(text), text.chars().find(|c| !is_plain(*c))) {
        (Some(fault), _) => fault.to_owned(),
        (None, Some(c)) if c.is_whitespace() => "the name contains white space".to_owned(),
        (None, Some(c)) => format!("the name contains `{c}`"),
        (None, None) => return None,
    };
    let words: Vec<_> = text.split(|c| !is_plain(c)).filter(|word| !word.is_empty()).collect();
    let like = words.join("-").trim_start_matches(['-', '.']).chars().take(32).collect();
    Some((fault, like))
}

/// A provider's name.
pub struct Name;

impl Validate for Name {
    type Out = String;

    fn check(text: String) -> Result<String, Message> {
        name_fault(&text).map_or(Ok(text), |fault| Err(Message::new(fault, NAME_HELP)))
    }
}

/// The name of an environment variable.
pub struct Variable;

impl Validate for Variable {
    type Out = String;

    fn check(text: String) -> Result<String, Message> {
        if is_name(&text) {
            return Ok(text);
        }
        let help = "use letters, digits and `_`, and do not start with a digit, as in `DEEPSEEK_API_KEY`";
        Err(Message::new("this is not a variable name", help))
    }
}

/// The name of a request header.
pub struct HeaderName;

impl Validate for HeaderName {
    type Out = String;

    fn check(text: String) -> Result<String, Message> {
        // A token of RFC 9110, section 5.6.2.
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if header::is_the_connections(&text) {
            let help = "remove it; `base_urls` sets the host, and `proxy` sets a proxy and its password";
            return Err(Message::new("the agent sets this header itself, for each connection", help));
        }
        if text.chars().all(token) && !text.is_empty() {
            return Ok(text);
        }
        Err(Message::new("this is not a header name", "use letters, digits and `-`, as in `X-Title`"))
    }
}

/// The name of an agent.
pub struct AgentName;

impl Validate for AgentName {
    type Out = String;

    fn check(text: String) -> Result<String, Message> {
        if shims::by_name(&text).is_some() {
            return Ok(text);
        }
        let near = suggest::closest(&text, shims::AGENTS.iter().map(|agent| agent.name()));
        let help = near.map_or_else(
            || format!("the agents are {}", shims::names()),
            |near| format!("did you mean `{near}`?"),
        );
        Err(Message::new("there is no agent of this name", help))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_as_file_names() {
        for name in ["deepseek", "kimi-code", "ollama@home", "my provider", "月", "_x", "a.b", "a:b"] {
            assert!(Name::check(name.to_owned()).is_ok(), "{name}");
        }
        for name in
            ["", "a/b", "a\nb", "a\0", "-x", ".", "..", ".x", " a", "a\u{a0}", "a\u{202e}b", &"x".repeat(129)]
        {
            assert!(Name::check(name.to_owned()).is_err(), "{name}");
        }
    }
}
