//! `agent-run shims`: puts symlinks named `<agent>@<provider>` in place, lists and removes them.
//!
//! It touches links that agent-run made and nothing else: whatever else has such a name is reported and
//! left alone. Links point to the name we were called by, which outlives an upgrade.

pub mod agent_completions;
pub mod completions;
mod report;
mod selection;
mod target;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::ValueEnum as _;
use shims::{Agent, Message};

use self::completions::Completions;
use self::report::{Outcome, ShimLine, ShimsReport};
use crate::cli::shims::{ShimsInstallArgs, ShimsListArgs, ShimsRemoveArgs};
use crate::cli::{Shell, ShimsCommand};
use crate::config::{self, Config};
use crate::env::Environment;
use crate::launch::program;
use crate::shim_links::pairs::ShimTarget;
use crate::shim_links::{LinkState, Links, folder};
use crate::ui::{self, Screen, output};

/// Runs one of the commands. `called` is the name we were called by.
pub fn run(
    asked: &ShimsCommand,
    config: Option<&Path>,
    called: &OsStr,
    env: &Environment,
) -> Result<ExitCode> {
    let path = env.config_file(config)?;
    match asked {
        ShimsCommand::Install(install) => {
            let loaded = config::load(&path)?;
            if let Some(option) = config.filter(|_| env.shims_read_another(config)) {
                return Err(of_another_config(option, env));
            }
            self::install(install, &loaded.config, called, env)
        }
        ShimsCommand::List(list) => {
            // What the shims read decides whether they work.
            let read = if env.shims_read_another(config) { env.config_file(None)? } else { path };
            self::list(list, load_if_present(&read)?.as_ref(), env)
        }
        ShimsCommand::Remove(remove) => self::remove(remove, load_if_present(&path)?.as_ref(), env),
        ShimsCommand::Path(asked) => {
            let folder = folder(asked.dir.as_deref(), load_if_present(&path)?.as_ref(), env)?;
            output::write(|out| out.write_all(shown(&folder).as_bytes()))
        }
    }
}

/// Shims of that config would be launched with the one that shims read.
fn of_another_config(option: &Path, env: &Environment) -> anyhow::Error {
    let read =
        env.config_file(None).map_or_else(|_| "the default".to_owned(), |path| path.display().to_string());
    let absolute = std::path::absolute(option).unwrap_or_else(|_| option.to_owned());
    let text = format!("a shim cannot be given --config, and reads the config {read}");
    let line = format!("export AGENT_RUN_CONFIG={}", shims::quote(absolute.as_os_str()));
    let help = format!(
        "to use {} for all shims, add this line to your shell's startup file, and install them without --config:\n  {line}",
        option.display()
    );
    anyhow!(Message::new(text, help))
}

/// The config if there is a file: links outlive it, and have to go all the same.
fn load_if_present(path: &Path) -> Result<Option<Config>> {
    match path.try_exists() {
        Ok(false) => Ok(None),
        _ => config::load(path).map(|loaded| Some(loaded.config)),
    }
}

fn shown(folder: &Path) -> String {
    format!("{}\n", folder.display())
}

fn install(asked: &ShimsInstallArgs, config: &Config, called: &OsStr, env: &Environment) -> Result<ExitCode> {
    let links = Links::of(folder(asked.folder.dir.as_deref(), Some(config), env)?);
    let pairs = selection::pairs(asked, config, env)?;
    let target = target::stable(called, env)?;
    if let Some(warning) = target::warning(&target) {
        ui::log::warn(&warning);
    }
    let mut report = ShimsReport::new(links.folder(), asked.dry_run);
    for pair in &pairs {
        report.add(place(&pair.name(), &links, &target, asked.dry_run)?);
    }
    if !asked.no_prune {
        for (name, _) in links.ours()? {
            if problem(&name, config).is_some() {
                report.add(remove_link(name, &links, asked.dry_run)?);
            }
        }
    }
    report.look_at_path(env);
    report.warn_of_path(env);
    let foreign = report.warn_of_foreign();
    let mut lines = Vec::new();
    if !asked.dry_run {
        // The links work without.
        match add_completions(&report, &links, env) {
            Ok(written) => lines.extend(written),
            Err(error) => ui::log::warn(crate::error::message(&error)),
        }
    }
    report.print(asked.json)?;
    if !asked.json {
        let dirs = env.dirs()?;
        let has_shim =
            |agent: &&'static dyn Agent| pairs.iter().any(|pair| pair.agent.name() == agent.name());
        let agents = shims::coding_agents().filter(has_shim);
        let missing: Vec<_> = agents.filter(|agent| program::locate(*agent, &dirs, env).is_err()).collect();
        if !missing.is_empty() {
            let names: Vec<_> = missing.into_iter().map(Agent::name).collect();
            let less = if asked.names.is_empty() {
                "; to create no shims for these, use `agent-run shims install --found-only`"
            } else {
                ""
            };
            output::people(|out| writeln!(out, "not on PATH: {}{less}", names.join(", ")))?;
        }
    }
    if !asked.json && !asked.dry_run {
        let here = report.standing();
        lines.extend(agent_completions::lines(&here, env));
        let screen = Screen::stdout();
        output::write(|out| {
            // A command to type stays on one line.
            let shown = |line: &String| {
                if line.starts_with(' ') { screen.tilde(line).into() } else { screen.line(line, 2) }
            };
            lines.iter().try_for_each(|line| writeln!(out, "{}", shown(line)))
        })?;
    }
    // What was asked for by name has failed; what merely would have fit has been reported.
    Ok(if foreign && !asked.names.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn place(name: &str, links: &Links, target: &Path, dry_run: bool) -> Result<ShimLine> {
    let mut state = links.state(name);
    if state == LinkState::Missing && !dry_run {
        state = links.make(name, target)?;
    }
    let outcome = match state {
        LinkState::Missing => Outcome::Created,
        LinkState::Unmanaged => Outcome::Foreign,
        LinkState::Managed(to) if to == target => Outcome::AlreadyThere,
        LinkState::Managed(_) => {
            if !dry_run {
                links.point(name, target)?;
            }
            Outcome::Repointed
        }
    };
    let target = Some(target).filter(|_| outcome != Outcome::Foreign);
    Ok(ShimLine::new(name.to_owned(), outcome, target))
}

fn remove_link(name: String, links: &Links, dry_run: bool) -> Result<ShimLine> {
    let outcome = match links.state(&name) {
        LinkState::Unmanaged => Outcome::Foreign,
        LinkState::Missing => Outcome::Missing,
        LinkState::Managed(_) => {
            if !dry_run {
                links.remove(&name)?;
            }
            Outcome::Removed
        }
    };
    Ok(ShimLine::new(name, outcome, None))
}

/// Lets the shells complete the shims that stand now, and forget those that are gone. Says what was written.
fn add_completions(report: &ShimsReport, links: &Links, env: &Environment) -> Result<Vec<String>> {
    let completions = Completions::below(env.dirs()?.data);
    let here = report.standing();
    let written = if here.is_empty() { Vec::new() } else { completions.add(&here)? };
    // Afterwards, or scripts that are to stay would be gone for a moment.
    forget_completions(&completions, links, env)?;
    let mut lines: Vec<_> = written.iter().map(|script| format!("wrote {}", script.display())).collect();
    match (agent_completions::not_loaded(env).filter(|_| !here.is_empty()), env.shell()) {
        (Some(not_loaded), _) => ui::log::warn(not_loaded),
        (None, Some(shell)) if !lines.is_empty() && Shell::from_str(shell, false).is_ok() => {
            lines.push(format!("a new {shell} session loads them"));
        }
        _ => {}
    }
    Ok(lines)
}

/// Removes what completes shims that stand neither in the folder nor on PATH.
fn forget_completions(completions: &Completions, links: &Links, env: &Environment) -> Result<()> {
    let path = env.path();
    let on_path = |name: &str| {
        path.iter().any(|dir| matches!(Links::of(dir.clone()).state(name), LinkState::Managed(_)))
    };
    completions.keep(|name| matches!(links.state(name), LinkState::Managed(_)) || on_path(name))
}

fn remove(asked: &ShimsRemoveArgs, config: Option<&Config>, env: &Environment) -> Result<ExitCode> {
    let links = Links::of(folder(asked.folder.dir.as_deref(), config, env)?);
    let names = if asked.all {
        links.ours()?.into_iter().map(|(name, _)| name).collect()
    } else {
        asked.names.iter().try_for_each(|name| ShimTarget::parse(name).map(|_| ()))?;
        asked.names.clone()
    };
    let mut report = ShimsReport::new(links.folder(), asked.dry_run);
    for name in names {
        report.add(remove_link(name, &links, asked.dry_run)?);
    }
    report.look_at_path(env);
    let foreign = report.warn_of_foreign();
    if !asked.dry_run {
        forget_completions(&Completions::below(env.dirs()?.data), &links, env)?;
    }
    report.print(asked.json)?;
    Ok(if foreign { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The shims of a provider, in the folder that the config names.
pub fn of_provider(provider: &str, config: &Config, env: &Environment) -> Result<Vec<String>> {
    let links = Links::of(folder(None, Some(config), env)?);
    let is_its = |name: &String| shims::split_shim_name(name).is_some_and(|(_, of)| of == provider);
    Ok(links.ours()?.into_iter().map(|(name, _)| name).filter(is_its).collect())
}

/// Removes a shim and what completes it; says whether it was there.
pub fn remove_named(name: &str, config: &Config, env: &Environment) -> Result<bool> {
    let links = Links::of(folder(None, Some(config), env)?);
    let line = remove_link(name.to_owned(), &links, false)?;
    forget_completions(&Completions::below(env.dirs()?.data), &links, env)?;
    Ok(line.outcome == Outcome::Removed)
}

fn list(asked: &ShimsListArgs, config: Option<&Config>, env: &Environment) -> Result<ExitCode> {
    let links = Links::of(folder(asked.folder.dir.as_deref(), config, env)?);
    let mut report = ShimsReport::new(links.folder(), false);
    let mut add = |links: &Links, name: &str, target: PathBuf, shown: String| {
        let problem = match config {
            Some(config) => problem(name, config),
            None => Some("there is no config".to_owned()),
        };
        let dangling = links.is_dangling(name);
        let line = ShimLine::new(shown, Outcome::AlreadyThere, Some(&target));
        report.add(ShimLine { dangling, problem, ..line });
    };
    for (name, target) in links.ours()? {
        add(&links, &name, target, name.clone());
    }
    // Those that a package brought, as Nix does; a folder that was named is meant alone.
    let elsewhere = if asked.folder.dir.is_none() { env.path() } else { Vec::new() };
    let mut seen = BTreeSet::from([links.folder().canonicalize().ok()]);
    for links in elsewhere.into_iter().filter(|dir| seen.insert(dir.canonicalize().ok())).map(Links::of) {
        for (name, target) in links.ours().unwrap_or_default() {
            add(&links, &name, target, links.folder().join(&name).display().to_string());
        }
    }
    report.look_at_path(env);
    report.print_list(asked.json)
}

/// Why a launch by this name would be refused, in a line.
fn problem(name: &str, config: &Config) -> Option<String> {
    let error = ShimTarget::parse(name).and_then(|pair| pair.check(config)).err()?;
    Some(error.to_string())
}
