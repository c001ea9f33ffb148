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
    let dirs = [agents.join("npm/node_modules/.bin"), agents.join("pip/bin"), agents.join("go/bin")];
    if let Some(dir) = dirs.iter().find(|dir| dir.join(agent).exists()) {
        return Some(Sandbox::new().also_on_path(&[dir.clone(), node_dir()]));
    }
    let unavailable = agents.join(format!("{agent}.unavailable")).exists();
    assert!(unavailable || std::env::var_os("CI").is_none(), "CI needs {agent}: run tests/agents/install");
    skipped(agent);
    None
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

/// Whether this tool is installed, as above; CI needs `package` for it.
#[track_caller]
pub fn has_tool(name: &str, package: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = std::env::split_paths(&path).any(|dir| dir.join(name).exists());
    assert!(is_there || std::env::var_os("CI").is_none(), "CI needs {name}: install {package}");
    if !is_there {
        skipped(name);
    }
    is_there
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

fn skipped(agent: &str) {
    let name = std::thread::current().name().unwrap_or("?").to_owned();
    let list = Path::new(env!("CARGO_TARGET_TMPDIR")).join("skipped");
    let mut list = OpenOptions::new().create(true).append(true).open(list).unwrap();
    writeln!(list, "{name}: {agent} is not installed").unwrap();
}
