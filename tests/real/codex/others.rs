use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::{Value as Json, json};

use super::Stage;

#[test]
fn case_29_the_other_subcommands_end_as_plain_codex_does() {
    let Some(stage) = Stage::set() else { return };
    stage.own_config("", "");
    for words in [
        &["login", "status"][..],
        &["features", "list"],
        &["completion", "bash"],
        &["--version"],
        &["mcp", "list"],
        &["doctor", "--json"],
    ] {
        let plain = stage.run("codex", words);
        let ours = stage.run("codex@p", words);
        assert_eq!(ours.code, plain.code, "{words:?}\n{}\n{}", ours.stdout, ours.stderr);
    }
}

#[test]
fn case_29_an_editor_that_speaks_to_the_app_server_gets_our_provider() {
    let Some(stage) = Stage::set() else { return };
    stage.own_config("", "");
    let mut command = stage.command("codex@p", &["app-server"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut to = child.stdin.take().unwrap();
    let mut from = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut ask = |id: u32, method: &str, params: Json| -> Json {
        writeln!(to, "{}", json!({ "id": id, "method": method, "params": params })).unwrap();
        let answers = from.by_ref().map(|line| serde_json::from_str::<Json>(&line.unwrap()).unwrap());
        answers.filter(|answer| answer["id"] == id).map(|mut answer| answer["result"].take()).next().unwrap()
    };
    ask(1, "initialize", json!({ "clientInfo": { "name": "test", "version": "1" } }));
    let thread = ask(2, "thread/start", json!({}));
    let id = thread["modelProvider"].as_str().unwrap();
    assert!(id.starts_with("agent-run-") && id.len() == "agent-run-".len() + 8, "{id}");
    let input = json!([{ "type": "text", "text": "hi" }]);
    ask(3, "turn/start", json!({ "threadId": thread["thread"]["id"], "input": input }));
    let post = stage.a.wait_for_posts(1).remove(0);
    assert_eq!(post["model"], "model-p");
    // Without a client the server ends by itself.
    drop(to);
    child.wait().unwrap();
    assert!(stage.b.posts().is_empty());
}

#[test]
fn servers_that_codex_adds_and_removes_stay_added_and_removed() {
    let Some(stage) = Stage::set() else { return };
    stage.own_config("", "[mcp_servers.theirs]\ncommand = 'true'");
    let list = |program| stage.run(program, &["mcp", "list"]).exits(0).stdout;
    stage.run("codex@p", &["mcp", "add", "added", "--", "true"]).exits(0);
    stage.run("codex@p", &["mcp", "remove", "theirs"]).exits(0);
    for _ in 0..2 {
        let ours = list("codex@p");
        assert!(ours.contains("added") && !ours.contains("theirs"), "{ours}");
    }
    let plain = list("codex");
    assert!(plain.contains("theirs") && !plain.contains("added"), "{plain}");
}

#[test]
fn a_home_without_a_provider_is_codexs_own() {
    let Some(stage) = Stage::set() else { return };
    stage.own_config("", "[mcp_servers.theirs]\ncommand = 'true'");
    stage.sandbox.config("providers: {}\nisolated_homes: {codex: {work: {}}}\n");
    stage.sandbox.shim("codex@work");
    stage.run("codex@work", &["mcp", "add", "added", "--", "true"]).exits(0);
    let listed = stage.run("codex@work", &["mcp", "list"]).exits(0).stdout;
    assert!(listed.contains("added") && !listed.contains("theirs"), "{listed}");
    assert!(stage.sandbox.home(".local/state/agent-run/codex/work/home/config.toml").exists());
    assert_eq!(stage.run("codex@work", &["login", "status"]).code, 1, "nobody is logged in");
}
