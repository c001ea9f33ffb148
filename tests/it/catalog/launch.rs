//! What a launch makes of a provider's model list.

use std::time::{Duration, Instant};

use crate::support::{MockProvider, Ran, Sandbox, run};

/// A sandbox with a provider on `address` that names no model itself.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new().var("MOCK_KEY", "sk-planted");
    sandbox.fake_agent("claude");
    sandbox
}

fn configure(sandbox: &Sandbox, url: &str, more: &str) {
    sandbox.config(&format!(
        "providers:\n  mock:\n    protocols: [anthropic]\n    base_urls: {{anthropic: '{url}'}}\n    key_env: MOCK_KEY\n{more}"
    ));
}

fn launch(sandbox: &Sandbox, options: &[&str]) -> Ran {
    sandbox.agent_run(&[&["launch", "mock"], options, &["claude"]].concat())
}

#[test]
fn a_model_that_only_the_provider_knows_is_asked_for_once() {
    let sandbox = sandbox();
    let mock_provider = MockProvider::start(&sandbox, "m1");
    configure(&sandbox, &mock_provider.url(""), "");
    let ran = launch(&sandbox, &["--model", "mock-model-small"]).clean();
    assert_eq!(ran.env("ANTHROPIC_MODEL"), Some("mock-model-small"));
    let asked = mock_provider.requests().len();
    assert!(asked > 0, "the provider was asked");
    launch(&sandbox, &["--model", "mock-model-small"]).clean();
    assert_eq!(mock_provider.requests().len(), asked, "the second launch reads from disk");
    let refused = launch(&sandbox, &["--model", "mock-modle"]).exits(125);
    refused.complains(&["has no model `mock-modle`", "did you mean mock-model", "--force model"]);
    let several = launch(&sandbox, &[]).exits(125);
    several.complains(&[
        "several models and no default_model",
        "mock-model, mock-model-small",
        "--model MODEL AGENT`",
    ]);
}

#[test]
fn a_list_that_cannot_be_had_is_no_failure_of_what_the_config_decides() {
    let sandbox = sandbox();
    configure(&sandbox, "http://127.0.0.1:9", "    default_model: m\n");
    assert_eq!(launch(&sandbox, &[]).clean().env("ANTHROPIC_MODEL"), Some("m"));
    let refused = launch(&sandbox, &["--model", "other"]).exits(125);
    refused.complains(&["has no model `other`, and its list could not be loaded", "help: "]);
    let forced = launch(&sandbox, &["--model", "other", "--force", "model"]).clean();
    assert_eq!(forced.env("ANTHROPIC_MODEL"), Some("other"));
}

#[test]
fn a_silent_provider_holds_a_launch_for_a_few_seconds_and_only_when_it_must_decide() {
    let sandbox = sandbox();
    let mock_provider = MockProvider::scripted(&sandbox, "m1", r#"[{"method": "GET", "delay_ms": 60000}]"#);
    configure(&sandbox, &mock_provider.url(""), "    default_model: m\n");
    let start = Instant::now();
    launch(&sandbox, &[]).clean();
    assert!(start.elapsed() < Duration::from_secs(3), "the default needs no list");
    launch(&sandbox, &["--model", "other"]).exits(125).complains(&["could not be loaded"]);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn a_launch_leaves_a_missing_list_to_a_process_of_its_own() {
    let sandbox = sandbox();
    let mock_provider = MockProvider::start(&sandbox, "m1");
    configure(&sandbox, &mock_provider.url(""), "    default_model: mock-model\n");
    launch(&sandbox, &[]).clean();
    let start = Instant::now();
    while mock_provider.requests().is_empty() {
        assert!(start.elapsed() < Duration::from_secs(15), "nobody asked");
        std::thread::sleep(Duration::from_millis(50));
    }
    let request = &mock_provider.requests()[0];
    assert_eq!(
        (&request["method"], &request["headers"]["authorization"]),
        (&"GET".into(), &"Bearer sk-planted".into())
    );
}

#[test]
fn a_dry_run_asks_no_provider_whose_key_needs_a_command() {
    let sandbox = sandbox();
    let mock_provider = MockProvider::start(&sandbox, "m1");
    let marker = sandbox.path("asked");
    configure(&sandbox, &mock_provider.url(""), "");
    let command = format!("key_command: [sh, -c, 'touch {}; printf sk-planted']", marker.display());
    let config = std::fs::read_to_string(sandbox.home(".config/agent-run/config.yaml")).unwrap();
    sandbox.config(&config.replace("key_env: MOCK_KEY", &command));
    let refused = launch(&sandbox, &["--model", "mock-model", "--dry-run"]).exits(125);
    refused.complains(&["a dry run runs no key_command"]);
    assert!(!marker.exists(), "the key command ran");
    // It was not the provider that failed, so a command that gets the key asks it.
    let listed = sandbox.agent_run(&["models", "list", "mock"]).clean();
    assert!(listed.stdout.starts_with("mock-model\t") && marker.exists(), "{listed:?}");
}

#[test]
fn a_key_that_was_missing_is_used_as_soon_as_it_is_set() {
    let sandbox = Sandbox::new();
    let mock_provider = MockProvider::start(&sandbox, "m1");
    configure(&sandbox, &mock_provider.url(""), "");
    let mut list = sandbox.command("agent-run");
    list.args(["models", "list", "mock"]);
    run(&mut list).exits(1).complains(&["the variable MOCK_KEY (key_env) is not set"]);
    run(list.env("MOCK_KEY", "sk-planted")).clean();
}
