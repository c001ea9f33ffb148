//! What holds for the version of an agent that is here, tried out in made-up homes.

use anyhow::{Context as _, Result};
use shims::Agent;
use shims::trial::NOT_YET;

use super::agents::{AgentHere, by_number};
use super::folders::PROBE;
use super::probes::Probes;
use super::report::{Finding, Group, Severity};
use super::version::{self, Version};
use crate::fs::private_dir::private_dir;
use crate::probe::Scratch;
use crate::probe::trials::{self, TrialOutcome, Verdict};

/// Puts an agent through its trials.
///
/// # Errors
/// When a signal came; whatever else goes wrong is a finding.
pub fn look(here: &AgentHere, probes: &Probes<'_>, watch: &(dyn Fn(usize, &str) + Sync)) -> Result<Group> {
    let AgentHere { agent, version, .. } = here;
    let version = version.as_ref();
    let shown = version.map_or_else(|| "of unknown version".to_owned(), |version| version::shown(version));
    let mut group = Group::new(format!("Tests of {} {shown}", agent.title())).asked();
    match run(here, probes, watch) {
        Ok(verdicts) => {
            let mut findings: Vec<_> =
                verdicts.iter().map(|verdict| finding(*agent, verdict, version, &shown)).collect();
            findings.sort_by_key(|finding| match finding.mark {
                Severity::Problem => 0,
                Severity::Note => 1,
                Severity::Ok => 2,
                Severity::Known => 3,
            });
            group.extend(findings);
        }
        Err(error) => group.add_failure(agent.name(), error)?,
    }
    Ok(group)
}

fn run(here: &AgentHere, probes: &Probes<'_>, watch: &(dyn Fn(usize, &str) + Sync)) -> Result<Vec<Verdict>> {
    let Probes { dirs, env, interrupts, .. } = *probes;
    let _held = interrupts.hold()?;
    private_dir(&dirs.cache, dirs)?;
    // Not in the folder for temporary files, where others could put files above a project that agents read.
    let scratch = Scratch::make(PROBE, &dirs.cache).context("could not create a folder for the tests")?;
    trials::run(here.agent, &here.program, env, &scratch, interrupts, watch)
}

fn finding(agent: &dyn Agent, verdict: &Verdict, version: Option<&Version>, shown: &str) -> Finding {
    let Verdict { subject, text, since, outcome } = verdict;
    match outcome {
        TrialOutcome::Holds => Finding::ok(*subject, *text),
        TrialOutcome::Unseen(why) => Finding::note(
            *subject,
            format!("could not test that {text}: {why}"),
            format!("check what changed in {} {shown}, and try again on a less busy machine", agent.title()),
        ),
        TrialOutcome::Broken(what) => {
            match since.filter(|since| *since == NOT_YET || is_before(version, since)) {
                Some(NOT_YET) => {
                    Finding::known(*subject, format!("not so in any version yet: {text}. Result: {what}"))
                }
                Some(since) => {
                    Finding::known(*subject, format!("only since {since}: {text}. Result: {what}"))
                }
                None => Finding::problem(
                    *subject,
                    format!("failed: {text}. Result: {what}"),
                    format!(
                        "until agent-run supports this version, use {}: `{}`",
                        agent.info().tested,
                        by_number(agent)
                    ),
                ),
            }
        }
    }
}

/// Whether this version is an older one; not where it is not known.
fn is_before(version: Option<&Version>, other: &str) -> bool {
    version::parse(other).zip(version).is_some_and(|(other, version)| *version < other)
}
