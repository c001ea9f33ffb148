//! `doctor --probe`: an agent's launches and its trials, side by side, one agent after the other.

use std::fs;
use std::io::{IsTerminal, Write};
use std::thread;

use anyhow::Result;
use shims::{Dirs, Note};

use super::agents::AgentHere;
use super::launches::Launches;
use super::report::{DoctorReport, Finding, Group};
use super::{probe, trials};
use crate::cli::ProbePart;
use crate::context::Context;
use crate::env::Environment;
use crate::probe::orphans;
use crate::probe::{Interrupts, trials::subjects};
use crate::ui::{self, Progress};

/// What is probed, and how.
pub struct Probes<'a> {
    pub part: ProbePart,
    pub here: &'a [AgentHere],
    /// The launches of the agents that are here; none where the config cannot be read.
    pub launches: Option<(&'a [Launches], &'a Context<'a>)>,
    pub dirs: &'a Dirs,
    pub env: &'a Environment,
    pub interrupts: &'a Interrupts,
}

impl Probes<'_> {
    /// Probes every agent.
    ///
    /// # Errors
    /// When a signal came; whatever else goes wrong is a finding.
    pub fn run(&self, report: &mut DoctorReport) -> Result<()> {
        let launches = self.launches.filter(|_| self.part != ProbePart::Version);
        if launches.is_some_and(|(all, _)| all.iter().all(|of_agent| of_agent.providers.is_empty())) {
            let mut group = Group::new("Probe");
            let help = "install an agent, or add a provider that speaks its protocol";
            group.add(Finding::problem("probe", "no installed agent matches the provider", help));
            report.add(group);
        }
        let missing: Vec<_> = self.dirs.cache.ancestors().take_while(|folder| !folder.exists()).collect();
        let probed = self.here.iter().try_for_each(|here| self.probe(here, report));
        // The cache held the folders of the probes, and is left as it was; one that holds more by now stays.
        missing.into_iter().take_while(|folder| fs::remove_dir(folder).is_ok()).count();
        probed
    }

    fn probe(&self, here: &AgentHere, report: &mut DoctorReport) -> Result<()> {
        let AgentHere { agent, .. } = here;
        let launches = self.launches.filter(|_| self.part != ProbePart::Version);
        let own = launches.and_then(|(all, context)| {
            Some((all.iter().find(|it| it.agent.name() == agent.name())?, context))
        });
        let providers = own.map_or(&[][..], |(launches, _)| &launches.providers);
        let mut names: Vec<_> =
            providers.iter().map(|provider| format!("{}@{provider}", agent.name())).collect();
        if self.part != ProbePart::Launches {
            names.extend(subjects(*agent).iter().map(|about| format!("{}: {about}", agent.title())));
        }
        let lines: Vec<_> = names.iter().map(String::as_str).collect();
        let progress = Progress::with(&lines, "waiting", true);
        if !progress.is_shown() && !names.is_empty() && std::io::stderr().is_terminal() {
            _ = writeln!(
                std::io::stderr(),
                "trying {}, which takes up to a minute for each launch …",
                agent.title()
            );
        }
        let say = |at: usize, state: &str| progress.set(at, &format!("{}: {state}", names[at]));
        let launch = || -> Result<Vec<(Group, Vec<Note>)>> {
            let Some((Launches { providers, .. }, context)) = own else { return Ok(Vec::new()) };
            let one = |(at, provider): (usize, &String)| {
                say(at, "running");
                let looked = probe::look(*agent, provider, context, self.interrupts)?;
                say(at, "done");
                self.interrupts.check().map(|()| looked)
            };
            providers.iter().enumerate().map(one).collect()
        };
        // For both, or the one that ends first would end what the other has just started.
        let _adopted = orphans::adopt();
        let (looked, tried) = thread::scope(|scope| {
            let launched = scope.spawn(launch);
            let tried = (self.part != ProbePart::Launches).then(|| {
                let watch = |at: usize, state: &str| say(providers.len() + at, state);
                trials::look(here, self, &watch)
            });
            let lost = |_| Err(anyhow::anyhow!("a probe failed because of an internal error"));
            (launched.join().unwrap_or_else(lost), tried.transpose())
        });
        drop(progress);
        for (group, notes) in looked? {
            notes.iter().for_each(ui::log::note);
            report.add(group.asked());
        }
        if let Some(group) = tried? {
            report.add(group);
        }
        Ok(())
    }
}
