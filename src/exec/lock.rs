//! One launch at a time prepares a runtime home.

use std::fs::File;

use anyhow::{Result, anyhow};
use nix::fcntl::{Flock, FlockArg};
use shims::{Agent, Dirs};

use super::{files, folders};

/// The lock on a runtime home.
pub type HomeLock = Flock<File>;

/// Takes the exclusive lock on the runtime homes of one agent and provider.
///
/// std opens files close-on-exec, so becoming the agent releases the lock, as does any end of this
/// process. It lies beside the homes, not in them, because a home's path may depend on what is read
/// under the lock.
///
/// # Errors
/// When the cache folder cannot be written.
pub fn lock_home(agent: &dyn Agent, provider: &str, dirs: &Dirs) -> Result<HomeLock> {
    let folder = dirs.cache.join(agent.name());
    folders::private_dir(&folder, dirs)?;
    let path = folder.join(format!(".{provider}.lock"));
    Flock::lock(files::open_lock(&path)?, FlockArg::LockExclusive)
        .map_err(|(_, error)| anyhow!("could not lock {}: {}", path.display(), error.desc()))
}
