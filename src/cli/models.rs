//! The words of `agent-run models`: declarations, and nothing that runs.

use clap::{Args, Subcommand};
use shims::Protocol;

use super::protocol;

/// `agent-run models`
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// List the models of one or more providers, best first
    List(ModelsListArgs),
    /// Show all data of one model, and its origin
    Show(ModelsShowArgs),
    /// Show models added, removed or repriced since the previous list
    Diff(ModelsDiffArgs),
    /// Show or clear cached model lists
    #[command(subcommand, after_help = "Example:\n  agent-run models cache clear deepseek")]
    Cache(ModelsCacheCommand),
    /// Print the ids that completion offers
    #[command(hide = true)]
    Complete(ModelsCompleteArgs),
    /// Load a list again, without a terminal
    #[command(hide = true)]
    RefreshDetached(RefreshDetachedArgs),
}

/// `agent-run models list`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  agent-run models list openrouter --search 'claude sonnet'
  agent-run models list --all --refresh
  agent-run models list deepseek --json | jq -r '.[].id'")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct ModelsListArgs {
    /// Provider names from your config [default: all]
    #[arg(value_name = "PROVIDER")]
    pub providers: Vec<String>,

    /// All providers, as without a name
    #[arg(long, conflicts_with = "providers")]
    pub all: bool,

    /// Refresh now, ignoring the cache
    #[arg(long)]
    pub refresh: bool,

    /// Only models with all these words in id or name
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,

    /// Only models that are served over this protocol
    #[arg(long, value_name = "PROTOCOL", value_parser = protocol)]
    pub protocol: Option<Protocol>,

    /// Print a JSON array
    #[arg(long)]
    pub json: bool,

    /// All models, not only chat models
    #[arg(long)]
    pub all_kinds: bool,

    /// Always use $PAGER, even if the list fits
    #[arg(long, conflicts_with = "json")]
    pub pager: bool,
}

/// `agent-run models show`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  agent-run models show deepseek deepseek-v4-pro")]
pub struct ModelsShowArgs {
    /// Provider name from your config
    pub provider: String,

    /// Model id
    pub model: String,

    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

/// `agent-run models diff`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  agent-run models diff openrouter --refresh")]
pub struct ModelsDiffArgs {
    /// Provider name from your config
    pub provider: String,

    /// Refresh now, ignoring the cache
    #[arg(long)]
    pub refresh: bool,

    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

/// `agent-run models cache`
#[derive(Debug, Subcommand)]
pub enum ModelsCacheCommand {
    /// Print the folder of the cached lists
    #[command(after_help = "Example:\n  ls \"$(agent-run models cache path)\"")]
    Path,
    /// Delete the cached lists of one provider, or all
    #[command(after_help = "\
Examples:
  agent-run models cache clear deepseek
  agent-run models cache clear")]
    Clear {
        /// Provider name from your config
        provider: Option<String>,
    },
}

/// What completion asks.
#[derive(Args, Debug)]
pub struct ModelsCompleteArgs {
    /// Provider name from your config
    pub provider: String,

    /// What has been typed of the id
    #[arg(default_value = "")]
    pub prefix: String,
}

/// The refresher, see `catalog/background.rs`.
#[derive(Args, Debug)]
pub struct RefreshDetachedArgs {
    /// Provider name from your config
    pub provider: String,

    /// The key comes on stdin
    #[arg(long)]
    pub key_on_stdin: bool,

    /// The process has its own session already
    #[arg(long)]
    pub in_session: bool,
}
