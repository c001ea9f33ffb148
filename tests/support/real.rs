//! The real agents, as `tests/agents/install` puts them below the target folder, and the real shells.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::Sandbox;

/// A sandbox with this real agent on PATH.
///
/// `None` when the agent is not installed: the caller returns, and the test is counted as skipped. In CI a
/// missing agent fails the test, unless the installer left a note that its registry does not have it.
#[track_caller]
pub fn sandbox(agent: &str) -> Option<Sandbox> {
    let agents = agents();
    if let Some(dir) = installed().iter().find(|dir| dir.join(agent).exists()) {
        return Some(Sandbox::new().also_on_path(&[dir.clone(), node_dir()]));
    }
    let unavailable = agents.join(format!("{agent}.unavailable")).exists();
    assert!(unavailable || std::env::var_os("CI").is_none(), "CI needs {agent}: run tests/agents/install");
    skipped(agent);
    None
}

/// A sandbox with the oldest supported version of this agent on PATH, before the newest; as above when it is not
/// installed.
#[track_caller]
pub fn minimum(agent: &str) -> Option<Sandbox> {
    let dir = agents().join("npm-minimum/node_modules/.bin");
    if dir.join(agent).exists() {
        return Some(Sandbox::new().also_on_path(&[dir, node_dir()]));
    }
    skip(&format!("the minimum of {agent}"), "run tests/agents/install minimum")
}

/// Where the agents are, and what some of them are started by.
pub fn folders() -> Vec<PathBuf> {
    installed().into_iter().chain([node_dir()]).collect()
}

fn installed() -> [PathBuf; 3] {
    ["npm/node_modules/.bin", "pip/bin", "go/bin"].map(|dir| agents().join(dir))
}

/// A sandbox for this shell; `None` as above when it, or what it completes with, is not installed.
#[track_caller]
pub fn shell(name: &str) -> Option<Sandbox> {
    let needed: &[&str] = match name {
        "bash" => &["/usr/share/bash-completion/bash_completion"],
        _ => &[],
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = std::env::split_paths(&path).any(|dir| dir.join(name).exists());
    if is_there && needed.iter().all(|file| Path::new(file).exists()) {
        return Some(Sandbox::new());
    }
    assert!(std::env::var_os("CI").is_none(), "CI needs {name}, and bash-completion for bash");
    skipped(name);
    None
}

/// Whether these programs are installed; treated as above when one is not.
#[track_caller]
pub fn tools(names: &[&str]) -> bool {
    names.iter().all(|name| program(name).is_some())
}

/// A program of the system's that a test is run with; `None` as above when it is not there.
#[track_caller]
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    dirs.map(|dir| dir.join(name)).find(|file| file.is_file()).or_else(|| skip(name, "install it"))
}

/// Skips the test, which needs something that is not there; in CI that is a failure.
#[track_caller]
pub fn skip<T>(what: &str, help: &str) -> Option<T> {
    assert!(std::env::var_os("CI").is_none(), "CI needs {what}: {help}");
    skipped(what);
    None
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

/// Counts the calling test as skipped, for want of this.
pub fn skipped(agent: &str) {
    let name = std::thread::current().name().unwrap_or("?").to_owned();
    let list = Path::new(env!("CARGO_TARGET_TMPDIR")).join("skipped");
    let mut list = OpenOptions::new().create(true).append(true).open(list).unwrap();
    writeln!(list, "{name}: {agent} is not installed").unwrap();
}
