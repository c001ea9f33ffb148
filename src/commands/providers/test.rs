//! `providers test`: whether a provider does what its entry says, seen by asking it.
//!
//! It costs a few tokens, so it runs on request and never at a launch.

use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value as Json, json};
use shims::Protocol;

use super::{find, hints};
use crate::catalog::Catalog;
use crate::cli::providers::ProvidersTestArgs;
use crate::config::{Loaded, Provider};
use crate::env::Environment;
use crate::key;
use crate::launch::model::nothing_listed;
use crate::ui::output;

/// What was found out about one thing.
struct TestResult {
    what: &'static str,
    /// Whether it works; `None` when it was not asked.
    works: Option<bool>,
    status: Option<u16>,
    took: Option<Duration>,
    /// What came of it, in words; further lines say what to do.
    said: String,
    /// What users of this provider found.
    hint: Option<&'static str>,
}

/// Runs the command. The exit code tells whether everything works.
///
/// # Errors
/// When there is no such provider, no key, or no model to ask.
pub fn run(words: &ProvidersTestArgs, loaded: &Loaded, env: &Environment) -> Result<ExitCode> {
    let name = words.provider.as_str();
    let provider = find(name, &loaded.config)?;
    let dirs = env.dirs()?;
    let key = key::of(provider, env, &dirs.home)?;
    let key = || Ok(key.clone());
    let catalog = Catalog::open(&dirs, env, loaded.config.models_ttl);
    let list = list(name, provider, &catalog, &key);
    report(&list, words.json)?;
    let model = words.model.clone().or_else(|| provider.default_model.clone());
    let model = model.or_else(|| catalog.known(name, provider).with_prefix("").into_iter().next());
    let model = model.with_context(|| nothing_listed(name))?;
    let mut findings = vec![list];
    let declared = |protocol: &Protocol| provider.protocols.contains(protocol);
    for protocol in Protocol::ALL.into_iter().filter(declared) {
        let base = provider.base_url(protocol).unwrap_or_default();
        let probe = catalog.probe(name, provider, (protocol, base), &model, &key)?;
        let answered = || format!("{model} answers");
        let finding = TestResult {
            what: protocol.name(),
            works: Some(probe.failure.is_none()),
            status: probe.status,
            took: Some(probe.took),
            said: probe.failure.map_or_else(answered, |failure| failure.message.render()),
            hint: hints::about(provider).into_iter().find(|(of, _)| *of == protocol).map(|(_, hint)| hint),
        };
        report(&finding, words.json)?;
        findings.push(finding);
    }
    if words.json {
        let all: Json = findings.iter().map(TestResult::json).collect();
        output::write(|out| writeln!(out, "{all:#}"))?;
    }
    let fails = findings.iter().any(|finding| finding.works == Some(false));
    Ok(if fails { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn list(
    name: &str,
    provider: &Provider,
    catalog: &Catalog<'_>,
    key: &dyn Fn() -> Result<Option<String>>,
) -> TestResult {
    let finding =
        |works, took, said| TestResult { what: "models", works, status: None, took, said, hint: None };
    if !provider.loads_models() {
        return finding(None, None, "not asked: the config turns the list off".to_owned());
    }
    let start = Instant::now();
    let refreshed = catalog.refresh(name, provider, key);
    let took = Some(start.elapsed());
    match refreshed {
        Ok(refreshed) => {
            let known = catalog.known_after(name, provider, refreshed.list);
            let mut said = format!("{} models", known.with_prefix("").len());
            let default = provider.default_model.as_deref();
            if let Some(id) = default.filter(|id| known.complete && known.listed(id).is_none()) {
                _ = write!(said, "; {id}, the default_model, is not among those it lists");
            }
            refreshed.warnings.iter().for_each(|warning| _ = write!(said, "\n{warning}"));
            finding(Some(true), took, said)
        }
        // A provider may have no list, and the config need not turn that off.
        Err(failure) => {
            finding(if failure.is_no_list() { None } else { Some(false) }, took, failure.message.render())
        }
    }
}

/// Tells people of a finding as soon as it is there.
fn report(finding: &TestResult, json: bool) -> Result<()> {
    if !json {
        output::people(|out| out.write_all(finding.lines().as_bytes()))?;
    }
    Ok(())
}

impl TestResult {
    fn lines(&self) -> String {
        let verdict = match self.works {
            Some(true) => "ok",
            Some(false) => "failed",
            None => "none",
        };
        let mut said = self.said.lines();
        let mut lines = format!("{verdict:<7} {:<24} {}", self.what, said.next().unwrap_or_default());
        if let Some(took) = self.took {
            _ = write!(lines, " ({} ms)", took.as_millis());
        }
        let more = said.map(str::to_owned).chain(self.hint.map(|hint| format!("known: {hint}")));
        more.fold(lines, |lines, line| lines + "\n        " + &line) + "\n"
    }

    fn json(&self) -> Json {
        let took = self.took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        json!({
            "what": self.what,
            "works": self.works,
            "status": self.status,
            "milliseconds": took,
            "said": self.said,
            "known": self.hint,
        })
    }
}
