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
    ///
    /// # Errors
    /// That, and `otherwise` for what cannot be divided into words.
    pub fn command(text: &str, otherwise: Message) -> Result<Self> {
        let Some(argv) = shlex::split(text).filter(|argv| !argv.is_empty()) else { bail!(otherwise) };
        if let Some(sign) = of_shell(text) {
            let shell = shown_command(&["sh", "-c", text].map(str::to_owned));
            bail!(Message::new(
                format!("a key command is run without a shell, so `{sign}` has no meaning in it"),
                format!("have a shell run it: {shell}")
            ));
        }
        Ok(Self::Command(argv))
    }

    /// The key that is there.
    ///
    /// # Errors
    /// As [`resolve`].
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

/// The first character of a command, outside its quotation marks, that a shell would not pass on.
fn of_shell(text: &str) -> Option<char> {
    let (mut quote, mut is_escaped, mut last) = (None, false, None);
    text.chars().find(|&c| {
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
            _ => return quote.is_none() && "|;&<>()".contains(c),
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
            ("~/bin/key a~ \"~\"", None),
            ("sh -c 'pass show x | head -1'", None),
            ("jq -r '.a | .b' \"a;b\" \\$ '\"' c", None),
        ] {
            assert_eq!(of_shell(text), sign, "{text}");
        }
        let error = KeyPlace::command("pass show x | head -1", "no".into()).expect_err("refused");
        let error = crate::error::render(&error);
        assert!(error.contains("have a shell run it: `sh -c 'pass show x | head -1'`"), "{error}");
    }
}
