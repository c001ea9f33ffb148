//! What Claude Code alone shows and says: its first screens, and its line for a model that it does not know.

use std::time::Duration;

use super::tmux::Tmux;
use super::{Ran, Sandbox};

/// The choice that lets a session start.
const TRUST: &str = "Yes, I trust this folder";

/// Starts it in a terminal, and trusts the folder.
///
/// 2.1.332 offers "No, exit" first and swallows the keys of its first second; 2.1.197 offers trust first. So the
/// choice is moved to until the screen shows it. Gives the terminal and the first screen.
#[track_caller]
pub fn trusted(sandbox: &Sandbox, command: &str) -> (Tmux, String) {
    let tmux = Tmux::start(sandbox, command);
    let first = tmux.wait_for(TRUST);
    for _ in 0..40 {
        let screen = tmux.screen();
        if !screen.contains(TRUST) {
            break;
        }
        let is_chosen = screen.lines().any(|line| line.contains('❯') && line.contains(TRUST));
        tmux.key(if is_chosen { "Enter" } else { "Down" });
        std::thread::sleep(Duration::from_millis(700));
    }
    tmux.wait_until("the prompt", is_ready);
    (tmux, first)
}

/// Whether it waits for a prompt. "? for shortcuts" is gone in 2.1.332.
fn is_ready(screen: &str) -> bool {
    !screen.contains(TRUST) && screen.lines().any(|line| line.starts_with('❯'))
}

/// Types a prompt or a command, and sends it once it is seen.
#[track_caller]
pub fn say(tmux: &Tmux, text: &str) {
    let typed = |screen: &str| screen.lines().any(|line| line.starts_with('❯') && line.contains(text));
    let before = tmux.screen().lines().filter(|line| typed(line)).count();
    tmux.text(text);
    tmux.wait_until(text, |screen| screen.lines().filter(|line| typed(line)).count() > before);
    tmux.key("Enter");
}

/// The line of `-p` for a model that it does not know, which nothing silences (seen in 2.1.332).
pub fn without_unrecognized_model(mut ran: Ran) -> Ran {
    let is_other = |line: &&str| {
        !(line.starts_with("[claude-code:unrecognized_model] {\"model\":\"m-")
            && line.trim_end().ends_with('}'))
    };
    ran.stderr = ran.stderr.split_inclusive('\n').filter(is_other).collect();
    ran
}
