//! Reads the user's YAML and writes it again so that Hermes reads the same.
//!
//! Hermes 0.19 reads its settings with `PyYAML` and the C parser that this brings along: YAML 1.1, in which `off` is
//! a boolean, `1_000` an integer and `0o17` a string, with peculiarities of its own. A parser that differed in
//! any of them would refuse a file that Hermes takes, or read another value than Hermes. So it is read by
//! [`crate::yaml`], and `read` follows `PyYAML`'s composer and constructor. Everything is written in flow style, a line
//! for each top-level key; what was neither quoted nor text is written as it was read.

mod read;

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::yaml::quoted;
use crate::yaml::resolve::{Type, implicit};

/// Bytes of a key beyond which it is marked as one.
const LONGEST_KEY: usize = 1000;

/// A text of this many bytes more counts as a node more, where copies are counted.
const LONG_TEXT: usize = 64;

/// What a node is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Text, however it looks.
    Text,
    /// Text that was not quoted and need not be, wherever it stands.
    Word,
    /// A scalar whose type its text tells and is not text, or a collection without a tag.
    Plain,
    /// What only a tag tells: the name of one of YAML's own.
    Tagged(&'static str),
    /// A key `<<`.
    Merge,
}

/// A piece of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A text, a number, a truth value or nothing.
    Scalar {
        /// The text, unquoted.
        text: String,
        /// What it is.
        kind: Kind,
    },
    /// A list.
    Sequence(Kind, Vec<Node>),
    /// Keys and values.
    Mapping(Mapping),
}

/// A mapping in its order. Each text is a key once; numbers may be the same key for Python, which takes the last.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    kind: Kind,
    entries: Vec<(Node, Node)>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self { kind: Kind::Plain, entries: Vec::new() }
    }
}

impl Mapping {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value)
    }

    /// The keys that are text, with their values.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.entries.iter().filter_map(|(key, value)| Some((key.text()?, value)))
    }

    /// The mappings in it whose keys are text.
    pub fn tables(&mut self) -> impl Iterator<Item = (&str, &mut Self)> {
        self.entries.iter_mut().filter_map(|(key, value)| match value {
            Node::Mapping(mapping) => Some((key.text()?, mapping)),
            _ => None,
        })
    }

    /// Every value, whatever its key is.
    pub fn values(&self) -> impl Iterator<Item = &Node> {
        self.entries.iter().map(|(_, value)| value)
    }

    /// Keeps the entries whose key passes.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.entries.retain(|(key, _)| key.text().is_none_or(&keep));
    }

    /// Sets a key, in its old place or at the end.
    pub fn set(&mut self, key: &str, value: impl Into<Node>) {
        let value = value.into();
        match self.entries.iter_mut().find(|(name, _)| name.text() == Some(key)) {
            Some((_, old)) => *old = value,
            None => self.entries.push((Node::from(Json::from(key)), value)),
        }
    }

    /// As data: what JSON has no word for is the text that it was read from.
    pub fn json(&self) -> Json {
        self.entries()
            .map(|(key, value)| (key.to_owned(), value.json()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    /// The text of the file: a line for each key.
    pub fn lines(&self) -> String {
        let mut out = String::new();
        for (key, value) in &self.entries {
            key.write_key(&mut out, "\n: ");
            value.write(&mut out);
            out.push('\n');
        }
        out
    }
}

impl Node {
    /// The mapping that it is.
    pub fn mapping(&self) -> Option<&Mapping> {
        match self {
            Self::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// The text that it is.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Scalar { text, kind: Kind::Text | Kind::Word } => Some(text),
            _ => None,
        }
    }

    fn json(&self) -> Json {
        match self {
            Self::Scalar { text, kind: Kind::Plain } => match implicit(text) {
                Type::Null => Json::Null,
                Type::Bool => matches!(text.to_ascii_lowercase().as_str(), "yes" | "true" | "on").into(),
                Type::Int | Type::Float => match serde_json::from_str(text) {
                    Ok(Json::Number(number)) => Json::Number(number),
                    _ => Json::from(text.as_str()),
                },
                _ => Json::from(text.as_str()),
            },
            Self::Scalar { text, .. } => Json::from(text.as_str()),
            Self::Sequence(_, items) => items.iter().map(Self::json).collect(),
            Self::Mapping(mapping) => mapping.json(),
        }
    }

    /// Whether any text in it passes, keys aside.
    pub fn any_text(&self, pass: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Self::Scalar { text, .. } => pass(text),
            Self::Sequence(_, items) => items.iter().any(|item| item.any_text(pass)),
            Self::Mapping(mapping) => mapping.values().any(|value| value.any_text(pass)),
        }
    }

    /// How many levels it has below it.
    fn depth(&self) -> usize {
        let below = |nodes: &mut dyn Iterator<Item = &Self>| {
            nodes.map(Self::depth).max().map_or(0, |deepest| deepest + 1)
        };
        match self {
            Self::Scalar { .. } => 0,
            Self::Sequence(_, items) => below(&mut items.iter()),
            Self::Mapping(mapping) => below(&mut mapping.values()),
        }
    }

    /// How much memory a copy takes: scalars and collections, and long texts by their length.
    fn size(&self) -> usize {
        match self {
            Self::Scalar { text, .. } => 1 + text.len() / LONG_TEXT,
            Self::Sequence(_, items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            Self::Mapping(Mapping { entries, .. }) => {
                1 + entries.iter().map(|(key, value)| key.size() + value.size()).sum::<usize>()
            }
        }
    }

    /// Writes it as a key; `PyYAML` knows one of more than 1024 characters only by a `?` before it.
    fn write_key(&self, out: &mut String, after_long: &str) {
        let start = out.len();
        self.write(out);
        if out.len() - start > LONGEST_KEY {
            out.insert_str(start, "? ");
            out.push_str(after_long);
        } else {
            out.push_str(": ");
        }
    }

    fn write(&self, out: &mut String) {
        if let Kind::Tagged(tag) = self.kind() {
            _ = write!(out, "!!{tag} ");
        }
        match self {
            Self::Scalar { text, kind: Kind::Plain } if text.is_empty() => out.push_str("null"),
            // Between numbers a tab is a blank.
            Self::Scalar { text, kind: Kind::Plain } => out.push_str(&text.replace('\t', " ")),
            Self::Scalar { text, kind: Kind::Word } => out.push_str(text),
            Self::Scalar { text, .. } => out.push_str(&quoted(text)),
            Self::Sequence(_, items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    item.write(out);
                }
                out.push(']');
            }
            Self::Mapping(mapping) => {
                out.push('{');
                for (index, (key, value)) in mapping.entries.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    key.write_key(out, " : ");
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Scalar { kind, .. } | Self::Sequence(kind, _) => *kind,
            Self::Mapping(mapping) => mapping.kind,
        }
    }
}

impl From<Json> for Node {
    fn from(json: Json) -> Self {
        match json {
            Json::String(text) => Self::Scalar { text, kind: Kind::Text },
            Json::Array(items) => Self::Sequence(Kind::Plain, items.into_iter().map(Self::from).collect()),
            Json::Object(entries) => {
                let entry = |(key, value)| (Self::from(Json::String(key)), Self::from(value));
                let entries = entries.into_iter().map(entry).collect();
                Self::Mapping(Mapping { kind: Kind::Plain, entries })
            }
            plain => Self::Scalar { text: plain.to_string(), kind: Kind::Plain },
        }
    }
}

impl From<Mapping> for Node {
    fn from(mapping: Mapping) -> Self {
        Self::Mapping(mapping)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(text: &str) -> String {
        Mapping::parse(text).expect(text).lines()
    }

    #[test]
    fn plain_scalars_stay_plain_and_quoted_ones_quoted() {
        let text = "a: off\nb: 'off'\nc: 0x1F\nd: 1_000\ne: 12:30\nf: 2001-12-14\ng:\nh: ~\ni: -.5\n";
        assert_eq!(
            again(text),
            "a: off\nb: \"off\"\nc: 0x1F\nd: 1_000\ne: 12:30\nf: 2001-12-14\ng: null\nh: ~\ni: \"-.5\"\n"
        );
        assert_eq!(
            again("a: x, [y] # z\nb: |\n  one\n  two\n"),
            "a: \"x, [y]\"\nb: \"one\\u000atwo\\u000a\"\n"
        );
        let long = "\\x1c".repeat(200);
        let written = again(&format!("\"{long}\": {{\"{long}\": 1}}\n"));
        let key = format!("\"{}\"", "\\u001c".repeat(200));
        assert_eq!(written, format!("? {key}\n: {{? {key} : 1}}\n"));
        assert_eq!(again("1: {2: !!str 3}\n"), "1: {2: \"3\"}\n");
        assert_eq!(again("a: [\"\\u2028\", '\"']\n"), "a: [\"\\u2028\", \"\\\"\"]\n");
    }
}
