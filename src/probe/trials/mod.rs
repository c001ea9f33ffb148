//! Trials of an agent: launches in homes and projects that are made up and gone afterwards, on providers inside this
//! program. They show what holds for the version that is here.
//!
//! Nothing of the user's is in them but the program and the folders of `PATH`.

mod sandbox;
mod verdict;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use shims::Agent;
use shims::trial::{Trial, TrialPlaces};

use super::{Interrupts, LIMIT, ProbeOutput, Scratch, orphans};
use crate::env::Environment;
use crate::mock_provider::{Log, MockProvider, RequestRecord, Script};
use sandbox::TrialSandbox;
pub use verdict::{TrialOutcome, Verdict};

/// How many run at once: each is a process of an agent and what it starts.
const AT_ONCE: usize = 4;

/// What came of a trial's launches.
pub struct TrialRun {
    /// The requests to the provider.
    provider: Vec<RequestRecord>,
    /// The requests to the other server.
    elsewhere: Vec<RequestRecord>,
    /// The provider's key, and that of the second launch's provider.
    keys: [String; 2],
    /// The value of the variables that other tools have left.
    stale: String,
    /// The folder that holds `home` and `work`.
    folder: PathBuf,
    output: ProbeOutput,
}

impl TrialRun {
    /// What a program of the trial has written.
    fn written(&self, path: &str) -> Option<String> {
        let bytes = std::fs::read(self.folder.join(path)).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// What each trial of an agent is about.
pub fn subjects(agent: &dyn Agent) -> Vec<String> {
    agent
        .trials(&TrialPlaces { elsewhere: "", proxy: "", folder: "", stale: "" })
        .iter()
        .map(Trial::subjects)
        .collect()
}

/// Puts an agent through its trials, in folders below that of `scratch`; `watch` hears which of them begins or ends.
/// What a launch fails with is in its verdicts.
pub fn run(
    agent: &'static dyn Agent,
    program: &Path,
    env: &Environment,
    scratch: &Scratch,
    interrupts: &Interrupts,
    watch: &(dyn Fn(usize, &str) + Sync),
) -> Result<Vec<Verdict>> {
    let count = subjects(agent).len();
    let (start, next) = (Instant::now(), AtomicUsize::new(0));
    let verdicts = Mutex::new(Vec::new());
    let one = |index: usize| -> Result<Vec<Verdict>> {
        interrupts.check()?;
        let folder = scratch.path().join(index.to_string());
        let elsewhere = MockProvider::start(Script::default(), Log::memory())?;
        let sandbox = TrialSandbox::make(&folder, elsewhere)?;
        let Some(trial) = agent.trials(&sandbox.places()).into_iter().nth(index) else {
            return Ok(Vec::new());
        };
        watch(index, "running");
        let begun = Instant::now();
        let judge = || -> Result<(Vec<Verdict>, bool)> {
            let left = LIMIT.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok((verdict::without_time(&trial), false));
            }
            let ran = launch(agent, program, env, &trial, &sandbox, left, interrupts);
            interrupts.check()?;
            log::debug!("trial {index} of {}: {} ms", agent.name(), begun.elapsed().as_millis());
            let has_ended = ran.as_ref().is_ok_and(|ran| ran.output.ended.is_some());
            let judged = ran
                .map_or_else(|error| verdict::not_launched(&trial, &error), |ran| verdict::of(&trial, &ran));
            Ok((judged, has_ended))
        };
        let (mut judged, has_ended) = judge()?;
        // Crush 0.90.1 may fail when it is first started twice at once, while it makes its database; Codex 0.171.0 ends
        // without waiting for `notify` or a sub-agent.
        let is_unseen = |it: &Verdict| matches!(it.outcome, TrialOutcome::Unseen(_));
        let has_time = begun.elapsed() < LIMIT.saturating_sub(start.elapsed());
        if has_ended && has_time && judged.iter().any(is_unseen) {
            (judged, _) = judge()?;
        }
        watch(index, &format!("{} s", begun.elapsed().as_secs()));
        Ok(judged)
    };
    let adopted = orphans::adopt();
    let work = || -> Result<()> {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return Ok(());
            }
            let judged = one(index)?;
            verdicts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((index, judged));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(AT_ONCE);
    let done: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    // Once all of them are over: with the last run every child of this process ends.
    drop(adopted);
    interrupts.check()?;
    for result in done {
        result.unwrap_or_else(|_| Err(anyhow::anyhow!("a test failed because of an internal error")))?;
    }
    let mut verdicts = verdicts.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    verdicts.sort_by_key(|(index, _)| *index);
    Ok(verdicts.into_iter().flat_map(|(_, verdicts)| verdicts).collect())
}

fn launch(
    agent: &'static dyn Agent,
    program: &Path,
    env: &Environment,
    trial: &Trial,
    sandbox: &TrialSandbox,
    limit: Duration,
    interrupts: &Interrupts,
) -> Result<TrialRun> {
    let script = Script::read(&trial.script.to_string())?;
    let provider = MockProvider::start(script, Log::memory())?;
    for (path, text) in &trial.files {
        sandbox.plant(path, text).with_context(|| format!("could not write {path}"))?;
    }
    let context = sandbox.context(agent, env, program, &provider, trial)?;
    let beside = trial.beside.then(|| context.prepare(agent, trial, sandbox::BESIDE));
    let output = thread::scope(|scope| -> Result<ProbeOutput> {
        let run = |prepared: crate::launch::PreparedLaunch, name: &str| {
            super::run_one(prepared, &sandbox.path("work"), &sandbox.path(name), limit, interrupts)
        };
        // The second is started first: its lock on the home goes when it is.
        let second = match beside {
            Some(prepared) => {
                let prepared = prepared?.unlocked();
                Some(scope.spawn(move || run(prepared, "second")))
            }
            None => None,
        };
        let first = context.prepare(agent, trial, sandbox::PROVIDER);
        let output = first.and_then(|prepared| run(prepared, "first"));
        if let Some(second) = second {
            second.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the second launch was lost")))?;
        }
        output
    })?;
    Ok(TrialRun {
        provider: provider.requests(),
        elsewhere: sandbox.elsewhere.requests(),
        keys: sandbox.keys.clone(),
        stale: sandbox.stale.clone(),
        folder: sandbox.path(""),
        output,
    })
}
