//! The reader behind [`parse`](super::parse): one pass over the bytes, with open arrays and objects on a list of
//! its own instead of the stack.

mod skip;

use serde_json::{Map, Number, Value as Json};

use super::{Dialect, JsonError, MAX_DEPTH};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An array or object that is not closed yet.
enum OpenContainer {
    Array(Vec<Json>),
    /// The members, and the key of the value that comes next.
    Object(Map<String, Json>, String),
}

pub struct JsonReader<'a> {
    bytes: &'a [u8],
    at: usize,
    dialect: Dialect,
}

type Read<T> = Result<T, JsonError>;

impl<'a> JsonReader<'a> {
    pub fn new(bytes: &'a [u8], dialect: Dialect) -> Self {
        Self { bytes, at: 0, dialect }
    }

    /// The one value of the text.
    pub fn whole(mut self) -> Read<Json> {
        if self.dialect == Dialect::JavaScript && self.bytes.starts_with(BYTE_ORDER_MARK) {
            self.at = BYTE_ORDER_MARK.len();
        }
        let value = self.value()?;
        self.skip_space();
        if self.peek().is_some() {
            return Err(self.fault("expected the end of the file"));
        }
        Ok(value)
    }

    fn value(&mut self) -> Read<Json> {
        let mut open: Vec<OpenContainer> = Vec::new();
        loop {
            self.skip_space();
            let mut value = match self.peek() {
                Some(b'[' | b'{') if self.dialect == Dialect::JavaScript && open.len() >= MAX_DEPTH => {
                    self.skip_value()?;
                    Json::Null
                }
                Some(b'[') => {
                    self.at += 1;
                    if !self.closes(b']') {
                        self.deepen(&mut open, OpenContainer::Array(Vec::new()))?;
                        continue;
                    }
                    Json::Array(Vec::new())
                }
                Some(b'{') => {
                    self.at += 1;
                    if !self.closes(b'}') {
                        let key = self.key()?;
                        self.deepen(&mut open, OpenContainer::Object(Map::new(), key))?;
                        continue;
                    }
                    Json::Object(Map::new())
                }
                _ => self.scalar()?,
            };
            loop {
                match open.pop() {
                    None => return Ok(value),
                    Some(OpenContainer::Array(mut items)) => {
                        items.push(value);
                        if self.goes_on(b']')? {
                            open.push(OpenContainer::Array(items));
                            break;
                        }
                        value = Json::Array(items);
                    }
                    Some(OpenContainer::Object(mut members, key)) => {
                        members.insert(key, value);
                        if self.goes_on(b'}')? {
                            let key = self.key()?;
                            open.push(OpenContainer::Object(members, key));
                            break;
                        }
                        value = Json::Object(members);
                    }
                }
            }
        }
    }

    fn deepen(&self, open: &mut Vec<OpenContainer>, inner: OpenContainer) -> Read<()> {
        if open.len() >= MAX_DEPTH {
            return Err(self.fault("nested deeper than 1,000 levels"));
        }
        open.push(inner);
        Ok(())
    }

    /// Whether an array or object ends here, before its first element.
    fn closes(&mut self, end: u8) -> bool {
        self.skip_space();
        let closes = self.peek() == Some(end);
        self.at += usize::from(closes);
        closes
    }

    /// Whether another element follows, after one.
    fn goes_on(&mut self, end: u8) -> Read<bool> {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(byte) if byte == end => {
                self.at += 1;
                Ok(false)
            }
            None => Err(self.fault("the file ends inside a value")),
            Some(_) if end == b']' => Err(self.fault("expected `,` or `]`")),
            Some(_) => Err(self.fault("expected `,` or `}`")),
        }
    }

    fn key(&mut self) -> Read<String> {
        self.skip_space();
        if self.peek() != Some(b'"') {
            return Err(self.fault("expected a key in double quotes"));
        }
        let key = self.text()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.fault("expected `:`"));
        }
        self.at += 1;
        Ok(key)
    }

    fn scalar(&mut self) -> Read<Json> {
        for (word, value) in [("true", Json::Bool(true)), ("false", Json::Bool(false)), ("null", Json::Null)]
        {
            if self.rest().starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        for word in ["NaN", "Infinity", "-Infinity"] {
            if self.dialect == Dialect::Python && self.rest().starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(word.into());
            }
        }
        match self.peek() {
            Some(b'"') => self.text().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            None => Err(self.fault("expected a value, found the end of the file")),
            Some(_) => Err(self.fault("expected a value")),
        }
    }

    fn number(&mut self) -> Read<Json> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        match self.digits() {
            0 => return Err(self.fault("expected a digit")),
            count if count > 1 && self.bytes[self.at - count] == b'0' => {
                self.at = start;
                return Err(self.fault("a number with a leading zero"));
            }
            _ => {}
        }
        let mut is_integer = true;
        if self.peek() == Some(b'.') {
            self.at += 1;
            is_integer = false;
            if self.digits() == 0 {
                return Err(self.fault("expected a digit"));
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            is_integer = false;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            if self.digits() == 0 {
                return Err(self.fault("expected a digit"));
            }
        }
        // Only ASCII got here.
        let text = std::str::from_utf8(&self.bytes[start..self.at]).unwrap_or_default();
        // A double alone knows a negative zero.
        let is_integer = is_integer && text != "-0";
        if is_integer && let Ok(whole) = text.parse::<i64>() {
            return Ok(whole.into());
        }
        if is_integer && let Ok(whole) = text.parse::<u64>() {
            return Ok(whole.into());
        }
        match Number::from_f64(text.parse().unwrap_or(f64::INFINITY)) {
            Some(number) => Ok(Json::Number(number)),
            None if self.dialect != Dialect::Go => {
                Ok(Json::from(if text.starts_with('-') { "-Infinity" } else { "Infinity" }))
            }
            None => {
                self.at = start;
                Err(self.fault("a number too large for a double"))
            }
        }
    }

    fn digits(&mut self) -> usize {
        let count = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    /// A text in quotes, at its opening quote.
    fn text(&mut self) -> Read<String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let plain =
                self.rest().iter().take_while(|&&byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)).count();
            self.push_plain(plain, &mut text);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                None => return Err(self.fault("the file ends inside a string")),
                Some(_) => return Err(self.fault("a control character inside a string")),
            }
        }
    }

    fn push_plain(&self, length: usize, text: &mut String) {
        for chunk in self.rest()[..length].utf8_chunks() {
            text.push_str(chunk.valid());
            let bad = chunk.invalid().len();
            let count = if self.dialect == Dialect::Go { bad } else { bad.min(1) };
            text.extend(std::iter::repeat_n(char::REPLACEMENT_CHARACTER, count));
        }
    }

    fn escape(&mut self) -> Read<char> {
        let escaped = match self.bytes.get(self.at + 1) {
            Some(b'u') => return self.unicode(),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(&plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            _ => return Err(self.fault("an unknown escape")),
        };
        self.at += 2;
        Ok(escaped)
    }

    /// `\uXXXX`, two of them for a surrogate pair; half a pair is U+FFFD.
    fn unicode(&mut self) -> Read<char> {
        let first = self.code_unit()?;
        if let 0xd800..=0xdbff = first
            && self.rest().starts_with(b"\\u")
        {
            let before = self.at;
            let second = self.code_unit()?;
            if let 0xdc00..=0xdfff = second {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn code_unit(&mut self) -> Read<u32> {
        let digits =
            self.bytes.get(self.at + 2..self.at + 6).filter(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        let Some(digits) = digits.and_then(|hex| std::str::from_utf8(hex).ok()) else {
            return Err(self.fault("expected four hex digits"));
        };
        self.at += 6;
        Ok(u32::from_str_radix(digits, 16).unwrap_or_default())
    }

    fn skip_space(&mut self) {
        self.at += self.rest().iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
    }

    fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn fault(&self, message: &'static str) -> JsonError {
        let before = &self.bytes[..self.at];
        let line = before.split(|&byte| byte == b'\n').count();
        let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
        let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
        JsonError { line, column, message }
    }
}
