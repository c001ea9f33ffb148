//! Signals that ask a probe, a demo or a question for a version to end, kept until what was started is ended and the
//! folders are removed.

use std::collections::BTreeSet;
use std::fmt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::unistd::Pid;
use shims::Message;

use crate::launch::program::ProgramError;
use crate::signals::ignored;

/// What ends a program that does not catch it, and can be caught.
const CAUGHT: [Signal; 8] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGALRM,
    Signal::SIGXCPU,
];

/// The hidden word behind which another program's follows.
const UNBLOCKED: &str = "unblocked";

/// After this long since the first signal another one ends this process, whatever it waits for.
const PATIENCE: Duration = Duration::from_secs(10);

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
pub struct Interrupts(Arc<Mutex<SignalState>>);

#[derive(Default)]
struct SignalState {
    /// The first signal that came, and when.
    caught: Option<(Signal, Instant)>,
    /// How many folders there are to remove. While there are none, a signal ends this process at once.
    held: usize,
    /// The process groups that run.
    groups: BTreeSet<i32>,
}

/// While it is there, a signal only asks for the end.
pub struct Held<'a>(&'a Interrupts);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        lock(&self.0.0).held -= 1;
    }
}

/// While it is there, an impatient second signal ends this process group too.
pub struct Running<'a> {
    interrupts: &'a Interrupts,
    group: i32,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        lock(&self.interrupts.0).groups.remove(&self.group);
    }
}

impl Interrupts {
    /// Catches them from here on. Called before any other thread is started: a thread of before would still be ended
    /// by them. A program that is started later has them blocked too, since std leaves the mask as it is (Rust 1.95),
    /// unless it is started as [`unblocked`] has it.
    pub fn catch() -> Result<Self> {
        let ignored = ignored();
        // A blocked signal comes even where it was ignored, as `nohup` has it.
        let signals: SigSet =
            CAUGHT.into_iter().filter(|signal| ignored & (1 << (*signal as i32 - 1)) == 0).collect();
        signals.thread_block().context("could not hold back signals")?;
        let state = Arc::new(Mutex::new(SignalState::default()));
        let shared = Arc::clone(&state);
        let wait = move || {
            while let Ok(signal) = signals.wait() {
                came(signal, &mut lock(&shared));
            }
        };
        std::thread::Builder::new()
            .spawn(wait)
            .context(Message::new("could not start a thread", "see `ulimit -u`"))?;
        Ok(Self(state))
    }

    /// Has signals wait for [`Interrupts::check`]. To be called before a folder is made that must not stay.
    pub fn hold(&self) -> Result<Held<'_>> {
        lock(&self.0).held += 1;
        let held = Held(self);
        self.check()?;
        Ok(held)
    }

    /// Has a second signal end the process group that this child leads.
    pub fn ends_too(&self, child: &Child) -> Running<'_> {
        let group = child.id().cast_signed();
        lock(&self.0).groups.insert(group);
        Running { interrupts: self, group }
    }

    /// The error is [`Interrupted`], once a signal came.
    pub fn check(&self) -> Result<()> {
        match lock(&self.0).caught {
            Some((signal, _)) => Err(Interrupted(signal).into()),
            None => Ok(()),
        }
    }
}

/// The command, which has no variable but those that were set for it, started through this program's own file: that process
/// unblocks the signals before it becomes the other program. Here they could not be unblocked for a moment, since one that came in it
/// would end this process with its folders left behind.
pub fn unblocked(command: &Command) -> Result<Command> {
    // Not `/proc/self/exe`, which macOS does not have.
    let mut first = Command::new(std::env::current_exe().context("could not find this program")?);
    first.arg0("agent-run").arg(UNBLOCKED).arg(command.get_program()).args(command.get_args()).env_clear();
    first.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(folder) = command.get_current_dir() {
        first.current_dir(folder);
    }
    Ok(first)
}

/// What a process that [`unblocked`] has started does: it becomes the program, and only returns where it cannot.
pub fn become_unblocked() -> Option<anyhow::Error> {
    let mut words = std::env::args_os().skip(1);
    words.next().filter(|word| word == UNBLOCKED)?;
    let program = words.next()?;
    _ = CAUGHT.into_iter().collect::<SigSet>().thread_unblock();
    let error = Command::new(&program).args(words).exec();
    Some(anyhow!(ProgramError::not_runnable(program.as_ref(), &error.to_string())))
}

/// The state stays locked while this process ends, so that nothing more is begun.
fn came(signal: Signal, state: &mut SignalState) {
    let first = state.caught;
    let (_, since) = *state.caught.get_or_insert((signal, Instant::now()));
    if state.held == 0 || since.elapsed() > PATIENCE {
        std::process::exit(128 + signal as i32);
    }
    if first.is_some() {
        // Somebody does not want to wait for the end of an agent, which must not outlive this process all the same.
        state.groups.iter().for_each(|group| _ = killpg(Pid::from_raw(*group), Signal::SIGKILL));
    }
}

fn lock(state: &Mutex<SignalState>) -> MutexGuard<'_, SignalState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
