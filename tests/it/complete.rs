use crate::support::lists::Lists;
use crate::support::{Sandbox, run};

const CONFIG: &str = "\
providers:
  mock:
    protocols: [anthropic, openai-responses]
    base_urls: {anthropic: 'http://127.0.0.1:9', openai: 'http://127.0.0.1:9/v1'}
    key_command: [touch, asked]
    default_model: m2
    models:
      - {id: m1, context_window: 200000, input_cost_per_million: 3}
      - m2
      - 'm3:free'
  chatty:
    protocols: [openai-chat-completions]
    base_urls: {openai: 'http://127.0.0.1:9/v1'}
isolated_homes:
  codex: {private: {}}
";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.config(CONFIG);
    sandbox
}

/// What a shell is answered when the cursor is at the end of `line`.
fn answer(sandbox: &Sandbox, shell: &str, line: &str) -> String {
    let mut command = sandbox.command("agent-run");
    let ran = run(command.args(line.split(' ')).env("AGENT_RUN_COMPLETE", shell)).clean();
    assert!(!sandbox.path("work/asked").exists(), "a completion asked for the key");
    ran.stdout
}

/// The candidates alone.
fn words(sandbox: &Sandbox, line: &str) -> Vec<String> {
    let answer = answer(sandbox, "bash", line);
    let mut lines = answer.lines();
    assert_eq!(lines.next(), Some("values"), "{line}: {answer}");
    lines.map(str::to_owned).collect()
}

#[test]
fn where_no_value_begins_with_what_was_typed_those_that_hold_it_are_offered() {
    let sandbox = sandbox();
    for (line, expected) in [
        ("agent-run launch mock --model FREE", "inside\nm3:free\n"),
        ("agent-run launch mock --model=free", "inside\n--model=m3:free\n"),
        ("agent-run launch ock", "inside\nmock\n"),
        ("agent-run launch zzz", "values\n"),
    ] {
        assert_eq!(answer(&sandbox, "bash", line), expected, "{line}");
    }
    assert_eq!(answer(&sandbox, "fish", "agent-run launch atty").lines().next(), Some("inside"));
    assert_eq!(answer(&sandbox, "bash", "agent-run launch t"), "inside\n", "readline would eat the `t`");
    // The shell has not expanded it yet.
    sandbox.write(&sandbox.home("other.yaml"), CONFIG.replace("  mock:", "  other:"));
    assert_eq!(words(&sandbox, "agent-run --config ~/other.yaml launch oth"), ["other"]);
}

#[test]
fn after_a_pair_the_words_are_the_agents() {
    let sandbox = sandbox();
    assert_eq!(answer(&sandbox, "bash", "agent-run launch codex@mock resu"), "command 2\n");
    assert_eq!(answer(&sandbox, "bash", "agent-run codex@mock resu"), "command 1\n");
    assert_eq!(answer(&sandbox, "bash", "agent-run launch mock codex resu"), "command 3\n");
}

#[test]
fn values_come_from_the_config_and_from_what_was_said() {
    let sandbox = sandbox();
    for (line, expected) in [
        ("agent-run la", "launch"),
        ("agent-run help la", "launch"),
        ("agent-run help models s", "show"),
        ("agent-run help models cache ", "path clear"),
        ("agent-run launch ", "mock chatty private"),
        ("agent-run launch m", "mock"),
        ("agent-run launch mock ", "claude codex crush shell"),
        ("agent-run launch chatty ", "hermes crush shell"),
        ("agent-run launch private ", "codex"),
        ("agent-run launch nowhere c", "claude codex crush"),
        ("agent-run launch chatty --force protocol ", "claude codex hermes crush shell"),
        ("agent-run launch mock --model ", "m2 m1 m3:free"),
        ("agent-run launch mock --model=m3", "--model=m3:free"),
        ("agent-run launch codex@mo", "codex@mock"),
        ("agent-run env claude@mo", "claude@mock"),
        ("agent-run launch mock --protocol ", "anthropic openai-responses"),
        ("agent-run launch mock --force ", "model protocol all"),
        ("agent-run launch mock --dr", "--dry-run"),
        ("agent-run shims in", "install"),
        ("agent-run shims install --agent claude --provider ", "mock"),
        ("agent-run shims install codex@", "codex@mock codex@private"),
        ("agent-run providers show m", "mock"),
        ("agent-run providers add kimi", "kimi-coding"),
        ("agent-run env mock --format ", "sh fish json dotenv"),
        ("agent-run completion ", "bash zsh fish"),
        ("agent-run why codex@", "codex@mock codex@private"),
        ("agent-run doctor m", "mock"),
        ("agent-run demo h", "hermes"),
        ("agent-run providers add deep", "deepseek"),
        ("agent-run providers add x --key-file y --model ", ""),
        ("agent-run models list ch", "chatty"),
        ("agent-run import cc", "cc-switch"),
        ("agent-run shims list ", "--dir --json --config --help"),
        ("agent-run shims list --json -", "--dir --config --help"),
        ("agent-run nonsense l", ""),
    ] {
        assert_eq!(words(&sandbox, line).join(" "), expected, "{line}");
    }
    sandbox.agent_run(&["shims", "install", "codex@mock"]).exits(0);
    assert_eq!(words(&sandbox, "agent-run shims remove "), ["codex@mock"]);
}

#[test]
fn candidates_are_described_where_the_shell_shows_it() {
    let sandbox = sandbox();
    let providers = answer(&sandbox, "fish", "agent-run launch m");
    assert_eq!(providers, "values\nmock\tanthropic, openai-responses, for claude, codex, crush\n");
    let agents = answer(&sandbox, "zsh", "agent-run launch mock cl");
    assert_eq!(agents, "values\nclaude:Claude Code over anthropic\n");
    let models = answer(&sandbox, "zsh", "agent-run launch mock --model ");
    assert_eq!(models, "values\nm2:default\nm1:200k context, $3 in\nm3\\:free\n");
    let commands = answer(&sandbox, "fish", "agent-run ca");
    assert_eq!(commands, "values\n", "a hidden command is not offered");
}

#[test]
fn models_come_from_the_list_on_disk_and_a_long_one_in_parts() {
    let row = |id: &str| {
        format!(r#"{{"id": "{id}", "context_length": 200000, "pricing": {{"prompt": "0.000003"}}}}"#)
    };
    let ids = (0..300).map(|n| row(&format!("{}/model-{n:03}", ["acme", "zeta"][n % 2])));
    let lists = Lists::json(&format!("{{\"data\": [{}]}}", ids.collect::<Vec<_>>().join(",")));
    let sandbox = Sandbox::new();
    sandbox.config(&format!(
        "providers:\n  mock:\n    protocols: [openai-responses]\n    default_model: acme/model-000\n    \
         base_urls: {{openai: 'http://{}/v1'}}\n",
        lists.address
    ));
    sandbox.agent_run(&["models", "list", "mock"]).clean();
    let at = |typed: &str| answer(&sandbox, "zsh", &format!("agent-run launch mock --model {typed}"));
    assert_eq!(at(""), "parts\nacme/model-000:default, 200k context, $3 in\nacme/\nzeta/\n");
    assert_eq!(
        at("zeta/model-00"),
        [1, 3, 5, 7, 9].iter().fold("values\n".to_owned(), |text, n| {
            text + &format!("zeta/model-00{n}:200k context, $3 in\n")
        })
    );
    assert_eq!(at("x"), "values\n");
    assert_eq!(lists.asked().len(), 1, "a completion asks nobody while the list is fresh");
}

#[test]
fn files_and_other_programs_are_left_to_the_shell() {
    let sandbox = sandbox();
    assert_eq!(answer(&sandbox, "bash", "agent-run --config "), "files\n");
    assert_eq!(answer(&sandbox, "bash", "agent-run --config=x"), "files\n");
    assert_eq!(answer(&sandbox, "bash", "agent-run shims path --dir "), "files\n");
    assert_eq!(answer(&sandbox, "bash", "agent-run launch mock codex resume --la"), "command 3\n");
}

#[test]
fn whatever_goes_wrong_nothing_is_said() {
    let sandbox = sandbox();
    let other = sandbox.home("other.yaml");
    sandbox.write(&other, CONFIG.replace("mock", "other"));
    let line = format!("agent-run --config {} launch o", other.display());
    assert_eq!(words(&sandbox, &line), ["other"]);
    sandbox.config("providers: [what");
    assert_eq!(words(&sandbox, "agent-run launch "), [""; 0]);
    assert_eq!(words(&sandbox, "agent-run launch mock --model "), [""; 0]);
    assert_eq!(answer(&sandbox, "tcsh", "agent-run launch "), "");
    let bare = run(sandbox.command("agent-run").env("AGENT_RUN_COMPLETE", "bash")).clean();
    assert_eq!(bare.stdout, "");
    let mut loud = sandbox.command("agent-run");
    loud.args(["agent-run", "launch", ""]).env("AGENT_RUN_COMPLETE", "bash").env("RUST_LOG", "debug");
    run(&mut loud).exits(0).complains(&["debug: "]);
}

#[test]
fn a_shim_never_answers_a_completion() {
    let sandbox = Sandbox::new();
    sandbox.config(&CONFIG.replace("key_command: [touch, asked]", ""));
    sandbox.fake_agent("claude");
    sandbox.shim("claude@mock");
    let mut command = sandbox.command("claude@mock");
    let ran = run(command.args(["claude@mock", "--mo"]).env("AGENT_RUN_COMPLETE", "bash")).clean();
    assert_eq!(ran.own_args(), ["claude@mock", "--mo"]);
}

#[test]
fn the_scripts_call_by_name_and_know_the_variable() {
    let sandbox = sandbox();
    for shell in ["bash", "zsh", "fish"] {
        let script = sandbox.agent_run(&["completion", shell]).clean().stdout;
        assert!(script.contains(&format!("AGENT_RUN_COMPLETE={shell} command agent-run ")), "{script}");
        assert!(!script.contains("/bin/agent-run"), "{script}");
    }
    sandbox.agent_run(&["completion", "tcsh"]).exits(2);
}
