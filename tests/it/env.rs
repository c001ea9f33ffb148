use std::fs;

use crate::support::{AGENT_RUN, Ran, Sandbox, run};

fn config(key: &str) -> String {
    format!(
        "\
providers:
  mock:
    protocols: [anthropic, openai-responses]
    base_urls: {{anthropic: 'http://127.0.0.1:9', openai: 'http://127.0.0.1:9/v1'}}
    {key}
    default_model: m1
    models: [m1, m2]
    extra_env: {{X_AUTH: 'Bearer ${{context:key}}', X_MODEL: '${{context:model}}'}}
  half:
    protocols: [openai-chat-completions]
    base_urls: {{openai: 'http://127.0.0.1:9/v1'}}
    default_model: h1
"
    )
}

fn sandbox(key: &str) -> Sandbox {
    let sandbox = Sandbox::new().var("MOCK_KEY", "sk-planted").var("ANTHROPIC_API_KEY", "sk-mine");
    sandbox.config(&config(key));
    sandbox
}

/// What a shell holds after it has read the output.
fn evaluated(sandbox: &Sandbox, words: &str) -> Ran {
    let script = format!("eval \"$(agent-run env {words})\"; env");
    run(sandbox.command("sh").args(["-c", &script])).clean()
}

#[test]
fn a_shell_finds_the_provider_wherever_the_key_is_kept() {
    let file = Sandbox::new();
    file.write(&file.path("key"), "sk-planted\n");
    let in_file = format!("key_file: {}", file.path("key").display());
    for key in ["key_env: MOCK_KEY", "key_command: [echo, sk-planted]", &in_file] {
        let sandbox = sandbox(key);
        let shown = sandbox.agent_run(&["env", "mock"]).clean().stdout;
        let printed_by_us = shown.replace("'echo' 'sk-planted'", "");
        assert!(!printed_by_us.contains("sk-planted"), "{shown}");
        let ran = evaluated(&sandbox, "mock --model m2");
        for (name, value) in [
            ("ANTHROPIC_BASE_URL", "http://127.0.0.1:9"),
            ("ANTHROPIC_AUTH_TOKEN", "sk-planted"),
            ("ANTHROPIC_MODEL", "m2"),
            ("OPENAI_BASE_URL", "http://127.0.0.1:9/v1"),
            ("OPENAI_API_KEY", "sk-planted"),
            ("OPENAI_MODEL", "m2"),
            ("X_AUTH", "Bearer sk-planted"),
            ("X_MODEL", "m2"),
        ] {
            assert_eq!(ran.env(name), Some(value), "{name} with {key}");
        }
        assert_eq!(ran.env("ANTHROPIC_API_KEY"), None, "two credentials would both be sent");
    }
}

/// What would decide for a program beside the provider goes, as in `launch PROVIDER shell`; keys of other providers stay.
#[test]
fn a_shell_keeps_no_variable_of_another_provider() {
    let stale =
        ["ANTHROPIC_CUSTOM_HEADERS", "ANTHROPIC_DEFAULT_OPUS_MODEL", "OPENAI_API_BASE", "OPENAI_ORG_ID"];
    let sandbox = stale.iter().fold(sandbox("key_env: MOCK_KEY"), |sandbox, name| sandbox.var(name, "old"));
    let sandbox = sandbox.var("OPENAI_OTHER_KEY", "sk-other");
    let other = "\n  other: {protocols: [anthropic], base_urls: {anthropic: 'http://127.0.0.1:9'}, \
                 key_env: OPENAI_OTHER_KEY, default_model: m}\n";
    sandbox.config(&(config("key_env: MOCK_KEY").trim_end().to_owned() + other));
    let ran = evaluated(&sandbox, "mock");
    for name in stale {
        assert_eq!(ran.env(name), None, "{name}");
    }
    assert_eq!(ran.env("OPENAI_OTHER_KEY"), Some("sk-other"));
}

#[test]
fn the_key_is_printed_on_request_only() {
    let sandbox = sandbox("key: sk-planted");
    let ran = sandbox.agent_run(&["env", "mock"]).exits(0);
    assert!(!ran.stdout.contains("sk-planted"), "{}", ran.stdout);
    ran.complains(&["omitted ANTHROPIC_AUTH_TOKEN and OPENAI_API_KEY and X_AUTH", "help: use --with-key"]);

    let old = sandbox.agent_run(&["export-env", "mock", "--with-key"]).clean();
    assert!(old.stdout.contains("export OPENAI_API_KEY='sk-planted'\n"), "{}", old.stdout);
    assert!(old.stdout.contains("export X_AUTH='Bearer ''sk-planted'\n"), "{}", old.stdout);
}

#[test]
fn json_and_dotenv_refer_to_the_variable_that_holds_the_key() {
    let sandbox = sandbox("key_env: MOCK_KEY");
    let json = sandbox.agent_run(&["env", "mock", "--format", "json"]).clean().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["OPENAI_API_KEY"], "${MOCK_KEY}");
    assert_eq!(json["ANTHROPIC_BASE_URL"], "http://127.0.0.1:9");
    let dotenv = sandbox.agent_run(&["env", "mock", "--format", "dotenv"]).clean().stdout;
    assert!(dotenv.contains("OPENAI_API_KEY=${MOCK_KEY}\nOPENAI_BASE_URL=http://"), "{dotenv}");
    let keyed = sandbox.agent_run(&["env", "mock", "--format", "json", "--with-key"]).clean().stdout;
    assert!(keyed.contains("\"X_AUTH\": \"Bearer sk-planted\""), "{keyed}");
}

#[test]
fn a_family_without_a_base_url_gets_no_key() {
    let shown = sandbox("key_env: MOCK_KEY").agent_run(&["env", "half"]).clean().stdout;
    assert_eq!(
        shown,
        "export OPENAI_API_KEY='agent-run'\nexport OPENAI_BASE_URL='http://127.0.0.1:9/v1'\n\
         export OPENAI_MODEL='h1'\nunset ANTHROPIC_API_KEY\n",
        "a key of another provider is not sent either"
    );
}

#[test]
fn an_unknown_provider_or_model_is_said_with_those_there_are() {
    let sandbox = sandbox("key_env: MOCK_KEY");
    sandbox
        .agent_run(&["env", "mokc"])
        .exits(1)
        .complains(&["no provider `mokc` in the config", "did you mean mock?"]);
    sandbox.agent_run(&["env", "mock", "--model", "m3"]).exits(1).complains(&["no model `m3`", "m1"]);
}

#[test]
fn any_program_can_be_launched_on_a_provider() {
    let sandbox = sandbox("key_env: MOCK_KEY").var("OPENAI_ORG_ID", "org-mine");
    sandbox.fake_agent("aider");
    let ran = sandbox.agent_run(&["launch", "mock", "shell", "aider", "--yes", "--", "-x"]).clean();
    assert_eq!(ran.args(), ["--yes", "--", "-x"]);
    assert_eq!(ran.env("OPENAI_API_KEY"), Some("sk-planted"));
    assert_eq!(ran.env("X_AUTH"), Some("Bearer sk-planted"));
    assert_eq!([ran.env("ANTHROPIC_API_KEY"), ran.env("OPENAI_ORG_ID")], [None, None]);

    let missing = sandbox.agent_run(&["launch", "mock", "shell", "no-such-program"]);
    missing
        .exits(127)
        .complains(&["could not find `no-such-program` on PATH", "help: install it, or name an"]);
    // Also this very program: it is no agent that would start itself for ever.
    let ran = sandbox.agent_run(&["launch", "mock", "shell", AGENT_RUN, "--version"]).clean();
    assert!(ran.stdout.starts_with("agent-run "), "{}", ran.stdout);
    let here = sandbox.path("work/tool");
    fs::copy(sandbox.path("bin/aider"), here).unwrap();
    assert_eq!(sandbox.agent_run(&["launch", "mock", "shell", "./tool", "x"]).clean().args(), ["x"]);
}

#[test]
fn without_a_program_the_users_shell_runs() {
    let sandbox = sandbox("key_env: MOCK_KEY");
    let shell = sandbox.fake_agent("mysh").display().to_string();
    let sandbox = sandbox.var("SHELL", shell);
    let ran = sandbox.agent_run(&["launch", "mock", "shell"]).clean();
    assert!(ran.args().is_empty());
    assert_eq!(ran.env("ANTHROPIC_MODEL"), Some("m1"));
    assert_eq!(sandbox.agent_run(&["launch", "mock", "shell", "-c", "ls"]).clean().args(), ["-c", "ls"]);
}

#[test]
fn the_demo_is_for_agents_that_talk() {
    Sandbox::new()
        .agent_run(&["demo", "shell"])
        .exits(1)
        .complains(&["no coding agent `shell`", "the agents are claude, codex, hermes, crush\n"]);
}

#[test]
fn a_link_for_the_shell_is_made_only_when_named() {
    let sandbox = sandbox("key_env: MOCK_KEY");
    let dir = sandbox.path("bin").display().to_string();
    let install = |words: &[&str]| {
        sandbox.agent_run(&[&["shims", "install", "--dir", &dir], words].concat()).exits(0).stdout
    };
    let all = install(&["--dry-run"]);
    assert!(all.contains("claude@mock") && !all.contains("shell@"), "{all}");
    install(&["shell@mock"]);
    let ran = sandbox.run("shell@mock", &["sh", "-c", "echo $OPENAI_MODEL"]).clean();
    assert_eq!(ran.stdout, "m1\n");
    // It fits, so it is not taken away with what no longer does.
    install(&[]);
    assert!(sandbox.path("bin/shell@mock").is_symlink());
    install(&["--agent", "shell", "--provider", "half"]);
    assert!(sandbox.path("bin/shell@half").is_symlink());
}
