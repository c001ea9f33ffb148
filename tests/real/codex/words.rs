//! The launch's words among the user's own, at the newest and the oldest version.

use std::fs;

use serde_json::Value as Json;

use super::sessions::session_id;
use super::{Stage, header};
use crate::support::run;

#[test]
fn an_option_behind_a_command_takes_no_provider_away() {
    for stage in Stage::of_both("[]") {
        for (words, model) in [
            (&["exec", "-c", "model_verbosity=low", "one"][..], "model-p"),
            (&["e", "--config=model_verbosity=low", "two"], "model-p"),
            (&["exec", "resume", "--last", "-c", "model_verbosity=low", "three"], "model-p"),
            (&["exec", "-cmodel='m-own'", "resume", "--last", "-c", "model_verbosity=low", "four"], "m-own"),
            (&["-c", "model='m-own'", "exec", "-c", "model_verbosity=low", "five"], "m-own"),
            (&["exec", "-c", "model='m-own'", "six"], "m-own"),
            (&["exec", "-c", "model_providers={}", "-c", "features={}", "seven"], "model-p"),
        ] {
            stage.run("codex@p", words).exits(0);
            let post = stage.a.posts().pop().expect("a request");
            assert_eq!(post["model"], model, "{words:?}");
            assert_eq!(header(&post, "authorization"), Some("Bearer sk-planted-p"), "{words:?}");
        }
        assert!(stage.b.requests().is_empty());
    }
}

#[test]
fn sessions_outlast_the_machines_secret() {
    for stage in Stage::of_both("[]") {
        let first = stage.run("codex@p", &["exec", "one"]).exits(0);
        fs::remove_file(stage.sandbox.home(".local/state/agent-run/secret")).unwrap();
        let last = stage.run("codex@p", &["exec", "resume", "--last", "two"]).exits(0);
        assert_eq!(session_id(&first.stderr), session_id(&last.stderr));
        let named = stage.run("codex@q", &["exec", "resume", session_id(&first.stderr), "three"]).exits(0);
        assert_eq!(session_id(&first.stderr), session_id(&named.stderr));
        assert_eq!(super::lines(&stage.b.wait_for_turn(1)).len(), 5);
    }
}

/// Memories are made of an earlier session while a later one is under way. Whoever makes them keeps others from it for
/// an hour, even if Codex ends before the first request: so the earlier session makes none.
#[test]
fn memories_ask_for_the_launchs_model_whatever_turns_them_on() {
    const MEMORY: &str = "Consolidate the supplied rollout summaries";
    let script = format!(
        r#"[{{"last_user": "waits", "delay_ms": 60000, "delay_until": ["{MEMORY}"], "text": "done"}}]"#
    );
    let evil = "[memories]\nextract_model = 'm-evil'\nconsolidation_model = 'm-evil'\n";
    let on = format!("[features]\nmemories = true\n{evil}");
    for (own, profile, words) in [
        ("", "", &["exec", "--enable", "memories", "waits"][..]),
        ("[features]\nmemory_tool = true\n", "", &["exec", "waits"]),
        ("", &*on, &["exec", "-p", "w", "waits"]),
        (
            "",
            "",
            &["exec", "-c", "features={memories=true}", "-c", "memories={generate_memories=true}", "waits"],
        ),
    ] {
        let Some(stage) = Stage::scripted(&script) else { return };
        stage.own_config("", "");
        stage.run("codex@p", &["exec", "hi"]).exits(0);
        stage.own_config("", own);
        stage.sandbox.write(&stage.sandbox.home(".codex/w.config.toml"), profile);
        stage.run("codex@p", words).exits(0);
        let posts = stage.a.posts();
        let is_memory = |post: &Json| post["body"].to_string().contains(MEMORY);
        assert!(posts.iter().any(is_memory), "no memory was made, and nothing is proved: {words:?}");
        assert!(posts.iter().all(|post| post["model"] == "model-p"), "{words:?}: {posts:#?}");
    }
}

/// Of the experiments of 0.171, the one that asks a model of its own, which nothing names.
#[test]
fn no_experiment_of_a_project_asks_for_another_model() {
    let script = r#"[{"last_user": "try it", "times": 1, "tool": {"name": "exec_command", "arguments":
        {"cmd": "touch /etc/x", "sandbox_permissions": "require_escalated", "justification": "x"}}}]"#;
    let Some(stage) = Stage::scripted(script) else { return };
    stage.own_config("", "");
    let planted = "[features]\nguardianv3 = true\n";
    stage.sandbox.write(&stage.sandbox.path("work/.codex/config.toml"), planted);
    stage.run("codex@p", &["exec", "--approve-for-me", "try it"]).exits(0);
    let posts = stage.a.posts();
    assert!(posts.len() > 2, "nobody was asked about an approval: {posts:#?}");
    assert!(posts.iter().all(|post| post["model"] == "model-p"), "{posts:#?}");
}

/// The new checkout's settings are the commit's, which nobody looks at before Codex makes it.
#[test]
fn a_worktrees_settings_choose_no_model() {
    let script = r#"[{"last_user": "ask for help", "tool": {"name": "spawn_agent", "arguments": {"message": "a task"}}},
        {"last_user": "ask for help", "contains": "function_call_output", "delay_ms": 60000,
         "delay_until": ["a task"], "text": "done"}]"#;
    let Some(stage) = Stage::scripted(script) else { return };
    stage.own_config("", "");
    let planted = "model = 'm-evil'\nreview_model = 'm-evil'\n[features]\nmemories = true\n\
        [memories]\nextract_model = 'm-evil'\nconsolidation_model = 'm-evil'\n\
        [agents]\ndefault_subagent_model = 'm-evil'\n";
    let path = stage.sandbox.path("work/.codex/config.toml");
    stage.sandbox.write(&path, planted);
    let git = |words: &[&str]| {
        let mut command = stage.command("git", &["-c", "user.name=a", "-c", "user.email=a@b"]);
        run(command.args(words)).exits(0)
    };
    git(&["add", "-f", ".codex"]);
    git(&["commit", "-qm", "planted"]);
    fs::remove_file(path).unwrap();
    stage.run("codex@p", &["exec", "hi"]).exits(0);
    stage.run("codex@p", &["exec", "--worktree", "ask for help"]).exits(0);
    let posts = stage.a.posts();
    assert!(posts.iter().any(|post| post.to_string().contains("a task")), "no sub-agent: {posts:#?}");
    assert!(posts.iter().all(|post| post["model"] == "model-p"), "{posts:#?}");
}

/// Its servers keep the environment of the launch that started them, and serve others then (0.171).
#[test]
fn what_starts_a_server_is_refused_whatever_codex_calls_it() {
    let stages = Stage::of_both("[]");
    for stage in &stages {
        for words in [
            &["app-server", "daemon", "start"][..],
            &["-c", "a=1", "app-server", "--enable", "goals", "daemon", "-c", "b=2", "restart"],
            &["app-server", "--listen", "unix://", "daemon", "bootstrap"],
            &["app-server", "daemon", "update"],
            &["remote-control"],
            &["remote-control", "start", "--json"],
            &["agents"],
        ] {
            let ran = stage.run("codex@p", words).exits(125);
            ran.complains(&[
                "starts a server that would keep the provider's key",
                "\nhelp: run plain `codex ",
            ]);
        }
        assert!(!stage.runtime().join("packages").exists());
    }
    // Each word that this version lists is refused, or starts none.
    let stage = &stages[0];
    for command in [&["app-server", "daemon"][..], &["remote-control"]] {
        let help = run(stage.sandbox.command("codex").args(command).arg("--help")).exits(0).stdout;
        let listed =
            help.split_once("Commands:").expect("commands").1.split_once("Options:").expect("options").0;
        let names = listed.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
        let names: Vec<_> = names.filter(|name| !name.is_empty()).collect();
        assert!(names.contains(&"start") && names.contains(&"stop"), "{names:?}");
        for name in names {
            let ran = stage.run("codex@p", &[command, &[name]].concat());
            assert_eq!(
                ran.code != 125,
                ["help", "pair", "stop", "version"].contains(&name),
                "{name}: {}",
                ran.stderr
            );
        }
    }
    let processes = run(stage.sandbox.command("ps").args(["-eo", "args"])).exits(0).stdout;
    let home = stage.sandbox.home("").display().to_string();
    let left: Vec<_> =
        processes.lines().filter(|it| it.contains(&home) && it.contains("app-server")).collect();
    assert!(left.is_empty(), "{left:#?}");
}
