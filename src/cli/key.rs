//! The words of `agent-run key`.

use clap::{Args, Subcommand};

/// `agent-run key`
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Set a provider's key: paste it, or say where it is
    #[command(after_help = "\
Examples:
  agent-run key set deepseek
  pass show deepseek | agent-run key set deepseek")]
    Set(KeyArgs),
    /// Test a provider's key with one short request (costs a few tokens)
    #[command(after_help = "\
Example:
  agent-run key test deepseek")]
    Test(KeyArgs),
    /// Remove a key that agent-run stores
    #[command(after_help = "\
Examples:
  agent-run key remove deepseek
  agent-run key remove deepseek --yes")]
    Remove(KeyRemoveArgs),
}

/// `agent-run key remove`
#[derive(Args, Debug)]
pub struct KeyRemoveArgs {
    /// Provider name from your config
    pub provider: String,

    /// Skip the confirmation
    #[arg(long, short)]
    pub yes: bool,
}

/// The provider of a command below `agent-run key`
#[derive(Args, Debug)]
pub struct KeyArgs {
    /// Provider name from your config
    pub provider: String,
}
