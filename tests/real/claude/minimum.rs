//! The oldest supported version: the part of the cases that shows routing, the guard and the first screen.

use serde_json::json;

use super::{STRAY, Stage, models, stage_in};
use crate::support::{claude, real};

#[track_caller]
fn stage() -> Option<Stage> {
    Some(stage_in(real::minimum("claude")?, "[]"))
}

#[test]
fn an_empty_home_is_enough_for_the_oldest_version() {
    let Some(stage) = stage() else { return };
    assert_eq!(stage.ask(&["hi"]).clean().stdout.trim(), "PONG-FROM-MOCK");
    assert_eq!(models(&stage.only_the_chosen_heard()), ["m-main"]);
}

#[test]
fn settings_of_every_level_lose_in_the_oldest_version() {
    let Some(stage) = stage() else { return };
    let env = json!({
        "ANTHROPIC_BASE_URL": stage.other.url(""), "ANTHROPIC_AUTH_TOKEN": STRAY, "ANTHROPIC_MODEL": "m-other",
        "CLAUDE_CODE_EXTRA_BODY": json!({"model": "m-other"}).to_string(), "CLAUDE_CODE_USE_BEDROCK": "1",
        "ANTHROPIC_CUSTOM_HEADERS": "X-Left: 1",
    });
    let settings =
        json!({"env": env, "apiKeyHelper": format!("echo {STRAY}"), "availableModels": ["m-other"]});
    stage.settings(&settings);
    for name in ["settings.json", "settings.local.json"] {
        stage.sandbox.write(&stage.sandbox.path("work/.claude").join(name), settings.to_string());
    }
    stage.ask(&["hi"]).exits(0);
    let posts = stage.only_the_chosen_heard();
    assert_eq!(models(&posts), ["m-main"]);
    assert!(
        posts.iter().all(|post| post["headers"]["x-left"].is_null() && post["body"]["model"] == "m-main")
    );
}

#[test]
fn a_saved_login_stays_at_home_in_the_oldest_version() {
    let Some(stage) = stage() else { return };
    stage.log_in(true);
    stage.ask(&["hi"]).exits(0);
    assert!(!json!(stage.only_the_chosen_heard()).to_string().contains("sk-ant-"));
}

#[test]
fn a_session_runs_on_the_provider_in_the_oldest_version() {
    let Some(stage) = stage() else { return };
    let (tmux, _) = claude::trusted(&stage.sandbox, "claude@m");
    claude::say(&tmux, "say hello to everyone");
    tmux.wait_for("PONG-FROM-MOCK");
    stage.only_the_chosen_heard();
}
