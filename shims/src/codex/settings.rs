//! What a launch imposes on Codex: each setting once, for the file and for the command line.

use std::path::Path;

use anyhow::{Context, Result};
use toml::{Table, Value as Toml};

use super::argv;
use super::home::Home;
use crate::{Launch, ToolSet, Value};

/// The provider's id inside Codex, the same for every provider: a session stays bound to the id it was
/// recorded under, so that it can be resumed after the provider is renamed.
pub const ID: &str = "agent-run";

const KEY_VARIABLE: &str = "AGENT_RUN_CODEX_API_KEY";

/// How firmly a setting holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Hold {
    /// In the file and on the command line.
    Pinned,
    /// In the file.
    Written,
    /// In the file, unless the user's own says something else.
    Offered,
}

/// One setting of a launch.
#[derive(Debug)]
pub struct Setting {
    /// The dotted path; no key in it has a dot.
    pub path: String,
    /// The value. A table on the command line adds to the file's.
    pub value: Toml,
    /// How firmly it holds.
    pub hold: Hold,
}

impl Setting {
    /// The words that pin the setting.
    pub fn words(&self) -> Option<[String; 2]> {
        (self.hold == Hold::Pinned).then(|| ["-c".to_owned(), format!("{}={}", self.path, self.value)])
    }

    /// Whether what stands at `path` is this setting or a part of it.
    pub fn covers(&self, path: &[&str]) -> bool {
        let depth = self.path.split('.').count();
        path.len() >= depth && self.path.split('.').zip(path).all(|(mine, key)| mine == *key)
    }

    /// Puts the setting into `table`.
    pub fn write(&self, table: &mut Table) {
        let (parents, key) = self.path.rsplit_once('.').map_or(("", &*self.path), |split| split);
        let mut at = table;
        for parent in parents.split_terminator('.') {
            let child = at.entry(parent).or_insert_with(|| Table::new().into());
            if !child.is_table() {
                *child = Table::new().into();
            }
            let Toml::Table(child) = child else { return };
            at = child;
        }
        if self.hold != Hold::Offered || !at.contains_key(key) {
            at.insert(key.to_owned(), self.value.clone());
        }
    }
}

/// The variables that carry what is secret, each with its value. The first is the key's, if there is one;
/// then come the headers, in order.
///
/// Headers with nothing secret in them travel the same way: a value that the user wrote down may still be
/// a token, and neither the file nor the command line is a place for one.
pub fn secrets(launch: &Launch) -> Vec<(String, Value)> {
    let key = launch.keyed.then(|| (KEY_VARIABLE.to_owned(), Value::key()));
    let headers = launch.headers.values().enumerate();
    key.into_iter().chain(headers.map(|(at, value)| (header_variable(at), value.clone()))).collect()
}

fn header_variable(at: usize) -> String {
    format!("AGENT_RUN_CODEX_HEADER_{}", at + 1)
}

/// Everything `launch` imposes.
pub fn of(launch: &Launch, home: &Home, secrets: &[(String, Value)]) -> Result<Vec<Setting>> {
    let model = &launch.model.value;
    let words = launch.standing_args.iter().map(AsRef::as_ref).chain(launch.args.iter().map(AsRef::as_ref));
    let keeps_model = !launch.model_was_asked_for() && argv::keeps_model(words);
    let choice = if keeps_model { Hold::Written } else { Hold::Pinned };
    let mut settings = Settings::default();
    settings.add("model_provider", ID, choice);
    settings.pin(&format!("model_providers.{ID}"), provider(launch));
    settings.add("model", &*model.id, choice);
    // Codex takes 272,000 tokens for any model it does not know (0.169).
    if let Some(window) = model.context_window.and_then(|window| i64::try_from(window).ok()) {
        settings.add("model_context_window", window, Hold::Written);
    }
    settings.pin("sqlite_home", utf8(&home.sqlite())?);
    settings.pin("features.daemon_auto_start", false);
    // Else a provider that is down is waited for without end.
    settings.add("features.unbounded_connection_retries", false, Hold::Offered);
    // An empty value, and not `exclude` or `filters`: of those two a project's own replaces the user's and
    // ours, and they cannot be mixed, while `set` adds up over all layers and comes after both.
    let inherited = launch.key_variable.iter();
    for variable in secrets.iter().map(|(variable, _)| variable).chain(inherited) {
        settings.pin(&format!("shell_environment_policy.set.{variable}"), "");
    }
    if launch.codex_tools == ToolSet::Minimal {
        settings.minimal(home)?;
    }
    Ok(settings.0)
}

fn provider(launch: &Launch) -> Table {
    let mut provider = Table::new();
    provider.insert("name".into(), launch.provider.as_str().into());
    provider.insert("base_url".into(), launch.base_url.value.trim_end_matches('/').into());
    provider.insert("wire_api".into(), "responses".into());
    if launch.keyed {
        provider.insert("env_key".into(), KEY_VARIABLE.into());
    }
    if !launch.headers.is_empty() {
        let headers = launch.headers.keys().enumerate();
        let headers: Table = headers.map(|(at, name)| (name.clone(), header_variable(at).into())).collect();
        provider.insert("env_http_headers".into(), headers.into());
    }
    provider
}

fn utf8(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| {
        format!(
            "could not name {} in Codex's config: not UTF-8\n\
             help: set XDG_STATE_HOME and XDG_CACHE_HOME to folders with UTF-8 names",
            path.display()
        )
    })
}

#[derive(Default)]
struct Settings(Vec<Setting>);

impl Settings {
    fn add(&mut self, path: &str, value: impl Into<Toml>, hold: Hold) {
        self.0.push(Setting { path: path.to_owned(), value: value.into(), hold });
    }

    fn pin(&mut self, path: &str, value: impl Into<Toml>) {
        self.add(path, value, Hold::Pinned);
    }

    /// What makes Codex 0.169 offer function tools only. Each MCP server is a `namespace` tool, the
    /// terminal interface's own among them, and that one can only be turned off by a table in its place.
    fn minimal(&mut self, home: &Home) -> Result<()> {
        self.pin("model_catalog_json", utf8(&home.catalog())?);
        self.pin("agents.enabled", false);
        self.pin("features.goals", false);
        self.pin("web_search", "disabled");
        self.pin("model_reasoning_summary", "none");
        let mut interface = Table::new();
        interface.insert("url".into(), "http://127.0.0.1:9/unused".into());
        interface.insert("enabled".into(), false.into());
        self.pin("mcp_servers", Table::from_iter([("codex_tui".to_owned(), interface.into())]));
        Ok(())
    }
}
