//! The commands, config forms and variables of the launcher that had this name before: files and habits that people
//! have. Each is tried as that tool's README said it; what is meant differently is asserted as such.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::Value as Json;

use crate::support::lists::Lists;
use crate::support::{Sandbox, run};

/// Every key of its config, in its spellings.
const CONFIG: &str = "\
providers:
  every:
    protocols: [anthropic, openai-responses, openai-chat-completions]
    base_urls:
      openai: ADDRESS/v1
      anthropic: ADDRESS
    key: sk-old
    anthropic_use_api_key: false
    default_model: some/model
    models:
      - plain/one
      - id: local/two
        name: Two
        context_window: 64000
        max_output_tokens: 8000
        reasoning: true
        vision: true
        supports_attachments: true
        input_cost_per_million: 1.5
        output_cost_per_million: 2
        cached_input_cost_per_million: 0.1
        cached_output_cost_per_million: 0.2
    disable_model_loading_from_api: true
    extra_env:
      ALL: '${context:provider} ${context:protocol} ${context:model} ${context:agent} ${context:base_url}'
      CREDENTIAL: '${context:key}'
      FROM: '${env:HOME}'
  commanded:
    protocols: [anthropic]
    base_urls: {anthropic: ADDRESS}
    key_command: [sh, -c, 'echo sk-command']
    anthropic_use_api_key: true
    default_model: m
    models: [m, other]
    model_api_filters: []
  listed:
    protocols: [openai-chat-completions]
    base_urls: {openai: ADDRESS/v1}
    key: sk-listed
isolated_homes:
  codex: {work: {}}
  hermes: {work: {}}
";
const AGENTS: [&str; 4] = ["claude", "codex", "crush", "hermes"];

fn sandbox_at(address: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.config(&CONFIG.replace("ADDRESS", address));
    for agent in AGENTS {
        sandbox.fake_agent(agent);
    }
    sandbox
}

fn sandbox() -> Sandbox {
    sandbox_at("http://127.0.0.1:9")
}

fn plan(sandbox: &Sandbox, words: &[&str]) -> Json {
    let ran = sandbox.agent_run(words).exits(0);
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout))
}

#[test]
fn its_config_is_read_without_an_error() {
    let ran = sandbox().agent_run(&["config", "check"]).exits(0);
    assert!(!ran.stderr.contains("error") && !ran.stdout.contains("error"), "{ran:?}");
}

#[test]
fn its_other_spelling_of_isolated_homes_is_taken() {
    let sandbox = sandbox();
    sandbox.config(
        &CONFIG.replace("ADDRESS", "http://127.0.0.1:9").replace("isolated_homes:", "isolated-homes:"),
    );
    let plan = plan(&sandbox, &["launch", "work", "--dry-run", "--json", "codex"]);
    assert!(plan.to_string().contains("work"), "{plan}");
}

#[test]
fn config_opens_the_file_in_editor() {
    let sandbox = sandbox();
    sandbox.script("my-editor", "#!/bin/sh\nprintf 'opened %s\\n' \"$1\"\n");
    let ran = run(sandbox.command("agent-run").arg("config").env("EDITOR", "my-editor"));
    let path = sandbox.home(".config/agent-run/config.yaml");
    // Without a terminal there is nobody to edit: the path is printed, for a script to use.
    let shown = path.display().to_string();
    assert!(ran.exits(0).stdout.contains(&shown));
}

#[test]
fn config_bootstrap_config_writes_the_example() {
    let sandbox = Sandbox::new().var("EDITOR", "true");
    sandbox.agent_run(&["config", "--bootstrap-config"]).exits(0);
    let path = sandbox.home(".config/agent-run/config.yaml");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.demo.yaml");
    assert_eq!(fs::read_to_string(&path).unwrap(), fs::read_to_string(example).unwrap());
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn launch_provider_agent_passes_every_word_on_and_drops_one_pair_of_dashes() {
    let sandbox = sandbox();
    for agent in AGENTS {
        for words in [&["-x", "--model", "own"][..], &["--", "-x", "--model", "own"]] {
            let all = [&["launch", "every", agent], words].concat();
            let ran = sandbox.agent_run(&all).exits(0);
            assert!(ran.args().ends_with(&["-x", "--model", "own"]), "{agent}: {:?}", ran.args());
            assert!(!ran.args().ends_with(&["--", "-x", "--model", "own"]), "{agent}: {:?}", ran.args());
        }
    }
}

#[test]
fn launch_takes_a_model_and_force_in_its_forms() {
    let sandbox = sandbox();
    let known = plan(&sandbox, &["launch", "every", "--model", "local/two", "--dry-run", "--json", "claude"]);
    assert_eq!(known["choices"]["model"]["value"], "local/two", "{known:#}");
    sandbox
        .agent_run(&["launch", "every", "--model", "unknown", "claude"])
        .exits(125)
        .complains(&["--force model"]);
    for force in [&["--force=all"][..], &["--force", "model"], &["--force=model"]] {
        let words =
            [&["launch", "every", "--model", "unknown"], force, &["--dry-run", "--json", "claude"]].concat();
        let forced = plan(&sandbox, &words);
        assert_eq!(forced["choices"]["model"]["value"], "unknown");
    }
    // The protocol that no one declared, where the family has a base URL.
    sandbox.agent_run(&["launch", "listed", "codex"]).exits(125).complains(&["protocol"]);
    let words = ["launch", "listed", "--model", "m", "--force", "all", "--dry-run", "--json", "codex"];
    assert_eq!(plan(&sandbox, &words)["choices"]["protocol"]["value"], "openai-responses");
    // A word that it swallowed is not: `--force` wants its value.
    sandbox.agent_run(&["launch", "every", "--force", "claude"]).exits(125).complains(&["--force"]);
}

#[test]
fn launch_shell_sets_the_variables_and_clears_others() {
    let sandbox =
        sandbox().var("ANTHROPIC_API_KEY", "foreign").var("OPENAI_BASE_URL", "https://foreign.example");
    let ran = sandbox.agent_run(&["launch", "every", "shell", "env"]).exits(0);
    assert_eq!(ran.env("ANTHROPIC_BASE_URL"), Some("http://127.0.0.1:9"));
    assert_eq!(ran.env("ANTHROPIC_AUTH_TOKEN"), Some("sk-old"));
    assert_eq!(ran.env("ANTHROPIC_API_KEY"), None);
    assert!(!ran.stdout.contains("foreign"), "{}", ran.stdout);
}

#[test]
fn extra_env_fills_in_the_environment_and_what_was_chosen() {
    let sandbox = sandbox();
    let ran = sandbox.agent_run(&["launch", "every", "claude"]).exits(0);
    assert_eq!(ran.env("ALL"), Some("every anthropic some/model claude http://127.0.0.1:9"));
    assert_eq!(ran.env("CREDENTIAL"), Some("sk-old"));
    assert_eq!(ran.env("FROM"), Some(&*sandbox.home("").display().to_string()));
    for broken in ["${env:UNSET_HERE}", "${nope:model}", "${context:nope}", "${nocolon}", "${context:model"] {
        let text = CONFIG.replace("ADDRESS", "http://127.0.0.1:9").replace("${env:HOME}", broken);
        sandbox.config(&text);
        let ran = sandbox.agent_run(&["launch", "every", "claude"]).exits(125);
        assert!(ran.stderr.contains("extra_env") && ran.stderr.contains("FROM"), "{broken}: {}", ran.stderr);
    }
}

#[test]
fn keys_come_as_a_text_or_from_a_command_and_reach_claude_code_by_one_variable() {
    let sandbox = sandbox();
    let token = sandbox.agent_run(&["launch", "every", "claude"]).exits(0);
    assert_eq!(token.env("ANTHROPIC_AUTH_TOKEN"), Some("sk-old"));
    assert_eq!(token.env("ANTHROPIC_API_KEY"), None);
    let api_key = sandbox.agent_run(&["launch", "commanded", "claude"]).exits(0);
    assert_eq!(api_key.env("ANTHROPIC_API_KEY"), Some("sk-command"));
    assert_eq!(api_key.env("ANTHROPIC_AUTH_TOKEN"), None);
    for command in ["[]", "['false']", "['true']", "[no-such-program-here]"] {
        let text =
            CONFIG.replace("ADDRESS", "http://127.0.0.1:9").replace("[sh, -c, 'echo sk-command']", command);
        sandbox.config(&text);
        let ran = sandbox.agent_run(&["launch", "commanded", "claude"]);
        ran.exits(125).complains(&["key_command"]);
    }
}

#[test]
fn models_list_shows_a_provider_or_all_of_them() {
    let lists = Lists::json(r#"{"data": [{"id": "b"}, {"id": "a", "context_length": 1000}]}"#);
    let sandbox = sandbox_at(&format!("http://{}", lists.address));
    let ids = |words: &[&str]| -> Vec<String> {
        let ran = sandbox.agent_run(words).exits(0);
        ran.stdout.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&["models", "list", "every"]), ["some/model", "plain/one", "local/two"]);
    assert_eq!(lists.asked().len(), 0, "loading was switched off");
    assert_eq!(ids(&["models", "list", "listed"]), ["b", "a"], "the provider's order is kept");
    assert_eq!(ids(&["models", "list", "listed", "--refresh"]), ["b", "a"]);
    assert_eq!(lists.asked().len(), 2, "asked once, and once more by --refresh");
    let all = ids(&["models", "list", "--all"]);
    assert!(
        ["some/model", "a", "b", "m", "other"].iter().all(|id| all.contains(&(*id).to_owned())),
        "{all:?}"
    );
}

/// Its three examples of rules. Two come out otherwise: `\1` is a capture, and runs of digits are numbers.
#[test]
fn model_api_filters_sort_and_cut() {
    let ids = [
        "anthropic/claude-sonnet-4.6",
        "anthropic/claude-opus-4.6",
        "anthropic/claude-haiku-4.5",
        "anthropic/claude-opus-4.10",
        "openai/gpt-5.3-codex",
        "openai/gpt-5.4-mini",
        "openai/gpt-4.1",
        "zz/x-2-1",
        "zz/x-1-9",
        "zz/x-1-10",
    ];
    let rows: Vec<_> = ids.iter().map(|id| serde_json::json!({ "id": id })).collect();
    let lists = Lists::json(&serde_json::json!({ "data": rows }).to_string());
    for (rules, expected) in [
        (
            r#"[{filter: "^anthropic/(claude-.+)$", order_key: ["\\1"], top: 2}]"#,
            &["anthropic/claude-sonnet-4.6", "anthropic/claude-opus-4.10"][..],
        ),
        (
            r#"[{filter: "^zz/x-(\\d+)-(\\d+)$", order_key: ["$2", "$1"], desc: false}]"#,
            &["zz/x-2-1", "zz/x-1-9", "zz/x-1-10"],
        ),
        (
            r#"[{filter: "gpt-5", top: 1}, {filter: "gpt", desc: false}]"#,
            &["openai/gpt-5.4-mini", "openai/gpt-4.1", "openai/gpt-5.3-codex"],
        ),
        (r#"[{filter: "gpt", top: 0}]"#, &[]),
    ] {
        let sandbox = Sandbox::new();
        sandbox.config(&format!(
            "providers:\n  p:\n    protocols: [openai-chat-completions]\n    \
             base_urls: {{openai: 'http://{}/v1'}}\n    key: sk-1\n    model_api_filters: {rules}\n",
            lists.address
        ));
        let ran = sandbox.agent_run(&["models", "list", "p"]).exits(0);
        let shown: Vec<_> = ran.stdout.lines().map(|line| line.split('\t').next().unwrap()).collect();
        assert_eq!(shown, expected, "{rules}");
    }
}

#[test]
fn completion_prints_a_script_for_bash_and_zsh() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh"] {
        let script = sandbox.agent_run(&["completion", shell]).clean().stdout;
        assert!(script.contains("AGENT_RUN_COMPLETE"), "{shell}");
    }
}

#[test]
fn export_env_prints_lines_that_a_shell_reads() {
    let sandbox = sandbox();
    let script = "eval \"$(agent-run export-env commanded --model other 2>/dev/null)\" && env";
    let ran = sandbox.run("sh", &["-c", script]).exits(0);
    assert_eq!(ran.env("ANTHROPIC_BASE_URL"), Some("http://127.0.0.1:9"));
    assert_eq!(ran.env("ANTHROPIC_API_KEY"), Some("sk-command"));
    assert_eq!(ran.env("ANTHROPIC_MODEL"), Some("other"));
}

#[test]
fn the_config_is_found_by_its_variable_then_xdg_then_the_home() {
    let sandbox = Sandbox::new();
    let config = |name: &str| {
        CONFIG.replace("ADDRESS", "http://127.0.0.1:9").replace("  every:", &format!("  {name}:"))
    };
    let files = [
        ("HOME", sandbox.home(".config/agent-run/config.yaml"), "by-home"),
        ("XDG", sandbox.path("xdg/agent-run/config.yaml"), "by-xdg"),
        ("VAR", sandbox.path("elsewhere.yaml"), "by-variable"),
    ];
    for (_, file, name) in &files {
        sandbox.write(file, config(name));
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let providers = |vars: &[(&str, &Path)]| {
        let mut command = sandbox.command("agent-run");
        run(command.args(["providers", "list"]).envs(vars.iter().copied())).exits(0).stdout
    };
    let (xdg, var) = (sandbox.path("xdg"), &files[2].1);
    assert!(providers(&[]).contains("by-home"));
    assert!(providers(&[("XDG_CONFIG_HOME", &xdg)]).contains("by-xdg"));
    assert!(providers(&[("XDG_CONFIG_HOME", &xdg), ("AGENT_RUN_CONFIG", var)]).contains("by-variable"));
}

#[test]
fn the_cache_is_below_xdg_cache_home() {
    let lists = Lists::json(r#"{"data": [{"id": "a"}]}"#);
    let sandbox = sandbox_at(&format!("http://{}", lists.address));
    let cache = sandbox.path("cache");
    let mut command = sandbox.command("agent-run");
    run(command.args(["models", "list", "listed"]).env("XDG_CACHE_HOME", &cache)).exits(0);
    assert!(cache.join("agent-run").is_dir());
    assert!(!sandbox.home(".cache/agent-run").exists());
}

#[test]
fn completion_asks_no_provider_where_its_variable_forbids_it() {
    for truth in ["1", "true", "yes", "on"] {
        let lists = Lists::json(r#"{"data": [{"id": "a"}]}"#);
        let sandbox = sandbox_at(&format!("http://{}", lists.address));
        let mut command = sandbox.command("agent-run");
        command.args(["agent-run", "launch", "listed", "--model", ""]).env("AGENT_RUN_COMPLETE", "bash");
        run(command.env("AGENT_RUN_DISABLE_MODEL_COMPLETION_REFRESH", truth)).exits(0);
        assert_eq!(lists.asked().len(), 0, "{truth}");
    }
}

#[test]
fn the_version_is_printed() {
    let ran = Sandbox::new().agent_run(&["-V"]).clean();
    assert_eq!(ran.stdout, format!("agent-run {}\n", env!("CARGO_PKG_VERSION")));
}

/// An isolated home needs no provider; one of the same name adds its choice.
#[test]
fn isolated_homes_are_launched_by_their_names() {
    let sandbox = sandbox();
    for (agent, variable) in [("codex", "CODEX_HOME"), ("hermes", "HERMES_HOME")] {
        let ran = sandbox.agent_run(&["launch", "work", agent, "word"]).exits(0);
        let home = ran.env(variable).unwrap_or_default();
        assert!(home.contains("work"), "{agent}: {home}");
        assert_eq!(ran.args().last(), Some(&"word"), "{agent}");
    }
    sandbox.agent_run(&["launch", "work", "claude"]).exits(125).complains(&["no provider `work`"]);
}

/// What it did beside launching is not taken over, and what is no command says so.
#[test]
fn the_status_line_and_the_hook_do_nothing_and_succeed() {
    for words in [&["statusline"][..], &["claude-code-hook", "stop-failure"]] {
        assert_eq!(Sandbox::new().agent_run(words).clean().stdout, "", "{words:?}");
    }
    assert!(Sandbox::new().agent_run(&["version"]).clean().stdout.starts_with("agent-run "));
}
