//! Text as YAML, for an entry that is written into the config.

use shims::yaml::resolve::{Type, implicit};
use shims::yaml::{is_break, quoted};

/// Text as a scalar in one line, within brackets and without, that [`shims::yaml`] and `PyYAML` take for that text.
///
/// By `serde_yaml`, but where that writes several lines, or leaves plain what brackets end or YAML 1.1 takes for another
/// type, as `12:30`.
pub fn scalar(text: &str) -> String {
    let written = serde_yaml::to_string(text).unwrap_or_default();
    let written = written.strip_suffix('\n').unwrap_or(&written);
    let ends_in_brackets =
        text.starts_with([':', '?']) || text.contains([',', '[', ']', '{', '}']) || text.contains(":?");
    let is_text = written != text || (implicit(text) == Type::Text && !ends_in_brackets);
    if is_text && !text.contains(is_break) { written.to_owned() } else { quoted(text) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shims::hermes_yaml::Mapping;

    use super::*;
    use crate::config::yaml::value;

    fn comes_back(text: &str) {
        let scalar = scalar(text);
        assert!(!scalar.contains(is_break), "{text:?}: {scalar}");
        let entry = format!(
            "# x\n{scalar}:\n  a: {scalar}\n  b: [x, {scalar}, {scalar}]\n  c: {{{scalar}: {scalar}}}\n  d:\n  - {scalar}\n"
        );
        let inner =
            serde_json::json!({ "a": text, "b": ["x", text, text], "c": { text: text }, "d": [text] });
        let all = serde_json::json!({ text: inner });
        assert_eq!(value(&entry).as_ref(), Some(&all), "{entry}");
        assert_eq!(
            Mapping::parse(&entry).map(|mapping| mapping.json()).as_ref(),
            Ok(&all),
            "PyYAML's rules: {entry}"
        );
        assert_eq!(serde_yaml::from_str::<serde_json::Value>(&entry).ok(), Some(all), "serde_yaml: {entry}");
    }

    #[test]
    fn text_that_looks_like_something_else_comes_back() {
        for text in [
            "",
            "a",
            "a:b",
            "~",
            "null",
            "No",
            "y",
            "on",
            "1.5",
            "[x]",
            "a #b",
            "- a",
            "-er",
            "é\n\"x\"",
            "@x",
            "1_000",
            "12:30",
            "2001-02-03",
            "<<",
            "=",
            "0o17",
            "017",
            "0x_",
            "a, b",
            "a: b",
            "it's: a key",
            " a ",
            "\t",
            "\r",
            "\u{7f}",
            "\u{85}x",
            "\u{2028}",
            "\u{feff}",
            "\u{ffff}",
            "\u{10ffff}",
            "!x",
            "&x",
            "*x",
            "%x",
            "`x`",
            "|",
            ">",
            "? a",
            "?",
            ":",
            "a:",
            "#",
            "---",
            "...",
            "--- a",
            "'",
            "\"",
            "\\",
            "~/.k",
            "http://host:1/x?y=1#z",
            "Ünïcode",
            "\u{0}",
        ] {
            comes_back(text);
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>(), odd in "[-?:,\\[\\]{}#&*!|>'\"%@` \t\n\r0-9a-z<=~._+\u{85}\u{2028}]{0,8}") {
            comes_back(&text);
            comes_back(&odd);
        }
    }
}
