//! A settings file of Claude Code's, as it is read.

use std::path::PathBuf;

use serde_json::{Map, Value as Json};

use super::places;
use crate::Inputs;

/// One settings file, as far as it could be read. Claude Code ignores a broken one, and so do we.
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// What it says.
    pub settings: Map<String, Json>,
}

impl Source {
    /// The file at `path`, if Claude Code would take it.
    pub fn read(path: PathBuf, inputs: &Inputs) -> Option<Self> {
        let bytes = inputs.file(&path).ok()??;
        let text = String::from_utf8_lossy(places::without_bom(bytes));
        Some(Self { settings: serde_json::from_str(&text).ok()?, path })
    }

    /// The variables it sets.
    pub fn env(&self) -> impl Iterator<Item = (&str, &Json)> {
        let env = self.settings.get("env").and_then(Json::as_object);
        env.into_iter().flatten().map(|(name, value)| (name.as_str(), value))
    }

    /// A top-level text that is not empty.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.settings.get(key).and_then(Json::as_str).filter(|text| !text.is_empty())
    }

    /// The only models it allows.
    pub fn available_models(&self) -> Option<impl Iterator<Item = &str>> {
        Some(self.settings.get("availableModels")?.as_array()?.iter().filter_map(Json::as_str))
    }
}
