//! Windows of every size: nothing is said at a start, the user's settings stay, and no larger window is asked for.

use std::fs;

use serde_json::{Value as Json, json};

use super::{KEY, models};
use crate::support::{MockProvider, Ran, Sandbox, claude, real};

/// One launch: the model's id, its window, and the user's own settings.
struct Case {
    id: &'static str,
    window: Option<u64>,
    settings: &'static str,
    more: &'static str,
}

const OPUS: &str = r#"{"model":"opus"}"#;
const SONNET: &str = r#"{"model":"sonnet"}"#;

const fn case(id: &'static str, window: Option<u64>, settings: &'static str) -> Case {
    Case { id, window, settings, more: "" }
}

/// What tells the most of the table that the unit tests have whole.
const CASES: [Case; 9] = [
    case("m-main", Some(65_536), OPUS),
    case("m-main", Some(200_000), OPUS),
    case("m-main", Some(262_144), OPUS),
    case("m-main", Some(262_144), SONNET),
    case("m-main", Some(1_000_000), "{}"),
    case("m-main", None, OPUS),
    case("m-main", None, "{}"),
    case("claude-opus-4-8", Some(1_000_000), OPUS),
    case("claude-sonnet-4-6", Some(200_000), SONNET),
];

/// The one kind of launch that is warned at its start, since the alternative is a changed file.
fn is_warned(case: &Case) -> bool {
    case.window.is_some_and(|window| window > 200_000) && case.settings == OPUS && case.id == "m-main"
}

struct WindowStage {
    sandbox: Sandbox,
    provider: MockProvider,
}

fn stage(sandbox: Sandbox, case: &Case) -> WindowStage {
    let sandbox = sandbox.var("MOCK_KEY", KEY);
    let provider = MockProvider::start(&sandbox, "chosen");
    let window = case.window.map(|window| format!(", context_window: {window}")).unwrap_or_default();
    let (id, url) = (case.id, provider.url(""));
    sandbox.config(&format!(
        "providers:\n  m: {{protocols: [anthropic], base_urls: {{anthropic: '{url}'}}, key_env: MOCK_KEY, \
         default_model: '{id}', models: [{{id: '{id}'{window}}}], model_api_filters: []{}}}\n",
        case.more
    ));
    sandbox.shim("claude@m");
    sandbox.write(&sandbox.home(".claude/settings.json"), case.settings);
    WindowStage { sandbox, provider }
}

impl WindowStage {
    fn ask(&self) -> Ran {
        claude::without_unrecognized_model(self.sandbox.run("claude@m", &["-p", "hi"]))
    }

    fn settings(&self) -> String {
        fs::read_to_string(self.sandbox.home(".claude/settings.json")).unwrap()
    }

    #[track_caller]
    fn asked_for_no_more(&self, id: &str) {
        let posts = self.provider.posts();
        assert_eq!(models(&posts), [id]);
        let betas: Vec<&Json> = posts.iter().map(|post| &post["headers"]["anthropic-beta"]).collect();
        assert!(!json!(betas).to_string().contains("context-1m"), "{betas:?}");
    }
}

#[track_caller]
fn every_case(is_newest: bool, sandbox: impl Fn() -> Option<Sandbox>) {
    for case in &CASES {
        let Some(sandbox) = sandbox() else { return };
        let what = format!("{} {:?} {}", case.id, case.window, case.settings);
        let stage = stage(sandbox, case);
        let ran = stage.ask().exits(0);
        let is_said = ran.stderr.starts_with("CLAUDE_CODE_DISABLE_1M_CONTEXT is set") && is_warned(case);
        assert!(ran.stderr.is_empty() || is_said, "{what}: {}", ran.stderr);
        // For its own models 2.1.197 does the same to the settings wherever it runs.
        let is_kept = is_newest || case.id == "m-main";
        assert!(!is_kept || stage.settings() == case.settings, "{what}");
        let (tmux, _) = claude::trusted(&stage.sandbox, "claude@m");
        claude::say(&tmux, "say hello to everyone");
        let screen = tmux.wait_for("PONG-FROM-MOCK");
        let warned = ["1M_CONTEXT", "minimum", "limit isn't enforced", "context window"];
        let is_said = warned.iter().any(|text| screen.contains(text));
        assert!(!is_said || is_warned(case), "{what}: {screen}");
        assert!(!is_kept || stage.settings() == case.settings, "{what}");
        stage.asked_for_no_more(case.id);
    }
}

#[test]
fn every_window_starts_quietly_and_leaves_the_settings() {
    every_case(true, || real::sandbox("claude"));
}

#[test]
fn every_window_starts_quietly_and_leaves_the_settings_in_the_oldest_version() {
    every_case(false, || real::minimum("claude"));
}

/// What `/context` shows of a window at a provider on this machine, and at one elsewhere, which is never reached.
const SHOWN: [(&str, Option<u64>, bool, &str); 9] = [
    // Too small to work, which the launch says: no more than is needed, and less than where nothing is known.
    ("m-main", Some(4_096), true, "/ 32k "),
    ("m-main", Some(65_536), true, "/ 65.5k "),
    ("m-main", Some(65_536), false, "/ 65.5k "),
    ("m-main", Some(200_000), true, "/ 200k "),
    ("m-main", Some(262_144), false, "/ 262.1k "),
    ("m-main", None, true, "/ 65.5k "),
    ("m-main", None, false, "/ 200k "),
    ("m-main[1m]", None, true, "/ 1m "),
    ("m-main[1m]", Some(262_144), true, "/ 262.1k "),
];

#[track_caller]
fn every_window_is_shown(version: impl Fn() -> Sandbox) {
    for (id, window, is_local, shown) in SHOWN {
        let sandbox = version().var("MOCK_KEY", KEY);
        let provider = MockProvider::start(&sandbox, "chosen");
        let sandbox = sandbox.var("HTTP_PROXY", provider.url(""));
        let url = if is_local { provider.url("") } else { "http://far.example".to_owned() };
        let stated = window.map(|window| format!(", context_window: {window}")).unwrap_or_default();
        sandbox.config(&format!(
            "providers:\n  m: {{protocols: [anthropic], base_urls: {{anthropic: '{url}'}}, key_env: MOCK_KEY, \
             default_model: '{id}', models: [{{id: m-main{stated}}}], model_api_filters: []}}\n"
        ));
        sandbox.shim("claude@m");
        let ran = sandbox.run("claude@m", &["-p", "/context"]).exits(0);
        let is_small = ran.stderr.contains("too small for a coding agent");
        assert!(ran.stderr.is_empty() || (is_small && window == Some(4_096)), "{}", ran.stderr);
        let line = ran.stdout.lines().find(|line| line.contains("**Tokens:**")).unwrap_or_default();
        assert!(line.contains(shown), "{id} {window:?} {is_local}: {}", ran.stdout);
    }
}

#[test]
fn every_window_is_shown_as_it_was_given() {
    every_window_is_shown(|| real::sandbox("claude").unwrap());
}

#[test]
fn every_window_is_shown_as_it_was_given_by_the_oldest_version() {
    every_window_is_shown(|| real::minimum("claude").unwrap());
}

/// What the switch is there for, without it.
#[test]
fn without_the_switch_the_users_settings_are_rewritten() {
    let Some(sandbox) = real::sandbox("claude") else { return };
    let more = ", extra_env: {CLAUDE_CODE_DISABLE_1M_CONTEXT: ''}";
    let stage = stage(sandbox, &Case { more, ..case("m-main", Some(200_000), OPUS) });
    let (tmux, _) = claude::trusted(&stage.sandbox, "claude@m");
    claude::say(&tmux, "hi");
    tmux.wait_for("PONG-FROM-MOCK");
    assert!(stage.settings().contains("opus[1m]"), "{}", stage.settings());
}
