//! The names that a dotenv file may set, in whatever dialect the agent reads it.
//!
//! Codex reads with dotenvy 0.15 (Rust), Crush with godotenv 1.5 (Go). Hermes has a reader of its own in
//! `hermes::variables`. The two agree on where a name begins and differ on where a value ends, so that a line within
//! a value of several lines may or may not assign. Such a line counts here: the answer holds every name that the
//! agent's own library sets, and now and then one more. Values are read for an import from Hermes alone.

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

/// The value that a dotenv file gives `name` by the rules of python-dotenv 1.2, which Hermes reads it with: the last
/// line counts. `None` as well where it is filled in from another variable.
pub fn python_value(text: &str, name: &str) -> Option<String> {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text).trim_start();
    let mut found = None;
    while !rest.is_empty() {
        match binding(rest) {
            Some((key, value, after)) => {
                if key == name {
                    found = value;
                }
                rest = after.trim_start();
            }
            // What it cannot read goes to the end of the line.
            None => rest = rest.find(['\n', '\r']).map_or("", |at| rest[at..].trim_start()),
        }
    }
    found.filter(|value| !value.contains("${"))
}

/// A name, its value if there is one, and what follows them.
fn binding(text: &str) -> Option<(&str, Option<String>, &str)> {
    let exported = text.strip_prefix("export").filter(|rest| rest.starts_with(is_blank));
    let text = exported.map_or(text, |rest| rest.trim_start_matches(is_blank));
    let (name, rest) = match text.strip_prefix('\'') {
        Some(quoted) => quoted.split_once('\'')?,
        None => text
            .split_at(text.find(|c: char| c.is_whitespace() || matches!(c, '=' | '#')).unwrap_or(text.len())),
    };
    if name.is_empty() {
        return None;
    }
    let rest = rest.trim_start_matches(is_blank);
    let Some(rest) = rest.strip_prefix('=') else { return Some((name, None, end_of_line(rest)?)) };
    let rest = rest.trim_start_matches(is_blank);
    if let Some(quote @ ('\'' | '"')) = rest.chars().next() {
        let (value, rest) = quoted(&rest[1..], quote)?;
        return Some((name, Some(value), end_of_line(rest)?));
    }
    let (line, rest) = rest.split_at(rest.find(['\n', '\r']).unwrap_or(rest.len()));
    let comment = line.match_indices('#').find(|(at, _)| line[..*at].ends_with(char::is_whitespace));
    let value = comment.map_or(line, |(at, _)| &line[..at]);
    Some((name, Some(value.trim_end().to_owned()), rest))
}

/// A value up to its closing quote, with its escapes undone, and what follows.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let is_escaped = |at: usize| text[..at].ends_with('\\');
    let quotes = || text.match_indices(quote).map(|(at, _)| at);
    // Where every one has a backslash before it, the last one closes all the same.
    let end = quotes().find(|at| !is_escaped(*at)).or_else(|| quotes().next_back())?;
    let mut value = String::new();
    let mut chars = text[..end].chars().peekable();
    while let Some(c) = chars.next() {
        let undone = chars.peek().filter(|_| c == '\\').and_then(|next| match next {
            '\\' | '\'' => Some(*next),
            _ if quote == '\'' => None,
            '"' => Some('"'),
            'a' => Some('\u{7}'),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\u{b}'),
            _ => None,
        });
        value.push(undone.unwrap_or(c));
        if undone.is_some() {
            chars.next();
        }
    }
    Some((value, &text[end + 1..]))
}

/// What follows a line of which at most a comment is left.
fn end_of_line(rest: &str) -> Option<&str> {
    let rest = rest.trim_start_matches(is_blank);
    let rest =
        if rest.starts_with('#') { &rest[rest.find(['\n', '\r']).unwrap_or(rest.len())..] } else { rest };
    (rest.is_empty() || rest.starts_with(['\n', '\r'])).then_some(rest)
}

/// White space within a line.
fn is_blank(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\n' | '\r')
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
    fn a_value_is_read_as_python_dotenv_reads_it() {
        for (text, value) in [
            ("A=b # comment", "b"),
            ("A=b#c \r\nB=1", "b#c"),
            ("export  A = 'b # c' # d", "b # c"),
            ("A=\"b\\n\\\"c\\\"\"\n", "b\n\"c\""),
            ("A='b\\n\\'c'", "b\\n'c"),
            ("A=1\n'A'=2", "2"),
            ("X=\"several\nA=1\nlines\"\nA=2", "2"),
            ("X='open\nA=1", "1"),
            ("A=1\nA='2' junk", "1"),
            ("\u{feff}A=", ""),
        ] {
            assert_eq!(python_value(text, "A").as_deref(), Some(value), "{text:?}");
        }
        for text in ["A", "#A=1", "X=A=1", "A=${B}", "", "=1"] {
            assert_eq!(python_value(text, "A"), None, "{text:?}");
        }
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
