//! Keys in texts and commands that are shown.

use std::fmt;
use std::path::Path;

use super::fingerprint;
use super::shape::{begins_as_key, is_like_key};
use crate::config::KeySource;

impl KeySource<'_> {
    /// Its name in the config.
    pub fn setting(self) -> &'static str {
        match self {
            Self::Literal(_) => "key",
            Self::Env(_) => "key_env",
            Self::File(_) => "key_file",
            Self::Command(_) => "key_command",
        }
    }

    /// The place, where a person knows its kind already.
    pub fn place(self) -> String {
        match self {
            Self::Literal(_) => "in the config".to_owned(),
            Self::Env(name) => format!("${name}"),
            Self::File(path) => path.display().to_string(),
            Self::Command(argv) => shown_command(argv),
        }
    }
}

/// The source as the config has it, without a key.
impl fmt::Display for KeySource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(_) => f.write_str(self.setting()),
            Self::Env(name) => write!(f, "{} {name}", self.setting()),
            Self::File(_) | Self::Command(_) => write!(f, "{} {}", self.setting(), self.place()),
        }
    }
}

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

/// The program of a command that only repeats its arguments, itself or as a shell's, so that these are the key.
fn repeating(argv: &[String]) -> Option<&String> {
    let [program, rest @ ..] = argv else { return None };
    let repeats = |word: &str| ["echo", "printf"].iter().any(|it| Path::new(word).ends_with(it));
    let is_shell = Path::new(program).file_name().is_some_and(|name| name.to_string_lossy().ends_with("sh"));
    let mut words =
        rest.iter().flat_map(|arg| arg.split(|c: char| c.is_whitespace() || ";&|({`".contains(c)));
    (!rest.is_empty() && (repeats(program) || (is_shell && words.any(repeats)))).then_some(program)
}

/// A command as it may be shown, in backquotes.
pub fn shown_command(argv: &[String]) -> String {
    match repeating(argv) {
        Some(program) if argv[1] == "-c" => format!("`{} -c '…'`", shims::quote(program.as_ref())),
        Some(program) => format!("`{} …`", shims::quote(program.as_ref())),
        None => {
            // A shell expands it only outside of quotation marks.
            let below = argv.first().and_then(|program| program.strip_prefix("~/"));
            let (home, argv) = match below {
                Some(below) => ("~/", [&[below.to_owned()], &argv[1..]].concat()),
                None => ("", argv.to_vec()),
            };
            format!("`{home}{}`", redact_keys(&shims::quoted(argv)))
        }
    }
}

/// The same for programs, word by word.
pub fn shown_words(argv: &[String]) -> Vec<String> {
    match repeating(argv) {
        Some(program) => vec![program.clone(), "…".to_owned()],
        None => argv.iter().map(|word| redact_keys(word)).collect(),
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
        let words =
            |words: &[&str]| shown_words(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(words(&["sh", "-c", &format!("cat {key}")]), ["sh", "-c", &format!("cat {masked}")]);
        assert_eq!(words(&["sh", "-c", "exec echo hunter2"]), ["sh", "…"]);
        assert_eq!(words(&["/bin/echo", "-n", "hunter2"]), ["/bin/echo", "…"]);
        assert_eq!(shown(&["/bin/bash", "-c", "true&&printf hunter2"]), "`/bin/bash -c '…'`");
        assert_eq!(shown(&["curl", &format!("--key={key}")]), format!("`curl '--key={masked}'`"));
        assert_eq!(shown(&["/bin/echo", "-n", "hunter2"]), "`/bin/echo …`");
        assert_eq!(shown(&["~/bin/key", "a b"]), "`~/bin/key 'a b'`");
        let plain =
            ["pass", "show", "/nix/store/0123456789abcdef0123456789abcdef-x", "deepseek-work-account-2026"];
        assert_eq!(shown(&plain), format!("`{}`", plain.join(" ")));
    }
}
