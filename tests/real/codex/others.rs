use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value as Json, json};

use super::Stage;
use crate::support::run;

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

/// An editor that speaks to Codex's app server.
pub struct Editor {
    child: Child,
    to: ChildStdin,
    from: Lines<BufReader<ChildStdout>>,
    asked: u32,
}

impl Editor {
    pub fn start(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let to = child.stdin.take().unwrap();
        let from = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut editor = Self { child, to, from, asked: 0 };
        editor.ask(
            "initialize",
            &json!({ "clientInfo": { "name": "test", "version": "1" },
            "capabilities": { "experimentalApi": true } }),
        );
        editor
    }

    /// The result of a request.
    #[track_caller]
    pub fn ask(&mut self, method: &str, params: &Json) -> Json {
        self.asked += 1;
        let id = self.asked;
        writeln!(self.to, "{}", json!({ "id": id, "method": method, "params": params })).unwrap();
        let mut answer = self.next(|message| message["id"] == id);
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].take()
    }

    /// Reads on until Codex says that this happened.
    pub fn wait_for(&mut self, method: &str) {
        self.next(|message| message["method"] == method);
    }

    fn next(&mut self, wanted: impl Fn(&Json) -> bool) -> Json {
        let mut messages =
            self.from.by_ref().map(|line| serde_json::from_str::<Json>(&line.unwrap()).unwrap());
        messages.find(wanted).expect("an answer")
    }

    /// Without a client the server ends by itself.
    pub fn end(mut self) {
        drop(self.to);
        self.child.wait().unwrap();
    }
}

#[test]
fn case_29_an_editor_that_speaks_to_the_app_server_gets_our_provider() {
    let Some(stage) = Stage::set() else { return };
    stage.own_config("", "");
    let mut editor = Editor::start(stage.command("codex@p", &["app-server"]));
    let thread = editor.ask("thread/start", &json!({}));
    let id = thread["modelProvider"].as_str().unwrap();
    assert!(id.starts_with("agent-run-") && id.len() == "agent-run-".len() + 8, "{id}");
    let input = json!([{ "type": "text", "text": "hi" }]);
    editor.ask("turn/start", &json!({ "threadId": thread["thread"]["id"], "input": input }));
    let post = stage.a.wait_for_posts(1).remove(0);
    assert_eq!(post["model"], "model-p");
    editor.wait_for("turn/completed");
    editor.end();
    assert!(stage.b.posts().is_empty());
    // A resumed session keeps its model, as `docs/codex.md` says, and a fork has the launch's.
    let mut command = stage.command("codex@p", &["app-server"]);
    command.env("AGENT_RUN_OPTS", "--model other --force model");
    let mut editor = Editor::start(command);
    for (method, model) in [("thread/resume", "model-p"), ("thread/fork", "other")] {
        let answer = editor.ask(method, &json!({ "threadId": thread["thread"]["id"] }));
        assert_eq!((&answer["model"], &answer["modelProvider"]), (&json!(model), &json!(id)), "{method}");
    }
    editor.end();
}

/// A session may work in a folder that the launch knows nothing of; `/cd`, `/new` and `resume` do the same.
#[test]
fn another_folders_settings_choose_no_model_and_no_window() {
    let script = r#"[{"last_user": "ask for help", "times": 1,
          "tool": {"name": "spawn_agent", "arguments": {"message": "a task"}}},
        {"last_user": "ask for help", "delay_ms": 60000, "delay_until": ["a task"], "text": "done"}]"#;
    let Some(stage) = Stage::scripted(script) else { return };
    let other = stage.sandbox.path("other");
    stage.own_config("", &format!("[projects.'{}']\ntrust_level = 'trusted'", other.display()));
    let planted = "model_context_window = 5000\nmodel_auto_compact_token_limit = 1\n\
        [agents]\n\"default_subagent\\u005fmodel\" = 'm-evil'\n";
    stage.sandbox.write(&other.join(".codex/config.toml"), planted);
    run(stage.sandbox.command("git").args(["init", "-q"]).current_dir(&other)).clean();
    let mut editor = Editor::start(stage.command("codex@p", &["app-server"]));
    let thread = editor.ask("thread/start", &json!({ "cwd": other }));
    let input = json!([{ "type": "text", "text": "ask for help" }]);
    editor.ask("turn/start", &json!({ "threadId": thread["thread"]["id"], "input": input }));
    let usage = editor.next(|message| message["method"] == "thread/tokenUsage/updated");
    // 95 % of what Codex assumes of a model that it does not know.
    assert_eq!(usage["params"]["tokenUsage"]["modelContextWindow"], 258_400, "{usage}");
    let is_task = |post: &Json| {
        post["body"]["input"]
            .as_array()
            .is_some_and(|input| input.last().is_some_and(|last| last.to_string().contains("a task")))
    };
    let posts = stage.a.wait_for_posts(3);
    assert!(posts.iter().any(is_task), "no sub-agent: {posts:#?}");
    assert!(posts.iter().all(|post| post["model"] == "model-p"), "{posts:#?}");
    editor.end();
}

#[test]
fn a_spoken_conversation_goes_to_our_provider() {
    for stage in Stage::of_both("[]") {
        let b = stage.b.url("/elsewhere");
        let urls =
            ["ws", "webrtc_call"].map(|kind| format!("experimental_realtime_{kind}_base_url = '{b}'\n"));
        stage.own_config(&urls.concat(), "[features]\nrealtime_conversation = true");
        stage.sandbox.write(&stage.sandbox.path("work/.codex/config.toml"), urls.concat());
        let mut editor = Editor::start(stage.command("codex@p", &["app-server"]));
        let thread = editor.ask("thread/start", &json!({}));
        editor.ask(
            "thread/realtime/start",
            &json!({ "threadId": thread["thread"]["id"], "prompt": "hi", "outputModality": "text" }),
        );
        // The mock provider speaks no WebSocket.
        editor.wait_for("thread/realtime/error");
        editor.end();
        assert_eq!(stage.b.requests(), Vec::<Json>::new());
        let asked = stage.a.requests();
        assert!(
            asked.iter().any(|request| request["path"].as_str().unwrap().starts_with("/v1/realtime?")),
            "{asked:#?}"
        );
    }
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
