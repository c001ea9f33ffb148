//! The config file's schema as serde types.
//!
//! A value that can be judged alone is judged while it is read, by its rule in `values.rs`, so that an
//! error knows its place. What takes several keys to judge is judged afterwards, in `check.rs`.
//!
//! Text is taken as it is written, quoted or not, as files have always been read: `key: 1234` is the key
//! `1234`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use shims::{Model, Protocol, Proxy, Sessions, Template, ToolSet};

use super::names::{HeaderName, Variable};
use super::read::{by_provider, command, homes, models, names, one, some, templates};
use super::values::{
    AnthropicUrl, DurationText, FilePath, HeaderValue, ListUrl, LiteralKey, ModelId, OpenaiUrl, Pattern,
    VariableValue,
};
use super::yaml::Others;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The providers, in the file's order.
    #[serde(deserialize_with = "by_provider")]
    pub providers: IndexMap<String, Provider>,
    /// Homes without a provider, from old files.
    #[serde(default, alias = "isolated-homes")]
    pub isolated_homes: IsolatedHomes,
    /// Where the symlinks go.
    #[serde(default)]
    pub shims: ShimsRule,
    /// How long a provider's model list is taken for fresh.
    #[serde(default = "half_a_day", deserialize_with = "one::<DurationText, _>")]
    pub models_ttl: Duration,
    /// What is known of providers that were not decoded.
    #[serde(skip)]
    pub others: Others,
    /// The names of providers that are left out, because something is wrong with them.
    #[serde(skip)]
    pub refused: Vec<String>,
}

/// One provider.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the file")]
pub struct Provider {
    /// What it can speak.
    pub protocols: Vec<Protocol>,
    /// Where it listens.
    pub base_urls: BaseUrls,
    /// The key itself.
    #[serde(default, deserialize_with = "some::<LiteralKey, _>")]
    pub key: Option<Secret>,
    /// Variable that holds the key.
    #[serde(default, deserialize_with = "some::<Variable, _>")]
    pub key_env: Option<String>,
    /// File that holds the key.
    #[serde(default, deserialize_with = "some::<FilePath, _>")]
    pub key_file: Option<PathBuf>,
    /// The command that prints the key: program and arguments, no shell.
    #[serde(default, deserialize_with = "command")]
    pub key_command: Option<Vec<String>>,
    /// Whether what is plainly no key is refused.
    #[serde(default, deserialize_with = "one::<KeyCheck, _>")]
    pub key_check: KeyCheck,
    /// Variables with a key of a provider's that the agent inherits all the same.
    #[serde(default, deserialize_with = "names::<Variable, _>")]
    pub keep_env: BTreeSet<String>,
    /// Whether the Anthropic protocol carries the key as `x-api-key`.
    #[serde(default)]
    pub anthropic_use_api_key: bool,
    /// Default model.
    #[serde(default, deserialize_with = "some::<ModelId, _>")]
    pub default_model: Option<String>,
    /// Models known without asking the provider.
    #[serde(default, deserialize_with = "models")]
    pub models: Vec<Model>,
    /// Which models of the provider's own list to keep; an empty list turns loading off.
    #[serde(default = "Filter::keep_all")]
    pub model_api_filters: Option<Vec<Filter>>,
    /// Where the provider's own list is, when that is not below the base URL.
    #[serde(default, deserialize_with = "some::<ListUrl, _>")]
    pub models_url: Option<String>,
    /// Whether completion may use the key to refresh the list.
    #[serde(default)]
    pub completion_key: bool,
    /// The old way to say `model_api_filters: []`.
    #[serde(default)]
    pub disable_model_loading_from_api: bool,
    /// Variables for the agent, set last.
    #[serde(default, deserialize_with = "templates::<Variable, VariableValue, _>")]
    pub extra_env: BTreeMap<String, Template>,
    /// The model of each tier; the launched model where nothing is said.
    #[serde(default)]
    pub tiers: TierNames,
    /// Extra request headers.
    #[serde(default, deserialize_with = "templates::<HeaderName, HeaderValue, _>")]
    pub headers: BTreeMap<String, Template>,
    /// Standing arguments for the agent.
    #[serde(default)]
    pub args: Args,
    /// Which proxy to use.
    #[serde(default, deserialize_with = "one::<ProxyRule, _>")]
    pub proxy: ProxyRule,
    /// Whether the agent gets a home that shares nothing with the user's own.
    #[serde(default)]
    pub isolated: bool,
    /// Whose the agent's sessions are; shared where nothing is said, unless the home is isolated.
    pub sessions: Option<Sessions>,
    /// What only concerns Codex.
    #[serde(default)]
    pub codex: CodexSettings,
}

/// Where a provider's key is kept.
#[derive(Clone, Copy, Debug)]
pub enum KeySource<'a> {
    /// In the config file.
    Literal(&'a Secret),
    /// In a variable of the launcher's own environment.
    Env(&'a str),
    /// In a file.
    File(&'a PathBuf),
    /// A command prints it.
    Command(&'a [String]),
}

impl Provider {
    /// Where the key is kept; `None` for a provider without one.
    ///
    /// Old files may hold both `key` and `key_command`; the command wins then.
    pub fn key_source(&self) -> Option<KeySource<'_>> {
        (self.key_command.as_deref().map(KeySource::Command))
            .or_else(|| self.key_env.as_deref().map(KeySource::Env))
            .or_else(|| self.key_file.as_ref().map(KeySource::File))
            .or_else(|| self.key.as_ref().map(KeySource::Literal))
    }

    /// The base URL that serves `protocol`.
    pub fn base_url(&self, protocol: Protocol) -> Option<&str> {
        let url = match protocol {
            Protocol::Anthropic => &self.base_urls.anthropic,
            Protocol::OpenaiResponses | Protocol::OpenaiChatCompletions => &self.base_urls.openai,
        };
        url.as_ref().map(|url| url.0.as_str())
    }

    /// Whether the provider's own model list is used.
    pub fn loads_models(&self) -> bool {
        !self.disable_model_loading_from_api && self.model_api_filters.as_ref().is_some_and(|f| !f.is_empty())
    }
}

/// The base URLs of a provider.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BaseUrls {
    /// For the Anthropic protocol, without `/v1`.
    #[serde(default, deserialize_with = "some::<AnthropicUrl, _>")]
    pub anthropic: Option<BaseUrl>,
    /// For both `openai-…` protocols, version segment included.
    #[serde(default, deserialize_with = "some::<OpenaiUrl, _>")]
    pub openai: Option<BaseUrl>,
}

impl BaseUrls {
    /// Those that are there, the one of OpenAI's protocols first.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        [&self.openai, &self.anthropic].into_iter().flatten().map(|url| url.0.as_str())
    }
}

/// A checked URL without a trailing slash.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct BaseUrl(pub String);

/// A key written into the file. It prints as `<key>`.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<key>")
    }
}

/// One rule of `model_api_filters`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "`filter` is the key's name in the file")]
pub struct Filter {
    /// The regular expression a model's id must match somewhere.
    #[serde(deserialize_with = "one::<Pattern, _>")]
    pub filter: String,
    /// What to sort by: templates over the captures.
    pub order_key: Option<Vec<String>>,
    /// Whether to turn the order around after sorting.
    #[serde(default = "yes")]
    pub desc: bool,
    /// How many to keep; `null` keeps all.
    #[serde(default = "hundred")]
    pub top: Option<usize>,
}

/// Model ids by tier.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierNames {
    /// See [`shims::Tiers`] for all of these.
    #[serde(default, deserialize_with = "some::<ModelId, _>")]
    pub opus: Option<String>,
    #[serde(default, deserialize_with = "some::<ModelId, _>")]
    pub sonnet: Option<String>,
    #[serde(default, deserialize_with = "some::<ModelId, _>")]
    pub haiku: Option<String>,
    #[serde(default, deserialize_with = "some::<ModelId, _>")]
    pub subagent: Option<String>,
}

impl TierNames {
    /// The models that are named.
    pub fn named(&self) -> impl Iterator<Item = &String> {
        [&self.opus, &self.sonnet, &self.haiku, &self.subagent].into_iter().flatten()
    }
}

/// Standing arguments: for every agent, or by agent.
#[derive(Debug)]
pub enum Args {
    /// For every agent.
    All(Vec<String>),
    /// By agent.
    ByAgent(BTreeMap<String, Vec<String>>),
}

/// The `proxy` key: `inherit`, `none` or a URL.
#[derive(Debug, Default)]
pub struct ProxyRule(pub Proxy);

/// The `key_check` key.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum KeyCheck {
    /// What is plainly no key is refused.
    #[default]
    On,
    /// Anything that can be sent is.
    Off,
}

/// The `shims` key.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShimsRule {
    /// The folder of the symlinks.
    #[serde(default, deserialize_with = "some::<FilePath, _>")]
    pub dir: Option<PathBuf>,
}

/// What only concerns Codex.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodexSettings {
    /// The compatibility level for endpoints that reject some kinds of tools.
    #[serde(default)]
    pub tools: ToolSet,
}

/// Homes that share nothing with the user's own, by agent; a name may or may not be a provider too.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IsolatedHomes {
    /// Codex's.
    #[serde(default, deserialize_with = "homes")]
    pub codex: HomeNames,
    /// Hermes Agent's.
    #[serde(default, deserialize_with = "homes")]
    pub hermes: HomeNames,
}

/// Names of homes.
pub type HomeNames = BTreeSet<String>;

fn half_a_day() -> Duration {
    Duration::from_secs(12 * 60 * 60)
}

fn yes() -> bool {
    true
}

#[expect(clippy::unnecessary_wraps, reason = "serde wants the field's own type")]
fn hundred() -> Option<usize> {
    Some(100)
}

impl Filter {
    /// The rule of a provider that names none: every model, in the provider's order.
    #[expect(clippy::unnecessary_wraps, reason = "serde wants the field's own type")]
    pub fn keep_all() -> Option<Vec<Self>> {
        Some(vec![Self { filter: String::new(), order_key: None, desc: false, top: None }])
    }
}

impl Default for Args {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}
