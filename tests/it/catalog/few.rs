//! The models that an agent is handed where reading a long list would cost too much.

use serde_json::{Value, json};

use crate::support::Sandbox;
use crate::support::lists::Lists;

/// The rows of `/model` that a launch of Claude Code gives with a list of so many models.
fn rows(count: usize) -> Vec<String> {
    let ids = (0..count).map(|n| format!("listed-{n:04}")).chain(["chosen".to_owned()]);
    let listed: Vec<_> = ids.map(|id| json!({"id": id, "context_length": 200_000})).collect();
    let lists = Lists::json(&json!({"data": listed}).to_string());
    let sandbox = Sandbox::new().var("MOCK_KEY", "sk-planted-key");
    sandbox.fake_agent("claude");
    sandbox.config(&format!(
        "providers:\n  mock:\n    protocols: [anthropic]\n    base_urls: {{anthropic: 'http://{0}'}}\n    \
         models_url: 'http://{0}/v1/models'\n    key_env: MOCK_KEY\n    default_model: chosen\n    \
         models: [{{id: chosen, context_window: 200000}}, {{id: stated, context_window: 262144}}]\n",
        lists.address
    ));
    sandbox.agent_run(&["models", "list", "mock"]).clean();
    let ran = sandbox.agent_run(&["launch", "mock", "claude"]).exits(0);
    let settings = ran.stdout.lines().find_map(|line| line.strip_prefix("arg:{")).expect("settings");
    let settings: Value = serde_json::from_str(&format!("{{{settings}")).unwrap();
    let rows = settings["modelPicker"]["options"].as_array().cloned().unwrap_or_default();
    rows.iter().map(|row| row["model"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_the_config_states_is_offered_and_the_first_of_the_list() {
    assert_eq!(rows(2), ["stated", "listed-0000", "listed-0001"]);
    let of_many = rows(1000);
    assert_eq!((of_many.len(), of_many[0].as_str(), of_many[12].as_str()), (13, "stated", "listed-0011"));
}
