//! Locks that other launches hold: waited for in silence for a second, then said, and for ten seconds at most.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use nix::libc::{ENOLCK, ENOSYS, ENOTSUP, EOPNOTSUPP};
use shims::Message;

use crate::ui;

/// How long nothing is said.
const SILENCE: Duration = Duration::from_secs(1);

/// How long is waited in all. A launch holds a lock for some milliseconds.
pub const LIMIT: Duration = Duration::from_secs(10);

/// How long is waited once it is said.
const REST: Duration = Duration::from_secs(9);

/// The longest pause between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// A lock that the system cannot wait for.
pub struct Wait<'a> {
    lock: &'a Path,
    start: Instant,
    pause: Duration,
    is_said: bool,
}

impl<'a> Wait<'a> {
    /// Begins to wait for the lock at this path.
    pub fn begin(lock: &'a Path) -> Self {
        Self { lock, start: Instant::now(), pause: Duration::from_millis(1), is_said: false }
    }

    /// Waits a moment before the next attempt; false when the time is over.
    pub fn goes_on(&mut self) -> bool {
        let waited = self.start.elapsed();
        if waited >= LIMIT {
            return false;
        }
        if waited >= SILENCE && !self.is_said {
            self.is_said = true;
            say(self.lock);
        }
        std::thread::sleep(self.pause);
        self.pause = (self.pause * 2).min(PAUSE);
        true
    }
}

/// Takes the exclusive lock on an open file; false where the file system has no locks, which is no reason not to
/// launch.
///
/// Many launches at once are served in their order, which a lock that is tried again and again is not: a thread waits
/// in the system while this one looks at the clock. The error is `TimedOut` if another process has held it for too
/// long.
pub fn lock(file: &File, path: &Path) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => return Ok(true),
        Err(TryLockError::Error(error)) => return known(Err(error)),
        Err(TryLockError::WouldBlock) => {}
    }
    // The same open file, so that the lock is this one's too.
    let (sender, taken) = mpsc::channel();
    let other = file.try_clone()?;
    if std::thread::Builder::new().spawn(move || sender.send(other.lock())).is_err() {
        return poll(file, path);
    }
    taken
        .recv_timeout(SILENCE)
        .or_else(|_| {
            say(path);
            taken.recv_timeout(REST)
        })
        .map_or_else(|_| Err(timeout(path)), known)
}

/// As [`lock`], where no thread can be started: not in the order of the launches.
fn poll(file: &File, path: &Path) -> io::Result<bool> {
    let mut wait = Wait::begin(path);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(error)) => return known(Err(error)),
            Err(TryLockError::WouldBlock) if wait.goes_on() => {}
            Err(TryLockError::WouldBlock) => return Err(timeout(path)),
        }
    }
}

/// Whether the lock was taken, where there are locks.
fn known(taken: io::Result<()>) -> io::Result<bool> {
    match taken {
        Ok(()) => Ok(true),
        Err(error) if is_unknown(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn say(lock: &Path) {
    let (lock, left) = (lock.display(), REST.as_secs());
    ui::log::warn(format!("waiting up to {left} s for the lock {lock}, which another process holds"));
}

/// That the time is over, and what to do.
pub fn timeout(path: &Path) -> io::Error {
    let path = path.display();
    let message = Message::new(
        format!("another process has held the lock {path} for {} s", LIMIT.as_secs()),
        format!("wait for it, or find the process with `fuser -v {path}`"),
    );
    io::Error::new(ErrorKind::TimedOut, message)
}

/// Whether the file system has no locks, as some that are shared over a network.
pub fn is_unknown(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|number| [ENOLCK, ENOSYS, ENOTSUP, EOPNOTSUPP].contains(&number))
}
