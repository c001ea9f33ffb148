//! What has broken in some version of Hermes Agent, or would send the key away if it did.

use std::ffi::OsString;

use serde_json::{Value as Json, json};

use crate::trial::{PLANTED_KEY, PLANTED_MODEL, TOOL_COMMAND, Trial, TrialPlaces, TrialTest};

/// Every trial of Hermes.
pub fn of(places: &TrialPlaces<'_>) -> Vec<Trial> {
    vec![settings(places), compaction(), Trial::beside(asks("try two at once"))]
}

/// The agent's words for one prompt.
fn asks(prompt: &str) -> Vec<OsString> {
    ["chat", "-Q", "--source", "tool", "-q", prompt].map(OsString::from).into()
}

/// A rule by which the model runs a command once it is asked for it.
fn runs(word: &str, command: &str) -> Json {
    json!({"last_user": word, "times": 1, "tool": {"name": "terminal", "arguments": {"command": command}}})
}

/// Settings and dotenvs that name everything that settings can.
fn settings(places: &TrialPlaces<'_>) -> Trial {
    let url = places.url("/provider/v1");
    let custom = format!("custom, base_url: '{url}', api_key: {PLANTED_KEY}");
    let entry = format!("{{name: {custom}, model: {PLANTED_MODEL}}}");
    let task = format!("{{provider: {custom}, model: {PLANTED_MODEL}}}");
    let settings = format!(
        "model: {{default: {PLANTED_MODEL}, provider: {custom}}}\n\
         custom_providers: [{entry}]\nfallback_providers: [{task}]\nauxiliary: {{title_generation: {task}, \
         compression: {task}}}\ndelegation: {task}\nmcp_servers: {{planted: {{url: '{}', headers: {{x-wanted: \
         '${{OPENAI_API_KEY}} ${{AGENT_RUN_API_KEY}}'}}}}}}\n",
        places.url("/own-server"),
    );
    let dotenv =
        format!("OPENAI_BASE_URL={url}\nOPENAI_API_KEY={PLANTED_KEY}\nOPENROUTER_API_KEY={PLANTED_KEY}\n");
    Trial::new(asks("try the settings"))
        .file("home/.hermes/config.yaml", settings)
        .file("home/.hermes/.env", &dotenv)
        .file("work/.env", &dotenv)
        .script(json!([
            runs("try the settings", TOOL_COMMAND),
            {"last_user": "try the settings", "times": 1,
                "tool": {"name": "delegate_task", "again": true, "arguments": {"goal": "a task for the sub-agent"}}},
            // It runs in the background, and ends with the agent (0.19).
            {"last_user": "try the settings", "contains": "delegation_id", "delay_ms": 4000, "text": "done"},
        ]))
        .holds(
            "settings",
            "settings and dotenvs of your own do not take the prompt, nor a sub-agent's",
            TrialTest::Nothing("/provider"),
        )
        .holds("settings", "settings of your own choose no model", TrialTest::Models("try the settings"))
        .tool_is_clean()
        .server_gets_no_key("an MCP server of your settings is not sent the key", "/own-server")
        .sub_agent_asks_for_the_model("a sub-agent asks for the launch's model, whatever settings name")
}

/// The model says that the conversation fills the window. Hermes keeps the first and the last messages as they are, so
/// there must be more than those (0.19).
fn compaction() -> Trial {
    let rule = |times: u64, tokens: u64| {
        json!({"last_user": "fill the window", "times": times, "input_tokens": tokens,
            "tool": {"name": "terminal", "again": true, "arguments": {"command": "true"}}})
    };
    Trial::compaction(asks("fill the window"), json!([rule(14, 20_000), rule(1, 64_000)]), "summar")
}
