//! YAML, read as libyaml 0.2.5 and `PyYAML` 6.0.3 read it: the config, Hermes' settings, and what is imported.
//!
//! `scan` and `parse` follow libyaml's `scanner.c` and `parser.c`, `resolve` `PyYAML`'s resolver: YAML 1.1, with the
//! peculiarities of that program, so that no file is refused which Hermes 0.19 takes, or read as something else. What
//! events are made into is for their readers: the config's tree, and Hermes' mapping.

mod parse;
pub mod resolve;
mod scan;

pub use parse::{Event, Parser};
pub use scan::Mark;

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
