//! A hundred launches at once: no torn file, no lost session or entry, nothing left over.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{CONFIG, live_in, sandbox};
use crate::support::Sandbox;
use crate::support::lists::Lists;
use crate::support::tree::Tree;

const CROWD: usize = 100;

/// Starts them all, and only then waits for the first.
#[track_caller]
fn at_once(commands: impl Iterator<Item = Command>) -> Vec<String> {
    let start = |mut command: Command| command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let children: Vec<Child> = commands.map(start).collect();
    let end = |child: Child| {
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        // On a busy machine the last of a hundred waits for longer than a second, and says so; of twenty first configs
        // nineteen find one.
        let is_expected = |line: &&str| {
            ["s for the lock", "there is a config already", "help: `agent-run config edit` opens it"]
                .iter()
                .any(|part| line.contains(part))
        };
        let mut said = stderr.lines().filter(|line| !is_expected(line));
        assert!(output.status.success() && said.all(str::is_empty), "{}: {stderr}", output.status);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    children.into_iter().map(end).collect()
}

/// What is left of writers that are done: there must be none.
fn left_over(sandbox: &Sandbox) -> Vec<PathBuf> {
    let tree = Tree::of(&sandbox.path(""));
    let is_left = |path: &&Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with("-new")
            || name.contains(".tmp")
            || name == ".claude.json.lock"
            || name.contains("-replaced")
    };
    tree.entries().map(|(path, _)| path).filter(is_left).map(Path::to_owned).collect()
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).count()
}

/// A fake agent that prints the sum of its settings twice, some time apart, and writes a session.
fn agent(settings: &str, sessions: &str) -> String {
    format!(
        "#!/bin/sh\nset -eu\nsum() {{ cksum <\"{settings}\"; }}\nsum; sleep 0.05; sum\n\
         echo whole >\"{sessions}/s-$$\"\n"
    )
}

/// A crowd on one provider, cold, then on two, half of it warm; each sees whole settings, and every session is
/// found through the home of the provider.
#[track_caller]
fn crowd_of(agent_name: &str, script: &str, args: &[&str], sessions: impl Fn(&Sandbox) -> Vec<PathBuf>) {
    let sandbox = sandbox();
    live_in(&sandbox);
    sandbox.script(agent_name, script);
    let before = Tree::of(&sandbox.home(""));
    let launch = |provider: &str| {
        let mut command = sandbox.command("agent-run");
        command.args(["launch", provider, agent_name]).args(args);
        command
    };
    let cold = at_once((0..CROWD).map(|_| launch("mock")));
    let several = at_once((0..CROWD).map(|index| launch(["mock", "other"][index % 2])));
    let calm = at_once([launch("mock"), launch("other")].into_iter());
    let sum = |output: &String| {
        let mut lines = output.lines().map(str::to_owned);
        (lines.next().unwrap(), lines.next().unwrap())
    };
    for (output, calm) in cold
        .iter()
        .map(|output| (output, &calm[0]))
        .chain(several.iter().enumerate().map(|(index, output)| (output, &calm[index % 2])))
    {
        assert_eq!(sum(output), sum(calm), "torn settings, or such as changed under the agent");
    }
    let folders = sessions(&sandbox);
    let mut written: usize = 0;
    for folder in &folders {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with("s-")) {
                assert_eq!(fs::read_to_string(&entry).unwrap(), "whole\n");
                written += 1;
            }
        }
    }
    // Process ids may come again, which no system does within some hundred processes.
    assert_eq!(written, 2 * CROWD + 2, "a session is lost: {folders:?}");
    assert_eq!(left_over(&sandbox), Vec::<PathBuf>::new());
    if agent_name != "claude" {
        before.is_unharmed(&sandbox.home(""));
    }
}

#[test]
fn a_hundred_codexes_at_once_see_whole_settings_and_lose_no_session() {
    let script = agent("$CODEX_HOME/config.toml", "$CODEX_HOME/sessions");
    crowd_of("codex", &script, &[], |sandbox| {
        vec![sandbox.home(".local/state/agent-run/codex-shared/sessions")]
    });
}

#[test]
fn a_hundred_hermeses_at_once_see_whole_settings_and_lose_no_session() {
    let script = agent("$HERMES_HOME/config.yaml", "$HERMES_HOME/sessions");
    crowd_of("hermes", &script, &[], |sandbox| vec![sandbox.home(".hermes/sessions")]);
}

#[test]
fn a_hundred_crushes_at_once_see_whole_settings_and_lose_no_session() {
    // The log folder is one that lasts, as the database beside it is a file that does.
    let script =
        agent("$data/crush.json", "$data/logs").replace("set -eu\n", "data=\"${1#--data-dir=}\"\nset -eu\n");
    crowd_of("crush", &script, &["run"], |sandbox| {
        let projects = fs::read_dir(sandbox.home(".local/state/agent-run/crush/projects")).unwrap();
        projects.map(|entry| entry.unwrap().path()).collect()
    });
}

#[test]
fn a_hundred_claude_codes_at_once_see_a_whole_state_file_and_lose_no_session() {
    let script = agent("$HOME/.claude.json", "$HOME/.claude/projects/-w");
    crowd_of("claude", &script, &[], |sandbox| vec![sandbox.home(".claude/projects/-w")]);
}

/// The hardest case for the one file of the user's that we change: every launch has something to add to it,
/// while its own program keeps rewriting it under its lock.
#[test]
fn a_hundred_changes_of_claude_codes_state_file_and_its_own_are_all_kept() {
    let sandbox = sandbox();
    sandbox.write(&sandbox.home(".claude.json"), r#"{"numStartups": 7, "projects": {"/w": {}}}"#);
    sandbox
        .config(&CONFIG.replace("key_env: MOCK_KEY", "key_env: MOCK_KEY\n    anthropic_use_api_key: true"));
    sandbox.script("claude", "#!/bin/sh\ncat \"$HOME/.claude.json\"\n");
    let (state, lock) = (sandbox.home(".claude.json"), sandbox.home(".claude.json.lock"));
    let launch = |index: usize| {
        let mut command = sandbox.command("agent-run");
        command
            .args(["launch", "mock", "claude"])
            .env("MOCK_KEY", format!("sk-{index:04}-0123456789-ABCDEFGHIJ-{index:04}"));
        command
    };
    let is_over = AtomicBool::new(false);
    let (seen, written) = std::thread::scope(|scope| {
        // As Claude Code 2.1 does: a folder as lock, a new file beside, and a rename.
        let writer = scope.spawn(|| {
            let mut written = 0_u64;
            while !is_over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(7));
                if fs::create_dir(&lock).is_err() {
                    continue;
                }
                let mut json: Json = serde_json::from_slice(&fs::read(&state).unwrap()).expect("whole JSON");
                // It counts on from what it finds, so that one change of its own that is lost stays lost.
                written += 1;
                json["counter"] = json!(json["counter"].as_u64().unwrap_or(0) + 1);
                let fresh = sandbox.home(".claude.json.fresh");
                fs::write(&fresh, json.to_string()).unwrap();
                fs::rename(fresh, &state).unwrap();
                fs::remove_dir(&lock).unwrap();
            }
            written
        });
        let seen = at_once((0..CROWD).map(launch));
        is_over.store(true, Ordering::Relaxed);
        (seen, writer.join().expect("the writer"))
    });
    for text in seen {
        let json: Json = serde_json::from_str(&text).expect("whole JSON");
        assert_eq!((&json["numStartups"], &json["hasCompletedOnboarding"]), (&json!(7), &json!(true)));
    }
    let json: Json = serde_json::from_slice(&fs::read(&state).unwrap()).expect("whole JSON");
    let approved: BTreeSet<_> =
        json["customApiKeyResponses"]["approved"].as_array().unwrap().iter().map(Json::as_str).collect();
    assert_eq!(approved.len(), CROWD, "a key's end is lost");
    assert_eq!(json["counter"], json!(written), "a change of the program's own is lost");
    assert!(written > 3, "{written}");
    assert_eq!(left_over(&sandbox), Vec::<PathBuf>::new());
}

#[test]
fn twenty_that_add_to_the_config_at_once_are_all_in_it() {
    let sandbox = sandbox();
    let add = |index: usize| {
        let mut command = sandbox.command("agent-run");
        command.args(["providers", "add", "deepseek", "--yes", "--name", &format!("p{index}")]);
        command
    };
    at_once((0..20).map(add));
    let ran = sandbox.agent_run(&["providers", "list"]).clean();
    assert_eq!(ran.stdout.lines().count(), 2 + 20, "{}", ran.stdout);
    let config = fs::read_to_string(sandbox.home(".config/agent-run/config.yaml")).unwrap();
    assert!(config.starts_with(CONFIG), "what stood there stands");
    assert_eq!(count(&sandbox.home(".config/agent-run")), 1);
}

#[test]
fn twenty_first_configs_at_once_are_one() {
    let sandbox = Sandbox::new();
    let bootstrap = || {
        let mut command = sandbox.command("agent-run");
        command.args(["config", "--bootstrap-config"]);
        command
    };
    at_once((0..20).map(|_| bootstrap()));
    assert_eq!(count(&sandbox.home(".config/agent-run")), 1);
    sandbox.agent_run(&["config", "check"]).exits(0);
}

#[test]
fn twenty_that_install_links_at_once_leave_each_link_once() {
    let sandbox = sandbox();
    let bin = sandbox.home(".local/bin");
    let sandbox = sandbox.also_on_path(std::slice::from_ref(&bin));
    sandbox.agent_run(&["shims", "install"]).exits(0);
    let good: Vec<_> = Tree::of(&sandbox.home("")).entries().map(|(path, _)| path.to_owned()).collect();
    // All of them have something to make and something to fix.
    for (index, entry) in fs::read_dir(&bin).unwrap().map(|entry| entry.unwrap().path()).enumerate() {
        fs::remove_file(&entry).unwrap();
        if index % 2 == 0 {
            std::os::unix::fs::symlink("/nowhere/agent-run", entry).unwrap();
        }
    }
    fs::remove_dir_all(sandbox.home(".local/share")).unwrap();
    let install = || {
        let mut command = sandbox.command("agent-run");
        command.args(["shims", "install"]);
        command
    };
    at_once((0..20).map(|_| install()));
    let now: Vec<_> = Tree::of(&sandbox.home("")).entries().map(|(path, _)| path.to_owned()).collect();
    assert_eq!(now, good);
    for entry in fs::read_dir(&bin).unwrap().map(|entry| entry.unwrap().path()) {
        assert!(entry.exists(), "{} is a broken link", entry.display());
    }
}

#[test]
fn twenty_that_refresh_a_model_list_at_once_show_and_leave_a_whole_one() {
    let lists = Lists::json(r#"{"data": [{"id": "m1"}, {"id": "m-two"}]}"#);
    let sandbox = sandbox();
    let url = format!("'http://{}/v1'", lists.address);
    sandbox
        .config(&CONFIG.replace("'http://127.0.0.1:9/v1'", &url).replace("    model_api_filters: []\n", ""));
    let refresh = || {
        let mut command = sandbox.command("agent-run");
        command.args(["models", "list", "mock", "--refresh"]);
        command
    };
    let shown = at_once((0..20).map(|_| refresh()));
    for shown in shown {
        let ids: BTreeSet<_> = shown.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(ids, BTreeSet::from(["m-two", "m1", "m2"]), "{shown}");
    }
    let asked = lists.asked().len();
    sandbox.agent_run(&["models", "list", "mock"]).clean();
    assert_eq!(lists.asked().len(), asked, "the list on disk is whole and fresh");
    assert_eq!(count(&sandbox.home(".cache/agent-run/models")), 1);
}
