//! Crush: whatever its own settings say, ours are JSON with the chosen provider and no other.

use std::path::PathBuf;

use serde_json::Value as Json;
use shims::{Plan, Protocol};

use super::files;
use super::machine::{Machine, is_helpful, launch, written};

const SETTINGS: &str = "/h/.config/crush/crush.json";
const CHOICES: &str = "/h/.local/share/crush/crush.json";
/// The chosen provider inside Crush, on a machine without a secret.
const ID: &str = "agent-run-p-xxxxxxxx";

/// The settings that the user wrote, and those that Crush itself wrote.
pub fn crush_json(data: &[u8]) -> bool {
    let files = files(data);
    let machine = Machine::of(&[(SETTINGS, files.first()), (CHOICES, files.get(1))]);
    for (protocol, url) in [
        (Protocol::OpenaiChatCompletions, "https://host.example/v1"),
        (Protocol::Anthropic, "https://host.example"),
    ] {
        let launch = launch(protocol, url);
        let plan = match machine.plan("crush", &launch) {
            Ok(plan) => plan,
            Err(error) => {
                is_helpful(&error, "crush");
                return false;
            }
        };
        let global = written(&plan, &settings(&plan, true));
        let parsed: Json = serde_json::from_str(global).unwrap_or_else(|error| panic!("{error}\n{global}"));
        // Go takes a key in any case for the field's own.
        for key in parsed.as_object().expect("an object").keys() {
            for field in ["providers", "models", "recent_models"] {
                assert!(!go_folds(key, field), "a project beats `{key}`: {global}");
            }
        }
        let options = &parsed["options"];
        for off in ["disable_default_providers", "disable_provider_auto_update"] {
            assert_eq!(options[off], true, "{global}");
        }
        assert!(options.get("data_directory").is_none(), "{global}");
        let mut servers = parsed["mcp"].as_object().into_iter().flatten();
        assert!(servers.all(|(_, server)| server.get("oauth_token").is_none()), "{global}");
        is_routed(written(&plan, &settings(&plan, false)), url);
        keeps_the_users_own(files[0], files.get(1).copied(), &parsed);

        // What we wrote, taken for the user's own, comes out as it is.
        let ours: &[u8] = global.as_bytes();
        let again = Machine::of(&[(SETTINGS, Some(&ours))]).plan("crush", &launch).expect("it is JSON");
        assert_eq!(written(&again, &settings(&again, true)), global, "merging twice is not merging once");
    }
    true
}

/// Checks a session file, in which the one provider is the chosen one, in both spellings of each field.
fn is_routed(text: &str, url: &str) {
    let json: Json = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    for field in ["providers", "provider\u{17f}"] {
        let providers = json[field].as_object().expect("providers");
        assert_eq!(providers.keys().collect::<Vec<_>>(), [ID], "{text}");
        let provider = &providers[ID];
        assert_eq!(provider["base_url"], url, "{text}");
        assert_eq!((&provider["disable"], &provider["discover_models"]), (&false.into(), &false.into()));
        let key = provider["api_key"].as_str().unwrap_or_default();
        assert!(key.ends_with("$AGENT_RUN_API_KEY_xxxxxxxx"), "{text}");
    }
    for field in ["models", "model\u{17f}"] {
        for slot in ["large", "small"] {
            let chosen = &json[field][slot];
            assert_eq!((&chosen["provider"], &chosen["model"]), (&ID.into(), &"m".into()), "{text}");
        }
    }
}

/// Whether Go's `encoding/json` takes `key` for the field: letters of any case, and two more that fold.
fn go_folds(key: &str, field: &str) -> bool {
    let fold = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    };
    key.chars().map(fold).eq(field.chars())
}

/// The launch's own settings, or its session file.
fn settings(plan: &Plan, global: bool) -> PathBuf {
    let is_it =
        |path: &&PathBuf| path.ends_with("config/crush.json") == global && path.ends_with("crush.json");
    plan.files.keys().find(is_it).expect("planned").clone()
}

/// What only the settings written by hand say goes along, value for value.
fn keeps_the_users_own(settings: &[u8], choices: Option<&[u8]>, global: &Json) {
    let read = |bytes: &[u8]| -> Json { serde_json::from_slice(bytes).unwrap_or_default() };
    let (settings, choices) = (read(settings), read(choices.unwrap_or_default()));
    // `Env` goes along as `env`, and of two spellings the later adds to the earlier.
    let respelled =
        settings.as_object().is_some_and(|it| it.keys().any(|key| key != "env" && go_folds(key, "env")));
    let ours = |key: &str| {
        let decided = ["providers", "models", "recent_models", "mcp", "options"];
        decided.iter().any(|field| go_folds(key, field)) || (respelled && go_folds(key, "env"))
    };
    for (key, value) in settings.as_object().into_iter().flatten() {
        if !ours(key) && choices.get(key).is_none() {
            assert_eq!(global.get(key), Some(value), "{key}");
        }
    }
}
