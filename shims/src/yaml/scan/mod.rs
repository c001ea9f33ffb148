//! From characters to tokens, as libyaml 0.2.5 finds them (`scanner.c`), which `PyYAML` 6.0.3 brings along.
//!
//! Its peculiarities are kept on purpose: which tabs it takes, that U+0085, U+2028 and U+2029 end a line, and that
//! a simple key is one of at most 1,024 characters on one line. Every launch reads the whole config by this: what most
//! files are made of is taken as pieces of the text, without a copy.

mod chars;
mod fetch;
mod keys;
mod scalars;
mod tags;

use std::borrow::Cow;
use std::collections::VecDeque;

pub use self::chars::is_break;
use self::chars::{is_allowed, is_ascii_text, is_blank_or_end, is_break_or_end};
use self::keys::SimpleKey;
use super::Flaw;

/// A place in the text, from 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mark {
    /// In bytes.
    index: usize,
    line: usize,
    /// In characters.
    column: usize,
}

impl Mark {
    /// What is wrong at this place.
    pub fn flaw(self, what: impl Into<String>) -> Flaw {
        Flaw { line: self.line(), column: self.column(), what: what.into() }
    }

    /// From 1.
    pub fn line(self) -> usize {
        self.line + 1
    }

    /// From 1, in characters.
    pub fn column(self) -> usize {
        self.column + 1
    }
}

/// What a text is made of.
#[derive(Debug)]
pub enum Token<'a> {
    StreamEnd,
    /// `%YAML`, with its two numbers.
    Version(u32, u32),
    /// `%TAG`, with its two words.
    TagDirective(&'a str, String),
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'a str),
    Anchor(&'a str),
    /// The handle and what follows it; no handle for `!<…>`.
    Tag(&'a str, String),
    /// A scalar, and whether it is without quotes and not a block.
    Scalar(Cow<'a, str>, bool),
}

/// Reads tokens, one after another.
pub struct Scanner<'a> {
    text: &'a str,
    at: Mark,
    tokens: VecDeque<(Token<'a>, Mark)>,
    /// Whether the first of `tokens` is the next, whatever follows in the text.
    is_ready: bool,
    /// How many tokens were handed out.
    taken: usize,
    indent: isize,
    indents: Vec<isize>,
    /// One for the block level, and one for each flow level.
    keys: Vec<SimpleKey>,
    key_allowed: bool,
}

impl<'a> Scanner<'a> {
    /// Refuses a text with characters that YAML does not allow.
    pub fn new(text: &'a str) -> Result<Self, Flaw> {
        // At the start it tells the encoding; at the start of any other line it is skipped.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if !is_ascii_text(text.as_bytes())
            && let Some((index, _)) = text.char_indices().find(|(_, c)| !is_allowed(*c))
        {
            let before = &text[..index];
            let line = before.matches('\n').count();
            let column = before.chars().rev().take_while(|&c| c != '\n').count();
            return Err(Mark { index, line, column }
                .flaw("a control character, which YAML allows only as `\\u…` in double quotes"));
        }
        Ok(Self {
            text,
            at: Mark::default(),
            tokens: VecDeque::new(),
            is_ready: false,
            taken: 0,
            indent: -1,
            indents: Vec::new(),
            keys: vec![SimpleKey::default()],
            key_allowed: true,
        })
    }

    /// The next token, left in place.
    #[inline]
    pub fn peek(&mut self) -> Result<&(Token<'a>, Mark), Flaw> {
        if !self.is_ready {
            self.fill()?;
        }
        self.tokens.front().ok_or_else(|| self.at.flaw("the file ends too early"))
    }

    /// Fetches tokens until the first is the next, whatever follows.
    fn fill(&mut self) -> Result<(), Flaw> {
        while !self.is_ready {
            let mut more = self.tokens.is_empty();
            if !more {
                self.drop_stale_keys()?;
                more = self.keys.iter().any(|key| key.possible && key.number == self.taken);
            }
            if more {
                self.fetch()?;
            } else {
                self.is_ready = true;
            }
        }
        Ok(())
    }

    /// The next token.
    pub fn next(&mut self) -> Result<(Token<'a>, Mark), Flaw> {
        self.peek()?;
        self.taken += 1;
        self.is_ready = false;
        self.tokens.pop_front().ok_or_else(|| self.at.flaw("the file ends too early"))
    }

    /// The byte that is so many further on; zero at the end.
    fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at.index + ahead).copied().unwrap_or(0)
    }

    /// The character that is so many bytes further on, behind nothing but ASCII; zero at the end.
    fn char(&self, ahead: usize) -> char {
        let byte = self.byte(ahead);
        if byte.is_ascii() {
            return char::from(byte);
        }
        let rest = self.text.get(self.at.index + ahead..).unwrap_or_default();
        rest.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    /// Skips ASCII.
    fn skip(&mut self, count: usize) {
        self.at.index += count;
        self.at.column += count;
    }

    /// Takes a character.
    fn take(&mut self) -> char {
        let c = self.char(0);
        self.at.index += c.len_utf8();
        self.at.column += 1;
        c
    }

    /// Takes the ASCII characters that pass.
    fn take_while(&mut self, pass: impl Fn(u8) -> bool) -> &'a str {
        let start = self.at.index;
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        self.skip(rest.iter().position(|&byte| !pass(byte)).unwrap_or(rest.len()));
        self.piece(start)
    }

    /// The text from there to here.
    fn piece(&self, start: usize) -> &'a str {
        self.text.get(start..self.at.index).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.byte(0), b' ' | b'\t') {
            self.skip(1);
        }
    }

    fn skip_comment(&mut self) {
        if self.byte(0) == b'#' {
            while !is_break_or_end(self.char(0)) {
                self.take();
            }
        }
    }

    /// Takes a line break, and gives what it counts as.
    fn take_break(&mut self) -> char {
        let c = self.char(0);
        self.at.index += if c == '\r' && self.byte(1) == b'\n' { 2 } else { c.len_utf8() };
        self.at.line += 1;
        self.at.column = 0;
        if matches!(c, '\r' | '\n' | '\u{85}') { '\n' } else { c }
    }

    fn in_flow(&self) -> bool {
        self.keys.len() > 1
    }

    /// Whether a document begins or ends here.
    fn at_document_mark(&self) -> bool {
        let mark = |byte| (0..3).all(|ahead| self.byte(ahead) == byte) && is_blank_or_end(self.char(3));
        self.at.column == 0 && (mark(b'-') || mark(b'.'))
    }

    fn push(&mut self, token: Token<'a>, length: usize) {
        self.tokens.push_back((token, self.at));
        self.skip(length);
    }

    fn scan_to_next_token(&mut self) {
        loop {
            if self.at.column == 0 && self.char(0) == '\u{feff}' {
                self.take();
            }
            // A tab is no indentation, so it is skipped only where nothing can begin by it.
            let tabs = self.in_flow() || !self.key_allowed;
            while self.byte(0) == b' ' || (tabs && self.byte(0) == b'\t') {
                self.skip(1);
            }
            self.skip_comment();
            if !is_break(self.char(0)) {
                break;
            }
            self.take_break();
            if !self.in_flow() {
                self.key_allowed = true;
            }
        }
    }
}

fn to_indent(column: usize) -> isize {
    isize::try_from(column).unwrap_or(isize::MAX)
}
