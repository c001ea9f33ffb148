//! Why a value could not be read: serde's errors, kept as what they know instead of as their text.

use std::fmt::{self, Display};

use serde::de::{self, Expected, Unexpected};

use super::tree::Slot;
use crate::config::problem::{Problem, SourcePos, Step, shown};
use crate::suggest;

const SEE_EXAMPLE: &str = "compare with the example, `config.demo.yaml`";

/// What agents and other tools call a key, where the nearest word would be another one.
const ELSEWHERE: [(&str, &str); 6] = [
    ("model", "default_model"),
    ("api_key", "key"),
    ("token", "key"),
    ("env_key", "key_env"),
    ("endpoint", "base_urls"),
    ("type", "protocols"),
];

/// Why a value could not be read.
#[derive(Debug)]
pub struct DeError {
    message: String,
    help: String,
    /// `None` while no entry has been found to blame.
    pub mark: Option<SourcePos>,
    /// The way to the value, last step first.
    steps: Vec<Step>,
    /// Whether a required key is missing, which may follow from another problem.
    pub missing: bool,
    /// Whether the key just read is in its map under another of its names.
    pub twice: bool,
}

impl DeError {
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: help.into(),
            mark: None,
            steps: Vec::new(),
            missing: false,
            twice: false,
        }
    }

    /// Blames `slot` unless something inside it is to blame, and notes the step.
    pub fn inside(mut self, slot: &Slot, mark: SourcePos, step: Step) -> Self {
        if self.mark.is_none() {
            self.mark = Some(mark);
            slot.dropped.set(true);
        }
        self.steps.push(step);
        self
    }

    /// The problem to show.
    pub fn into_problem(mut self) -> Problem {
        self.steps.reverse();
        let mark = self.mark.unwrap_or(SourcePos::START);
        Problem { mark, steps: self.steps, message: self.message, help: self.help }
    }
}

impl Display for DeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DeError {}

impl de::Error for DeError {
    /// The schema's own errors are each a [`shims::Message`], of which serde hands on what it displays as: its help too.
    fn custom<T: Display>(error: T) -> Self {
        let (text, help) = (error.to_string(), format!("{error:#}"));
        let help = if help == text { SEE_EXAMPLE.to_owned() } else { help };
        Self::new(text, help)
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        let (what, help) = match expected.as_str() {
            "a string" | "path string" => ("text", "write one word, or quoted text"),
            "a boolean" => ("true or false", "write `true` or `false`, without quotes"),
            "u64" | "usize" => ("a whole number", "write digits only, without quotes, unit or sign"),
            "f64" => ("a number", "write a number without quotes or unit"),
            "a sequence" => ("a list", "write a list, as in `[one, two]`"),
            "a map" => ("a map", "write `name: value` lines below, indented"),
            "a model" => ("a model", "write a model id, in quotes if it is a number, or a map with `id:`"),
            text if text.starts_with("struct ") => ("a map", "write `key: value` lines below, indented"),
            text if text.starts_with("enum ") => ("a name", "write one word"),
            text => (text, SEE_EXAMPLE),
        };
        let found = match found {
            Unexpected::Bool(_) => "true or false",
            Unexpected::Unsigned(_) => "a number",
            Unexpected::Signed(_) => "a negative number",
            Unexpected::Float(_) => "a number with a fraction",
            Unexpected::Unit | Unexpected::Option => "nothing",
            Unexpected::Seq => "a list",
            Unexpected::Map => "a map",
            _ => "text",
        };
        Self::new(format!("expected {what}, found {found}"), help)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        let word = field.split(':').next().unwrap_or_default();
        let other = ELSEWHERE.iter().find(|(name, key)| *name == word && known.contains(key));
        let near = || suggest::closest(word, known.iter().copied());
        let help = match other.map(|(_, key)| *key).or_else(near) {
            Some(near) if near == word => format!("put a space after the colon: `{near}: …`"),
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "no value is allowed here: write `{}`".to_owned(),
            None => {
                // Older spellings are read, but not recommended.
                let known: Vec<_> = known.iter().copied().filter(|key| !key.contains('-')).collect();
                // An entry in the first column.
                let below =
                    if known.contains(&"providers") { "indent a provider below `providers:`; " } else { "" };
                format!("{below}known keys: {}", known.join(", "))
            }
        };
        Self::new("unknown key", help)
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        let choice = format!("write one of {}", known.join(", "));
        let help = suggest::closest(word, known.iter().copied())
            .map_or(choice, |near| format!("did you mean `{near}`?"));
        Self::new(format!("`{}` is not known here", shown(word)), help)
    }

    fn missing_field(field: &'static str) -> Self {
        let example = match field {
            "providers" => "providers: {NAME: {…}}",
            "protocols" => "protocols: [anthropic, openai-responses, openai-chat-completions]",
            "base_urls" => "base_urls: {openai: URL, anthropic: URL}",
            "filter" => "filter: REGEX",
            "id" => "id: MODEL",
            _ => field,
        };
        let fault = Self::new(format!("the key `{field}` is missing"), format!("write `{example}`"));
        Self { missing: true, ..fault }
    }

    fn duplicate_field(field: &'static str) -> Self {
        let fault = Self::new(format!("`{field}` is set twice, under two names"), "keep one of them");
        Self { twice: true, ..fault }
    }
}
