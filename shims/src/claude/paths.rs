//! The files that Claude Code opens and this adapter must look at (seen in 2.1.197 and 2.1.332).

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::argv;
use super::source::is_space;
use crate::inputs::without_dots;
use crate::judged::claude::{PLACE_READ, PLACE_READ_OF_SYSTEM};
use crate::{Fact, Inputs, Launch, Message, Part};

/// What administrators impose; it beats every other settings file and every argument.
const POLICY: &str =
    if cfg!(target_os = "macos") { "/Library/Application Support/ClaudeCode" } else { "/etc/claude-code" };

/// The settings files by what `--setting-sources` calls them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SettingsKind {
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
    let named = || var("CLAUDE_CONFIG_DIR", launch, inputs).map(|dir| inputs.dirs.cwd.join(dir));
    isolated(launch, inputs).or_else(named)
}

/// Refuses folders whose names are not UTF-8: Claude Code replaces what is not, and so reads others (2.1.197 and
/// 2.1.332).
///
/// # Errors
/// When there is one.
pub fn check(launch: &Launch, inputs: &Inputs) -> Result<()> {
    let (dirs, own) = (&inputs.dirs, "Claude Code would use another folder");
    let moved = moved(launch, inputs);
    let home = ("set HOME to a folder with a UTF-8 name", dirs.home.as_path());
    let settings =
        moved.as_deref().map_or(home, |dir| ("set CLAUDE_CONFIG_DIR to one with a UTF-8 name", dir));
    let cache = ("set XDG_CACHE_HOME to a folder with a UTF-8 name", dirs.cache.as_path());
    let here = ("start it in a folder with a UTF-8 name", dirs.cwd.as_path());
    match [home, settings, cache, here].into_iter().find(|(_, path)| path.to_str().is_none()) {
        Some((help, path)) => bail!(Message::new(format!("{}: not UTF-8, so {own}", path.display()), help)),
        None => Ok(()),
    }
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

/// The user's, the project's and the local settings that may be there, weakest first. The local ones are taken from the
/// root of the git repository too, which for a linked worktree is the main checkout (2.1.332). The project's there and
/// those of `--add-dir` are opened, and their variables and hooks are not taken; they are looked at all the same.
pub fn settings(
    launch: &Launch,
    inputs: &Inputs,
    repository: &Repository<'_>,
) -> Vec<(SettingsKind, PathBuf)> {
    let users = config_dirs(launch, inputs);
    let mut folders = argv::added_folders(launch, inputs);
    for folder in repository.roots.iter().chain([&inputs.dirs.cwd]) {
        folders.retain(|other| other != folder);
        folders.push(folder.clone());
    }
    let mut projects: Vec<PathBuf> = Vec::new();
    for folder in folders.into_iter().map(|folder| folder.join(".claude")) {
        // In the home folder the user's and the project's are one file.
        if !inputs.is_absent(&folder) && !is_users(&folder, &users, inputs) && !projects.contains(&folder) {
            projects.push(folder);
        }
    }
    // The user's local ones are opened wherever the session runs (2.1.332).
    let mut files = Vec::new();
    for (other, folders) in [(SettingsKind::User, &users), (SettingsKind::Project, &projects)] {
        for name in PLACE_READ.iter().filter_map(|place| place.strip_prefix(".claude/")) {
            let kind = if name.contains(".local.") { SettingsKind::Local } else { other };
            let there = folders.iter().filter(|folder| may_hold(folder, name, inputs));
            files.extend(there.map(|folder| (kind, folder.join(name))));
        }
    }
    files
}

/// Whether a folder is one of the `users`, maybe by another name.
pub fn is_users(folder: &Path, users: &[PathBuf], inputs: &Inputs) -> bool {
    users.iter().any(|own| inputs.is_same(folder, own))
}

/// Whether there may be something of this name in a folder: all but what is missing in its list, where that was read.
/// Where case makes no difference to the system, it makes none in the list; nobody knows which other letters it takes
/// for the same, so that a list with such letters says nothing.
pub fn may_hold(folder: &Path, name: impl AsRef<OsStr>, inputs: &Inputs) -> bool {
    match inputs.fact(folder) {
        None | Some(Fact::Unreadable(_)) => true,
        Some(Fact::Dir(entries)) => {
            entries.iter().any(|entry| entry.name.eq_ignore_ascii_case(&name) || !entry.name.is_ascii())
        }
        Some(Fact::Absent | Fact::File(_) | Fact::Stream) => false,
    }
}

/// What says where the git repository is, but for the file that [`Repository::of`] finds by it.
pub fn git_files(inputs: &Inputs) -> impl Iterator<Item = PathBuf> {
    inputs.dirs.cwd.ancestors().map(|folder| folder.join(".git"))
}

/// The git repository around the working folder, as far as it is known.
pub struct Repository<'a> {
    /// Whether it was looked for wherever it may be.
    pub is_known: bool,
    /// The innermost folder with a `.git` in it.
    top: Option<&'a Path>,
    /// Where that `.git` is a file: the one that leads from where it points to the main checkout.
    pub common: Option<PathBuf>,
    /// The root of the working folder's checkout, and of the main one where that is another.
    roots: Vec<PathBuf>,
}

impl<'a> Repository<'a> {
    /// As the facts show it.
    pub fn of(inputs: &'a Inputs) -> Self {
        let mut is_known = true;
        let found = inputs.dirs.cwd.ancestors().find_map(|folder| match inputs.fact(&folder.join(".git")) {
            Some(Fact::Dir(_)) => Some((folder, None)),
            Some(Fact::File(bytes)) => {
                let text = String::from_utf8_lossy(bytes);
                let link = text.trim_matches(is_space).strip_prefix("gitdir:")?.trim_start_matches(is_space);
                Some((folder, Some(without_dots(&folder.join(link)).join("commondir"))))
            }
            Some(Fact::Absent | Fact::Stream | Fact::Unreadable(_)) => None,
            None => {
                is_known = false;
                None
            }
        });
        let Some((top, common)) = found else {
            return Self { is_known, top: None, common: None, roots: Vec::new() };
        };
        let main = common.as_deref().and_then(|common| {
            let bytes = inputs.file(common).ok()??;
            let text = String::from_utf8_lossy(bytes);
            let folder = without_dots(&common.parent()?.join(text.trim_matches(is_space)));
            folder.parent().map(Path::to_owned)
        });
        let roots = main.into_iter().chain([top.to_owned()]).collect();
        Self { is_known, top: Some(top), common, roots }
    }

    /// The folders whose `.claude` may hold a project's skills, commands and agents: the working folder and those above
    /// it, up to the root of the git repository, and the main checkout of a linked worktree.
    pub fn folders(&self, inputs: &Inputs) -> Vec<PathBuf> {
        let is_home = |folder: &Path| inputs.is_same(folder, &inputs.dirs.home);
        let mut folders = Vec::new();
        for folder in inputs.dirs.cwd.ancestors().filter(|folder| !is_home(folder)) {
            folders.push(folder.to_owned());
            if Some(folder) == self.top {
                break;
            }
        }
        for folder in &self.roots {
            if !folders.contains(folder) && !is_home(folder) {
                folders.push(folder.clone());
            }
        }
        folders
    }
}

/// The folder of everything that administrators impose, which most machines do not have.
pub fn policy_folder() -> PathBuf {
    POLICY.into()
}

/// The files and folders in it that are named so.
fn of_administrators(part: &str) -> impl Iterator<Item = PathBuf> {
    let names = PLACE_READ_OF_SYSTEM.iter().filter_map(|name| name.strip_prefix("claude-code/"));
    names.filter(move |name| name.contains(part)).map(|name| Path::new(POLICY).join(name))
}

/// The policy files, and the folders of further ones with what is known of their files.
pub fn policies(inputs: &Inputs) -> Vec<PathBuf> {
    if inputs.is_absent(Path::new(POLICY)) {
        return Vec::new();
    }
    let is_policy = |entry: &&crate::Entry| {
        let name = entry.name.to_string_lossy();
        name.ends_with(".json") && !name.starts_with('.')
    };
    let with_files = |path: PathBuf| {
        let files = inputs.entries(&path).iter().filter(is_policy).map(|entry| path.join(&entry.name));
        files.collect::<Vec<_>>().into_iter().chain([path])
    };
    of_administrators("settings").flat_map(with_files).collect()
}

/// What of the administrators' may be there and is to be read.
pub fn administrators(inputs: &Inputs) -> impl Iterator<Item = PathBuf> {
    let servers = (!inputs.is_absent(Path::new(POLICY))).then(managed_servers).into_iter().flatten();
    let may_be_there = |path: &PathBuf| match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => may_hold(folder, name, inputs),
        _ => true,
    };
    policies(inputs).into_iter().chain(servers).filter(may_be_there)
}

/// The MCP servers that an administrator gives to everyone.
pub fn managed_servers() -> impl Iterator<Item = PathBuf> {
    of_administrators("mcp")
}
