//! Reads the user's YAML and writes it again so that Hermes reads the same.
//!
//! Hermes reads with `PyYAML`, which is YAML 1.1: `off` is a boolean, `1_000` an integer, `0o17` a string.
//! So a plain scalar is never interpreted here: it is written as it was read, and only what the user
//! quoted is quoted. Everything comes out in flow style, a line for each top-level key.

mod read;

use std::fmt::Write as _;

use serde_json::Value as Json;

/// Bytes of a key beyond which it is marked as one.
const LONGEST_KEY: usize = 1000;

/// A piece of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Text, and whether it stood there without quotes.
    Scalar {
        /// The text, unquoted.
        text: String,
        /// Whether its type is to be read out of the text.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values.
    Mapping(Mapping),
}

/// A mapping in its order, each key once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapping(Vec<(Node, Node)>);

/// Why a text is not what Hermes could read, and where.
#[derive(Debug, Eq, PartialEq)]
pub struct Flaw {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
}

impl Mapping {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.0.iter().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value)
    }

    /// The keys that are text, with their values.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.0.iter().filter_map(|(key, value)| Some((key.text()?, value)))
    }

    /// Keeps the entries whose key passes.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.0.retain(|(key, _)| key.text().is_none_or(&keep));
    }

    /// Sets a key, in its old place or at the end.
    pub fn set(&mut self, key: &str, value: impl Into<Node>) {
        self.put(Node::from(Json::from(key)), value.into());
    }

    fn put(&mut self, key: Node, value: Node) {
        let same = |name: &Node| *name == key || (name.text().is_some() && name.text() == key.text());
        match self.0.iter_mut().find(|(name, _)| same(name)) {
            Some((_, old)) => *old = value,
            None => self.0.push((key, value)),
        }
    }

    /// The text of the file: a line for each key.
    pub fn lines(&self) -> String {
        let mut out = String::new();
        for (key, value) in &self.0 {
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

    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// How many scalars and collections it is.
    fn size(&self) -> usize {
        match self {
            Self::Scalar { .. } => 1,
            Self::Sequence(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            Self::Mapping(Mapping(entries)) => {
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
        match self {
            Self::Scalar { text, plain: true } if text.is_empty() => out.push_str("null"),
            Self::Scalar { text, plain: true } if stays_plain(text) => out.push_str(text),
            Self::Scalar { text, .. } => quote(text, out),
            Self::Sequence(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    item.write(out);
                }
                out.push(']');
            }
            Self::Mapping(mapping) => {
                out.push('{');
                for (index, (key, value)) in mapping.0.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    key.write_key(out, " : ");
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// Whether a plain scalar may be written as it is inside a flow collection: then its type stays what
/// YAML 1.1 makes of it. Of anything else the type is text, which quotes do not change. Dates become text
/// too: no setting is one, and `PyYAML` fails on a month 13.
fn stays_plain(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "+-._~:".contains(c);
    let year = text.chars().take_while(char::is_ascii_digit).count();
    let date = year == 4 && text[year..].starts_with('-');
    !text.starts_with(':') && text.chars().all(inner) && !date
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // What YAML takes for a line break or refuses to read.
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

impl From<Json> for Node {
    fn from(json: Json) -> Self {
        match json {
            Json::String(text) => Self::Scalar { text, plain: false },
            Json::Array(items) => Self::Sequence(items.into_iter().map(Self::from).collect()),
            Json::Object(entries) => {
                let entry = |(key, value)| (Self::from(Json::String(key)), Self::from(value));
                Self::Mapping(Mapping(entries.into_iter().map(entry).collect()))
            }
            plain => Self::Scalar { text: plain.to_string(), plain: true },
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
        let text = "a: off\nb: 'off'\nc: 0x1F\nd: 1_000\ne: 12:30\nf: 2001-13-14\ng:\nh: ~\ni: -.5\n";
        assert_eq!(
            again(text),
            "a: off\nb: \"off\"\nc: 0x1F\nd: 1_000\ne: 12:30\nf: \"2001-13-14\"\ng: null\nh: ~\ni: -.5\n"
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
