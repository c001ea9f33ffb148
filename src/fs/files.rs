//! Files and links of agent-run: private, atomic, touched only when they differ, and never behind a link.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::Result;
use nix::libc::{O_NOFOLLOW, O_NONBLOCK};
use shims::{Dirs, Link};

use super::io_error;
use super::private_dir::Folders;
use crate::fs::atomic::{beside, replace, replace_link};
use crate::fs::me;

/// Writes a file whole, mode 0600, unless it stands so already.
///
/// Whoever reads it sees the old content or the new, never a part; a link planted in its place is
/// replaced, not followed. If that fails, the old content stays.
pub fn write(path: &Path, contents: &[u8], dirs: &Dirs) -> Result<()> {
    write_in(&mut Folders::of(dirs), path, contents)
}

/// As [`write()`], where other folders were looked at already.
pub fn write_in(folders: &mut Folders<'_>, path: &Path, contents: &[u8]) -> Result<()> {
    if stands(path, contents) {
        return Ok(());
    }
    folders.private(path.parent().unwrap_or(path))?;
    replace(path, contents, 0o600).map_err(io_error("write", path))
}

/// Opens a file of agent-run to be read; anything else in its place is as good as damaged. A link, a folder, a pipe and
/// another user's file are errors.
pub fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let file = OpenOptions::new().read(true).custom_flags(O_NOFOLLOW | O_NONBLOCK).open(path)?;
    let there = file.metadata()?;
    // Another user could change it later.
    let is_ours = there.is_file() && there.uid() == me().as_raw();
    if is_ours { Ok((file, there)) } else { Err(io::Error::other("agent-run did not create this file")) }
}

/// The content of such a file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.0.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The last bytes of a file of agent-run; fewer of a shorter one.
pub fn end(path: &Path, count: usize) -> io::Result<Vec<u8>> {
    let (file, there) = open(path)?;
    let mut end = vec![0; count];
    let read = file.read_at(&mut end, there.len().saturating_sub(count as u64))?;
    end.truncate(read);
    Ok(end)
}

fn stands(path: &Path, contents: &[u8]) -> bool {
    let Ok((mut file, there)) = open(path) else { return false };
    let mut now = vec![0; contents.len()];
    there.len() == contents.len() as u64
        && there.mode() & 0o777 == 0o600
        && file.read_exact(&mut now).is_ok()
        && now == contents
}

/// Ensures a symlink: creates it if missing, retargets it if wrong, leaves a real file alone.
pub fn link(path: &Path, link: &Link) -> Result<()> {
    let could_not = io_error("link", path);
    let make = || match symlink(&link.target, path) {
        // Two launches on different homes may share a folder of links.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made.map_err(io_error("link", path)),
    };
    // A launch finds nearly all of its links as they should be, or not there, and asks no more than that.
    match fs::read_link(path) {
        Ok(target) if target == link.target => return Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => return make(),
        _ => {}
    }
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_symlink() => replace_link(path, &link.target).map_err(could_not),
        Ok(there) if there.is_dir() && link.replaces_folder => {
            move_aside(path).map_err(could_not)?;
            symlink(&link.target, path).map_err(could_not)
        }
        Ok(_) => Ok(()),
        Err(_) => make(),
    }
}

/// What lies beside an `SQLite` database that is open, or was not closed.
const BESIDE_DATABASE: [&str; 2] = ["-wal", "-shm"];

/// Moves here whichever of these databases was changed last, unless something is at `path` already, and leaves a link
/// in its place: the old path still opens it, and may be removed.
///
/// Both names lead to one file all the while, so that an agent which has it open is not disturbed.
pub fn adopt(path: &Path, files: &[PathBuf]) -> Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        return Ok(());
    }
    // A database that is open, or was not closed, has its newest rows in the log beside it.
    let changed = |file: &Path| fs::metadata(file).and_then(|metadata| metadata.modified()).ok();
    let found = files.iter().filter_map(|file| {
        let log = with(file, BESIDE_DATABASE[0]);
        Some((changed(file)?.max(changed(&log)?), file))
    });
    let plain = files.iter().filter_map(|file| Some((changed(file)?, file)));
    let Some((_, newest)) = found.chain(plain).max() else { return Ok(()) };
    let moved = || -> io::Result<()> {
        for end in BESIDE_DATABASE {
            let (from, to) = (with(newest, end), with(path, end));
            match fs::hard_link(&from, &to) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                // Of a move that was cut short: the database itself is not there yet.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    let file = |path: &Path| fs::symlink_metadata(path).map(|it| (it.dev(), it.ino()));
                    if file(&from)? != file(&to)? {
                        fs::remove_file(&to)?;
                        fs::hard_link(from, to)?;
                    }
                }
                linked => linked?,
            }
        }
        fs::hard_link(newest, path)?;
        replace_link(newest, path)?;
        for end in BESIDE_DATABASE {
            _ = fs::remove_file(with(newest, end));
        }
        Ok(())
    };
    match moved() {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        // Not every file system lets a file have two names.
        Err(_) if fs::symlink_metadata(path).is_err() => {
            symlink(newest, path).map_err(io_error("link", path))
        }
        moved => moved.map_err(io_error("move", path)),
    }
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(end);
    path.into()
}

/// Moves a folder to a free name: one that was moved before may hold the user's work too.
fn move_aside(path: &Path) -> io::Result<()> {
    let names = (1..).map(|count| beside(path, &format!("replaced-{count}")));
    let mut free = names.filter(|aside| fs::symlink_metadata(aside).is_err());
    free.next().map_or(Ok(()), |aside| fs::rename(path, aside))
}

/// Removes a link; anything else that stands there stays.
pub fn unlink(path: &Path) -> Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|there| there.is_symlink()) {
        fs::remove_file(path).map_err(io_error("remove", path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::private_dir::private_dir;
    use super::*;
    use crate::fs::made_up_dirs;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).expect("there").mode() & 0o777
    }

    #[test]
    fn files_are_private_whole_and_written_once() {
        let (_root, dirs) = made_up_dirs();
        let path = dirs.cache.join("codex/p/config.toml");
        write(&path, b"one", &dirs).expect("written");
        assert_eq!(
            (mode(&path), mode(&dirs.cache), mode(path.parent().expect("one"))),
            (0o600, 0o700, 0o700)
        );
        let first = fs::metadata(&path).expect("there").ino();
        write(&path, b"one", &dirs).expect("written");
        assert_eq!(fs::metadata(&path).expect("there").ino(), first, "not written again");
        write(&path, b"two", &dirs).expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"two");
        assert_eq!(fs::read_dir(path.parent().expect("one")).expect("a folder").count(), 1, "no left-over");
    }

    #[test]
    fn a_planted_link_is_replaced_and_not_followed() {
        let (root, dirs) = made_up_dirs();
        let (victim, path) = (root.path().join("victim"), dirs.cache.join("f"));
        fs::write(&victim, "untouched").expect("written");
        private_dir(&dirs.cache, &dirs).expect("created");
        symlink(&victim, &path).expect("linked");
        write(&path, b"ours", &dirs).expect("written");
        assert_eq!(fs::read(&victim).expect("there"), b"untouched");
        assert!(!fs::symlink_metadata(&path).expect("there").is_symlink());
    }

    #[test]
    fn the_file_that_was_changed_last_is_adopted_once() {
        let (root, dirs) = made_up_dirs();
        private_dir(&dirs.state, &dirs).expect("created");
        let file = |name: &str, age: u64| {
            let path = root.path().join(name);
            fs::write(&path, name).expect("written");
            let then = std::time::SystemTime::now() - std::time::Duration::from_secs(age);
            File::options().write(true).open(&path).and_then(|file| file.set_modified(then)).expect("aged");
            path
        };
        let files = [file("a", 50), file("b", 10), file("c", 90), root.path().join("gone")];
        let path = dirs.state.join("l");
        adopt(&path, &files[3..]).expect("nothing to adopt");
        assert!(fs::symlink_metadata(&path).is_err());
        file("c-wal", 1);
        let open = File::open(&files[2]).expect("open").metadata().expect("there").ino();
        adopt(&path, &files).expect("adopted");
        assert_eq!(fs::symlink_metadata(&path).expect("a file").ino(), open, "the same file");
        assert_eq!(fs::read_link(&files[2]).expect("a link"), path, "found where it was");
        assert_eq!(fs::read_to_string(dirs.state.join("l-wal")).expect("moved"), "c-wal");
        assert!(!root.path().join("c-wal").exists());
        file("a", 0);
        adopt(&path, &files).expect("left");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "c");
        assert!(files[..2].iter().all(|file| file.is_file()), "the others stay");
    }

    #[test]
    fn links_are_repaired_and_real_files_left() {
        let (root, dirs) = made_up_dirs();
        private_dir(&dirs.cache, &dirs).expect("created");
        let to = |target: &str, replaces_folder| Link { target: root.path().join(target), replaces_folder };
        let path = dirs.cache.join("l");
        link(&path, &to("a", false)).expect("made");
        link(&path, &to("b", false)).expect("fixed");
        assert_eq!(fs::read_link(&path).expect("a link"), root.path().join("b"));
        unlink(&path).expect("removed");
        fs::create_dir(&path).expect("created");
        link(&path, &to("a", false)).expect("left");
        unlink(&path).expect("left");
        assert!(path.is_dir() && !fs::symlink_metadata(&path).expect("there").is_symlink());
        link(&path, &to("a", true)).expect("moved aside");
        assert!(fs::symlink_metadata(&path).expect("there").is_symlink());
    }
}
