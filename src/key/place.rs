//! Where a key is, as a line of the config says it.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use shims::Message;

use super::redact::shown_command;
use super::resolve;
use crate::config::{KeyCheck, KeySource, yaml_scalar};
use crate::env::Environment;

/// Where the key of a provider that is added will be kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyPlace {
    /// In a variable.
    Env(String),
    /// In a file.
    File(PathBuf),
    /// A command prints it.
    Command(Vec<String>),
}

impl KeyPlace {
    /// The command that was typed as in a shell. It is run without one, so what only a shell understands is refused.
    /// What cannot be divided into words is refused with `otherwise`.
    pub fn command(text: &str, otherwise: Message) -> Result<Self> {
        let Some(argv) = shlex::split(text).filter(|argv| !argv.is_empty()) else { bail!(otherwise) };
        let sign = variable(text).map(|name| (format!("{name}="), None));
        let sign =
            sign.or_else(|| of_shell(text).map(|(at, sign)| (sign.to_string(), part_of_word(text, at))));
        if let Some((sign, word)) = sign {
            let shell = shown_command(&["sh", "-c", text].map(str::to_owned));
            let help = match word.map(|word| shown_command(&[word.to_owned()])) {
                Some(word) => {
                    format!("put the word in quotation marks: {word}; or have a shell run it: {shell}")
                }
                None => format!("have a shell run it: {shell}"),
            };
            let text = format!("a key command is run without a shell, so `{sign}` has no meaning in it");
            bail!(Message::new(text, help));
        }
        Ok(Self::Command(argv))
    }

    /// The key that is there.
    pub fn resolve(&self, env: &Environment, home: &Path) -> Result<String> {
        let source = match self {
            Self::Env(name) => KeySource::Env(name),
            Self::File(path) => KeySource::File(path),
            Self::Command(argv) => KeySource::Command(argv),
        };
        resolve(source, KeyCheck::On, env, home)
    }

    /// The line of a provider's entry.
    pub fn line(&self) -> String {
        match self {
            Self::Env(name) => format!("key_env: {}", yaml_scalar(name)),
            Self::File(path) => format!("key_file: {}", yaml_scalar(&path.to_string_lossy())),
            Self::Command(argv) => {
                let words: Vec<_> = argv.iter().map(|word| yaml_scalar(word)).collect();
                format!("key_command: [{}]", words.join(", "))
            }
        }
    }
}

/// The variable that a shell would set for a command.
fn variable(text: &str) -> Option<&str> {
    let name = text.trim_start().split_once('=')?.0;
    let is_name = !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    Some(name).filter(|name| is_name && !name.is_empty())
}

/// The word without quotation marks that has the `&` or `*` at `at` in its middle, as a URL may.
fn part_of_word(text: &str, at: usize) -> Option<&str> {
    let before = text[..at].rsplit(char::is_whitespace).next()?;
    let word = text[at - before.len()..].split_whitespace().next()?;
    let is_part = text[at..].starts_with(['&', '*']) && !before.is_empty() && !word.ends_with('&');
    Some(word).filter(|word| is_part && !word.contains(['\'', '"', '\\', '$', '`', '|']))
}

/// The first character of a command, outside its quotation marks, that a shell would not pass on, and where it is.
/// Programs have words with `?`, `[` and `{` of their own, as `jq .[0]`, which a shell most often passes on.
fn of_shell(text: &str) -> Option<(usize, char)> {
    let (mut quote, mut is_escaped, mut last) = (None, false, None);
    text.char_indices().find(|&(_, c)| {
        let before = last.replace(c);
        let (was_escaped, is_literal) = (std::mem::take(&mut is_escaped), quote == Some('\''));
        match c {
            _ if was_escaped => {}
            '\\' if !is_literal => is_escaped = true,
            '"' | '\'' if quote.is_none() => quote = Some(c),
            _ if quote == Some(c) => quote = None,
            '$' | '`' => return !is_literal,
            // The program's own is expanded without a shell.
            '~' if quote.is_none() => return before.is_some_and(char::is_whitespace),
            _ => return quote.is_none() && "|;&<>()*".contains(c),
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_a_shell_understands_is_found_outside_of_quotation_marks() {
        for (text, sign) in [
            ("pass show x | head -1", Some('|')),
            ("cat \"$HOME/key\"", Some('$')),
            ("a && b", Some('&')),
            ("cat <key", Some('<')),
            ("echo `a`", Some('`')),
            ("echo '(' $(a)", Some('$')),
            ("cat ~/key", Some('~')),
            ("cat key*", Some('*')),
            ("~/bin/key a~ \"~\" '*' \\*", None),
            ("sh -c 'pass show x | head -1'", None),
            ("jq -r '.a | .b' \"a;b\" \\$ '\"' c", None),
        ] {
            assert_eq!(of_shell(text).map(|(_, sign)| sign), sign, "{text}");
        }
    }

    #[test]
    fn a_sign_within_a_word_is_quoted_and_others_are_for_a_shell() {
        let url = "https://x/y?a=1&b=2";
        let quoted = format!("put the word in quotation marks: `'{url}'`; or have a shell run it: `sh -c '");
        for (text, sign, help) in [
            (format!("curl {url}"), "`&`", quoted.as_str()),
            ("cat key*".to_owned(), "`*`", "put the word in quotation marks: `'key*'`; or"),
            (
                "pass show x | head -1".to_owned(),
                "`|`",
                "have a shell run it: `sh -c 'pass show x | head -1'`",
            ),
            ("pass show x 2>/dev/null".to_owned(), "`>`", "have a shell run it: `sh -c 'pass show"),
            ("cd /x; cat k".to_owned(), "`;`", "have a shell run it: `sh -c 'cd"),
            ("cd /x;cat k".to_owned(), "`;`", "have a shell run it: `sh -c 'cd"),
            ("curl x>file".to_owned(), "`>`", "have a shell run it: `sh -c 'curl"),
            ("op read op://a/*/key".to_owned(), "`*`", "put the word in quotation marks: `'op://a/*/key'`"),
            ("A_1=b pass show x".to_owned(), "`A_1=`", "have a shell run it: `sh -c 'A_1=b pass"),
        ] {
            let error = KeyPlace::command(&text, "no".into()).expect_err("refused");
            let error = crate::error::render(&error);
            assert!(error.contains(&format!("so {sign} has no")), "{error}");
            assert!(error.contains(&format!("help: {help}")), "{error}");
        }
        for text in ["curl --a=b", "./a=b/key", "env A=b key"] {
            assert!(KeyPlace::command(text, "no".into()).is_ok(), "{text}");
        }
    }
}
