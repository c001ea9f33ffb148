//! Claude Code, case by case.

mod documents;
mod launches;
mod logins;
mod messages;
mod minimum;
mod models;
mod own;
mod picker;
mod resumed;
mod settings;
mod unseen;
mod windows;

use serde_json::Value as Json;

use crate::support::{MockProvider, Ran, Sandbox, claude, real};

/// The key of the provider under test: long enough that its end can be approved.
const KEY: &str = "sk-planted-0123456789-ABCDEFGHIJ";

/// What a leftover setting would send.
const STRAY: &str = "sk-stray-0123456789-KLMNOPQRST";

/// A home, the provider that is chosen, and another one that must hear nothing.
struct Stage {
    sandbox: Sandbox,
    chosen: MockProvider,
    other: MockProvider,
}

/// An empty home with two providers; `None` without Claude Code.
#[track_caller]
fn stage() -> Option<Stage> {
    scripted("[]")
}

/// The same, with a script for the chosen provider.
#[track_caller]
fn scripted(script: &str) -> Option<Stage> {
    Some(stage_in(real::sandbox("claude")?, script))
}

/// The same, in a sandbox with some version of Claude Code.
#[track_caller]
fn stage_in(sandbox: Sandbox, script: &str) -> Stage {
    let sandbox = sandbox.var("MOCK_KEY", KEY);
    let chosen = MockProvider::scripted(&sandbox, "chosen", script);
    let other = MockProvider::start(&sandbox, "other");
    let url = chosen.url("");
    let provider = |name: &str, base: &str, more: &str| {
        format!(
            "  {name}: {{protocols: [anthropic], base_urls: {{anthropic: '{url}{base}'}}, key_env: MOCK_KEY, \
             default_model: m-main, \
             models: [{{id: m-main, context_window: 200000}}], model_api_filters: []{more}}}\n"
        )
    };
    let tiers = "opus: m-opus, sonnet: m-sonnet, haiku: m-haiku";
    let providers = [
        provider("m", "", &format!(", tiers: {{{tiers}}}")),
        provider("inherits", "", &format!(", tiers: {{{tiers}, subagent: inherit}}")),
        provider("keyed", "", ", anthropic_use_api_key: true"),
        provider("slashed", "/anthropic/", ""),
    ];
    sandbox.config(&format!("providers:\n{}", providers.concat()));
    sandbox.shim("claude@m");
    Stage { sandbox, chosen, other }
}

impl Stage {
    /// Runs one prompt to its end.
    #[track_caller]
    fn ask(&self, words: &[&str]) -> Ran {
        claude::without_unrecognized_model(self.sandbox.run("claude@m", &[&["-p"], words].concat()))
    }

    /// Writes the user's settings.
    fn settings(&self, settings: &Json) {
        self.sandbox.write(&self.sandbox.home(".claude/settings.json"), settings.to_string());
    }

    /// Claude Code's state file.
    fn state(&self) -> Json {
        serde_json::from_slice(&std::fs::read(self.sandbox.home(".claude.json")).unwrap()).unwrap()
    }

    /// Asserts that the chosen provider alone was asked, with its key as a bearer token and no other.
    #[track_caller]
    fn only_the_chosen_heard(&self) -> Vec<Json> {
        let posts = self.chosen.posts();
        assert!(!posts.is_empty(), "the chosen provider heard nothing");
        for post in &posts {
            assert_eq!(post["headers"]["authorization"], format!("Bearer {KEY}"), "{post}");
            assert!(post["headers"]["x-api-key"].is_null(), "{post}");
        }
        assert_eq!(self.other.requests(), [Json::Null; 0]);
        posts
    }

    /// Plants a saved login as `claude login` leaves one, valid until 2100 or expired long ago.
    fn log_in(&self, valid: bool) {
        let expires = if valid { 4_102_444_800_000_u64 } else { 1_500_000_000_000 };
        let oauth = serde_json::json!({
            "accessToken": "sk-ant-oat01-SAVED", "refreshToken": "sk-ant-ort01-SAVED", "expiresAt": expires,
            "scopes": ["user:inference", "user:profile"], "subscriptionType": "max",
        });
        let credentials = serde_json::json!({ "claudeAiOauth": oauth });
        self.sandbox.write(&self.sandbox.home(".claude/.credentials.json"), credentials.to_string());
        let account = serde_json::json!({
            "accountUuid": "a", "emailAddress": "e@example.com", "organizationUuid": "o",
        });
        let state = serde_json::json!({"hasCompletedOnboarding": true, "oauthAccount": account});
        self.sandbox.write(&self.sandbox.home(".claude.json"), state.to_string());
    }
}

/// A proxy that notes who was asked for and passes nothing on: whatever is not for the provider ends here.
fn with_sink(stage: Stage) -> (Stage, MockProvider) {
    let sink = MockProvider::start(&stage.sandbox, "sink");
    let url = sink.url("");
    let Stage { sandbox, chosen, other } = stage;
    let sandbox = sandbox.var("HTTPS_PROXY", url.clone()).var("HTTP_PROXY", url);
    (Stage { sandbox, chosen, other }, sink)
}

/// The models asked for, each once.
fn models(posts: &[Json]) -> Vec<&str> {
    let mut models: Vec<&str> = posts.iter().filter_map(|post| post["model"].as_str()).collect();
    models.sort_unstable();
    models.dedup();
    models
}
