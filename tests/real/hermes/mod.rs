//! Hermes Agent: every acceptance case, numbered as the cases are.

/// Which provider is asked, with what, whatever settings and variables say.
mod choice;
/// Profiles, sessions and what else is the user's and lives on.
mod home;
/// Texts, settings and dotenv files that are made to break out.
mod hostile;
/// The terminal interface: running sessions, and a model chosen within one.
mod terminal;
/// What the model's tools see and write.
mod tools;

use std::process::Command;

use serde_json::Value as Json;

use crate::support::{MockProvider, Ran, Sandbox, real, run};

const KEY: &str = "sk-CHOSEN";

/// A machine with the real Hermes, and two mock providers: `local` is at `a`, and everything stale at `b`.
struct Stage {
    sandbox: Sandbox,
    a: MockProvider,
    b: MockProvider,
}

impl Stage {
    /// `None` when Hermes is not installed.
    fn set() -> Option<Self> {
        Self::scripted("[]")
    }

    /// With a script for `a`.
    fn scripted(script: &str) -> Option<Self> {
        let sandbox = real::sandbox("hermes")?
            .var("LOCAL_KEY", KEY)
            .var("SECRET", "s3cret")
            .var("HERMES_DISABLE_LAZY_INSTALLS", "1")
            .var("TIRITH_ENABLED", "false");
        let a = MockProvider::scripted(&sandbox, "a", script);
        let b = MockProvider::start(&sandbox, "b");
        let stage = Self { sandbox, a, b };
        stage.serve("context_window: 128000");
        Some(stage)
    }

    /// Configures the providers; `known` is what is known of the model.
    fn serve(&self, known: &str) {
        self.sandbox.config(&format!(
            "providers:
  local: {{protocols: [openai-chat-completions], base_urls: {{openai: '{a}'}}, key_env: LOCAL_KEY,
    headers: {{X-Plain: blue, X-Secret: '${{env:SECRET}}'}},
    default_model: mock-model, models: [{{id: mock-model, {known}}}], model_api_filters: []}}
  other: {{protocols: [openai-chat-completions], base_urls: {{openai: '{b}'}}, key_env: OTHER_KEY,
    default_model: b-model, models: [{{id: b-model, context_window: 128000}}], model_api_filters: []}}
",
            a = self.a.url("/v1"),
            b = self.b.url("/v1"),
        ));
    }

    /// Configures `local` alone, with these models and more.
    fn provider(&self, rest: &str) {
        self.sandbox.config(&format!(
            "providers:\n  local: {{protocols: [openai-chat-completions], base_urls: {{openai: '{}'}},\n    \
             key_env: LOCAL_KEY, model_api_filters: [], {rest}}}\n",
            self.a.url("/v1"),
        ));
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.sandbox.command("agent-run");
        command.args(["launch", "local", "hermes", "--"]).args(words);
        command
    }

    #[track_caller]
    fn run(&self, words: &[&str]) -> Ran {
        run(&mut self.command(words))
    }

    /// Asserts that the chosen provider was asked, once, as chosen, and the other one never.
    #[track_caller]
    fn was_asked_once(&self) -> Json {
        let posts = self.a.posts();
        assert_eq!(posts.len(), 1, "{posts:#?}");
        chosen(&posts[0]);
        assert_eq!(self.b.posts(), Vec::<Json>::new());
        posts[0].clone()
    }

    /// Writes settings of the user's own that would send everything to `b`.
    fn hostile_home(&self) {
        let (home, b) = (self.sandbox.home(".hermes"), self.b.url("/v1"));
        let entry = format!("{{name: custom, base_url: '{b}', api_key: sk-STALE, model: stale}}");
        let task = format!("{{provider: custom, base_url: '{b}', api_key: sk-STALE, model: stale}}");
        let settings = format!(
            "# mine
approvals: {{mode: off}}
model: {{default: stale, provider: custom, base_url: '{b}', api_key: sk-STALE, api_mode: codex_responses,
  context_length: 32000, max_tokens: 7, default_headers: {{x-stale: '1'}}}}
providers: {{custom: {{enabled: false}}, mine: {entry}}}
custom_providers: [{entry}]
fallback_providers: [{{provider: custom, model: stale, base_url: '{b}', api_key: sk-STALE}}]
fallback_model: {{provider: custom, model: stale, base_url: '{b}', api_key: sk-STALE}}
credential_pool_strategies: {{custom: round_robin}}
model_aliases: {{mock-model: {{model: stale, provider: custom, base_url: '{b}'}}}}
auxiliary: {{vision: {task}, title_generation: {task}, compression: {task}}}
delegation: {task}
provider: custom
base_url: {b}
api_key: sk-STALE
context_length: 32000
"
        );
        self.sandbox.write(&home.join("config.yaml"), &settings);
        self.sandbox.write(&self.sandbox.home("elsewhere/config.yaml"), &settings);
        // Of this one line a launch leaves the whole file out.
        let variables: Vec<_> = (self.hostile_variables().into_iter())
            .filter(|(name, _)| *name != "HERMES_MANAGED_DIR")
            .map(|(name, value)| format!("{name}={value}\n"))
            .collect();
        self.sandbox.write(&home.join(".env"), variables.concat());
        self.sandbox.write(&self.sandbox.path("work/.env"), variables.concat());
        let pool = format!(
            r#"{{"version": 1, "credential_pool": {{"custom:agent-run-local": [{{"id": "x", "label": "x",
            "auth_type": "api_key", "priority": 0, "source": "manual", "access_token": "sk-STALE",
            "base_url": "{b}"}}]}}}}"#
        );
        self.sandbox.write(&home.join("auth.json"), pool);
    }

    /// Every variable that Hermes would go by, pointing at `b`.
    fn hostile_variables(&self) -> Vec<(&'static str, String)> {
        let (b, proxy) = (self.b.url("/v1"), self.b.url(""));
        let elsewhere = self.sandbox.home("elsewhere").display().to_string();
        let mut variables = vec![("HERMES_MANAGED_DIR", elsewhere.clone()), ("HERMES_HOME", elsewhere)];
        for name in [
            "HERMES_INFERENCE_MODEL",
            "HERMES_MODEL",
            "HERMES_INFERENCE_PROVIDER",
            "HERMES_TUI_PROVIDER",
            "LLM_MODEL",
        ] {
            variables.push((name, "openrouter".to_owned()));
        }
        for name in ["CUSTOM_BASE_URL", "OPENAI_BASE_URL", "OPENROUTER_BASE_URL", "AUXILIARY_VISION_BASE_URL"]
        {
            variables.push((name, b.clone()));
        }
        for name in ["OPENAI_API_KEY", "OPENROUTER_API_KEY", "DEEPSEEK_API_KEY", "AUXILIARY_VISION_API_KEY"] {
            variables.push((name, "sk-STALE".to_owned()));
        }
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
            variables.push((name, proxy.clone()));
        }
        for name in ["HERMES_IGNORE_USER_CONFIG", "HERMES_SAFE_MODE", "HERMES_MAX_TOKENS"] {
            variables.push((name, "1".to_owned()));
        }
        variables
    }
}

/// Asserts that a request went out as chosen.
#[track_caller]
fn chosen(post: &Json) {
    assert_eq!(post["path"], "/v1/chat/completions");
    assert_eq!(post["headers"]["authorization"], format!("Bearer {KEY}"));
    assert_eq!(post["model"], "mock-model");
    let headers = ["x-plain", "x-secret", "x-stale"].map(|name| post["headers"][name].as_str());
    assert_eq!(headers, [Some("blue"), Some("s3cret"), None]);
}

/// How many messages a request carries, the system's aside.
fn turns(post: &Json) -> usize {
    let messages = post["body"]["messages"].as_array().unwrap();
    messages.iter().filter(|message| message["role"] != "system").count()
}

/// The last words of the user.
fn last_words(post: &Json) -> &Json {
    let messages = post["body"]["messages"].as_array().unwrap();
    &messages.last().unwrap()["content"]
}
