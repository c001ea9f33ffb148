//! The real agents, as `tests/agents/install` puts them below the target folder, and the real shells.

use std::path::{Path, PathBuf};

use super::Sandbox;

/// A sandbox with this real agent on PATH. An agent that is not installed fails the test: what cannot run is
/// left out by a feature of Cargo.toml, and counts as ignored.
///
/// Always `Some`, for callers that chain it.
#[track_caller]
#[allow(clippy::unnecessary_wraps, reason = "callers chain it")]
pub fn sandbox(agent: &str) -> Option<Sandbox> {
    let dir = installed().into_iter().find(|dir| dir.join(agent).exists());
    let Some(dir) = dir else {
        missing(agent, "tests/agents/install; a test of Crush needs the attribute for `real-crush`")
    };
    Some(Sandbox::new().also_on_path(&[dir, node_dir()]))
}

/// Whether the tests of this agent run: for those that loop over all agents. Not every module proxy has Crush.
pub fn is_enabled(agent: &str) -> bool {
    agent != "crush" || cfg!(feature = "real-crush")
}

/// As [`sandbox`], with the oldest supported version of the agent.
#[track_caller]
#[allow(clippy::unnecessary_wraps, reason = "callers chain it")]
pub fn minimum(agent: &str) -> Option<Sandbox> {
    let dir = minimum_folder();
    if !dir.join(agent).exists() {
        missing(&format!("the oldest {agent}"), "tests/agents/install minimum")
    }
    Some(Sandbox::new().also_on_path(&[dir, node_dir()]))
}

/// Where the oldest supported versions are, for a test that needs them beside the newest.
pub fn minimum_folder() -> PathBuf {
    agents().join("npm-minimum/node_modules/.bin")
}

/// Where the agents are, and what some of them are started by.
pub fn folders() -> Vec<PathBuf> {
    installed().into_iter().chain([node_dir()]).collect()
}

/// The release that `.ci/contract` tries comes before the pinned ones, which are the others.
fn installed() -> Vec<PathBuf> {
    let bases = tried().into_iter().chain([agents()]);
    bases.flat_map(|base| ["npm/node_modules/.bin", "pip/bin", "go/bin"].map(|dir| base.join(dir))).collect()
}

/// Where `.ci/contract` put the release that it tries.
fn tried() -> Option<PathBuf> {
    std::env::var_os("AGENT_RUN_TEST_AGENTS").map(PathBuf::from)
}

/// A sandbox for this shell; the test fails when it, or what it completes with, is not installed.
#[track_caller]
#[allow(clippy::unnecessary_wraps, reason = "callers chain it")]
pub fn shell(name: &str) -> Option<Sandbox> {
    let bash_completion = Path::new("/usr/share/bash-completion/bash_completion");
    if name == "bash" && !bash_completion.exists() {
        missing("bash-completion", "install it");
    }
    tools(&[name]).then(Sandbox::new)
}

/// True; the test fails when one of these programs is not installed.
#[track_caller]
pub fn tools(names: &[&str]) -> bool {
    names.iter().all(|name| program(name).is_some())
}

/// A program of the system's that a test is run with; the test fails when it is not there.
#[track_caller]
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let found = dirs.map(|dir| dir.join(name)).find(|file| file.is_file());
    found.or_else(|| missing(name, "install it, or leave out the feature that this test needs"))
}

/// Fails a test that needs something that is not there.
#[track_caller]
pub fn missing(what: &str, help: &str) -> ! {
    panic!("this test needs {what}: {help}")
}

/// The Python of Hermes, with what Hermes reads files by.
pub fn python_of_hermes() -> PathBuf {
    let bases = tried().into_iter().chain([agents()]);
    let python = bases.map(|base| base.join("pip/bin/python3")).find(|python| python.exists());
    python.expect("Hermes is not installed: run tests/agents/install")
}

fn agents() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("agents")
}

/// Where node is, which codex is started by; it may lie outside the usual folders.
fn node_dir() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).find(|dir| dir.join("node").exists());
    found.unwrap_or_else(|| PathBuf::from("/usr/bin"))
}
