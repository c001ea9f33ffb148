//! What a command works with: the environment, the folders and the config, each loaded once.

use std::path::Path;

use anyhow::{Error, Result, anyhow};
use shims::{Dirs, Message};

use crate::config::{self, Loaded};
use crate::env::Environment;
use crate::launch::lookup;
use crate::{error, ui};

/// The environment, the folders that follow from it, and the config.
pub struct Context<'a> {
    /// The environment that the agent inherits.
    pub env: &'a Environment,
    /// The user's folders and ours.
    pub dirs: Dirs,
    /// The config file.
    pub loaded: Loaded,
}

impl<'a> Context<'a> {
    /// Loads the config for a launch on `provider`, the one entry that is decoded, and prints the warnings about it.
    pub fn for_launch(config: Option<&Path>, provider: &str, env: &'a Environment) -> Result<Self> {
        let path = env.config_file(config)?;
        let loaded =
            config::load_for(&path, provider).map_err(|error| without_config(error, &path, provider))?;
        loaded.warnings_for(&[provider]).into_iter().for_each(ui::log::warn);
        Ok(Self { env, dirs: env.dirs_of_launch()?, loaded })
    }
}

/// Reads the config at `path` for a command about the providers that are `named`, and prints the warnings about it.
pub fn load(path: &Path, named: &[&str]) -> Result<Loaded> {
    let first = named.first().copied().unwrap_or_default();
    let loaded = config::load(path).map_err(|error| without_config(error, path, first))?;
    loaded.warnings_for(named).into_iter().for_each(ui::log::warn);
    Ok(loaded)
}

/// Reads the config at `path` for a command about one provider; without those in which something is wrong.
pub fn load_sound(path: &Path, provider: &str) -> Result<Loaded> {
    config::load_sound(path).map_err(|error| without_config(error, path, provider))
}

/// Where there is no config file at all, the help is to add the provider, if it is a known one or a mistyped one.
pub fn without_config(error: Error, path: &Path, provider: &str) -> Error {
    match lookup::adding(provider, |_| true) {
        Some(help) if matches!(path.try_exists(), Ok(false)) => {
            anyhow!(Message::new(error::message(&error).text, help))
        }
        _ => error,
    }
}
