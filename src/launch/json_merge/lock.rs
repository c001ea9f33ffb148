//! A mkdir-based lock, compatible with npm's `proper-lockfile`.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use shims::Message;

use crate::fs::waiting::{LIMIT, Wait};

/// The age at which a lock counts as left behind by a process that was killed.
const STALE: Duration = Duration::from_secs(10);

/// A folder that exists as long as someone writes.
pub struct Lock<'a>(Option<&'a Path>);

impl<'a> Lock<'a> {
    /// Takes the lock; goes on without it where no folder can be made.
    ///
    /// # Errors
    /// When somebody who is still there holds it for too long: who holds a lock touches it every few seconds.
    pub fn take(path: &'a Path) -> Result<Self> {
        let mut wait = Wait::begin(path);
        loop {
            match fs::create_dir(path) {
                Ok(()) => return Ok(Self(Some(path))),
                // No other program locks with anything but a folder.
                Err(error) if error.kind() == ErrorKind::AlreadyExists && is_folder(path) => {}
                Err(_) => return Ok(Self(None)),
            }
            if is_stale(path) && fs::remove_dir(path).is_ok() {
                continue;
            }
            if !wait.goes_on() {
                let path = path.display();
                bail!(Message::new(
                    format!("another process has held the lock {path} for {} s", LIMIT.as_secs()),
                    format!("wait for the agents that are starting, or remove the lock: rmdir {path}"),
                ));
            }
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

fn is_folder(path: &Path) -> bool {
    // Gone by now is as good.
    fs::symlink_metadata(path).map_or(true, |there| there.is_dir())
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
            assert!(Lock::take(&path).expect("in time").0.is_some());
            assert!(!path.exists());
        }
    }

    #[test]
    fn anothers_fresh_lock_is_waited_for_and_left() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("f.lock");
        let theirs = Lock::take(&path).expect("free");
        std::thread::scope(|scope| {
            let ours = scope.spawn(|| Lock::take(&path).expect("in time").0.is_some());
            std::thread::sleep(Duration::from_millis(100));
            drop(theirs);
            assert!(ours.join().expect("no panic"), "taken as soon as it was free");
        });
        fs::create_dir(&path).expect("locked");
        let is_over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            // As who holds it does.
            scope.spawn(|| {
                while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                    let now = std::time::SystemTime::now();
                    fs::File::open(&path).and_then(|folder| folder.set_modified(now)).expect("touched");
                    std::thread::sleep(Duration::from_millis(200));
                }
            });
            let error = crate::error::render(&Lock::take(&path).map(|_| ()).expect_err("held"));
            is_over.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(error.contains("for 10 s\nhelp: "), "{error}");
        });
        assert!(path.exists());
    }
}
