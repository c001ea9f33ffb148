//! Commands about sessions that no launch starts: those in the background, and those that are driven from elsewhere.
//!
//! Claude Code takes them for commands only in front of everything else, and behind `--settings` for a prompt (2.1.197
//! and 2.1.332). In front they could start a process in the background, which keeps the launch's key and ignores its
//! provider.

use anyhow::{Result, bail};

use super::argv;
use crate::judged::claude::COMMAND_REFUSED as REFUSED;
use crate::{Launch, Message};

/// Another folder whose `.claude` counts as the project's (2.1.332), an option that its own help does not show.
const PROJECT: &str = "--project-config-root";

/// Refuses them, and an option that has a project's settings read where a launch does not look.
///
/// # Errors
/// When the user's first word is one, or the option is there.
pub fn check(launch: &Launch) -> Result<()> {
    let first = launch.args.first().and_then(|word| word.to_str());
    if let Some(command) = first.filter(|word| REFUSED.contains(word)) {
        bail!(Message::new(
            format!("`claude {command}` is about sessions outside of a launch, which ignore the provider"),
            format!(
                "run plain `claude {command}`, without agent-run; for a prompt, put another word before it"
            )
        ));
    }
    if argv::forwards(launch, PROJECT) {
        bail!(Message::new(
            format!(
                "`{PROJECT}` has Claude Code take another folder's settings, which a launch does not read"
            ),
            format!("omit `{PROJECT}`, and start the launch in that folder")
        ));
    }
    Ok(())
}
