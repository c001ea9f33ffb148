//! The names that a dotenv file may set, in whatever dialect the agent reads it.
//!
//! Codex reads with dotenvy 0.15 (Rust), Hermes with python-dotenv, Crush with godotenv. They agree on where a
//! name begins and differ on where a value ends, so that a line within a value of several lines may or may not
//! assign. Such a line counts here: the answer holds every name that the agent's own library sets, and now and then
//! one more. Values are not read.

/// Whose rules hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dialect {
    /// dotenvy and python-dotenv: a name begins at the start of a line.
    Lines,
    /// godotenv: also right after a value in quotes, and `NAME: value` assigns too.
    Go,
}

/// The names that the file may set, in order.
pub fn names(bytes: &[u8], dialect: Dialect) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    // What python-dotenv takes for blanks before a name, Rust does too, but for the four separators.
    let starts = text.char_indices().filter(|(_, c)| match c {
        '\n' | '\r' | '\x1c'..='\x1f' => true,
        '"' | '\'' => dialect == Dialect::Go,
        _ => false,
    });
    let starts = std::iter::once(0).chain(starts.map(|(at, c)| at + c.len_utf8()));
    starts.filter_map(|start| assigned(&text[start..], dialect)).map(str::to_owned).collect()
}

/// The name that `text` begins to assign.
fn assigned(text: &str, dialect: Dialect) -> Option<&str> {
    let text = text.trim_start();
    let exported = text.strip_prefix("export").filter(|rest| rest.starts_with(is_blank));
    // `export = 1` assigns `export`, which is nobody's variable.
    let text = exported.map_or(text, |rest| rest.trim_start_matches(is_blank));
    let ends = |c: char| is_blank(c) || c == '=' || c == '#' || dialect == Dialect::Go && c == ':';
    let (name, rest) = if let Some(quoted) = text.strip_prefix('\'') {
        quoted.split_once('\'')?
    } else {
        text.split_at(text.find(ends)?)
    };
    let rest = rest.trim_start_matches(is_blank);
    let assigns = rest.starts_with('=') || dialect == Dialect::Go && rest.starts_with(':');
    (assigns && !name.is_empty()).then_some(name)
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_every_spelling() {
        for text in [
            "A=1",
            "\u{feff}A=1",
            " \t A = 1",
            "export A=1",
            "export\tA=1",
            "export \u{a0} A=1",
            "'A'=1",
            "X=1\r\nA=1",
            "X=1\rA=1",
            "X=\"a\nb\"\nA=1",
            "X='unclosed\nA=1",
            "# comment \\\nA=1",
            "\u{b}\u{85}A=1",
            "A\u{2003}=1",
            "A=",
        ] {
            assert!(names(text.as_bytes(), Dialect::Lines).iter().any(|name| name == "A"), "{text:?}");
        }
        for text in ["A: 1", "X=\"1\" A=1", "X='1'A=1", "export A: 1"] {
            assert!(names(text.as_bytes(), Dialect::Go).iter().any(|name| name == "A"), "{text:?}");
        }
        assert_eq!(names(b"\xff\nA=1", Dialect::Lines), ["A"]);
    }

    #[test]
    fn comments_and_values_assign_nothing() {
        for text in ["# A=1", "X=A=1", "X=\"A=1\"", "X=1 # A=1", "export A", "A", "", "=1"] {
            assert!(!names(text.as_bytes(), Dialect::Lines).iter().any(|name| name == "A"), "{text:?}");
        }
    }
}
