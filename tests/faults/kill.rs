use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::inject::Victim;
use super::{CONFIG, live_in, sandbox};
use crate::support::Sandbox;
use crate::support::lists::Lists;

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
    }
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
