//! What was read, by path.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::Fact;

/// Facts by path. Two paths are the same when their parts are, as in [`Path`]; it is the bytes that are compared,
/// since taking paths apart at each look was a fifth of a launch's planning.
#[derive(Clone, Debug, Default)]
pub struct Facts(BTreeMap<OsString, Fact>);

impl Facts {
    /// What was found at `path`.
    pub fn get(&self, path: &Path) -> Option<&Fact> {
        // Every key is plain, so what is found as it is written needs no second look.
        self.0
            .get(path.as_os_str())
            .or_else(|| if is_plain(path) { None } else { self.0.get(&rewritten(path)) })
    }

    /// Keeps what was found at `path`.
    pub fn insert(&mut self, path: PathBuf, fact: Fact) -> Option<Fact> {
        self.0.insert(key(path), fact)
    }

    /// The entry of `path`.
    #[cfg(test)]
    pub fn entry(&mut self, path: PathBuf) -> std::collections::btree_map::Entry<'_, OsString, Fact> {
        self.0.entry(key(path))
    }

    /// Everything, in the order of the paths' bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &Fact)> {
        self.0.iter().map(|(path, fact)| (Path::new(path), fact))
    }
}

#[cfg(test)]
impl Extend<(PathBuf, Fact)> for Facts {
    fn extend<T: IntoIterator<Item = (PathBuf, Fact)>>(&mut self, facts: T) {
        self.0.extend(facts.into_iter().map(|(path, fact)| (key(path), fact)));
    }
}

#[cfg(test)]
impl FromIterator<(PathBuf, Fact)> for Facts {
    fn from_iter<T: IntoIterator<Item = (PathBuf, Fact)>>(facts: T) -> Self {
        let mut all = Self::default();
        all.extend(facts);
        all
    }
}

#[cfg(test)]
impl<const N: usize> From<[(PathBuf, Fact); N]> for Facts {
    fn from(facts: [(PathBuf, Fact); N]) -> Self {
        facts.into_iter().collect()
    }
}

/// The path's bytes, where the same path could not be written in another way.
fn key(path: PathBuf) -> OsString {
    if is_plain(&path) { path.into_os_string() } else { rewritten(&path) }
}

fn rewritten(path: &Path) -> OsString {
    path.components().collect::<PathBuf>().into_os_string()
}

/// Whether the path has no `//`, no `/.` before another part, and no `/` at its end.
fn is_plain(path: &Path) -> bool {
    let bytes = path.as_os_str().as_encoded_bytes();
    let mut before = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if before == b'/' && (byte == b'/' || byte == b'.' && matches!(bytes.get(at + 1), None | Some(b'/')))
        {
            return false;
        }
        before = byte;
    }
    before != b'/' || bytes.len() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_the_same_parts_are_the_same() {
        let paths = [
            "/", "//", "/a", "/a/", "//a", "/./a", "/a/.", "/a/./b", "/a//b", "/a/b", "/a/.b", "/a/..", "a",
            "./a", ".",
        ];
        for one in paths {
            let facts = Facts::from([(one.into(), Fact::Absent)]);
            for other in paths {
                let is_same = Path::new(one) == Path::new(other);
                assert_eq!(facts.get(Path::new(other)).is_some(), is_same, "{one} {other}");
            }
        }
    }
}
