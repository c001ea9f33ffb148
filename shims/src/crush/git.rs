//! What git takes for a repository, and for the root of its work tree.

use std::ffi::OsStr;
use std::iter;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::{Entry, EntryKind, Fact, Inputs};

/// What must be known of a `.git` for the rest.
pub fn reads(git: PathBuf, inputs: &Inputs) -> impl Iterator<Item = PathBuf> {
    let is_needed = |entry: &&Entry| match entry.name.to_str() {
        Some("HEAD" | "config" | "config.worktree") => true,
        Some("objects" | "refs") => matches!(entry.kind, EntryKind::Link(_)),
        _ => false,
    };
    let within: Vec<_> = inputs.entries(&git).iter().filter(is_needed).map(|it| git.join(&it.name)).collect();
    let linked = linked_settings(&git, inputs);
    let entered = entered(&git, inputs).collect::<Vec<_>>();
    iter::once(git).chain(within).chain(linked).chain(entered)
}

/// What shows whether the folders can be entered that git must be able to enter, to take a `.git` for a repository.
fn entered<'a>(git: &'a Path, inputs: &'a Inputs) -> impl Iterator<Item = PathBuf> {
    let is_asked = |entry: &&Entry| entry.name == "objects" || entry.name == "refs";
    inputs.entries(git).iter().filter(is_asked).map(|entry| git.join(&entry.name).join("HEAD"))
}

/// Whether git may look further up although [`is_repository`] takes it for one.
pub fn may_be_passed_over(git: &Path, inputs: &Inputs) -> bool {
    entered(git, inputs).any(|path| inputs.is_unreadable(&path))
}

/// Where the settings are of the repository that a `.git` file names, and the file that names the folder of a part.
fn linked_settings(git: &Path, inputs: &Inputs) -> Vec<PathBuf> {
    let named = |folder: &Path, path: &[u8]| {
        // Git takes nothing else off the end.
        let end = path.iter().rposition(|byte| !b"\n\r".contains(byte)).map_or(0, |at| at + 1);
        folder.join(OsStr::from_bytes(&path[..end]))
    };
    let Some(Fact::File(text)) = inputs.fact(git) else { return Vec::new() };
    let (Some(path), Some(beside)) = (text.strip_prefix(b"gitdir: "), git.parent()) else {
        return Vec::new();
    };
    let folder = named(beside, path);
    let link = folder.join("commondir");
    let common = inputs.file(&link).ok().flatten().map(|path| named(&folder, path));
    let mut files = vec![link];
    for folder in iter::once(folder).chain(common) {
        files.extend(["config", "config.worktree"].map(|name| folder.join(name)));
    }
    files
}

/// Whether settings of the repository may say that the root of the work tree is another folder, as `core.worktree`
/// does. They count without what they include.
pub fn may_move_root(git: &Path, inputs: &Inputs) -> bool {
    let names_root = |file: &PathBuf| match inputs.file(file) {
        Ok(text) => text.is_some_and(names_worktree),
        Err(_) => true,
    };
    let names = inputs.entries(git).iter().filter_map(|entry| entry.name.to_str());
    let mut settings = names.clone().filter(|name| ["config", "config.worktree"].contains(name));
    names.clone().any(|name| name == "commondir")
        || settings.any(|name| names_root(&git.join(name)))
        || linked_settings(git, inputs).iter().any(names_root)
}

/// What says of a folder that is a repository itself, without a `.git`, where the root of its work tree is. A clone can
/// hold such a folder.
pub fn settings_within(folder: &Path) -> impl Iterator<Item = PathBuf> {
    // Without a word in `config`, git reads no `config.worktree`.
    ["commondir", "config"].into_iter().map(|name| folder.join(name))
}

/// Whether the folder may be one whose root is elsewhere. That it has a `HEAD` is not asked.
pub fn may_be_elsewhere(folder: &Path, inputs: &Inputs) -> bool {
    settings_within(folder).any(|path| match inputs.fact(&path) {
        Some(Fact::File(text)) => path.ends_with("commondir") || names_worktree(text),
        fact => matches!(fact, Some(Fact::Stream | Fact::Unreadable(_))),
    })
}

fn names_worktree(settings: &[u8]) -> bool {
    settings.to_ascii_lowercase().windows(8).any(|it| it == b"worktree")
}

/// Whether git takes a `.git` folder for a repository. If not, it looks further up (2.39).
pub fn is_repository(git: &Path, inputs: &Inputs) -> bool {
    let kind = |name: &str| inputs.entries(git).iter().find(|it| it.name == name).map(|it| &it.kind);
    let is_folder = |name: &str| match kind(name) {
        Some(EntryKind::Link(_)) => inputs.is_folder(&git.join(name)),
        kind => kind == Some(&EntryKind::Dir),
    };
    let is_head = match kind("HEAD") {
        // As it is written.
        Some(EntryKind::Link(target)) => target.as_os_str().as_bytes().starts_with(b"refs/"),
        _ => inputs.file(&git.join("HEAD")).ok().flatten().is_some_and(names_commit),
    };
    // With a `commondir`, the other two are elsewhere.
    is_head && is_folder("objects") && is_folder("refs") && kind("commondir").is_none()
}

/// Whether it is what git accepts in a `HEAD`: a reference, or the id of a commit.
fn names_commit(head: &[u8]) -> bool {
    // It reads no more than this (2.39).
    let head = &head[..head.len().min(255)];
    match head.strip_prefix(b"ref:") {
        Some(name) => {
            let start = name.iter().position(|byte| !b" \t\n\r".contains(byte));
            start.is_some_and(|at| name[at..].starts_with(b"refs/"))
        }
        None => head.len() >= 40 && head[..40].iter().all(u8::is_ascii_hexdigit),
    }
}
