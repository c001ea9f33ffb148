//! What the user's own words ask of Claude Code.

use std::ffi::OsStr;
use std::path::PathBuf;

use crate::{EntryKind, Inputs, Launch};

/// How many plugins of one folder are looked into.
const MOST_PLUGINS: usize = 100;

/// The words that may be options: all before `--`.
fn options(launch: &Launch) -> impl Iterator<Item = &OsStr> {
    launch.words().take_while(|word| *word != "--")
}

/// Whether the user's words hold this option.
pub fn forwards(launch: &Launch, option: &str) -> bool {
    options(launch).any(|word| is_option(word, option))
}

/// Whether a word is this option, with a value behind a `=` or without.
pub fn is_option(word: &OsStr, option: &str) -> bool {
    let rest = word.to_str().and_then(|word| word.strip_prefix(option));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

/// Whether the session begins in another worktree, which may not be there yet: `--worktree`, or `-w` among other
/// letters.
pub fn enters_worktree(launch: &Launch) -> bool {
    let is_short = |word: &OsStr| match word.as_encoded_bytes() {
        [b'-', b'-', ..] => false,
        [b'-', letters @ ..] => letters.contains(&b'w'),
        _ => false,
    };
    forwards(launch, "--worktree") || options(launch).any(is_short)
}

/// What the user's words give an option, each time it stands there.
pub fn values(launch: &Launch, option: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut words = options(launch).map(OsStr::to_string_lossy);
    while let Some(word) = words.next() {
        match word.strip_prefix(option) {
            Some("") => values.extend(words.next().map(Into::into)),
            Some(rest) => values.extend(rest.strip_prefix('=').map(str::to_owned)),
            None => {}
        }
    }
    values
}

/// The folders that `--add-dir` adds. Claude Code takes skills, commands and agents from their `.claude`, and no
/// settings or MCP servers (2.1.332).
pub fn added_folders(launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
    folders(launch, inputs, "--add-dir", true)
}

/// The plugins that `--plugin-dir` loads.
pub fn plugin_folders(launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
    let mut folders = plugin_arguments(launch, inputs);
    // One may hold several plugins (2.1.332).
    for folder in folders.clone() {
        let below = inputs.entries(&folder).iter().filter(|entry| entry.kind != EntryKind::File);
        folders.extend(below.take(MOST_PLUGINS).map(|entry| folder.join(&entry.name)));
    }
    folders
}

/// The folders that `--plugin-dir` names.
pub fn plugin_arguments(launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
    folders(launch, inputs, "--plugin-dir", false)
}

fn folders(launch: &Launch, inputs: &Inputs, option: &str, takes_more: bool) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    let mut is_value = false;
    for word in options(launch) {
        let text = word.to_string_lossy();
        let after = text.strip_prefix(option);
        if let Some(folder) = after.and_then(|rest| rest.strip_prefix('=')) {
            folders.push(inputs.dirs.cwd.join(folder));
            is_value = takes_more;
        } else if is_value && !text.starts_with('-') {
            folders.push(inputs.dirs.cwd.join(word));
            is_value = takes_more;
        } else {
            is_value = after == Some("");
        }
    }
    folders
}
