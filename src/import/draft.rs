//! A provider on its way from another tool's settings to an entry of our config.

use std::collections::BTreeMap;
use std::rc::Rc;

use shims::Protocol;

use super::secret::may_hold_key;
use crate::config::Provider;
use crate::key::shape;
use crate::presets::Preset;

/// What another tool says of a provider.
#[derive(Clone, Default)]
pub struct ImportedProvider {
    /// What it is called there.
    pub name: String,
    /// Where that stands, for people.
    pub from: String,
    /// What it can speak.
    pub protocols: Vec<Protocol>,
    /// Where the `openai-…` protocols are.
    pub openai: Option<String>,
    /// Where the Anthropic protocol is.
    pub anthropic: Option<String>,
    /// Where the key is.
    pub key: KeyLocation,
    /// Whether the key goes as `x-api-key`.
    pub anthropic_use_api_key: bool,
    /// The model that is used there.
    pub default_model: Option<String>,
    /// Ids, each with the size of its context if that is known.
    pub models: Vec<(String, Option<u64>)>,
    /// Model ids by tier.
    pub tiers: Vec<(&'static str, String)>,
    /// Values as the config's templates.
    pub headers: BTreeMap<String, String>,
    /// Headers whose values may be secret, as templates too.
    pub secret_headers: BTreeMap<String, String>,
    /// What has no place in our config, or wants a look.
    pub notes: Vec<String>,
    /// The known provider that it is: its entry says more than the fields above can.
    pub preset: Option<Rc<Preset>>,
}

/// Where the other tool keeps the key.
#[derive(Clone, Default, Eq, PartialEq)]
pub enum KeyLocation {
    /// It needs none, or nobody knows.
    #[default]
    None,
    /// In this variable.
    Variable(String),
    /// This prints it.
    Command(Vec<String>),
    /// In a file of the tool's own.
    Literal {
        /// The key.
        key: String,
        /// Where it stands, for people.
        place: String,
        /// A command that prints it from there.
        command: Option<Vec<String>>,
    },
}

impl KeyLocation {
    /// A key that no command prints.
    pub fn literal(key: &str, place: String) -> Self {
        Self::Literal { key: key.to_owned(), place, command: None }
    }

    /// Whether both give the same key, as far as that is known.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal { key: one, .. }, Self::Literal { key: two, .. }) => one == two,
            (one, two) => one == two,
        }
    }
}

impl ImportedProvider {
    /// Whether `provider` is where this one is.
    pub fn is_at(&self, provider: &Provider) -> bool {
        let same = |url: &Option<String>, protocol| {
            url.as_deref().is_none_or(|url| provider.base_url(protocol) == Some(url))
        };
        same(&self.openai, Protocol::OpenaiChatCompletions) && same(&self.anthropic, Protocol::Anthropic)
    }

    /// The key that is in the other tool's files.
    pub fn copied_key(&self) -> Option<&str> {
        match &self.key {
            KeyLocation::Literal { key, .. } => {
                Some(key.as_str()).filter(|key| shape::mistaken(key).is_none())
            }
            _ => None,
        }
    }

    /// Whether `other` is the same provider with the same key, as another tool has it. With another value of a header
    /// it may be another account.
    pub fn is_same(&self, other: &Self) -> bool {
        let agrees = |ours: &BTreeMap<String, String>, theirs: &BTreeMap<String, String>| {
            ours.iter().all(|(name, value)| theirs.get(name).is_none_or(|other| other == value))
        };
        (&self.openai, &self.anthropic) == (&other.openai, &other.anthropic)
            && self.key.is(&other.key)
            && agrees(&self.headers, &other.headers)
            && agrees(&self.secret_headers, &other.secret_headers)
    }

    /// What it has and `provider` lacks.
    pub fn missing_in(&self, provider: &Provider) -> Vec<&str> {
        let is_new = |protocol: &&Protocol| !provider.protocols.contains(protocol);
        let protocols = self.protocols.iter().filter(is_new).map(|protocol| protocol.name());
        let is_new = |id: &&str| !provider.models.iter().any(|model| model.id == *id);
        protocols.chain(self.models.iter().map(|(id, _)| id.as_str()).filter(is_new)).collect()
    }

    /// Adds a protocol and where it is, without what agents add to a URL themselves.
    pub fn serve(&mut self, protocol: Protocol, url: &str) {
        let url = url.trim().trim_end_matches('/');
        if !self.protocols.contains(&protocol) {
            self.protocols.push(protocol);
        }
        if protocol == Protocol::Anthropic {
            let url = url.strip_suffix("/messages").unwrap_or(url);
            self.anthropic = Some(url.strip_suffix("/v1").unwrap_or(url).to_owned());
        } else {
            let ends = ["/chat/completions", "/responses"];
            let url = ends.iter().find_map(|end| url.strip_suffix(end)).unwrap_or(url);
            self.openai = Some(url.to_owned());
        }
    }

    /// Adds a header, set apart where its value may be secret.
    pub fn header(&mut self, name: &str, value: &str) {
        let secret = ["auth", "key", "token", "secret", "cookie", "pass"];
        let named = secret.iter().any(|word| name.to_ascii_lowercase().contains(word));
        let secret = named || may_hold_key(value);
        let list = if secret { &mut self.secret_headers } else { &mut self.headers };
        list.insert(name.to_owned(), value.replace("${", "$${"));
    }

    /// Whether `other` is the same provider, known by the URL of another protocol.
    fn is_same_account(&self, other: &Self) -> bool {
        let apart = (self.openai.is_none() || other.openai.is_none())
            && (self.anthropic.is_none() || other.anthropic.is_none());
        apart && self.name == other.name && self.key.is(&other.key)
    }

    /// Adds what `other` has more; what this one says counts.
    pub fn merge(&mut self, other: Self) {
        match (&self.default_model, other.default_model) {
            (None, model) => self.default_model = model,
            (Some(one), Some(two)) if *one != two => {
                self.notes.push(format!("{} uses the model {two}.", other.from));
            }
            _ => {}
        }
        self.from = format!("{} and {}", self.from, other.from);
        // Where both have it, one way to send the key works as well as the other.
        self.anthropic_use_api_key |= other.anthropic_use_api_key && self.anthropic.is_none();
        for protocol in other.protocols {
            if !self.protocols.contains(&protocol) {
                self.protocols.push(protocol);
            }
        }
        self.openai = self.openai.take().or(other.openai);
        self.anthropic = self.anthropic.take().or(other.anthropic);
        for (id, window) in other.models {
            match self.models.iter_mut().find(|(there, _)| *there == id) {
                Some((_, there)) => *there = there.or(window),
                None => self.models.push((id, window)),
            }
        }
        for (tier, model) in other.tiers {
            if !self.tiers.iter().any(|(there, _)| *there == tier) {
                self.tiers.push((tier, model));
            }
        }
        self.headers.extend(other.headers);
        self.secret_headers.extend(other.secret_headers);
        self.notes.extend(other.notes);
    }
}

/// Makes one of drafts that are the same provider under several protocols, as switchers keep them.
pub fn merged(drafts: Vec<ImportedProvider>) -> Vec<ImportedProvider> {
    let mut merged: Vec<ImportedProvider> = Vec::new();
    for draft in drafts {
        match merged.iter_mut().find(|there| there.is_same_account(&draft)) {
            Some(there) => there.merge(draft),
            None => merged.push(draft),
        }
    }
    merged
}
