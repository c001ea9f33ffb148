//! What the user's own words ask of Claude Code.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::paths;
use super::source::is_space;
use crate::inputs::without_dots;
use crate::judged::claude::OPTION_VALUED;
use crate::{Inputs, Launch};

/// Further folders of plugins, with colons between (2.1.332).
pub const PLUGIN_DIRS: &str = "CLAUDE_CODE_PLUGIN_DIRS";

/// The words that may be options: all before `--`, unless that is the value of one (2.1.332).
pub fn options(launch: &Launch) -> impl Iterator<Item = &OsStr> {
    let mut is_value = false;
    launch.words().take_while(move |word| {
        let is_end = *word == "--" && !is_value;
        is_value = !is_value && OPTION_VALUED.iter().any(|option| word == option);
        !is_end
    })
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
    forwards(launch, "--worktree") || has_letter(launch, b'w')
}

/// Whether nobody can answer in the session: `--print`, or `-p` among other letters.
pub fn prints(launch: &Launch) -> bool {
    forwards(launch, "--print") || has_letter(launch, b'p')
}

fn has_letter(launch: &Launch, letter: u8) -> bool {
    options(launch).any(|word| match word.as_encoded_bytes() {
        [b'-', b'-', ..] => false,
        [b'-', letters @ ..] => letters.contains(&letter),
        _ => false,
    })
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
/// settings or MCP servers (2.1.332). That version takes `~` for the home folder and leaves out blanks around the name,
/// which of these options only this one does; 2.1.197 takes it as it is given.
pub fn added_folders(launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
    let folders = folders(launch, "--add-dir", true).into_iter().flat_map(|given| {
        let plain = Some(expanded(&given, inputs)).filter(|plain| *plain != *given);
        std::iter::once(PathBuf::from(given)).chain(plain)
    });
    folders.map(|folder| without_dots(&inputs.dirs.cwd.join(folder))).collect()
}

/// The folders of plugins that the words and the environment name.
pub fn plugin_folders(launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
    let options = ["--plugin-dir", "--plugin-dir-no-mcp"];
    let named = options.into_iter().flat_map(|option| folders(launch, option, false));
    let named = named.map(|folder| without_dots(&inputs.dirs.cwd.join(folder)));
    let listed = paths::var(PLUGIN_DIRS, launch, inputs);
    named.chain(listed.iter().flat_map(|list| listed_folders(list, inputs))).collect()
}

/// The folders of [`PLUGIN_DIRS`].
pub fn listed_folders(list: impl AsRef<OsStr>, inputs: &Inputs) -> Vec<PathBuf> {
    let list = list.as_ref().to_string_lossy();
    let folders = list.split(':').map(|folder| expanded(OsStr::new(folder), inputs));
    folders.filter(|folder| folder.is_absolute()).map(|folder| without_dots(&folder)).collect()
}

/// Without blanks around it, and with the home folder for `~`.
fn expanded(folder: &OsStr, inputs: &Inputs) -> PathBuf {
    let folder = folder.to_string_lossy();
    let folder = folder.trim_matches(is_space);
    match folder.strip_prefix('~') {
        Some(rest) => inputs.dirs.home.join(rest.trim_start_matches('/')),
        None => PathBuf::from(folder),
    }
}

fn folders(launch: &Launch, option: &str, takes_more: bool) -> Vec<OsString> {
    let mut folders = Vec::new();
    let mut is_value = false;
    for word in options(launch) {
        let text = word.to_string_lossy();
        let after = text.strip_prefix(option);
        if let Some(folder) = after.and_then(|rest| rest.strip_prefix('=')) {
            folders.push(folder.into());
            is_value = takes_more;
        } else if is_value && !text.starts_with('-') {
            folders.push(word.to_owned());
            is_value = takes_more;
        } else {
            is_value = after == Some("");
        }
    }
    folders
}
