//! One prompt and its end: what reaches the provider, what is in the home, how it exits.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::{KEY, STRAY, models, scripted, stage};
use crate::support::tree::files_holding;
use crate::support::{Sandbox, claude, run};

#[test]
fn case_01_an_empty_home_is_enough() {
    let Some(stage) = stage() else { return };
    let ran = stage.ask(&["hi"]).clean();
    assert_eq!(ran.stdout.trim(), "PONG-FROM-MOCK");
    let posts = stage.only_the_chosen_heard();
    assert_eq!(posts[0]["path"], "/v1/messages?beta=true");
    assert_eq!(models(&posts), ["m-main"]);
    let by_name = stage.sandbox.agent_run(&["launch", "m", "claude", "-p", "hi"]);
    let by_name = claude::without_unrecognized_model(by_name).clean();
    assert_eq!(by_name.stdout.trim(), "PONG-FROM-MOCK");
    assert_eq!(files_holding(&stage.sandbox.home(""), KEY), [""; 0].map(std::path::PathBuf::from));
}

#[test]
fn case_04_foreign_keys_are_kept_and_the_second_launch_writes_nothing() {
    let Some(stage) = stage() else { return };
    let path = stage.sandbox.home(".claude.json");
    let before = json!({
        "numStartups": 7, "zzz": {"b": [1, 2.50, null], "a": "ü"},
        "projects": {"/elsewhere": {"hasTrustDialogAccepted": true, "x": 1}},
        "customApiKeyResponses": {"approved": ["abc"], "rejected": []},
    });
    stage.sandbox.write(&path, serde_json::to_string_pretty(&before).unwrap());
    stage.ask(&["hi"]).clean();
    let after = stage.state();
    for (name, value) in before.as_object().unwrap() {
        if name != "numStartups" && name != "projects" {
            assert_eq!(&after[name], value, "{name}");
        }
    }
    assert_eq!(after["projects"]["/elsewhere"], before["projects"]["/elsewhere"]);
    assert_eq!(after["hasCompletedOnboarding"], true);

    // Claude Code writes the file itself; a stand-in shows what the launcher does.
    stage.sandbox.fake_agent("claude");
    let was = fs::metadata(&path).unwrap();
    stage.ask(&["hi"]).clean();
    let is = fs::metadata(&path).unwrap();
    assert_eq!((is.mtime_nsec(), is.ino()), (was.mtime_nsec(), was.ino()));
}

#[test]
fn case_04_one_key_is_added_and_every_other_byte_stays() {
    let Some(stage) = stage() else { return };
    stage.sandbox.fake_agent("claude");
    let path = stage.sandbox.home(".claude.json");
    stage
        .sandbox
        .write(&path, "{\n  \"big\": 1e999,\n  \"half\": \"\\ud83d\",\n  \"a\": {\n    \"b\": 1\n  }\n}");
    stage.ask(&["hi"]).clean();
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "{\n  \"big\": 1e999,\n  \"half\": \"\\ud83d\",\n  \"a\": {\n    \"b\": 1\n  },\n  \
         \"hasCompletedOnboarding\": true\n}"
    );
}

#[test]
fn case_05_a_broken_state_file_is_named_and_left() {
    let Some(stage) = stage() else { return };
    let path = stage.sandbox.home(".claude.json");
    for broken in ["{\"a\":1,", "", "[]"] {
        stage.sandbox.write(&path, broken);
        for words in [&["-p", "hi"][..], &[]] {
            let ran = stage.sandbox.run("claude@m", words).exits(125);
            ran.complains(&[&format!("agent-run: {}:1:", path.display()), "\nhelp: "]);
            assert_eq!(fs::read_to_string(&path).unwrap(), broken);
        }
    }
    assert!(stage.chosen.requests().is_empty(), "Claude Code was started");
    assert!(!stage.sandbox.home(".claude").exists(), "Claude Code was started");
}

#[test]
fn case_07_the_config_dir_moves_the_state_file() {
    let Some(stage) = stage() else { return };
    let moved = stage.sandbox.home("cc");
    let ask = |dir: &str| {
        let mut command = stage.sandbox.command("claude@m");
        claude::without_unrecognized_model(run(command.args(["-p", "hi"]).env("CLAUDE_CONFIG_DIR", dir)))
            .clean()
    };
    ask(moved.to_str().unwrap());
    let state: Json = serde_json::from_slice(&fs::read(moved.join(".claude.json")).unwrap()).unwrap();
    assert_eq!(state["hasCompletedOnboarding"], true);
    assert_eq!(fs::metadata(moved.join(".claude.json")).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!stage.sandbox.home(".claude.json").exists());

    ask("");
    assert_eq!(stage.state()["hasCompletedOnboarding"], true);
    assert_eq!(
        fs::read_dir(stage.sandbox.path("work")).unwrap().count(),
        0,
        "scattered over the working folder"
    );
}

#[test]
fn case_14_inherited_variables_change_nothing() {
    let Some(stage) = stage() else { return };
    let mut command = stage.sandbox.command("claude@m");
    command.envs([
        ("CLAUDE_CODE_USE_BEDROCK", "1"),
        ("CLAUDE_CODE_SKIP_BEDROCK_AUTH", "1"),
        ("ANTHROPIC_UNIX_SOCKET", "/x"),
        ("ANTHROPIC_API_KEY", STRAY),
        ("ANTHROPIC_CUSTOM_HEADERS", "X-Left: 1"),
        ("ANTHROPIC_DEFAULT_SONNET_MODEL", "old"),
        ("ANTHROPIC_SMALL_FAST_MODEL", "old"),
        ("CLAUDE_CODE_SUBAGENT_MODEL", "old"),
        ("CLAUDE_CODE_CHILD_SESSION", "1"),
    ]);
    command.env("ANTHROPIC_BASE_URL", stage.other.url(""));
    let ran = run(command.args(["-p", "--model", "sonnet", "hi"]));
    let ran = claude::without_unrecognized_model(ran).clean();
    assert_eq!(ran.stdout.trim(), "PONG-FROM-MOCK");
    let posts = stage.only_the_chosen_heard();
    assert_eq!(models(&posts), ["m-sonnet"]);
    assert!(posts[0]["headers"]["x-left"].is_null());
}

#[test]
fn case_19_base_urls_lead_to_one_path() {
    let Some(stage) = stage() else { return };
    let ran = stage.sandbox.agent_run(&["launch", "slashed", "claude", "-p", "hi"]);
    claude::without_unrecognized_model(ran).clean();
    assert_eq!(stage.only_the_chosen_heard()[0]["path"], "/anthropic/v1/messages?beta=true");

    // A config that ends so is refused with what to write instead; a launch that ends so is put right.
    for ending in ["/v1", "/v1/messages"] {
        let url = stage.chosen.url(ending);
        stage.sandbox.config(&format!(
            "providers: {{m: {{protocols: [anthropic], base_urls: {{anthropic: '{url}'}}, key_env: MOCK_KEY, \
             default_model: m-main}}}}"
        ));
        let ran = stage.ask(&["hi"]);
        if ran.code == 125 {
            ran.complains(&["help: ", &stage.chosen.url("")]);
        } else {
            ran.clean();
            assert_eq!(stage.only_the_chosen_heard().last().unwrap()["path"], "/v1/messages?beta=true");
        }
    }
}

#[test]
fn case_22_a_refused_key_fails_at_once() {
    let Some(stage) = scripted(r#"[{"method": "POST", "status": 401}]"#) else { return };
    let start = Instant::now();
    stage.ask(&["hi"]).exits(1);
    assert_eq!(stage.chosen.posts().len(), 1);
    // Two or three seconds on an idle machine; its own ten retries would take more than a minute.
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn case_23_the_launcher_becomes_claude() {
    let Some(stage) = scripted(r#"[{"method": "POST", "delay_ms": 60000}]"#) else { return };
    let mut child = stage.sandbox.command("claude@m").args(["-p", "hi"]).spawn().unwrap();
    stage.chosen.wait_for_posts(1);
    let pid = child.id().to_string();
    let ps = run(stage.sandbox.command("ps").args(["-o", "args=", "-p", &pid])).exits(0);
    let (program, rest) = ps.stdout.split_once(' ').unwrap();
    assert!(program.ends_with("claude") && rest.trim_end().ends_with("-p hi"), "{}", ps.stdout);
    run(stage.sandbox.command("kill").args(["-TERM", &pid])).exits(0);
    // It catches the signal and exits with what a shell would say of it.
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[test]
fn case_25_launches_at_once_leave_one_whole_file() {
    let Some(stage) = stage() else { return };
    let ask = |sandbox: &Sandbox| run(sandbox.command("claude@m").args(["-p", "hi"]));
    for _ in 0..3 {
        _ = fs::remove_file(stage.sandbox.home(".claude.json"));
        std::thread::scope(|scope| {
            let runs: Vec<_> = (0..6).map(|_| scope.spawn(|| ask(&stage.sandbox))).collect();
            for ran in runs {
                assert_eq!(ran.join().unwrap().exits(0).stdout.trim(), "PONG-FROM-MOCK");
            }
        });
        assert_eq!(stage.state()["hasCompletedOnboarding"], true);
        let names = fs::read_dir(stage.sandbox.home("")).unwrap();
        let names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let left = names.iter().filter(|name| name.contains(".tmp.") || name.contains(".lock"));
        assert_eq!(left.count(), 0, "{names:?}");
    }
}
