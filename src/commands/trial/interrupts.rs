//! Signals that ask a probe or a demo to end, kept until the agent is ended and the folders are removed.

use std::fmt;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::unistd::Pid;

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
pub struct Interrupts {
    caught: Arc<AtomicI32>,
    /// The process group of the agent that runs; 0 while none does.
    group: Arc<AtomicI32>,
}

/// While it is there, an impatient second signal ends this process group too.
pub struct Running<'a>(&'a AtomicI32);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::SeqCst);
    }
}

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
        let group = Arc::new(AtomicI32::new(0));
        let (keeper, running) = (Arc::clone(&caught), Arc::clone(&group));
        let wait = move || {
            let mut came = 0;
            while let Ok(signal) = signals.wait() {
                came += 1;
                if keeper.swap(signal as i32, Ordering::Relaxed) != 0 {
                    // Somebody does not want to wait for the end of the agent, which must not outlive us all the same.
                    let group = running.load(Ordering::SeqCst);
                    if group != 0 {
                        _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
                        if came == 2 {
                            // Whoever waits for the agent removes the folders now.
                            continue;
                        }
                    }
                    std::process::exit(128 + signal as i32);
                }
            }
        };
        std::thread::Builder::new().spawn(wait).context("could not start a thread\nhelp: see `ulimit -u`")?;
        Ok(Self { caught, group })
    }

    /// Has a second signal end the process group that this child leads.
    pub fn ends_too(&self, child: &Child) -> Running<'_> {
        self.group.store(child.id().cast_signed(), Ordering::SeqCst);
        Running(&self.group)
    }

    /// # Errors
    /// [`Interrupted`], once a signal came.
    pub fn check(&self) -> Result<()> {
        match Signal::try_from(self.caught.load(Ordering::Relaxed)) {
            Ok(signal) => Err(Interrupted(signal).into()),
            Err(_) => Ok(()),
        }
    }
}
