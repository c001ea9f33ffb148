//! Codex: every acceptance case, numbered as the cases are.

/// One session at two providers at once.
mod at_once;
/// Which provider is asked, with what, whatever the user's own settings say.
mod choice;
/// A `.env` that one launch takes and another does not.
mod dotenv;
/// Homes of older versions.
mod former;
/// Where the key is, and where it is not.
mod keys;
/// The picker's models.
mod models;
/// Making the homes of older versions.
mod old_homes;
/// The other subcommands, and the protocol of editors.
mod others;
/// Projects, administrators, and launches at once.
mod projects;
/// Sessions: resumed, shared by all providers, and kept.
mod sessions;
/// The terminal interface.
mod terminal;
/// The launch's words among the user's own.
mod words;

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::support::{MockProvider, Ran, Sandbox, real, run};

/// A machine with the real Codex, and two mock providers: `p` is at `a`, `q` and the user's own `plain`
/// are at `b`.
struct Stage {
    sandbox: Sandbox,
    a: MockProvider,
    b: MockProvider,
}

impl Stage {
    /// `None` when Codex is not installed.
    fn set() -> Option<Self> {
        Self::scripted("[]")
    }

    /// With a script for `a`.
    fn scripted(script: &str) -> Option<Self> {
        Some(Self::on(real::sandbox("codex")?, script))
    }

    /// With the newest Codex and with the oldest, and a script for `a`.
    fn of_both(script: &str) -> Vec<Self> {
        let sandboxes = [real::sandbox("codex"), real::minimum("codex")];
        sandboxes.into_iter().flatten().map(|sandbox| Self::on(sandbox, script)).collect()
    }

    /// With the Codex of this sandbox.
    fn on(sandbox: Sandbox, script: &str) -> Self {
        let sandbox = sandbox.var("P_KEY", "sk-planted-p").var("Q_KEY", "sk-planted-q");
        let a = MockProvider::scripted(&sandbox, "a", script);
        let b = MockProvider::start(&sandbox, "b");
        let stage = Self { sandbox, a, b };
        stage.serve_p_at(&stage.a.url("/v1"));
        stage.sandbox.shim("codex@p");
        stage.sandbox.shim("codex@q");
        // A repository of its own, so that trust and instructions end at the sandbox.
        run(stage.sandbox.command("git").args(["init", "-q"])).clean();
        stage
    }

    fn serve_p_at(&self, url: &str) {
        let q = self.b.url("/v1");
        self.sandbox.config(&format!(
            "providers:\n  p: {{protocols: [openai-responses], base_urls: {{openai: '{url}'}}, key_env: P_KEY, \
             default_model: model-p}}\n  q: {{protocols: [openai-responses], base_urls: {{openai: '{q}'}}, \
             key_env: Q_KEY, default_model: model-q}}\n"
        ));
    }

    /// The user's own config, with the provider `plain`, trust in the folder `work`, and what else is given.
    fn own_config(&self, top: &str, tables: &str) -> PathBuf {
        let path = self.sandbox.home(".codex/config.toml");
        let (url, work) = (self.b.url("/v1"), self.sandbox.path("work"));
        let text = format!(
            "model = 'model-plain'\nmodel_provider = 'plain'\ncheck_for_update_on_startup = false\n{top}\n\
             [model_providers.plain]\nname = 'plain'\nbase_url = '{url}'\n\
             [projects.'{}']\ntrust_level = 'trusted'\n{tables}\n",
            work.display()
        );
        self.sandbox.write(&path, text);
        path
    }

    /// Runs to the end.
    #[track_caller]
    fn run(&self, program: &str, words: &[&str]) -> Ran {
        run(&mut self.command(program, words))
    }

    fn command(&self, program: &str, words: &[&str]) -> Command {
        let mut command = self.sandbox.command(program);
        command.args(words);
        command
    }

    /// The runtime home of all providers.
    fn runtime(&self) -> PathBuf {
        self.state().join("home")
    }

    /// Sessions and databases.
    fn state(&self) -> PathBuf {
        self.sandbox.home(".local/state/agent-run/codex-shared")
    }

    /// The only request that `p` got, while nobody else got any.
    #[track_caller]
    fn only_post(&self) -> Json {
        let mut posts = self.a.posts();
        assert_eq!(posts.len(), 1, "{posts:#?}");
        assert!(self.b.requests().is_empty(), "{:#?}", self.b.requests());
        posts.remove(0)
    }
}

impl MockProvider {
    /// The `n`th request that carries a turn, once it is there. The terminal interface sends another one
    /// for the title of each session.
    #[track_caller]
    fn wait_for_turn(&self, n: usize) -> Json {
        let start = Instant::now();
        loop {
            let mut turns = self.posts();
            turns.retain(|post| post["body"]["tools"].as_array().is_some_and(|tools| !tools.is_empty()));
            assert!(turns.len() <= n, "{} turns, not {n}", turns.len());
            if turns.len() == n {
                return turns.remove(n - 1);
            }
            assert!(start.elapsed() < Duration::from_secs(60), "{} of {n} turns", turns.len());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// What was said in a request, as `(role, text)`, without the instructions.
fn said(post: &Json) -> Vec<(String, String)> {
    let input = post["body"]["input"].as_array().expect("an input");
    let messages = input.iter().filter(|item| item["role"] == "user" || item["role"] == "assistant");
    messages
        .map(|item| {
            let texts = item["content"].as_array().expect("content").iter();
            let text: Vec<_> = texts.filter_map(|part| part["text"].as_str()).collect();
            (item["role"].as_str().unwrap_or_default().to_owned(), text.join(""))
        })
        .filter(|(_, text)| !text.starts_with('<') && !text.starts_with("# AGENTS.md"))
        .collect()
}

/// The same, as lines for a comparison.
fn lines(post: &Json) -> Vec<String> {
    said(post).into_iter().map(|(role, text)| format!("{role}: {text}")).collect()
}

fn header<'a>(post: &'a Json, name: &str) -> Option<&'a str> {
    post["headers"][name].as_str()
}
