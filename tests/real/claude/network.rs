//! On a network that is all sink: a whole session, and what Claude Code does by itself meanwhile.

use std::time::Duration;

use super::stage;
use crate::support::claude;
use crate::support::net::{self, Sink};

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
