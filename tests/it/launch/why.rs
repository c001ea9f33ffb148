use serde_json::{Value as Json, json};

use crate::support::Sandbox;
use crate::support::tree::Tree;

const CONFIG: &str = "\
providers:
  mock:
    protocols: [anthropic, openai-responses]
    base_urls:
      anthropic: http://127.0.0.1:9
      openai: http://127.0.0.1:9/v1
    key_command: [sh, -c, 'touch ~/asked; cat ~/key']
    default_model: m1
    models: [{id: m1}, {id: m2, context_window: 65536}]
    headers: {X-Team: sk-hush}
";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new().var("HTTPS_PROXY", "http://me:sk-pw@proxy.example:3128");
    sandbox.config(CONFIG);
    sandbox.fake_agent("claude");
    sandbox.fake_agent("codex");
    sandbox.shim("claude@mock");
    sandbox
}

#[test]
fn each_setting_says_who_decided_it_and_what_it_beat() {
    let sandbox = sandbox().var("ANTHROPIC_MODEL", "stale");
    sandbox.write(&sandbox.home(".claude/settings.json"), r#"{"apiKeyHelper": "echo sk-helper"}"#);
    let before = Tree::of(&sandbox.home(""));
    let ran = sandbox.agent_run(&["why", "mock", "claude", "--model", "m2"]).clean();
    let page = sandbox.redacted(&ran.stdout);
    let config = "[HOME]/.config/agent-run/config.yaml";
    for part in [
        "Claude Code on mock\n",
        "agent     [ROOT]/bin/claude  (claude on PATH)",
        "model     m2  (--model)",
        &format!("not m1, {config}:8 providers.mock.default_model"),
        &format!("base url  http://127.0.0.1:9  ({config}:5 providers.mock.base_urls.anthropic)"),
        &format!("window    65536 tokens  ({config}:9 providers.mock.models.1.context_window)"),
        "proxy     none  (the provider is on this machine)",
        "not proxy.example, HTTPS_PROXY, inherited",
        &format!("headers   X-Team  ({config}:10 providers.mock.headers)"),
        "[HOME]/.claude/settings.json: apiKeyHelper\n    --settings overrides it",
        "the environment: ANTHROPIC_MODEL\n    replaced in the agent's environment",
    ] {
        assert!(page.contains(part), "no {part} in:\n{page}");
    }
    assert!(!page.replace("cat ~/key", "").contains("sk-"), "{page}");
    assert_eq!(Tree::of(&sandbox.home("")), before, "nothing is written, and no key was asked for");
    let command = json!(["sh", "-c", "touch ~/asked; cat ~/key"]);
    // A shell finds it.
    sandbox.config(
        &CONFIG.replace("key_command: [sh, -c, 'touch ~/asked; cat ~/key']", "key_file: ~/my keys/key"),
    );
    let page = sandbox.agent_run(&["why", "mock", "claude"]).clean().stdout;
    let file = format!("'{}'", sandbox.home("my keys/key").display());
    assert!(page.contains(&file) && !page.contains("'~"), "{page}");
    sandbox.config(CONFIG);
    for words in
        [&["why", "mock", "claude", "--json"][..], &["launch", "mock", "--dry-run", "--json", "claude"]]
    {
        let found: Json = serde_json::from_str(&sandbox.agent_run(words).clean().stdout).unwrap();
        assert!(found.to_string().contains(&command.to_string()), "{words:?}: {found}");
    }
}

#[test]
fn the_line_that_goes_on_with_a_session_is_given_where_the_agents_own_lacks_the_launch() {
    let sandbox = sandbox();
    let page = sandbox.agent_run(&["why", "codex@mock"]).clean().stdout;
    assert!(
        page.contains(
            "resume    agent-run launch mock codex resume ID  (Codex itself prints `codex resume ID`"
        ),
        "{page}"
    );
    let page = || sandbox.agent_run(&["why", "claude@mock"]).clean().stdout;
    for (more, flag) in
        [("", "  (yours; one flag is added)"), ("    isolated: true\n", "  (this provider's own; one flag")]
    {
        sandbox.config(&format!("{CONFIG}{more}"));
        let page = page();
        assert!(
            page.contains("claude@mock --resume ID  (Claude Code itself prints `claude --resume ID`"),
            "{page}"
        );
        assert!(page.contains(flag), "{page}");
        assert_eq!(page.contains("yours"), more.is_empty(), "{page}");
    }
}

#[test]
fn both_names_of_a_launch_give_the_same_page_and_json_the_same_settings() {
    let sandbox = sandbox();
    let page = sandbox.agent_run(&["why", "codex@mock"]).clean().stdout;
    assert_eq!(sandbox.agent_run(&["why", "mock", "codex"]).clean().stdout, page);
    let json = sandbox.agent_run(&["why", "codex@mock", "--json"]).clean().stdout;
    let json: Json = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["agent"], &json["provider"]), (&"codex".into(), &"mock".into()));
    let keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["agent", "provider", "settings", "overruled", "notes"], "scripts read these");
    for row in json["settings"].as_array().unwrap() {
        // For programs a number is one, a path has no quotes, and what there is none of is null.
        let value = match &row["value"] {
            Json::String(text) => text.clone(),
            Json::Null if row["what"] == "window" => "unknown".to_owned(),
            Json::Null => "none".to_owned(),
            Json::Array(argv) if row["what"] == "key" => {
                let words = argv.iter().map(|word| shims::quote(word.as_str().unwrap().as_ref()));
                format!("`{}`", words.collect::<Vec<_>>().join(" "))
            }
            other => other.to_string().trim_matches(['[', ']', '"']).to_owned(),
        };
        let origin = row["origin"].as_str().unwrap();
        let is_there = |line: &str| line.contains(&value) && line.contains(&format!("({origin})"));
        assert!(page.lines().any(is_there), "{row}\n{page}");
    }
    assert!(page.contains("/codex-shared/home  (CODEX_HOME)"), "{page}");
    // What Codex prints at its end finds no session.
    assert!(
        page.contains(
            "resume    agent-run launch mock codex resume ID  (Codex itself prints `codex resume ID`"
        ),
        "{page}"
    );
    // A shim takes no model.
    let config = std::fs::read_to_string(sandbox.home(".config/agent-run/config.yaml")).unwrap();
    sandbox.config(&config.replace("    default_model: m1\n", ""));
    let page = sandbox.agent_run(&["why", "mock", "codex", "--model", "m2"]).clean().stdout;
    assert!(page.contains("resume    agent-run launch mock --model m2 codex resume ID  ("), "{page}");
}

#[test]
fn what_cannot_be_said_is_refused_with_the_next_step() {
    let sandbox = sandbox();
    sandbox.agent_run(&["why", "mock"]).exits(1).complains(&[
        "missing: <AGENT>",
        "help: for example",
        "why claude@mock",
    ]);
    sandbox.agent_run(&["why", "claude@nowhere"]).exits(1).complains(&["no provider `nowhere`", "help: "]);
    sandbox.agent_run(&["why", "vim@mock"]).exits(1).complains(&["no agent `vim`", "help: the agents are"]);
}

#[test]
fn sessions_of_ones_own_are_said_where_they_are_kept_apart_and_where_not() {
    let sandbox = Sandbox::new();
    sandbox.config(
        "providers:\n  p:\n    protocols: [anthropic, openai-chat-completions]\n    base_urls: {anthropic: 'http://127.0.0.1:9', \
         openai: 'http://127.0.0.1:9/v1'}\n    default_model: m\n    model_api_filters: []\n    sessions: own\n",
    );
    for (agent, part) in [
        ("claude", "`own` has no effect for Claude Code"),
        ("hermes", "`own` has no effect for Hermes Agent"),
        ("crush", "sessions  this provider's own"),
    ] {
        sandbox.fake_agent(agent);
        let said = sandbox.agent_run(&["why", &format!("{agent}@p")]).clean().stdout;
        assert!(said.contains(part) && said.contains("config.yaml:7 providers.p.sessions"), "{said}");
    }
}
