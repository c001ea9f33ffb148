//! The first minutes with the program: a provider added at a terminal and its key kept; and providers changed and removed
//! later.

/// Keys that are kept, and what goes with a provider.
mod keys;

mod mistakes;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::tmux::Tmux;
use crate::support::{MockProvider, Ran, Sandbox, net, run};

const KEY: &str = "sk-typed-0123456789abcdef";

/// A home with nothing in it, and an agent.
pub fn newcomer() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.script("claude", "#!/bin/sh\necho \"STARTED $ANTHROPIC_BASE_URL $ANTHROPIC_AUTH_TOKEN $*\"\n");
    sandbox
}

fn config_path(sandbox: &Sandbox) -> PathBuf {
    sandbox.home(".config/agent-run/config.yaml")
}

pub fn config_of(sandbox: &Sandbox) -> String {
    fs::read_to_string(config_path(sandbox)).unwrap_or_default()
}

/// The files in the home, but for caches and state.
fn files(sandbox: &Sandbox) -> Vec<String> {
    let ran = run(sandbox.command("find").args([".config", "-type", "f"]).current_dir(sandbox.home("")));
    let mut files: Vec<_> = ran.stdout.lines().map(str::to_owned).collect();
    files.sort();
    files
}

/// Every place where the key could be left: argument lists, the config, the screen.
#[track_caller]
fn key_is_only_in(sandbox: &Sandbox, places: &[&str]) {
    let ran = run(sandbox.command("grep").args(["-rlF", KEY, "."]).current_dir(sandbox.home("")));
    let mut found: Vec<_> = ran.stdout.lines().collect();
    found.sort_unstable();
    assert_eq!(found, places);
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux and namespaces: --features system-tools")]
fn one_command_leads_from_an_empty_home_to_the_first_answer() {
    if !net::is_inside() {
        return;
    }
    assert!(Tmux::is_there());
    for by_shim in [false, true] {
        let sandbox = newcomer();
        // It plays the vendor, at the address that the preset names.
        let vendor = MockProvider::listening(&sandbox, "vendor", "127.0.0.1:4000");
        sandbox.shim("claude@litellm");
        let line = if by_shim { "claude@litellm -p hi" } else { "agent-run launch litellm claude -p hi" };
        let tmux = Tmux::start(&sandbox, line);
        tmux.wait_for("Add it, and start Claude Code? [Y/n]");
        assert_eq!(files(&sandbox), [] as [&str; 0]);
        tmux.key("Enter");
        tmux.wait_for("Where is the key of litellm?");
        tmux.key("Enter");
        tmux.wait_for("Key (not shown");
        tmux.text(KEY);
        tmux.key("Enter");
        tmux.wait_for("Which one do launches start with?");
        assert_eq!(files(&sandbox), [] as [&str; 0], "nothing is written before the last answer");
        tmux.key("Enter");
        let screen = tmux.wait_for("[exited 0]");
        assert!(screen.contains("it answers ("), "{screen}");
        assert!(screen.contains(&format!("STARTED http://localhost:4000 {KEY}")), "{screen}");
        assert_eq!(screen.matches(KEY).count(), 1, "only the agent shows it\n{screen}");
        let file = sandbox.home(".config/agent-run/keys/litellm.key");
        assert_eq!(fs::read_to_string(&file).unwrap(), format!("{KEY}\n"));
        for (path, mode) in
            [(&*file, 0o600), (file.parent().unwrap(), 0o700), (&config_path(&sandbox), 0o600)]
        {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
        }
        key_is_only_in(&sandbox, &["./.config/agent-run/keys/litellm.key"]);
        assert!(config_of(&sandbox).contains("    default_model: mock-model\n"), "{}", config_of(&sandbox));
        assert!(vendor.posts().iter().all(|post| post["protocol"] == "anthropic"));
        // The next launch asks nothing.
        let ran = sandbox.run("claude@litellm", &["again"]).clean();
        assert!(ran.stdout.contains("again"), "{}", ran.stdout);
    }
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn ctrl_c_at_any_question_leaves_nothing_and_the_echo_is_back() {
    assert!(Tmux::is_there());
    let questions = ["Add it, and start", "Where is the key of litellm?", "Key (not shown", "What now?"];
    for last in 0..questions.len() {
        let sandbox = newcomer();
        // A shell that goes on after the signal, to ask the terminal what it does.
        let line = "trap : INT; agent-run launch litellm claude; echo \"[code $?]\"; stty -a";
        let tmux = Tmux::start(&sandbox, line);
        for (index, question) in questions.iter().enumerate() {
            tmux.wait_for(question);
            if index == last {
                tmux.key("C-c");
                break;
            }
            if *question == "Key (not shown" {
                tmux.text(KEY);
            }
            // Nobody listens at the preset's port, or not a LiteLLM: the test fails, and asks what now.
            tmux.key("Enter");
        }
        let screen = tmux.wait_for("[exited 0]");
        assert!(screen.contains("[code 130]"), "{screen}");
        let flags: Vec<_> = screen.split_whitespace().collect();
        assert!(flags.contains(&"echo") && flags.contains(&"icanon") && flags.contains(&"isig"), "{screen}");
        assert!(!screen.contains(KEY), "{screen}");
        assert_eq!(files(&sandbox), [] as [&str; 0], "after {}", questions[last]);
        key_is_only_in(&sandbox, &[]);
    }
}

#[test]
fn without_a_terminal_there_is_one_error_with_what_to_type() {
    let sandbox = newcomer();
    sandbox.shim("claude@deepseek");
    for ran in [sandbox.agent_run(&["launch", "deepseek", "claude"]), sandbox.run("claude@deepseek", &[])] {
        let ran = ran.exits(125).complains(&["`agent-run providers add deepseek`"]);
        assert_eq!(ran.stderr.matches("help: ").count(), 1, "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
    assert_eq!(files(&sandbox), [] as [&str; 0]);
    sandbox.agent_run(&["providers", "add"]).exits(1).complains(&["no provider is named", "presets"]);
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn the_name_alone_greets_a_newcomer_and_offers_to_add_a_provider() {
    assert!(Tmux::is_there());
    let sandbox = newcomer().var("DEEPSEEK_API_KEY", KEY);
    let tmux = Tmux::start(&sandbox, "trap : INT; agent-run");
    let screen = tmux.wait_for("Which provider? [deepseek]");
    assert_eq!(screen.lines().take_while(|line| !line.is_empty()).count(), 3, "{screen}");
    tmux.text("nonsense");
    tmux.key("Enter");
    tmux.wait_for("No known provider has that name");
    tmux.key("Enter");
    let screen = tmux.wait_for("Where is the key of deepseek?");
    assert!(screen.contains("1  in the variable DEEPSEEK_API_KEY, which is set here"), "{screen}");
    tmux.key("C-c");
    tmux.wait_for("[exited 130]");
    drop(tmux);
    // With a config the help is shown, as without a terminal.
    sandbox.config("providers: {}\n");
    let tmux = Tmux::start(&sandbox, "agent-run | head -n 3");
    assert!(tmux.wait_for("[exited").contains("Usage: agent-run"));
    sandbox.agent_run(&[]).exits(2).complains(&["Usage: agent-run"]);
}
