//! Sessions that Claude Code would start in a terminal of tmux or iTerm2, outside of the launch.
//!
//! `--worktree NAME --tmux` starts Claude Code again within tmux (2.1.197 and 2.1.332), and so does a teammate in a
//! pane. The environment there is that of the server of tmux, which may be older than the launch or outlive it: the
//! URL, the key and the model would be lost, or stay for every later session.

use anyhow::{Result, bail};
use serde_json::{Map, Value as Json};

use super::found::FoundSettings;
use super::{argv, source::SettingsSource};
use crate::{Launch, Message};

const TMUX: &str = "--tmux";
const TEAMMATES: &str = "--teammate-mode";

/// The setting that says where teammates run.
pub const SETTING: &str = "teammateMode";

/// Where teammates stay with the launch, and Claude Code's own default.
const WITHIN: &str = "in-process";

/// Refuses words that ask for such a terminal.
///
/// # Errors
/// When they do.
pub fn check(launch: &Launch) -> Result<()> {
    // Claude Code looks for the word even after `--`.
    if launch.words().any(|word| argv::is_option(word, TMUX)) {
        bail!(Message::new(
            format!("`{TMUX}` restarts Claude Code inside tmux, where it ignores the provider"),
            format!("omit `{TMUX}`, and start the launch inside tmux yourself")
        ));
    }
    if argv::values(launch, TEAMMATES).iter().any(|mode| mode != WITHIN) {
        bail!(Message::new(
            format!("`{TEAMMATES}` may start teammates in another terminal, where they ignore the provider"),
            format!("omit it, or write `{TEAMMATES} {WITHIN}`")
        ));
    }
    Ok(())
}

/// Adds what keeps teammates within the launch, where settings or the state file say otherwise.
pub fn add(found: &FoundSettings<'_>, settings: &mut Map<String, Json>) {
    let elsewhere = |source: &SettingsSource| source.settings.get(SETTING).is_some_and(is_elsewhere);
    let is_unseen = argv::enters_worktree(found.launch);
    if is_unseen || found.state.puts_teammates_elsewhere || found.all().any(elsewhere) {
        settings.insert(SETTING.to_owned(), WITHIN.into());
    }
}

/// Whether a value of the setting puts them elsewhere.
pub fn is_elsewhere(mode: &Json) -> bool {
    !mode.is_null() && mode != WITHIN
}
