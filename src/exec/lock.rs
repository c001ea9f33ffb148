//! One launch at a time prepares a runtime home.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Result, anyhow};
use nix::libc::{O_NOFOLLOW, O_NONBLOCK};
use shims::{Agent, Dirs};

use super::folders::{failed, private_dir};
use super::waiting;

/// The lock on a runtime home.
pub type HomeLock = File;

/// Takes the exclusive lock on the runtime homes of one agent and provider, or of one agent where all providers
/// share a home. Where the file system has no locks, goes on without.
///
/// std opens files close-on-exec, so becoming the agent releases the lock, as does any end of this
/// process. It lies beside the homes, not in them, because a home's path may depend on what is read
/// under the lock.
///
/// # Errors
/// When the cache folder cannot be written, or another process holds the lock for too long.
pub fn lock_home(agent: &dyn Agent, provider: &str, dirs: &Dirs) -> Result<HomeLock> {
    let folder = dirs.cache.join(agent.name());
    private_dir(&folder, dirs)?;
    // A provider of that name is served by the same lock, which does no harm.
    let whose = if agent.shares_home() { "all" } else { provider };
    let path = folder.join(format!(".{whose}.lock"));
    let file = open(&path)?;
    waiting::lock(&file, &path).map_err(|error| match error.kind() {
        ErrorKind::TimedOut => anyhow!(error),
        _ => failed("lock", &path)(error),
    })?;
    Ok(file)
}

/// Opens a file that is only there to be locked, made if it is missing, on a disk that cannot be written too.
/// Its folder must have been looked at. Anything can be locked, and a pipe is not waited for.
///
/// # Errors
/// When it cannot be opened, or is a link, which would have the file made elsewhere.
pub fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600);
    let open = options.custom_flags(O_NOFOLLOW | O_NONBLOCK).open(path);
    open.or_else(|error| options.create(false).write(false).read(true).open(path).map_err(|_| error)).map_err(
        |error| {
            if path.is_symlink() {
                anyhow!(
                    "could not open the lock {}: it is a link\nhelp: remove it; agent-run makes it again",
                    path.display()
                )
            } else {
                failed("open the lock", path)(error)
            }
        },
    )
}
