//! A lock that is a folder: who can create it has it. The way of npm's `proper-lockfile`.

use std::fs;
use std::io::ErrorKind;
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
                Err(_) => return Self(None),
            }
            if is_stale(path) && fs::remove_dir(path).is_ok() {
                continue;
            }
            if Instant::now() > deadline {
                return Self(None);
            }
            std::thread::sleep(Duration::from_millis(5));
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

/// Whether it was left behind. One from the future was too: the clock went back, and who holds a lock
/// touches it every few seconds.
fn is_stale(lock: &Path) -> bool {
    let modified = fs::metadata(lock).and_then(|lock| lock.modified());
    modified.is_ok_and(|at| at.elapsed().unwrap_or_else(|future| future.duration()) > STALE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_left_behind_is_taken_over_and_given_back() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("f.lock");
        let now = std::time::SystemTime::now();
        // The second of them is what a clock that goes back makes of it.
        for time in [now - 2 * STALE, now + 2 * STALE] {
            fs::create_dir(&path).expect("locked");
            fs::File::open(&path).and_then(|folder| folder.set_modified(time)).expect("aged");
            assert!(Lock::take(&path).0.is_some());
            assert!(!path.exists());
        }
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
