//! The first minutes with the program: a provider added at a terminal and its key kept; and providers changed and removed
//! later.

/// Keys that are kept, and what goes with a provider.
mod keys;

mod mistakes;
mod unknown;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::support::tmux::Tmux;
use crate::support::{MockProvider, Ran, Sandbox, net, run};

pub const KEY: &str = "sk-typed-0123456789abcdef";

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
        tmux.wait_for("Add litellm and start Claude Code? [Y/n]");
        assert_eq!(files(&sandbox), [] as [&str; 0]);
        tmux.key("Enter");
        tmux.wait_for("Where is the key of litellm?");
        tmux.key("Enter");
        tmux.wait_for("Key (not shown");
        tmux.text(KEY);
        tmux.key("Enter");
        tmux.wait_for("Which one is the default?");
        assert_eq!(files(&sandbox), [] as [&str; 0], "nothing is written before the last answer");
        tmux.key("Enter");
        let screen = tmux.wait_for("[exited 0]");
        assert!(screen.contains("The provider answered in"), "{screen}");
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
fn ctrl_c_or_ctrl_d_at_any_question_leaves_nothing_says_so_and_the_echo_is_back() {
    assert!(Tmux::is_there());
    let questions = ["Add litellm and start", "Where is the key of litellm?", "Key (not shown", "What now?"];
    let ends = [("C-c", "[code 130]"), ("C-d", "[code 125]")];
    for (last, (key, code)) in (0..questions.len()).flat_map(|last| ends.map(|end| (last, end))) {
        let sandbox = newcomer();
        // A shell that goes on after the signal, to ask the terminal what it does.
        let line = "trap : INT; agent-run launch litellm claude; echo \"[code $?]\"; stty -a";
        let tmux = Tmux::start(&sandbox, line);
        for (index, question) in questions.iter().enumerate() {
            tmux.wait_for(question);
            if index == last {
                tmux.key(key);
                break;
            }
            if *question == "Key (not shown" {
                tmux.text(KEY);
            }
            // Nobody listens at the preset's port, or not a LiteLLM: the test fails, and asks what now.
            tmux.key("Enter");
        }
        let screen = tmux.wait_for("[exited 0]");
        assert!(screen.contains(code), "{screen}");
        assert!(screen.contains("agent-run: stopped, and the config was not changed"), "{screen}");
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
    tmux.text("depseek");
    tmux.key("Enter");
    tmux.wait_for("Did you mean deepseek? [Y/n]");
    tmux.key("Enter");
    let screen = tmux.wait_for("Where is the key of deepseek?");
    assert!(screen.contains("1  in the variable DEEPSEEK_API_KEY, which is set"), "{screen}");
    tmux.key("C-c");
    tmux.wait_for("[exited 130]");
    drop(tmux);
    // With a config the help is shown, as without a terminal.
    sandbox.config("providers: {}\n");
    let tmux = Tmux::start(&sandbox, "agent-run | head -n 3");
    assert!(tmux.wait_for("[exited").contains("Usage: agent-run"));
    sandbox.agent_run(&[]).exits(2).complains(&["Usage: agent-run"]);
}

#[test]
fn the_name_alone_says_what_to_type_next_of_the_own_config() {
    let sandbox = Sandbox::new();
    sandbox.fake_agent("codex");
    let provider = |name: &str, protocol: &str| {
        format!(
            "  {name}: {{protocols: [{protocol}], base_urls: {{openai: 'http://127.0.0.1:9', anthropic: 'http://127.0.0.1:9'}}}}\n"
        )
    };
    let (chat, responses) =
        (provider("chat", "openai-chat-completions"), provider("my work", "openai-responses"));
    for (config, next) in [
        (
            "# nothing yet\n".to_owned(),
            "First: `agent-run demo`, or `agent-run providers add deepseek`".to_owned(),
        ),
        (
            "providers: {}\n".to_owned(),
            "First: `agent-run demo`, or `agent-run providers add deepseek`".to_owned(),
        ),
        (
            format!("providers:\n{chat}{responses}"),
            "Next: `agent-run launch 'my work' codex` (your providers: chat, my work)".to_owned(),
        ),
        (
            format!("providers:\n{chat}"),
            "Next: `uv tool install hermes-agent`, then `agent-run launch chat hermes` (your providers: chat)"
                .to_owned(),
        ),
        (
            "providers: [\n".to_owned(),
            format!("Next: `agent-run config check` ({} has errors)", config_path(&sandbox).display()),
        ),
    ] {
        sandbox.config(&config);
        let ran = sandbox.agent_run(&[]).exits(2);
        assert_eq!(ran.stderr.lines().last(), Some(next.as_str()), "{}", ran.stderr);
    }
}

/// A scripted Ollama: its models, in the words of `/api/tags`, and the windows of those that are loaded, one answer of
/// `/api/ps` after the other.
pub fn scripted_ollama(
    sandbox: &Sandbox,
    tags: &Json,
    loaded: &[&[(&str, u64)]],
    more: &[Json],
) -> MockProvider {
    let ids: Vec<_> = tags.as_array().unwrap().iter().map(|row| json!({"id": row["name"]})).collect();
    let mut rules = more.to_vec();
    rules.push(json!({"path": "/api/tags", "body": {"models": tags}}));
    rules.push(json!({"path": "/v1/models", "body": {"data": ids}}));
    for (at, models) in loaded.iter().enumerate() {
        let row = |(name, window): &(&str, u64)| json!({"name": name, "context_length": window});
        let rows: Vec<_> = models.iter().map(row).collect();
        let mut rule = json!({"path": "/api/ps", "body": {"models": rows}});
        if at + 1 < loaded.len() {
            rule["times"] = 1.into();
        }
        rules.push(rule);
    }
    MockProvider::scripted(sandbox, "ollama", &Json::from(rules).to_string())
}

#[test]
fn what_makes_embeddings_alone_is_not_offered_whichever_way_the_server_says_so() {
    // The list says what a model can do since 2026. Before, each model is asked for.
    let sandbox = newcomer();
    let tags = json!([{"name": "nomic:latest"}, {"name": "chat:8b"}]);
    let show = |model: &str, able: &str| json!({"path": "/api/show", "contains": model, "body": {"capabilities": [able]}});
    let more = [show("nomic", "embedding"), show("chat", "completion")];
    let loaded: &[(&str, u64)] = &[("nomic:latest", 2048), ("chat:8b", 65_536)];
    let ollama = scripted_ollama(&sandbox, &tags, &[loaded], &more);
    let add = |name: &str, url: &str| {
        sandbox.agent_run(&["providers", "add", "ollama", "--name", name, "--server", url, "--yes"]).exits(0)
    };
    add("old", &ollama.url(""));
    assert!(config_of(&sandbox).contains("default_model: chat:8b\n"), "{}", config_of(&sandbox));
    // A model of the cloud is never loaded, and has its whole window. Only embeddings are no models for agents.
    let cloud = json!([
        {"name": "e", "capabilities": ["embedding"]},
        {"name": "glm:cloud", "capabilities": ["completion"], "remote_host": "https://ollama.com",
         "details": {"context_length": 202_752}},
    ]);
    let other = newcomer();
    let ollama = scripted_ollama(&other, &cloud, &[&[]], &[]);
    add("cloud", &ollama.url(""));
    assert!(
        config_of(&sandbox).contains("- {id: glm:cloud, context_window: 202752}\n"),
        "{}",
        config_of(&sandbox)
    );
    let none = newcomer();
    let ollama = scripted_ollama(&none, &json!([{"name": "e", "capabilities": ["embedding"]}]), &[&[]], &[]);
    add("none", &ollama.url(""))
        .complains(&["Ollama has no models for agents", "help: get one: `ollama pull qwen3-coder`"]);
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn loading_is_asked_for_once_and_what_fails_is_tried_again_by_enter() {
    assert!(Tmux::is_there());
    let sandbox = newcomer();
    let tags = json!([
        {"name": "big:70b", "capabilities": ["completion"]},
        {"name": "small:4b", "capabilities": ["completion"]},
    ]);
    let full = json!({"path": "/api/generate", "contains": "big", "status": 500,
        "body": {"error": "model requires more system memory"}});
    let loads = json!({"path": "/api/generate", "body": {"done": true}});
    // The list is asked for with what is loaded: at first, after each failure, and after the load.
    let ollama = scripted_ollama(&sandbox, &tags, &[&[], &[], &[], &[("small:4b", 65_536)]], &[full, loads]);
    let tmux = Tmux::start(&sandbox, &format!("agent-run providers add ollama --server {}", ollama.url("")));
    tmux.wait_for("2  small:4b");
    tmux.key("Enter");
    tmux.wait_for("Load big:70b now");
    tmux.key("Enter");
    let screen = tmux.wait_for("What now?");
    assert!(screen.contains("with 500: model requires more system memory"), "{screen}");
    tmux.wait_for("1  test again");
    tmux.key("Enter");
    let screen = tmux.wait_until("the failure again", |screen| screen.matches("What now?").count() == 2);
    assert_eq!(screen.matches("Load big:70b now").count(), 1, "{screen}");
    tmux.wait_for("2  choose another model");
    tmux.text("2\n");
    tmux.wait_until("the models again", |screen| screen.matches("Which of Ollama's models?").count() == 2);
    tmux.text("2\n");
    tmux.wait_for("Load small:4b now");
    tmux.key("Enter");
    let screen = tmux.wait_for("Add this to");
    assert!(screen.contains("small:4b is served with a window of 65536 tokens."), "{screen}");
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn a_refused_key_is_named_as_the_one_that_was_given_and_enter_does_what_helps() {
    assert!(Tmux::is_there());
    let sandbox = newcomer();
    let provider = MockProvider::scripted(&sandbox, "live", r#"[{"status": 401}]"#);
    let entry = |name: &str, url: &str| {
        format!(
            "  {name}:\n    protocols: [anthropic]\n    base_urls: {{anthropic: '{url}'}}\n    key_env: OLD_KEY\n    default_model: m\n"
        )
    };
    let gone = "http://no-such-host.invalid";
    sandbox.config(&format!("providers:\n{}{}", entry("live", &provider.url("")), entry("gone", gone)));
    let config = config_of(&sandbox);
    for (name, failed, help, first) in [
        ("live", "the key was refused (401)", "help: check the key that you pasted", "1  enter another key"),
        ("gone", "no-such-host.invalid: ", "help: check this machine's network connection", "1  test again"),
    ] {
        let tmux = Tmux::start(&sandbox, &format!("agent-run key set {name}"));
        tmux.wait_for(&format!("Where is the key of {name}?"));
        tmux.key("Enter");
        tmux.wait_for("Key (not shown");
        tmux.text(KEY);
        tmux.key("Enter");
        let screen = tmux.wait_for("4  stop");
        for part in [failed, help, first] {
            assert!(screen.contains(part), "no `{part}` on\n{screen}");
        }
        assert!(!screen.contains("OLD_KEY"), "{screen}");
        tmux.wait_for("choice [1]:");
        // Another key is typed for the same place, which is not asked for again.
        if name == "live" {
            tmux.text("1\n");
            tmux.wait_until("the key again", |screen| screen.matches("Key (not shown").count() == 2);
            tmux.text(KEY);
            tmux.key("Enter");
            let screen = tmux.wait_until("it fails too", |screen| screen.matches("What now?").count() == 2);
            assert_eq!(screen.matches("Where is the key").count(), 1, "{screen}");
        }
        tmux.text("4\n");
        tmux.wait_for("stopped, and the config was not changed");
        assert_eq!(config_of(&sandbox), config);
        key_is_only_in(&sandbox, &[]);
    }
}
