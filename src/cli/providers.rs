//! The words of `agent-run providers`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `agent-run providers`
#[derive(Debug, Subcommand)]
pub enum ProvidersCommand {
    /// List the providers in your config
    List(ProvidersListArgs),
    /// Show a provider: its protocols, its agents and where its key is
    Show(ProvidersShowArgs),
    /// List known providers
    Presets(ProvidersPresetsArgs),
    /// Add a provider: ask for its key and test it
    Add(ProvidersAddArgs),
    /// Remove a provider, its shims and its model list
    Remove(ProvidersRemoveArgs),
    /// Open the config at a provider in your editor
    Edit(ProvidersEditArgs),
    /// Test a provider with a few short requests (costs a few tokens)
    Test(ProvidersTestArgs),
}

/// `agent-run providers list`
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  agent-run providers list --json | jq -r '.[].name'")]
pub struct ProvidersListArgs {
    /// Print a JSON array
    #[arg(long)]
    pub json: bool,
}

/// `agent-run providers show`
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  agent-run providers show deepseek")]
pub struct ProvidersShowArgs {
    /// Provider name from your config
    pub provider: String,

    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

/// `agent-run providers presets`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  agent-run providers presets
  agent-run providers presets coding
  agent-run providers presets anthropic --json")]
pub struct ProvidersPresetsArgs {
    /// Only presets with this text in any field
    pub text: Option<String>,

    /// Print a JSON array
    #[arg(long)]
    pub json: bool,
}

/// `agent-run providers add`
#[derive(Args, Debug, Default)]
#[command(after_help = "\
Examples:
  agent-run providers add deepseek
  agent-run providers add zai-coding --name glm --key-command 'pass show glm'
  agent-run providers add ollama --model qwen3-coder:30b --dry-run
  agent-run providers add acme --server https://api.acme.example/v1")]
pub struct ProvidersAddArgs {
    /// Preset, or a new provider's name [default: ask]
    pub preset: Option<String>,

    /// Provider name [default: the preset's]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Variable that holds the key
    #[arg(long, value_name = "VARIABLE", group = "key")]
    pub key_env: Option<String>,

    /// File that holds the key
    #[arg(long, value_name = "FILE", group = "key")]
    pub key_file: Option<PathBuf>,

    /// Command that prints the key: 'pass show deepseek'
    #[arg(long, value_name = "COMMAND", group = "key")]
    pub key_command: Option<String>,

    /// Default model
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,

    /// Server's address, or a new provider's base URL
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,

    /// Print what would be added, and do nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Skip the confirmation
    #[arg(long, short, conflicts_with = "dry_run")]
    pub yes: bool,
}

/// `agent-run providers test`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  agent-run providers test deepseek
  agent-run providers test ollama --update
  agent-run providers test openrouter --model openai/gpt-6-luna --json")]
pub struct ProvidersTestArgs {
    /// Provider name from your config
    pub provider: String,

    /// Model, instead of the provider's default
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,

    /// Write the window of a local server into the config
    #[arg(long, conflicts_with = "json")]
    pub update: bool,

    /// Print a JSON array
    #[arg(long)]
    pub json: bool,
}

/// `agent-run providers remove`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  agent-run providers remove deepseek
  agent-run providers remove deepseek --with-key --yes")]
pub struct ProvidersRemoveArgs {
    /// Provider name from your config
    pub provider: String,

    /// Remove the key too, if agent-run stores it
    #[arg(long)]
    pub with_key: bool,

    /// Skip the confirmation
    #[arg(long, short)]
    pub yes: bool,
}

/// `agent-run providers edit`
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  agent-run providers edit deepseek")]
pub struct ProvidersEditArgs {
    /// Provider name from your config
    pub provider: String,
}
