//! TOML that Codex takes literally: values and keys for `-c` words.
//!
//! A basic string with every special character escaped means the same to each version of TOML, stays on one line,
//! and cannot end early. Codex expands nothing in a value (seen in 0.171).

use std::fmt::Write as _;

use toml::Value as Toml;

/// A value on one line.
pub fn value(value: &Toml) -> String {
    let mut text = String::new();
    push(&mut text, value);
    text
}

/// A text in quotes.
pub fn string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            // Line breaks of Unicode too: a terminal or a log may break a line at them.
            '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                // Writing to a `String` cannot fail.
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn push(text: &mut String, value: &Toml) {
    match value {
        Toml::String(it) => text.push_str(&string(it)),
        Toml::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at == 0 { "" } else { ", " });
                push(text, item);
            }
            text.push(']');
        }
        Toml::Table(entries) if entries.is_empty() => text.push_str("{}"),
        Toml::Table(entries) => {
            text.push_str("{ ");
            for (at, (key, value)) in entries.iter().enumerate() {
                text.push_str(if at == 0 { "" } else { ", " });
                let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                let bare = !key.is_empty() && key.chars().all(is_bare);
                text.push_str(&if bare { key.clone() } else { string(key) });
                text.push_str(" = ");
                push(text, value);
            }
            text.push_str(" }");
        }
        Toml::Integer(_) | Toml::Float(_) | Toml::Boolean(_) | Toml::Datetime(_) => {
            text.push_str(&value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use toml::Table;

    use super::*;

    /// Every ASCII character, and what breaks lines or vanishes beyond them.
    fn specials() -> impl Iterator<Item = char> {
        ('\0'..='\x7f').chain("\u{80}\u{85}\u{9f}\u{a0}\u{2028}\u{2029}\u{feff}\u{fffd}ü🦀".chars())
    }

    #[test]
    fn any_text_is_read_back_as_a_value_and_as_a_key() {
        for c in specials() {
            for text in [format!("{c}"), format!("a{c}b"), format!("{c}{c}{c}'\"\"\"\\"), format!("x\\{c}")] {
                let table = Table::from_iter([(text.clone(), Toml::from(text.as_str()))]);
                let word = value(&vec![Toml::from(table.clone())].into());
                assert!(!word.chars().any(char::is_control), "{word:?}");
                let read: Table = format!("_x_ = {word}").parse().expect(&word);
                assert_eq!(read["_x_"][0], Toml::from(table), "{word}");
            }
        }
    }

    #[test]
    fn plain_values_read_plainly() {
        let table: Table = "a = 1\nb = [true, 1.5]\n[c]\n'd.e' = 'f'\n[g]".parse().expect("TOML");
        assert_eq!(value(&table.into()), r#"{ a = 1, b = [true, 1.5], c = { "d.e" = "f" }, g = {} }"#);
    }
}
