//! `agent-run demo`: launches an agent on a provider inside this program, and tells what it was sent.
//!
//! The agent is found, planned for and started just as in a launch; only the provider is made up, and the
//! home is empty and gone afterwards. Nothing of the user's is read or written, and no network is needed.

mod fake_agent;
mod sandbox;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use shims::{Agent, Dirs, Message};

use crate::context::Context;
use crate::env::Environment;
use crate::launch::program::{self, ProgramError};
use crate::launch::{self, LaunchRequest, UserFiles};
use crate::mock_provider::{Log, MockProvider, Script};
use crate::probe::{self, Interrupts, ProbeOutput, ProbeReport};
use crate::ui::output;
use crate::{commands::help, config, ui};
use sandbox::DemoSandbox;

/// Runs the demo with the named agent, else with the first that is installed, else with a stand-in.
///
/// The exit code tells whether everything was as promised.
pub fn run(agent: Option<&'static dyn Agent>, config: Option<&Path>, env: &Environment) -> Result<ExitCode> {
    let interrupts = Interrupts::catch()?;
    let mock_provider = MockProvider::start(Script::default(), Log::memory())?;
    let _held = interrupts.hold()?;
    let sandbox = DemoSandbox::set(&mock_provider)?;
    let mut expected = sandbox.expected();
    let ran = if let Some((agent, program)) = choose(agent, env)? {
        say(&format!(
            "Starting {} as a launch would, on a built-in provider and in an empty home.\n",
            agent.title()
        ))?;
        launch(agent, &program, &sandbox, env, &interrupts)?
    } else {
        let names: Vec<_> = shims::coding_agents().map(Agent::name).collect();
        let (names, install) =
            (names.join(", "), shims::coding_agents().next().map_or("", |agent| agent.info().install));
        say(&Message::new(
            format!(
                "No agent is on PATH ({names}), so a small built-in client sends the requests. This \
                 shows the provider, but not a launch."
            ),
            format!("install an agent and run this again, for example:\n  {install}\n"),
        )
        .render())?;
        expected.stale.clear();
        ProbeOutput {
            stdout: fake_agent::ask(&sandbox)?,
            stderr: String::new(),
            ended: Some("done".to_owned()),
        }
    };
    interrupts.check()?;
    let findings = ProbeReport::of(&mock_provider.requests(), &expected, &ran);
    say(findings.to_string().trim_end())?;
    if !findings.as_promised() {
        return Ok(ExitCode::FAILURE);
    }
    say(&help::next(config, env).unwrap_or_else(|| "Next: `agent-run providers add`".to_owned()))
}

/// The agent to run and where it is.
fn choose(
    agent: Option<&'static dyn Agent>,
    env: &Environment,
) -> Result<Option<(&'static dyn Agent, PathBuf)>> {
    let dirs = env.dirs()?;
    let find = |agent: &'static dyn Agent| program::locate(agent, &dirs, env).map(|program| (agent, program));
    if let Some(agent) = agent {
        return find(agent).map(Some);
    }
    for agent in shims::coding_agents() {
        match find(agent) {
            Ok(found) => return Ok(Some(found)),
            Err(error) if error.is::<ProgramError>() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn launch(
    agent: &'static dyn Agent,
    program: &Path,
    sandbox: &DemoSandbox,
    env: &Environment,
    interrupts: &Interrupts,
) -> Result<ProbeOutput> {
    let env = sandbox.environment(env, program);
    let dirs = Dirs { cwd: sandbox.path("work"), ..env.dirs()? };
    let loaded = config::parse(sandbox.config(), "the demo's config".as_ref())?;
    let context = Context { env: &env, dirs, loaded };
    let args = agent.one_shot(probe::PROMPT);
    let request = LaunchRequest { args, ..LaunchRequest::new(agent, sandbox::PROVIDER) };
    let mut notes = Vec::new();
    let prepared = launch::prepare(&request, &context, UserFiles::Merge, &mut notes);
    notes.iter().for_each(ui::log::note);
    probe::run(prepared?, &context.dirs.cwd, &sandbox.path(""), interrupts)
}

fn say(text: &str) -> Result<ExitCode> {
    output::people(|out| writeln!(out, "{text}"))
}
