//! A lock that is a folder: who can create it has it. The way of npm's `proper-lockfile`.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long to wait for the lock. Beyond it the merge goes on without, as Claude Code itself does.
const PATIENCE: Duration = Duration::from_secs(2);

/// The age at which a lock counts as left behind by a process that was killed.
const STALE: Duration = Duration::from_secs(10);

/// A folder that exists as long as someone writes.
pub struct Lock<'a>(Option<&'a Path>);

impl<'a> Lock<'a> {
    /// Takes the lock if it can be had in time.
    pub fn take(path: &'a Path) -> Self {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match fs::create_dir(path) {
                Ok(()) => return Self(Some(path)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) if error.kind() == ErrorKind::NotFound && make_parent(path) => continue,
                Err(_) => return Self(None),
            }
            if is_stale(path) && fs::remove_dir(path).is_ok() {
                continue;
            }
            if Instant::now() > deadline {
                return Self(None);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        if let Some(path) = self.0 {
            _ = fs::remove_dir(path);
        }
    }
}

/// Makes the folder that a new file of the user's goes into, private as the agent would make it.
fn make_parent(path: &Path) -> bool {
    let Some(folder) = path.parent().filter(|folder| !folder.exists()) else { return false };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).is_ok()
}

fn is_stale(lock: &Path) -> bool {
    let modified = fs::metadata(lock).and_then(|lock| lock.modified());
    modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > STALE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_left_behind_is_taken_over_and_given_back() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("f.lock");
        fs::create_dir(&path).expect("locked");
        let long_ago = std::time::SystemTime::now() - 2 * STALE;
        fs::File::open(&path).and_then(|folder| folder.set_modified(long_ago)).expect("aged");
        assert!(Lock::take(&path).0.is_some());
        assert!(!path.exists());
    }

    #[test]
    fn anothers_fresh_lock_is_waited_for_and_left() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("f.lock");
        let theirs = Lock::take(&path);
        std::thread::scope(|scope| {
            let ours = scope.spawn(|| Lock::take(&path).0.is_some());
            std::thread::sleep(Duration::from_millis(100));
            drop(theirs);
            assert!(ours.join().expect("no panic"), "taken as soon as it was free");
        });
        fs::create_dir(&path).expect("locked");
        assert!(Lock::take(&path).0.is_none());
        assert!(path.exists());
    }
}
