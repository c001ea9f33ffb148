//! The words of `agent-run man`.

use std::path::PathBuf;

use clap::Args;

/// `agent-run man`
#[derive(Args, Debug)]
pub struct ManArgs {
    /// The folder that gets one page per command
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
}
