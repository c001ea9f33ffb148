//! TOML that Codex takes literally: values and keys for `-c` words.
//!
//! A text is written as for YAML: with every special character escaped it means the same to each version of TOML, stays
//! on one line, and cannot end early. Codex expands nothing in a value (seen in 0.171).

use toml::Value as Toml;

use crate::yaml::quoted;

/// A value on one line.
pub fn value(of: &Toml) -> String {
    match of {
        Toml::String(text) => quoted(text),
        Toml::Array(items) => format!("[{}]", items.iter().map(value).collect::<Vec<_>>().join(", ")),
        Toml::Table(entries) if entries.is_empty() => "{}".to_owned(),
        Toml::Table(entries) => {
            let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            let entries = entries.iter().map(|(key, of)| {
                let bare = !key.is_empty() && key.chars().all(is_bare);
                format!("{} = {}", if bare { key.clone() } else { quoted(key) }, value(of))
            });
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        Toml::Integer(_) | Toml::Float(_) | Toml::Boolean(_) | Toml::Datetime(_) => of.to_string(),
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
