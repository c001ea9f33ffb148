//! What is wrong with the file, said so that it can be fixed: where, which key, what, and what to do.
//!
//! Nothing here may show a value: a key may stand wherever its owner mistook the place. Of the line in question its
//! first key is shown, if the message or the schema names that too, and `…` for everything else.

use anyhow::anyhow;
use std::fmt;
use std::path::{Path, PathBuf};

use console::measure_text_width;
use shims::Message;

use super::SCHEMA;
use crate::key::shape::{begins_as_key, is_like_key};

/// A place in the file.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct SourcePos {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl SourcePos {
    /// The first character.
    pub const START: Self = Self { line: 1, column: 1 };
}

/// One step of the way to a value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// Into a map.
    Key(String),
    /// Into a list, from 0.
    Index(usize),
}

impl<T: Into<String>> From<T> for Step {
    fn from(key: T) -> Self {
        Self::Key(key.into())
    }
}

/// One thing that is wrong with the file.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Where.
    pub mark: SourcePos,
    /// The way to the value; empty when the whole file is meant.
    pub steps: Vec<Step>,
    /// What is wrong, without the value.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl Problem {
    /// What is wrong with the text at a place.
    pub fn at(mark: SourcePos, message: impl Into<String>, help: &str) -> Self {
        Self { mark, steps: Vec::new(), message: message.into(), help: help.to_owned() }
    }

    /// The line of its place in the `text` of the file, to stand below the message, with a mark under the column;
    /// nothing for a line that is not there.
    pub fn excerpt(&self, text: &str) -> String {
        // How much of a line is shown, and how much of that before the mark: it fits a narrow terminal.
        const WIDTH: usize = 40;
        const BEFORE: usize = 32;
        let SourcePos { line, column } = self.mark;
        let mut lines = text.trim_start_matches('\u{feff}').lines();
        let Some(source) = lines.nth(line.saturating_sub(1)).filter(|line| !line.trim().is_empty()) else {
            return String::new();
        };
        let body = source.trim_start_matches(|c: char| c.is_whitespace() || c == '-');
        // What looks like a key may be a part of a value that spans lines.
        let is_known = |name: &str| {
            let is_step = |step: &Step| matches!(step, Step::Key(key) if shown(key) == name);
            self.steps.iter().any(is_step) || SCHEMA.contains(&format!("\"{name}\":"))
        };
        let key = body.split_once(':').filter(|(name, rest)| {
            (rest.is_empty() || rest.starts_with(char::is_whitespace)) && is_known(name)
        });
        let indent = source[..source.len() - body.len()].chars().map(|c| match c {
            '\t' => '→',
            '-' => '-',
            _ => ' ',
        });
        let mut shown: Vec<char> = indent.collect();
        if let Some((name, rest)) = key {
            shown.extend(name.chars().chain(if rest.trim().is_empty() { ":" } else { ": " }.chars()));
        }
        // The mark is on the value's beginning wherever in the value the place is.
        let at = column.saturating_sub(1).min(shown.len());
        shown.extend(Some('…').filter(|_| !key.map_or(body, |(_, rest)| rest).trim().is_empty()));
        let start = at.saturating_sub(BEFORE);
        let before = measure_text_width(&shown[start..at].iter().collect::<String>());
        let shown: String = shown.into_iter().skip(start).take(WIDTH).collect();
        let number = line.to_string();
        let (gap, before) = (" ".repeat(number.len()), " ".repeat(before));
        format!("\n  {number} | {}\n  {gap} | {before}^", shown.trim_end())
    }
}

/// Everything found wrong with one file, in the file's order; it shows the first.
#[derive(Debug)]
pub struct Problems {
    path: PathBuf,
    list: Vec<Problem>,
    /// The file's text; empty where its lines are not shown.
    text: String,
}

impl Problems {
    /// The problems of the file at `path`, which says `text`; there is at least one.
    pub fn new(path: &Path, mut list: Vec<Problem>, text: &str) -> Self {
        list.sort_by_key(|problem| problem.mark);
        Self { path: path.to_owned(), list, text: text.to_owned() }
    }

    /// The first one, which it displays.
    pub fn first(&self) -> Message {
        self.messages().next().unwrap_or_else(|| self.path.display().to_string().into())
    }

    /// Each as its own message.
    pub fn messages(&self) -> impl Iterator<Item = Message> {
        self.list.iter().map(|problem| {
            let Problem { mark, steps, message, help } = problem;
            let place = format!("{}:{}:{}", self.path.display(), mark.line, mark.column);
            let key = if steps.is_empty() { String::new() } else { format!("{}: ", dotted(steps)) };
            Message::new(format!("{place}: {key}{message}{}", problem.excerpt(&self.text)), help)
        })
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first().fmt(f)
    }
}

/// As an error it is its first problem, with that one's help, and how to get to the place.
impl From<Problems> for anyhow::Error {
    fn from(problems: Problems) -> Self {
        let Message { text, help } = problems.first();
        let edit = "`agent-run config edit` opens the file";
        let help = match help {
            Some(help) if help.ends_with('?') => format!("{help} {edit}"),
            Some(help) => format!("{help}; {edit}"),
            None => edit.to_owned(),
        };
        anyhow!(Message::new(text, help))
    }
}

/// The dotted key: `providers.deepseek.models[2].id`, with names quoted that are no plain words.
pub fn dotted(steps: &[Step]) -> String {
    let part = |(index, step): (usize, &Step)| match step {
        Step::Index(item) => format!("[{item}]"),
        Step::Key(key) if index == 0 => shown(key),
        Step::Key(key) => format!(".{}", shown(key)),
    };
    steps.iter().enumerate().map(part).collect()
}

/// A name of the user's as a message may show it.
///
/// What is too long for a name, looks like a key, or has a colon in it, may hold a key in the wrong place, as in
/// `{key:sk-…}`: it is cut.
pub fn shown(name: &str) -> String {
    const LONGEST: usize = 32;
    let before = name.split(':').next().unwrap_or_default();
    let may_be_key = before.chars().count() > LONGEST || begins_as_key(before) || is_like_key(before);
    let head: String = before.chars().take(if may_be_key { 4 } else { LONGEST }).collect();
    let dots = if head.len() < name.len() { "…" } else { "" };
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '@');
    if !head.is_empty() && head.chars().all(plain) {
        format!("{head}{dots}")
    } else {
        format!("\"{}{dots}\"", head.escape_debug())
    }
}
