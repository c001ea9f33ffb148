//! Text that Crush takes as it is.
//!
//! Crush expands base URLs, keys and the values of headers, servers and `env` as a shell expands a here document
//! (mvdan.cc/sh 3.13, seen in 0.90.1): `$`, `` ` `` and `\` are special there, quotes are not. Ids, names and the
//! keys of objects are not expanded.

use super::expansion::is_name;

/// `text` so that Crush's expansion gives it back; `None` where no spelling does.
///
/// The parser behind the expansion drops NUL, and CR before LF.
pub fn literal(text: &str) -> Option<String> {
    if text.contains(['\0', '\r']) {
        return None;
    }
    Some(text.replace('\\', r"\\").replace('$', r"\$").replace('`', r"\`"))
}

/// A reference to a variable. What it holds is not expanded again.
///
/// Nothing for a name that no variable can have there: it would come from a project, and `$` before it may be another
/// expansion, such as that of `(command)`.
pub fn variable(name: &str) -> String {
    if is_name(name) { format!("${name}") } else { String::new() }
}

/// The value that a variable has already. One that is not set stays so: Crush skips a text that ends in an error (0.90.1).
pub fn unchanged(name: &str) -> String {
    if is_name(name) { format!("${{{name}?}}") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expansion of a here document, as far as a text without `$(…)`, `${…}` and names goes.
    fn expanded(text: &str) -> Option<String> {
        let (mut out, mut rest) = (String::new(), text.chars().peekable());
        while let Some(c) = rest.next() {
            match c {
                '\\' if rest.peek().is_some_and(|next| matches!(next, '\\' | '$' | '`')) => {
                    out.extend(rest.next());
                }
                '\\' if rest.peek() == Some(&'\n') => _ = rest.next(),
                '$' | '`' => return None,
                c => out.push(c),
            }
        }
        Some(out)
    }

    #[test]
    fn only_a_name_is_referred_to() {
        assert_eq!(variable("A_1"), "$A_1");
        for name in ["", "1", "A B", "(id)", "{ id; }", "A$(id)", "\u{e9}"] {
            assert_eq!(variable(name), "", "{name}");
        }
    }

    #[test]
    fn every_ascii_character_comes_out_as_it_was_or_is_refused() {
        let mut refused = Vec::new();
        for code in 0..0x80_u8 {
            let c = char::from(code);
            for text in [
                format!("{c}"),
                format!("a{c}b"),
                format!("{c}{{x}}{c}(y)"),
                format!("\\{c}"),
                format!("{c}\\\n{c}$"),
                format!("${c}"),
                format!("`{c}`"),
            ] {
                match literal(&text) {
                    Some(literal) => {
                        assert_eq!(expanded(&literal).as_deref(), Some(text.as_str()), "{text:?}");
                        assert_ne!(literal, "$", "Crush refuses a lone dollar sign");
                    }
                    None => refused.push(c),
                }
            }
        }
        refused.dedup();
        assert_eq!(refused, ['\0', '\r']);
    }
}
