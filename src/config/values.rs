//! What a single value must be: each rule reads text and gives what the config holds.
//!
//! The reader adds the place to an error. No error repeats what it read, since a key may be in the wrong place.

use std::path::PathBuf;
use std::time::Duration;

use shims::{Message, Proxy, Template, model_id};

use super::types::{BaseUrl, KeyCheck, ProxyRule, Secret};
use super::url;

/// What text must be, and what it becomes.
pub trait Validate {
    /// What the config holds.
    type Out;

    /// Judges `text`.
    fn check(text: String) -> Result<Self::Out, Message>;
}

/// A model's id, which goes over the wire byte for byte.
pub struct ModelId;

impl Validate for ModelId {
    type Out = String;

    fn check(text: String) -> Result<String, Message> {
        model_id(text)
    }
}

/// The key itself. White space around it is no part of it, as with every source of a key.
pub struct LiteralKey;

impl Validate for LiteralKey {
    type Out = Secret;

    fn check(text: String) -> Result<Secret, Message> {
        let text = text.trim_ascii();
        let help = "write it on one line, in quotes; omit `key` if the server needs none";
        let fault = if text.is_empty() {
            "the key is empty"
        } else if text.chars().any(char::is_control) {
            "the key contains a line break or another control character"
        } else if !text.is_ascii() {
            "the key contains a character that is not ASCII"
        } else {
            return Ok(Secret(text.to_owned()));
        };
        Err(Message::new(fault, help))
    }
}

/// A base URL of the `openai-…` protocols.
pub struct OpenaiUrl;

impl Validate for OpenaiUrl {
    type Out = BaseUrl;

    fn check(text: String) -> Result<BaseUrl, Message> {
        url::base(&text).map(|url| BaseUrl(url.to_owned()))
    }
}

/// A base URL of the Anthropic protocol.
pub struct AnthropicUrl;

impl Validate for AnthropicUrl {
    type Out = BaseUrl;

    fn check(text: String) -> Result<BaseUrl, Message> {
        url::anthropic_base(&text).map(|url| BaseUrl(url.to_owned()))
    }
}

/// The address of a model list.
pub struct ListUrl;

impl Validate for ListUrl {
    type Out = String;

    fn check(text: String) -> Result<String, Message> {
        url::list(&text).map(str::to_owned)
    }
}

impl Validate for ProxyRule {
    type Out = Self;

    fn check(text: String) -> Result<Self, Message> {
        Ok(Self(match text.as_str() {
            "inherit" => Proxy::Inherit,
            "none" => Proxy::None,
            text => Proxy::Url(url::proxy(text)?.to_owned()),
        }))
    }
}

impl KeyCheck {
    /// As in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
        }
    }
}

impl Validate for KeyCheck {
    type Out = Self;

    fn check(text: String) -> Result<Self, Message> {
        match text.as_str() {
            // What YAML 1.1 and Nix make of the words.
            "on" | "true" => Ok(Self::On),
            "off" | "false" => Ok(Self::Off),
            _ => Err(Message::new(
                "this is neither `on` nor `off`",
                "write `off` if the key is valid but does not look like one",
            )),
        }
    }
}

/// The path of a file or folder.
pub struct FilePath;

impl Validate for FilePath {
    type Out = PathBuf;

    fn check(text: String) -> Result<PathBuf, Message> {
        match text {
            text if text.is_empty() => {
                Err(Message::new("the path is empty", "write a path, or remove the key"))
            }
            text if text.starts_with('$') => Err(Message::new(
                "the path starts with `$`, and variables are not expanded here",
                "write an absolute path, or one that starts with `~/`",
            )),
            text => Argument::check(text).map(PathBuf::from),
        }
    }
}

/// A word of a command line.
pub struct Argument;

impl Validate for Argument {
    type Out = String;

    fn check(text: String) -> Result<String, Message> {
        if text.contains('\0') {
            return Err(Message::new("it contains a NUL character", "remove it"));
        }
        Ok(text)
    }
}

/// The value of a variable.
pub struct VariableValue;

impl Validate for VariableValue {
    type Out = Template;

    fn check(text: String) -> Result<Template, Message> {
        template(&Argument::check(text)?)
    }
}

/// The value of a request header.
pub struct HeaderValue;

impl Validate for HeaderValue {
    type Out = Template;

    fn check(text: String) -> Result<Template, Message> {
        if text.chars().any(|c| c.is_control() && c != '\t') {
            let help = "write it on one line; in YAML, `|` and `>` add a line break at the end";
            return Err(Message::new(
                "the header's value contains a line break or another control character",
                help,
            ));
        }
        if text.is_empty() {
            let help = "write a value, or remove the header";
            return Err(Message::new(
                "the header's value is empty, and some agents would not send the header",
                help,
            ));
        }
        template(&text)
    }
}

fn template(text: &str) -> Result<Template, Message> {
    let help = "allowed here: `${env:NAME}`, `${context:FIELD}`, and `$${` for a literal `${`";
    Template::parse(text).map_err(|message| Message::new(message, help))
}

/// A regular expression.
pub struct Pattern;

impl Validate for Pattern {
    type Out = String;

    /// Only parses: to build the automaton too costs 200 to 700 µs for each expression (regex 1.13),
    /// fifty times as much, and a launch needs none.
    fn check(text: String) -> Result<String, Message> {
        let fault = match regex_syntax::parse(&text) {
            Ok(_) => return Ok(text),
            Err(regex_syntax::Error::Parse(error)) => (error.kind().to_string(), error.span().start.column),
            Err(regex_syntax::Error::Translate(error)) => {
                (error.kind().to_string(), error.span().start.column)
            }
            Err(_) => ("invalid regular expression".to_owned(), 1),
        };
        let message = format!("invalid regular expression at character {}: {}", fault.1, fault.0);
        Err(Message::new(message, "for the syntax, see https://docs.rs/regex (no look-around)"))
    }
}

/// How long something lasts: `12h`, `30m`, `90s`, `2d`, or seconds.
pub struct DurationText;

impl Validate for DurationText {
    type Out = Duration;

    fn check(text: String) -> Result<Duration, Message> {
        let (number, unit) = match text.char_indices().last() {
            Some((at, 's')) => (&text[..at], 1),
            Some((at, 'm')) => (&text[..at], 60),
            Some((at, 'h')) => (&text[..at], 60 * 60),
            Some((at, 'd')) => (&text[..at], 24 * 60 * 60),
            _ => (text.as_str(), 1),
        };
        let digits = number.bytes().all(|b| b.is_ascii_digit());
        let seconds = number.parse().ok().filter(|_| digits).and_then(|number: u64| number.checked_mul(unit));
        seconds.map(Duration::from_secs).ok_or_else(|| {
            Message::new(
                "this is not a duration",
                "write a whole number and a unit, as in `12h`, `30m`, `90s` or `2d`",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_have_units() {
        let seconds = |text: &str| DurationText::check(text.to_owned()).ok().map(|time| time.as_secs());
        let read = ["12h", "30m", "90s", "2d", "3600", "0"].map(seconds);
        assert_eq!(read, [43_200, 1_800, 90, 172_800, 3_600, 0].map(Some));
        for text in ["", "h", "1.5h", "-1", "+1h", "1w", "12 h", "99999999999999999999", "9999999999999999d"]
        {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
