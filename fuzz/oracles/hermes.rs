//! Hermes Agent: whatever the user's `config.yaml` says, ours is YAML that routes to the chosen provider.

use agent_run::internals::yaml_value;
use serde_json::Value as Json;
use shims::{Plan, Protocol};

use super::files;
use super::machine::{Machine, is_helpful, launch, written};

const OWN: &str = "/h/.hermes/config.yaml";
const URL: &str = "https://host.example/v1";
/// Keys that route and must be ours or gone.
const ROUTING: [&str; 15] = [
    "custom_providers",
    "fallback_providers",
    "fallback_model",
    "credential_pool_strategies",
    "model_aliases",
    "provider_routing",
    "smart_model_routing",
    "provider",
    "base_url",
    "api_base",
    "api_key",
    "api_mode",
    "context_length",
    "model",
    "providers",
];

/// What a launch sets against leaks, and what it is set to.
const PROTECTED: [(&str, &str, bool); 2] =
    [("agent", "environment_probe", false), ("display", "tui_auto_resume_recent", false)];

/// The user's own settings.
pub fn hermes_yaml(data: &[u8]) -> bool {
    let files = files(data);
    let machine = Machine::of(&[(OWN, files.first())]);
    let launch = launch(Protocol::OpenaiChatCompletions, URL);
    let plan = match machine.plan("hermes", &launch) {
        Ok(plan) => plan,
        Err(error) => {
            is_helpful(&error, OWN);
            return false;
        }
    };
    let text = settings(&plan);
    let digits = |run: &[u8]| run.iter().all(u8::is_ascii_hexdigit);
    if files[0].windows(16).any(digits) {
        return true; // a number that only Python holds, and no parser here
    }
    if text.contains("!!") {
        return true; // a tag that only YAML 1.1 has
    }
    let json = yaml_value(text).unwrap_or_else(|| panic!("no YAML: {text}"));
    assert_eq!((&json["model"]["default"], &json["model"]["base_url"]), (&"m".into(), &URL.into()), "{text}");
    assert_eq!(json["model"]["provider"], "custom", "{text}");
    let providers = json["providers"].as_object().expect("providers");
    assert_eq!(providers.keys().collect::<Vec<_>>(), ["custom"], "{text}");
    assert_eq!(providers["custom"]["base_url"], URL, "{text}");
    for key in &ROUTING[..13] {
        assert!(json.get(key).is_none(), "{key} in {text}");
    }
    for (task, how) in json["auxiliary"].as_object().expect("side tasks") {
        assert!(!how.is_object() || how["provider"] == "main", "{task} in {text}");
    }
    if let Some(delegation) = json["delegation"].as_object() {
        for key in ["model", "provider", "base_url", "api_key", "api_mode"] {
            assert!(!delegation.contains_key(key), "delegation.{key} in {text}");
        }
    }
    keeps_the_users_own(files[0], &json);

    // What we wrote, taken for the user's own, comes out as it is, but for the order of side tasks.
    let ours: &[u8] = text.as_bytes();
    let again = Machine::of(&[(OWN, Some(&ours))]).plan("hermes", &launch).expect("it is YAML");
    assert_eq!(yaml_value(settings(&again)), Some(json), "merging twice is not merging once");
    true
}

fn settings(plan: &Plan) -> &str {
    let is_ours = |path: &&std::path::PathBuf| {
        path.ends_with("config.yaml") && !path.parent().is_some_and(|above| above.ends_with("managed"))
    };
    written(plan, plan.files.keys().find(is_ours).expect("settings"))
}

/// What does not route goes along. Another parser than ours reads both texts.
fn keeps_the_users_own(own: &[u8], json: &Json) {
    let Ok(own) = std::str::from_utf8(own) else { panic!("it was read") };
    // Where YAML 1.1 and 1.2 differ so do the parsers: what ends a line, whether `{?a: b}` has a key `?a`, which
    // characters an anchor's name has, whether `-.5` is a number (PyYAML 6.0.3 takes it for a text).
    if own.contains("-.") || own.contains("+.") {
        return;
    }
    if !own.chars().all(|c| c.is_ascii_alphanumeric() || " \n:-_.,[]{}\"'#/~+".contains(c)) {
        return;
    }
    let Some(Json::Object(own)) = yaml_value(own.strip_prefix('\u{feff}').unwrap_or(own)) else { return };
    for (key, mut value) in own {
        if let Some((_, name, ours)) = PROTECTED.iter().find(|(table, ..)| *table == key) {
            // A value that is no table gives way to ours.
            let mut table = value.as_object().cloned().unwrap_or_default();
            table.insert((*name).to_owned(), Json::Bool(*ours));
            value = table.into();
        }
        if !ROUTING.contains(&key.as_str())
            && !["auxiliary", "delegation", "write_sessions_json"].contains(&key.as_str())
        {
            assert_eq!(json.get(&key), Some(&value), "{key}");
        }
    }
}
