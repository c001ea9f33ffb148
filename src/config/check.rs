//! What takes several keys of a provider to judge.

use shims::{Agent, Protocol, Sessions};

use super::problem::{Problem, SourcePos, Step};
use super::types::{Config, KeyCheck, KeySource, Provider};
use crate::header;
use crate::key::shape;

/// What is wrong with a key below a provider, whose place is not known yet.
fn below(provider: &str, keys: &[&str], message: impl Into<String>, help: &str) -> Problem {
    let steps = ["providers", provider].into_iter().chain(keys.iter().copied()).map(Step::from);
    Problem { steps: steps.collect(), ..Problem::at(SourcePos::START, message, help) }
}

/// What can be wrong between the keys of the provider of this name.
const RULES: [fn(&str, &Provider) -> Option<Problem>; 5] = [protocols, base_urls, keys, headers, sessions];

/// Everything wrong between keys.
pub fn findings(config: &Config) -> Vec<Problem> {
    (config.providers.iter())
        .flat_map(|(name, provider)| RULES.iter().filter_map(move |rule| rule(name, provider)))
        .collect()
}

fn protocols(name: &str, provider: &Provider) -> Option<Problem> {
    let help = format!("use one or more of {}", Protocol::ALL.map(Protocol::name).join(", "));
    let none = provider.protocols.is_empty();
    none.then(|| below(name, &["protocols"], "the list of protocols is empty", &help))
}

fn base_urls(name: &str, provider: &Provider) -> Option<Problem> {
    let missing = |&(_, &protocol): &(usize, &Protocol)| provider.base_url(protocol).is_none();
    let (index, protocol) = provider.protocols.iter().enumerate().find(missing)?;
    let key = format!("base_urls.{}", protocol.family());
    let message = format!("`{protocol}` needs `{key}`, which is missing");
    let help = format!("add the URL as `{key}`, or remove `{protocol}`");
    let mut found = below(name, &["protocols"], message, &help);
    found.steps.push(Step::Index(index));
    Some(found)
}

/// Two sources of the key: only `key_command` beside `key` is let pass, since old files have that.
fn keys(name: &str, provider: &Provider) -> Option<Problem> {
    let sources = [
        ("key_command", provider.key_command.is_some()),
        ("key", provider.key.is_some()),
        ("key_env", provider.key_env.is_some()),
        ("key_file", provider.key_file.is_some()),
    ];
    let given: Vec<_> = sources.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
    if given.len() < 2 || given == ["key_command", "key"] {
        return None;
    }
    let message = format!("the key has more than one source: {}", given.join(", "));
    Some(below(name, &[given.last()?], message, "keep one of them"))
}

/// Two spellings of one header: which of both values is sent depends on the agent.
fn headers(name: &str, provider: &Provider) -> Option<Problem> {
    let names: Vec<_> = provider.headers.keys().collect();
    let twice = names.iter().enumerate().find_map(|(at, name)| {
        names[..at].iter().find(|other| other.eq_ignore_ascii_case(name)).map(|other| (*name, *other))
    });
    let (header, other) = twice?;
    let message = format!("this header is already set, as `{other}`");
    Some(below(name, &["headers", header], message, "keep one of them"))
}

/// A home that shares nothing has sessions of its own.
fn sessions(name: &str, provider: &Provider) -> Option<Problem> {
    let both = provider.isolated && provider.sessions == Some(Sessions::Shared);
    let message = "`isolated: true` also isolates sessions";
    both.then(|| below(name, &["sessions"], message, "remove `sessions`, or `isolated`"))
}

/// Warnings; the key is the subject of each sentence.
pub fn warnings(config: &Config) -> Vec<Problem> {
    let mut found = two_sources(config);
    found.extend(config.providers.iter().filter_map(|(name, provider)| {
        let mistake = match provider.key_source() {
            Some(KeySource::Literal(key)) if provider.key_check == KeyCheck::On => shape::mistaken(&key.0)?,
            _ => return None,
        };
        let help = format!("{}; add `key_check: off` if it really is the key", mistake.help);
        Some(below(name, &["key"], format!("is {}", mistake.what), &help))
    }));
    found
}

/// What is good to know and no reason for a word at each launch: only `config check` says it.
pub fn hints(config: &Config) -> Vec<Problem> {
    let mut found = Vec::new();
    for (name, provider) in &config.providers {
        if let Some(clash) = super::names::clash(name) {
            let message = format!("{clash}, so agent-run may misread your command");
            found.push(below(name, &[], message, "give it another name"));
        }
        if provider.isolated && provider.sessions == Some(Sessions::Own) {
            let message = "has no effect: `isolated: true` implies it";
            found.push(below(name, &["sessions"], message, "remove `sessions`"));
        }
        let (keyed, as_api_key) = (provider.key_source().is_some(), provider.anthropic_use_api_key);
        let speaks =
            |agent: &&dyn Agent| agent.info().protocols.iter().any(|it| provider.protocols.contains(it));
        let dropping: Vec<_> = shims::coding_agents()
            .filter(|agent| speaks(agent) && header::keeps_authorization(*agent, keyed, as_api_key))
            .map(Agent::title)
            .collect();
        if let Some(header) = provider.headers.keys().find(|header| header::is_the_keys(header))
            && !dropping.is_empty()
        {
            let message = format!(
                "would be dropped by {}, so that agent's launch is refused",
                dropping.join(" and by ")
            );
            let help = "if the provider accepts a bearer token, set key_env, key_file or key_command instead";
            found.push(below(name, &["headers", header], message, help));
        }
        for variable in provider.extra_env.keys() {
            let moved: Vec<_> = shims::coding_agents()
                .filter(|agent| speaks(agent) && agent.info().home_variables.contains(&variable.as_str()))
                .map(Agent::title)
                .collect();
            if !moved.is_empty() {
                let message = format!(
                    "makes {} use settings that a launch does not check; the launch is refused unless \
                     the value is the same as in your environment",
                    moved.join(" and ")
                );
                let help = "remove it; `isolated: true` gives a provider its own settings and sessions";
                found.push(below(name, &["extra_env", variable], message, help));
            }
        }
    }
    found
}

fn two_sources(config: &Config) -> Vec<Problem> {
    let both = |provider: &Provider| provider.key.is_some() && provider.key_command.is_some();
    (config.providers.iter())
        .filter(|(_, provider)| both(provider))
        .map(|(name, _)| {
            let message = "has both `key` and `key_command`, and the command is used";
            below(name, &[], message, "remove `key`")
        })
        .collect()
}

/// The keys that are in the file, as warnings of one that others can read.
pub fn literal_keys(config: &Config, help: &str) -> Vec<Problem> {
    (config.providers.iter())
        .filter(|(_, provider)| provider.key.is_some())
        .map(|(name, _)| below(name, &["key"], "is in a file that other users can read", help))
        .collect()
}
