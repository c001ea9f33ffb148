//! What the user's words name. Nothing is changed in them.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// The folders that `-C` and `--cd` name, however they are written. A word that only looks so counts too: a
/// folder too many is looked into and no more.
pub fn folders<'a>(words: impl IntoIterator<Item = &'a OsStr>) -> Vec<OsString> {
    let mut words = words.into_iter().peekable();
    let mut folders = Vec::new();
    while let Some(word) = words.next() {
        let bytes = word.as_bytes();
        let attached = bytes.strip_prefix(b"--cd=").or_else(|| bytes.strip_prefix(b"-C"));
        match attached {
            _ if word == "-C" || word == "--cd" => folders.extend(words.peek().map(|it| (*it).to_owned())),
            Some(folder) => {
                let folder = folder.strip_prefix(b"=").unwrap_or(folder);
                folders.push(OsStr::from_bytes(folder).to_owned());
            }
            None => {}
        }
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_the_folder_is_found() {
        for words in ["-C /x", "exec --cd /x hi", "exec --cd=/x", "-C/x resume", "-C=/x", "-m m -C /x"] {
            assert_eq!(folders(words.split_whitespace().map(OsStr::new)), ["/x"], "{words}");
        }
        for words in ["", "-c a=1", "--cdx /x", "hello", "-C"] {
            assert!(folders(words.split_whitespace().map(OsStr::new)).is_empty(), "{words}");
        }
    }
}
