//! `agent-run help`: the help of a command, and the manual as files.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use shims::Agent;

use super::providers::launch_command;
use crate::catalog::Catalog;
use crate::cli::help::HelpArgs;
use crate::cli::overview;
use crate::env::Environment;
use crate::launch::{lookup, program};
use crate::ui::output;
use crate::{config, manual, suggest};

/// What clap answers to `agent-run COMMAND --help`, which it calls an error.
pub fn page(asked: &HelpArgs) -> Option<clap::Error> {
    let words = asked.command.iter().map(String::as_str);
    overview::shown(None).try_get_matches_from(["agent-run"].into_iter().chain(words).chain(["--help"])).err()
}

/// What to type next on this machine; nothing, where there is no provider yet. `option` is the config that was given,
/// which the screen adds to commands.
pub fn next(option: Option<&Path>, env: &Environment) -> Option<String> {
    let path = env.config_file(option).ok()?;
    path.symlink_metadata().ok()?;
    Some(match config::load(&path) {
        Err(_) if config::text(&path).is_ok_and(|text| config::is_blank(&text)) => return None,
        Err(_) => format!("Next: `agent-run config check` ({} has errors)", path.display()),
        Ok(loaded) => {
            let (config, dirs) = (&loaded.config, env.dirs().ok()?);
            let is_here = |agent: &dyn Agent| program::locate(agent, &dirs, env).is_ok();
            let here = lookup::example(config, is_here);
            let (name, agent) = here.or_else(|| lookup::example(config, |_| true))?;
            let install =
                if here.is_some() { String::new() } else { format!("`{}`, then ", agent.info().install) };
            let provider = config.providers.get(name)?;
            let models = Catalog::open(&dirs, env, config.models_ttl).known(name, provider).ids();
            let launch = launch_command(name, provider, agent, &models);
            let names: Vec<_> = config.providers.keys().map(String::as_str).collect();
            let names = suggest::join_limited(&names, 3);
            format!("Next: {install}`{launch}` (your providers: {names})")
        }
    })
}

/// Writes the manual below `dir`, and says how to read it.
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
