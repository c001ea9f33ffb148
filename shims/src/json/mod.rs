//! JSON as the agents' own parsers read it.
//!
//! `serde_json` refuses what JavaScript and Go accept: numbers beyond a double, deep nesting, half a surrogate
//! pair, bytes that are no UTF-8. A file that the agent reads and this program does not would say things to the
//! agent that no guard sees. So the agents' files are read here, with the rules of the agent's parser as a
//! [`Dialect`].

mod read;
#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::Value as Json;

/// How deep arrays and objects are kept. Values nested deeper cannot be dropped or written without using up the
/// stack.
pub const MAX_DEPTH: usize = 1000;

/// Whose parser it is, and so what it accepts beyond RFC 8259.
///
/// Bytes that are no UTF-8 and half surrogate pairs become U+FFFD in every dialect, and of two values of one
/// key the last one counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dialect {
    /// `JSON.parse` of JavaScript, on a text from which the reader took the byte order mark. A number beyond a double is
    /// read as the text `Infinity`, with its sign. An array or object deeper than [`MAX_DEPTH`] is checked and read as
    /// `null`: the parser has no limit of its own, and nothing that deep means anything to its agent. Claude Code 2.1.332
    /// reads a settings file with 100,000 open arrays in it.
    JavaScript,
    /// `encoding/json` of Go. Each byte of a character that is cut off becomes a U+FFFD, and not all of them one.
    Go,
    /// `json.load` of Python, on a text, which must be UTF-8. `NaN`, `Infinity` and `-Infinity` are values, read as texts,
    /// and a number beyond a double is read as `Infinity` is.
    Python,
}

/// Why and where a text is no JSON. It never quotes the text, where a key may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct JsonError {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: &'static str,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

/// Reads one value.
///
/// # Errors
/// When the dialect's parser would refuse the text, or it is nested deeper than [`MAX_DEPTH`] and the dialect does
/// not skip such values.
pub fn parse(bytes: &[u8], dialect: Dialect) -> Result<Json, JsonError> {
    read::JsonReader::new(bytes, dialect).whole()
}
