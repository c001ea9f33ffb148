//! What may be shown: nothing that drives a terminal gets past here, whoever said it.
//!
//! Model lists, error messages, file names and the values of a config are others' words. An escape sequence in
//! one could set the clipboard or hide a line, and a character that turns text around could show another command
//! than the one that is run. So all that is printed goes through [`SanitizingWriter`] or [`escaped`].

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

/// Whether `c` could move a terminal's cursor, change its colours or turn its text around.
pub fn is_terminal_control(c: char) -> bool {
    let turns =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && c != '\n' && c != '\t')
}

/// Whether `c` has no place in a name: what `is_terminal_control`, line breaks, and what cannot be seen.
pub fn is_unsafe_to_print(c: char) -> bool {
    c.is_control()
        || is_terminal_control(c)
        || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// `text` as it may be shown: without what [`is_unsafe_to_print`], trimmed, at most `limit` characters.
pub fn printable(text: &str, limit: usize) -> String {
    let spaced = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    let clean: String = spaced.filter(|&c| !is_unsafe_to_print(c)).collect();
    let clean = clean.trim();
    match clean.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", clean[..end].trim_end()),
        None => clean.to_owned(),
    }
}

/// `text` with `\u001b` for an escape and its like.
///
/// That is how JSON writes such a character in a string, and they stand nowhere else in JSON, so data stays the
/// same data.
pub fn escaped(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(is_terminal_control) else { return Cow::Borrowed(text) };
    let (clean, rest) = text.split_at(first);
    let mut escaped = clean.to_owned();
    for c in rest.chars() {
        if is_terminal_control(c) {
            // Writing to a String cannot fail.
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| _ = write!(escaped, "\\u{unit:04x}"));
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// A writer of text in which everything is [`escaped`]; what is no UTF-8 becomes `\u{fffd}`.
pub struct SanitizingWriter<W: Write> {
    inner: W,
    /// The beginning of a character whose end is yet to come.
    cut: Vec<u8>,
}

impl<W: Write> SanitizingWriter<W> {
    /// Writes to `inner`.
    pub fn new(inner: W) -> Self {
        Self { inner, cut: Vec::new() }
    }

    fn write_text(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            self.inner.write_all(escaped(chunk.valid()).as_bytes())?;
            let invalid = chunk.invalid();
            let is_cut = chunks.peek().is_none()
                && std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if is_cut {
                self.cut = invalid.to_vec();
            } else if !invalid.is_empty() {
                self.inner.write_all("\u{fffd}".as_bytes())?;
            }
        }
        Ok(())
    }
}

impl<W: Write> Write for SanitizingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.cut.is_empty() {
            self.write_text(bytes)?;
        } else {
            let mut whole = std::mem::take(&mut self.cut);
            whole.extend(bytes);
            self.write_text(&whole)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_drives_a_terminal_is_printed() {
        assert_eq!(
            printable("\u{1b}[31mred\u{1b}]0;x\u{7} \u{202e}txt\r\nnext\u{61c}", 99),
            "[31mred]0;x txt  next"
        );
        assert_eq!(printable("  longer than that", 6), "longer…");
    }

    #[test]
    fn what_is_escaped_is_the_same_data() {
        let text = "a\u{1b}[1m\u{9b}\u{202e}\u{7f}\r\"ü\u{200c}\u{1f600}\n\tb";
        assert_eq!(escaped(text), "a\\u001b[1m\\u009b\\u202e\\u007f\\u000d\"ü\u{200c}\u{1f600}\n\tb");
        let json = serde_json::to_string(text).expect("JSON");
        assert_eq!(serde_json::from_str::<String>(&escaped(&json)).expect("JSON"), text);
        assert!(matches!(escaped("plain\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_character_may_come_in_pieces() {
        let bytes = "ü\u{1b}\u{9b}\u{202e}\u{1f600}".as_bytes();
        for size in 1..6 {
            let mut out = Vec::new();
            let mut shown = SanitizingWriter::new(&mut out);
            bytes.chunks(size).for_each(|part| shown.write_all(part).expect("written"));
            shown.write_all(b"\xff\x9b").expect("written");
            assert_eq!(
                String::from_utf8(out).expect("text"),
                "ü\\u001b\\u009b\\u202e\u{1f600}\u{fffd}\u{fffd}",
                "{size}"
            );
        }
    }
}
