//! A file or a link replaced in one step, with nothing left behind by a process that is killed meanwhile.
//!
//! The new file is written beside the old one and renamed over it, so that a reader sees the one or the
//! other. Its temporary name follows from the file's own and is locked by its writer: whoever comes at the
//! same time waits, and what a killed writer left is used up by the next one instead of piling up. The lock
//! also makes a change of what is read under it safe from other launches.
//!
//! tempfile's `TempPath` renames and removes it. Its `NamedTempFile` would also name it, but with a name made up
//! each time (3.27): of 20 writers that are killed 20 files stay, and nothing keeps two writers apart.
//!
//! Folders are made, and modes and owners decided, by the caller.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown, symlink};
use std::path::{Path, PathBuf};

use nix::libc::{O_NOFOLLOW, O_NONBLOCK};
use tempfile::TempPath;

use crate::fs::waiting;

/// Maximum number of foreign temporary files to remove before giving up.
const REMOVALS: usize = 3;

/// A locked temporary file that replaces the target on commit and is deleted on drop.
pub struct AtomicFile {
    // Before the lock, so that it is removed while the lock is held.
    fresh: TempPath,
    file: File,
    target: PathBuf,
}

impl AtomicFile {
    /// Waits for other writers of `target`, and begins. The folder must be there. On a file system without locks it
    /// begins at once, under a name of this process's.
    pub fn open(target: &Path) -> io::Result<Self> {
        let mut fresh = beside(target, "new");
        let mut is_alone = false;
        let mut removals = 0;
        loop {
            let file = match open(&fresh) {
                Err(error) if error.kind() == ErrorKind::PermissionDenied && make_writable(&fresh) => {
                    continue;
                }
                // A link, or what only root could have made unwritable.
                Err(error)
                    if fs::symlink_metadata(&fresh).is_ok_and(|there| !there.is_dir() && !sound(&there)) =>
                {
                    remove(&fresh, &mut removals, error)?;
                    continue;
                }
                opened => opened?,
            };
            let is_locked = waiting::lock(&file, &fresh).inspect_err(|error| {
                // Nobody is writing it, and it shall not stay.
                if error.kind() != ErrorKind::TimedOut && file.metadata().is_ok_and(|ours| ours.len() == 0) {
                    _ = fs::remove_file(&fresh);
                }
            })?;
            if !is_locked && !is_alone {
                // Without locks two writers must not share a name.
                if file.metadata().is_ok_and(|ours| ours.len() == 0) {
                    _ = fs::remove_file(&fresh);
                }
                fresh = beside(target, &format!("new-{}", std::process::id()));
                is_alone = true;
                continue;
            }
            let (ours, there) = (file.metadata()?, fs::symlink_metadata(&fresh));
            // Whoever held the lock before has renamed it, or removed it.
            if !there.is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino())) {
                continue;
            }
            if !sound(&ours) {
                remove(&fresh, &mut removals, ErrorKind::AlreadyExists.into())?;
                continue;
            }
            let replacement =
                Self { fresh: TempPath::try_from_path(fresh)?, file, target: target.to_owned() };
            if ours.len() > 0 {
                replacement.file.set_len(0)?;
            }
            return Ok(replacement);
        }
    }

    /// Writes the content, with this mode.
    pub fn write(&mut self, contents: &[u8], mode: u32) -> io::Result<()> {
        self.file.write_all(contents)?;
        self.file.set_permissions(Permissions::from_mode(mode))
    }

    /// The new file, for content that is not held as a whole; [`AtomicFile::write`] then ends it.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Writes the content of a file of the user's, and syncs it to disk; with the mode of the
    /// file that is there, and its owner where that may be given.
    pub fn write_preserving_metadata(&mut self, contents: &[u8], there: Option<&Metadata>) -> io::Result<()> {
        if let Some(there) = there {
            let ours = self.file.metadata()?;
            if (there.uid(), there.gid()) != (ours.uid(), ours.gid()) {
                _ = fchown(&self.file, Some(there.uid()), Some(there.gid()));
            }
        }
        self.write(contents, there.map_or(0o600, |there| there.permissions().mode() & 0o7777))?;
        self.sync()
    }

    /// Has the content on the disk before the file takes the target's place.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Takes the target's place. If it cannot, the target stays as it was.
    pub fn commit(self) -> io::Result<()> {
        self.fresh.persist(&self.target).map_err(|error| error.error)
    }

    /// Takes the target's place, and keeps the temporary name until it is dropped: that shows that the work is not
    /// done. If it cannot, as on a file system without hard links, the target stays as it was.
    pub fn link(&self) -> io::Result<()> {
        let second = beside(&self.target, "link");
        _ = fs::remove_file(&second);
        fs::hard_link(&self.fresh, &second)?;
        fs::rename(&second, &self.target).inspect_err(|_| _ = fs::remove_file(&second))
    }

    /// Takes the target's place unless something stands there; says whether it did.
    pub fn commit_new(self) -> io::Result<bool> {
        match self.fresh.persist_noclobber(&self.target).map_err(|error| error.error) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            done => done.map(|()| true),
        }
    }
}

/// Puts a file that everyone may read in its place, as a package would; a link there is replaced.
pub fn publish(target: &Path, contents: &[u8]) -> io::Result<()> {
    replace(target, contents, 0o644)
}

/// Puts a file with this content and mode in its place, whole; a link there is replaced. If that fails, what stood
/// there stays.
pub fn replace(target: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    let mut fresh = AtomicFile::open(target)?;
    fresh.write(contents, mode)?;
    fresh.commit()
}

/// Puts a file for this user alone in its place, synced to disk, unless something is there; says whether it did.
pub fn create(target: &Path, contents: &[u8]) -> io::Result<bool> {
    let mut fresh = AtomicFile::open(target)?;
    fresh.write_preserving_metadata(contents, None)?;
    fresh.commit_new()
}

fn open(fresh: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.custom_flags(O_NOFOLLOW | O_NONBLOCK).open(fresh)
}

/// Whether it can be what a writer of agent-run made: a file of this user, under no other name.
fn sound(there: &Metadata) -> bool {
    there.is_file() && there.uid() == crate::fs::me().as_raw() && there.nlink() == 1
}

/// A writer that was killed may have given it the mode of a file that nobody may write.
fn make_writable(fresh: &Path) -> bool {
    fs::symlink_metadata(fresh).is_ok_and(|there| sound(&there) && there.mode() & 0o600 != 0o600)
        && fs::set_permissions(fresh, Permissions::from_mode(0o600)).is_ok()
}

fn remove(fresh: &Path, removals: &mut usize, error: io::Error) -> io::Result<()> {
    *removals += 1;
    if *removals > REMOVALS { Err(error) } else { fs::remove_file(fresh) }
}

/// Points a link elsewhere; whoever looks sees the old one or the new.
///
/// A link cannot be locked. So several may make the new one under the same name: it is renamed by one of
/// them, and the others find their work done, or do it again.
pub fn replace_link(path: &Path, target: &Path) -> io::Result<()> {
    let fresh = beside(path, "new");
    let leads = |link: &Path| fs::read_link(link).is_ok_and(|to| to == target);
    loop {
        match symlink(target, &fresh) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if !leads(&fresh) {
                    match fs::remove_file(&fresh) {
                        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                        _ => continue,
                    }
                }
            }
            made => made?,
        }
        match fs::rename(&fresh, path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if leads(path) {
                    return Ok(());
                }
            }
            done => return done.inspect_err(|_| _ = fs::remove_file(&fresh)),
        }
    }
}

/// A name in the same folder that tells whose it is.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(".agent-run-");
    name.push(path.file_name().unwrap_or_default());
    name.push("-");
    name.push(suffix);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests;
