//! Carries out a [`Plan`]: folders, files, links, merges, the key, and at last `exec`.
//!
//! The only place that changes the machine on behalf of a launch, and it changes what the plan names and
//! nothing else. What stands already as planned is not written again.

pub mod carry;
pub mod homes;

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use shims::{Message, Note, Part, Plan, Value};

use crate::env::Environment;
use crate::fs::private_dir::user_dir;
use crate::fs::{Folders, files, io_error};
use crate::launch::json_merge;
use crate::launch::program::ProgramError;

/// Makes the machine ready for the plan: everything but the exec itself.
///
/// # Errors
/// At the first step that fails; what was done until then is whole, and the next launch goes on from it.
pub fn prepare(
    plan: &Plan,
    folders: &mut Folders<'_>,
    key: Option<&str>,
    notes: &mut Vec<Note>,
) -> Result<()> {
    copy(plan, folders, notes)?;
    for dir in &plan.dirs {
        folders.private(dir)?;
    }
    for dir in &plan.user_dirs {
        user_dir(dir)?;
    }
    for (path, link) in &plan.links {
        if let Some(folder) = path.parent() {
            folders.private(folder)?;
        }
        match link {
            Some(link) => files::link(path, link)?,
            None => files::unlink(path)?,
        }
    }
    // After the links, so that no agent saves in one from here on.
    for path in plan.old_copies.iter().filter(|path| homes::is_unchanged_copy(path)) {
        std::fs::remove_file(path).map_err(io_error("remove", path))?;
    }
    for (path, files) in &plan.adopt {
        files::adopt(path, files)?;
    }
    // After the rest: some say that all of it was done.
    for (path, file) in &plan.files {
        files::write_in(folders, path, file)?;
    }
    for (path, merge) in &plan.merges {
        json_merge::merge(path, merge, key)?;
    }
    Ok(())
}

/// Copies what the plan names, and what earlier launches could not read.
fn copy(plan: &Plan, folders: &mut Folders<'_>, notes: &mut Vec<Note>) -> Result<()> {
    let mut left = carry::Left::default();
    let still = match &plan.uncopied {
        Some(path) => carry::pending::again(path, folders, &mut left.second, notes)?,
        None => None,
    };
    for carried in &plan.carry {
        carry::carry(carried, folders, &mut left)?;
    }
    if !left.second.is_empty() {
        let second: Vec<_> = left.second.iter().map(|path| path.display().to_string()).collect();
        notes.push(Note::Warning(Message::new(
            "earlier versions had two files of the same name, and one was copied",
            format!("nothing to do; the others were not changed:\n  {}", second.join("\n  ")),
        )));
    }
    match &plan.uncopied {
        Some(path) => carry::pending::note(path, still, left.unread, folders, notes),
        None => Ok(()),
    }
}

/// The command that the plan starts, with its environment filled in.
pub fn command(plan: &Plan, key: Option<&str>, env: &Environment) -> Result<Command> {
    let mut command = Command::new(&plan.program);
    command.args(&plan.args);
    if !env.is_own() {
        command.env_clear().envs(env.all());
    }
    for (name, value) in &plan.env {
        match value {
            Some(value) => _ = command.env(name, fill(value, key, env)?),
            None if env.all().contains_key(name) => _ = command.env_remove(name),
            // The agent's whole family is named in a plan, and most of it is not there.
            None => {}
        }
    }
    Ok(command)
}

/// Becomes the agent: same process, terminal, signals and exit code.
///
/// std's `exec` also resets SIGPIPE, which a Rust program ignores and a bare `execve` would hand on.
///
/// # Errors
/// Always, if it returns at all: the program could not be run.
pub fn replace_process(mut command: Command) -> Result<Infallible> {
    let error = command.exec();
    let program = Path::new(command.get_program()).to_owned();
    Err(anyhow!(ProgramError::not_runnable(&program, &error.to_string())))
}

fn fill(value: &Value, key: Option<&str>, env: &Environment) -> Result<OsString> {
    let mut filled = OsString::new();
    for part in value.parts() {
        match part {
            Part::Text(text) => filled.push(text),
            Part::Key => filled.push(key.context("the plan needs a key, and the provider has none")?),
            Part::Env(name) => filled.push(
                env.all()
                    .get(name.as_ref() as &std::ffi::OsStr)
                    .with_context(|| format!("{name} is not set"))?,
            ),
        }
    }
    Ok(filled)
}
