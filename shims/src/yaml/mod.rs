//! YAML, read as libyaml 0.2.5 and `PyYAML` 6.0.3 read it: the config, Hermes' settings, and what is imported.
//!
//! `scan` and `parse` follow libyaml's `scanner.c` and `parser.c`, `resolve` `PyYAML`'s resolver: YAML 1.1, with the
//! peculiarities of that program, so that no file is refused which Hermes 0.19 takes, or read as something else. One
//! more thing is read: a character in two halves (`"\ud83e\udd80"`), as JSON has it. What events are made into is for
//! their readers: the config's tree, and Hermes' mapping.

mod parse;
pub mod resolve;
mod scan;

use std::fmt::Write as _;

pub use parse::{Event, Parser};
pub use scan::{Mark, is_break};

/// Why a text is no YAML, and where.
#[derive(Debug, Eq, PartialEq)]
pub struct Flaw {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong; nothing of the text but single characters and tags.
    pub what: String,
}

/// Text in double quotes, in one line.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
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
    out
}
