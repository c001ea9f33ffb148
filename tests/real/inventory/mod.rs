//! The names that an agent's own program or package knows, against the judged list of the agent: variables, keys of
//! settings and options, by what they sound of, and every command and option with a value. One of a kind that matters
//! and that nobody judged fails here.
//!
//! Nothing is asked of anybody: names are read from the program, its schema and its help. `.ci/contract` runs this with
//! the newest release.

mod kinds;
mod options;
mod settings;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::judged::{self, Judgement, fits};
use crate::support::real;
use crate::variables::names;

/// Where findings are written, a line each.
fn log(agent: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("inventory-{agent}.txt"))
}

/// A name that was found, what it is, and what it does if that is known from elsewhere than from its words.
struct Found {
    what: &'static str,
    name: String,
    kind: Option<&'static str>,
}

impl Found {
    fn new(what: &'static str, name: impl Into<String>) -> Self {
        let name = name.into();
        Self { what, kind: kinds::by_words(&name), name }
    }

    fn is_judged(&self, list: &[Judgement]) -> bool {
        // A variable that is pinned is removed too, by its own row or a pattern.
        let is_verdict = |row: &&Judgement| row.what != "variable" || row.action != "pinned";
        let rows = || list.iter().filter(|row| row.what == self.what).filter(is_verdict);
        // A table is judged whole, unless its keys are.
        let is_within = |row: &Judgement| {
            let within = format!("{}.", row.name);
            self.name.starts_with(&within) && !rows().any(|other| other.name.starts_with(&within))
        };
        rows().any(|row| fits(&row.name, &self.name) || is_within(row))
    }
}

fn found(agent: &str) -> Vec<Found> {
    let groups = if agent == "claude" { kinds::of_claudes_schema() } else { Vec::new() };
    let names = if agent == "claude" { kinds::claudes_variables() } else { names::in_program(agent) };
    let variables = names.into_iter().map(|name| {
        let group = groups.iter().find(|(_, names)| names.contains(&name)).map(|(kind, _)| *kind);
        let found = Found::new("variable", name);
        Found { kind: group.or(found.kind), ..found }
    });
    let settings = settings::of(agent).into_iter().map(|name| Found::new("setting", name));
    let options = options::of(agent).into_iter().map(|name| Found::new("flag", name));
    let commands = if agent == "claude" { options::claudes_commands() } else { options::commands(agent) };
    // Whatever it is called, it may start something.
    let commands = commands.into_iter().map(|name| Found { what: "command", name, kind: Some("background") });
    // These adapters look for the words that are no values.
    let valued =
        if ["claude", "codex", "hermes"].contains(&agent) { options::valued(agent) } else { BTreeSet::new() };
    let valued = valued.into_iter().map(|name| Found { what: "option", name, kind: Some("other") });
    variables.chain(settings).chain(options).chain(commands).chain(valued).collect()
}

#[track_caller]
fn every_name_is_judged(agent: &str) {
    if real::sandbox(agent).is_none() {
        return;
    }
    let (list, found) = (judged::of(agent), found(agent));
    for what in ["variable", "setting", "flag"] {
        let count = found.iter().filter(|found| found.what == what).count();
        assert!(count > 5, "{agent}: only {count} names of {what}s were found: it keeps them elsewhere now");
    }
    let mut findings: BTreeSet<String> = found
        .iter()
        .filter(|found| !found.is_judged(&list))
        .filter_map(|found| {
            Some(format!("{} | {} | {} | nobody judged it", found.what, found.name, found.kind?))
        })
        .collect();
    // What a launch replaces and the agent no longer knows may have another name now.
    let replaced: Vec<_> = list
        .iter()
        .filter(|row| row.what == "setting" && row.action != "own")
        .map(|row| &*row.name)
        .collect();
    let key = |name: &&'_ str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let keys: Vec<_> = replaced.iter().map(key).collect();
    let gone = names::lacking(agent, keys.iter().map(|key| &**key));
    let is_gone = |name: &&&str| gone.contains(&&*key(name));
    findings.extend(
        replaced.iter().filter(is_gone).map(|name| format!("setting | {name} | gone: has it another name?")),
    );
    let lines: Vec<_> = findings.iter().map(|line| format!("{line}\n")).collect();
    fs::write(log(agent), lines.concat()).unwrap();
    assert!(
        findings.is_empty(),
        "{agent}: {} of {} names that matter are not judged in shims/judged/{agent}.txt:\n{}",
        findings.len(),
        found.len(),
        lines.concat()
    );
}

#[test]
fn every_name_that_claude_knows_is_judged() {
    every_name_is_judged("claude");
}

#[test]
fn every_name_that_codex_knows_is_judged() {
    every_name_is_judged("codex");
}

#[test]
fn every_name_that_hermes_knows_is_judged() {
    every_name_is_judged("hermes");
}

#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn every_name_that_crush_knows_is_judged() {
    every_name_is_judged("crush");
}
