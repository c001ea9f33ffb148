//! `agent-run import`: what becomes of other tools' settings, and that no key comes along unasked.

mod everywhere;

use std::fs;
use std::process::Command;

use serde_json::{Value as Json, json};

use crate::support::tree::Tree;
use crate::support::{Ran, Sandbox, run};

const KEY: &str = "sk-imported-0123456789abcdef";

/// What is printed without `--with-keys` never holds the key, nor does a config that it is added to.
#[track_caller]
fn imported(sandbox: &Sandbox, tool: &str) -> Json {
    let text = sandbox.agent_run(&["import", tool]).clean();
    let json = sandbox.agent_run(&["import", tool, "--json"]).clean();
    assert!(!text.stdout.contains(KEY) && !json.stdout.contains(KEY), "{}", text.stdout);
    serde_json::from_str(&json.stdout).expect("JSON")
}

/// The one provider of this name.
#[track_caller]
fn provider(found: &Json, name: &str) -> Json {
    let all = found["providers"].as_array().expect("a list");
    let one = all.iter().find(|one| one["name"] == name);
    one.unwrap_or_else(|| panic!("no {name} in {found:#}"))["config"].clone()
}

fn with_claude() -> Sandbox {
    let sandbox = Sandbox::new();
    let settings = json!({
        "env": {
            "ANTHROPIC_BASE_URL": "https://api.deepseek.com/anthropic/",
            "ANTHROPIC_AUTH_TOKEN": KEY,
            "ANTHROPIC_MODEL": "big",
            "ANTHROPIC_DEFAULT_OPUS_MODEL": "big",
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": "small",
            "ANTHROPIC_CUSTOM_HEADERS": format!("X-Title: mine\nX-Api-Key: {KEY}"),
            "API_TIMEOUT_MS": "1000"
        },
        "permissions": {}
    });
    sandbox.write(&sandbox.home(".claude/settings.json"), settings.to_string());
    sandbox
}

#[test]
fn claudes_settings_become_a_provider() {
    let sandbox = with_claude();
    let expected = json!({
        "protocols": ["anthropic"],
        "base_urls": {"anthropic": "https://api.deepseek.com/anthropic"},
        "key_env": "DEEPSEEK_API_KEY",
        "default_model": "big",
        "tiers": {"haiku": "small"},
        "headers": {"X-Title": "mine"},
    });
    assert_eq!(provider(&imported(&sandbox, "claude"), "deepseek"), expected);
    let page = sandbox.agent_run(&["import", "claude"]).clean().stdout;
    assert!(page.contains("# key_command: [jq, -er, .env.ANTHROPIC_AUTH_TOKEN,"), "{page}");
    let comments = joined(&page);
    assert!(comments.contains("settings.json (env.ANTHROPIC_AUTH_TOKEN). Export it as:"), "{page}");
    assert!(comments.contains("Not imported, see `extra_env`: API_TIMEOUT_MS."), "{page}");
    assert!(comments.contains("The header X-Api-Key may hold a secret"), "{page}");
    // As they are written to the config, they fit an editor's window; a path stays whole.
    sandbox.agent_run(&["import", "claude", "--write"]).exits(0);
    let config = std::fs::read_to_string(sandbox.home(".config/agent-run/config.yaml")).unwrap();
    for line in config.lines().filter(|line| !line.contains("key_command")) {
        assert!(line.chars().count() <= 80 || !line.trim().trim_start_matches("# ").contains(' '), "{line}");
    }
}

/// A page with each comment in one line.
pub fn joined(page: &str) -> String {
    page.replace("\n    # ", " ")
}

#[test]
fn a_helper_becomes_a_command_unless_it_repeats_the_key() {
    let sandbox = Sandbox::new();
    let settings = |helper: &str| {
        let env = json!({"ANTHROPIC_BASE_URL": "https://a.example"});
        json!({"env": env, "apiKeyHelper": helper}).to_string()
    };
    sandbox.write(&sandbox.home(".claude/settings.json"), settings("pass show example"));
    let found = provider(&imported(&sandbox, "claude"), "a");
    assert_eq!(found["key_command"], json!(["sh", "-c", "pass show example"]));
    sandbox.write(&sandbox.home(".claude/settings.json"), settings(&format!("echo {KEY}")));
    assert_eq!(provider(&imported(&sandbox, "claude"), "a")["key_env"], "A_API_KEY");
}

#[test]
fn writing_keeps_the_config_and_copies_no_key_unasked() {
    let sandbox = with_claude();
    let before = "# mine\nproviders:\n  deepseek: # theirs\n    protocols: [anthropic]\n    \
                  base_urls: {anthropic: https://other.example}\n# end\n";
    let path = sandbox.config(before);
    let tree = Tree::of(&sandbox.home(".claude"));
    let ran = sandbox.agent_run(&["import", "claude", "--write"]).clean();
    let end = ": deepseek-2\n# Next:\n#   agent-run key set deepseek-2\n";
    assert!(ran.stdout.contains("# Added to ") && ran.stdout.ends_with(end), "{}", ran.stdout);
    let after = fs::read_to_string(&path).unwrap();
    assert!(after.starts_with(before.strip_suffix("# end\n").unwrap()), "{after}");
    assert!(after.contains("\n  deepseek-2:\n") && !after.contains(KEY), "{after}");
    assert!(after.contains("  # From ~/.claude/settings.json"), "{after}");
    let other = sandbox.path("other.yaml");
    let other = other.to_str().unwrap();
    let ran = sandbox.agent_run(&["--config", other, "import", "claude", "--write"]).clean();
    let end = format!("# Next:\n#   agent-run --config {other} key set deepseek\n");
    assert!(ran.stdout.ends_with(&end), "{}", ran.stdout);
    sandbox.agent_run(&["config", "check", "--strict"]).clean();

    let again = sandbox.agent_run(&["import", "claude", "--write"]).clean();
    assert!(again.stdout.contains("already in the config, as deepseek-2"), "{}", again.stdout);
    assert_eq!(fs::read_to_string(&path).unwrap(), after, "twice is once");
    assert_eq!(tree, Tree::of(&sandbox.home(".claude")), "the other tool's files stay");
}

#[test]
fn codexs_providers_come_with_each_kind_of_key() {
    let sandbox = Sandbox::new();
    let toml = format!(
        r#"
model_provider = "one"
model = "m1"
[model_providers.one]
name = "One"
base_url = "https://one.example/v1/"
env_key = "ONE_KEY"
http_headers = {{ X-Title = "t", Authorization = "Bearer {KEY}" }}
env_http_headers = {{ X-Org = "ORG" }}
[model_providers.two]
base_url = "https://two.example/v1"
wire_api = "chat"
experimental_bearer_token = "{KEY}"
[model_providers.three]
base_url = "https://three.example/v1"
auth = {{ command = "pass", args = ["show", "three"] }}
[model_providers.four]
base_url = "https://four.example/v1"
requires_openai_auth = true
query_params = {{ a = "b" }}
[model_providers.five]
name = "no url"
"#
    );
    sandbox.write(&sandbox.home(".codex/config.toml"), toml);
    sandbox.write(&sandbox.home(".codex/auth.json"), json!({"OPENAI_API_KEY": KEY}).to_string());
    let found = imported(&sandbox, "codex");
    let one = json!({
        "protocols": ["openai-responses"],
        "base_urls": {"openai": "https://one.example/v1"},
        "key_env": "ONE_KEY",
        "default_model": "m1",
        "headers": {"X-Org": "${env:ORG}", "X-Title": "t"},
    });
    assert_eq!(provider(&found, "one"), one);
    let two = provider(&found, "two");
    assert_eq!(
        (&two["protocols"], &two["key_env"]),
        (&json!(["openai-chat-completions"]), &json!("TWO_API_KEY"))
    );
    assert_eq!(provider(&found, "three")["key_command"], json!(["pass", "show", "three"]));
    assert_eq!(provider(&found, "four")["key_env"], "FOUR_API_KEY");
    let page = sandbox.agent_run(&["import", "codex"]).clean().stdout;
    assert!(page.contains(".OPENAI_API_KEY") && page.contains("`query_params`"), "{page}");
    assert!(
        page.contains("# Not imported: ") && page.contains("[model_providers.five]: it has no base URL"),
        "{page}"
    );
}

#[test]
fn crushs_layers_become_providers() {
    let sandbox = Sandbox::new();
    let user = json!({"providers": {
        "relay": {"type": "anthropic", "base_url": "https://relay.example/v1", "api_key": "Bearer $RELAY",
                  "models": [{"id": "m", "context_window": 1000}], "extra_headers": {"X-A": "$ORG"}},
        "off": {"base_url": "https://off.example/v1", "disable": true},
        "openai": {"api_key": "$OPENAI_API_KEY"},
        "cmd": {"base_url": "https://cmd.example/v1", "api_key": "$(pass show cmd)"},
    }});
    let data = json!({
        "providers": {"local": {"base_url": "http://localhost:1/v1", "api_key": KEY}},
        "models": {"large": {"provider": "relay", "model": "m"}},
    });
    sandbox.write(&sandbox.home(".config/crush/crush.json"), user.to_string());
    sandbox.write(&sandbox.home(".local/share/crush/crush.json"), data.to_string());
    let found = imported(&sandbox, "crush");
    let relay = json!({
        "protocols": ["anthropic"],
        "base_urls": {"anthropic": "https://relay.example"},
        "key_env": "RELAY",
        "default_model": "m",
        "models": [{"id": "m", "context_window": 1000}],
        "headers": {"X-A": "${env:ORG}"},
    });
    assert_eq!(provider(&found, "relay"), relay);
    assert_eq!(provider(&found, "local")["key_env"], "LOCAL_API_KEY");
    assert_eq!(provider(&found, "cmd")["key_command"], json!(["sh", "-c", "pass show cmd"]));
    let skipped = found["skipped"].to_string();
    assert!(skipped.contains("off: it is disabled") && skipped.contains("has no base URL"), "{skipped}");
}

#[test]
fn hermes_providers_old_and_new_are_found() {
    let sandbox = Sandbox::new();
    let yaml = format!(
        "model: {{default: m, provider: 'custom:new'}}\nproviders:\n  new:\n    base_url: https://new.example/v1\n    \
         key_env: NEW_KEY\n    models: {{m: {{context_length: 9}}}}\ncustom_providers:\n- name: Old One\n  \
         base_url: https://old.example/anthropic\n  api_key: {KEY}\n- name: Var\n  base_url: https://var.example/v1\n  \
         api_key: '${{VAR_KEY}}'\n  api_mode: codex_responses\n"
    );
    sandbox.write(&sandbox.home(".hermes/config.yaml"), yaml);
    let found = imported(&sandbox, "hermes");
    let new = provider(&found, "new");
    assert_eq!((&new["default_model"], &new["key_env"]), (&json!("m"), &json!("NEW_KEY")));
    assert_eq!(new["models"], json!([{"id": "m", "context_window": 9}]));
    let old = provider(&found, "old-one");
    assert_eq!((&old["protocols"], &old["key_env"]), (&json!(["anthropic"]), &json!("OLD_ONE_API_KEY")));
    assert_eq!(old["anthropic_use_api_key"], true);
    let var = provider(&found, "var");
    assert_eq!((&var["protocols"], &var["key_env"]), (&json!(["openai-responses"]), &json!("VAR_KEY")));
}

#[test]
fn the_environment_tells_which_known_providers_can_be_used() {
    let sandbox = Sandbox::new()
        .var("DEEPSEEK_API_KEY", KEY)
        .var("ANTHROPIC_BASE_URL", "https://relay.example")
        .var("ANTHROPIC_API_KEY", KEY);
    let found = imported(&sandbox, "env");
    assert_eq!(provider(&found, "deepseek")["base_urls"]["openai"], "https://api.deepseek.com");
    let relay = provider(&found, "relay");
    assert_eq!(
        (&relay["key_env"], &relay["anthropic_use_api_key"]),
        (&json!("ANTHROPIC_API_KEY"), &json!(true))
    );
    assert_eq!(found["providers"].as_array().map(Vec::len), Some(2), "{found:#}");
}

#[test]
fn every_preset_is_known_by_its_variable_and_comes_whole() {
    let sandbox =
        Sandbox::new().var("XAI_API_KEY", KEY).var("ZAI_API_KEY", KEY).var("AZURE_OPENAI_API_KEY", KEY);
    let found = imported(&sandbox, "env");
    assert_eq!(provider(&found, "xai")["codex"], json!({"tools": "minimal"}));
    assert_eq!(provider(&found, "azure")["model_api_filters"], json!([]));
    let page = sandbox.agent_run(&["import", "env"]).clean().stdout;
    assert!(page.contains("The key may belong to zai-coding instead."), "{page}");
    assert!(page.contains("# Fill in RESOURCE and DEPLOYMENT."), "{page}");
    sandbox.agent_run(&["import", "env", "--write"]).clean();
    sandbox.agent_run(&["config", "check"]).clean();
}

/// One provider for Claude Code and Codex, one for Claude Code alone behind cc-switch's own proxy, one login.
fn cc_switch() -> Json {
    let codex = "model_provider = \"custom\"\nmodel = \"g\"\n[model_providers.custom]\nname = \"x\"\n\
                 base_url = \"https://packy.example/v1\"\nwire_api = \"responses\"\nrequires_openai_auth = true\n";
    json!({
        "version": 2,
        "claude": {"current": "a", "providers": {
            "a": {"id": "a", "name": "Packy Code", "settingsConfig": {"env": {
                "ANTHROPIC_BASE_URL": "https://packy.example", "ANTHROPIC_AUTH_TOKEN": KEY}}},
            "b": {"id": "b", "name": "Chat", "meta": {"apiFormat": "openai_chat"}, "settingsConfig": {"env": {
                "ANTHROPIC_BASE_URL": "https://chat.example/v1", "ANTHROPIC_API_KEY": "other"}}},
            "c": {"id": "c", "name": "Claude Official", "settingsConfig": {"env": {}}},
        }},
        "codex": {"current": "d", "providers": {
            "d": {"id": "d", "name": "Packy Code", "settingsConfig": {"auth": {"OPENAI_API_KEY": KEY}, "config": codex}},
        }},
        "mcp": {},
    })
}

#[track_caller]
fn is_cc_switch(found: &Json) {
    let packy = provider(found, "packy-code");
    assert_eq!(packy["protocols"], json!(["anthropic", "openai-responses"]));
    let urls = json!({"openai": "https://packy.example/v1", "anthropic": "https://packy.example"});
    assert_eq!((&packy["base_urls"], &packy["key_env"]), (&urls, &json!("PACKY_CODE_API_KEY")));
    let chat = provider(found, "chat");
    assert_eq!(chat["protocols"], json!(["openai-chat-completions"]));
    assert_eq!(chat["base_urls"]["openai"], "https://chat.example/v1");
    assert!(found["skipped"].to_string().contains("Claude Official"), "{found:#}");
}

#[test]
fn cc_switchs_old_file_becomes_providers() {
    let sandbox = Sandbox::new();
    sandbox.write(&sandbox.home(".cc-switch/config.json"), cc_switch().to_string());
    is_cc_switch(&imported(&sandbox, "cc-switch"));
}

#[test]
fn cc_switchs_database_is_read_where_sqlite_is() {
    let sandbox = Sandbox::new();
    let path = sandbox.home(".cc-switch/cc-switch.db");
    sandbox.write(&path, "");
    if Command::new("sqlite3").arg("-version").output().is_ok() {
        let mut sql = "CREATE TABLE providers (id TEXT, app_type TEXT, name TEXT, settings_config TEXT, \
                       sort_index INTEGER, meta TEXT NOT NULL DEFAULT '{}');\n"
            .to_owned();
        for (app, manager) in cc_switch().as_object().unwrap() {
            for (id, one) in manager["providers"].as_object().into_iter().flatten() {
                let text = |value: &Json| value.to_string().replace('\'', "''");
                let name = one["name"].as_str().unwrap();
                let (settings, meta) = (text(&one["settingsConfig"]), text(&one["meta"]));
                let values = format!("'{id}','{app}','{name}','{settings}',NULL,'{meta}'");
                sql.extend(["INSERT INTO providers VALUES (", &values, ");\n"]);
            }
        }
        run(Command::new("sqlite3").arg(&path).arg(sql)).exits(0);
        let tree = Tree::of(&sandbox.home(".cc-switch"));
        is_cc_switch(&imported(&sandbox, "cc-switch"));
        assert_eq!(tree, Tree::of(&sandbox.home(".cc-switch")));
    }
    let bin = sandbox.path("bin").display().to_string();
    let without = sandbox.var("PATH", bin).agent_run(&["import", "cc-switch"]).exits(1);
    without.complains(&["the program sqlite3 is not on PATH", "help: install sqlite3"]);
}

#[test]
fn what_is_not_there_or_broken_is_said() {
    let sandbox = Sandbox::new();
    let nothing: Ran = sandbox.agent_run(&["import", "codex"]).exits(1);
    nothing.complains(&["no providers found in ", ".codex/config.toml", "help: "]);
    sandbox.write(&sandbox.home(".codex/config.toml"), format!("key = {KEY}\n"));
    let broken = sandbox.agent_run(&["import", "codex"]).exits(1).complains(&["not TOML"]);
    assert!(!broken.stderr.contains(KEY));
    sandbox.write(&sandbox.home(".claude/settings.json"), format!("{{\"env\": {KEY}}}"));
    let broken = sandbox.agent_run(&["import", "claude"]).exits(1).complains(&["not JSON at line 1"]);
    assert!(!broken.stderr.contains(KEY));
    // Who named the file knows that Codex does not read it.
    let claude = sandbox.home(".claude/settings.json").display().to_string();
    let other = sandbox.agent_run(&["import", "codex", &claude]).exits(1);
    other.complains(&["not TOML, so no config of Codex\nhelp: name a config.toml of Codex"]);
}
