//! `agent-run help`: the help of a command, and the manual as files.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::cli::help::HelpArgs;
use crate::cli::overview;
use crate::env::Environment;
use crate::manual;
use crate::ui::output;

/// What clap answers to `agent-run COMMAND --help`, which it calls an error.
pub fn page(asked: &HelpArgs) -> Option<clap::Error> {
    let words = asked.command.iter().map(String::as_str);
    overview::shown().try_get_matches_from(["agent-run"].into_iter().chain(words).chain(["--help"])).err()
}

/// Writes the manual below `dir`, and says how to read it.
///
/// # Errors
/// When a page cannot be written, or there is no home folder to write to.
pub fn write_manual(dir: Option<&Path>, env: &Environment) -> Result<ExitCode> {
    let dir = match dir {
        Some(dir) => std::path::absolute(dir)?,
        None => env.dirs()?.data.join("man"),
    };
    let pages = manual::write(&dir)?;
    let option = if manual::is_searched(&dir, &env.path(), env.var("MANPATH")) {
        String::new()
    } else {
        format!("-M {} ", shims::quote(dir.as_os_str()))
    };
    output::people(|out| {
        for page in &pages {
            writeln!(out, "wrote {}", page.display())?;
        }
        writeln!(out, "To read them:\n  man {option}agent-run\n  man {option}agent-run-config")
    })
}
