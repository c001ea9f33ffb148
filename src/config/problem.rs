//! What is wrong with the file, said so that it can be fixed: where, which key, what, and what to do.
//!
//! Nothing here may show a value: a key may stand wherever its owner mistook the place. Of the line in question the
//! names of keys are shown, and `…` for everything else.

use anyhow::anyhow;
use std::fmt;
use std::path::{Path, PathBuf};

use shims::Message;

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
        self.list.iter().map(|Problem { mark, steps, message, help }| {
            let place = format!("{}:{}:{}", self.path.display(), mark.line, mark.column);
            let key = if steps.is_empty() { String::new() } else { format!("{}: ", dotted(steps)) };
            Message::new(format!("{place}: {key}{message}{}", excerpt(&self.text, *mark)), help)
        })
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first().fmt(f)
    }
}

/// As an error it is its first problem, with that one's help.
impl From<Problems> for anyhow::Error {
    fn from(problems: Problems) -> Self {
        anyhow!(problems.first())
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

/// The line of a place as a text below a message, with a mark under the column; nothing for a line that is not there.
pub fn excerpt(text: &str, mark: SourcePos) -> String {
    // How much of a line is shown, and how much of that before the mark.
    const WIDTH: usize = 64;
    const BEFORE: usize = 48;
    let Some(line) = text.lines().nth(mark.line.saturating_sub(1)).filter(|line| !line.trim().is_empty())
    else {
        return String::new();
    };
    let (shown, at) = redacted(line, mark.column.saturating_sub(1));
    let start = at.saturating_sub(BEFORE);
    let shown: String = shown.into_iter().skip(start).take(WIDTH).collect();
    let number = mark.line.to_string();
    let (gap, before) = (" ".repeat(number.len()), " ".repeat(at - start));
    format!("\n  {number} | {}\n  {gap} | {before}^", shown.trim_end())
}

/// A line with its values as `…`, and the place in it of what was at `column`, from 0.
fn redacted(line: &str, column: usize) -> (Vec<char>, usize) {
    let line: Vec<char> = line.chars().collect();
    let is_end = |c: char| c.is_whitespace() || "[]{},".contains(c);
    let (mut shown, mut at, mut mark) = (Vec::new(), 0, None);
    // A key is the first word of its line, also after `-`, or is in a map in braces.
    let (mut is_first, mut is_in_braces) = (true, false);
    while at < line.len() {
        let from = at;
        let begin = shown.len();
        let c = line[at];
        if is_end(c)
            || "\"'#&*!|>%@`".contains(c)
            || (c == '-' && line.get(at + 1).is_none_or(|c| is_end(*c)))
        {
            at += 1;
            is_in_braces = "{,".contains(c) || (is_in_braces && c.is_whitespace());
            is_first &= c.is_whitespace() || c == '-';
            shown.push(if c == '\t' {
                '→'
            } else if c.is_whitespace() {
                ' '
            } else {
                c
            });
        } else {
            while at < line.len() && !is_end(line[at]) {
                at += 1;
            }
            let word: String = line[from..at].iter().collect();
            let is_key = |name: &str| (is_first || is_in_braces) && is_name(name, is_first);
            let name = word.strip_suffix(':');
            if name.is_some_and(is_key) {
                shown.extend(word.chars());
            } else {
                shown.extend(Some('…').filter(|_| shown.last() != Some(&'…')));
                shown.extend(name.map(|_| ':'));
            }
            (is_first, is_in_braces) = (false, false);
        }
        if (from..at).contains(&column) {
            let inside = begin + column - from;
            mark = Some(inside.min(shown.len().saturating_sub(1)));
        }
    }
    let end = shown.len();
    (shown, mark.unwrap_or(end))
}

/// Whether it may be shown as the name of a key: a map in braces may hold anything in place of a value, so that only
/// plain words are names there.
fn is_name(name: &str, is_first: bool) -> bool {
    let is_plain = |c: char| {
        c.is_ascii_lowercase() || "-_".contains(c) || (is_first && (c.is_alphanumeric() || ".@".contains(c)))
    };
    (1..=32).contains(&name.chars().count())
        && name.chars().all(is_plain)
        && !begins_as_key(name)
        && !is_like_key(name)
}
