//! What takes several keys of a provider to judge.

use shims::{Agent, Message, Protocol, Sessions};

use super::problem::{Step, dotted};
use super::types::{Config, KeyCheck, KeySource, Provider};
use crate::header;
use crate::key::shape;

/// One thing wrong between keys.
pub struct Diagnostic {
    /// The path of the key to fix.
    pub steps: Vec<Step>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl Diagnostic {
    /// The sentence of a warning, whose subject is the key.
    pub fn sentence(&self, path: &std::path::Path) -> Message {
        Message::new(
            format!("{}: {} {}", path.display(), dotted(&self.steps), self.message),
            self.help.clone(),
        )
    }
}

/// Everything wrong between keys.
pub fn findings(config: &Config) -> Vec<Diagnostic> {
    (config.providers.iter())
        .flat_map(|(name, provider)| {
            let found = [
                protocols(provider),
                base_urls(provider),
                keys(provider),
                headers(provider),
                sessions(provider),
            ];
            found.into_iter().flatten().map(move |(mut steps, message, help)| {
                steps.splice(0..0, ["providers".into(), name.as_str().into()]);
                Diagnostic { steps, message, help }
            })
        })
        .collect()
}

type Violation = Option<(Vec<Step>, String, String)>;

fn protocols(provider: &Provider) -> Violation {
    let help = format!("write one or more of {}", Protocol::ALL.map(Protocol::name).join(", "));
    provider
        .protocols
        .is_empty()
        .then(|| (vec!["protocols".into()], "no protocol is listed".to_owned(), help))
}

fn base_urls(provider: &Provider) -> Violation {
    let missing = |&(_, &protocol): &(usize, &Protocol)| provider.base_url(protocol).is_none();
    let (index, protocol) = provider.protocols.iter().enumerate().find(missing)?;
    let key = format!("base_urls.{}", protocol.family());
    let message = format!("`{protocol}` needs `{key}`, which is missing");
    let help = format!("add the URL as `{key}`, or remove `{protocol}`");
    Some((vec!["protocols".into(), Step::Index(index)], message, help))
}

/// Two sources of the key: only `key_command` beside `key` is let pass, since old files have that.
fn keys(provider: &Provider) -> Violation {
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
    Some((vec![(*given.last()?).into()], message, "keep one of them".to_owned()))
}

/// Two spellings of one header: which of both values is sent depends on the agent.
fn headers(provider: &Provider) -> Violation {
    let names: Vec<_> = provider.headers.keys().collect();
    let twice = names.iter().enumerate().find_map(|(at, name)| {
        names[..at].iter().find(|other| other.eq_ignore_ascii_case(name)).map(|other| (*name, *other))
    });
    let (name, other) = twice?;
    let message = format!("this header is there already, as `{other}`");
    Some((vec!["headers".into(), name.as_str().into()], message, "keep one of them".to_owned()))
}

/// A home that shares nothing has sessions of its own.
fn sessions(provider: &Provider) -> Violation {
    let both = provider.isolated && provider.sessions == Some(Sessions::Shared);
    let message = "`isolated: true` shares nothing, sessions neither".to_owned();
    both.then(|| (vec!["sessions".into()], message, "remove `sessions`, or `isolated`".to_owned()))
}

/// Warnings; the key is the subject of each sentence.
pub fn warnings(config: &Config) -> Vec<Diagnostic> {
    let mut found = two_sources(config);
    found.extend(config.providers.iter().filter_map(|(name, provider)| {
        let mistake = match provider.key_source() {
            Some(KeySource::Literal(key)) if provider.key_check == KeyCheck::On => shape::mistaken(&key.0)?,
            _ => return None,
        };
        Some(Diagnostic {
            steps: vec!["providers".into(), name.as_str().into(), "key".into()],
            message: format!("is {}", mistake.what),
            help: format!("{}; add `key_check: off` if it really is the key", mistake.help),
        })
    }));
    found
}

/// What is good to know and no reason for a word at each launch: only `config check` says it.
pub fn hints(config: &Config) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (name, provider) in &config.providers {
        let at = |key: &str| vec!["providers".into(), name.as_str().into(), key.into()];
        if provider.isolated && provider.sessions == Some(Sessions::Own) {
            let message = "has no effect: `isolated: true` implies it".to_owned();
            found.push(Diagnostic { steps: at("sessions"), message, help: "remove `sessions`".to_owned() });
        }
        let (keyed, as_api_key) = (provider.key_source().is_some(), provider.anthropic_use_api_key);
        let speaks = |agent: &&dyn Agent| agent.protocols().iter().any(|it| provider.protocols.contains(it));
        let dropping: Vec<_> = shims::coding_agents()
            .filter(|agent| speaks(agent) && header::keeps_authorization(*agent, keyed, as_api_key))
            .map(Agent::title)
            .collect();
        if let Some(header) = provider.headers.keys().find(|header| header::is_the_keys(header))
            && !dropping.is_empty()
        {
            let mut steps = at("headers");
            steps.push(header.as_str().into());
            let message =
                format!("would be dropped by {}, whose launch is refused", dropping.join(" and by "));
            let help =
                "name the key by key_env, key_file or key_command, if the provider takes a bearer token";
            found.push(Diagnostic { steps, message, help: help.to_owned() });
        }
    }
    found
}

fn two_sources(config: &Config) -> Vec<Diagnostic> {
    let both = |provider: &Provider| provider.key.is_some() && provider.key_command.is_some();
    (config.providers.iter())
        .filter(|(_, provider)| both(provider))
        .map(|(name, _)| Diagnostic {
            steps: vec!["providers".into(), name.as_str().into()],
            message: "has both `key` and `key_command`, and the command is used".to_owned(),
            help: "remove `key`".to_owned(),
        })
        .collect()
}

/// The keys that are in the file, as warnings of one that others can read.
pub fn literal_keys(config: &Config, help: &str) -> Vec<Diagnostic> {
    (config.providers.iter())
        .filter(|(_, provider)| provider.key.is_some())
        .map(|(name, _)| Diagnostic {
            steps: vec!["providers".into(), name.as_str().into(), "key".into()],
            message: "is in a file that other users can read".to_owned(),
            help: help.to_owned(),
        })
        .collect()
}
