//! The folders of probes and demos, and the removal of those that a killed one left.
//!
//! In each lies a file that is locked as long as the process that made the folder is there. What the agent starts does
//! not inherit it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::libc::{O_NOFOLLOW, O_NONBLOCK};
use shims::proxy::PROXY_VARIABLES;
use tempfile::TempDir;

use crate::env::Environment;
use crate::fs::me;

const LOCK: &str = ".agent-run.lock";

/// What a program needs of the user's environment to run at all.
const PASSED: [&str; 7] = ["LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "SHELL", "TERM", "USER"];

/// What an agent's program finds with its `home` and `tmp` in a folder of its own, and this proxy.
pub fn environment(
    folder: &Path,
    user: &Environment,
    program: &Path,
    proxy: &str,
) -> BTreeMap<OsString, OsString> {
    let passed = PASSED.iter().filter_map(|name| Some((OsString::from(name), user.var(name)?.to_owned())));
    let mut vars: BTreeMap<OsString, OsString> = passed.collect();
    vars.insert("HOME".into(), folder.join("home").into());
    vars.insert("TMPDIR".into(), folder.join("tmp").into());
    // The folder of the program too: its installer may have put it where no PATH leads.
    let path = user.path().into_iter().chain(program.parent().map(Path::to_owned));
    vars.insert("PATH".into(), std::env::join_paths(path).unwrap_or_default());
    vars.extend(PROXY_VARIABLES.map(|name| (name.into(), proxy.into())));
    vars
}

/// A provider of a config, for a provider inside this program. `key` is the line that says where its key is.
pub fn provider_entry(name: &str, url: &str, key: &str, model: &str, window: u64) -> String {
    format!(
        "  {name}: {{protocols: [anthropic, openai-responses, openai-chat-completions], base_urls: \
         {{anthropic: '{url}', openai: '{url}/v1'}}, {key}, default_model: {model}, models: \
         [{{id: {model}, context_window: {window}}}], model_api_filters: []}}\n"
    )
}

/// A folder that is removed at the end.
pub struct Scratch {
    folder: TempDir,
    _lock: File,
}

impl Scratch {
    /// Makes one in the folder `above`, and removes what processes that are gone left there under such names.
    pub fn make(prefix: &str, above: &Path) -> io::Result<Self> {
        remove_left(prefix, above);
        let folder = tempfile::Builder::new().prefix(prefix).tempdir_in(above)?;
        // Locked before it has its name: whoever sees it unlocked may remove the folder.
        let (fresh, path) = (folder.path().join(".agent-run.new"), folder.path().join(LOCK));
        let lock = File::options().write(true).create_new(true).mode(0o600).open(&fresh)?;
        // On a file system without locks the folder stays when this process is killed.
        if lock.try_lock().is_ok() {
            fs::rename(fresh, path)?;
        }
        Ok(Self { folder, _lock: lock })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What an agent has left running may still write there, and `tempfile` tries it once.
        super::remove(self.folder.path());
    }
}

/// Removes the folders in `above` that begin so and whose processes are gone.
pub fn remove_left(prefix: &str, above: &Path) {
    let entries = fs::read_dir(above).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(prefix.as_bytes())) {
        let path = entry.path();
        let is_mine =
            fs::symlink_metadata(&path).is_ok_and(|there| there.is_dir() && there.uid() == me().as_raw());
        if is_mine && is_left(&path) {
            _ = fs::remove_dir_all(&path);
        }
    }
}

/// Whether the process that made the folder is there.
pub fn is_in_use(folder: &Path) -> bool {
    folder.join(LOCK).exists() && !is_left(folder)
}

/// Whether a process made the folder that is gone.
fn is_left(folder: &Path) -> bool {
    let options = || File::options().read(true).custom_flags(O_NOFOLLOW | O_NONBLOCK).open(folder.join(LOCK));
    options().is_ok_and(|lock| lock.metadata().is_ok_and(|it| it.is_file()) && lock.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_processes_that_are_gone_are_removed() {
        let above = tempfile::tempdir().expect("a folder");
        let put = |name: &str, file: &str| {
            let folder = above.path().join(name);
            fs::create_dir(&folder).expect("a folder");
            fs::write(folder.join(file), "").expect("a file");
            folder
        };
        let (left, other, users) = (put("it-left", LOCK), put("at-left", LOCK), put("it-users", "file"));
        let elsewhere = put("elsewhere", LOCK);
        std::os::unix::fs::symlink(&elsewhere, above.path().join("it-link")).expect("a link");
        let running = Scratch::make("it-", above.path()).expect("made");
        assert!(!left.exists());
        let second = Scratch::make("it-", above.path()).expect("made");
        for stays in [&other, &users, &elsewhere, running.path(), second.path()] {
            assert!(stays.is_dir(), "{}", stays.display());
        }
        let path = running.path().to_owned();
        drop(running);
        assert!(!path.exists() && second.path().is_dir());
    }
}
