//! The words of `agent-run help`.

use std::path::PathBuf;

use clap::Args;

/// `agent-run help`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  agent-run help models list
  agent-run help --man
  agent-run help --man ./man")]
pub struct HelpArgs {
    /// Command, such as `models list` [default: agent-run itself]
    #[arg(value_name = "COMMAND", conflicts_with = "man")]
    pub command: Vec<String>,

    /// Write the manual to DIR [default: ~/.local/share/man]
    #[arg(long, value_name = "DIR", num_args = 0..=1)]
    #[expect(clippy::option_option, reason = "the option, and its value")]
    pub man: Option<Option<PathBuf>>,
}
