//! Keys in texts and commands that are shown.

use std::path::Path;

use super::fingerprint;
use super::shape::{begins_as_key, is_like_key};

/// The text with words that look like keys as their fingerprints.
pub fn redact_keys(text: &str) -> String {
    const ENDS: [char; 7] = [' ', '=', ',', ':', '"', '\'', '\n'];
    let is_key = |word: &str| {
        let begins = begins_as_key(word) || word.starts_with("Bearer");
        (begins && word.len() >= 8) || (word.len() >= 24 && !word.contains('/') && is_like_key(word))
    };
    let mut shown = String::new();
    for piece in text.split_inclusive(ENDS) {
        let word = piece.trim_end_matches(ENDS);
        shown.push_str(&if is_key(word) { fingerprint(word) } else { word.to_owned() });
        shown.push_str(&piece[word.len()..]);
    }
    shown
}

/// A command as it may be shown, in backquotes: of one that only repeats its arguments, these are the key.
pub fn shown_command(argv: &[String]) -> String {
    match argv {
        [program, _, ..] if ["echo", "printf"].iter().any(|it| Path::new(program).ends_with(it)) => {
            format!("`{} …`", shims::quote(program.as_ref()))
        }
        argv => format!("`{}`", redact_keys(&shims::quoted(argv))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_a_command_is_not_shown_and_the_rest_is() {
        let shown =
            |words: &[&str]| shown_command(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        let key = "gsk_0123456789abcdef";
        let masked = fingerprint(key);
        assert_eq!(shown(&["sh", "-c", "echo gsk_0123456789abcdef"]), format!("`sh -c 'echo {masked}'`"));
        assert_eq!(shown(&["curl", &format!("--key={key}")]), format!("`curl '--key={masked}'`"));
        assert_eq!(shown(&["/bin/echo", "-n", "hunter2"]), "`/bin/echo …`");
        let plain =
            ["pass", "show", "/nix/store/0123456789abcdef0123456789abcdef-x", "deepseek-work-account-2026"];
        assert_eq!(shown(&plain), format!("`{}`", plain.join(" ")));
    }
}
