use std::fs;

use super::terminal::Terminal;
use super::{Stage, header, lines};

/// The id that `exec` prints.
pub fn session_id(stderr: &str) -> &str {
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
fn case_12_one_provider_goes_on_with_anothers_session() {
    let Some(stage) = Stage::set() else { return };
    let ours = stage.run("codex@p", &["exec", "one"]).exits(0);
    let theirs = stage.run("codex@q", &["exec", "resume", "--last", "two"]).exits(0);
    assert_eq!(session_id(&ours.stderr), session_id(&theirs.stderr));
    let back = stage.run("codex@p", &["exec", "resume", session_id(&ours.stderr), "three"]).exits(0);
    assert_eq!(session_id(&ours.stderr), session_id(&back.stderr));
    let post = stage.b.wait_for_turn(1);
    assert_eq!(lines(&post), ["user: one", "assistant: PONG-FROM-MOCK", "user: two"]);
    assert_eq!(post["model"], "model-q");
    assert_eq!(header(&post, "authorization"), Some("Bearer sk-planted-q"));
    assert_eq!(lines(&stage.a.wait_for_turn(2)).len(), 5);
    assert_eq!(stage.a.wait_for_turn(2)["model"], "model-p");
}

#[test]
fn case_12_in_the_terminal_too_with_the_launchs_model_and_one_trust() {
    let Some(stage) = Stage::set() else { return };
    let Some(()) = stage.first_chat("codex@p", "one") else { return };
    let Some(terminal) = Terminal::start(&stage, "codex@q resume --last") else { return };
    // Straight to the session: the folder is trusted.
    terminal.0.wait_for("› one");
    terminal.say("two");
    let post = stage.b.wait_for_turn(1);
    assert_eq!(lines(&post), ["user: one", "assistant: PONG-FROM-MOCK", "user: two"]);
    assert_eq!(post["model"], "model-q");
}

/// What an older version left of two providers: each with its sessions, recorded under `agent-run`.
#[test]
fn sessions_of_older_versions_are_all_there() {
    let Some(stage) = Stage::set() else { return };
    let state = stage.sandbox.home(".local/state/agent-run");
    let mut ids = Vec::new();
    for (shim, model) in [("codex@p", "m-p"), ("codex@q", "m-q"), ("codex@q", "m-q")] {
        let ran = stage.run(shim, &["exec", "-m", model, &format!("said to {model}")]).exits(0);
        ids.push(session_id(&ran.stderr).to_owned());
    }
    let secret = fs::read_to_string(state.join("secret")).unwrap();
    for (at, provider) in ["p", "q", "q"].iter().enumerate() {
        let rollout =
            rollouts(&state.join("codex-shared")).into_iter().find(|it| it.contains(&ids[at])).unwrap();
        let text = fs::read_to_string(&rollout).unwrap();
        let id = text.split("\"model_provider\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert!(id.starts_with("agent-run-"), "{id}");
        let old = rollout.replace("codex-shared/", &format!("codex/{provider}/"));
        stage.sandbox.write(old.as_ref(), text.replace(&format!("\"{id}\""), "\"agent-run\""));
    }
    fs::remove_dir_all(state.join("codex-shared")).unwrap();
    assert_eq!(fs::read_to_string(state.join("secret")).unwrap(), secret);

    let (mut turns, mut before) = ([1, 2], rollouts(&state.join("codex")));
    for (at, id) in ids.iter().enumerate() {
        let shim = ["codex@q", "codex@p", "codex@q"][at];
        stage.run(shim, &["exec", "resume", id, "more"]).exits(0);
        let (mock_provider, turn) =
            if shim == "codex@p" { (&stage.a, &mut turns[0]) } else { (&stage.b, &mut turns[1]) };
        *turn += 1;
        let said = lines(&mock_provider.wait_for_turn(*turn));
        assert_eq!(said.len(), 3, "{said:?}");
        assert_eq!(said[0], ["user: said to m-p", "user: said to m-q", "user: said to m-q"][at]);
    }
    let mut after = rollouts(&state.join("codex-shared"));
    assert_eq!(after.len(), 3);
    let name = |path: &mut String| *path = path.rsplit('/').next().unwrap().to_owned();
    before.iter_mut().chain(&mut after).for_each(name);
    before.sort();
    after.sort();
    assert_eq!(before, after);
}

/// The files of sessions below a folder.
pub fn rollouts(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_symlink() {
            } else if path.is_dir() {
                folders.push(path);
            } else if path.to_str().unwrap().contains("/rollout-") {
                found.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    found
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
fn a_resumed_session_goes_on_with_the_launchs_model() {
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
    let Some(model) = model_of(2, "codex@p resume --last") else { return };
    assert_eq!(model, "model-p");
    let asked = "AGENT_RUN_OPTS='--model asked --force model' codex@p resume --last";
    assert_eq!(model_of(3, asked).unwrap(), "asked");
}

/// Under its own id, and nothing of the user's is written but by Codex.
#[test]
fn a_session_of_plain_codex_is_gone_on_with_at_a_provider() {
    let Some(stage) = Stage::set() else { return };
    goes_on_with_a_plain_session(&stage);
}

#[test]
fn so_it_is_by_the_oldest_codex() {
    let Some(sandbox) = crate::support::real::minimum("codex") else { return };
    goes_on_with_a_plain_session(&Stage::on(sandbox, "[]"));
}

#[track_caller]
fn goes_on_with_a_plain_session(stage: &Stage) {
    stage.own_config("", "");
    // So that the databases are there, which know nothing of the other one.
    stage.run("codex@p", &["exec", "ours"]).exits(0);
    let plain = stage.run("codex", &["exec", "plainly"]).exits(0);
    let id = session_id(&plain.stderr).to_owned();
    let before = crate::support::tree::Tree::of(&stage.sandbox.home(".codex/sessions"));
    let resumed = stage.run("codex@p", &["exec", "resume", &id, "two"]).exits(0);
    assert_eq!(session_id(&resumed.stderr), id);
    let post = stage.a.wait_for_turn(2);
    assert_eq!(lines(&post), ["user: plainly", "assistant: PONG-FROM-MOCK", "user: two"]);
    assert_eq!(
        (&post["model"], header(&post, "authorization")),
        (&"model-p".into(), Some("Bearer sk-planted-p"))
    );
    before.is_unharmed(&stage.sandbox.home(".codex/sessions"));
    // It is one of the shared ones from then on, at any provider.
    stage.run("codex@q", &["exec", "resume", &id, "three"]).exits(0);
    assert_eq!(lines(&stage.b.wait_for_turn(2)).len(), 5);
    // A plain Codex goes on with its own, in which nothing of that was said.
    stage.run("codex", &["exec", "resume", &id, "four"]).exits(0);
    let said = ["user: plainly", "assistant: PONG-FROM-MOCK", "user: four"];
    assert_eq!(lines(&stage.b.wait_for_turn(3)), said);
}

/// Another program wrote its first line with spaces; Codex packed it; it lies on another disk; it is still written.
#[test]
fn a_session_of_plain_codex_is_gone_on_with_however_it_lies_there() {
    let spaced = |file: &std::path::Path| {
        let text = fs::read_to_string(file).unwrap();
        let (first, rest) = text.split_once('\n').unwrap();
        let first: serde_json::Value = serde_json::from_str(first).unwrap();
        let first = serde_json::to_string_pretty(&first).unwrap().replace('\n', "");
        fs::write(file, format!("{first}\n{rest}")).unwrap();
    };
    let packed = |file: &std::path::Path| {
        crate::support::run(std::process::Command::new("zstd").args(["-q", "--rm"]).arg(file)).clean();
    };
    let linked = |file: &std::path::Path| {
        let elsewhere = file.ancestors().nth(6).unwrap().join(file.file_name().unwrap());
        fs::rename(file, &elsewhere).unwrap();
        std::os::unix::fs::symlink(elsewhere, file).unwrap();
    };
    let cut = |file: &std::path::Path| {
        let text = fs::read_to_string(file).unwrap();
        fs::write(file, format!("{text}{{\"timestamp\":\"2026")).unwrap();
    };
    let ways: [&dyn Fn(&std::path::Path); 4] = [&spaced, &packed, &linked, &cut];
    let Some(stage) = Stage::set() else { return };
    stage.own_config("", "");
    for (turn, way) in ways.into_iter().enumerate() {
        let plain = stage.run("codex", &["exec", "plainly"]).exits(0);
        let id = session_id(&plain.stderr);
        let files = rollouts(&stage.sandbox.home(".codex/sessions"));
        way(files.iter().find(|it| it.contains(id)).unwrap().as_ref());
        let resumed = stage.run("codex@p", &["exec", "resume", id, "two"]).exits(0);
        assert_eq!(session_id(&resumed.stderr), id);
        let said = lines(&stage.a.wait_for_turn(2 * turn + 1));
        assert_eq!(said, ["user: plainly", "assistant: PONG-FROM-MOCK", "user: two"], "way {turn}");
        stage.run("codex@p", &["exec", "resume", id, "three"]).exits(0);
        assert_eq!(lines(&stage.a.posts().pop().unwrap()).len(), 5, "way {turn}");
    }
}

#[test]
fn a_session_of_plain_codex_is_resumed_and_forked_in_the_terminal() {
    let Some(stage) = Stage::set() else { return };
    stage.own_config("", "");
    let ids = ["one", "two"]
        .map(|said| session_id(&stage.run("codex", &["exec", said]).exits(0).stderr).to_owned());
    for (turn, command) in [(1, format!("resume {}", ids[0])), (2, format!("fork {}", ids[1]))] {
        let Some(terminal) = Terminal::start(&stage, &format!("codex@p {command}")) else { return };
        let said = ["one", "two"][turn - 1];
        terminal.0.wait_for(&format!("› {said}"));
        terminal.say("more");
        let post = stage.a.wait_for_turn(turn);
        assert_eq!(lines(&post), [&format!("user: {said}"), "assistant: PONG-FROM-MOCK", "user: more"]);
        assert_eq!(post["model"], "model-p");
        terminal.0.wait_for("Worked for");
        terminal.quit();
    }
}
