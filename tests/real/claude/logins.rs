//! Beside a saved login of the user's, and on a network that is all sink: what Claude Code does by itself.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{KEY, stage, with_sink};
use crate::support::net::{self, Sink};
use crate::support::tmux::Tmux;
use crate::support::{claude, real};

const NOBODY: [Json; 0] = [];

#[test]
fn case_12_a_saved_login_stays_at_home() {
    let Some(stage) = stage() else { return };
    let (stage, sink) = with_sink(stage);
    stage.log_in(true);
    assert_eq!(stage.ask(&["hi"]).clean().stdout.trim(), "PONG-FROM-MOCK");
    let heard = stage.only_the_chosen_heard();
    assert!(!json!(heard).to_string().contains("sk-ant-"), "{heard:?}");
    assert_eq!(sink.requests(), NOBODY);
}

#[test]
fn case_12_an_expired_login_is_renewed_at_its_own_host_only() {
    let Some(stage) = stage() else { return };
    let (stage, sink) = with_sink(stage);
    stage.log_in(false);
    stage.ask(&["hi"]).exits(0);
    let heard = stage.only_the_chosen_heard();
    assert!(!json!(heard).to_string().contains("sk-ant-"), "{heard:?}");
    for request in sink.requests() {
        assert_eq!(request["path"], "platform.claude.com:443", "{request}");
    }
}

#[test]
fn case_17_background_agents_are_off() {
    let Some(stage) = stage() else { return };
    let (stage, sink) = with_sink(stage);
    stage.log_in(true);
    let ran = stage.sandbox.run("claude@m", &["--bg", "hi"]).exits(1);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("disabled by CLAUDE_CODE_DISABLE_AGENT_VIEW"), "{said}");
    if Tmux::is_there() {
        let (tmux, _) = claude::trusted(&stage.sandbox, "claude@m");
        claude::say(&tmux, "/background");
        tmux.wait_until("a refusal", |screen| {
            screen.contains("Unknown command: /background")
                || screen.contains("CLAUDE_CODE_DISABLE_AGENT_VIEW")
        });
    }
    assert_eq!((sink.requests(), stage.other.requests()), (NOBODY.into(), NOBODY.into()));
}

#[test]
fn an_api_key_goes_alone_and_only_to_the_provider() {
    for logged_in in [false, true] {
        let Some(stage) = stage() else { return };
        let (stage, sink) = with_sink(stage);
        if logged_in {
            stage.log_in(true);
        }
        stage.sandbox.shim("claude@keyed");
        let ran = stage.sandbox.run("claude@keyed", &["-p", "hi"]).exits(0);
        assert_eq!(ran.stdout.trim(), "PONG-FROM-MOCK");
        assert_eq!(stage.state()["customApiKeyResponses"]["approved"], json!([&KEY[KEY.len() - 20..]]));
        if Tmux::is_there() {
            let (tmux, first) = claude::trusted(&stage.sandbox, "claude@keyed");
            assert!(!first.contains("Detected a custom API key"), "{first}");
            claude::say(&tmux, "say hello to everyone");
            tmux.wait_for("PONG-FROM-MOCK");
        }
        for post in stage.chosen.posts() {
            assert_eq!(post["headers"]["x-api-key"], KEY, "{post}");
            assert!(post["headers"]["authorization"].is_null(), "{post}");
        }
        assert_eq!(sink.requests(), NOBODY, "logged in: {logged_in}");
    }
}

/// 2.1.197 sends the key in it to the provider.
#[test]
fn a_state_file_that_is_too_large_to_be_read_starts_nothing() {
    let stage = super::stage_in(real::minimum("claude").unwrap(), "[]");
    let fill = " ".repeat(65 << 20);
    let state = format!(r#"{{"hasCompletedOnboarding": true, "primaryApiKey": "sk-ant-api03-X"{fill}}}"#);
    stage.sandbox.write(&stage.sandbox.home(".claude.json"), state);
    stage.ask(&["hi"]).exits(125).complains(&[".claude.json: it is larger than 64 MiB", "\nhelp: "]);
    assert_eq!(stage.chosen.requests(), NOBODY);
}

#[test]
fn case_18_nothing_leaves_but_to_the_provider() {
    if !net::is_inside() {
        return; // a process within that network runs this test again
    }
    let Some(stage) = stage() else { return };
    let sink = Sink::open(&stage.sandbox);
    let (tmux, _) = claude::trusted(&stage.sandbox, "claude@m");
    claude::say(&tmux, "say hello to everyone");
    tmux.wait_for("PONG-FROM-MOCK");
    std::thread::sleep(Duration::from_secs(15)); // late traffic: updates, telemetry, marketplaces
    assert!(sink.seen().is_empty(), "{:#?}", sink.seen());
    assert_eq!(net::unheard(), 0, "{}", net::UNHEARD);
    stage.only_the_chosen_heard();
}
