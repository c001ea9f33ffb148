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
    assert_eq!(thread["modelProvider"], "agent-run");
    let input = json!([{ "type": "text", "text": "hi" }]);
    ask(3, "turn/start", json!({ "threadId": thread["thread"]["id"], "input": input }));
    let post = stage.a.wait_for_posts(1).remove(0);
    assert_eq!(post["model"], "model-p");
    drop(to);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(stage.b.posts().is_empty());
}
