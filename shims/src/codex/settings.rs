//! What a launch imposes on Codex: each setting once, for the file and for the command line.
//!
//! All launches of a user share one `config.toml`, so that nothing is asked for twice. It therefore holds nothing
//! that one launch chooses and another does not: each choice is a `-c` word, which Codex prefers to every file but an
//! administrator's (seen in 0.171). The one choice that no word can make, the user's `.env`, is `dotenv`'s.

use std::path::Path;

use anyhow::{Context, Result};
use toml::{Table, Value as Toml};

use super::argv;
use super::home::CodexHome;
use super::literal;
use super::merge::place_in;
use super::models::{self, Catalogue};
use super::projects::{ProjectOverrides, turn_off_own};
use crate::judged::codex::SETTING_PINNED as PINNED;
use crate::{Inputs, Launch, Message, ToolSet, Value};

/// The provider in the file, for a Codex that is started in this home without a launch, as from a session's
/// shell: its variable is set nowhere, so that it ends with the instructions below and asks nobody.
const NO_PROVIDER: &str = "agent-run";

/// The id under which older versions recorded sessions.
pub const FORMER_ID: &str = "agent-run";

/// The header variables that the file blanks, for words of the user's own that replace the launch's.
const BLANKED_HEADERS: usize = 8;

fn key_variable(inputs: &Inputs) -> String {
    inputs.secret_variable("AGENT_RUN_CODEX_API_KEY")
}

fn header_variable(inputs: &Inputs, at: usize) -> String {
    inputs.secret_variable(&format!("AGENT_RUN_CODEX_HEADER_{}", at + 1))
}

/// Where a setting stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Hold {
    /// On the command line: what this launch chooses.
    Word,
    /// On the command line, and above the user's own words: what holds against a project.
    Last,
    /// In the file and on the command line.
    Both,
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
    /// Where it stands.
    pub hold: Hold,
}

impl Setting {
    /// The words that pin the setting.
    pub fn words(&self) -> Option<[String; 2]> {
        matches!(self.hold, Hold::Word | Hold::Last | Hold::Both)
            .then(|| ["-c".to_owned(), format!("{}={}", self.path, literal::value(&self.value))])
    }

    /// Whether it is a part of the file.
    pub fn is_written(&self) -> bool {
        !matches!(self.hold, Hold::Word | Hold::Last)
    }

    /// Whether what stands at `path` is this setting or a part of it.
    pub fn covers(&self, path: &[&str]) -> bool {
        let depth = self.path.split('.').count();
        path.len() >= depth && self.path.split('.').zip(path).all(|(mine, key)| mine == *key)
    }

    /// Puts the setting into the file's `table`.
    pub fn write(&self, table: &mut Table) {
        let path: Vec<_> = self.path.split('.').collect();
        let Some((table, key)) = place_in(table, &path) else { return };
        if self.hold != Hold::Offered || !table.contains_key(key) {
            table.insert(key.to_owned(), self.value.clone());
        }
    }
}

/// The variables that carry what is secret, each with its value. The first is the key's, if there is one;
/// then come the headers, in order.
///
/// Headers with nothing secret in them travel the same way: a value that the user wrote down may still be
/// a token, and neither the file nor the command line is a place for one.
pub fn secrets(launch: &Launch, inputs: &Inputs) -> Vec<(String, Value)> {
    let key = launch.keyed.then(|| (key_variable(inputs), Value::key()));
    let headers = launch.headers.values().enumerate();
    key.into_iter().chain(headers.map(|(at, value)| (header_variable(inputs, at), value.clone()))).collect()
}

/// Everything `launch` imposes.
///
/// What is said of servers and of folders is one word each, because a second table of one name on the command line
/// replaces the first (seen in 0.171).
pub fn of(
    launch: &Launch,
    inputs: &Inputs,
    home: &CodexHome,
    projects: ProjectOverrides,
) -> Result<Vec<Setting>> {
    let (model, id) = (&launch.model.value, home.id(inputs));
    let mut settings = Settings::default();
    settings.no_provider();
    settings.word("model_provider", &*id);
    settings.word(&format!("model_providers.{id}"), provider(launch, inputs));
    // A resumed session is recorded with a model, maybe another provider's; only a word stands above it.
    settings.word("model", &*model.id);
    // Whom nobody names a model, Codex asks the session's, which the user may have typed.
    let typed = argv::model(launch.words());
    let others = typed.as_ref().unwrap_or(&model.id);
    settings.word("review_model", &**others);
    let catalogue = Catalogue::of(launch, inputs);
    if let Some(catalogue) = &catalogue {
        settings.word("model_catalog_json", utf8(&catalogue.path())?);
    }
    // A project, also one that the session changes to, may lower the window of every model. Codex takes no more of
    // these two than the model's own, so that the largest of all leaves each model its own (0.171).
    let window =
        catalogue.as_ref().map_or(models::window(model), |catalogue| Some(catalogue.largest_window()));
    if let Some(window) = window {
        settings.word("model_context_window", window);
        settings.word("model_auto_compact_token_limit", window / 10 * 9);
    }
    settings.add("sqlite_home", utf8(&home.sqlite())?, Hold::Both);
    settings.add("features.daemon_auto_start", false, Hold::Both);
    // Else a provider that is down is waited for without end.
    settings.add("features.unbounded_connection_retries", false, Hold::Offered);
    settings.blank_variables(launch, inputs);
    // It asks a model of `OpenAI`'s about each approval, and no setting names that model (0.171).
    settings.word("features.guardianv3", false);
    // Memories ask a model of `OpenAI`'s as soon as anything turns them on (0.145, 0.171): a file, a profile, an
    // option or another name of theirs.
    for path in PINNED {
        settings.word(path, &**others);
    }
    let mut servers = projects.servers;
    if launch.codex_tools == ToolSet::Minimal {
        settings.minimal();
        // Each MCP server is a `namespace` tool, the terminal interface's own among them, and that one can only
        // be turned off by a table in its place.
        turn_off_own(launch, home, inputs, &mut servers);
        servers.insert("codex_tui".to_owned(), unused_server().into());
    }
    for (path, table) in [("mcp_servers", servers), ("projects", projects.distrusted)] {
        if !table.is_empty() {
            settings.add(path, table, Hold::Last);
        }
    }
    Ok(settings.0)
}

/// A server that is off. It has a URL, since Codex refuses one without.
pub fn unused_server() -> Table {
    Table::from_iter([
        ("url".to_owned(), "http://127.0.0.1:9/unused".into()),
        ("enabled".to_owned(), false.into()),
    ])
}

fn provider(launch: &Launch, inputs: &Inputs) -> Table {
    let mut provider = Table::new();
    provider.insert("name".into(), launch.provider.as_str().into());
    provider.insert("base_url".into(), launch.base_url.value.trim_end_matches('/').into());
    provider.insert("wire_api".into(), "responses".into());
    if launch.keyed {
        provider.insert("env_key".into(), key_variable(inputs).into());
    }
    if !launch.headers.is_empty() {
        let headers = launch.headers.keys().enumerate();
        let headers: Table =
            headers.map(|(at, name)| (name.clone(), header_variable(inputs, at).into())).collect();
        provider.insert("env_http_headers".into(), headers.into());
    }
    provider
}

fn utf8(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| {
        Message::new(
            format!("could not write {} to Codex's config: not UTF-8", path.display()),
            "set XDG_STATE_HOME and XDG_CACHE_HOME to folders with UTF-8 names",
        )
    })
}

#[derive(Default)]
struct Settings(Vec<Setting>);

impl Settings {
    fn add(&mut self, path: &str, value: impl Into<Toml>, hold: Hold) {
        self.0.push(Setting { path: path.to_owned(), value: value.into(), hold });
    }

    fn word(&mut self, path: &str, value: impl Into<Toml>) {
        self.add(path, value, Hold::Word);
    }

    fn no_provider(&mut self) {
        let texts = [
            ("name", "none"),
            ("base_url", "http://127.0.0.1:9/unused"),
            ("wire_api", "responses"),
            ("env_key", "AGENT_RUN_NO_PROVIDER"),
            (
                "env_key_instructions",
                "agent-run manages this home. Start Codex with `agent-run launch PROVIDER codex`.",
            ),
        ];
        let table: Table = texts.iter().map(|(key, text)| ((*key).to_owned(), (*text).into())).collect();
        self.add("model_provider", NO_PROVIDER, Hold::Written);
        self.add(&format!("model_providers.{NO_PROVIDER}"), table, Hold::Written);
    }

    /// Keeps the secrets from the commands that Codex runs.
    ///
    /// An empty value, and not `exclude` or `filters`: of those two a project's own replaces the user's and
    /// ours, and they cannot be mixed, while `set` adds up over all layers and comes after both.
    fn blank_variables(&mut self, launch: &Launch, inputs: &Inputs) {
        let blank =
            |names: Vec<String>| -> Table { names.into_iter().map(|name| (name, "".into())).collect() };
        let mut always = vec![key_variable(inputs)];
        always.extend((0..BLANKED_HEADERS).map(|at| header_variable(inputs, at)));
        for name in always {
            self.add(&format!("shell_environment_policy.set.{name}"), "", Hold::Written);
        }
        let mut names: Vec<_> = secrets(launch, inputs).into_iter().map(|(name, _)| name).collect();
        names.extend(launch.key_variables.iter().cloned());
        if !names.is_empty() {
            self.word("shell_environment_policy.set", blank(names));
        }
    }

    /// What makes Codex offer function tools only (0.169, 0.171).
    fn minimal(&mut self) {
        self.word("agents.enabled", false);
        self.word("features.goals", false);
        self.word("web_search", "disabled");
        self.word("model_reasoning_summary", "none");
    }
}
