//! What `PyYAML` 6.0.3 makes of a scalar without quotes (`resolver.py`, `constructor.py`): YAML 1.1.

/// A type of YAML 1.1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Type {
    /// What is none of the others.
    Text,
    /// `null`, `~` or an empty text.
    Null,
    /// `true`, `yes`, `on` and their opposites.
    Bool,
    /// A whole number, perhaps in another base, or of base 60.
    Int,
    /// Any other number.
    Float,
    /// A date, perhaps with a time.
    Timestamp,
    /// `<<`: brings another mapping in. Anything but a key of that type ends the reading.
    Merge,
    /// `=`: text as a key, and anywhere else it ends the reading.
    Default,
}

/// The digits that Python takes for a decimal number (4300), and some left over.
const MOST_DIGITS: usize = 4000;
/// Beyond this, Python cannot multiply a float by a power of 60.
const MOST_SEXAGESIMAL: usize = 100;

/// The type that a plain scalar has by its text.
pub fn implicit(text: &str) -> Type {
    let bytes = text.as_bytes();
    match bytes.first() {
        None => return Type::Null,
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => {}
        Some(b'-' | b'+' | b'.' | b'0'..=b'9') => return number(bytes),
        Some(b'<') if text == "<<" => return Type::Merge,
        Some(b'=') if text == "=" => return Type::Default,
        Some(_) => return Type::Text,
    }
    match text {
        "~" | "null" | "Null" | "NULL" => Type::Null,
        "yes" | "Yes" | "YES" | "no" | "No" | "NO" | "true" | "True" | "TRUE" | "false" | "False"
        | "FALSE" | "on" | "On" | "ON" | "off" | "Off" | "OFF" => Type::Bool,
        _ => Type::Text,
    }
}

/// Whether Python can make the value; `PyYAML` gives up the whole file where it cannot.
pub fn is_valid(text: &str, kind: Type) -> bool {
    let digits = || text.bytes().filter(u8::is_ascii_digit).count();
    match kind {
        Type::Int => {
            let bare = text.trim_start_matches(['+', '-']).replace('_', "");
            bare != "0b" && bare != "0x" && (bare.starts_with("0x") || digits() <= MOST_DIGITS)
        }
        Type::Float => text.matches(':').count() <= MOST_SEXAGESIMAL && digits() <= MOST_DIGITS,
        Type::Timestamp => Timestamp::parse(text.as_bytes()).is_some_and(|time| time.is_in_the_calendar()),
        Type::Text | Type::Null | Type::Bool | Type::Merge | Type::Default => true,
    }
}

fn number(text: &[u8]) -> Type {
    if is_float(text) {
        Type::Float
    } else if is_int(text) {
        Type::Int
    } else if Timestamp::parse(text).is_some() {
        Type::Timestamp
    } else {
        Type::Text
    }
}

fn signless(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text)
}

/// How many bytes at the start pass.
fn run(text: &[u8], pass: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|&byte| !pass(byte)).unwrap_or(text.len())
}

fn is_digit_or_line(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'_'
}

/// What follows groups of `:[0-5]?[0-9]`, if there is one at least.
fn after_sixties(mut text: &[u8]) -> Option<&[u8]> {
    let mut any = false;
    loop {
        text = match text {
            [b':', b'0'..=b'5', b'0'..=b'9', rest @ ..] | [b':', b'0'..=b'9', rest @ ..] => rest,
            _ => return any.then_some(text),
        };
        any = true;
    }
}

fn is_int(text: &[u8]) -> bool {
    let bare = signless(text);
    let all = |text: &[u8], pass: fn(u8) -> bool| !text.is_empty() && run(text, pass) == text.len();
    match bare {
        [b'0'] => true,
        [b'0', b'b', rest @ ..] => all(rest, |byte| matches!(byte, b'0' | b'1' | b'_')),
        [b'0', b'x', rest @ ..] => all(rest, |byte| byte.is_ascii_hexdigit() || byte == b'_'),
        [b'0', rest @ ..] => all(rest, |byte| matches!(byte, b'0'..=b'7' | b'_')),
        [b'1'..=b'9', rest @ ..] => {
            let rest = &rest[run(rest, is_digit_or_line)..];
            rest.is_empty() || after_sixties(rest).is_some_and(<[u8]>::is_empty)
        }
        _ => false,
    }
}

fn is_float(text: &[u8]) -> bool {
    if matches!(text, b".nan" | b".NaN" | b".NAN") {
        return true;
    }
    let bare = signless(text);
    let is_exponent = |text: &[u8]| match text {
        [] => true,
        [b'e' | b'E', b'-' | b'+', digits @ ..] => {
            !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    };
    match bare {
        b".inf" | b".Inf" | b".INF" => true,
        // Without a sign only.
        [b'.', b'0'..=b'9', rest @ ..] if bare.len() == text.len() => {
            is_exponent(&rest[run(rest, is_digit_or_line)..])
        }
        [b'0'..=b'9', rest @ ..] => {
            let rest = &rest[run(rest, is_digit_or_line)..];
            if let Some(fraction) = rest.strip_prefix(b".") {
                return is_exponent(&fraction[run(fraction, is_digit_or_line)..]);
            }
            let fraction = after_sixties(rest).and_then(|rest| rest.strip_prefix(b"."));
            fraction.is_some_and(|fraction| run(fraction, is_digit_or_line) == fraction.len())
        }
        _ => false,
    }
}

/// A date, perhaps with a time.
#[derive(Default)]
struct Timestamp {
    date: [u32; 3],
    time: [u32; 3],
    zone: u32,
}

impl Timestamp {
    fn parse(text: &[u8]) -> Option<Self> {
        let mut at = Cursor(text);
        let date = [at.digits(4, 4)?, at.after(b'-')?.digits(1, 2)?, at.after(b'-')?.digits(1, 2)?];
        let mut found = Self { date, ..Self::default() };
        if at.0.is_empty() {
            return (text.len() == 10).then_some(found);
        }
        if !at.skip_one(b"Tt") && at.blanks() == 0 {
            return None;
        }
        found.time = [at.digits(1, 2)?, at.after(b':')?.digits(2, 2)?, at.after(b':')?.digits(2, 2)?];
        if at.after(b'.').is_some() {
            at.0 = &at.0[run(at.0, |byte| byte.is_ascii_digit())..];
        }
        if at.0.is_empty() {
            return Some(found);
        }
        at.blanks();
        if at.after(b'Z').is_none() {
            if !at.skip_one(b"+-") {
                return None;
            }
            found.zone = at.digits(1, 2)? * 60;
            if at.after(b':').is_some() {
                found.zone += at.digits(2, 2)?;
            }
        }
        at.0.is_empty().then_some(found)
    }

    fn is_in_the_calendar(&self) -> bool {
        let [year, month, day] = self.date;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        let [hour, minute, second] = self.time;
        let is_a_day = year > 0 && (1..=days).contains(&day);
        is_a_day && hour < 24 && minute < 60 && second < 60 && self.zone < 24 * 60
    }
}

struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn after(&mut self, byte: u8) -> Option<&mut Self> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(self)
    }

    fn skip_one(&mut self, of: &[u8]) -> bool {
        of.iter().any(|&byte| self.after(byte).is_some())
    }

    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = run(self.0, |byte| byte.is_ascii_digit()).min(most);
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        (count >= least).then(|| digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
    }

    fn blanks(&mut self) -> usize {
        let count = run(self.0, |byte| byte == b' ' || byte == b'\t');
        self.0 = &self.0[count..];
        count
    }
}

/// Whether Python takes it for a float, too.
pub fn is_a_float(text: &str) -> bool {
    let number = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    number && text.parse::<f64>().is_ok()
}

/// Whether Python can decode it.
pub fn is_base64(text: &str) -> bool {
    let bare: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let body = bare.iter().rposition(|&byte| byte != b'=').map_or(0, |last| last + 1);
    let known = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    bare.len().is_multiple_of(4) && bare.len() - body <= 2 && bare[..body].iter().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_have_the_types_of_yaml_1_1() {
        for (kind, texts) in [
            (Type::Null, &["", "~", "null", "NULL"][..]),
            (Type::Bool, &["on", "Off", "YES", "no"]),
            (Type::Int, &["0", "-0", "017", "0_", "+12", "1_0", "0x1F", "0b1", "12:30", "1:2:59"]),
            (Type::Float, &["1.", "1.5e+3", ".5", "12:30.5", "-.inf", ".NaN", "1_0.0_"]),
            (Type::Timestamp, &["2001-01-02", "2001-1-2T3:04:05.6 -5:30", "2001-01-02\t3:04:05Z"]),
            (Type::Text, &["y", "nO", "1e5", "-.5", "0o17", "08", "12:60", "1.5e3", "2001-1-2", "-", "=="]),
            (Type::Merge, &["<<"]),
            (Type::Default, &["="]),
        ] {
            for text in texts {
                assert_eq!(implicit(text), kind, "{text}");
            }
        }
    }

    #[test]
    fn what_python_cannot_hold_is_known() {
        for text in ["0x_", "0b_", "2001-02-29", "0000-01-01", "2001-01-02 24:00:00", "2001-01-02 1:00:00+24"]
        {
            assert!(!is_valid(text, implicit(text)), "{text}");
        }
        assert!(!is_valid(&"9".repeat(5000), Type::Int));
        for text in ["0_", "2000-02-29", "2001-01-02 23:59:59 -23:59", "1.e+9"] {
            assert!(is_valid(text, implicit(text)), "{text}");
        }
    }
}
