//! `agent-run demo`: launches an agent on a provider inside this program, and tells what it was sent.
//!
//! The agent is found, planned for and started just as in a launch; only the provider is made up, and the
//! home is empty and gone afterwards. Nothing of the user's is read or written, and no network is needed.

mod findings;
mod scene;
mod stand_in;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shims::{Agent, Dirs};

use crate::canary::{Canary, Log, Script};
use crate::commands::launch::Ready;
use crate::env::Environment;
use crate::exec::Missing;
use crate::request::Request;
use crate::{config, exec, inputs, output};
use findings::Findings;
use scene::Scene;

/// What the agent is asked.
const PROMPT: &str = "say pong";

/// An agent's first start on a slow machine takes half a minute; one that takes this long waits for
/// something that does not come.
const LIMIT: Duration = Duration::from_secs(120);

/// How long an agent that was told to end may take.
const GRACE: Duration = Duration::from_secs(3);

/// What came of the run.
struct Ran {
    /// What the agent said on stdout.
    stdout: String,
    /// What it said on stderr.
    stderr: String,
    /// How it ended; `None` when the time was up.
    ended: Option<String>,
}

/// Runs the demo with the named agent, else with the first that is installed, else with a stand-in.
///
/// The exit code tells whether everything was as promised.
///
/// # Errors
/// When the named agent is not installed, or could not be launched.
pub fn run(agent: Option<&'static dyn Agent>, env: &Environment) -> Result<ExitCode> {
    let canary = Canary::start(Script::default(), Log::memory())?;
    let scene = Scene::set(canary.addr())?;
    let ran = if let Some((agent, program)) = choose(agent, env)? {
        say(&format!(
            "Starting {} as a launch would, on a provider inside this program, in an empty home.\n",
            agent.title()
        ))?;
        launch(agent, &program, &scene, env)?
    } else {
        let (names, install) = (shims::names(), shims::AGENTS.first().map_or("", |agent| agent.install()));
        say(&format!(
            "No agent is on PATH ({names}), so a stand-in inside this program asks. \
             It shows the provider, but no launch.\n\
             help: install an agent and run this again, for instance: {install}\n"
        ))?;
        Ran { stdout: stand_in::ask(&scene)?, stderr: String::new(), ended: Some("done".to_owned()) }
    };
    let findings = Findings::of(&canary.requests(), &scene, &ran);
    say(&findings.to_string())?;
    Ok(if findings.as_promised() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The agent to run and where it is.
fn choose(
    agent: Option<&'static dyn Agent>,
    env: &Environment,
) -> Result<Option<(&'static dyn Agent, PathBuf)>> {
    let dirs = env.dirs()?;
    let find = |agent: &'static dyn Agent| {
        let program = exec::find(agent, &env.path(), &agent.fallback_programs(&inputs::bare(&dirs, env)))?;
        Ok((agent, program))
    };
    if let Some(agent) = agent {
        return find(agent).map(Some);
    }
    for agent in shims::AGENTS {
        match find(*agent) {
            Ok(found) => return Ok(Some(found)),
            Err(error) if error.is::<Missing>() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn launch(agent: &'static dyn Agent, program: &Path, scene: &Scene, env: &Environment) -> Result<Ran> {
    let env = scene.environment(env, program);
    let dirs = Dirs { cwd: scene.path("work"), ..env.dirs()? };
    let loaded = config::parse(scene.config(), "the demo's config".as_ref())?;
    let request = Request {
        agent,
        provider: scene::PROVIDER.to_owned(),
        model: None,
        protocol: None,
        force: shims::opts::Force::default(),
        config: None,
        args: agent.one_shot(PROMPT),
        show: None,
    };
    let mut ready = Ready::prepare(&request, &loaded, &dirs, &env)?;
    // Into files, not pipes: whoever the agent leaves behind may hold a pipe open for long.
    let (stdout, stderr) = (scene.path("stdout"), scene.path("stderr"));
    let command = ready.command.current_dir(&dirs.cwd).stdin(Stdio::null());
    command.stdout(fs::File::create(&stdout)?).stderr(fs::File::create(&stderr)?);
    let mut child = command.spawn().with_context(|| format!("could not run {}", program.display()))?;
    let ended = wait(&mut child, LIMIT)?;
    let read = |path: &PathBuf| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok(Ran { stdout: read(&stdout)?, stderr: read(&stderr)?, ended })
}

/// How the agent ended; `None` when its time was up and it was ended.
fn wait(child: &mut Child, limit: Duration) -> Result<Option<String>> {
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

fn say(text: &str) -> Result<ExitCode> {
    output::write(|out| writeln!(out, "{text}"))
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
