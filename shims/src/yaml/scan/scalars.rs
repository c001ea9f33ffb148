//! Scalars: block ones, quoted ones and plain ones.

use std::borrow::Cow;

use super::chars::{IS_PLAIN, IS_QUOTED, is_blank, is_blank_or_end, is_break, is_break_or_end};
use super::{Mark, Scanner, Token, to_indent};
use crate::yaml::Flaw;

/// White space between words of a scalar.
#[derive(Default)]
struct Gap<'a> {
    /// Before the first line break.
    blanks: &'a str,
    /// The first line break.
    first: Option<char>,
    /// Those after it.
    more: String,
}

impl<'a> Gap<'a> {
    /// Takes blanks and line breaks. Where `indent` is given, a tab before that column is refused.
    fn take(&mut self, scanner: &mut Scanner<'a>, indent: Option<isize>) -> Result<(), Flaw> {
        if self.first.is_none() {
            self.blanks = scanner.take_while(|byte| matches!(byte, b' ' | b'\t'));
        }
        loop {
            let c = scanner.char(0);
            if is_break(c) {
                let taken = scanner.take_break();
                match self.first {
                    None => self.first = Some(taken),
                    Some(_) => self.more.push(taken),
                }
            } else if !is_blank(c) {
                return Ok(());
            } else {
                if c == '\t' && indent.is_some_and(|indent| to_indent(scanner.at.column) < indent) {
                    return Err(scanner.at.flaw("a tab in the indentation, which needs spaces"));
                }
                scanner.skip(1);
            }
        }
    }

    /// Folds it into a text: one line break is a blank, and of several the first goes.
    fn fold(self, text: &mut String) {
        match self.first {
            None => text.push_str(self.blanks),
            Some('\n') if self.more.is_empty() => text.push(' '),
            Some('\n') => text.push_str(&self.more),
            Some(first) => {
                text.push(first);
                text.push_str(&self.more);
            }
        }
    }
}

impl Scanner<'_> {
    pub(super) fn scan_plain(&mut self) -> Result<(), Flaw> {
        let (start, indent, flow) = (self.at, self.indent + 1, self.in_flow());
        // A piece of the text, until it goes on in another line.
        let (mut text, mut gap) = (Cow::Borrowed(""), Gap::default());
        loop {
            if self.at_document_mark() || self.byte(0) == b'#' {
                break;
            }
            let word = self.at.index;
            self.skip_plain_word(flow)?;
            if self.at.index > word {
                let gap = std::mem::take(&mut gap);
                if gap.first.is_none() && matches!(text, Cow::Borrowed(_)) {
                    text = Cow::Borrowed(self.piece(start.index));
                } else {
                    let text = text.to_mut();
                    gap.fold(text);
                    text.push_str(self.piece(word));
                }
            }
            if !is_blank(self.char(0)) && !is_break(self.char(0)) {
                break;
            }
            gap.take(self, Some(indent))?;
            if !flow && to_indent(self.at.column) < indent {
                break;
            }
        }
        if gap.first.is_some() {
            self.key_allowed = true;
        }
        self.tokens.push_back((Token::Scalar(text, true), start));
        Ok(())
    }

    fn skip_plain_word(&mut self, flow: bool) -> Result<(), Flaw> {
        loop {
            self.take_while(|byte| IS_PLAIN[usize::from(byte)]);
            let c = self.char(0);
            if is_blank_or_end(c) || (flow && matches!(c, ',' | '[' | ']' | '{' | '}')) {
                return Ok(());
            }
            if c == ':' {
                let next = self.char(1);
                if flow && matches!(next, ',' | '?' | '[' | ']' | '{' | '}') {
                    return Err(self.at.flaw("an unexpected `:`"));
                }
                if is_blank_or_end(next) {
                    return Ok(());
                }
            }
            self.take();
        }
    }

    pub(super) fn scan_quoted(&mut self, double: bool) -> Result<(), Flaw> {
        let (start, quote) = (self.at, if double { b'"' } else { b'\'' });
        self.skip(1);
        let inner = self.at;
        let piece = self.take_while(|byte| IS_QUOTED[usize::from(byte)]);
        let text = if self.byte(0) == quote && (double || self.byte(1) != quote) {
            Cow::Borrowed(piece)
        } else {
            self.at = inner;
            Cow::Owned(self.scan_lines_in_quotes(start, quote)?)
        };
        self.skip(1);
        self.tokens.push_back((Token::Scalar(text, false), start));
        Ok(())
    }

    /// What is in quotes, up to their end.
    fn scan_lines_in_quotes(&mut self, start: Mark, quote: u8) -> Result<String, Flaw> {
        let (mut text, double) = (String::new(), quote == b'"');
        loop {
            if self.at_document_mark() {
                return Err(self.at.flaw("a document marker inside quotes"));
            }
            if self.byte(0) == 0 {
                return Err(start.flaw("a quotation mark is not closed"));
            }
            let mut gap = Gap::default();
            while !is_blank_or_end(self.char(0)) {
                match (self.byte(0), self.char(1)) {
                    (b'\'', '\'') if !double => {
                        text.push('\'');
                        self.skip(2);
                    }
                    (byte, _) if byte == quote => break,
                    (b'\\', next) if double && is_break(next) => {
                        self.skip(1);
                        self.take_break();
                        // The line break itself is none; those after it count.
                        gap.first = Some('\0');
                        break;
                    }
                    (b'\\', _) if double => text.push(self.scan_escape()?),
                    _ => text.push(self.take()),
                }
            }
            if self.byte(0) == quote {
                return Ok(text);
            }
            gap.take(self, None)?;
            if gap.first == Some('\0') {
                text.push_str(&gap.more);
            } else {
                gap.fold(&mut text);
            }
        }
    }

    fn scan_escape(&mut self) -> Result<char, Flaw> {
        let at = self.at;
        let digits = match self.char(1) {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            c => {
                let escaped = match c {
                    '0' => '\0',
                    'a' => '\x07',
                    'b' => '\x08',
                    't' | '\t' => '\t',
                    'n' => '\n',
                    'v' => '\x0b',
                    'f' => '\x0c',
                    'r' => '\r',
                    'e' => '\x1b',
                    ' ' | '"' | '/' | '\\' => c,
                    'N' => '\u{85}',
                    '_' => '\u{a0}',
                    'L' => '\u{2028}',
                    'P' => '\u{2029}',
                    _ => return Err(at.flaw("an unknown escape")),
                };
                self.skip(2);
                return Ok(escaped);
            }
        };
        self.skip(2);
        let mut value = self.scan_hexadecimal(digits)?;
        // A character in two halves, as JSON has it: Python's json.dumps writes an emoji so.
        if let 0xd800..0xdc00 = value
            && (self.char(0), self.char(1)) == ('\\', 'u')
        {
            self.skip(2);
            let second = self.scan_hexadecimal(4)?;
            if let 0xdc00..0xe000 = second {
                value = 0x1_0000 + ((value - 0xd800) << 10) + (second - 0xdc00);
            }
        }
        char::from_u32(value).ok_or_else(|| at.flaw("an escape that is not a character"))
    }

    fn scan_hexadecimal(&mut self, digits: usize) -> Result<u32, Flaw> {
        let mut value = 0_u32;
        for _ in 0..digits {
            let digit = self.char(0).to_digit(16);
            let digit = digit.ok_or_else(|| self.at.flaw("a hexadecimal digit is missing here"))?;
            value = value.wrapping_mul(16).wrapping_add(digit);
            self.skip(1);
        }
        Ok(value)
    }

    pub(super) fn scan_block_scalar(&mut self, literal: bool) -> Result<(), Flaw> {
        let start = self.at;
        self.skip(1);
        let (keep, increment) = self.scan_block_header()?;
        let mut indent = increment.map_or(0, |increment| self.indent.max(0) + increment);
        let (mut text, mut first, mut more) = (String::new(), None, String::new());
        self.scan_block_breaks(&mut indent, &mut more)?;
        let mut after_blank = false;
        while to_indent(self.at.column) == indent && self.char(0) != '\0' {
            let blank = is_blank(self.char(0));
            match first.take() {
                Some('\n') if !literal && !after_blank && !blank => {
                    text.extend(more.is_empty().then_some(' '));
                }
                Some(c) => text.push(c),
                None => {}
            }
            text.push_str(&more);
            more.clear();
            after_blank = blank;
            while !is_break_or_end(self.char(0)) {
                text.push(self.take());
            }
            if is_break(self.char(0)) {
                first = Some(self.take_break());
            }
            self.scan_block_breaks(&mut indent, &mut more)?;
        }
        if keep != Some(false) {
            text.extend(first);
        }
        if keep == Some(true) {
            text.push_str(&more);
        }
        self.tokens.push_back((Token::Scalar(text.into(), false), start));
        Ok(())
    }

    /// Whether line breaks at the end are all kept (`+`) or all dropped (`-`), and the indentation.
    fn scan_block_header(&mut self) -> Result<(Option<bool>, Option<isize>), Flaw> {
        let (mut keep, mut increment) = (None, None);
        for _ in 0..2 {
            match self.char(0) {
                c @ ('+' | '-') if keep.is_none() => keep = Some(c == '+'),
                '0' if increment.is_none() => return Err(self.at.flaw("the indentation must not be 0")),
                c @ '1'..='9' if increment.is_none() => {
                    increment = c.to_digit(10).and_then(|digit| isize::try_from(digit).ok());
                }
                _ => break,
            }
            self.skip(1);
        }
        self.end_line()?;
        Ok((keep, increment))
    }

    /// Takes the rest of a line on which nothing but a comment may follow.
    pub(super) fn end_line(&mut self) -> Result<(), Flaw> {
        self.skip_blanks();
        self.skip_comment();
        if !is_break_or_end(self.char(0)) {
            return Err(self.at.flaw("a comment or the end of the line is missing here"));
        }
        if is_break(self.char(0)) {
            self.take_break();
        }
        Ok(())
    }

    /// Takes empty lines and the indentation, which the first line that is not empty tells.
    fn scan_block_breaks(&mut self, indent: &mut isize, breaks: &mut String) -> Result<(), Flaw> {
        let mut deepest = 0;
        let within = |indent: isize, at: Mark| indent == 0 || to_indent(at.column) < indent;
        loop {
            while within(*indent, self.at) && self.char(0) == ' ' {
                self.skip(1);
            }
            deepest = deepest.max(to_indent(self.at.column));
            if within(*indent, self.at) && self.char(0) == '\t' {
                return Err(self.at.flaw("a tab in the indentation, which needs spaces"));
            }
            if !is_break(self.char(0)) {
                break;
            }
            breaks.push(self.take_break());
        }
        if *indent == 0 {
            *indent = deepest.max(self.indent + 1).max(1);
        }
        Ok(())
    }
}
