//! The agents: where they are, what stands before them on PATH, which version.

use std::path::{Path, PathBuf};

use shims::{Agent, Dirs, KnownProblem};

use super::report::{Finding, Group, Severity};
use super::version::{self, Version};
use crate::commands::at_once;
use crate::compatibility::{self, CheckResult, TriedVersion};
use crate::env::Environment;
use crate::launch::program::{self, ProgramError};
use crate::probe::Interrupts;
use crate::ui::Progress;

/// What was found about the agents.
pub struct AgentsReport {
    /// Where they are, and which versions.
    pub found: Group,
    /// The known problems of these versions.
    pub known: Group,
    /// The agents that are here, each with its program and the version that it printed.
    pub here: Vec<AgentHere>,
}

/// An agent that is here.
pub struct AgentHere {
    pub agent: &'static dyn Agent,
    pub program: PathBuf,
    pub version: Option<Version>,
}

/// Looks at these agents, and names the known problems of the versions that are here. An agent that is missing is a
/// problem only where it was named, or none is there, and worth a note where it is one of the `used`.
///
/// # Errors
/// When a signal came meanwhile.
pub fn look(
    agents: &[&'static dyn Agent],
    named: bool,
    used: &[&str],
    dirs: &Dirs,
    env: &Environment,
    interrupts: &Interrupts,
) -> anyhow::Result<AgentsReport> {
    // Held here too, so that a signal between two of them is seen below.
    let _held = interrupts.hold()?;
    let found: Vec<_> = agents.iter().map(|&agent| (agent, program::locate(agent, dirs, env))).collect();
    let all_missing = found.iter().all(|(_, program)| program.is_err());
    // Each takes up to some seconds to tell its version.
    let programs: Vec<_> =
        found.iter().filter_map(|(agent, program)| Some((*agent, program.as_ref().ok()?))).collect();
    let names: Vec<_> = programs.iter().map(|(agent, _)| agent.name()).collect();
    let progress = Progress::with(&names, "asking for its version", !names.is_empty());
    let asked = at_once(&programs, |at, &(agent, program)| {
        let asked = version::ask(program, env, interrupts);
        let version = asked.as_deref().map_or_else(|_| "?".to_owned(), version::shown);
        progress.set(at, &format!("{}: {version}", agent.name()));
        asked
    });
    drop(progress);
    interrupts.check()?;
    let mut asked = asked.into_iter();
    let (mut group, mut known) = (Group::new("Agents"), Group::new("Known problems of these versions"));
    let mut here = Vec::new();
    for (agent, program) in found {
        match program.map(|program| (program, asked.next())) {
            Ok((program, Some(asked))) => {
                let version = asked.as_ref().ok().cloned();
                known.extend(version.iter().flat_map(|version| known_problems(agent, version)));
                group.add(judge(agent, &program, asked));
                group.extend(tried(agent).into_iter().chain(around(agent, &program, env)));
                here.push(AgentHere { agent, program, version });
            }
            Ok((_, None)) => {}
            Err(error) => group.add(absent(agent, &error, named || all_missing, used)),
        }
    }
    Ok(AgentsReport { found: group, known, here })
}

/// An agent that was not found: a problem where it is `needed`, a note where a shim uses it.
fn absent(agent: &dyn Agent, error: &anyhow::Error, needed: bool, used: &[&str]) -> Finding {
    let (name, install) = (agent.name(), agent.info().install);
    let is_missing = matches!(error.downcast_ref(), Some(ProgramError { is_there: false, .. }));
    if needed || !is_missing {
        Finding::error(Severity::Problem, name, error, install)
    } else if used.contains(&name) {
        Finding::error(Severity::Note, name, error, install)
    } else {
        Finding::ok(name, format!("not here; {install}")).briefly("")
    }
}

/// The known problems of a version. What was still there in the newest version that was run may be in a later one.
fn known_problems(agent: &dyn Agent, version: &Version) -> Vec<Finding> {
    let here = agent.info().known_problems.iter().filter(|problem| {
        let bound = |text: &str| version::parse(text);
        bound(problem.since).is_none_or(|since| since <= *version)
            && problem.gone.and_then(bound).is_none_or(|gone| *version < gone)
    });
    let said = |problem: &KnownProblem| format!("{} ({})", problem.text, problem.versions());
    here.map(|problem| Finding::known(agent.name(), said(problem))).collect()
}

fn judge(agent: &dyn Agent, program: &Path, version: anyhow::Result<Version>) -> Finding {
    let (name, shown) = (agent.name(), program.display());
    let version = match version {
        Ok(version) => version,
        Err(error) => {
            let help = format!("run `{shown} --version`");
            return Finding::note(name, format!("{shown}: {error:#}"), help);
        }
    };
    let info = agent.info();
    let [minimum, tested] = [info.minimum, info.tested].map(version::parse);
    let tried = compatibility::versions(name);
    let is = format!("{}  {shown}", version::shown(&version));
    if minimum.is_some_and(|minimum| version < minimum) {
        let text = format!("{is}: older than {}, the oldest supported version", info.minimum);
        return Finding::problem(name, text, format!("update it: `{}`", by_number(agent)));
    }
    if tested.as_ref().is_some_and(|tested| version < *tested) && by_number(agent) != agent.info().install {
        // Claude Code 2.1.332 asks for Node 22; on Node 20 npm installs 2.1.197 and says nothing of it.
        let text = format!("{is}: older than {}, the newest tested version", info.tested);
        let help = format!(
            "with an older Node.js, npm installs an older version; name the version: `{}`",
            by_number(agent)
        );
        return Finding::note(name, text, help);
    }
    let here = tried.iter().find(|tried| version::parse(tried.version).as_ref() == Some(&version));
    if let Some(here) = here {
        let failed: Vec<_> = here.failed().map(|check| format!("{}: {}", check.name, check.text)).collect();
        if !failed.is_empty() {
            let text = format!("{is}: tested on {}, and some tests failed: {}", here.date, failed.join("; "));
            let help = format!(
                "`agent-run doctor -v {name}` lists what was run; to install the tested version: {}",
                by_number(agent)
            );
            return Finding::note(name, text, help);
        }
        if here.passed() {
            let text = format!("{is}: tested on {}, and all tests passed", here.date);
            return Finding::ok(name, text).briefly(format!("{name} {}", version::shown(&version)));
        }
    }
    if tested.is_some_and(|tested| version > tested) {
        let help = format!("run `agent-run doctor --probe {name}` to check that it still behaves as tested");
        return Finding::note(
            name,
            format!("{is}: newer than {}, the newest tested version", info.tested),
            help,
        );
    }
    Finding::ok(name, is).briefly(format!("{name} {}", version::shown(&version)))
}

/// Which versions were run with this build of agent-run, and what came of it.
fn tried(agent: &dyn Agent) -> Vec<Finding> {
    let shown = |tried: TriedVersion| {
        let of = |result: CheckResult| {
            let names = tried.checks.iter().filter(|check| check.result == result).map(|check| check.name);
            let names = names.collect::<Vec<_>>().join(", ");
            (!names.is_empty()).then(|| format!("{result}: {names}"))
        };
        let results =
            [CheckResult::Passed, CheckResult::Failed, CheckResult::NotRun].into_iter().filter_map(of);
        let text = results.collect::<Vec<_>>().join("; ");
        Finding::ok(agent.name(), format!("{} was tested on {}; {text}", tried.version, tried.date))
            .briefly("")
    };
    compatibility::versions(agent.name()).into_iter().map(shown).collect()
}

/// How to install the tested version; npm takes a number as it is, where without one it looks at Node's age.
pub fn by_number(agent: &dyn Agent) -> String {
    let install = agent.info().install;
    if install.starts_with("npm ") {
        format!("{install}@{}", agent.info().tested)
    } else {
        install.to_owned()
    }
}

/// What else on PATH has the agent's name.
fn around(agent: &dyn Agent, program: &Path, env: &Environment) -> Vec<Finding> {
    let name = agent.name();
    let ourselves = program::own_file_id();
    let real = |path: &Path| path.canonicalize().ok();
    let on_path: Vec<_> = env.programs(name).collect();
    let mut findings = Vec::new();
    for path in on_path.iter().filter(|path| program::file_id(path) == ourselves) {
        let text = format!("{} is agent-run with the agent's own name", path.display());
        let help = format!("remove it, or a plain `{name}` does not start the agent: rm {}", path.display());
        findings.push(Finding::note(name, text, help));
    }
    let others = on_path.iter().filter(|path| program::file_id(path) != ourselves);
    let mut others: Vec<_> = others.filter(|path| real(path) != real(program)).collect();
    others.dedup();
    for other in others {
        let text = format!("another one is later on PATH: {}", other.display());
        findings.push(Finding::note(name, text, "remove the one that you do not use"));
    }
    if !on_path.iter().any(|path| path == program) {
        let folder = program.parent().unwrap_or(program).display();
        let text = format!("{} is not on PATH, but launches find it", program.display());
        findings.push(Finding::note(name, text, format!("add {folder} to PATH to start a plain `{name}`")));
    }
    findings
}
