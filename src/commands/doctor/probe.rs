//! `agent-run doctor --probe`: starts the real agent on the provider inside this program.
//!
//! Everything is as in a launch from here: the user's home, config and project, the agent's own settings,
//! hooks and MCP servers. Other than in a launch are the base URL; the key, which is made up; the values of
//! headers, which may be secret; the proxy variables, which lead to the provider too; and our own folders,
//! made for this run and removed with it, so that nothing is turned around under a session that runs. No
//! file of the user's is merged into.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result};
use shims::inputs::matches;
use shims::proxy::PROXY_VARIABLES;
use shims::{Agent, Dirs, Launch, Model, Note, Proxy, Template};

use super::folders::PROBE;
use super::report::{Finding, Group};
use crate::config::{self, Config, Loaded, Secret};
use crate::context::Context;
use crate::env::Environment;
use crate::fs::private_dir::private_dir;
use crate::launch::{self, LaunchRequest, Network, UserFiles};
use crate::mock_provider::{Log, MockProvider, Script};
use crate::probe::{self, Expectations, Interrupts, ProbeReport, Scratch, random_key};

/// By these a request would go past the provider inside this program.
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Shorter values are no keys.
const SHORTEST: usize = 8;

const UNSEEN: &str = "Not covered: traffic that bypasses the proxy variables (hooks and MCP servers can) or goes to \
                      this machine. Files the agent writes at every start are kept.";

/// Probes one agent on one provider, and gives what a launch would say beside it.
///
/// # Errors
/// [`crate::probe::Interrupted`]; whatever else goes wrong is a finding.
pub fn look(
    agent: &'static dyn Agent,
    provider: &str,
    context: &Context<'_>,
    interrupts: &Interrupts,
) -> Result<(Group, Vec<Note>)> {
    let mut group = Group::new(format!("Probe of {}@{provider}", agent.name()));
    let mut notes = Vec::new();
    match probe(agent, provider, context, interrupts, &mut notes) {
        Ok((findings, is_isolated)) => group.extend(findings_of(agent, &findings, is_isolated)),
        Err(error) => group.add_failure(agent.name(), error)?,
    }
    Ok((group, notes))
}

fn findings_of(agent: &dyn Agent, findings: &ProbeReport, is_isolated: bool) -> Vec<Finding> {
    let mut listed: Vec<_> =
        findings.facts.iter().map(|(title, value)| Finding::ok(*title, value.as_str())).collect();
    listed.extend(findings.passed.iter().map(|line| Finding::ok("check", line.trim_end_matches('.'))));
    let log_tail = match findings.log_tail.as_str() {
        "" => "run it again with RUST_LOG=debug".to_owned(),
        log_tail => format!("its last output:\n{log_tail}"),
    };
    listed.extend(findings.failed.iter().map(|line| Finding::problem("check", line, log_tail.as_str())));
    listed.extend(findings.unexpected_hosts.iter().map(|target| {
        let text = format!("the agent tried to contact {target}, and was blocked");
        let help = "find the cause: one of your MCP servers or hooks, or a setting of this project";
        Finding::problem("check", text, help)
    }));
    listed.push(Finding::ok("limits", UNSEEN));
    // The database of an isolated home was removed with the probe's folders.
    if agent.info().keeps_one_shot && !is_isolated {
        let text = format!("{} stores this prompt in its own database", agent.title());
        listed.push(Finding::note("limits", text, "delete the session in the agent"));
    }
    listed
}

/// What was found, and whether the launch is isolated.
fn probe(
    agent: &'static dyn Agent,
    name: &str,
    context: &Context<'_>,
    interrupts: &Interrupts,
    notes: &mut Vec<Note>,
) -> Result<(ProbeReport, bool)> {
    let request = LaunchRequest { args: agent.one_shot(probe::PROMPT), ..LaunchRequest::new(agent, name) };
    let resolved = launch::resolve_only(&request, context, Network::Off, notes)?;
    let (launch, _) = resolved.into_launch().context("a home without a provider has no launch")?;
    let Context { env, dirs, loaded } = context;
    let mock_provider = MockProvider::start(Script::default(), Log::memory())?;
    let proxy = mock_provider.proxy();
    let base = mock_provider.url();
    let expected = Expectations {
        key: random_key("probe"),
        stale: stale(agent, loaded, env),
        models: models(&launch),
        hosts: Some(agent.info().own_hosts),
    };

    let _held = interrupts.hold()?;
    private_dir(&dirs.cache, dirs)?;
    // Not in the folder for temporary files: Codex 0.169 wants no home below it.
    let scratch = Scratch::make(PROBE, &dirs.cache).context("could not create a folder for the probe")?;
    let place = |name: &str| scratch.path().join(name);
    let dirs = Dirs { cache: place("cache"), state: place("state"), ..dirs.clone() };
    let proxies = PROXY_VARIABLES.map(|name| (name, Some(proxy.as_str().into())));
    // Claude Code 2.1.332 leaves a folder behind in the one for temporary files.
    fs::create_dir(place("tmp")).context("could not create a folder for the probe")?;
    let tmp = ("TMPDIR", Some(place("tmp").into_os_string()));
    let env = env.changed(proxies.into_iter().chain(NO_PROXY.map(|name| (name, None))).chain([tmp]));
    let mut context = Context { env: &env, dirs, loaded: config::load(&loaded.path)? };
    turn_here(&mut context.loaded.config, name, &launch, &base, &expected.key);

    let prepared = launch::prepare(&request, &context, UserFiles::Leave, notes)?;
    let ran = probe::run(prepared, &context.dirs.cwd, scratch.path(), interrupts)?;
    Ok((ProbeReport::of(&mock_provider.requests(), &expected, &ran), launch.isolated))
}

/// Makes the provider the one inside this program, with the model that was decided on.
fn turn_here(config: &mut Config, name: &str, launch: &Launch, url: &str, key: &str) {
    let Some(provider) = config.providers.get_mut(name) else { return };
    let urls = &mut provider.base_urls;
    for (passed, here) in [(&mut urls.anthropic, url.to_owned()), (&mut urls.openai, format!("{url}/v1"))] {
        if let Some(passed) = passed {
            passed.0 = here;
        }
    }
    (provider.key_env, provider.key_file, provider.key_command) = (None, None, None);
    provider.key = Some(Secret(key.to_owned()));
    provider.default_model = Some(launch.model.value.id.clone());
    provider.disable_model_loading_from_api = true;
    let model = &launch.model.value;
    if provider.models.iter().all(|entry| entry.id != model.id) {
        // What the list on disk knows of it: the list is that of the real base URL.
        let (context_window, max_output_tokens) = (model.context_window, model.max_output_tokens);
        let entry = Model::named(&model.id);
        provider.models.push(Model { context_window, max_output_tokens, ..entry });
    }
    provider.proxy.0 = Proxy::Inherit;
    let is_proxy = |name: &str| PROXY_VARIABLES.contains(&name) || NO_PROXY.contains(&name);
    provider.extra_env.retain(|name, _| !is_proxy(name));
    let hidden = Template::parse("agent-run-probe").unwrap_or_default();
    provider.headers.values_mut().for_each(|value| value.clone_from(&hidden));
}

/// Every model this launch may ask for.
fn models(launch: &Launch) -> Vec<String> {
    let named = std::iter::once(&launch.model.value.id).chain(launch.tiers.ids());
    named.chain(launch.models.iter().map(|model| &model.id)).cloned().collect()
}

/// The keys in the environment: those the agent listens to, and the providers' own.
fn stale(agent: &dyn Agent, loaded: &Loaded, env: &Environment) -> Vec<(String, String)> {
    let configured: Vec<&str> =
        loaded.config.providers.values().filter_map(|other| other.key_env.as_deref()).collect();
    let is_key = |name: &str| {
        let secret = ["KEY", "TOKEN"].iter().any(|end| name.ends_with(end));
        configured.contains(&name)
            || (secret && agent.info().managed_env_vars.iter().any(|pattern| matches(pattern, name)))
    };
    let vars: BTreeMap<_, _> = env
        .all()
        .iter()
        .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value.to_str()?.to_owned())))
        .filter(|(name, value)| is_key(name) && value.len() >= SHORTEST)
        .collect();
    vars.into_iter().collect()
}
