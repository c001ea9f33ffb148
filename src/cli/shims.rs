//! The words of `agent-run shims`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `agent-run shims`
#[derive(Debug, Subcommand)]
pub enum ShimsCommand {
    /// Create shims, and remove those that no longer match the config
    Install(ShimsInstallArgs),
    /// List the shims and their problems
    List(ShimsListArgs),
    /// Remove shims that agent-run created
    Remove(ShimsRemoveArgs),
    /// Print the folder of the shims
    #[command(after_help = "Example:\n  export PATH=\"$(agent-run shims path):$PATH\"")]
    Path(ShimsFolderArgs),
}

/// Where the symlinks are.
#[derive(Args, Debug)]
pub struct ShimsFolderArgs {
    /// Folder, instead of shims.dir or $XDG_BIN_HOME
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `agent-run shims install`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  agent-run shims install                           every matching pair
  agent-run shims install codex@ollama
  agent-run shims install --agent claude --found-only")]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct ShimsInstallArgs {
    /// AGENT@PROVIDER names [default: every matching pair]
    #[arg(value_name = "SHIM", conflicts_with_all = ["agents", "providers", "found_only"])]
    pub names: Vec<String>,

    /// Only for this agent; can be repeated
    #[arg(long = "agent", value_name = "AGENT")]
    pub agents: Vec<String>,

    /// Only for this provider; can be repeated
    #[arg(long = "provider", value_name = "PROVIDER")]
    pub providers: Vec<String>,

    /// Where the symlinks go.
    #[command(flatten)]
    pub folder: ShimsFolderArgs,

    /// Only for agents that are on PATH
    #[arg(long)]
    pub found_only: bool,

    /// Keep shims that no longer match the config
    #[arg(long)]
    pub no_prune: bool,

    /// Print what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

/// `agent-run shims list`
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  agent-run shims list")]
pub struct ShimsListArgs {
    /// Where the symlinks are.
    #[command(flatten)]
    pub folder: ShimsFolderArgs,

    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

/// `agent-run shims remove`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  agent-run shims remove codex@ollama
  agent-run shims remove --all --dry-run")]
pub struct ShimsRemoveArgs {
    /// Names of shims, as AGENT@PROVIDER
    #[arg(value_name = "LINK", required_unless_present = "all", conflicts_with = "all")]
    pub names: Vec<String>,

    /// All shims that agent-run created
    #[arg(long)]
    pub all: bool,

    /// Where the symlinks are.
    #[command(flatten)]
    pub folder: ShimsFolderArgs,

    /// Print what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}
