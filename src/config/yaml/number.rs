//! Numbers, as YAML 1.2 writes them: the config takes no others, and text where text belongs.

use std::num::IntErrorKind;

/// A number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// None below zero.
    Whole(u64),
    /// One below zero.
    Negative(i64),
    /// Any other.
    Float(f64),
}

impl Number {
    /// What a plain scalar is, if it is a number.
    pub fn parse(text: &str) -> Option<Self> {
        let bare = text.strip_prefix(['+', '-']).unwrap_or(text);
        let is_negative = text.starts_with('-');
        if !bare.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return None;
        }
        let (digits, radix) = match bare.get(..2) {
            Some("0x") => (&bare[2..], 16),
            Some("0o") => (&bare[2..], 8),
            Some("0b") => (&bare[2..], 2),
            _ => (bare, 10),
        };
        // `007` is a name or a code.
        let is_code =
            bare.len() > 1 && bare.starts_with('0') && bare.bytes().all(|byte| byte.is_ascii_digit());
        if !is_code && !digits.starts_with(['+', '-']) {
            match u64::from_str_radix(digits, radix) {
                Ok(number) if is_negative && number > 0 => {
                    return 0_i64.checked_sub_unsigned(number).map(Self::Negative);
                }
                Ok(number) => return Some(Self::Whole(number)),
                // What no field of the schema can hold is text.
                Err(error) if *error.kind() == IntErrorKind::PosOverflow => return None,
                Err(_) => {}
            }
        }
        match bare {
            ".inf" | ".Inf" | ".INF" if is_negative => Some(Self::Float(f64::NEG_INFINITY)),
            ".inf" | ".Inf" | ".INF" => Some(Self::Float(f64::INFINITY)),
            ".nan" | ".NaN" | ".NAN" if bare == text => Some(Self::Float(f64::NAN)),
            _ if is_code => None,
            _ => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Self::Float),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_yaml_1_2() {
        for text in [
            "0",
            "7",
            "-7",
            "+7",
            "0x10",
            "-0x10",
            "0o17",
            "0b11",
            "1.5",
            "-.5",
            "+.5",
            "5.",
            "1e3",
            "1E-3",
            ".inf",
            "-.Inf",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775808",
            "-9223372036854775809",
            "007",
            "1_000",
            "12:30",
            "",
            ".",
            "-",
            "0x",
            "0x-1",
            "1e",
            "inf",
            "nan",
            "-inf",
            "infinity",
            "a",
            "--1",
            "0xg",
            "1e999",
            "٣",
            "-007",
            "00.5",
            "-0",
            "+0x1F",
            "0X10",
        ] {
            let theirs: Option<serde_yaml::Number> = serde_yaml::from_str(text).ok();
            let as_is = theirs.map(|number| match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => Number::Whole(number),
                (_, Some(number), _) => Number::Negative(number),
                (.., number) => Number::Float(number.unwrap_or(f64::NAN)),
            });
            assert_eq!(Number::parse(text), as_is, "{text}");
        }
        assert!(matches!(Number::parse(".nan"), Some(Number::Float(number)) if number.is_nan()));
    }
}
