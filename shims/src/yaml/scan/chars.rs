//! Kinds of characters. The end of the text is a zero character.

pub(super) fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
}

/// Whether all of it is ASCII that is allowed: without branches, so that the processor takes many bytes at once.
pub(super) fn is_ascii_text(text: &[u8]) -> bool {
    let is_not = |byte: u8, other: u8| u8::from(byte != other);
    let is_hidden = |byte: u8| u8::from(byte.wrapping_sub(b' ') >= 0x5f);
    let odd = |byte| is_hidden(byte) & is_not(byte, b'\n') & is_not(byte, b'\t') & is_not(byte, b'\r');
    let (pieces, rest) = text.as_chunks::<64>();
    let is_text = |piece: &[u8; 64]| piece.iter().fold(0, |all, &byte| all | odd(byte)) == 0;
    pieces.iter().all(is_text) && rest.iter().all(|&byte| odd(byte) == 0)
}

pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// Whether it ends a line.
pub fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

pub(super) fn is_break_or_end(c: char) -> bool {
    is_break(c) || c == '\0'
}

pub(super) fn is_blank_or_end(c: char) -> bool {
    is_blank(c) || is_break_or_end(c)
}

/// What the names of anchors and tags are made of.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// Visible ASCII that says nothing in the middle of a plain scalar. A table, since most of a file is this.
pub(super) static IS_PLAIN: [bool; 256] = table(b":,[]{}");

/// Visible ASCII that says nothing within quotes, and the blank.
pub(super) static IS_QUOTED: [bool; 256] = {
    let mut table = table(b"'\"\\");
    table[b' ' as usize] = true;
    table
};

const fn table(but: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        table[byte as usize] = true;
        byte += 1;
    }
    let mut index = 0;
    while index < but.len() {
        table[but[index] as usize] = false;
        index += 1;
    }
    table
}
