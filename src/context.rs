//! What a command works with: the environment, the folders and the config, each loaded once.

use std::path::Path;

use anyhow::Result;
use shims::Dirs;

use crate::config::{self, Loaded};
use crate::env::Environment;
use crate::ui;

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
    ///
    /// # Errors
    /// When there is no home folder, no config, or an error in what is decoded.
    pub fn for_launch(config: Option<&Path>, provider: &str, env: &'a Environment) -> Result<Self> {
        let loaded = config::load_for(&env.config_file(config)?, provider)?;
        loaded.warnings_about(provider).for_each(ui::log::warn);
        Ok(Self { env, dirs: env.dirs()?, loaded })
    }
}
