//! What a name in the file must be: the keys of its maps, and what names something outside.

use super::values::{Validate, invalid};
use crate::{header, suggest};

/// What else the name of a provider is, as the end of a sentence: then words of a launch may be read otherwise than meant.
pub fn clash(name: &str) -> Option<&'static str> {
    if shims::by_name(name).is_some() {
        return Some("is the name of an agent");
    }
    let (agent, _) = shims::split_shim_name(name)?;
    shims::by_name(agent).map(|_| "is written as a shim is, AGENT@PROVIDER")
}

/// A provider's name, which names folders and symlinks too.
pub struct Name;

impl Validate for Name {
    type Out = String;

    fn check(text: String) -> Result<String, String> {
        const LONGEST: usize = 128;
        let fault = if text.is_empty() {
            "the name is empty"
        } else if text.contains('/') {
            "the name has a `/` in it"
        } else if text.chars().any(char::is_control) {
            "the name has a control character in it"
        } else if text.starts_with('-') {
            "the name begins with `-`, as an option does"
        } else if text.starts_with('.') {
            "the name begins with `.`, as a hidden file does"
        } else if text.trim() != text {
            "the name begins or ends with white space"
        } else if text.len() > LONGEST {
            "the name is longer than 128 bytes"
        } else {
            return Ok(text);
        };
        Err(invalid(fault, "it becomes part of a file name: use letters, digits, `-` and `_`"))
    }
}

/// The name of an environment variable.
pub struct Variable;

impl Validate for Variable {
    type Out = String;

    fn check(text: String) -> Result<String, String> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if text.chars().all(word) && !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(text);
        }
        let help = "a name has letters, digits and `_`, and no digit first, as in `DEEPSEEK_API_KEY`";
        Err(invalid("this is not a variable's name", help))
    }
}

/// The name of a request header.
pub struct HeaderName;

impl Validate for HeaderName {
    type Out = String;

    fn check(text: String) -> Result<String, String> {
        // A token of RFC 9110, section 5.6.2.
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if header::is_the_connections(&text) {
            let help =
                "remove it; the host is that of `base_urls`, and `proxy` names a proxy and its password";
            return Err(invalid(
                "this header belongs to the connection, which the agent makes by itself",
                help,
            ));
        }
        if text.chars().all(token) && !text.is_empty() {
            return Ok(text);
        }
        Err(invalid("this is not a header's name", "a name has letters, digits and `-`, as in `X-Title`"))
    }
}

/// The name of an agent.
pub struct AgentName;

impl Validate for AgentName {
    type Out = String;

    fn check(text: String) -> Result<String, String> {
        if shims::by_name(&text).is_some() {
            return Ok(text);
        }
        let near = suggest::closest(&text, shims::AGENTS.iter().map(|agent| agent.name()));
        let help = near.map_or_else(
            || format!("the agents are {}", shims::names()),
            |near| format!("did you mean `{near}`"),
        );
        Err(invalid("no agent has this name", &help))
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
        for name in ["", "a/b", "a\nb", "a\0", "-x", ".", "..", ".x", " a", "a\u{a0}", &"x".repeat(129)] {
            assert!(Name::check(name.to_owned()).is_err(), "{name}");
        }
    }
}
