//! What other tools leave in settings files.

use std::fs;

use serde_json::{Value as Json, json};

use super::own::{BOTH, Which};
use super::{KEY, STRAY, models, stage, stage_in};
use crate::support::claude;
use crate::support::tree::Tree;

#[test]
fn case_08_settings_env_loses() {
    let Some(stage) = stage() else { return };
    let env = json!({
        "ANTHROPIC_BASE_URL": stage.other.url(""), "ANTHROPIC_AUTH_TOKEN": STRAY, "ANTHROPIC_MODEL": "m-other",
        "HTTPS_PROXY": stage.other.url(""), "HTTP_PROXY": stage.other.url(""), "CLAUDE_CODE_USE_BEDROCK": "1",
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS": "77",
    });
    stage.settings(&json!({ "env": env }));
    stage
        .sandbox
        .write(&stage.sandbox.path("work/.claude/settings.local.json"), json!({"env": env}).to_string());
    let (user, work) = (Tree::of(&stage.sandbox.home(".claude")), Tree::of(&stage.sandbox.path("work")));
    stage.ask(&["hi"]).clean();
    let posts = stage.only_the_chosen_heard();
    assert_eq!(models(&posts), ["m-main"]);
    assert_ne!(posts[0]["body"]["max_tokens"], 77);
    user.is_unharmed(&stage.sandbox.home(".claude"));
    work.is_unharmed(&stage.sandbox.path("work"));
}

#[test]
fn case_10_a_running_session_stays() {
    let Some(stage) = stage() else { return };
    let (tmux, _) = claude::trusted(&stage.sandbox, "claude@m");
    claude::say(&tmux, "one");
    stage.chosen.wait_for_posts(1);
    tmux.wait_for("PONG-FROM-MOCK");
    stage.settings(&json!({"env": {
        "ANTHROPIC_BASE_URL": stage.other.url(""), "ANTHROPIC_AUTH_TOKEN": STRAY, "ANTHROPIC_MODEL": "m-other",
    }}));
    std::thread::sleep(std::time::Duration::from_secs(2)); // it watches the file
    claude::say(&tmux, "two");
    tmux.wait_until("a second answer", |screen| screen.matches("PONG-FROM-MOCK").count() >= 2);
    assert_eq!(models(&stage.only_the_chosen_heard()), ["m-main"]);
}

#[test]
fn case_11_foreign_helpers_and_headers_stay_out() {
    let Some(stage) = stage() else { return };
    // Whether a helper's key makes it into the very first request is a race; whether it runs is not.
    let helped = stage.sandbox.path("helped");
    let settings = json!({
        "apiKeyHelper": format!("touch '{}'; echo {STRAY}", helped.display()), "env": {"ANTHROPIC_CUSTOM_HEADERS": "X-Left: 1"},
        "availableModels": ["claude-opus-4-8"],
    });
    stage.settings(&settings);
    stage.ask(&["hi"]).clean();
    stage.sandbox.write(&stage.sandbox.path("work/.claude/settings.json"), settings.to_string());
    stage.ask(&["hi"]).clean();
    let posts = stage.only_the_chosen_heard();
    assert!(posts.iter().all(|post| post["headers"]["x-left"].is_null()));
    assert_eq!(models(&posts), ["m-main"]);

    let (tmux, _) = claude::trusted(&stage.sandbox, "claude@m");
    let screen = tmux.screen();
    assert!(!screen.contains("Both "), "{screen}");
    assert!(!helped.exists(), "the helper ran");
}

#[test]
fn what_no_argument_beats_is_refused_before_claude_starts() {
    let Some(stage) = stage() else { return };
    stage.settings(&json!({"env": {"ANTHROPIC_UNIX_SOCKET": "/tmp/none"}}));
    stage.ask(&["hi"]).exits(125).complains(&["settings.json: env.ANTHROPIC_UNIX_SOCKET", "help: remove it"]);
    assert!(stage.chosen.requests().is_empty());
}

#[test]
fn an_agent_setting_does_not_change_the_model_and_the_users_option_does() {
    let Some(stage) = stage() else { return };
    let agent = "---\nname: pinned\ndescription: d\nmodel: claude-sonnet-4-5-20250929\n---\nyou\n";
    stage.sandbox.write(&stage.sandbox.home(".claude/agents/pinned.md"), agent);
    stage.ask(&["--agent", "pinned", "hi"]).clean();
    // Overrides count for Claude's own models alone (2.1.332).
    let overrides = json!({"claude-opus-4-8": "m-other", "m-main": "m-other"});
    stage.settings(&json!({"agent": "pinned", "modelOverrides": overrides}));
    stage.ask(&["hi"]).clean();
    assert_eq!(models(&stage.only_the_chosen_heard()), ["m-main"]);
    stage.ask(&["--model", "haiku", "hi"]).clean();
    stage.ask(&["--model", "claude-opus-4-8", "hi"]).exits(0);
    assert_eq!(models(&stage.only_the_chosen_heard()), ["claude-opus-4-8", "m-haiku", "m-main"]);
}

#[test]
fn settings_of_the_users_that_cannot_be_read_are_named_before_claude_starts() {
    let Some(stage) = stage() else { return };
    let path = stage.sandbox.home(".claude/settings.json");
    stage.sandbox.write(&path, "{\"env\": ");
    stage.ask(&["hi"]).exits(125).complains(&[&format!("agent-run: {}:1:", path.display()), "\nhelp: "]);
    assert!(stage.chosen.requests().is_empty(), "Claude Code was started");
}

#[test]
fn a_providers_headers_reach_it_and_only_it() {
    let Some(stage) = stage() else { return };
    let url = stage.chosen.url("");
    stage.sandbox.config(&format!(
        "\
providers:
  m:
    protocols: [anthropic]
    base_urls: {{anthropic: '{url}'}}
    key_env: MOCK_KEY
    default_model: m-main
    models: [{{id: m-main, context_window: 200000}}]
    model_api_filters: []
    headers: {{X-Org: acme, X-Key: '${{context:key}}'}}
"
    ));
    stage.ask(&["hi"]).clean();
    let posts = stage.only_the_chosen_heard();
    assert_eq!(posts[0]["headers"]["x-org"], "acme");
    assert_eq!(posts[0]["headers"]["x-key"], KEY);
}

/// One value that Claude Code rejects has it drop all settings by argument, and a project's then count (2.1.197 and
/// 2.1.332).
#[test]
fn settings_that_claude_code_would_drop_start_nothing() {
    for version in BOTH {
        for (own, is_refused) in [
            (json!({"statusLine": 5}), true),
            (json!({"permissions": {"defaultMode": "bogus"}}), true),
            (json!({"language": null, "unknown": 5}), true),
            (json!({"env": {"constructor": "x"}}), true),
            (json!({"unknown": {"PreToolUse": [1]}}), true),
            (json!({"hooks": {"PreToolUse": [{"hooks": [{"type": "command", "command": "true"}]}]}}), false),
            (json!({"unknown": [{"model": 5}], "env": {"A": 5}}), false),
        ] {
            let stage = stage_in(version("claude").unwrap(), "[]");
            let project = json!({"env": {"CLAUDE_CODE_EXTRA_BODY": "{\"model\":\"m-body\"}"}});
            stage.sandbox.write(&stage.sandbox.path("work/.claude/settings.json"), project.to_string());
            let ran = stage.ask(&["--settings", &own.to_string(), "hi"]);
            ran.exits(if is_refused { 125 } else { 0 });
            assert_eq!(models(&stage.chosen.posts()), if is_refused { &[][..] } else { &["m-main"] });
        }
    }
}

/// The schema of settings as Claude Code prints it for its model, made into what `schema.rs` says.
fn printed_schema(version: Which) -> Json {
    let stage = stage_in(version("claude").unwrap(), "[]");
    stage.ask(&["/update-config x"]).exits(0);
    let mut text = None;
    let posts = json!(stage.chosen.posts());
    let mut left = vec![&posts];
    while let Some(value) = left.pop() {
        match value {
            Json::String(body) => text = text.or(body.split_once("Full Settings JSON Schema\n\n```json\n")),
            Json::Array(list) => left.extend(list),
            Json::Object(map) => left.extend(map.values()),
            _ => {}
        }
    }
    let (schema, _) = text.expect("a schema").1.split_once("\n```").expect("its end");
    let mut schema = serde_json::from_str(schema).expect("JSON");
    shorten(&mut schema);
    let properties = &mut schema["properties"];
    properties["env"] = json!({"type": "object"});
    let sandbox = &mut properties["sandbox"]["properties"];
    sandbox["network"]["properties"]["allowMachLookup"]["items"]["pattern"] = json!(r"^[^*]*\*?$");
    if let Some(pairs) = sandbox["credentials"]["properties"].get_mut("awsPairs") {
        *pairs = json!(false);
    }
    properties.take()
}

fn shorten(schema: &mut Json) {
    let Json::Object(rules) = schema else { return };
    for rule in ["$schema", "default", "description", "examples", "propertyNames", "title"] {
        rules.shift_remove(rule);
    }
    for (rule, of) in rules {
        match of {
            Json::Object(properties) if rule == "properties" => properties.values_mut().for_each(shorten),
            Json::Object(_) => shorten(of),
            Json::Array(choices) => {
                let is_checked_more = |of: &Json| {
                    let source = &of["properties"]["source"]["const"];
                    source == "settings" || source == "npm"
                };
                choices.retain(|of| !is_checked_more(of));
                choices.iter_mut().for_each(shorten);
            }
            _ => {}
        }
    }
}

#[test]
fn the_known_schemas_of_settings_are_those_that_claude_code_prints() {
    let [new, mut old] = BOTH.map(printed_schema);
    old.as_object_mut().unwrap().retain(|key, of| new.get(key) != Some(of));
    let one = |properties: &Json| {
        let lines = properties.as_object().unwrap().iter().map(|(key, of)| format!("{}:{of}", json!(key)));
        format!("{{\"type\":\"object\",\"properties\":{{\n{}}}}}", lines.collect::<Vec<_>>().join(",\n"))
    };
    let printed = format!("[{},\n{}]\n", one(&new), one(&old));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/shims/judged/claude-settings.json");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, &printed).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), printed, "UPDATE=1 writes it");
}
