//! Locates the agent on `PATH`, skipping this binary.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use nix::unistd::{AccessFlags, access};
use shims::{Agent, Dirs, Inputs, Message};

use super::snapshot;
use crate::env::Environment;

/// The agent cannot be started. Its own type, since the exit code depends on it.
#[derive(Debug)]
pub struct ProgramError {
    /// What is wrong, and what to do.
    pub message: Message,
    /// Whether the command is there and cannot be run: exit code 126, else 127.
    pub is_there: bool,
}

impl ProgramError {
    /// The program at `path` cannot be run, for this reason.
    pub fn not_runnable(path: &Path, why: &str) -> Self {
        let path = path.display();
        let help = format!("check it with `ls -l {path}` and `file {path}`");
        Self { message: Message::new(format!("could not run {path}: {why}"), help), is_there: true }
    }
}

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message.fmt(f)
    }
}

impl std::error::Error for ProgramError {}

/// The program of a launch with these arguments, see [`locate_program`].
///
/// # Errors
/// [`ProgramError`], when there is none.
pub fn locate_for(
    agent: &dyn Agent,
    args: &[OsString],
    inputs: &Inputs,
    env: &Environment,
) -> Result<PathBuf> {
    locate_program(agent, &agent.program(args, inputs), &env.path(), &agent.fallback_programs(inputs))
}

/// The agent's own program, whatever a launch's arguments name, see [`locate_program`].
///
/// # Errors
/// [`ProgramError`], when there is none.
pub fn locate(agent: &dyn Agent, dirs: &Dirs, env: &Environment) -> Result<PathBuf> {
    let inputs = snapshot::without_files(dirs, env);
    locate_program(agent, agent.name().as_ref(), &env.path(), &agent.fallback_programs(&inputs))
}

/// The program to start: the first on `path` that can be run and is not this very program, then the
/// places where the agent's own installer puts it.
///
/// This program is known by device and inode, through links too, and a copy of it by its bytes. That is what lets a
/// shim come before the agent on `PATH`, under the agent's own name even. A `program` with a `/` in it is a path and
/// not searched for. An empty element of `PATH` means the working folder, as in a shell.
///
/// # Errors
/// [`ProgramError`], when there is none.
pub fn locate_program(
    agent: &dyn Agent,
    program: &OsStr,
    path: &[PathBuf],
    fallbacks: &[PathBuf],
) -> Result<PathBuf> {
    let own = own_path().and_then(|path| Some((path.metadata().ok()?, path)));
    let is_path = program.as_encoded_bytes().contains(&b'/');
    let here = [PathBuf::new()];
    let path = if is_path { &here } else { path };
    // Without the `./` the name would be searched for once more, and this program found.
    let folder =
        |dir: &PathBuf| if dir.as_os_str().is_empty() && !is_path { ".".into() } else { dir.clone() };
    let on_path = path.iter().map(|dir| folder(dir).join(program));
    let (mut own_found, mut blocked) = (None, None);
    for candidate in on_path.chain(fallbacks.iter().cloned()) {
        let Some(found) = candidate.metadata().ok().filter(Metadata::is_file) else { continue };
        if own.as_ref().is_some_and(|(own, path)| is_same_program((own, path), (&found, &candidate))) {
            own_found.get_or_insert(candidate);
            continue;
        }
        match access(&candidate, AccessFlags::X_OK) {
            Ok(()) => return Ok(candidate),
            Err(error) => _ = blocked.get_or_insert((candidate, error.desc().to_lowercase())),
        }
    }
    // It is no agent that could start itself for ever, and whoever names this program for it means this program.
    if let Some(path) = own_found.filter(|_| !agent.info().is_coding_agent) {
        return Ok(path);
    }
    Err(match blocked {
        Some((path, why)) => anyhow!(ProgramError::not_runnable(&path, &why)),
        None => anyhow!(ProgramError { message: not_found(agent, program), is_there: false }),
    })
}

fn not_found(agent: &dyn Agent, program: &OsStr) -> Message {
    let (program, install) = (program.display(), agent.info().install);
    if agent.info().is_coding_agent {
        Message::new(
            format!("could not find {program} ({}) on PATH", agent.title()),
            format!("install it: `{install}`"),
        )
    } else {
        Message::new(format!("could not find `{program}` on PATH"), install)
    }
}

/// Whether both are one file, or one is a copy of the other. Only files of one size are read.
fn is_same_program(own: (&Metadata, &Path), other: (&Metadata, &Path)) -> bool {
    let id = |metadata: &Metadata| (metadata.dev(), metadata.ino());
    let is_copy = || match (fs::read(own.1), fs::read(other.1)) {
        (Ok(own), Ok(other)) => own == other,
        _ => false,
    };
    id(own.0) == id(other.0) || (own.0.len() == other.0.len() && is_copy())
}

/// This very program.
pub fn own_file_id() -> Option<(u64, u64)> {
    own_path().and_then(|exe| file_id(&exe))
}

/// A path that leads to this very program. Linux has one without asking, which `current_exe` reads.
fn own_path() -> Option<PathBuf> {
    if cfg!(target_os = "linux") { Some("/proc/self/exe".into()) } else { std::env::current_exe().ok() }
}

/// What is at `path`, links followed, by device and inode.
pub fn file_id(path: &Path) -> Option<(u64, u64)> {
    let metadata = path.metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}
