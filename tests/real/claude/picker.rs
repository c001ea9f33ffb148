//! The provider's models in `/model`.

use super::{KEY, Stage, models, stage_in};
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
