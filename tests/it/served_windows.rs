//! What is said of the window that a server on this machine serves, and of its list, beside what else goes wrong there.

use crate::first::{config_of, newcomer};
use crate::local_servers::{Answers, OLLAMA, server};
use crate::support::Sandbox;
use crate::support::lists::{Lists, respond};

/// A provider of that name at a server that has no API of messages.
fn entry(sandbox: &Sandbox, name: &str, server: &Lists, model: &str, more: &str) -> String {
    let config = format!(
        "providers:\n  {name}:\n    protocols: [anthropic]\n    base_urls: {{anthropic: 'http://{}'}}\n    \
         default_model: {model}\n{more}",
        server.address
    );
    sandbox.config(&config);
    config
}

#[test]
fn what_fails_beside_a_window_that_is_written_is_in_the_exit_code() {
    let (sandbox, server) = (newcomer(), server(&OLLAMA));
    let models = "    models:\n    - {id: small:4b, context_window: 4096}\n";
    let config = entry(&sandbox, "ollama", &server, "small:4b", models);
    let ran = sandbox.agent_run(&["providers", "test", "ollama", "--update"]).exits(1);
    let said = "the config now says: small:4b has a window of 8192 tokens\n";
    assert!(ran.stdout.contains("failed  anthropic") && ran.stdout.ends_with(said), "{}", ran.stdout);
    assert!(ran.stdout.contains("failed  window") && ran.stdout.contains("too small"), "{}", ran.stdout);
    assert_eq!(config_of(&sandbox), config.replace("4096", "8192"));
    // What it says of the config is no JSON.
    let ran = sandbox.agent_run(&["providers", "test", "ollama", "--update", "--json"]).exits(2);
    ran.complains(&["--update cannot be used with --json"]);
    let ran = sandbox.agent_run(&["providers", "test", "ollama", "--json"]).exits(1);
    let found: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let whats: Vec<_> = found.as_array().unwrap().iter().map(|row| &row["what"]).collect();
    assert_eq!(whats, ["models", "anthropic", "window"]);
}

#[test]
fn a_window_is_said_to_be_of_the_list_where_the_config_has_none() {
    const ANSWERS: Answers = &[("/v1/models", r#"{"data": [{"id": "m", "max_model_len": 65536}]}"#)];
    for (configured, said) in [
        ("", "65536 tokens, as the provider's list says\n"),
        ("65536", "65536 tokens, as the config says\n"),
        ("70000", "with a window of 65536 tokens, and the config says 70000: longer requests fail"),
        ("40000", "with a window of 65536 tokens, and the config says 40000\n"),
    ] {
        let (sandbox, server) = (newcomer(), server(ANSWERS));
        let models = match configured {
            "" => String::new(),
            window => format!("    models: [{{id: m, context_window: {window}}}]\n"),
        };
        entry(&sandbox, "vllm", &server, "m", &models);
        let ran = sandbox.agent_run(&["providers", "test", "vllm"]).exits(1);
        assert!(ran.stdout.contains(said), "{configured}: {}", ran.stdout);
    }
}

#[test]
fn what_filters_leave_out_is_listed_all_the_same() {
    let (sandbox, server) = (newcomer(), server(&OLLAMA));
    entry(&sandbox, "ollama", &server, "small:4b", "    model_api_filters: [{filter: ^big}]\n");
    let ran = sandbox.agent_run(&["providers", "test", "ollama"]).exits(1);
    let said =
        "the provider lists 2 models, 1 of them kept by model_api_filters, with the default_model small:4b (";
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
    entry(&sandbox, "ollama", &server, "gone", "");
    let ran = sandbox.agent_run(&["providers", "test", "ollama"]).exits(1);
    assert!(ran.stdout.contains("lists 2 models, but not the default_model gone ("), "{}", ran.stdout);
}

/// `providers test` asks it too.
#[test]
fn doctor_asks_for_the_window_of_a_named_provider_whose_list_is_turned_off() {
    let (sandbox, server) = (newcomer(), server(&OLLAMA));
    let more = "    model_api_filters: []\n    models: [{id: small:4b, context_window: 4096}]\n";
    entry(&sandbox, "ollama", &server, "small:4b", more);
    let said = "small:4b is served with a window of 8192 tokens, and the config says 4096";
    for words in [&["doctor", "ollama"][..], &["providers", "test", "ollama"]] {
        let ran = sandbox.agent_run(words);
        assert!(ran.stdout.contains(said), "{}", ran.stdout);
    }
    let asked = server.asked().len();
    sandbox.agent_run(&["doctor"]);
    assert_eq!(server.asked().len(), asked, "only a named one is asked");
}

#[test]
fn a_servers_words_are_repeated_without_the_key_it_was_sent() {
    let sandbox = newcomer().var("LOCAL_KEY", "local-word-1");
    let server = Lists::start(|asked, stream| {
        let sent = asked.header("authorization").join("");
        let body = format!(r#"{{"error": {{"message": "nothing for {sent} here"}}}}"#);
        respond(
            stream,
            "500 Internal Server Error",
            &[("content-type", "application/json")],
            body.as_bytes(),
        );
    });
    for preset in ["llamacpp", "lmstudio", "vllm"] {
        let words =
            ["providers", "add", preset, "--yes", "--key-env", "LOCAL_KEY", "--server", &server.address];
        let ran = sandbox.agent_run(&words).exits(0);
        ran.complains(&["with 500: nothing for Bearer <key> here"]);
    }
    assert!(server.asked().iter().all(|asked| asked.header("authorization") == ["Bearer local-word-1"]));
}
