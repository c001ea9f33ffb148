//! The files that Claude Code opens and this adapter must look at (seen in 2.1.197 and 2.1.332).

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::argv;
use crate::{Fact, Inputs, Launch, Part};

/// What administrators impose; it beats every other settings file and every argument.
const POLICY: &str =
    if cfg!(target_os = "macos") { "/Library/Application Support/ClaudeCode" } else { "/etc/claude-code" };

/// The settings files by what `--setting-sources` calls them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    User,
    Project,
    Local,
}

/// The variable as the agent will see it: the config's `extra_env` has the last word.
pub fn var(name: &str, launch: &Launch, inputs: &Inputs) -> Option<OsString> {
    let Some(value) = launch.extra_env.get(name) else { return inputs.var(name).map(OsString::from) };
    let mut seen = OsString::new();
    for part in value.parts() {
        match part {
            Part::Text(text) => seen.push(text),
            Part::Env(name) => seen.push(inputs.var(name).unwrap_or_default()),
            Part::Key => return None,
        }
    }
    Some(seen).filter(|seen| !seen.is_empty())
}

/// The folder of an isolated provider, with a login, settings, sessions and skills of its own.
pub fn isolated(launch: &Launch, inputs: &Inputs) -> Option<PathBuf> {
    let is_users = launch.extra_env.contains_key("CLAUDE_CONFIG_DIR");
    (launch.isolated && !is_users).then(|| launch.folder(&inputs.dirs.state, "claude"))
}

/// `CLAUDE_CONFIG_DIR`, which moves everything; a relative one counts from the working folder.
fn moved(launch: &Launch, inputs: &Inputs) -> Option<PathBuf> {
    isolated(launch, inputs).or_else(|| moved_by_variable(launch, inputs))
}

fn moved_by_variable(launch: &Launch, inputs: &Inputs) -> Option<PathBuf> {
    var("CLAUDE_CONFIG_DIR", launch, inputs).map(|dir| inputs.dirs.cwd.join(dir))
}

/// The folder of the user's settings. Claude Code composes the path's accents into single characters (NFC); the path
/// as it is given comes second where that makes a difference.
pub fn config_dirs(launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
    composed_first(moved(launch, inputs), inputs)
}

/// The same for a launch that says nothing about it.
pub fn inherited_config_dirs(inputs: &Inputs) -> Vec<PathBuf> {
    composed_first(inputs.var("CLAUDE_CONFIG_DIR").map(|dir| inputs.dirs.cwd.join(dir)), inputs)
}

fn composed_first(moved: Option<PathBuf>, inputs: &Inputs) -> Vec<PathBuf> {
    let given = moved.unwrap_or_else(|| inputs.dirs.home.join(".claude"));
    let composed = given.to_str().filter(|text| !is_nfc(text)).map(|text| text.nfc().collect::<String>());
    composed.map(PathBuf::from).into_iter().chain([given]).collect()
}

/// The files that may hold Claude Code's own state: the one of old versions, which wins where it exists,
/// and the usual one.
pub fn state_files(launch: &Launch, inputs: &Inputs) -> [PathBuf; 2] {
    let custom = var("CLAUDE_CODE_CUSTOM_OAUTH_URL", launch, inputs).is_some();
    let name = if custom { ".claude-custom-oauth.json" } else { ".claude.json" };
    let folder = moved(launch, inputs).unwrap_or_else(|| inputs.dirs.home.clone());
    let old = config_dirs(launch, inputs).swap_remove(0);
    [old.join(".config.json"), folder.join(name)]
}

/// The user's, the project's and the local settings, weakest first. The local ones are taken from the root of the git
/// repository too, which for a linked worktree is the main checkout (2.1.332). The project's there and those of
/// `--add-dir` are opened, and their variables and hooks are not taken; they are looked at all the same.
pub fn settings(launch: &Launch, inputs: &Inputs) -> Vec<(Kind, PathBuf)> {
    let users = config_dirs(launch, inputs);
    let mut files: Vec<_> = users.iter().map(|dir| (Kind::User, dir.join("settings.json"))).collect();
    // Opened wherever the session runs (2.1.332).
    files.extend(users.iter().map(|dir| (Kind::Local, dir.join("settings.local.json"))));
    let mut folders = argv::added_folders(launch, inputs);
    for folder in git_roots(inputs).into_iter().chain([inputs.dirs.cwd.clone()]) {
        folders.retain(|other| *other != folder);
        folders.push(folder);
    }
    for (kind, name) in [(Kind::Project, "settings.json"), (Kind::Local, "settings.local.json")] {
        for file in folders.iter().map(|folder| folder.join(".claude").join(name)) {
            // In the home folder the user's and the project's are one file.
            if files.iter().all(|(_, other)| *other != file) {
                files.push((kind, file));
            }
        }
    }
    files
}

/// Whether there may be something at a path: all but what is missing in the list of its folder, where that was read.
/// Where case makes no difference to the system, it makes none in the list; nobody knows which other letters it takes
/// for the same, so that a list with such letters says nothing.
pub fn may_be_there(path: &Path, inputs: &Inputs) -> bool {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return true };
    match inputs.fact(folder) {
        None | Some(Fact::Unreadable(_)) => true,
        Some(Fact::Dir(entries)) => {
            entries.iter().any(|entry| entry.name.eq_ignore_ascii_case(name) || !entry.name.is_ascii())
        }
        Some(Fact::Absent | Fact::File(_) | Fact::Stream) => false,
    }
}

/// What says where the git repository is.
pub fn git_files(inputs: &Inputs) -> Vec<PathBuf> {
    let mut files: Vec<_> = inputs.dirs.cwd.ancestors().map(|folder| folder.join(".git")).collect();
    files.extend(git_folder(inputs).and_then(|(_, link)| link).map(|link| link.join("commondir")));
    files
}

/// The innermost folder with a `.git` in it, and where that leads if it is a file.
fn git_folder(inputs: &Inputs) -> Option<(&Path, Option<PathBuf>)> {
    inputs.dirs.cwd.ancestors().find_map(|folder| match inputs.fact(&folder.join(".git"))? {
        Fact::Dir(_) => Some((folder, None)),
        Fact::File(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            Some((folder, Some(plain(&folder.join(text.trim().strip_prefix("gitdir:")?.trim_start())))))
        }
        _ => None,
    })
}

/// The root of the working folder's checkout, and of the main one where that is another.
fn git_roots(inputs: &Inputs) -> Vec<PathBuf> {
    let Some((folder, link)) = git_folder(inputs) else { return Vec::new() };
    let common = link.and_then(|link| {
        let bytes = inputs.file(&link.join("commondir")).ok()??;
        Some(plain(&link.join(String::from_utf8_lossy(bytes).trim())))
    });
    let main = common.and_then(|common| common.parent().map(Path::to_owned));
    main.into_iter().chain([folder.to_owned()]).collect()
}

/// The path without `.` and `..`.
pub fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// The folders whose `.claude` may hold a project's skills, commands and agents: the working folder and those above it,
/// up to the root of the git repository, and the main checkout of a linked worktree.
pub fn project_folders(inputs: &Inputs) -> Vec<PathBuf> {
    let top = git_folder(inputs).map(|(folder, _)| folder);
    let mut folders = Vec::new();
    for folder in inputs.dirs.cwd.ancestors().filter(|folder| *folder != inputs.dirs.home) {
        folders.push(folder.to_owned());
        if Some(folder) == top {
            break;
        }
    }
    for folder in git_roots(inputs) {
        if !folders.contains(&folder) && folder != inputs.dirs.home {
            folders.push(folder);
        }
    }
    folders
}

/// The folder of everything that administrators impose, which most machines do not have.
pub fn policy_folder() -> PathBuf {
    POLICY.into()
}

/// The policy file, and the folder of further ones with what is known of its files.
pub fn policies(inputs: &Inputs) -> Vec<PathBuf> {
    let folder = Path::new(POLICY).join("managed-settings.d");
    let is_policy = |entry: &&crate::Entry| {
        let name = entry.name.to_string_lossy();
        name.ends_with(".json") && !name.starts_with('.')
    };
    let files = inputs.entries(&folder).iter().filter(is_policy).map(|entry| folder.join(&entry.name));
    let mut paths = vec![Path::new(POLICY).join("managed-settings.json")];
    paths.extend(files);
    paths.push(folder);
    paths
}

/// The MCP servers that an administrator gives to everyone.
pub fn managed_servers() -> PathBuf {
    Path::new(POLICY).join("managed-mcp.json")
}
