use std::time::Duration;

use super::{Stage, header, lines};
use crate::support::run;
use crate::support::tmux::Tmux;

pub const READY: &str = "Ask Codex to do anything";

/// Codex in a terminal; `None` without tmux.
pub struct Terminal(pub Tmux);

impl Terminal {
    /// Starts a shell command.
    #[track_caller]
    pub fn start(stage: &Stage, shell_command: &str) -> Option<Self> {
        Tmux::is_there().then(|| Self(Tmux::start(&stage.sandbox, shell_command)))
    }

    /// Answers the question that a folder unknown to Codex raises.
    #[track_caller]
    pub fn trust(&self) {
        self.0.wait_for("Folder access");
        self.press("Enter", |screen| !screen.contains("Folder access"));
        self.0.wait_for(READY);
    }

    /// Presses a key until it is seen to have done what it should: keys that come early are swallowed.
    #[track_caller]
    pub fn press(&self, key: &str, is_done: impl Fn(&str) -> bool) {
        self.0.wait_until(key, |screen| {
            if is_done(screen) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(300));
            self.0.key(key);
            std::thread::sleep(Duration::from_secs(1));
            false
        });
    }

    /// Types a message or a command that is not on the screen yet, and sends it.
    #[track_caller]
    pub fn say(&self, text: &str) {
        self.0.wait_for(READY);
        self.0.text(text);
        self.0.wait_for(&format!("› {text}"));
        // Keys that follow each other at once count as pasted, and Enter in a paste sends nothing.
        let sent = |screen: &str| ["[exited", READY, "Where should"].iter().any(|it| screen.contains(it));
        self.0.wait_until("the message sent", |screen| {
            if sent(screen) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(300));
            self.0.key("Enter");
            std::thread::sleep(Duration::from_millis(300));
            false
        });
    }

    /// Ends Codex.
    #[track_caller]
    pub fn quit(&self) {
        self.say("/quit");
        self.0.wait_for("[exited 0]");
    }
}

impl Stage {
    /// One whole session with one message, in a folder that the user trusts.
    #[track_caller]
    pub fn chat(&self, shell_command: &str, message: &str) -> Option<()> {
        let terminal = Terminal::start(self, shell_command)?;
        let screen =
            terminal.0.wait_until("a start", |it| it.contains("Folder access") || it.contains(READY));
        if screen.contains("Folder access") {
            terminal.trust();
        }
        terminal.say(message);
        terminal.0.wait_for("PONG-FROM-MOCK");
        terminal.quit();
        Some(())
    }
}

impl Stage {
    /// The same in a folder that Codex does not know yet: the question about it always comes, if late.
    #[track_caller]
    pub fn first_chat(&self, shell_command: &str, message: &str) -> Option<()> {
        let terminal = Terminal::start(self, shell_command)?;
        terminal.trust();
        terminal.say(message);
        terminal.0.wait_for("PONG-FROM-MOCK");
        terminal.quit();
        Some(())
    }
}

#[test]
fn case_05_a_folder_is_trusted_once() {
    let Some(stage) = Stage::set() else { return };
    let Some(()) = stage.first_chat("codex@p", "one") else { return };
    let Some(terminal) = Terminal::start(&stage, "codex@p") else { return };
    terminal.quit();
    assert!(!stage.sandbox.home(".codex").exists());
}

#[test]
fn case_06_resume_last_in_the_terminal() {
    let Some(stage) = Stage::set() else { return };
    stage.own_config("", "");
    let Some(()) = stage.chat("codex@p", "one") else { return };
    let Some(terminal) = Terminal::start(&stage, "codex@p resume --last") else { return };
    terminal.0.wait_for("› one");
    terminal.say("two");
    let post = stage.a.wait_for_turn(2);
    assert_eq!(lines(&post), ["user: one", "assistant: PONG-FROM-MOCK", "user: two"]);
}

#[test]
fn case_08_the_picker_lists_our_sessions_only() {
    let Some(stage) = Stage::set() else { return };
    stage.own_config("", "");
    let Some(()) = stage.chat("codex -c features.daemon_auto_start=false", "plainly") else { return };
    let Some(()) = stage.chat("codex@p", "ours") else { return };
    let Some(terminal) = Terminal::start(&stage, "codex@p resume") else { return };
    let screen = terminal.0.wait_for("1 / 1");
    assert!(screen.contains("ours") && !screen.contains("plainly"), "{screen}");
    terminal.0.key("Enter");
    terminal.0.wait_for("PONG-FROM-MOCK");
    terminal.say("two");
    assert_eq!(lines(&stage.a.wait_for_turn(2)), ["user: ours", "assistant: PONG-FROM-MOCK", "user: two"]);
}

#[test]
fn case_13_each_session_has_its_own_key_and_leaves_no_server_behind() {
    let Some(stage) = Stage::set() else { return };
    stage.own_config("", "");
    for (turn, key) in [(1, "sk-first"), (2, "sk-second")] {
        let Some(()) = stage.chat(&format!("P_KEY={key} codex@p"), "hi") else { return };
        let post = stage.a.wait_for_turn(turn);
        assert_eq!(header(&post, "authorization"), Some(&*format!("Bearer {key}")));
    }
    let processes = run(stage.sandbox.command("ps").args(["-eo", "args"])).exits(0).stdout;
    let home = stage.sandbox.home("").display().to_string();
    let left: Vec<_> = processes.lines().filter(|it| it.contains("daemon") && it.contains(&home)).collect();
    assert!(left.is_empty(), "{left:#?}");
    assert!(!stage.runtime().join("packages").exists());
}

#[test]
fn case_27_a_running_session_keeps_its_provider() {
    let Some(stage) = Stage::set() else { return };
    let Some(terminal) = Terminal::start(&stage, "codex@p") else { return };
    terminal.trust();
    stage.serve_p_at(&stage.b.url("/v1"));
    stage.run("codex@p", &["exec", "elsewhere"]).exits(0);
    assert_eq!(stage.b.posts().len(), 1, "the config of the home now names the other one");
    terminal.say("/new");
    let screen = terminal.0.wait_until("a new chat", |it| it.contains("Where should") || it.contains(READY));
    if screen.contains("Where should") {
        terminal.0.key("Enter");
    }
    terminal.say("still");
    assert_eq!(lines(&stage.a.wait_for_turn(1)), ["user: still"]);
    terminal.0.wait_for("PONG-FROM-MOCK");
    terminal.quit();
    assert_eq!(stage.b.posts().len(), 1);
}

#[test]
fn case_18_nor_does_a_profile_change_the_provider_of_a_resumed_session() {
    let Some(stage) = Stage::set() else { return };
    stage.own_config("", "");
    let work = stage.sandbox.home(".codex/work.config.toml");
    stage.sandbox.write(&work, "model = 'model-work'\nmodel_provider = 'plain'\n");
    for (turn, words) in [(1, "-p work resume --last"), (2, "resume --last -p work")] {
        let Some(terminal) = Terminal::start(&stage, &format!("codex@p {words}")) else { return };
        terminal.say(&format!("message {turn}"));
        terminal.0.wait_until("an answer", |screen| screen.matches("PONG-FROM-MOCK").count() == turn);
        terminal.quit();
    }
    assert_eq!(stage.a.wait_for_turn(2)["model"], "model-p");
    assert!(stage.b.posts().is_empty());
}

#[test]
fn a_hook_that_the_user_trusts_is_not_asked_about_again() {
    let Some(stage) = Stage::set() else { return };
    stage.own_config("", "");
    let hooks = r#"{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "true"}]}]}}"#;
    stage.sandbox.write(&stage.sandbox.home(".codex/hooks.json"), hooks);
    let Some(terminal) = Terminal::start(&stage, "codex -c features.daemon_auto_start=false") else { return };
    terminal.0.wait_for("Hooks need review");
    terminal.press("Down", |screen| screen.contains("› 2. Trust all and continue"));
    terminal.press("Enter", |screen| !screen.contains("Trust all and continue"));
    terminal.quit();
    drop(terminal);
    let Some(()) = stage.chat("codex@p", "hi") else { return };
    assert_eq!(lines(&stage.a.wait_for_turn(1)), ["user: hi"]);
}
