//! Signals that ask a probe or a demo to end, kept until the agent is ended and the folders are removed.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, Signal};

/// A signal ended the run. Its own type, since the exit code depends on it.
#[derive(Debug)]
pub struct Interrupted(pub Signal);

impl Interrupted {
    /// The code of a shell for a program that a signal ended.
    pub fn exit_code(&self) -> u8 {
        128 + self.0 as u8
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ended by {}", self.0)
    }
}

impl std::error::Error for Interrupted {}

/// The signals of this process that ask it to end.
pub struct Interrupts(Arc<AtomicI32>);

impl Interrupts {
    /// Catches them from here on. Called before any other thread is started: a thread of before would still be ended
    /// by them. What is started later inherits none of it, since std starts every program with no signal blocked.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn catch() -> Result<Self> {
        let signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]);
        signals.thread_block().context("could not hold back signals")?;
        let caught = Arc::new(AtomicI32::new(0));
        let keeper = Arc::clone(&caught);
        let wait = move || {
            while let Ok(signal) = signals.wait() {
                if keeper.swap(signal as i32, Ordering::Relaxed) != 0 {
                    // Somebody does not want to wait for the end of the agent.
                    std::process::exit(128 + signal as i32);
                }
            }
        };
        std::thread::Builder::new().spawn(wait).context("could not start a thread\nhelp: see `ulimit -u`")?;
        Ok(Self(caught))
    }

    /// # Errors
    /// [`Interrupted`], once a signal came.
    pub fn check(&self) -> Result<()> {
        match Signal::try_from(self.0.load(Ordering::Relaxed)) {
            Ok(signal) => Err(Interrupted(signal).into()),
            Err(_) => Ok(()),
        }
    }
}
