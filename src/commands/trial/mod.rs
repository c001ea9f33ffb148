//! A launch on the provider inside this program, watched to its end: what `demo` and `doctor --probe` share.

mod findings;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::commands::launch::Ready;
pub use findings::{Expected, Findings};

/// What the agent is asked.
pub const PROMPT: &str = "say pong";

/// An agent's first start on a slow machine takes half a minute; one that takes this long waits for
/// something that does not come.
const LIMIT: Duration = Duration::from_secs(120);

/// How long an agent that was told to end may take.
const GRACE: Duration = Duration::from_secs(3);

/// What came of the run.
pub struct Ran {
    /// What the agent said on stdout.
    pub stdout: String,
    /// What it said on stderr.
    pub stderr: String,
    /// How it ended; `None` when the time was up.
    pub ended: Option<String>,
}

/// A key that is nobody's.
pub fn made_up_key(name: &str) -> String {
    let unique = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("sk-{name}-{unique:x}{:x}", std::process::id())
}

/// Lets the agent go in the working folder `cwd` and waits for its end; what it says is kept in `folder`.
///
/// # Errors
/// When it could not be started or was lost.
pub fn run(mut ready: Ready, cwd: &Path, folder: &Path) -> Result<Ran> {
    // Into files, not pipes: whoever the agent leaves behind may hold a pipe open for long.
    let (stdout, stderr) = (folder.join("stdout"), folder.join("stderr"));
    let command = ready.command.current_dir(cwd).stdin(Stdio::null());
    command.stdout(fs::File::create(&stdout)?).stderr(fs::File::create(&stderr)?);
    let program = PathBuf::from(command.get_program());
    let mut child = command.spawn().with_context(|| format!("could not run {}", program.display()))?;
    let ended = wait(&mut child, LIMIT)?;
    let read = |path: &PathBuf| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok(Ran { stdout: read(&stdout)?, stderr: read(&stderr)?, ended })
}

/// How the child ended; `None` when its time was up and it was ended.
///
/// # Errors
/// When the child was lost.
pub fn wait(child: &mut Child, limit: Duration) -> Result<Option<String>> {
    if let Some(status) = wait_for(child, limit)? {
        return Ok(Some(status));
    }
    // Agents that are installed as a script pass this on to the program they started; SIGKILL they cannot.
    _ = kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM);
    if wait_for(child, GRACE)?.is_none() {
        child.kill()?;
        child.wait()?;
    }
    Ok(None)
}

fn wait_for(child: &mut Child, limit: Duration) -> Result<Option<String>> {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().context("lost the agent")? {
            return Ok(Some(status.to_string()));
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn shell(script: &str) -> Child {
        Command::new("sh").args(["-c", script]).spawn().expect("sh")
    }

    #[test]
    fn an_agent_ends_by_itself_or_is_ended() {
        let ended = wait(&mut shell("exit 3"), Duration::from_secs(60)).expect("waited");
        assert_eq!(ended.as_deref(), Some("exit status: 3"));
        let mut child = shell("exec sleep 60");
        assert_eq!(wait(&mut child, Duration::from_millis(50)).expect("waited"), None);
        assert!(child.try_wait().expect("asked").is_some(), "it still runs");
    }
}
