//! Whole folders: did anything change, and is the key in any file.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Every entry below a folder, with what a change of it would show.
#[derive(Debug, Eq, PartialEq)]
pub struct Tree(BTreeMap<PathBuf, (u32, Vec<u8>)>);

impl Tree {
    /// The folder as it is: modes, link targets and contents.
    pub fn of(root: &Path) -> Self {
        let mut entries = BTreeMap::new();
        walk(root, &mut |path, metadata| {
            let content = if metadata.is_symlink() {
                fs::read_link(path).unwrap().as_os_str().as_bytes().to_vec()
            } else if metadata.is_file() {
                fs::read(path).unwrap_or_default()
            } else {
                Vec::new()
            };
            entries.insert(path.to_owned(), (metadata.mode(), content));
        });
        Self(entries)
    }

    /// Asserts that nothing that was there is gone or different. New entries are allowed.
    #[track_caller]
    pub fn is_unharmed(&self, root: &Path) {
        let now = Self::of(root);
        for (path, was) in &self.0 {
            let is = now.0.get(path).unwrap_or_else(|| panic!("{} is gone", path.display()));
            assert_eq!(was.0, is.0, "mode of {}", path.display());
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            assert_eq!(text(&was.1), text(&is.1), "{}", path.display());
        }
    }
}

/// The files below a folder that hold these bytes, links not followed.
pub fn files_holding(root: &Path, needle: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(root, &mut |path, metadata| {
        let holds = |bytes: &[u8]| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
        if metadata.is_file() && fs::read(path).is_ok_and(|bytes| holds(&bytes)) {
            found.push(path.to_owned());
        }
    });
    found
}

fn walk(root: &Path, visit: &mut dyn FnMut(&Path, &fs::Metadata)) {
    let Ok(metadata) = fs::symlink_metadata(root) else { return };
    visit(root, &metadata);
    if metadata.is_dir() {
        let Ok(entries) = fs::read_dir(root) else { return };
        for entry in entries.flatten() {
            walk(&entry.path(), visit);
        }
    }
}
