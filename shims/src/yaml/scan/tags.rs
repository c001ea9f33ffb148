//! Directives, anchors and tags.

use super::chars::{is_blank, is_blank_or_end, is_word};
use super::{Scanner, Token};
use crate::yaml::Flaw;

/// The digits of a version number that libyaml reads.
const LONGEST_NUMBER: usize = 9;

impl<'a> Scanner<'a> {
    pub(super) fn scan_directive(&mut self) -> Result<(), Flaw> {
        let start = self.at;
        self.skip(1);
        let name = self.take_while(is_word);
        if !is_blank_or_end(self.char(0)) {
            return Err(self.at.flaw("a directive has an invalid character"));
        }
        let token = match name {
            "YAML" => {
                self.skip_blanks();
                let major = self.scan_number()?;
                if self.take() != '.' {
                    return Err(start.flaw("a YAML version has the form 1.1"));
                }
                Token::Version(major, self.scan_number()?)
            }
            "TAG" => {
                self.skip_blanks();
                let handle = self.scan_handle(true)?;
                if !is_blank(self.char(0)) {
                    return Err(self.at.flaw("a space is missing here"));
                }
                self.skip_blanks();
                let prefix = self.scan_uri(true, "")?;
                if !is_blank_or_end(self.char(0)) {
                    return Err(self.at.flaw("a space or the end of the line is missing here"));
                }
                Token::TagDirective(handle, prefix)
            }
            _ => return Err(start.flaw("an unknown directive")),
        };
        self.end_line()?;
        self.tokens.push_back((token, start));
        Ok(())
    }

    fn scan_number(&mut self) -> Result<u32, Flaw> {
        let at = self.at;
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        let number = digits.parse().ok().filter(|_| digits.len() <= LONGEST_NUMBER);
        number.ok_or_else(|| at.flaw("a YAML version has the form 1.1"))
    }

    pub(super) fn scan_anchor(&mut self, alias: bool) -> Result<(), Flaw> {
        let start = self.at;
        self.skip(1);
        let name = self.take_while(is_word);
        let next = self.char(0);
        if name.is_empty() || !(is_blank_or_end(next) || "?:,]}%@`".contains(next)) {
            return Err(self.at.flaw("an anchor's name is made of letters and digits"));
        }
        let token = if alias { Token::Alias(name) } else { Token::Anchor(name) };
        self.tokens.push_back((token, start));
        Ok(())
    }

    pub(super) fn scan_tag(&mut self) -> Result<(), Flaw> {
        let start = self.at;
        let (handle, suffix) = if self.char(1) == '<' {
            self.skip(2);
            let uri = self.scan_uri(true, "")?;
            if self.take() != '>' {
                return Err(start.flaw("a `>` is missing at the end of the tag"));
            }
            ("", uri)
        } else {
            let handle = self.scan_handle(false)?;
            if handle.len() > 1 && handle.ends_with('!') {
                let suffix = self.scan_uri(false, "")?;
                (handle, suffix)
            } else {
                match self.scan_uri(false, handle)? {
                    // A lone `!`.
                    suffix if suffix.is_empty() => ("", "!".to_owned()),
                    suffix => ("!", suffix),
                }
            }
        };
        let next = self.char(0);
        if !(is_blank_or_end(next) || (self.in_flow() && next == ',')) {
            return Err(self.at.flaw("a space is missing after the tag"));
        }
        self.tokens.push_back((Token::Tag(handle, suffix), start));
        Ok(())
    }

    fn scan_handle(&mut self, directive: bool) -> Result<&'a str, Flaw> {
        if self.char(0) != '!' {
            return Err(self.at.flaw("a `!` is missing here"));
        }
        let start = self.at.index;
        self.skip(1);
        self.take_while(is_word);
        if self.char(0) == '!' {
            self.skip(1);
        } else if directive && self.piece(start) != "!" {
            return Err(self.at.flaw("a `!` is missing here"));
        }
        Ok(self.piece(start))
    }

    /// The rest of a tag; `head` is what was read of it, with its `!`.
    fn scan_uri(&mut self, whole: bool, head: &str) -> Result<String, Flaw> {
        let start = self.at;
        let mut uri = head.as_bytes().get(1..).unwrap_or_default().to_vec();
        let mut length = head.len();
        loop {
            let byte = self.byte(0);
            let more = if whole { &b",[]"[..] } else { b"" };
            if !is_word(byte) && !b";/?:@&=+$.%!~*'()".contains(&byte) && !more.contains(&byte) {
                break;
            }
            length += 1;
            if byte == b'%' {
                let digit = |ahead| self.char(ahead).to_digit(16);
                let (Some(high), Some(low)) = (digit(1), digit(2)) else {
                    return Err(self.at.flaw("`%` is followed by two hexadecimal digits in a tag"));
                };
                uri.push(u8::try_from(high * 16 + low).unwrap_or_default());
                self.skip(3);
            } else {
                uri.push(byte);
                self.skip(1);
            }
        }
        if length == 0 {
            return Err(start.flaw("a tag without a name"));
        }
        String::from_utf8(uri).map_err(|_| start.flaw("a tag that is not UTF-8"))
    }
}
