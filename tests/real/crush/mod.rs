//! Crush's acceptance cases, by number.

/// Where the prompt and the key go, whatever else is configured.
mod choice;
/// Several launches at once, and one within another.
mod concurrency;
/// The doctor's probe, and what must not be left behind.
mod doctor;
/// Databases of versions before this one.
mod former;
/// What a provider that shares nothing has to itself.
mod isolated;
/// Text that Crush would expand.
mod literals;
/// What a project's own files can do to a launch.
mod project;
/// The names and expansions in these.
mod project_names;
/// Sessions, and what Crush keeps of them.
mod sessions;

use std::fs;
use std::path::PathBuf;

use serde_json::Value as Json;

use crate::support::{MockProvider, Ran, Sandbox, real, run};

const KEY: &str = "sk-e2e";
const PONG: &str = "PONG-FROM-MOCK\n";

/// Crush in a repository of its own, the provider it is launched on, and one that must stay silent.
struct Stage {
    sandbox: Sandbox,
    mock: MockProvider,
    silent: MockProvider,
}

impl Stage {
    /// `None` when Crush is not installed.
    fn new() -> Option<Self> {
        Self::scripted("[]")
    }

    fn scripted(script: &str) -> Option<Self> {
        let sandbox = real::sandbox("crush")?.var("CRUSH_DISABLE_METRICS", "1").var("MOCK_KEY", KEY);
        let mock = MockProvider::scripted(&sandbox, "m1", script);
        let silent = MockProvider::start(&sandbox, "m2");
        let stage = Self { sandbox, mock, silent };
        stage.configure("");
        for name in ["crush@mock", "crush@mock2"] {
            stage.sandbox.shim(name);
        }
        stage.repository("work");
        Some(stage)
    }

    /// Writes the config; `more` goes into the provider `mock`.
    fn configure(&self, more: &str) {
        let provider = |name: &str, mock_provider: &MockProvider, more: &str| {
            format!(
                "  {name}:\n    protocols: [openai-chat-completions, anthropic]\n    base_urls:\n      \
                 openai: {}\n      anthropic: {}\n    key_env: MOCK_KEY\n    default_model: mock-model\n    \
                 models: [{{id: mock-model}}, {{id: mock-model-small}}]\n    model_api_filters: []\n{more}",
                mock_provider.url("/v1"),
                mock_provider.url(""),
            )
        };
        let mock = provider("mock", &self.mock, more);
        let mock2 = provider("mock2", &self.silent, "");
        self.sandbox.config(&format!("providers:\n{mock}{mock2}"));
    }

    fn repository(&self, folder: &str) {
        fs::create_dir_all(self.sandbox.path(folder)).unwrap();
        run(self.sandbox.command("git").args(["init", "-q"]).current_dir(self.sandbox.path(folder))).exits(0);
    }

    #[track_caller]
    fn say_pong(&self) -> Ran {
        let say = || self.sandbox.run("crush@mock", &["run", "-q", "say pong"]);
        let ran = say();
        // On a busy machine Crush may print nothing although it was answered (seen in 0.90.1).
        if ran.code == 0 && ran.stdout == "\n" { say() } else { ran }
    }

    /// Launches once, and asserts that the answer came from the mock and nothing else was asked.
    #[track_caller]
    fn pongs(&self) {
        assert_eq!(self.say_pong().exits(0).stdout, PONG);
        assert_eq!(turns(&self.mock).len(), 1);
        assert_eq!(self.silent.requests().len(), 0, "the other provider was asked");
    }

    /// The only folder of a provider's launches so far.
    #[track_caller]
    fn runtime(&self, provider: &str) -> PathBuf {
        let start = format!("{provider}-");
        let folders = fs::read_dir(self.sandbox.home(".cache/agent-run/crush")).unwrap();
        let folders = folders
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(&start) && entry.path().is_dir());
        let folders: Vec<_> = folders.map(|entry| entry.path()).collect();
        assert_eq!(folders.len(), 1, "{folders:?}");
        folders[0].clone()
    }

    fn config(&self) -> PathBuf {
        self.runtime("mock").join("config")
    }

    fn global(&self) -> PathBuf {
        self.sandbox.home(".local/state/agent-run/crush/global")
    }

    /// The only session folder of a provider so far.
    #[track_caller]
    fn session(&self, provider: &str) -> PathBuf {
        let folders = fs::read_dir(self.runtime(provider)).unwrap().map(|entry| entry.unwrap().path());
        let folders: Vec<_> = folders.filter(|path| path.join("crush.db").is_symlink()).collect();
        assert_eq!(folders.len(), 1, "{folders:?}");
        folders[0].clone()
    }

    /// The number of sessions that a launch sees.
    #[track_caller]
    fn sessions(&self, shim: &str) -> usize {
        let list = self.sandbox.run(shim, &["session", "list", "--json"]).exits(0).stdout;
        serde_json::from_str::<Json>(&list).unwrap().as_array().map_or(0, Vec::len)
    }
}

/// The requests of turns; a session's title is asked for without tools.
fn turns(mock_provider: &MockProvider) -> Vec<Json> {
    let mut posts = mock_provider.posts();
    posts.retain(|post| post["body"]["tools"].as_array().is_some_and(|tools| !tools.is_empty()));
    posts
}

fn header<'a>(post: &'a Json, name: &str) -> Option<&'a str> {
    post["headers"][name].as_str()
}

fn last_message(post: &Json) -> String {
    post["body"]["messages"].as_array().and_then(|messages| messages.last()).unwrap().to_string()
}
