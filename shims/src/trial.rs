//! What a version of an agent must hold, as trials that `doctor --probe` puts it through.
//!
//! A trial is a launch in an empty home, on a provider that follows a script, in a project with files that ask for what
//! broke in some version. It says what must come of it; who runs it and looks is not here.

use std::ffi::OsString;

use serde_json::{Value as Json, json};

/// The variable from which a trial's key is taken: the user's own `key_env`.
pub const KEY_VARIABLE: &str = "TRIAL_KEY";

/// The model that a trial's launch is for.
pub const MODEL: &str = "trial-model";

/// Its window, in tokens: the smallest that every agent works with.
pub const WINDOW: u64 = 65_536;

/// A model that planted files ask for. No launch of a trial may ask for it.
pub const PLANTED_MODEL: &str = "planted-model";

/// A key that planted files bring. No launch of a trial may send it.
pub const PLANTED_KEY: &str = "sk-planted-0123456789";

/// What a sub-agent is asked for.
pub const SUB_AGENT_TASK: &str = "a task for the sub-agent";

/// A command that shows its environment. The last words it prints stand nowhere before it has run.
pub const TOOL_COMMAND: &str = "env; echo tool-$((40+2))-ran";

/// Instead of a version: what holds from it on holds for none yet.
pub const NOT_YET: &str = "";

/// Where planted files may point to.
pub struct TrialPlaces<'a> {
    /// The URL of a server that is not the provider. What comes there is seen.
    pub elsewhere: &'a str,
    /// The URL of the same server as a proxy.
    pub proxy: &'a str,
    /// The folder that holds `home` and `work`.
    pub folder: &'a str,
    /// A key that another tool has left in variables. No launch of a trial may send it, nor a tool see it.
    pub stale: &'a str,
}

impl TrialPlaces<'_> {
    /// An address of the server that is not the provider.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.elsewhere)
    }
}

/// One launch, and what must come of it.
#[derive(Default)]
pub struct Trial {
    /// Files below the trial's folder, in `home` or in `work`, the project: path and text.
    pub files: Vec<(&'static str, String)>,
    /// Variables that the launch inherits.
    pub vars: Vec<(&'static str, String)>,
    /// The agent's words.
    pub words: Vec<OsString>,
    /// What the provider does, as rules of the mock provider.
    pub script: Json,
    /// Whether a second launch, on another provider, runs in the same home and project at the same time.
    pub beside: bool,
    /// What must come of it.
    pub promises: Vec<Promise>,
}

impl Trial {
    /// A launch with these words, and nothing planted.
    pub fn new(words: impl IntoIterator<Item = OsString>) -> Self {
        let script = Json::Array(Vec::new());
        Self { words: words.into_iter().collect(), script, ..Self::default() }
    }

    /// A launch in a project that says everything a project can, with the words for `try the project`; by `rule` the
    /// model answers them with [`TOOL_COMMAND`].
    pub fn project(words: impl IntoIterator<Item = OsString>, rule: &Json) -> Self {
        Self::new(words)
            .script(json!([rule]))
            .holds("project", "a project's files do not take the prompt", TrialTest::Nothing("/provider"))
            .holds(
                "project",
                "a project's settings cannot choose the model",
                TrialTest::Models("try the project"),
            )
            .tool_is_clean()
    }

    /// Has a second launch with the same words run at once.
    #[must_use]
    pub fn beside(self) -> Self {
        let text = "a simultaneous launch on another provider changes nothing";
        Self { beside: true, ..self }.holds("at once", text, TrialTest::Apart)
    }

    /// What it is about, for those who wait for it: each subject once.
    pub fn subjects(&self) -> String {
        let mut subjects: Vec<_> = self.promises.iter().map(|promise| promise.subject).collect();
        subjects.dedup();
        subjects.join(", ")
    }

    /// A conversation that fills the window once it is asked to by `fill the window`, as the rules have it; `summary`
    /// is in the request that sums it up.
    pub fn compaction(words: impl IntoIterator<Item = OsString>, rules: Json, summary: &'static str) -> Self {
        let text = "a conversation that fills the window is compacted";
        let test = TrialTest::Then("fill the window", summary);
        Self::new(words).script(rules).holds("compaction", text, test)
    }

    /// The same where the model says once that the window is full, behind the tool that it calls by `rule`.
    pub fn filling(words: impl IntoIterator<Item = OsString>, mut rule: Json, summary: &'static str) -> Self {
        (rule["input_tokens"], rule["times"]) = (64_000.into(), 1.into());
        Self::compaction(words, json!([rule]), summary)
    }

    /// Plants a file.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "texts and JSON, made for this one file")]
    pub fn file(mut self, path: &'static str, text: impl ToString) -> Self {
        self.files.push((path, text.to_string()));
        self
    }

    /// Has the launch inherit a variable.
    #[must_use]
    pub fn var(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.vars.push((name, value.into()));
        self
    }

    /// Has the provider follow these rules.
    #[must_use]
    pub fn script(mut self, rules: Json) -> Self {
        self.script = rules;
        self
    }

    /// Adds something that must hold.
    #[must_use]
    pub fn holds(mut self, subject: &'static str, text: &'static str, test: TrialTest) -> Self {
        self.promises.push(Promise { subject, text, test, since: None });
        self
    }

    /// Adds something that no version holds so far, as is known.
    #[must_use]
    pub fn known_not(self, subject: &'static str, text: &'static str, test: TrialTest) -> Self {
        self.holds(subject, text, test).since(NOT_YET)
    }

    /// The last promise holds from this version on, and is known not to before.
    #[must_use]
    pub fn since(mut self, version: &'static str) -> Self {
        if let Some(promise) = self.promises.last_mut() {
            promise.since = Some(version);
        }
        self
    }

    /// A hook that writes its environment to this file sees no key of another provider's, as `text` says.
    #[must_use]
    pub fn hook_is_clean(self, text: &'static str, file: &'static str) -> Self {
        self.holds("hook", text, TrialTest::Environment(file))
    }

    /// [`TOOL_COMMAND`] runs in an environment that other providers' keys are removed from.
    #[must_use]
    pub fn tool_is_clean(self) -> Self {
        self.holds(
            "tool",
            "a tool runs, and does not see another provider's key",
            TrialTest::Tool("tool-42-ran"),
        )
    }

    /// [`TOOL_COMMAND`] runs in an environment without the provider's key, which the agent hides from its tools.
    #[must_use]
    pub fn tool_sees_no_key(self) -> Self {
        self.holds("tool", "a tool does not see the provider's key", TrialTest::WithoutKey("tool-42-ran"))
    }

    /// Neither a server of a project's that names the user's variable with the key, nor one that guesses what a launch
    /// calls it.
    #[must_use]
    pub fn servers_get_no_key(self) -> Self {
        self.server_gets_no_key(
            "an MCP server of a project does not get the key by its name",
            "/project-server",
        )
        .server_gets_no_key(
            "an MCP server of a project does not get the key by guessing its name",
            "/guessing-server",
        )
    }

    /// The server at this path is not sent the key, as `text` says.
    #[must_use]
    pub fn server_gets_no_key(self, text: &'static str, path: &'static str) -> Self {
        self.holds("server", text, TrialTest::NoKey(path))
    }

    /// A sub-agent that is asked for [`SUB_AGENT_TASK`] asks for the launch's model, as `text` says.
    #[must_use]
    pub fn sub_agent_asks_for_the_model(self, text: &'static str) -> Self {
        self.holds("sub-agent", text, TrialTest::Models(SUB_AGENT_TASK))
    }
}

/// Something that must hold.
pub struct Promise {
    /// What it is about, in one or two words: `sub-agent`.
    pub subject: &'static str,
    /// What holds, as a sentence without its end.
    pub text: &'static str,
    /// How it is seen.
    pub test: TrialTest,
    /// The version from which on it holds, where older ones are known to break it.
    pub since: Option<&'static str>,
}

/// How it is seen whether a promise holds.
pub enum TrialTest {
    /// Requests with this text come to the provider, and ask for the launch's model and no larger window.
    Models(&'static str),
    /// What comes to this path elsewhere holds no key of the provider's.
    NoKey(&'static str),
    /// Nothing comes to this path elsewhere.
    Nothing(&'static str),
    /// A request with this text, which only a tool's own run can bring, comes to the provider, and holds no key of
    /// another provider's.
    Tool(&'static str),
    /// No request with this text holds the provider's key but as its credential.
    WithoutKey(&'static str),
    /// After a request with the first text comes one with the second.
    Then(&'static str, &'static str),
    /// What a program wrote to this file below the trial's folder, its environment, holds no key of another provider's.
    Environment(&'static str),
    /// A program that would write this file did not run.
    NotRun(&'static str),
    /// A line of the output that holds the first text holds the second.
    Line(&'static str, &'static str),
    /// Of the two launches each asks its own provider, with its own key, for its own model.
    Apart,
}
