use std::fs;

use super::terminal::Terminal;
use super::{Stage, lines};

/// The id that `exec` prints.
fn session_id(stderr: &str) -> &str {
    stderr.lines().find_map(|line| line.strip_prefix("session id: ")).expect("a session id")
}

const PLAIN: &str = "codex -c features.daemon_auto_start=false";

#[test]
fn case_07_exec_goes_on_with_the_last_session() {
    let Some(stage) = Stage::set() else { return };
    stage.own_config("", "");
    let Some(()) = stage.chat("codex@p", "one") else { return };
    let first = stage.run("codex@p", &["exec", "resume", "--last", "two"]).exits(0);
    let second = stage.run("codex@p", &["exec", "resume", "--last", "three"]).exits(0);
    assert_eq!(session_id(&first.stderr), session_id(&second.stderr));
    let said =
        ["user: one", "assistant: PONG-FROM-MOCK", "user: two", "assistant: PONG-FROM-MOCK", "user: three"];
    assert_eq!(lines(&stage.a.wait_for_turn(3)), said);
}

#[test]
fn case_10_a_newer_session_of_plain_codex_is_not_ours() {
    let Some(stage) = Stage::set() else { return };
    stage.own_config("", "");
    let Some(()) = stage.chat("codex@p", "ours") else { return };
    let Some(()) = stage.chat(PLAIN, "plainly") else { return };
    let asked = stage.b.posts().len();
    let Some(terminal) = Terminal::start(&stage, "codex@p resume --last") else { return };
    terminal.0.wait_for("› ours");
    terminal.say("two");
    assert_eq!(lines(&stage.a.wait_for_turn(2)), ["user: ours", "assistant: PONG-FROM-MOCK", "user: two"]);
    assert_eq!(stage.b.posts().len(), asked);
}

#[test]
fn case_11_a_newer_session_of_ours_is_not_plain_codexs() {
    let Some(stage) = Stage::set() else { return };
    stage.own_config("", "");
    let Some(()) = stage.chat(PLAIN, "plainly") else { return };
    let Some(()) = stage.chat("codex@p", "ours") else { return };
    let asked = stage.a.posts().len();
    let Some(terminal) = Terminal::start(&stage, &format!("{PLAIN} resume --last")) else { return };
    terminal.0.wait_for("› plainly");
    terminal.say("two");
    let said = ["user: plainly", "assistant: PONG-FROM-MOCK", "user: two"];
    assert_eq!(lines(&stage.b.wait_for_turn(2)), said);
    assert_eq!(stage.a.posts().len(), asked);
}

#[test]
fn case_12_two_providers_do_not_share_sessions() {
    let Some(stage) = Stage::set() else { return };
    let ours = stage.run("codex@p", &["exec", "one"]).exits(0);
    let theirs = stage.run("codex@q", &["exec", "resume", "--last", "x"]).exits(0);
    assert_ne!(session_id(&ours.stderr), session_id(&theirs.stderr));
    assert_eq!(stage.a.posts().len(), 1);
    assert_eq!(lines(&stage.b.wait_for_turn(1)), ["user: x"]);
}

#[test]
fn sessions_and_answers_outlive_the_cache() {
    let Some(stage) = Stage::set() else { return };
    stage.own_config("", "");
    let Some(()) = stage.chat("codex@p", "one") else { return };
    fs::remove_dir_all(stage.sandbox.home(".cache")).unwrap();
    let Some(terminal) = Terminal::start(&stage, "codex@p resume --last") else { return };
    // Straight to the session: the folder is still trusted.
    terminal.0.wait_for("› one");
    terminal.say("two");
    assert_eq!(lines(&stage.a.wait_for_turn(2)), ["user: one", "assistant: PONG-FROM-MOCK", "user: two"]);
    terminal.0.wait_for("Worked for");
    terminal.quit();
    drop(terminal);
    fs::remove_dir_all(stage.sandbox.home(".cache")).unwrap();
    stage.run("codex@p", &["exec", "resume", "--last", "three"]).exits(0);
    assert_eq!(lines(&stage.a.wait_for_turn(3)).len(), 5);
}

#[test]
fn a_resumed_session_keeps_its_model_unless_one_is_asked_for() {
    let Some(stage) = Stage::set() else { return };
    stage.own_config("", "");
    let Some(()) = stage.chat("codex@p -m other", "one") else { return };
    let model_of = |turn, shell_command: &str| {
        let terminal = Terminal::start(&stage, shell_command)?;
        terminal.0.wait_for("› one");
        terminal.say(&format!("message {turn}"));
        let model = stage.a.wait_for_turn(turn)["model"].clone();
        terminal.0.wait_until("an end", |screen| screen.matches("PONG-FROM-MOCK").count() == turn);
        terminal.quit();
        Some(model)
    };
    let Some(kept) = model_of(2, "codex@p resume --last") else { return };
    assert_eq!(kept, "other");
    let asked = "AGENT_RUN_OPTS='--model asked --force model' codex@p resume --last";
    assert_eq!(model_of(3, asked).unwrap(), "asked");
}
