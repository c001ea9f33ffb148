//! A fully resolved launch; every value records its origin.
//!
//! A [`Launch`] holds no question that an adapter would have to answer again. It holds no key either:
//! only whether there is one.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Model, Origin, Part, Protocol, Sourced, Value, short_hash_of_all};

/// The model for each of Claude's tiers, resolved: the launched model where the config says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tiers {
    /// For requests to the large tier.
    pub opus: String,
    /// For requests to the middle tier.
    pub sonnet: String,
    /// For small background work: titles, exploration.
    pub haiku: String,
    /// For sub-agents; `inherit` lets each keep its tier.
    pub subagent: String,
}

impl Tiers {
    /// The models of all tiers; that of sub-agents may be `inherit`.
    pub fn ids(&self) -> [&String; 4] {
        [&self.opus, &self.sonnet, &self.haiku, &self.subagent]
    }
}

/// Which proxy the agent uses, beyond the rule that a loopback provider is always direct.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Proxy {
    /// The proxy variables are passed on as they are.
    #[default]
    Inherit,
    /// No proxy: all proxy variables are removed.
    None,
    /// This one, for every scheme.
    Url(String),
}

/// Whose the sessions of a launch are, and what belongs to them: history, approvals, trust.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sessions {
    /// The user's, together with those of the other providers.
    #[default]
    Shared,
    /// The provider's alone.
    Own,
}

impl Sessions {
    /// The agents whose sessions can be kept apart. The others have them in the user's own home, unless that is
    /// isolated.
    pub const APART: [&str; 2] = ["codex", "crush"];

    /// The word of config files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Own => "own",
        }
    }
}

/// How many kinds of tools Codex may offer to the provider.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ToolSet {
    /// Everything Codex sends by itself.
    #[default]
    Full,
    /// Function tools only, for endpoints that answer 400 to any other kind.
    Minimal,
}

/// One launch, decided.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The provider's name in the config; safe as a file name.
    pub provider: String,
    /// The negotiated protocol.
    pub protocol: Sourced<Protocol>,
    /// The base URL of the protocol's family, without a trailing slash.
    pub base_url: Sourced<String>,
    /// Every base URL of the provider, by [`Protocol::family`], for what serves several families at once.
    pub base_urls: BTreeMap<&'static str, String>,
    /// The model the session starts with.
    pub model: Sourced<Model>,
    /// Every model known of this provider, the launched one among them, best first.
    pub models: Vec<Model>,
    /// The model for each tier.
    pub tiers: Tiers,
    /// Those among these that were named with the suffix `[1m]`, which is no part of an id.
    pub long_context: BTreeSet<String>,
    /// Whether the provider takes a key; adapters send a placeholder otherwise.
    pub keyed: bool,
    /// Whether the Anthropic protocol carries the key as `x-api-key` instead of a bearer token.
    pub anthropic_use_api_key: bool,
    /// Extra request headers; names as written, values possibly secret.
    pub headers: BTreeMap<String, Value>,
    /// The user's last word on the child's environment.
    pub extra_env: BTreeMap<String, Value>,
    /// The variables that the key (`key_env`) and the headers (`${env:…}`) were read from. A coding agent does not
    /// inherit them: a project knows their names and could have them sent anywhere.
    pub key_variables: BTreeSet<String>,
    /// Variables with a provider's key that the agent inherits all the same, because the config says so.
    pub keep_env: BTreeSet<String>,
    /// Variables that hold other providers' keys, which this child must not see.
    pub foreign_keys: BTreeSet<String>,
    /// The proxy rule.
    pub proxy: Proxy,
    /// Whether the runtime home shares nothing with the user's own.
    pub isolated: bool,
    /// Whose the sessions are; always the provider's own where it is `isolated`.
    pub sessions: Sessions,
    /// Whose those of the config's other providers are, and of its homes without a provider, by name.
    pub others: BTreeMap<String, Sessions>,
    /// Codex's compatibility level.
    pub codex_tools: ToolSet,
    /// Standing arguments from the config, before the user's own.
    pub standing_args: Vec<String>,
    /// The user's own words, byte for byte.
    pub args: Vec<OsString>,
}

impl Launch {
    /// Whether the user named the model for this very launch, rather than the config or a default.
    pub fn model_was_asked_for(&self) -> bool {
        matches!(self.model.origin, Origin::Option(_) | Origin::Opts(_))
    }

    /// The variables that the config puts a key into, and those that the key and the headers come from. What else the
    /// child inherits has a name that everybody knows.
    pub fn secret_variables(&self) -> impl Iterator<Item = &str> {
        let is_key = |part: &Part| match part {
            Part::Text(_) => false,
            Part::Key => true,
            Part::Env(name) => self.key_variables.contains(name) || self.foreign_keys.contains(name),
        };
        let keyed = self.extra_env.iter().filter(move |(_, value)| value.parts().iter().any(is_key));
        keyed.map(|(name, _)| name).chain(&self.key_variables).map(String::as_str)
    }

    /// What was chosen, as 16 hex digits: of two launches that would write different choices into a file, each
    /// has its own. A folder that holds such a file carries it in its name.
    ///
    /// What a model list says about the models, such as a window, is no choice and not in it.
    pub fn identity(&self) -> String {
        let chosen =
            [&*self.provider, self.protocol.value.name(), &self.base_url.value, &self.model.value.id];
        let chosen = chosen.into_iter().chain(self.tiers.ids().map(String::as_str)).map(str::to_owned);
        let flags = format!(
            "{:?} {:?} {:?} {:?} {:?}",
            self.keyed, self.anthropic_use_api_key, self.isolated, self.codex_tools, self.proxy
        );
        let is_apart = self.sessions == Sessions::Own && !self.isolated;
        let apart = is_apart.then(|| "sessions of its own".to_owned());
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {value}"));
        format!("{:016x}", short_hash_of_all(chosen.chain([flags]).chain(apart).chain(headers)))
    }

    /// The standing arguments of the config, and then the user's own words.
    pub fn words(&self) -> impl Iterator<Item = &OsStr> {
        self.standing_args.iter().map(OsStr::new).chain(self.args.iter().map(OsString::as_os_str))
    }

    /// The provider's own folder below `base`: `<base>/<agent>/<provider>`.
    pub fn folder(&self, base: &std::path::Path, agent: &str) -> PathBuf {
        base.join(agent).join(&self.provider)
    }
}

#[cfg(test)]
impl Launch {
    /// The launch that tests start from: a keyed provider about which nothing special was said.
    pub fn sample(provider: &str, protocol: Protocol, base_url: &str, model: &str) -> Self {
        let said = || Origin::Default("a test".to_owned());
        let tier = || model.to_owned();
        Self {
            provider: provider.to_owned(),
            protocol: Sourced::new(protocol, said()),
            base_url: Sourced::new(base_url.to_owned(), said()),
            base_urls: BTreeMap::from([(protocol.family(), base_url.to_owned())]),
            model: Sourced::new(Model::named(model), said()),
            models: Vec::new(),
            tiers: Tiers { opus: tier(), sonnet: tier(), haiku: tier(), subagent: tier() },
            long_context: BTreeSet::new(),
            keyed: true,
            anthropic_use_api_key: false,
            headers: BTreeMap::new(),
            extra_env: BTreeMap::new(),
            key_variables: BTreeSet::new(),
            keep_env: BTreeSet::new(),
            foreign_keys: BTreeSet::new(),
            proxy: Proxy::Inherit,
            isolated: false,
            sessions: Sessions::Shared,
            others: BTreeMap::new(),
            codex_tools: ToolSet::Full,
            standing_args: Vec::new(),
            args: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_limit_is_given_only_when_sane() {
        let model =
            |window, output| Model { context_window: window, max_output_tokens: output, ..Model::named("m") };
        assert_eq!(model(Some(100), Some(10)).output_limit(), Some(10));
        assert_eq!(model(None, Some(10)).output_limit(), Some(10));
        assert_eq!(model(Some(100), Some(100)).output_limit(), None);
        assert_eq!(model(Some(100), Some(0)).output_limit(), None);
        assert_eq!(model(Some(100), None).output_limit(), None);
    }

    #[test]
    fn launches_that_choose_differently_have_different_identities() {
        let launch = Launch::sample("p", Protocol::Anthropic, "https://p.example", "m");
        let mut others = vec![launch.clone(); 6];
        others[0].model.value.id = "n".to_owned();
        others[1].protocol.value = Protocol::OpenaiResponses;
        others[2].base_url.value = "https://q.example".to_owned();
        others[3].tiers.haiku = "small".to_owned();
        others[4].headers.insert("X-A".to_owned(), "1".into());
        others[5].keyed = false;
        for other in &others {
            assert_ne!(other.identity(), launch.identity());
        }
        let apart = Launch { sessions: Sessions::Own, ..launch.clone() };
        assert_ne!(apart.identity(), launch.identity());
        let mut same = launch.clone();
        same.models.push(Model::named("new in the list"));
        same.args.push("word".into());
        assert_eq!(same.identity(), launch.identity());
    }

    #[test]
    fn protocol_names_round_trip() {
        for protocol in Protocol::ALL {
            assert_eq!(Protocol::by_name(protocol.name()), Some(protocol));
        }
        assert_eq!(Protocol::by_name("chat"), None);
    }
}
