//! The manual: the pages in `man/`, which packages install without running this, and `agent-run help --man` writes.
//!
//! The tests in `tests/it/manual` make them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::fs::atomic::publish;

/// A page's folder, its file name, and its text.
pub const PAGES: [(&str, &str, &str); 2] = [
    ("man1", "agent-run.1", include_str!("../man/agent-run.1")),
    ("man5", "agent-run-config.5", include_str!("../man/agent-run-config.5")),
];

/// Writes the pages below `dir`, where `man` looks for a folder a section; returns their paths.
pub fn write(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    for (section, name, page) in PAGES {
        let folder = dir.join(section);
        std::fs::create_dir_all(&folder).with_context(|| format!("could not create {}", folder.display()))?;
        let path = folder.join(name);
        publish(&path, page.as_bytes()).with_context(|| format!("could not write {}", path.display()))?;
        written.push(path);
    }
    Ok(written)
}

/// Whether `man` looks in `dir` by itself. man-db 2.11 and the `man` of FreeBSD and macOS look beside each folder of
/// PATH: for `~/.local/bin`, in `~/.local/share/man` and `~/.local/man`. A MANPATH replaces these folders, except where
/// it has an empty entry.
pub fn is_searched(dir: &Path, path: &[PathBuf], manpath: Option<&OsStr>) -> bool {
    let listed: Vec<_> = manpath.into_iter().flat_map(std::env::split_paths).collect();
    if listed.iter().any(|entry| entry == dir) {
        return true;
    }
    if !listed.is_empty() && listed.iter().all(|entry| !entry.as_os_str().is_empty()) {
        return false;
    }
    let beside = |bin: &PathBuf| {
        bin.parent().is_some_and(|above| {
            [above.join("share/man"), above.join("man")].iter().any(|searched| searched == dir)
        })
    };
    path.iter().any(beside)
}
