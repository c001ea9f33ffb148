//! Folders of agent-run: private, the user's own, and not behind a link.
//!
//! All we write is below one of two bases, `agent-run` in the cache and in the state. A base may be a link of the
//! user's, as people move a cache to another disk. Below it there are only folders that we made, so a link in the
//! place of one is refused and not followed.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use anyhow::{Result, anyhow, bail};
use shims::{Dirs, Message, quote};

use super::io_error;
use crate::fs::me;

/// Help text for an unusable folder.
const ELSEWHERE: &str = "set XDG_CACHE_HOME and XDG_STATE_HOME to folders of your own";

/// The folders of agent-run that one launch has looked at, so that it looks at each once.
pub struct Folders<'a> {
    dirs: &'a Dirs,
    /// Compared as text: comparing paths part by part cost as much as all the rest of a warm launch's files.
    sound: BTreeSet<OsString>,
}

impl<'a> Folders<'a> {
    /// None looked at yet.
    pub fn of(dirs: &'a Dirs) -> Self {
        Self { dirs, sound: BTreeSet::new() }
    }

    /// The folders of the launch.
    pub fn dirs(&self) -> &'a Dirs {
        self.dirs
    }

    /// Has a folder looked at once more.
    pub fn forget(&mut self, path: &Path) {
        self.sound.remove(path.as_os_str());
    }

    /// Creates a folder of agent-run, and whatever of these is missing above it, with mode 0700. One that belongs to
    /// someone else, is a link, is no folder, or could be replaced by anyone is refused: what we write there could be
    /// read or turned elsewhere.
    pub fn private(&mut self, path: &Path) -> Result<()> {
        if self.sound.contains(path.as_os_str()) {
            return Ok(());
        }
        let bases = [&self.dirs.cache, &self.dirs.state].into_iter().filter(|base| base.is_absolute());
        let Some(below) = bases.into_iter().find_map(|base| path.strip_prefix(base).ok()) else {
            bail!("{} was not created by agent-run", path.display())
        };
        let depth = below.iter().count();
        let folders: Vec<&Path> = path.ancestors().take(1 + depth).collect();
        for (at, dir) in folders.into_iter().rev().enumerate() {
            if !self.sound.contains(dir.as_os_str()) {
                own_dir(dir, at == 0)?;
                self.sound.insert(dir.into());
            }
        }
        Ok(())
    }
}

/// Creates one folder of agent-run; see [`Folders::private`].
pub fn private_dir(path: &Path, dirs: &Dirs) -> Result<()> {
    Folders::of(dirs).private(path)
}

fn own_dir(dir: &Path, is_base: bool) -> Result<()> {
    let could_not_look = io_error("look at", dir);
    if is_base && let Some(above) = dir.parent() {
        nobody_replaces_what_is_in(above)?;
    }
    let itself = match fs::symlink_metadata(dir) {
        Ok(itself) => itself,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            match DirBuilder::new().mode(0o700).create(dir) {
                // Another launch may have been quicker; what it made is looked at like any other.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    fs::symlink_metadata(dir).map_err(could_not_look)?
                }
                made => return made.map_err(io_error("create", dir)),
            }
        }
        Err(error) => return Err(could_not_look(error)),
    };
    check_owner(dir, &itself)?;
    if itself.is_symlink() {
        return if is_base { check_symlink_target(dir) } else { Err(a_link(dir)) };
    }
    is_a_folder(dir, &itself)?;
    if itself.mode() & 0o077 != 0 {
        fs::set_permissions(dir, Permissions::from_mode(0o700)).map_err(io_error("make private", dir))?;
    }
    Ok(())
}

/// Whether the folder that a base leads to will do. It is the user's, so its mode is not ours to change.
fn check_symlink_target(link: &Path) -> Result<()> {
    let shown = link.display();
    let Ok(behind) = fs::metadata(link) else {
        bail!(Message::new(format!("{shown} is a broken link"), "remove it, or create its target folder"))
    };
    check_owner(link, &behind)?;
    is_a_folder(link, &behind)?;
    if behind.mode() & 0o077 != 0 {
        let folder = fs::canonicalize(link).unwrap_or_else(|_| link.to_owned());
        let help = format!("run `chmod 700 {}`", quote(folder.as_os_str()));
        bail!(Message::new(format!("{shown} points to a folder that other users can read"), help));
    }
    Ok(())
}

fn a_link(dir: &Path) -> anyhow::Error {
    anyhow!(Message::new(
        format!("{} is a symlink, and agent-run needs its own folder there", dir.display()),
        "remove the symlink; its target is not affected"
    ))
}

fn check_owner(dir: &Path, there: &Metadata) -> Result<()> {
    if there.uid() == me().as_raw() {
        return Ok(());
    }
    bail!(Message::new(
        format!("{} belongs to another user", dir.display()),
        format!("remove it, or {ELSEWHERE}")
    ))
}

fn is_a_folder(dir: &Path, there: &Metadata) -> Result<()> {
    if there.is_dir() {
        return Ok(());
    }
    bail!(Message::new(
        format!("{} is not a folder", dir.display()),
        "move it out of the way; agent-run stores its files there"
    ))
}

/// Refuses a folder in which everyone may put another in the place of agent-run's, between the look and the use.
fn nobody_replaces_what_is_in(above: &Path) -> Result<()> {
    const STICKY: u32 = 0o1000;
    let mode = match fs::metadata(above) {
        Ok(there) => there.mode(),
        Err(error) if error.kind() == ErrorKind::NotFound => return user_dir(above),
        Err(error) => return Err(io_error("look at", above)(error)),
    };
    if mode & 0o002 != 0 && mode & STICKY == 0 {
        bail!(Message::new(
            format!("every user can replace the files of agent-run in {}", above.display()),
            format!("run `chmod o-w {}`, or {ELSEWHERE}", quote(above.as_os_str()))
        ));
    }
    Ok(())
}

/// Creates a folder of the user's own if it is missing, private as a fresh home folder would be.
pub fn user_dir(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    make_own(path).map_err(io_error("create", path))
}

/// Makes a folder and those above it, for this user alone.
pub fn make_own(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_folders_of_ours_are_closed_and_files_in_their_place_refused() {
        let root = tempfile::tempdir().expect("a folder");
        let cache = root.path().join("cache/agent-run");
        let dirs = Dirs { cache, state: root.path().join("state/agent-run"), ..Dirs::default() };
        let mode = |path: &Path| fs::metadata(path).expect("there").mode() & 0o777;
        private_dir(&dirs.cache, &dirs).expect("created");
        fs::set_permissions(&dirs.cache, Permissions::from_mode(0o777)).expect("opened");
        private_dir(&dirs.cache, &dirs).expect("closed");
        assert_eq!(mode(&dirs.cache), 0o700);
        fs::write(dirs.cache.join("codex"), "").expect("written");
        let error = private_dir(&dirs.cache.join("codex/p"), &dirs).expect_err("a file stands there");
        assert!(crate::error::render(&error).contains("is not a folder\nhelp: "), "{error}");
        assert!(private_dir(Path::new("/elsewhere"), &dirs).is_err());
    }
}
