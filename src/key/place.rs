//! Where a key is, as a line of the config says it.

use std::path::{Path, PathBuf};

use anyhow::Result;

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
