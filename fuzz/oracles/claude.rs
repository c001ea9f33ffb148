//! Claude Code: its state file changes by the onboarding flag and by nothing else, and no settings file
//! gets in the way of the launch.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use agent_run::internals::merged;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};
use shims::{Plan, Protocol, Value};

use super::files;
use super::machine::{Machine, is_helpful, launch};

const STATE: &str = "/h/.claude.json";
const SETTINGS: &str = "/h/.claude/settings.json";
/// Variables of the family that Claude Code takes from a settings file first, whoever manages the provider.
const NOT_HELD: [&str; 5] = [
    "ANTHROPIC_BETAS",
    "ANTHROPIC_CUSTOM_HEADERS",
    "CLAUDE_CODE_API_BASE_URL",
    "CLAUDE_CODE_EXTRA_BODY",
    "CLAUDE_CODE_MAX_OUTPUT_TOKENS",
];
const KEY: &str = "sk-0123456789-abcdefghijKLMNOP";

/// The state file, and the user's settings.
pub fn claude_json(data: &[u8]) -> bool {
    let files = files(data);
    let machine = Machine::of(&[(STATE, files.first()), (SETTINGS, files.get(1))]);
    for api_key in [false, true] {
        let mut launch = launch(Protocol::Anthropic, "https://host.example");
        launch.headers.clear();
        launch.anthropic_use_api_key = api_key;
        let plan = match machine.plan("claude", &launch) {
            Ok(plan) => plan,
            Err(error) => {
                is_helpful(&error, "/h/.claude");
                return false;
            }
        };
        holds_against_settings(files.get(1).copied().unwrap_or_default(), &plan);
        let Some(merge) = plan.merges.get(Path::new(STATE)) else { continue };
        let text = std::str::from_utf8(files[0]).expect("what is not UTF-8 is left alone");
        let merged_once = merged(text, &merge.edits, Some(KEY)).expect("what was planned can be done");
        let Some(once) = merged_once else { continue };
        changes_nothing_else(text, &once, api_key);
        let again = merged(&once, &merge.edits, Some(KEY)).expect("what we write can be read");
        assert_eq!(again, None, "merging twice is not merging once");
        let mut after = machine.clone();
        after.files.insert(STATE.into(), once.into_bytes());
        let next = after.plan("claude", &launch).expect("what we write can be read");
        assert_eq!(next.merges.is_empty(), !api_key, "the flag is there");
    }
    true
}

/// Every other key stays text for text, in its order.
fn changes_nothing_else(before: &str, after: &str, api_key: bool) {
    type Object = indexmap::IndexMap<String, Box<RawValue>>;
    let read = |text: &str| -> Object {
        serde_json::from_str(text.trim_start_matches('\u{feff}')).expect("an object")
    };
    let (before, after) = (read(before), read(after));
    assert_eq!(after["hasCompletedOnboarding"].get(), "true");
    assert!(after.len() <= before.len() + 2);
    assert!(before.keys().eq(after.keys().take(before.len())), "the order changed");
    for (key, value) in &before {
        let ours = key == "hasCompletedOnboarding" || (api_key && key == "customApiKeyResponses");
        assert!(ours || after[key].get() == value.get(), "{key} changed");
    }
    assert!(after.values().all(|value| !value.get().contains(KEY)), "the whole key is in the file");
}

/// What Claude Code would make of environment, settings file and `--settings` together.
fn holds_against_settings(settings: &[u8], plan: &Plan) {
    let text = String::from_utf8_lossy(settings.strip_prefix("\u{feff}".as_bytes()).unwrap_or(settings));
    // Claude Code ignores a broken file.
    let settings: Map<String, Json> = serde_json::from_str(&text).unwrap_or_default();
    let guard = plan.args.iter().position(|word| word == "--settings").map(|at| {
        let guard = plan.args[at + 1].to_str().expect("UTF-8");
        serde_json::from_str::<Json>(guard).unwrap_or_else(|error| panic!("{error}: {guard}"))
    });
    let guarded = |key: &str| guard.as_ref().and_then(|guard| guard.get(key));
    let helper = settings.get("apiKeyHelper").and_then(Json::as_str).unwrap_or_default();
    assert!(helper.is_empty() || guarded("apiKeyHelper") == Some(&Json::from("")), "the helper is called");
    let env: BTreeMap<&str, &Json> = [settings.get("env"), guarded("env")]
        .into_iter()
        .flatten()
        .filter_map(Json::as_object)
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    for name in NOT_HELD {
        let Some(seen) = env.get(name) else { continue };
        let meant = plan.env.get(OsStr::new(name)).and_then(Option::as_ref).and_then(Value::plain);
        let seen = match seen {
            Json::String(text) => text.clone(),
            Json::Null => String::new(),
            other => other.to_string(),
        };
        assert_eq!(OsStr::new(&seen), meant.unwrap_or_default(), "{name} of the settings holds");
    }
}
