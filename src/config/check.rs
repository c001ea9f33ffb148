//! What takes several keys of a provider to judge.

use shims::{Protocol, Sessions};

use super::problem::{Step, dotted};
use super::types::{Config, KeyCheck, KeySource, Provider};
use crate::key::shape;

/// One thing wrong between keys.
pub struct Finding {
    /// The way to the key to mend.
    pub steps: Vec<Step>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl Finding {
    /// The sentence of a warning, whose subject is the key.
    pub fn sentence(&self, path: &std::path::Path) -> String {
        format!("{}: {} {}\nhelp: {}", path.display(), dotted(&self.steps), self.message, self.help)
    }
}

/// Everything wrong between keys.
pub fn findings(config: &Config) -> Vec<Finding> {
    (config.providers.iter())
        .flat_map(|(name, provider)| {
            let found = [protocols(provider), base_urls(provider), keys(provider), sessions(provider)];
            found.into_iter().flatten().map(move |(mut steps, message, help)| {
                steps.splice(0..0, ["providers".into(), name.as_str().into()]);
                Finding { steps, message, help }
            })
        })
        .collect()
}

type Found = Option<(Vec<Step>, String, String)>;

fn protocols(provider: &Provider) -> Found {
    let help = format!("write one or more of {}", Protocol::ALL.map(Protocol::name).join(", "));
    provider
        .protocols
        .is_empty()
        .then(|| (vec!["protocols".into()], "no protocol is listed".to_owned(), help))
}

fn base_urls(provider: &Provider) -> Found {
    let missing = |&(_, &protocol): &(usize, &Protocol)| provider.base_url(protocol).is_none();
    let (index, protocol) = provider.protocols.iter().enumerate().find(missing)?;
    let key = format!("base_urls.{}", protocol.family());
    let message = format!("`{protocol}` needs `{key}`, which is missing");
    let help = format!("add the URL as `{key}`, or remove `{protocol}`");
    Some((vec!["protocols".into(), Step::Index(index)], message, help))
}

/// Two sources of the key: only `key_command` beside `key` is let pass, since old files have that.
fn keys(provider: &Provider) -> Found {
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

/// A home that shares nothing has sessions of its own.
fn sessions(provider: &Provider) -> Found {
    let both = provider.isolated && provider.sessions == Some(Sessions::Shared);
    let message = "`isolated: true` shares nothing, sessions neither".to_owned();
    both.then(|| (vec!["sessions".into()], message, "remove `sessions`, or `isolated`".to_owned()))
}

/// What is no error but wants mending; the key is the subject of each sentence.
pub fn warnings(config: &Config) -> Vec<Finding> {
    let mut found = two_sources(config);
    found.extend(config.providers.iter().filter_map(|(name, provider)| {
        let mistake = match provider.key_source() {
            Some(KeySource::Literal(key)) if provider.key_check == KeyCheck::On => shape::mistaken(&key.0)?,
            _ => return None,
        };
        Some(Finding {
            steps: vec!["providers".into(), name.as_str().into(), "key".into()],
            message: format!("is {}", mistake.what),
            help: format!("{}; add `key_check: off` if it really is the key", mistake.help),
        })
    }));
    found
}

fn two_sources(config: &Config) -> Vec<Finding> {
    let both = |provider: &Provider| provider.key.is_some() && provider.key_command.is_some();
    (config.providers.iter())
        .filter(|(_, provider)| both(provider))
        .map(|(name, _)| Finding {
            steps: vec!["providers".into(), name.as_str().into()],
            message: "has both `key` and `key_command`, and the command is used".to_owned(),
            help: "remove `key`".to_owned(),
        })
        .collect()
}

/// The keys that stand in the file, as warnings of one that others can read.
pub fn literal_keys(config: &Config, help: &str) -> Vec<Finding> {
    (config.providers.iter())
        .filter(|(_, provider)| provider.key.is_some())
        .map(|(name, _)| Finding {
            steps: vec!["providers".into(), name.as_str().into(), "key".into()],
            message: "stands in a file that others can read".to_owned(),
            help: help.to_owned(),
        })
        .collect()
}
