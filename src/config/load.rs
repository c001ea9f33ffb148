//! Reads the file (a first form: one error, no locating).

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Config;

/// A config as it was loaded.
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// Where it is.
    pub path: PathBuf,
    /// What is wrong with it without being an error.
    pub warnings: Vec<String>,
}

/// Loads the config file.
pub fn load(path: &Path) -> Result<Loaded> {
    let text = std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    Ok(Loaded { config: parse(&text, path)?, path: path.to_owned(), warnings: Vec::new() })
}

/// Parses the config's text.
pub fn parse(text: &str, path: &Path) -> Result<Config> {
    serde_yaml::from_str(text).with_context(|| format!("could not understand {}", path.display()))
}

impl Loaded {
    /// Where a key stands.
    pub fn locate(&self, _key: &[&str]) -> Option<(usize, usize)> {
        None
    }
}
