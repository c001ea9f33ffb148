//! Folders, files and links of ours: private, atomic, and touched only when they differ.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;
use shims::{Dirs, Link};

/// The folders of ours that one launch has looked at, so that it looks at each once.
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

    /// Creates a folder of ours, and whatever of ours is missing above it, with mode 0700.
    ///
    /// # Errors
    /// When a folder of ours belongs to someone else, is a link that someone else made, or is no folder:
    /// then what we write there could be read or turned elsewhere.
    pub fn private(&mut self, path: &Path) -> Result<()> {
        let bases = [&self.dirs.cache, &self.dirs.state];
        let Some(below) = bases.into_iter().find_map(|base| path.strip_prefix(base).ok()) else {
            bail!("{} is not a folder of agent-run", path.display())
        };
        let folders: Vec<&Path> = path.ancestors().take(1 + below.iter().count()).collect();
        for dir in folders.into_iter().rev() {
            if !self.sound.contains(dir.as_os_str()) {
                own_dir(dir)?;
                self.sound.insert(dir.into());
            }
        }
        Ok(())
    }

    /// Writes a file whole, mode 0600, unless it stands so already.
    ///
    /// Whoever reads it sees the old content or the new, never a part; a link planted in its place is
    /// replaced, not followed.
    ///
    /// # Errors
    /// When it cannot be written; the old content then stands as it was.
    pub fn write(&mut self, path: &Path, contents: &[u8]) -> Result<()> {
        if stands(path, contents) {
            return Ok(());
        }
        let could_not = || format!("could not write {}", path.display());
        let folder = path.parent().with_context(could_not)?;
        self.private(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder).with_context(could_not)?;
        file.write_all(contents).with_context(could_not)?;
        file.as_file().set_permissions(Permissions::from_mode(0o600)).with_context(could_not)?;
        file.persist(path).map_err(|error| error.error).with_context(could_not)?;
        Ok(())
    }
}

/// Creates one folder of ours; see [`Folders::private`].
///
/// # Errors
/// As there.
pub fn private_dir(path: &Path, dirs: &Dirs) -> Result<()> {
    Folders::of(dirs).private(path)
}

fn own_dir(dir: &Path) -> Result<()> {
    let could_not_look = || format!("could not look at {}", dir.display());
    let itself = match fs::symlink_metadata(dir) {
        Ok(itself) => itself,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if let Some(above) = dir.parent() {
                user_dir(above)?;
            }
            match DirBuilder::new().mode(0o700).create(dir) {
                // Another launch may have been quicker; what it made is looked at like any other.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    fs::symlink_metadata(dir).with_context(could_not_look)?
                }
                made => return made.with_context(|| format!("could not create {}", dir.display())),
            }
        }
        Err(error) => return Err(error).with_context(could_not_look),
    };
    let behind =
        if itself.is_symlink() { fs::metadata(dir).with_context(could_not_look)? } else { itself.clone() };
    let me = geteuid().as_raw();
    if itself.uid() != me || behind.uid() != me {
        bail!(
            "{} belongs to another user\nhelp: remove it, or set XDG_CACHE_HOME and XDG_STATE_HOME to \
               folders of your own",
            dir.display()
        );
    }
    if !behind.is_dir() {
        bail!("{} is not a folder\nhelp: move it away; agent-run keeps its files there", dir.display());
    }
    if behind.mode() & 0o077 != 0 {
        fs::set_permissions(dir, Permissions::from_mode(0o700))
            .with_context(|| format!("could not make {} private", dir.display()))?;
    }
    Ok(())
}

/// Creates a folder of the user's own if it is missing, private as a fresh home folder would be.
///
/// # Errors
/// When it cannot be created.
pub fn user_dir(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("could not create {}", path.display()))
}

/// Writes a file whole; see [`Folders::write`].
///
/// # Errors
/// As there.
pub fn write(path: &Path, contents: &[u8], dirs: &Dirs) -> Result<()> {
    Folders::of(dirs).write(path, contents)
}

fn stands(path: &Path, contents: &[u8]) -> bool {
    let Ok(metadata) = fs::symlink_metadata(path) else { return false };
    metadata.is_file()
        && metadata.len() == contents.len() as u64
        && metadata.mode() & 0o777 == 0o600
        && fs::read(path).is_ok_and(|now| now == contents)
}

/// Keeps a link in place: made when missing, pointed anew when wrong, left when a real file stands there.
///
/// # Errors
/// When it cannot be made.
pub fn link(path: &Path, link: &Link) -> Result<()> {
    // A launch finds nearly all of its links as they should be, and asks no more than that.
    if fs::read_link(path).is_ok_and(|target| target == link.target) {
        return Ok(());
    }
    let could_not = || format!("could not link {}", path.display());
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_symlink() => replace_link(path, &link.target).with_context(could_not),
        Ok(there) if there.is_dir() && link.replaces_folder => {
            move_aside(path).with_context(could_not)?;
            symlink(&link.target, path).with_context(could_not)
        }
        Ok(_) => Ok(()),
        Err(_) => match symlink(&link.target, path) {
            // Two launches on different homes may share a folder of links.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            made => made.with_context(could_not),
        },
    }
}

/// Points a link elsewhere; whoever looks sees the old one or the new.
///
/// # Errors
/// When the new one cannot be made.
pub fn replace_link(path: &Path, target: &Path) -> std::io::Result<()> {
    let fresh = beside(path, &format!("new-{}", std::process::id()));
    symlink(target, &fresh)?;
    fs::rename(&fresh, path).inspect_err(|_| _ = fs::remove_file(&fresh))
}

fn move_aside(path: &Path) -> std::io::Result<()> {
    let aside = beside(path, "replaced");
    if aside.is_dir() {
        fs::remove_dir_all(&aside)?;
    }
    fs::rename(path, &aside)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".agent-run-{name}-{suffix}"))
}

/// Removes a link; anything else that stands there stays.
///
/// # Errors
/// When the link cannot be removed.
pub fn unlink(path: &Path) -> Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|there| there.is_symlink()) {
        fs::remove_file(path).with_context(|| format!("could not remove {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sandbox() -> (tempfile::TempDir, Dirs) {
        let root = tempfile::tempdir().expect("a folder");
        let dirs = Dirs {
            cache: root.path().join("cache/agent-run"),
            state: root.path().join("state/agent-run"),
            ..Dirs::default()
        };
        (root, dirs)
    }

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).expect("there").mode() & 0o777
    }

    #[test]
    fn files_are_private_whole_and_written_once() {
        let (_root, dirs) = sandbox();
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
        let (root, dirs) = sandbox();
        let (victim, path) = (root.path().join("victim"), dirs.cache.join("f"));
        fs::write(&victim, "untouched").expect("written");
        private_dir(&dirs.cache, &dirs).expect("created");
        symlink(&victim, &path).expect("linked");
        write(&path, b"ours", &dirs).expect("written");
        assert_eq!(fs::read(&victim).expect("there"), b"untouched");
        assert!(!fs::symlink_metadata(&path).expect("there").is_symlink());
    }

    #[test]
    fn open_folders_of_ours_are_closed_and_files_in_their_place_refused() {
        let (_root, dirs) = sandbox();
        private_dir(&dirs.cache, &dirs).expect("created");
        fs::set_permissions(&dirs.cache, Permissions::from_mode(0o777)).expect("opened");
        private_dir(&dirs.cache, &dirs).expect("closed");
        assert_eq!(mode(&dirs.cache), 0o700);
        fs::write(dirs.cache.join("codex"), "").expect("written");
        let error = private_dir(&dirs.cache.join("codex/p"), &dirs).expect_err("a file stands there");
        assert!(error.to_string().contains("is not a folder\nhelp: "), "{error}");
        assert!(private_dir(Path::new("/elsewhere"), &dirs).is_err());
    }

    #[test]
    fn links_are_mended_and_real_files_left() {
        let (root, dirs) = sandbox();
        private_dir(&dirs.cache, &dirs).expect("created");
        let to = |target: &str, replaces_folder| Link { target: root.path().join(target), replaces_folder };
        let path = dirs.cache.join("l");
        link(&path, &to("a", false)).expect("made");
        link(&path, &to("b", false)).expect("mended");
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
