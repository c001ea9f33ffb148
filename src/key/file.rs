//! Files of keys that were typed, each for one provider, beside the config.

use std::fs::{self, File, Permissions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use nix::libc::{O_NOFOLLOW, O_NONBLOCK};
use shims::{Message, quote};

use crate::fs::AtomicFile;
use crate::fs::atomic::beside;
use crate::fs::private_dir::make_own;

/// The folder of key files, beside the config.
const FOLDER: &str = "keys";
/// Keeps the key files out of a repository.
const IGNORE: &str = ".gitignore";
const IGNORED: &[u8] = b"*\n";

/// The folder of the key files, beside the config at `path`.
pub fn folder(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.with_file_name(FOLDER)
}

/// Whether the file is there and may be of use: not an empty one, nor one that a killed command did not get to name in the
/// config, which still has its temporary name too. A command that still runs holds its lock.
pub fn is_taken(path: &Path) -> bool {
    let Ok(there) = fs::symlink_metadata(path) else { return false };
    let fresh = beside(path, "new");
    let left = fs::symlink_metadata(&fresh);
    let is_same = left.is_ok_and(|left| (left.dev(), left.ino()) == (there.dev(), there.ino()));
    let is_left = is_same && !is_held(&fresh);
    !there.is_file() || (there.len() > 0 && !is_left)
}

/// Whether another process holds the lock of the file. Two that ask this at once do not disturb each other.
fn is_held(path: &Path) -> bool {
    let file = File::options().read(true).custom_flags(O_NOFOLLOW | O_NONBLOCK).open(path);
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Writes a key to a file that no config names yet. Refused if another command has stored a key there since the name
/// was chosen.
pub fn write_new(path: &Path, key: &[u8]) -> Result<AtomicFile> {
    let identity = || fs::symlink_metadata(path).ok().map(|there| (there.dev(), there.ino(), there.len()));
    let before = identity();
    if !is_taken(path) {
        let fresh = write_file(path, key)?;
        // Who had the lock before may have stored a key.
        if identity() == before {
            return Ok(fresh);
        }
    }
    let text = format!("another command stored a key in {} at the same time", path.display());
    bail!(Message::new(text, "run the command again"))
}

/// What a killed `key set` left in the folder of key files beside the config at `path`.
pub fn leftovers(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(path)).into_iter().flatten().flatten();
    let mut left: Vec<_> = entries
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.starts_with(".agent-run-") && [".key-new", ".key-link"].iter().any(|end| name.contains(end))
        })
        .map(|entry| entry.path())
        .filter(|path| !is_held(path))
        .collect();
    left.sort();
    left
}

/// What is wrong with the permissions of a key file, and what to do about it.
pub fn open_to_others(path: &Path) -> Option<Message> {
    const STICKY: u32 = 0o1000;
    let mode = |path: &Path| path.metadata().ok().map(|there| there.permissions().mode());
    let folder = path.parent()?;
    let of_folder = mode(folder)?;
    if of_folder & 0o002 != 0 && of_folder & STICKY == 0 {
        let help = format!("run `chmod go-w {}`", quote(folder.as_os_str()));
        return Some(Message::new(format!("everyone can replace {}", path.display()), help));
    }
    (mode(path)? & 0o077 != 0).then(|| {
        let help = format!("run `chmod 600 {}`", quote(path.as_os_str()));
        Message::new(format!("other users can read {}", path.display()), help)
    })
}

/// Removes the folder where no key is left in it, nor anything else of the user's.
pub fn remove_empty(folder: &Path) {
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let is_written_here = || fs::read(folder.join(IGNORE)).is_ok_and(|text| text == IGNORED);
    if names.into_iter().all(|name| name == IGNORE && is_written_here()) {
        _ = fs::remove_file(folder.join(IGNORE));
        _ = fs::remove_dir(folder);
    }
}

fn could_not_write(path: &Path) -> impl Fn(std::io::Error) -> anyhow::Error + Copy + '_ {
    move |error| {
        anyhow!(Message::new(
            format!("could not write the key file: {}: {error}", path.display()),
            "check the permissions of its folder, or store the key in a variable"
        ))
    }
}

/// Has a key take its place.
pub fn commit(fresh: AtomicFile, path: &Path) -> Result<()> {
    fresh.commit().map_err(could_not_write(path))
}

/// Writes a key beside its file, or beside the one that a link of the user's leads to.
pub fn write_file(path: &Path, key: &[u8]) -> Result<AtomicFile> {
    let failed = could_not_write(path);
    let folder = path.parent().unwrap_or(Path::new("."));
    make_own(folder).map_err(failed)?;
    if fs::metadata(folder).map_err(failed)?.mode() & 0o077 != 0 {
        fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(failed)?;
    }
    // People keep their configs in repositories, often by a link.
    let ignore = folder.join(IGNORE);
    if fs::symlink_metadata(&ignore).is_err() {
        let mut fresh = AtomicFile::open(&ignore).map_err(failed)?;
        fresh.write(IGNORED, 0o644).and_then(|()| fresh.commit_new()).map_err(failed)?;
    }
    let is_link = path.is_symlink();
    let target = if is_link { fs::canonicalize(path).map_err(failed)? } else { path.to_owned() };
    if target.is_dir() {
        return Err(failed(ErrorKind::IsADirectory.into()));
    }
    let mut fresh = AtomicFile::open(&target).map_err(failed)?;
    let line = [key.trim_ascii_end(), b"\n"].concat();
    let there = fs::metadata(&target).ok().filter(|_| is_link);
    fresh.write_preserving_metadata(&line, there.as_ref()).map_err(failed)?;
    Ok(fresh)
}

/// The path as `~/…` where it is below the home folder.
pub fn below_home(path: &Path, home: &Path) -> PathBuf {
    path.strip_prefix(home).map_or_else(|_| path.to_owned(), |rest| Path::new("~").join(rest))
}
