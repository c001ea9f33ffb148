//! The words of `agent-run import`: declarations, and nothing that runs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `agent-run import`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  agent-run import                     look at every known tool
  agent-run import claude
  agent-run import cc-switch --write
  agent-run import env --json")]
pub struct ImportArgs {
    /// claude, codex, crush, hermes, env or cc-switch [default: all of them]
    #[arg(hide_possible_values = true)]
    pub tool: Option<ImportTool>,

    /// File to read, instead of the tool's own
    #[arg(requires = "tool")]
    pub file: Option<PathBuf>,

    /// Print the providers, and add them to the config
    #[arg(long)]
    pub write: bool,

    /// Copy the keys too, from the other tool's files
    #[arg(long)]
    pub with_keys: bool,

    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

/// Whose settings to read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum ImportTool {
    /// Claude Code: the `env` block of settings.json
    Claude,
    /// Codex: `model_providers` of config.toml
    Codex,
    /// Crush: `providers` of its crush.json files
    Crush,
    /// Hermes Agent: the providers and the model of config.yaml
    Hermes,
    /// Environment variables that hold known providers' keys
    Env,
    /// cc-switch: its database, an export as SQL, or config.json
    CcSwitch,
}
