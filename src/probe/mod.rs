//! A launch on the provider inside this program, watched to its end: what `demo` and `doctor --probe` share.

mod findings;
mod interrupts;
pub mod orphans;
mod scratch;
pub mod trials;

use std::fs;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

use crate::launch::PreparedLaunch;
pub use findings::{Expectations, ProbeReport};
use interrupts::unblocked;
pub use interrupts::{Interrupted, Interrupts, become_unblocked};
pub use scratch::{Scratch, environment, is_in_use, provider_entry, remove_left};

/// What the agent is asked.
pub const PROMPT: &str = "say pong";

/// How long an agent may take to answer the prompt. Its first start takes half a minute on a slow machine; after this
/// time it waits for something that never comes.
const LIMIT: Duration = Duration::from_secs(50);

/// How long an agent that was asked to end may take.
const GRACE: Duration = Duration::from_secs(3);

/// How long what an agent has left running may take to end.
const LEFT: Duration = Duration::from_secs(1);

/// What came of the run.
pub struct ProbeOutput {
    /// What the agent said on stdout.
    pub stdout: String,
    /// What it said on stderr.
    pub stderr: String,
    /// How it ended; `None` when the time was up.
    pub ended: Option<String>,
}

/// A random, invalid API key.
pub fn random_key(name: &str) -> String {
    let unique = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("sk-{name}-{unique:x}{:x}", std::process::id())
}

/// Lets the agent go in the working folder `cwd` and waits for its end; what it says is kept in `folder`. After a
/// signal the agent is ended, and the error is [`Interrupted`].
pub fn run(
    prepared: PreparedLaunch,
    cwd: &Path,
    folder: &Path,
    interrupts: &Interrupts,
) -> Result<ProbeOutput> {
    interrupts.check()?;
    let _adopted = orphans::adopt();
    run_one(prepared, cwd, folder, LIMIT, interrupts)
}

/// As [`run`], for a time, and others may run meanwhile; what it leaves running outside its process group stays.
fn run_one(
    mut prepared: PreparedLaunch,
    cwd: &Path,
    folder: &Path,
    limit: Duration,
    interrupts: &Interrupts,
) -> Result<ProbeOutput> {
    interrupts.check()?;
    let could_not = format!("could not run {}", Path::new(prepared.command.get_program()).display());
    observe(prepared.command.current_dir(cwd), folder, limit, could_not, interrupts)
}

/// Runs a command, in a group of its own, so that what it starts can be ended with it. The error begins with
/// `could_not` if it could not be started, and is [`Interrupted`] after a signal, once it was ended.
pub fn observe(
    command: &Command,
    folder: &Path,
    limit: Duration,
    could_not: impl Into<String>,
    interrupts: &Interrupts,
) -> Result<ProbeOutput> {
    // Into files, not pipes: whoever it leaves behind may hold a pipe open for long.
    let [stdout, stderr] = ["stdout", "stderr"].map(|name| folder.join(name));
    let mut command = unblocked(command)?;
    command.stdin(Stdio::null()).process_group(0);
    command.stdout(fs::File::create(&stdout)?).stderr(fs::File::create(&stderr)?);
    let mut child = command.spawn().with_context(|| could_not.into())?;
    let running = interrupts.ends_too(&child);
    let ended = wait(&mut child, limit, || interrupts.check());
    drop(running);
    let ended = ended?;
    // A second signal may have ended it before the first was looked at.
    interrupts.check()?;
    let read = |path: &Path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok(ProbeOutput { stdout: read(&stdout)?, stderr: read(&stderr)?, ended })
}

/// Removes the folder of a run. What an agent has left running may still write there, so it is tried for two seconds.
fn remove(folder: &Path) {
    let deadline = Instant::now() + Duration::from_secs(2);
    while fs::remove_dir_all(folder).is_err_and(|error| error.kind() != ErrorKind::NotFound)
        && Instant::now() < deadline
    {
        thread::sleep(Duration::from_millis(50));
    }
}

/// How the child, which leads a process group, ended; `None` when its time was up and it was ended. What is left of its
/// group is ended with it. An error of `check` is returned once the child was ended.
fn wait(child: &mut Child, limit: Duration, check: impl Fn() -> Result<()>) -> Result<Option<String>> {
    let ended = wait_for(child, limit, check);
    let group = Pid::from_raw(child.id().cast_signed());
    if let Ok(Some(status)) = ended {
        end_rest(group);
        return Ok(Some(status));
    }
    _ = killpg(group, Signal::SIGTERM);
    _ = wait_for(child, GRACE, || Ok(()));
    // Whoever of the group is left, the agent or what it started.
    _ = killpg(group, Signal::SIGKILL);
    child.wait()?;
    ended
}

/// Ends what the leader of a group, which is gone, has left running in it. The number of a group is not given away while
/// anything runs in it.
fn end_rest(group: Pid) {
    let deadline = Instant::now() + LEFT;
    let mut is_left = killpg(group, Signal::SIGTERM).is_ok();
    while is_left && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(20));
        // Those that this process has adopted would else be there as long as it.
        while waitpid(Pid::from_raw(-group.as_raw()), Some(WaitPidFlag::WNOHANG))
            .is_ok_and(|it| it.pid().is_some())
        {}
        is_left = killpg(group, None).is_ok();
    }
    if is_left {
        _ = killpg(group, Signal::SIGKILL);
    }
}

fn wait_for(child: &mut Child, limit: Duration, check: impl Fn() -> Result<()>) -> Result<Option<String>> {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().context("could not wait for the agent")? {
            return Ok(Some(status.to_string()));
        }
        check()?;
        thread::sleep(Duration::from_millis(20));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Child {
        Command::new("sh").args(["-c", script]).process_group(0).spawn().expect("sh")
    }

    #[test]
    fn an_agent_ends_by_itself_or_is_ended() {
        let ended = wait(&mut shell("exit 3"), Duration::from_secs(60), || Ok(())).expect("waited");
        assert_eq!(ended.as_deref(), Some("exit status: 3"));
        let mut child = shell("trap '' TERM; sleep 61 & sleep 60");
        assert_eq!(wait(&mut child, Duration::from_millis(50), || Ok(())).expect("waited"), None);
        assert!(child.try_wait().expect("asked").is_some(), "it still runs");
    }

    #[test]
    fn what_an_agent_leaves_running_is_ended_with_it() {
        for trap in ["", "trap '' TERM; "] {
            let mut child = shell(&format!("({trap}sleep 60; sleep 60) & exit 0"));
            let group = Pid::from_raw(child.id().cast_signed());
            assert!(wait(&mut child, Duration::from_secs(60), || Ok(())).expect("waited").is_some());
            let gone = || {
                thread::sleep(Duration::from_millis(20));
                killpg(group, None).is_err()
            };
            assert!((0..100).any(|_| gone()), "something of the group still runs");
        }
    }
}
