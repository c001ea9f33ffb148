//! The names that a dotenv file may set, in whatever dialect the agent reads it.
//!
//! Codex reads with dotenvy 0.15 (Rust), Crush with godotenv 1.5 (Go). Hermes has a reader of its own in
//! `hermes::variables`. The two agree on where a name begins and differ on where a value ends, so that a line within
//! a value of several lines may or may not assign. Such a line counts here: the answer holds every name that the
//! agent's own library sets, and now and then one more. Values are not read.

/// Whose rules hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DotenvDialect {
    /// dotenvy: a name begins at the start of a line.
    Lines,
    /// godotenv: also right after a value in quotes, and `NAME: value` assigns too.
    Go,
}

/// The names that the file may set, in order.
pub fn names(bytes: &[u8], dialect: DotenvDialect) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    starts(text, dialect).filter_map(|text| assigned(text, dialect).0).map(str::to_owned).collect()
}

/// Where a name may begin: the text from there, once for each run of blanks.
///
/// A project writes the file, so the time must not grow with the square of its size.
fn starts(text: &str, dialect: DotenvDialect) -> impl Iterator<Item = &str> {
    let begins = move |c: char| match c {
        '\n' | '\r' => true,
        '"' | '\'' => dialect == DotenvDialect::Go,
        _ => false,
    };
    let after = text.char_indices().filter(move |(_, c)| begins(*c)).map(|(at, c)| at + c.len_utf8());
    let mut passed = None;
    std::iter::once(0).chain(after).filter_map(move |at| {
        if passed.is_some_and(|passed| at <= passed) {
            return None;
        }
        let rest = text[at..].trim_start();
        passed = Some(text.len() - rest.len());
        Some(rest)
    })
}

/// The name that `text` begins to assign, if any, and what of the text was not looked at.
fn assigned(text: &str, dialect: DotenvDialect) -> (Option<&str>, &str) {
    let exported = text.strip_prefix("export").filter(|rest| rest.starts_with(char::is_whitespace));
    // `export = 1` assigns `export`, which is nobody's variable.
    let text = exported.map_or(text, str::trim_start);
    let ends = |c: char| {
        c.is_whitespace()
            || matches!(c, '=' | '#')
            || dialect == DotenvDialect::Go && matches!(c, ':' | '"' | '\'')
    };
    let (name, rest) = text.split_at(text.find(ends).unwrap_or(text.len()));
    let rest = rest.trim_start();
    let assigns = rest.starts_with('=') || dialect == DotenvDialect::Go && rest.starts_with(':');
    ((assigns && !name.is_empty()).then_some(name), rest)
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
            "X=1\r\nA=1",
            "X=1\rA=1",
            "X=1\n \n\t\n  A=1",
            "X=\"a\nb\"\nA=1",
            "X='unclosed\nA=1",
            "# comment \\\nA=1",
            "\u{b}\u{85}A=1",
            "A\u{2003}=1",
            "A\r=1",
            "A=",
        ] {
            for dialect in [DotenvDialect::Lines, DotenvDialect::Go] {
                assert!(
                    names(text.as_bytes(), dialect).iter().any(|name| name == "A"),
                    "{dialect:?}: {text:?}"
                );
            }
        }
        for text in [
            "A: 1",
            "X=\"1\" A=1",
            "X='1'A=1",
            "export A: 1",
            "X=\"1\"\n\n export\tA: 1",
            "X=''A=1",
            "X=\"'\"A=1",
        ] {
            assert!(names(text.as_bytes(), DotenvDialect::Go).iter().any(|name| name == "A"), "{text:?}");
        }
        assert_eq!(names(b"\xff\nA=1", DotenvDialect::Lines), ["A"]);
    }

    #[test]
    fn comments_and_values_assign_nothing() {
        for text in ["# A=1", "X=A=1", "X=\"A=1\"", "X=1 # A=1", "export A", "A", "", "=1"] {
            assert!(!names(text.as_bytes(), DotenvDialect::Lines).iter().any(|name| name == "A"), "{text:?}");
        }
    }

    /// Twice each character at most, and blanks once more to get past them.
    #[test]
    fn the_work_grows_with_the_file_and_not_with_its_square() {
        for piece in ["\n", "\"", "'", "\n ", "'A", "A \"", "export\n"] {
            let text = piece.repeat(200_000);
            for dialect in [DotenvDialect::Lines, DotenvDialect::Go] {
                let mut looked_at = 0;
                let mut before = None;
                for start in starts(&text, dialect) {
                    assert!(before.is_none_or(|before| start.len() < before), "{dialect:?}: {piece:?} twice");
                    before = Some(start.len());
                    looked_at += start.len() - assigned(start, dialect).1.len();
                }
                assert!(looked_at <= 2 * text.len(), "{dialect:?}: {looked_at} for {piece:?}");
            }
        }
    }
}
