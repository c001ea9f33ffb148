//! Servers on this machine: asked for their models and the window they serve, and named with what starts them.

use serde_json::json;

use crate::first::{config_of, newcomer, scripted_ollama};
use crate::support::lists::{Lists, respond};
use crate::support::tmux::Tmux;
use crate::support::{MockProvider, net};

/// Paths, and what is answered there.
pub type Answers = &'static [(&'static str, &'static str)];

/// A server that answers these paths with JSON, and others with 404.
pub fn server(answers: Answers) -> Lists {
    Lists::start(move |asked, stream| {
        let path = asked.path.split('?').next().unwrap_or_default();
        let json = [("content-type", "application/json")];
        match answers.iter().find(|(of, _)| *of == path) {
            Some((_, body)) => respond(stream, "200 OK", &json, body.as_bytes()),
            None => respond(stream, "404 Not Found", &json, b"{}"),
        }
    })
}

pub const OLLAMA: [(&str, &str); 3] = [
    (
        "/api/tags",
        r#"{"models": [
        {"name": "big:latest", "details": {"context_length": 262144}},
        {"name": "embed:v1", "capabilities": ["embedding"]},
        {"name": "small:4b", "details": {"context_length": 131072}}]}"#,
    ),
    ("/api/ps", r#"{"models": [{"name": "small:4b", "context_length": 8192}]}"#),
    ("/v1/models", r#"{"data": [{"id": "big:latest"}, {"id": "small:4b"}]}"#),
];

#[test]
fn the_window_of_a_server_on_this_machine_is_the_one_it_serves() {
    let cases: [(&str, Answers, &str, Option<u64>); 7] = [
        ("ollama", &OLLAMA, "small:4b", Some(8192)),
        (
            "lmstudio",
            &[
                ("/api/v1/models", r#"{"error": "Unexpected endpoint or method. (GET /api/v1/models)"}"#),
                (
                    "/api/v0/models",
                    r#"{"data": [
                {"id": "e", "type": "embeddings", "state": "loaded"},
                {"id": "a", "type": "llm", "state": "not-loaded", "max_context_length": 131072},
                {"id": "b", "type": "vlm", "state": "loaded", "max_context_length": 131072,
                 "loaded_context_length": 4096}]}"#,
                ),
            ],
            "b",
            Some(4096),
        ),
        // The API since 0.4.0; a version before answers every other address with an error and 200.
        (
            "lmstudio",
            &[(
                "/api/v1/models",
                r#"{"models": [
                {"type": "llm", "key": "a", "loaded_instances": [], "max_context_length": 131072},
                {"type": "embedding", "key": "e", "loaded_instances": [{"id": "e", "config": {"context_length": 512}}]},
                {"type": "llm", "key": "b", "max_context_length": 131072, "loaded_instances": [
                    {"id": "b", "config": {"context_length": 16384}}, {"id": "b:2", "config": {"context_length": 8192}}]}]}"#,
            )],
            "b",
            Some(8192),
        ),
        // As llama.cpp's README describes a server that routes to several models.
        (
            "llamacpp",
            &[
                (
                    "/v1/models",
                    r#"{"data": [{"id": "a", "status": {"value": "unloaded"}, "meta": null},
                    {"id": "b", "status": {"value": "loaded"}, "meta": {"n_ctx": 65536, "n_ctx_train": 131072}}]}"#,
                ),
                ("/props", r#"{"default_generation_settings": {"n_ctx": 4096}}"#),
            ],
            "b",
            Some(65536),
        ),
        (
            "llamacpp",
            &[
                ("/v1/models", r#"{"data": [{"id": "q.gguf", "meta": {"n_ctx_train": 131072}}]}"#),
                ("/props", r#"{"default_generation_settings": {"n_ctx": 16384}}"#),
            ],
            "q.gguf",
            Some(16384),
        ),
        (
            "vllm",
            &[(
                "/v1/models",
                r#"{"data": [{"id": "org/m", "max_model_len": 32768},
                {"id": "lora", "parent": "org/m", "max_model_len": null}]}"#,
            )],
            "org/m",
            Some(32768),
        ),
        (
            "lmstudio",
            &[("/api/v0/models", r#"{"data": [{"id": "a", "max_context_length": 131072}]}"#)],
            "a",
            None,
        ),
    ];
    for (preset, answers, model, window) in cases {
        let (sandbox, server) = (newcomer(), server(answers));
        let url = format!("http://{}", server.address);
        sandbox.agent_run(&["providers", "add", preset, "--server", &url, "--yes"]).exits(0);
        let config = config_of(&sandbox);
        assert!(config.contains(&format!("default_model: {model}\n")), "{config}");
        assert!(config.contains(&format!("anthropic: {url}\n")) && !config.contains("localhost"), "{config}");
        let line = window.map(|window| format!("  - {{id: {model}, context_window: {window}}}\n"));
        match line {
            Some(line) => assert!(config.contains(&line), "{preset}: {config}"),
            None => assert!(!config.contains("context_window"), "{preset}: {config}"),
        }
    }
}

#[test]
fn a_window_that_is_served_now_is_said_and_written_by_one_command() {
    let sandbox = newcomer();
    for agent in ["codex", "crush", "hermes"] {
        sandbox.fake_agent(agent);
    }
    let tags = json!([{"name": "small:4b", "capabilities": ["completion", "tools"]}]);
    let ollama = scripted_ollama(&sandbox, &tags, &[&[("small:4b", 4096)], &[("small:4b", 65_536)]], &[]);
    let url = ollama.url("");
    sandbox.agent_run(&["providers", "add", "ollama", "--server", &url, "--yes"]).exits(0);
    let before = config_of(&sandbox).replace("default_model", "sessions: own  # mine\n    default_model");
    assert!(before.contains("  - {id: small:4b, context_window: 4096}\n"), "{before}");
    sandbox.config(&before);
    // A launch asks nobody, says what follows, and counts with no more than what an agent needs.
    let asked = ollama.requests().len();
    let ran = sandbox.agent_run(&["launch", "ollama", "--dry-run", "-v", "claude"]).exits(0);
    assert!(ran.stdout.contains("set CLAUDE_CODE_MAX_CONTEXT_TOKENS=32000\n"), "{}", ran.stdout);
    for agent in ["claude", "codex", "crush", "hermes"] {
        let ran = sandbox.agent_run(&["why", agent, "ollama"]);
        let text = ran.stdout + &ran.stderr;
        let said =
            "small:4b has a window of 4096 tokens, too small for a coding agent: about 32000 are needed";
        assert!(agent == "hermes" || text.contains(said), "{agent}: {text}");
        assert!(text.contains("then run `agent-run providers test ollama --update`"), "{agent}: {text}");
    }
    assert_eq!(ollama.requests().len(), asked);
    let said = "small:4b is served with a window of 65536 tokens, and the config says 4096\n";
    let help = "help: `agent-run providers test ollama --update` writes it into the config\n";
    let ran = sandbox.agent_run(&["providers", "test", "ollama"]).exits(0);
    assert!(ran.stdout.contains(said) && ran.stdout.contains(help), "{}", ran.stdout);
    let list = "the provider lists 1 model, with the default_model small:4b (";
    assert!(ran.stdout.contains(list), "{}", ran.stdout);
    let doctor = sandbox.agent_run(&["doctor", "ollama"]);
    assert!(doctor.stdout.contains(said) && doctor.stdout.contains(help), "{}", doctor.stdout);
    // What several launches have in common is said once.
    assert_eq!(doctor.stdout.matches("too small for a coding agent").count(), 1, "{}", doctor.stdout);
    assert_eq!(config_of(&sandbox), before);

    let ran = sandbox.agent_run(&["providers", "test", "ollama", "--update"]).exits(0);
    assert!(
        ran.stdout.ends_with("the config now says: small:4b has a window of 65536 tokens\n"),
        "{}",
        ran.stdout
    );
    assert_eq!(config_of(&sandbox), before.replace("4096", "65536"));
    let ran = sandbox.agent_run(&["providers", "test", "ollama"]).exits(0);
    assert!(
        ran.stdout.contains("ok      window                   65536 tokens, as the config says\n"),
        "{}",
        ran.stdout
    );
    // More than what is served is wrong, and what is not there yet is added.
    sandbox.config(&before.replace("4096", "131072"));
    let ran = sandbox.agent_run(&["providers", "test", "ollama"]).exits(1);
    assert!(
        ran.stdout.contains("failed  window") && ran.stdout.contains("longer requests fail"),
        "{}",
        ran.stdout
    );
    sandbox.config(&before.replace("    models:\n    - {id: small:4b, context_window: 4096}\n", ""));
    sandbox.agent_run(&["providers", "test", "ollama", "--update"]).exits(0);
    assert_eq!(config_of(&sandbox), before.replace("4096", "65536"));
    // Of another provider it cannot be asked.
    sandbox.config(&before.replace("  ollama:", "  other:"));
    let ran = sandbox.agent_run(&["providers", "test", "other", "--update"]).exits(1);
    ran.complains(&[
        "could not read the context window of `other`",
        "help: set `context_window` in `providers.other",
    ]);
}

#[test]
fn a_server_that_is_not_there_or_lacks_the_model_is_named_with_the_command() {
    let sandbox = newcomer();
    let add = |words: &[&str]| sandbox.agent_run(&[&["providers", "add", "ollama", "--yes"], words].concat());
    let ran = add(&["--server", "http://127.0.0.1:9"]).exits(0);
    let help = "help: check the address: Ollama usually listens on port 11434; or start it: `ollama serve`\n";
    ran.complains(&["Ollama does not answer at http://127.0.0.1:9", help]);
    // A new provider has no setting to check.
    let ran =
        sandbox.agent_run(&["providers", "add", "acme", "--server", "http://127.0.0.1:9", "--yes"]).exits(1);
    ran.complains(&[
        "127.0.0.1:9: connection refused\nhelp: check that the server is running, and that its address",
    ]);
    let server = server(&OLLAMA);
    let url = format!("http://{}", server.address);
    add(&["--name", "two", "--server", &url, "--model", "qwen"])
        .exits(0)
        .complains(&["Ollama has no model `qwen`", "help: get it: `ollama pull qwen`"]);
    // A name without a tag means `:latest`, as for Ollama itself.
    add(&["--name", "three", "--server", &url, "--model", "big"]).exits(0);
    assert!(config_of(&sandbox).contains("default_model: big:latest\n"), "{}", config_of(&sandbox));
    // LM Studio, llama.cpp and vLLM can be started with a key.
    let locked = Lists::start(|_, stream| respond(stream, "401 Unauthorized", &[], b"{}"));
    let words = ["providers", "add", "llamacpp", "--yes", "--server", &format!("http://{}", locked.address)];
    sandbox.agent_run(&words).exits(0).complains(&[
        "llama.cpp at http://127.0.0.1:",
        "requires a key",
        "--key-env",
    ]);
    let doctor = sandbox.agent_run(&["doctor"]).stdout;
    let said = format!("Ollama does not answer at http://127.0.0.1:9: connection refused\n          {help}");
    assert!(doctor.contains(&said) && !doctor.contains("llama.cpp does not answer"), "{doctor}");
    for wrong in ["nonsense", "http://a.b/v1", "ftp://a", "http://"] {
        add(&["--name", "four", "--server", wrong])
            .exits(1)
            .complains(&["this is not the address of a server", "127.0.0.1:8081"]);
    }
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux and namespaces: --features system-tools")]
fn ollama_at_its_usual_port_is_added_with_what_it_serves_and_a_missing_model_is_named_later() {
    if !net::is_inside() {
        return;
    }
    assert!(Tmux::is_there());
    let sandbox = newcomer();
    let tags = OLLAMA[0].1.replace('\n', " ");
    let script = serde_json::json!([
        {"path": "/api/tags", "body": serde_json::from_str::<serde_json::Value>(&tags).unwrap()},
        {"path": "/api/ps", "body": {"models": [{"name": "small:4b", "context_length": 65536}]}},
        {"path": "/v1/models", "body": {"data": [{"id": "big:latest"}, {"id": "small:4b"}]}},
    ]);
    let _ollama = MockProvider::scripted_at(&sandbox, "ollama", "127.0.0.1:11434", &script.to_string());
    let tmux = Tmux::start(&sandbox, "agent-run launch ollama claude -p hi");
    tmux.wait_for("Add ollama and start Claude Code? [Y/n]");
    tmux.key("Enter");
    let screen = tmux.wait_for("Which of Ollama's models?");
    assert!(screen.contains("1  small:4b (loaded, 65536 tokens)") && !screen.contains("embed"), "{screen}");
    tmux.key("Enter");
    let screen = tmux.wait_for("[exited 0]");
    assert!(
        screen.contains("served with a window of 65536 tokens") && screen.contains("STARTED"),
        "{screen}"
    );
    let config = config_of(&sandbox);
    assert!(config.contains("  - {id: small:4b, context_window: 65536}\n"), "{config}");
    // By another name it is the same server.
    let words = ["providers", "add", "box", "--server", "http://127.0.0.1:11434", "--yes"];
    sandbox.agent_run(&words).exits(0).complains(&["small:4b is served with a window of 65536 tokens"]);
    let config = config_of(&sandbox);
    assert_eq!(config.matches("- {id: small:4b, context_window: 65536}\n").count(), 2, "{config}");
    sandbox.agent_run(&["providers", "remove", "box", "--yes"]).exits(0);
    let config = config_of(&sandbox);
    // What is gone later is named with what gets it, by the list on disk alone.
    sandbox.config(&config.replace("small:4b", "gone"));
    let ran = sandbox.agent_run(&["launch", "ollama", "claude"]).exits(0);
    ran.complains(&["Ollama does not list the model `gone`", "help: get it: `ollama pull gone`"]);
    let ran = sandbox.agent_run(&["doctor", "ollama"]);
    assert!(ran.stdout.contains("ollama pull gone"), "{}", ran.stdout);
    sandbox.config(&config.replace("small:4b", "big"));
    sandbox.agent_run(&["launch", "ollama", "claude"]).clean();
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn a_server_at_another_address_that_wants_a_key_is_added_by_a_launch() {
    assert!(Tmux::is_there());
    let sandbox = newcomer();
    let server = Lists::start(|asked, stream| {
        let json = [("content-type", "application/json")];
        match asked.path.as_str() {
            _ if asked.header("authorization") != ["Bearer local-key"] => {
                respond(stream, "401 Unauthorized", &json, br#"{"error": {"message": "no"}}"#);
            }
            "/api/v0/models" => {
                let body = br#"{"data": [{"id": "m", "state": "loaded", "loaded_context_length": 65536}]}"#;
                respond(stream, "200 OK", &json, body);
            }
            _ => respond(stream, "404 Not Found", &json, b"{}"),
        }
    });
    let address = server.address.clone();
    let url = format!("http://{address}");
    let ran = sandbox.agent_run(&["providers", "add", "lmstudio", "--server", &address, "--yes"]).exits(0);
    ran.complains(&[&format!("LM Studio at {url} requires a key"), "--key-env"]);
    std::fs::remove_dir_all(sandbox.home(".config")).unwrap();

    let tmux = Tmux::start(&sandbox, "agent-run launch lmstudio claude -p hi");
    tmux.wait_for("Add lmstudio and start Claude Code? [Y/n]");
    tmux.key("Enter");
    let screen = tmux.wait_for("choice [1]:");
    assert!(screen.contains("2  enter another address") && screen.contains("3  enter the key"), "{screen}");
    tmux.text("2\n");
    tmux.wait_for("Address, such as 127.0.0.1:8081:");
    tmux.text(&format!("{address}\n"));
    let screen = tmux.wait_for("requires a key");
    assert!(screen.contains(&url), "{screen}");
    tmux.wait_for("1  enter the key");
    tmux.key("Enter");
    tmux.wait_for("Where is the key of lmstudio?");
    tmux.key("Enter");
    tmux.wait_for("Key (not shown");
    tmux.text("wrong-key");
    tmux.key("Enter");
    tmux.wait_for("1  enter another key");
    tmux.key("Enter");
    let again = |screen: &str| screen.matches("Key (not shown").count() == 2;
    let screen = tmux.wait_until("the hidden question", again);
    assert_eq!(screen.matches("Where is the key").count(), 1, "{screen}");
    tmux.text("local-key");
    tmux.key("Enter");
    // It has no API of messages: the test fails, and the provider is wanted all the same.
    let screen = tmux.wait_for("served with a window of 65536 tokens");
    assert!(!screen.contains("local-key"), "{screen}");
    tmux.wait_for("does not serve this model over anthropic");
    let screen = tmux.wait_for("2  enter another address");
    let anyway = screen.lines().rev().find(|line| line.ends_with("add the provider anyway")).unwrap();
    tmux.text(&format!("{}\n", anyway.trim().split(' ').next().unwrap()));
    let screen = tmux.wait_for("[exited 0]");
    assert!(screen.contains(&format!("STARTED {url} local-key")), "{screen}");
    let config = config_of(&sandbox);
    assert!(
        config.contains("  - {id: m, context_window: 65536}\n") && config.contains("key_file: "),
        "{config}"
    );
}
