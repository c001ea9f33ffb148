//! `providers test`: whether a provider does what its entry says, seen by asking it.
//!
//! It costs a few tokens, so it runs on request and never at a launch.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use serde::Serialize;
use shims::{Agent, Message, Protocol, proxy};

use super::{find, hints};
use crate::catalog::local::{ServedWindow, Server, WindowVerdict};
use crate::catalog::{Catalog, Failure, Probe};
use crate::cli::providers::ProvidersTestArgs;
use crate::commands::at_once;
use crate::config::{self, Loaded, Provider};
use crate::env::Environment;
use crate::key;
use crate::launch::model::{nothing_listed, usual};
use crate::launch::resolve;
use crate::ui::format::count;
use crate::ui::log::say;
use crate::ui::{Progress, Screen, output};

/// What the list of models is called among the things that are tested.
const LIST: &str = "models";
/// The same of the window of the model.
const WINDOW: &str = "window";
/// Where the last column of the table begins.
const COLUMN: usize = 33;

/// What was found out about one thing.
#[derive(Serialize)]
struct TestResult {
    what: &'static str,
    /// Whether it works; `None` when it was not asked.
    works: Option<bool>,
    status: Option<u16>,
    #[serde(rename = "milliseconds")]
    took: Option<u128>,
    /// What came of it, in words; further lines say what to do.
    said: String,
    /// What users of this provider found.
    #[serde(rename = "known")]
    hint: Option<&'static str>,
}

/// How a test ended.
pub enum TestOutcome {
    /// A model answered.
    Works,
    /// Nothing could be asked yet, and why.
    NotTested(String),
    /// The provider refused, or cannot be reached.
    Failed(Failure),
}

/// Runs the command. The exit code tells whether everything works. `path` is the config that `--update` changes.
pub fn run(words: &ProvidersTestArgs, loaded: &Loaded, path: &Path, env: &Environment) -> Result<ExitCode> {
    let name = words.provider.as_str();
    let provider = find(name, &loaded.config)?;
    let dirs = env.dirs()?;
    let key = key::of(name, provider, env, &dirs.home)?;
    let catalog = Catalog::open(&dirs, env, loaded.config.models_ttl);
    let protocols: Vec<_> =
        Protocol::ALL.into_iter().filter(|protocol| provider.protocols.contains(protocol)).collect();
    let names: Vec<_> =
        std::iter::once(LIST).chain(protocols.iter().map(|protocol| protocol.name())).collect();
    let progress = Progress::start(&names, !words.json);
    let list = || {
        let found = list(name, provider, &catalog, &|| Ok(key.clone()));
        progress.set(0, &found.state());
        found
    };
    let model = words.model.clone().or_else(|| provider.default_model.clone());
    let known = || catalog.known(name, provider).ids().into_iter().next();
    // Without a model the list has to come first.
    let (first, model) = if let Some(model) = model {
        (None, model)
    } else {
        let listed = list();
        let Some(model) = known() else {
            drop(progress);
            return without_model(name, &listed, words.json);
        };
        (Some(listed), model)
    };
    let ask = |index: usize, protocol: Protocol| -> Result<TestResult> {
        let probe = catalog.probe(name, provider, protocol, &model, &|| Ok(key.clone()))?;
        let answered = || format!("{model} answers");
        let finding = TestResult {
            what: protocol.name(),
            works: Some(probe.failure.is_none()),
            status: probe.status,
            took: Some(probe.took.as_millis()),
            said: probe.failure.map_or_else(answered, |failure| failure.message.render()),
            hint: hints::about(provider).into_iter().find(|(of, _)| *of == protocol).map(|(_, hint)| hint),
        };
        progress.set(index, &finding.state());
        Ok(finding)
    };
    let before = usize::from(first.is_some());
    let parts = std::iter::once(None).chain(protocols.into_iter().map(Some)).skip(before);
    let found = at_once(&parts.collect::<Vec<_>>(), |at, part| match part {
        None => Ok(list()),
        Some(protocol) => ask(at + before, *protocol),
    });
    let mut findings: Vec<_> = first.into_iter().map(Ok).chain(found).collect::<Result<_>>()?;
    drop(progress);
    // Last: an Ollama has loaded the model by then, to answer.
    let known = catalog.known(name, provider);
    let window = ServedWindow::ask(name, provider, &model, &known, key.as_deref(), env);
    let window = if words.update { window.map(ServedWindow::written) } else { window };
    let is_wrong = |window: &ServedWindow| matches!(window.verdict(name), WindowVerdict::Wrong(_));
    let is_shown = |window: &&ServedWindow| !words.update || is_wrong(window);
    findings.extend(window.as_ref().filter(is_shown).map(|window| window_result(window, name)));
    if words.json {
        output::json(&findings)?;
    } else {
        print(&findings)?;
    }
    if words.update {
        update(name, provider, &model, window.as_ref(), path)?;
    }
    let fails = findings.iter().any(|finding| finding.works == Some(false));
    Ok(if fails { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn window_result(window: &ServedWindow, name: &str) -> TestResult {
    let (works, said) = match window.verdict(name) {
        WindowVerdict::Right => {
            (Some(true), format!("{} tokens, as {} says", window.served, window.stated_by()))
        }
        WindowVerdict::Other(message) => (None, message.render()),
        WindowVerdict::Wrong(message) => (Some(false), message.render()),
    };
    TestResult { what: WINDOW, works, status: None, took: None, said, hint: None }
}

/// Writes the window that is served into the config, and leaves the rest of the entry as it is.
fn update(
    name: &str,
    provider: &Provider,
    model: &str,
    window: Option<&ServedWindow>,
    path: &Path,
) -> Result<ExitCode> {
    let Some(ServedWindow { model, served, .. }) = window else {
        let (text, help) = match Server::of_entry(name, provider) {
            Some(server) => (
                format!("{} does not say with which window it serves `{model}`", server.title()),
                "load the model, then run this again".to_owned(),
            ),
            None => (
                format!(
                    "could not read the context window of `{name}`: it is not a known server on this machine"
                ),
                format!(
                    "set `context_window` in `providers.{name}.models` with `agent-run providers edit {}`",
                    shims::quote(name.as_ref())
                ),
            ),
        };
        bail!(Message::new(text, help));
    };
    let block = format!(
        "{}:\n  models:\n  - {{id: {}, context_window: {served}}}\n",
        config::yaml_scalar(name),
        config::yaml_scalar(model)
    );
    config::change_config(path, &block, |now| config::set_window(now, name, model, *served, path))?;
    output::people(|out| writeln!(out, "the config now says: {model} has a window of {served} tokens"))
}

/// Says what came of the list where no model is known without it.
fn without_model(name: &str, listed: &TestResult, json: bool) -> Result<ExitCode> {
    if json {
        output::json(&[listed])?;
    } else {
        print(std::slice::from_ref(listed))?;
    }
    Err(anyhow!(if listed.works == Some(false) {
        Message::new(
            format!("could not load the models of `{name}` to test one"),
            "fix the error above, or name a model with --model",
        )
    } else {
        nothing_listed(name)
    }))
}

/// Prints a table: a row that is too long goes on below its last column. A failure that several rows share is said once.
fn print(findings: &[TestResult]) -> Result<ExitCode> {
    let screen = Screen::stdout();
    output::write(|out| {
        findings.iter().enumerate().try_for_each(|(at, found)| {
            let is_same = |other: &&TestResult| other.works == Some(false) && other.said == found.said;
            let lines = found.lines(findings[..at].iter().find(is_same).map(|other| other.what));
            let mut lines = lines.lines().enumerate();
            lines.try_for_each(|(at, line)| {
                writeln!(out, "{}", screen.line(line, if at == 0 { COLUMN } else { 10 }))
            })
        })
    })
}

fn list(
    name: &str,
    provider: &Provider,
    catalog: &Catalog<'_>,
    key: &dyn Fn() -> Result<Option<String>>,
) -> TestResult {
    let finding = |works, took, said| TestResult { what: LIST, works, status: None, took, said, hint: None };
    if !provider.loads_models() {
        return finding(None, None, "not loaded: the config turns the list off".to_owned());
    }
    let start = Instant::now();
    let refreshed = catalog.refresh(name, provider, key);
    let took = Some(start.elapsed().as_millis());
    match refreshed {
        Ok(refreshed) => {
            let known = catalog.known_after(name, provider, refreshed.list);
            let all = known.list().and_then(|list| list.entries().ok()).unwrap_or_default();
            let kept = all.iter().filter(|entry| entry.rank.is_some()).count();
            let mut said = format!("the provider lists {}", count(all.len(), "model"));
            if kept < all.len() {
                _ = write!(said, ", {kept} of them kept by model_api_filters");
            }
            let default = provider.default_model.as_deref().filter(|_| known.complete);
            if let Some(id) = default {
                let with = if known.missing_default().is_none() { "with" } else { "but not" };
                _ = write!(said, ", {with} the default_model {id}");
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

impl TestResult {
    fn verdict(&self) -> &'static str {
        match self.works {
            Some(true) => "ok",
            Some(false) => "failed",
            None if self.what == WINDOW => "note",
            None if self.took.is_none() => "skipped",
            None => "none",
        }
    }

    /// A line of progress.
    fn state(&self) -> String {
        format!("{}: {}", self.what, self.verdict())
    }

    /// The row, and the lines below it; what it says may be `said` by an earlier row.
    fn lines(&self, said: Option<&str>) -> String {
        let verdict = self.verdict();
        let said = said.map_or_else(|| self.said.clone(), |other| format!("same error as {other}"));
        let mut said = said.lines();
        let mut lines = format!("{verdict:<7} {:<24} {}", self.what, said.next().unwrap_or_default());
        if let Some(took) = self.took {
            _ = write!(lines, " ({took} ms)");
        }
        let more = said.map(str::to_owned).chain(self.hint.map(|hint| format!("known: {hint}")));
        more.fold(lines, |lines, line| lines + "\n        " + &line) + "\n"
    }
}

/// Asks a model of the provider for one word, and says how that goes.
pub fn try_provider(
    name: &str,
    provider: &Provider,
    agent: Option<&dyn Agent>,
    key: Option<&str>,
    env: &Environment,
) -> Result<TestOutcome> {
    let spoken = agent.and_then(|agent| resolve::common(agent, provider));
    let Some(protocol) = spoken.or_else(|| provider.protocols.first().copied()) else {
        return Ok(TestOutcome::NotTested("it has no protocol".to_owned()));
    };
    let dirs = env.dirs()?;
    let catalog = Catalog::open(&dirs, env, Duration::ZERO);
    let known = catalog.known(name, provider);
    let mut model = usual(name, provider, &known);
    if model.is_err() && known.list().is_none() && provider.loads_models() {
        match catalog.refresh(name, provider, &|| Ok(key.map(str::to_owned))) {
            Ok(it) => model = usual(name, provider, &catalog.known_after(name, provider, it.list)),
            Err(failure) if failure.is_no_list() => {}
            Err(failure) => return Ok(TestOutcome::Failed(failure)),
        }
    }
    let model = match model {
        Ok(model) => model.value.id,
        Err(unknown) => return Ok(TestOutcome::NotTested(unknown.text)),
    };
    let cost = if provider.base_url(protocol).is_some_and(proxy::is_loopback) {
        ""
    } else {
        " (costs a few tokens)"
    };
    say(&format!("Testing: one short request to {model}{cost}\n"));
    match catalog.probe(name, provider, protocol, &model, &|| Ok(key.map(str::to_owned))) {
        Ok(Probe { failure: None, took, .. }) => {
            say(&format!("The provider answered in {} ms.\n", took.as_millis()));
            Ok(TestOutcome::Works)
        }
        Ok(Probe { failure: Some(failure), .. }) | Err(failure) => {
            say("The test failed.\n");
            Ok(TestOutcome::Failed(failure))
        }
    }
}
