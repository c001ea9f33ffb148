//! Kinds of characters. The end of the text is a zero character.

pub(super) fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
}

/// Whether all of it is ASCII that is allowed: eight bytes at a time, since every launch asks it of the whole config.
pub(super) fn is_ascii_text(text: &[u8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    // The high bit of a byte is set where it is above `~` or below a blank.
    let is_visible = |piece: &[u8; 8]| {
        let bytes = u64::from_ne_bytes(*piece);
        let below = !((bytes | HIGH) - ONES * u64::from(b' '));
        (bytes | bytes.wrapping_add(ONES) | below) & HIGH == 0
    };
    let is_text = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t' | b'\r');
    let (pieces, rest) = text.as_chunks::<8>();
    pieces.iter().all(|piece| is_visible(piece) || piece.iter().all(is_text)) && rest.iter().all(is_text)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_seen_at_every_place() {
        for byte in 0..=u8::MAX {
            let is_text = byte.is_ascii() && is_allowed(char::from(byte));
            for place in 0..20 {
                for other in [b'x', b'~', b' ', b'\n'] {
                    let mut text = [other; 20];
                    text[place] = byte;
                    assert_eq!(is_ascii_text(&text), is_text, "{byte} at {place}");
                }
            }
        }
    }
}
