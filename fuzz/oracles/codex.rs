//! Codex: whatever the user's `config.toml` says, the generated one is TOML without a choice, and the command line
//! makes it.

use std::path::Path;

use shims::{Protocol, ToolSet};
use toml::{Table, Value};

use super::files;
use super::machine::{Machine, is_helpful, launch, written};

const OWN: &str = "/h/.codex/config.toml";
const CONFIG: &str = "/h/.local/state/agent-run/codex-shared/home/config.toml";
/// Of a machine without a secret.
const ID: &str = "agent-run-xxxxxxxx";
const KEY: &str = "AGENT_RUN_CODEX_API_KEY_xxxxxxxx";
const URL: &str = "https://host.example/v1";

/// Top-level keys that a launch takes out or adds to; every other is the user's.
const OURS: [&str; 22] = [
    "chatgpt_base_url",
    "experimental_thread_store_endpoint",
    "features",
    "forced_chatgpt_workspace_id",
    "forced_login_method",
    "hooks",
    "model",
    "model_auto_compact_token_limit",
    "model_catalog_json",
    "model_context_window",
    "model_provider",
    "model_providers",
    "model_reasoning_effort",
    "openai_base_url",
    "oss_provider",
    "plan_mode_reasoning_effort",
    "profile",
    "profiles",
    "review_model",
    "service_tier",
    "shell_environment_policy",
    "sqlite_home",
];

/// The user's own `config.toml`, and what Codex itself may have left in the generated one.
pub fn codex_toml(data: &[u8]) -> bool {
    let files = files(data);
    let machine = Machine::of(&[(OWN, files.first())]);
    for tools in [ToolSet::Full, ToolSet::Minimal] {
        let mut launch = launch(Protocol::OpenaiResponses, URL);
        launch.codex_tools = tools;
        let plan = match machine.plan("codex", &launch) {
            Ok(plan) => plan,
            Err(error) => {
                is_helpful(&error, OWN);
                return false;
            }
        };
        let first = written(&plan, Path::new(CONFIG));
        let config = routed(first);
        if tools == ToolSet::Full {
            keeps_the_users_own(files[0], &config);
        }
        let mut pins = Table::new();
        for pair in plan.args.chunks(2) {
            let [flag, pin] = pair else { panic!("{:?}", plan.args) };
            assert_eq!(flag, "-c");
            let pin = pin.to_str().expect("UTF-8");
            let pin: Table =
                pin.parse().unwrap_or_else(|_| panic!("Codex would take this for a text: {pin}"));
            // Codex replaces a table by a second one of its name.
            let names: Vec<_> =
                pin.iter().map(|(name, value)| format!("{name} {}", first_key(value))).collect();
            assert!(
                names.iter().all(|name| pins.insert(name.clone(), true.into()).is_none()),
                "{names:?} twice"
            );
            chooses(&pin);
        }
        for pinned in ["model ", "review_model ", "model_provider "] {
            assert!(pins.contains_key(pinned), "no `{pinned}` in {:?}", plan.args);
        }

        let after = machine.after(&plan);
        let again = after.plan("codex", &launch).expect("planned before");
        assert_eq!(kept(&after.after(&again)), first, "merging twice is not merging once");

        let Some(left) = files.get(1) else { continue };
        let mut meddled = after;
        meddled.files.insert(CONFIG.into(), left.to_vec());
        let plan = meddled.plan("codex", &launch).expect("the user's own file is as it was");
        let after = meddled.after(&plan);
        let second = kept(&after);
        routed(second);
        let again = after.plan("codex", &launch).expect("planned before");
        assert_eq!(kept(&after.after(&again)), second, "merging twice is not merging once");
    }
    true
}

/// The config as it lies there: a launch like the last one writes none.
fn kept(machine: &Machine) -> &str {
    std::str::from_utf8(&machine.files[Path::new(CONFIG)]).expect("UTF-8")
}

/// Reads a generated config, which must name our provider and nothing that could overrule it.
fn routed(text: &str) -> Table {
    let config: Table = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
    let at = |path: &[&str]| {
        let found = path.iter().try_fold(None, |at: Option<&Value>, key| match at {
            None => config.get(*key).map(Some),
            Some(value) => value.get(key).map(Some),
        });
        found.flatten().and_then(Value::as_str)
    };
    assert_eq!(at(&["model_provider"]), Some("agent-run"), "{text}");
    assert_eq!(
        at(&["model_providers", "agent-run", "base_url"]),
        Some("http://127.0.0.1:9/unused"),
        "{text}"
    );
    assert_eq!(at(&["shell_environment_policy", "set", KEY]), Some(""), "{text}");
    assert_eq!(at(&["sqlite_home"]), Some("/h/.local/state/agent-run/codex-shared/sqlite"), "{text}");
    for gone in ["model", "chatgpt_base_url", "forced_login_method", "openai_base_url", "profile", "profiles"]
    {
        assert!(!config.contains_key(gone), "{gone} in {text}");
    }
    config
}

/// The first key of a table, which tells apart what is set in tables of one name.
fn first_key(value: &Value) -> &str {
    value.as_table().and_then(|table| table.keys().next()).map_or("", String::as_str)
}

/// A word of the command line that chooses names the launch's choice.
fn chooses(pin: &Table) {
    for (key, value) in pin {
        match key.as_str() {
            "model" | "review_model" => assert_eq!(value.as_str(), Some("m")),
            "model_provider" => assert_eq!(value.as_str(), Some(ID)),
            "model_providers" => {
                let provider = value[ID].as_table().expect("the provider's table");
                assert_eq!(provider["base_url"].as_str(), Some(URL));
                assert_eq!(provider["env_key"].as_str(), Some(KEY));
                let keys: Vec<_> = provider.keys().map(String::as_str).collect();
                assert_eq!(keys, ["base_url", "env_http_headers", "env_key", "name", "wire_api"]);
            }
            _ => {}
        }
    }
}

/// What says nothing of models and providers goes along, value for value.
fn keeps_the_users_own(own: &[u8], config: &Table) {
    let own = std::str::from_utf8(own).expect("it was read");
    let own: Table = own.strip_prefix('\u{feff}').unwrap_or(own).parse().expect("it was read");
    for (key, value) in own.iter().filter(|(key, _)| !OURS.contains(&key.as_str())) {
        // Compared as text: not a number is not itself.
        let kept = config.get(key).map(ToString::to_string);
        assert_eq!(kept, Some(value.to_string()), "{key}");
    }
}
