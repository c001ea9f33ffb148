//! What of the user's own settings would win over variables alone, and what a launch does about it.
//!
//! For telling only (`doctor`, `why`): no plan is made by it, and no value of a setting is in it, since any
//! may be a key.

use std::path::{Path, PathBuf};

/// A setting that a launch overrules.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConflictingSetting {
    /// The file it is in.
    pub path: PathBuf,
    /// Its dotted key there, or the variable it sets.
    pub key: String,
    /// What keeps it from deciding, as the end of a sentence.
    pub answer: &'static str,
}

impl ConflictingSetting {
    /// The setting `key` in a file.
    pub fn new(path: &Path, key: impl Into<String>, answer: &'static str) -> Self {
        Self { path: path.to_owned(), key: key.into(), answer }
    }
}
