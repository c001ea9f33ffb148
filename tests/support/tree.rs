//! Whole folders: did anything change, and is the key in any file.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use nix::sys::stat::SFlag;

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

    /// Every entry: its path, its mode and what it holds.
    pub fn entries(&self) -> impl Iterator<Item = (&Path, (u32, &[u8]))> {
        self.0.iter().map(|(path, (mode, content))| (path.as_path(), (*mode, content.as_slice())))
    }

    /// What stands at a path: its mode and what it holds.
    pub fn at(&self, path: &Path) -> Option<(u32, &[u8])> {
        self.0.get(path).map(|(mode, content)| (*mode, content.as_slice()))
    }

    /// Makes the folder as it was; whatever else is below it goes.
    pub fn restore(&self, root: &Path) {
        if let Ok(entries) = fs::read_dir(root) {
            for entry in entries.flatten() {
                let is_folder = entry.file_type().unwrap().is_dir();
                let gone = if is_folder { fs::remove_dir_all } else { fs::remove_file::<PathBuf> };
                gone(entry.path()).unwrap();
            }
        }
        for (path, (mode, content)) in self.0.iter().filter(|(path, _)| *path != root) {
            match SFlag::from_bits_truncate(*mode) & SFlag::S_IFMT {
                SFlag::S_IFDIR => fs::create_dir(path).unwrap(),
                SFlag::S_IFLNK => {
                    symlink(OsStr::from_bytes(content), path).unwrap();
                    continue;
                }
                _ => fs::write(path, content).unwrap(),
            }
            fs::set_permissions(path, Permissions::from_mode(mode & 0o7777)).unwrap();
        }
    }

    /// Asserts that both are the same, and shows what is not.
    #[track_caller]
    pub fn is_same_as(&self, other: &Self, what: &str) {
        let show = |found: Option<(u32, &[u8])>| {
            found.map(|(mode, bytes)| format!("{mode:o} {}", String::from_utf8_lossy(bytes)))
        };
        for path in self.0.keys().chain(other.0.keys()) {
            assert_eq!(show(self.at(path)), show(other.at(path)), "{what}: {}", path.display());
        }
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
