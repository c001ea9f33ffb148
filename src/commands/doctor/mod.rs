//! `agent-run doctor`: looks at everything a launch depends on, and says of each thing what to do about it.
//!
//! It changes nothing but that it removes what its own killed probes left, and shows no key. It asks a provider only for
//! the window of a model, if the provider is named and on this machine. A key command runs only where it was asked for,
//! since it may want a password; an agent is started only to tell its version, or by `--probe`.

mod agents;
mod folders;
mod keys;
mod launches;
mod links;
mod lists;
mod probe;
mod probes;
mod report;
mod trials;
mod version;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use shims::{Agent, Message};

use self::agents::AgentsReport;
use self::keys::KeyOptions;
use self::launches::Launches;
use self::probes::Probes;
use self::report::{DoctorReport, Finding, Group, Severity};
use super::target::Target;
use crate::cli::DoctorArgs;
use crate::config::{self, LintReport, Loaded, Problems};
use crate::context::{Context, without_config};
use crate::env::Environment;
use crate::launch::lookup;
use crate::probe::Interrupts;
use crate::shim_links::pairs::ShimTarget;
use crate::ui::{Screen, output};

/// Looks, and prints what was found; the exit code is 1 when something is wrong.
pub fn run(asked: &DoctorArgs, config: Option<&Path>, env: &Environment) -> Result<ExitCode> {
    let interrupts = Interrupts::catch()?;
    let (path, dirs) = (env.config_file(config)?, env.dirs()?);
    let loaded = config::load(&path);
    let providers = loaded.as_ref().ok().map(|loaded| &loaded.config.providers);
    let is_provider = |name: &str| providers.is_some_and(|all| all.contains_key(name));
    let target =
        Target::read(asked.provider.as_deref(), asked.agent.as_deref(), is_provider, lookup::coding_agent)?;
    if let (Some(name), Ok(loaded)) = (&target.provider, &loaded) {
        lookup::provider(name, &loaded.config)?;
    }
    let named = target.provider.as_deref().unwrap_or_default();
    let loaded = loaded.map_err(|error| without_config(error, &path, named));
    let agents: Vec<&'static dyn Agent> = match target.agent {
        Some(agent) => vec![agent],
        None => shims::coding_agents().collect(),
    };
    let mut report = DoctorReport::default();
    report.add(ourselves(env));
    report.add(config_file(&path, &loaded));
    // Of what another config has, the shims and the folders of the usual one know nothing.
    let is_usual = !env.shims_read_another(config);
    let of_shims = loaded.as_ref().ok().filter(|_| is_usual);
    let pairs = of_shims.map_or_else(Vec::new, |loaded| links::pairs(&loaded.config, env));
    let used: Vec<_> = pairs.iter().map(|pair| pair.agent.name()).collect();
    let AgentsReport { found, known: known_problems, here } =
        agents::look(&agents, target.agent.is_some(), &used, &dirs, env, &interrupts)?;
    report.add(found);
    let context = loaded.map(|loaded| Context { env, dirs: dirs.clone(), loaded });
    let launches = context.as_ref().ok().map(|context| {
        let installed: Vec<_> = here.iter().map(|here| here.agent).collect();
        launches::of(&installed, target.provider.as_deref(), &pairs, &context.loaded.config)
    });
    let of_usual = context.as_ref().ok().filter(|_| is_usual);
    if let Some(context) = of_usual {
        report.add(links::look(&context.loaded.config, env));
    }
    if let (Ok(context), Some(launches)) = (&context, &launches) {
        look_closer(asked, &target, launches, &pairs, context, &mut report);
    }
    if let Some(part) = asked.probe {
        let launches = launches.as_deref().zip(context.as_ref().ok());
        Probes { part, here: &here, launches, dirs: &dirs, env, interrupts: &interrupts }.run(&mut report)?;
    }
    let known = of_usual.map(|context| |name: &str| lookup::is_known(name, &context.loaded.config));
    report.add(folders::look(&dirs, known.as_ref().map(|known| known as _)));
    // Nothing is to be done about them, so they come last.
    report.add(known_problems);
    if asked.json {
        let version = env!("CARGO_PKG_VERSION");
        let data = json!({ "version": version, "well": report.is_well(), "report": report });
        output::json(&data)?;
    } else {
        let screen = Screen::stdout();
        let text = if asked.verbose { report.full(screen) } else { report.brief(screen) };
        output::whole(&text)?;
    }
    Ok(if report.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What only makes sense with a config.
fn look_closer(
    asked: &DoctorArgs,
    target: &Target,
    launches: &[Launches],
    pairs: &[ShimTarget],
    context: &Context<'_>,
    report: &mut DoctorReport,
) {
    let Context { env, dirs, loaded } = context;
    let named = target.provider.as_deref();
    let providers = &loaded.config.providers;
    let commands = asked.keys || (named.is_some() && asked.probe.is_none());
    let options =
        KeyOptions { named: named.is_some(), commands, config: &loaded.path, home: &dirs.home, env };
    // Where there are shims, their pairs are what this machine is used for.
    let is_used =
        |name: &str| pairs.is_empty() || asked.keys || pairs.iter().any(|pair| pair.provider == name);
    let chosen =
        || providers.iter().filter(|(name, _)| named.map_or_else(|| is_used(name), |named| named == *name));
    let (mut keys, missing) = keys::look(chosen(), options);
    let others: Vec<_> = providers.keys().filter(|name| !is_used(name)).map(String::as_str).collect();
    if !others.is_empty() && named.is_none() {
        let text = format!("not checked, because they have no shims: {}", others.join(", "));
        keys.add(Finding::ok("others", text).briefly(""));
    }
    report.add(keys);
    report.add(lists::look(chosen(), &loaded.config, named.is_some(), &missing, dirs, env));
    report.add(launches::look(launches, named, &missing, context));
}

fn ourselves(env: &Environment) -> Group {
    let mut group = Group::new(format!("agent-run {}", env!("CARGO_PKG_VERSION")));
    let program = std::env::current_exe().map_or_else(|_| "?".to_owned(), |path| path.display().to_string());
    group.add(Finding::ok("program", program.as_str()).briefly(program));
    if env.var(shims::planner::DEPTH).is_some() {
        let text = "this runs inside a launch, so it sees the agent's environment";
        group.add(Finding::note("here", text, "run this in a shell outside the agent"));
    }
    group
}

fn config_file(path: &Path, loaded: &Result<Loaded>) -> Group {
    let mut group = Group::new("Config");
    match loaded {
        Ok(loaded) => {
            let count = loaded.config.providers.len();
            let text = format!("{}, providers: {count}", path.display());
            group.add(Finding::ok("file", text.as_str()).briefly(text));
            let otherwise = "fix it in the file: `agent-run config` opens it";
            let said = |text: &Message| Finding::said(Severity::Note, "file", text, otherwise);
            group.extend(loaded.warnings().map(said));
        }
        Err(error) => {
            let otherwise = "`agent-run config` opens it";
            match config::lint(path) {
                Ok(LintReport { errors, .. }) if !errors.is_empty() => {
                    let said = |text: Message| Finding::said(Severity::Problem, "file", &text, otherwise);
                    group.extend(Problems::new(path, errors, "").messages().map(said));
                }
                _ => group.add(Finding::error(Severity::Problem, "file", error, otherwise)),
            }
        }
    }
    group
}
