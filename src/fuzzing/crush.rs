//! Crush: whatever its own settings say, ours are JSON with the chosen provider and no other.

use std::path::Path;

use serde_json::Value as Json;
use shims::{Plan, Protocol};

use super::files;
use super::machine::{Machine, is_helpful, launch, written};

const SETTINGS: &str = "/h/.config/crush/crush.json";
const CHOICES: &str = "/h/.local/share/crush/crush.json";
const GLOBAL: &str = "/h/.cache/agent-run/crush/p/config/crush.json";

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
        let global = written(&plan, Path::new(GLOBAL));
        let parsed = routed(global, url);
        let options = &parsed["options"];
        for off in ["disable_default_providers", "disable_provider_auto_update"] {
            assert_eq!(options[off], true, "{global}");
        }
        assert!(options.get("data_directory").is_none(), "{global}");
        let mut servers = parsed["mcp"].as_object().into_iter().flatten();
        assert!(servers.all(|(_, server)| server.get("oauth_token").is_none()), "{global}");
        routed(session(&plan), url);
        keeps_the_users_own(files[0], files.get(1).copied(), &parsed);

        // What we wrote, taken for the user's own, comes out as it is.
        let ours: &[u8] = global.as_bytes();
        let again = Machine::of(&[(SETTINGS, Some(&ours))]).plan("crush", &launch).expect("it is JSON");
        assert_eq!(written(&again, Path::new(GLOBAL)), global, "merging twice is not merging once");
    }
    true
}

/// Reads settings of ours, in which the one provider is the chosen one.
fn routed(text: &str, url: &str) -> Json {
    let json: Json = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let providers = json["providers"].as_object().expect("providers");
    assert_eq!(providers.keys().collect::<Vec<_>>(), ["agent-run-p"], "{text}");
    let provider = &providers["agent-run-p"];
    assert_eq!(provider["base_url"], url, "{text}");
    assert_eq!((&provider["disable"], &provider["discover_models"]), (&false.into(), &false.into()));
    assert!(provider["api_key"].as_str().is_some_and(|key| key.ends_with("$AGENT_RUN_API_KEY")), "{text}");
    for slot in ["large", "small"] {
        let chosen = &json["models"][slot];
        assert_eq!((&chosen["provider"], &chosen["model"]), (&"agent-run-p".into(), &"m".into()), "{text}");
    }
    // Go takes a key in any case for the field's own.
    for key in json.as_object().expect("an object").keys() {
        for field in ["providers", "models", "recent_models"] {
            assert!(key == field || !go_folds(key, field), "Crush reads `{key}` as `{field}`: {text}");
        }
    }
    json
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

fn session(plan: &Plan) -> &str {
    let sessions = |path: &&Path| path.starts_with("/h/.local/state") && path.ends_with("crush.json");
    written(plan, plan.files.keys().map(AsRef::as_ref).find(sessions).expect("a session's settings"))
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
