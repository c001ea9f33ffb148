//! From what was said to what is meant: `LaunchRequest` × `Provider` × known models → [`Launch`].
//!
//! Pure: everything it judges by is given. Every refusal says what was asked, what there is, and what to
//! type instead.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;

use anyhow::{Result, anyhow, bail};
use shims::proxy::with_usual_host;
use shims::template::Field;
use shims::window::split_long_context;
use shims::{Agent, Launch, Message, Origin, Protocol, Sessions, Sourced, Template, Tiers, Value};

use super::{LaunchRequest, lookup, model};
use crate::catalog::ModelIndex;
use crate::config::{Args, Config, HomeNames, Provider};
use crate::env::Environment;
use crate::header;
use crate::suggest;

/// Why a launch could not be decided.
#[derive(Debug)]
pub enum ResolveError {
    /// The model is not known; the provider's own list may know it.
    UnknownModel(Message),
    /// Asking the provider changes nothing.
    Rejected(anyhow::Error),
}

impl From<anyhow::Error> for ResolveError {
    fn from(error: anyhow::Error) -> Self {
        Self::Rejected(error)
    }
}

impl From<ResolveError> for anyhow::Error {
    fn from(undecided: ResolveError) -> Self {
        match undecided {
            ResolveError::UnknownModel(unknown) => unknown.into(),
            ResolveError::Rejected(error) => error,
        }
    }
}

/// The provider of a request; `None` for a home of an old config (`isolated_homes`), which has none.
pub fn provider<'a>(request: &LaunchRequest, config: &'a Config) -> Result<Option<&'a Provider>> {
    let (agent, name) = (request.agent, &request.provider);
    let is_home = home_names(agent.name(), config).contains(name) && !config.providers.contains_key(name);
    if is_home {
        return Ok(None);
    }
    lookup::provider_for(agent, name, config).map(Some)
}

/// The best protocol that both the agent and the provider speak.
pub fn common(agent: &dyn Agent, provider: &Provider) -> Option<Protocol> {
    let declared = |protocol: &Protocol| provider.protocols.contains(protocol);
    let usable = |protocol: &Protocol| declared(protocol) && provider.base_url(*protocol).is_some();
    agent.info().protocols.iter().copied().find(usable)
}

/// Decides a launch.
///
/// # Errors
/// [`ResolveError`]: a fresh model list may help, or not.
pub fn resolve(
    request: &LaunchRequest,
    provider: &Provider,
    config: &Config,
    known: &ModelIndex<'_>,
    env: &Environment,
) -> Result<Launch, ResolveError> {
    let protocol = protocol(request, provider)?;
    let base_url = base_url(request, provider, protocol.value)?;
    let model = model::choose(request, provider, known)?;
    let tiers = tiers(provider, &model.value.id);
    let long_context = model::long_context(request, provider, &model.value, known);
    let context = |field| match field {
        Field::Provider => request.provider.clone(),
        Field::Protocol => protocol.value.name().to_owned(),
        Field::Model => model.value.id.clone(),
        Field::Agent => request.agent.name().to_owned(),
        Field::BaseUrl => base_url.value.clone(),
        Field::Key => String::new(), // never asked for: a plan only names the key
    };
    let keyed = provider.key_source().is_some();
    let fill = |key: &str, templates: &BTreeMap<String, Template>| -> Result<BTreeMap<String, Value>> {
        templates
            .iter()
            .map(|(name, template)| {
                check_template(&format!("{key}.{name}"), template, keyed, env)?;
                Ok((name.clone(), template.fill(context)))
            })
            .collect()
    };
    let headers = fill("headers", &provider.headers)?;
    for (name, value) in &headers {
        let is_dropped = header::is_the_keys(name)
            && header::keeps_authorization(request.agent, keyed, provider.anthropic_use_api_key);
        if is_dropped {
            return Err(anyhow!(header::dropped(request.agent, &request.provider, name)).into());
        }
        if let Some(fault) = header::fault_of(value, env) {
            return Err(anyhow!(header::complaint(name, fault)).into());
        }
    }
    let extra_env = fill("extra_env", &provider.extra_env)?;
    Ok(Launch {
        provider: request.provider.clone(),
        models: model::offered(request, known, protocol.value, &tiers),
        tiers,
        long_context,
        keyed,
        anthropic_use_api_key: provider.anthropic_use_api_key,
        headers,
        extra_env,
        key_variables: key_variables(provider),
        keep_env: provider.keep_env.clone(),
        foreign_keys: foreign_keys(config, provider),
        proxy: provider.proxy.0.clone(),
        isolated: is_isolated(request.agent, &request.provider, provider, config),
        sessions: sessions(request.agent, &request.provider, provider, config),
        others: others(request, config),
        codex_tools: provider.codex.tools,
        standing_args: standing_args(request, provider),
        args: request.args.clone(),
        protocol,
        base_url,
        base_urls: base_urls(provider),
        model,
    })
}

/// The protocols of an agent, for a message.
pub fn spoken(agent: &dyn Agent) -> String {
    let names: Vec<_> = agent.info().protocols.iter().map(|protocol| protocol.name()).collect();
    names.join(" or ")
}

/// The protocol of a launch that asks for none.
pub fn negotiate(agent: &dyn Agent, name: &str, provider: &Provider) -> Result<Sourced<Protocol>> {
    if let Some(protocol) = common(agent, provider) {
        return Ok(Sourced::new(protocol, Origin::Default("first protocol both support".to_owned())));
    }
    let declared: Vec<_> = provider.protocols.iter().map(|protocol| protocol.name()).collect();
    let fitting: Vec<_> =
        shims::coding_agents().filter(|agent| common(*agent, provider).is_some()).map(Agent::name).collect();
    let instead = match fitting.as_slice() {
        [] => String::new(),
        names => format!("use `{name}` with {}; ", suggest::join_or(names)),
    };
    let has_url = agent.info().protocols.iter().any(|&protocol| provider.base_url(protocol).is_some());
    let speaks = if has_url {
        format!("put --force protocol before `{}`", agent.name())
    } else {
        "add it to `protocols`, and its URL to `base_urls`".to_owned()
    };
    bail!(Message::new(
        format!(
            "{} speaks {}, and provider `{name}` speaks {}",
            agent.title(),
            spoken(agent),
            declared.join(" and ")
        ),
        format!("{instead}if the server speaks it all the same, {speaks}")
    ))
}

fn protocol(request: &LaunchRequest, provider: &Provider) -> Result<Sourced<Protocol>> {
    let agent = request.agent;
    if let Some(asked) = &request.protocol {
        let protocol = asked.value;
        if !agent.info().protocols.contains(&protocol) {
            let help = format!("it speaks {}", spoken(agent));
            bail!(Message::new(format!("{} does not speak {protocol}", agent.title()), help));
        }
        if !provider.protocols.contains(&protocol) && !request.force.protocol {
            let help = format!("add it to `protocols`, or put --force protocol before `{}`", agent.name());
            bail!(Message::new(format!("provider `{}` does not declare {protocol}", request.provider), help));
        }
        return Ok(asked.clone());
    }
    if request.force.protocol && common(agent, provider).is_none() {
        // The agent's favourite that the provider has a URL for, declared or not.
        let usable =
            agent.info().protocols.iter().copied().find(|&protocol| provider.base_url(protocol).is_some());
        let protocol = usable.unwrap_or(agent.info().protocols[0]);
        return Ok(Sourced::new(protocol, Origin::Default("--force protocol".to_owned())));
    }
    negotiate(agent, &request.provider, provider)
}

pub fn key_path(provider: &str, below: &[&str]) -> Vec<String> {
    ["providers", provider].iter().chain(below).map(|&key| key.to_owned()).collect()
}

fn base_url(request: &LaunchRequest, provider: &Provider, protocol: Protocol) -> Result<Sourced<String>> {
    let key = key_path(&request.provider, &["base_urls", protocol.family()]);
    match provider.base_url(protocol) {
        Some(url) => Ok(Sourced::new(with_usual_host(url), Origin::Config(key))),
        None => bail!(Message::new(
            format!("no base URL for {protocol}"),
            format!("add `{}` to the config", key.join("."))
        )),
    }
}

fn base_urls(provider: &Provider) -> BTreeMap<&'static str, String> {
    let url = |protocol: Protocol| Some((protocol.family(), with_usual_host(provider.base_url(protocol)?)));
    Protocol::ALL.into_iter().filter_map(url).collect()
}

fn tiers(provider: &Provider, model: &str) -> Tiers {
    let or_launched =
        |tier: &Option<String>| split_long_context(tier.as_deref().unwrap_or(model)).0.to_owned();
    Tiers {
        opus: or_launched(&provider.tiers.opus),
        sonnet: or_launched(&provider.tiers.sonnet),
        haiku: or_launched(&provider.tiers.haiku),
        subagent: or_launched(&provider.tiers.subagent),
    }
}

fn check_template(key: &str, template: &Template, keyed: bool, env: &Environment) -> Result<()> {
    if let Some(name) = template.variables().find(|name| !env.all().contains_key(OsStr::new(name))) {
        let help = format!("run `export {name}=…`, or remove ${{env:{name}}}");
        bail!(Message::new(format!("{key} needs {name}, which is not set"), help));
    }
    if template.names_key() && !keyed {
        let help = "set its key_env, key_file or key_command";
        bail!(Message::new(format!("{key} needs the key, and the provider has none"), help));
    }
    Ok(())
}

/// The variables of a provider's key, and of what its headers carry, which for some is the key.
fn key_variables(provider: &Provider) -> BTreeSet<String> {
    let headers = provider.headers.values().flat_map(Template::variables);
    let headers = headers.filter(|name| !is_of_the_session(name)).map(str::to_owned);
    provider.key_env.iter().cloned().chain(headers).collect()
}

/// The variables of other providers' keys and headers; one that this provider uses too is not among them.
fn foreign_keys(config: &Config, provider: &Provider) -> BTreeSet<String> {
    let own = key_variables(provider);
    let others = &config.others;
    let mut keys: BTreeSet<String> = config.providers.values().flat_map(key_variables).collect();
    keys.extend(others.key_variables.iter().cloned());
    keys.extend(others.header_variables.iter().filter(|name| !is_of_the_session(name)).cloned());
    keys.retain(|name| !own.contains(name));
    keys
}

/// Whether programs need the variable, and no credential is in it: a header may name the user or the machine.
fn is_of_the_session(name: &str) -> bool {
    const NAMES: [&str; 16] = [
        "COLORTERM",
        "DISPLAY",
        "EDITOR",
        "HOME",
        "HOST",
        "HOSTNAME",
        "LANG",
        "LOGNAME",
        "OLDPWD",
        "PATH",
        "PWD",
        "SHELL",
        "TERM",
        "TMPDIR",
        "TZ",
        "USER",
    ];
    NAMES.contains(&name) || ["LC_", "XDG_"].iter().any(|start| name.starts_with(start))
}

fn is_isolated(agent: &dyn Agent, name: &str, provider: &Provider, config: &Config) -> bool {
    provider.isolated || home_names(agent.name(), config).contains(name)
}

fn sessions(agent: &dyn Agent, name: &str, provider: &Provider, config: &Config) -> Sessions {
    if is_isolated(agent, name, provider, config) {
        Sessions::Own
    } else {
        provider.sessions.unwrap_or_default()
    }
}

fn others(request: &LaunchRequest, config: &Config) -> BTreeMap<String, Sessions> {
    let homes = home_names(request.agent.name(), config).iter().map(|name| (name.clone(), Sessions::Own));
    let providers = config.providers.iter().map(|(name, provider)| {
        let sessions = sessions(request.agent, name, provider, config);
        (name.clone(), sessions)
    });
    let passed_over = config.others.sessions.iter().map(|(name, sessions)| {
        let is_home = home_names(request.agent.name(), config).contains(name);
        (name.clone(), if is_home { Sessions::Own } else { *sessions })
    });
    homes.chain(providers).chain(passed_over).filter(|(name, _)| *name != request.provider).collect()
}

/// The homes of old files for the agent.
pub fn home_names<'a>(agent: &str, config: &'a Config) -> &'a HomeNames {
    static NONE: HomeNames = HomeNames::new();
    match agent {
        "codex" => &config.isolated_homes.codex,
        "hermes" => &config.isolated_homes.hermes,
        _ => &NONE,
    }
}

fn standing_args(request: &LaunchRequest, provider: &Provider) -> Vec<String> {
    match &provider.args {
        Args::All(args) => args.clone(),
        Args::ByAgent(agents) => agents.get(request.agent.name()).cloned().unwrap_or_default(),
    }
}
