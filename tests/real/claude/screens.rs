//! What a person sees at the first start.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{models, stage};
use crate::support::claude;
use crate::support::tmux::Tmux;

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
