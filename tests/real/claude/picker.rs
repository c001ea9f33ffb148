//! What a person sees: the first start, and the provider's models in `/model`.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{KEY, Stage, models, stage, stage_in};
use crate::support::tmux::Tmux;
use crate::support::{Sandbox, claude, real};

/// A provider with a model of a larger window and one of a smaller, and the screen of `/model`.
fn screen_of_model(sandbox: Sandbox) -> (Stage, Tmux, String) {
    let stage = stage_in(sandbox, "[]");
    let url = stage.chosen.url("");
    stage.sandbox.config(&format!(
        "providers:\n  m: {{protocols: [anthropic], base_urls: {{anthropic: '{url}'}}, key_env: MOCK_KEY, \
         default_model: m-main, models: [{{id: m-main, context_window: 200000}}, \
         {{id: m-other, context_window: 262144}}, {{id: m-tiny, context_window: 65536}}], \
         model_api_filters: []}}\n"
    ));
    let (tmux, first) = claude::trusted(&stage.sandbox, "claude@m");
    assert!(!first.contains("modelPicker"), "{first}");
    tmux.text("/model ");
    tmux.wait_for("/model ");
    tmux.key("Enter");
    let screen = tmux.wait_for("Select model");
    (stage, tmux, screen)
}

#[test]
fn another_model_of_the_provider_can_be_chosen_in_a_session() {
    let (stage, tmux, screen) = screen_of_model(real::sandbox("claude").unwrap());
    assert!(screen.contains("m-other") && !screen.contains("m-tiny"), "{screen}");
    assert!(screen.contains("window of 262144 tokens, this session uses 200000"), "{screen}");
    let is_chosen = |screen: &str| screen.lines().any(|line| line.contains('❯') && line.contains("m-other"));
    for _ in 0..10 {
        if is_chosen(&tmux.screen()) {
            break;
        }
        tmux.key("Down");
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    assert!(is_chosen(&tmux.screen()), "{}", tmux.screen());
    tmux.key("s"); // for this session alone
    tmux.wait_until("the end of the list", |screen| !screen.contains("Select model"));
    claude::say(&tmux, "say hello to everyone");
    tmux.wait_for("PONG-FROM-MOCK");
    assert_eq!(models(&stage.only_the_chosen_heard()), ["m-other"]);
    assert!(!stage.sandbox.home(".claude/settings.json").exists(), "the user's settings stay");
    claude::say(&tmux, "/context");
    tmux.wait_for("/200k");
    assert_eq!(stage.chosen.posts()[0]["headers"]["authorization"], format!("Bearer {KEY}"));
}

#[test]
fn the_oldest_version_passes_the_rows_by() {
    let (_stage, _tmux, screen) = screen_of_model(real::minimum("claude").unwrap());
    assert!(!screen.contains("m-other"), "{screen}");
}

#[test]
fn case_02_the_first_screen_asks_for_trust_and_nothing_else() {
    let Some(stage) = stage() else { return };
    let tmux = Tmux::start(&stage.sandbox, "claude@m");
    let seen = RefCell::new(String::new());
    tmux.wait_until("the question of trust", |screen| {
        seen.borrow_mut().push_str(screen);
        screen.contains("Yes, I trust this folder")
    });
    let seen = seen.into_inner();
    assert!(!seen.contains("Let's get started") && !seen.contains("Detected a custom API key"), "{seen}");
    assert_eq!(stage.state()["hasCompletedOnboarding"], true);
    let mode = fs::metadata(stage.sandbox.home(".claude.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let work = stage.sandbox.path("work").display().to_string();
    assert!(
        stage.state()["projects"][&work]["hasTrustDialogAccepted"] != true,
        "trust is the user's to give"
    );
}

#[test]
fn case_03_a_session_runs_on_the_provider_and_says_so() {
    let Some(stage) = stage() else { return };
    let (tmux, _) = claude::trusted(&stage.sandbox, "agent-run launch m claude");
    claude::say(&tmux, "say hello to everyone");
    tmux.wait_for("PONG-FROM-MOCK");
    // 2.1.197 asks for a session's title too, 2.1.332 no more.
    let asked = stage.only_the_chosen_heard();
    let asked = models(&asked);
    assert!(
        asked.contains(&"m-main") && asked.iter().all(|model| ["m-haiku", "m-main"].contains(model)),
        "{asked:?}"
    );
    claude::say(&tmux, "/status");
    let status = tmux.wait_for("ANTHROPIC_AUTH_TOKEN");
    assert!(status.contains(&stage.chosen.url("")), "{status}");
}
