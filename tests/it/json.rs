//! What `--json` prints is what `docs/json.schema.json` says of it.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value as Json, json};

use crate::support::lists::Lists;
use crate::support::{Ran, Sandbox};

/// The schema of one command, closed: a key that it does not name is one that nobody was told about.
fn validator(name: &str) -> jsonschema::Validator {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/json.schema.json");
    let mut schema: Json = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    assert!(schema["$defs"][name].is_object(), "no schema of {name}");
    schema["$ref"] = format!("#/$defs/{name}").into();
    close(&mut schema);
    jsonschema::draft202012::new(&schema).unwrap()
}

fn close(schema: &mut Json) {
    match schema {
        Json::Object(all) => {
            all.values_mut().for_each(close);
            if all.get("properties").is_some_and(Json::is_object) && all.contains_key("type") {
                all.insert("additionalProperties".to_owned(), false.into());
            }
        }
        Json::Array(all) => all.iter_mut().for_each(close),
        _ => {}
    }
}

#[track_caller]
fn check(name: &str, ran: &Ran) -> Json {
    let value: Json =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{name}: {error}: {ran:?}"));
    let faults: Vec<_> = validator(name)
        .iter_errors(&value)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{name}: {faults:#?}\n{value:#}");
    snake_case(name, &value);
    value
}

/// Names of variables, agents and keys of the config are not the program's own.
fn snake_case(name: &str, value: &Json) {
    match value {
        Json::Object(all) => {
            for (key, below) in all {
                let is_own = key
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
                assert!(is_own, "{name}: {key}");
                if key != "set" && key != "config" {
                    snake_case(name, below);
                }
            }
        }
        Json::Array(all) => all.iter().for_each(|below| snake_case(name, below)),
        _ => {}
    }
}

#[test]
fn every_command_prints_what_its_schema_says() {
    let rows = json!({"data": [
        {"id": "m1", "context_length": 64000, "pricing": {"prompt": "0.000001", "completion": "0"},
         "architecture": {"input_modalities": ["text", "image"]}, "supported_parameters": ["tools"], "created": 1},
        {"id": "embed-1", "type": "embedding"},
    ]});
    let lists = Lists::json(&rows.to_string());
    let sandbox =
        Sandbox::new().var("MOCK_KEY", "sk-mock-key-1234567890").var("HTTPS_PROXY", "http://proxy.example:1");
    sandbox.config(&format!(
        "models_ttl: 1h\nproviders:
  mock:
    protocols: [anthropic, openai-responses]
    base_urls: {{anthropic: 'http://{0}', openai: 'http://{0}/v1'}}
    key_env: MOCK_KEY
    default_model: m1
    models: [{{id: m2, context_window: 1000}}]
    headers: {{X-Team: blue}}
    extra_env: {{A: b}}
    args: [--verbose]
  none:
    protocols: [openai-chat-completions]
    base_urls: {{openai: 'http://127.0.0.1:9/v1'}}
    key_command: [printf, 'a b']
",
        lists.address
    ));
    for agent in ["claude", "codex", "crush"] {
        sandbox.fake_agent(agent);
    }
    sandbox.shim("claude@mock");
    symlink("/nowhere", sandbox.path("bin/codex@mock")).unwrap();
    sandbox.write(
        &sandbox.home(".claude/settings.json"),
        r#"{"env": {"ANTHROPIC_BASE_URL": "https://x.example"}}"#,
    );
    let bin = sandbox.path("bin").display().to_string();
    for (name, words, code) in [
        ("models-list", &["models", "list", "mock", "--refresh"][..], 0),
        ("models-list", &["models", "list", "mock", "--all-kinds"], 0),
        ("models-show", &["models", "show", "mock", "m1"], 0),
        ("models-diff", &["models", "diff", "mock"], 0),
        ("providers-list", &["providers", "list"], 0),
        ("providers-show", &["providers", "show", "mock"], 0),
        ("providers-presets", &["providers", "presets"], 0),
        ("providers-test", &["providers", "test", "mock"], 0),
        ("config-show", &["config", "show"], 0),
        ("config-check", &["config", "check"], 0),
        ("import", &["import", "claude"], 0),
        ("shims", &["shims", "install", "--dir", &bin], 0),
        ("shims", &["shims", "list", "--dir", &bin], 0),
        ("shims", &["shims", "remove", "--dir", &bin, "claude@mock", "crush@gone"], 0),
        ("doctor", &["doctor"], 0),
        ("doctor", &["doctor", "mock"], 0),
        ("why", &["why", "claude@mock"], 0),
        ("why", &["why", "codex@mock"], 0),
        ("dry-run", &["launch", "mock", "--dry-run", "claude", "-p", "hi"], 0),
        ("dry-run", &["launch", "mock", "--dry-run", "codex"], 0),
        ("env", &["env", "mock", "--format", "json"], 0),
    ] {
        let json = if name == "env" { &[][..] } else { &["--json"] };
        // Before the agent, behind which all words are its own.
        let at = if name == "dry-run" { 3 } else { words.len() };
        let ran = sandbox.agent_run(&[&words[..at], json, &words[at..]].concat());
        assert_eq!(ran.code, code, "{words:?}: {ran:?}");
        if name == "env" {
            let value: Json = serde_json::from_str(&ran.stdout).unwrap();
            assert!(validator(name).is_valid(&value), "{value:#}");
            continue;
        }
        let value = check(name, &ran);
        let is_list =
            ["models-list", "providers-list", "providers-presets", "providers-test"].contains(&name);
        assert_eq!(value.is_array(), is_list, "{name}");
        assert!(!ran.stdout.contains("sk-mock-key"), "{words:?}");
    }
    sandbox.config("providers:\n  a:\n    protocol: [anthropic]\n");
    check("config-check", &sandbox.agent_run(&["config", "check", "--json"]).exits(1));
    check("doctor", &sandbox.agent_run(&["doctor", "--json"]).exits(1));
}

#[test]
fn data_is_neither_quoted_nor_worded_for_people() {
    let sandbox = Sandbox::new();
    sandbox.config(
        "providers:\n  a b:\n    protocols: [anthropic]\n    base_urls: {anthropic: 'http://127.0.0.1:9'}\n    \
         key_file: '~/my key'\n    models: [{id: m, context_window: 65536}]\n",
    );
    sandbox.fake_agent("claude");
    let why = check("why", &sandbox.agent_run(&["why", "a b", "claude", "--json"]).clean());
    let value = |what: &str| {
        let settings = why["settings"].as_array().unwrap();
        settings.iter().find(|row| row["what"] == what).map(|row| row["value"].clone())
    };
    assert_eq!(value("window"), Some(65536.into()));
    assert_eq!(value("key"), Some("~/my key".into()));
    assert_eq!(value("proxy"), Some(Json::Null));
    assert_eq!(value("base_url"), Some("http://127.0.0.1:9".into()));
}
