//! The shims on PATH, and what completes them.

use clap::ValueEnum;
use shims::quote;

use super::report::{Finding, Group, Severity};
use crate::cli::Shell;
use crate::commands::shims::agent_completions;
use crate::commands::shims::completions::Completions;
use crate::config::Config;
use crate::env::Environment;
use crate::shim_links::pairs::ShimTarget;
use crate::shim_links::{self, Links};

/// Looks at every folder of PATH.
pub fn look(config: &Config, env: &Environment) -> Group {
    let mut group = Group::new("Shims");
    let mut sound = Vec::new();
    for folder in env.path() {
        let links = Links::of(folder);
        for (name, _) in links.ours().unwrap_or_default() {
            match trouble(&name, &links, config) {
                Some(finding) => group.add(finding),
                None => sound.push(name),
            }
        }
    }
    if !sound.is_empty() {
        group.add(Finding::ok("on PATH", sound.join(", ")).briefly(sound.join(", ")));
    }
    group.extend(not_on_path(config, env));
    group.extend(completion(env));
    group
}

/// The folder of the shims, where it holds some and PATH lacks it.
fn not_on_path(config: &Config, env: &Environment) -> Option<Finding> {
    let folder = shim_links::folder(None, Some(config), env).ok()?;
    if env.path().contains(&folder) || Links::of(folder.clone()).ours().ok()?.is_empty() {
        return None;
    }
    let text = format!("{} holds shims and is not on PATH", folder.display());
    Some(Finding::note("PATH", text, shim_links::path_help(&folder, env)))
}

/// The pairs that have a shim on PATH and fit together, each once.
pub fn pairs(config: &Config, env: &Environment) -> Vec<ShimTarget> {
    let mut names: Vec<String> = env
        .path()
        .into_iter()
        .flat_map(|folder| Links::of(folder).ours().unwrap_or_default())
        .map(|(name, _)| name)
        .collect();
    names.sort();
    names.dedup();
    let pairs = names.iter().filter_map(|name| ShimTarget::parse(name).ok());
    pairs.filter(|pair| config.providers.contains_key(&pair.provider) && pair.check(config).is_ok()).collect()
}

fn trouble(name: &str, links: &Links, config: &Config) -> Option<Finding> {
    let path = links.folder().join(name);
    let remove = format!("run `rm {}`", quote(path.as_os_str()));
    if links.is_dangling(name) {
        let can_work = ShimTarget::parse(name).is_ok_and(|pair| pair.check(config).is_ok());
        let repair = format!("`agent-run shims install {name}` repairs it, or {remove}");
        let help = if can_work { repair } else { remove };
        return Some(Finding::problem(name, format!("{} is a broken link", path.display()), help));
    }
    let error = ShimTarget::parse(name).and_then(|pair| pair.check(config)).err()?;
    let finding = Finding::error(Severity::Note, name, &error, &remove);
    Some(finding.or_else_do(&remove))
}

/// Whether the user's shell finds our completion, as far as its startup files tell.
fn completion(env: &Environment) -> Option<Finding> {
    let shell = env.shell()?;
    let known = Shell::from_str(shell, false).ok()?;
    let own = env.dirs().ok()?.data;
    let found = env.data_dirs().ok()?.into_iter().find_map(|dir| Completions::below(dir).is_current(known));
    // What a package has put elsewhere is found by every shell.
    let is_own = || Completions::below(own).is_current(known).is_some();
    if let Some(not_loaded) =
        found.filter(|is_current| *is_current && is_own()).and_then(|_| agent_completions::not_loaded(env))
    {
        return Some(Finding::said(Severity::Note, "completion", &not_loaded, ""));
    }
    let line = match known {
        Shell::Fish => "agent-run completion fish | source".to_owned(),
        _ => format!("eval \"$(agent-run completion {shell})\""),
    };
    Some(match found {
        Some(true) => {
            Finding::ok("completion", format!("loaded by {shell}")).briefly(format!("completion for {shell}"))
        }
        Some(false) => {
            let text = format!("the file that {shell} loads is from another version");
            Finding::note("completion", text, "`agent-run shims install` rewrites it")
        }
        None => {
            // An rc file may load it all the same, so there may be nothing to do.
            let text = format!("no completion file for {shell}; to load completion at startup: {line}");
            Finding::ok("completion", text).briefly("")
        }
    })
}
