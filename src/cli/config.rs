//! The words of `agent-run config`: declarations, and nothing that runs.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `agent-run config`
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  agent-run config --bootstrap-config
  agent-run config check --strict
  agent-run config show deepseek
  agent-run --config work.yaml config edit"
)]
pub struct ConfigArgs {
    /// Write a commented example if there is no config
    #[arg(long)]
    pub bootstrap_config: bool,

    /// What to do; by default the file is opened in $VISUAL or $EDITOR.
    #[command(subcommand)]
    pub command: Option<ConfigCommand>,
}

/// What to do with the config.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Open the file in $VISUAL or $EDITOR (default command)
    #[command(after_help = "Example:\n  agent-run config edit")]
    Edit,
    /// Print the path of the config file
    #[command(after_help = "Example:\n  cat \"$(agent-run config path)\"")]
    Path,
    /// Report every error and warning in the file
    Check(ConfigCheckArgs),
    /// Print the values in force and their origin; never a key
    Show(ConfigShowArgs),
    /// Print the JSON Schema of the file, for editors
    #[command(after_help = "Example:\n  agent-run config schema >~/.config/agent-run/config.schema.json")]
    Schema,
}

/// `agent-run config check`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  agent-run config check --strict && echo valid")]
pub struct ConfigCheckArgs {
    /// File to check, instead of the config
    pub file: Option<PathBuf>,

    /// Fail on warnings too
    #[arg(long)]
    pub strict: bool,

    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

/// `agent-run config show`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  agent-run config show deepseek")]
pub struct ConfigShowArgs {
    /// Only this provider
    pub provider: Option<String>,

    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}
