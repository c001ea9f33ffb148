use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::inject::Victim;
use super::{CONFIG, live_in, sandbox};
use crate::support::lists::Lists;
use crate::support::tree::Tree;
use crate::support::{Ran, Sandbox, run};

/// Kills a launch at each step on an empty home, in a full one, after a change of the config, and when all
/// is there already.
#[track_caller]
fn kill_launches_of(agent: &str) {
    let first = sandbox();
    let steps = Victim::launch(&first, &[agent, "hi"]).is_killed_at_every_step();
    println!("{agent}, first launch: {steps} steps");

    let full = sandbox();
    live_in(&full);
    let steps = Victim::launch(&full, &[agent, "hi"]).is_killed_at_every_step();
    println!("{agent}, full home: {steps} steps");

    full.agent_run(&["launch", "mock", agent, "hi"]).exits(0);
    let steps = Victim::launch(&full, &["--model", "m2", agent, "hi"]).is_killed_at_every_step();
    println!("{agent}, another model: {steps} steps");

    full.agent_run(&["launch", "mock", agent, "hi"]).exits(0);
    let steps = Victim::launch(&full, &[agent, "hi"]).is_killed_at_every_step();
    println!("{agent}, everything there: {steps} steps");
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs strace: --features system-tools")]
fn claude_code_killed_at_any_step_of_its_launch_leaves_all_whole() {
    kill_launches_of("claude");
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs strace: --features system-tools")]
fn codex_killed_at_any_step_of_its_launch_leaves_all_whole() {
    kill_launches_of("codex");
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs strace: --features system-tools")]
fn hermes_killed_at_any_step_of_its_launch_leaves_all_whole() {
    kill_launches_of("hermes");
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs strace: --features system-tools")]
fn crush_killed_at_any_step_of_its_launch_leaves_all_whole() {
    kill_launches_of("crush");
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs strace: --features system-tools")]
fn the_secret_of_the_machine_is_whole_or_not_there_when_its_launch_is_killed() {
    let sandbox = sandbox();
    fs::remove_file(sandbox.home(".local/state/agent-run/secret")).unwrap();
    // Whatever is made from it differs from run to run.
    let mut victim = Victim::launch(&sandbox, &["crush", "hi"]);
    victim.differs = |path| path.components().any(|part| part.as_os_str() == "agent-run");
    victim.says_the_same = false;
    println!("secret: {} steps", victim.is_killed_at_every_step());
    sandbox.agent_run(&["launch", "mock", "crush", "hi"]).exits(0);
    let secret = fs::read_to_string(sandbox.home(".local/state/agent-run/secret")).unwrap();
    sandbox.agent_run(&["launch", "mock", "hermes", "hi"]).exits(0);
    assert_eq!(fs::read_to_string(sandbox.home(".local/state/agent-run/secret")).unwrap(), secret);
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs strace: --features system-tools")]
fn a_command_that_writes_the_config_killed_at_any_step_leaves_the_old_or_the_new_one() {
    // What was done before the end is found done: then there is nothing to add.
    let add = ["providers", "add", "deepseek", "--yes"];
    let import = ["import", "claude", "--write"];
    let bootstrap = ["config", "--bootstrap-config"];
    for (words, again) in [(&add[..], &[0, 1][..]), (&import, &[0]), (&bootstrap, &[0])] {
        let sandbox = Sandbox::new().var("DEEPSEEK_API_KEY", "sk-own");
        if words != bootstrap {
            sandbox.config("# mine\nproviders: {}\n");
        }
        let settings =
            r#"{"env": {"ANTHROPIC_BASE_URL": "https://example.com", "ANTHROPIC_AUTH_TOKEN": "k"}}"#;
        sandbox.write(&sandbox.home(".claude/settings.json"), settings);
        // What was done is said to be, in other words.
        let mut victim = Victim::command(&sandbox, words, again);
        victim.says_the_same = words == add;
        println!("{words:?}: {} steps", victim.is_killed_at_every_step());
        victim.fails_at_every_step(&["ENOSPC", "EIO", "EROFS"]);
    }
}

/// After each step the config and the key file are the old or the new ones: the config never names a file that is not
/// there, and no other provider is touched. What an ended `key set` left is taken over by the next one.
#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs strace: --features system-tools")]
fn a_key_or_provider_that_is_set_or_removed_is_the_old_or_the_new_one() {
    let set = ["key", "set", "mock"];
    let remove = ["key", "remove", "mock", "--yes"];
    let whole = ["providers", "remove", "single", "--yes", "--with-key"];
    for (words, is_kept, again) in
        [(&set[..], false, &[0][..]), (&set, true, &[0]), (&remove, true, &[]), (&whole, true, &[])]
    {
        let sandbox = sandbox();
        let name = if words == whole { "single" } else { "mock" };
        let lines = "\n    protocols: [anthropic]\n    base_urls: {anthropic: 'http://127.0.0.1:9'}\n    key_env: K\n";
        sandbox.config(&format!("providers:\n  mock:{lines}\n  # another\n  single:{lines}"));
        let key = |text: &str| sandbox.write(&sandbox.path("stdin"), text);
        if is_kept {
            key("sk-old-0123456789abcdef");
            let mut command = sandbox.command("agent-run");
            let stdin = fs::File::open(sandbox.path("stdin")).unwrap();
            crate::support::run(command.args(["key", "set", name]).stdin(stdin)).clean();
        }
        key("sk-new-0123456789abcdef");
        let mut victim = Victim::command(&sandbox, words, again);
        victim.stdin = Some("stdin");
        let steps = victim.is_killed_at_every_step();
        println!("{words:?}: {steps} steps");
        assert!(steps > 5, "{words:?}: {steps}");
        victim.fails_at_every_step(&["ENOSPC", "EIO", "EROFS"]);
        if words == set {
            let folder = sandbox.home(".config/agent-run");
            victim.is_killed_and_then_fails(&folder.join(".agent-run-config.yaml-new"), |what| {
                let config = fs::read_to_string(folder.join("config.yaml")).unwrap();
                let key = fs::read_to_string(folder.join("keys/mock.key"));
                assert!(!config.contains("keys/mock.key") || key.is_ok(), "{what}: {config}");
            });
        }
    }
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs strace: --features system-tools")]
fn a_test_of_a_key_that_is_ended_or_fails_at_any_step_changes_nothing() {
    let answer = r#"{"id": "m", "type": "message", "role": "assistant", "content": []}"#;
    let provider = Lists::json(answer);
    let sandbox = sandbox();
    let url = format!("'http://{}'", provider.address);
    sandbox.config(&CONFIG.replace("'http://127.0.0.1:9'", &url));
    let before = Tree::of(&sandbox.path(""));
    let mut victim = Victim::command(&sandbox, &["key", "test", "mock"], &[0]);
    // It says how long the answer took.
    victim.says_the_same = false;
    println!("key test: {} steps", victim.is_killed_at_every_step());
    victim.fails_at_every_step(&["ENOSPC", "EIO", "EROFS"]);
    before.is_same_as(&Tree::of(&sandbox.path("")), "key test");
}

/// Opens the config in an editor, in a terminal, with the program's own calls traced as `options` say. It changes nothing
/// itself, so that the calls are those that read, start the editor and wait for it. None of them is ended by the terminal,
/// which closes with the program: an editor that has only just started would not live to ignore its signal itself.
fn edit(sandbox: &Sandbox, options: &str) -> Ran {
    let calls = "openat,statx,access,faccessat2,read,clone,clone3,vfork,wait4,exit_group";
    let traced = format!(
        "trap '' HUP; exec strace -qq -e signal=none -e trace={calls} {options} agent-run providers edit mock"
    );
    run(sandbox.command("script").args(["-qec", &traced, "/dev/null"]).stdin(Stdio::null()))
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs strace: --features system-tools")]
fn an_edit_that_is_ended_or_whose_disk_is_full_leaves_what_the_editor_left() {
    let sandbox = sandbox();
    let change = "#!/bin/sh\nfor file; do :; done\nsed -i s/m1/m3/ \"$file\"\n: >\"$DONE\"\n";
    let (editor, done) = (sandbox.script("change", change), sandbox.path("done"));
    let sandbox = sandbox.var("EDITOR", editor.display().to_string()).var("DONE", done.display().to_string());
    let sandbox = sandbox.var("NO_COLOR", "1");
    let path = sandbox.home(".config/agent-run/config.yaml");
    let old = fs::read_to_string(&path).unwrap();
    let new = old.lines().map(|line| line.replacen("m1", "m3", 1) + "\n").collect::<String>();
    let log = sandbox.path("trace");
    edit(&sandbox, &format!("-o {}", log.display())).exits(0);
    assert_eq!(fs::read_to_string(&path).unwrap(), new);
    let trace = fs::read_to_string(log).unwrap();
    let calls: Vec<_> = trace.lines().filter_map(|line| Some(line.split_once('(')?.0)).collect();
    let start = calls.iter().position(|name| ["clone", "clone3", "vfork"].contains(name)).unwrap();
    println!("providers edit: {} steps, the editor starts at {start}", calls.len());
    for (at, name) in calls.iter().enumerate() {
        fs::write(&path, &old).unwrap();
        _ = fs::remove_file(&done);
        let nth = calls[..=at].iter().filter(|other| *other == name).count();
        let ran = edit(&sandbox, &format!("-o /dev/null -e inject={name}:signal=KILL:when={nth}"));
        assert_eq!(ran.code, 128 + 9, "{name} {nth}: {}", ran.stdout);
        // An editor that was started goes on without its parent.
        let since = Instant::now();
        while at > start && !done.exists() {
            assert!(since.elapsed() < Duration::from_secs(20), "{name} {nth}: the editor does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        let left = fs::read_to_string(&path).unwrap();
        assert!(left == if at > start { &*new } else { &*old }, "{name} {nth}: {left}");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "{name} {nth}");
    }
    // An editor that cannot save says so, and so does the program.
    fs::write(&path, &old).unwrap();
    let folder = path.parent().unwrap().display().to_string();
    let full = format!(
        "cp -a {folder} ../kept; mount -t tmpfs -o size=16k tmpfs {folder}; cp -a ../kept/. {folder}; \
         head -c 70000 /dev/zero >{folder}/fill 2>/dev/null; agent-run providers edit mock; code=$?; \
         cat {folder}/config.yaml; exit $code"
    );
    sandbox.script("change", &change.replace("\"$file\"\n", "\"$file\" || exit\n"));
    let inside = format!("unshare -rm sh -c '{full}'");
    let ran = run(sandbox.command("script").args(["-qec", &inside, "/dev/null"]).stdin(Stdio::null()));
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    let text = ran.stdout.replace("\r\n", "\n");
    assert!(text.contains("agent-run: the editor failed:") && text.contains("\nhelp: "), "{text}");
    assert!(text.ends_with(&old), "{text}");
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs strace: --features system-tools")]
fn links_and_completions_killed_at_any_step_are_whole_and_none_is_left_over() {
    let sandbox = sandbox();
    let bin = sandbox.home(".local/bin");
    fs::create_dir_all(&bin).unwrap();
    // One to fix, one to leave alone, and a script of an older version.
    symlink("/nowhere/agent-run", bin.join("codex@mock")).unwrap();
    sandbox.write(&bin.join("claude@other"), "mine");
    let fish = sandbox.agent_run(&["completion", "fish"]).exits(0).stdout;
    let old = format!("{fish}# old\n");
    sandbox.write(&sandbox.home(".local/share/fish/vendor_completions.d/agent-run.fish"), old);
    let words = ["shims", "install", "codex@mock", "codex@other", "claude@mock"];
    let mut victim = Victim::command(&sandbox, &words, &[0]);
    victim.says_the_same = false;
    println!("shims install: {} steps", victim.is_killed_at_every_step());
    victim.fails_at_every_step(&["ENOSPC", "EIO", "EROFS"]);
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs strace: --features system-tools")]
fn a_model_list_killed_at_any_step_of_its_refresh_or_removal_is_whole() {
    let is_list = |path: &Path| path.extension().is_some_and(|kind| kind == "list" || kind == "failed");
    let lists = Lists::json(r#"{"data": [{"id": "m1"}, {"id": "m-two"}]}"#);
    let sandbox = sandbox();
    let url = format!("'http://{}/v1'", lists.address);
    sandbox
        .config(&CONFIG.replace("'http://127.0.0.1:9/v1'", &url).replace("    model_api_filters: []\n", ""));
    for words in [&["models", "list", "mock", "--refresh"][..], &["models", "cache", "clear"]] {
        let mut victim = Victim::command(&sandbox, words, &[0]);
        (victim.differs, victim.says_the_same) = (is_list, false);
        println!("{words:?}: {} steps", victim.is_killed_at_every_step());
        if words[1] == "list" {
            // A list that cannot be kept is shown all the same.
            victim.fails_at_every_step(&["ENOSPC", "EIO", "EROFS"]);
            sandbox.agent_run(words).exits(0);
        }
    }
}
