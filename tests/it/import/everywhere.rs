//! Every tool at once, files of other names, and what the tools' settings have in other forms.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value as Json, json};

use super::{KEY, imported, joined, provider, with_claude};
use crate::support::Sandbox;

#[test]
fn keys_come_along_when_asked_for_and_the_file_is_private() {
    let sandbox = with_claude();
    sandbox.config("providers:\n");
    let path = sandbox.home(".config/agent-run/config.yaml");
    // Neither the screen nor a refusal has them.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let open = sandbox.agent_run(&["import", "claude", "--write", "--with-keys"]).exits(1);
    assert!(open.stderr.contains("help: run `chmod 600 ") && !open.stderr.contains(KEY), "{}", open.stderr);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    let refused = sandbox.agent_run(&["import", "claude", "--write", "--with-keys"]).exits(1);
    assert!(refused.stderr.contains("read-only") && !refused.stderr.contains(KEY), "{}", refused.stderr);
    fs::remove_file(&path).unwrap();
    let ran = sandbox.agent_run(&["import", "claude", "--write", "--with-keys"]).clean();
    assert!(ran.stdout.starts_with("# Added to ") && !ran.stdout.contains(KEY), "{}", ran.stdout);
    let path = sandbox.home(".config/agent-run/config.yaml");
    assert!(fs::read_to_string(&path).unwrap().contains(&format!("key: {KEY}")));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    sandbox.agent_run(&["config", "check", "--strict"]).clean();
}

#[test]
fn without_a_word_every_tool_is_looked_at_and_what_is_broken_is_left_out() {
    let sandbox = with_claude().var("XAI_API_KEY", KEY);
    sandbox.write(&sandbox.home(".codex/config.toml"), "not toml\n");
    sandbox.write(
        &sandbox.home(".hermes/config.yaml"),
        "providers: {h: {baseUrl: 'https://h.example/v1', keyEnv: H}}\n",
    );
    // The same as Claude Code's, by another tool.
    let same = json!({"claude": {"providers": {"a": {"name": "DS", "settingsConfig": {"env": {
        "ANTHROPIC_BASE_URL": "https://api.deepseek.com/anthropic", "ANTHROPIC_AUTH_TOKEN": KEY}}}}}});
    sandbox.write(&sandbox.home(".cc-switch/config.json"), same.to_string());
    let text = sandbox.agent_run(&["import"]).clean().stdout;
    let found: Json = serde_json::from_str(&sandbox.agent_run(&["import", "--json"]).clean().stdout).unwrap();
    assert!(!text.contains(KEY) && !found.to_string().contains(KEY), "{text}");
    let names: Vec<_> = found["providers"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["deepseek", "h", "xai"]);
    assert_eq!(found["tool"], Json::Null);
    let skipped = found["skipped"].to_string();
    assert!(skipped.contains("not TOML"), "{skipped}");
    let from = found["providers"][0]["from"].as_str().unwrap();
    assert!(from.contains("settings.json and cc-switch's claude provider DS in "), "{from}");
    assert!(text.contains("`agent-run import --write` adds this"), "{text}");
    sandbox.agent_run(&["import", "--write"]).clean();
    sandbox.agent_run(&["config", "check"]).exits(0);
    Sandbox::new().agent_run(&["import"]).exits(1).complains(&["no providers found", "providers presets"]);
}

/// Each tool has its own protocol and its own models.
#[test]
fn what_two_tools_say_of_one_provider_is_one_entry() {
    let sandbox = Sandbox::new();
    let url = "https://acme.example/v1";
    sandbox.write(
        &sandbox.home(".codex/config.toml"),
        format!("[model_providers.acme]\nbase_url = '{url}'\nenv_key = 'ACME_KEY'\nwire_api = 'responses'\n"),
    );
    let crush = |headers: Json| {
        let acme = json!({"type": "openai-compat", "base_url": url, "api_key": "$ACME_KEY", "extra_headers": headers,
            "models": [{"id": "m", "name": "M", "context_window": 64000}]});
        json!({"providers": {"acme": acme}}).to_string()
    };
    sandbox.write(&sandbox.home(".config/crush/crush.json"), crush(json!({"X-Org": "a"})));
    let found: Json = serde_json::from_str(&sandbox.agent_run(&["import", "--json"]).clean().stdout).unwrap();
    assert_eq!(found["skipped"], json!([]));
    let expected = json!({
        "protocols": ["openai-responses", "openai-chat-completions"],
        "base_urls": {"openai": url},
        "key_env": "ACME_KEY",
        "models": [{"id": "m", "context_window": 64000}],
        "headers": {"X-Org": "a"},
    });
    assert_eq!(provider(&found, "acme"), expected);
    // What the config lacks is said.
    sandbox.agent_run(&["import", "codex", "--write"]).exits(0);
    let page = sandbox.agent_run(&["import", "crush"]).clean().stdout;
    let said =
        "as acme; not there: openai-chat-completions, m; to add it, run `agent-run providers edit acme`";
    assert!(page.replace("\n# ", " ").contains(said), "{page}");
    fs::remove_file(sandbox.home(".config/agent-run/config.yaml")).unwrap();
    // Another value of a header may be another account.
    let toml = fs::read_to_string(sandbox.home(".codex/config.toml")).unwrap();
    sandbox.write(&sandbox.home(".codex/config.toml"), toml + "http_headers = {X-Org = 'b'}\n");
    let found: Json = serde_json::from_str(&sandbox.agent_run(&["import", "--json"]).clean().stdout).unwrap();
    assert_eq!(provider(&found, "acme")["headers"], json!({"X-Org": "b"}));
    assert_eq!(provider(&found, "acme-2")["headers"], json!({"X-Org": "a"}));
}

#[test]
fn a_file_of_another_name_is_read_with_or_without_a_byte_order_mark() {
    let sandbox = Sandbox::new();
    let env = json!({"ANTHROPIC_BASE_URL": "https://a.example", "ANTHROPIC_API_KEY": KEY});
    let settings = json!({"env": env, "model": "opus[1m]"});
    let file = sandbox.path("work/glm settings.json");
    sandbox.write(&file, format!("\u{feff}{settings}"));
    let words = ["import", "claude", "glm settings.json"];
    let found = sandbox.agent_run(&[&words[..], &["--json"]].concat()).clean().stdout;
    let found: Json = serde_json::from_str(&found).unwrap();
    // Claude Code's own name for a model is no model of the provider.
    assert_eq!(provider(&found, "a").get("default_model"), None);
    let page = sandbox.agent_run(&words).clean().stdout;
    // The command that prints the key works in every folder.
    let command = format!("[jq, -er, .env.ANTHROPIC_API_KEY, {}]", file.display());
    assert!(page.replace("\n    # ", " ").contains(&command), "{page}");
    assert!(page.contains("`agent-run import claude 'glm settings.json' --write`"), "{page}");
    sandbox.agent_run(&["import", "claude", "none.json"]).exits(1).complains(&["no such file: none.json"]);
    sandbox
        .agent_run(&["import", "env", "none.json"])
        .exits(1)
        .complains(&["`env` reads the environment, not a file"]);
}

#[test]
fn codexs_profiles_and_its_own_url_are_found() {
    let sandbox = Sandbox::new();
    sandbox.write(
        &sandbox.home(".codex/config.toml"),
        "openai_base_url = 'https://relay.example/v1'\nmodel = 'g'\n",
    );
    sandbox.write(
        &sandbox.home(".codex/work.config.toml"),
        "model_provider = 'w'\nmodel = 'm'\n[model_providers.w]\nbase_url = 'https://w.example/v1'\nenv_key = 'W'\n",
    );
    sandbox.write(&sandbox.home(".codex/auth.json"), json!({"OPENAI_API_KEY": KEY}).to_string());
    let found = imported(&sandbox, "codex");
    let relay = provider(&found, "relay");
    assert_eq!((&relay["default_model"], &relay["key_env"]), (&json!("g"), &json!("RELAY_API_KEY")));
    let work = provider(&found, "w");
    assert_eq!((&work["default_model"], &work["key_env"]), (&json!("m"), &json!("W")));
}

#[test]
fn hermes_other_names_for_its_keys_and_its_env_file_are_known() {
    let sandbox = Sandbox::new();
    let yaml = "providers:\n  a:\n    baseUrl: https://a.example/v1\n    api_key_env: A_KEY\n    models: [m1, {id: m2, \
                context_length: 7}]\n";
    sandbox.write(&sandbox.home(".hermes/config.yaml"), yaml);
    sandbox.write(&sandbox.home(".hermes/.env"), format!("# keys\nexport A_KEY={KEY} # mine\n"));
    let a = provider(&imported(&sandbox, "hermes"), "a");
    assert_eq!(a["models"], json!(["m1", {"id": "m2", "context_window": 7}]));
    let page = sandbox.agent_run(&["import", "hermes"]).clean().stdout;
    assert!(joined(&page).contains(".hermes/.env as A_KEY. Export it as:"), "{page}");
    let page = sandbox.agent_run(&["import", "hermes", "--write", "--with-keys"]).clean().stdout;
    assert!(!page.contains(KEY), "{page}");
    let config = fs::read_to_string(sandbox.home(".config/agent-run/config.yaml")).unwrap();
    assert!(config.contains(&format!("key: {KEY}")), "{config}");
    sandbox.write(&sandbox.home(".hermes/.env"), [b'A', b'=', 0xff]);
    let page = sandbox.agent_run(&["import", "hermes"]).clean().stdout;
    assert!(
        page.contains("# Not imported: its keys: could not read ") && page.contains(".hermes/.env"),
        "{page}"
    );
}

#[test]
fn cc_switchs_metadata_decides_before_the_settings_and_the_url() {
    let codex = |wire: &str, url: &str| {
        format!(
            "model_provider = 'c'\n[model_providers.c]\nbase_url = '{url}'\nwire_api = '{wire}'\nenv_key = 'K'\n"
        )
    };
    let entry = |name: &str, meta: Json, config: String| json!({"name": name, "meta": meta, "settingsConfig": {"auth": {}, "config": config}});
    let base = "https://chat.example/v1";
    let all = json!({"codex": {"providers": {
        "a": entry("By Meta", json!({"apiFormat": "openai_chat", "customUserAgent": "me/1", "apiKeyHeaderName": "X-Own"}),
            codex("responses", base)),
        "b": entry("By Url", json!({}), codex("responses", "https://b.example/v1/chat/completions")),
        "c": entry("Plain", json!({}), codex("responses", base)),
        "d": entry("Account", json!({"authBinding": {"source": "managed_account"}}), codex("responses", base)),
    }}});
    let sandbox = Sandbox::new();
    sandbox.write(&sandbox.home(".cc-switch/config.json"), all.to_string());
    let found = imported(&sandbox, "cc-switch");
    let by_meta = provider(&found, "by-meta");
    assert_eq!(by_meta["protocols"], json!(["openai-chat-completions"]));
    assert_eq!(by_meta["headers"], json!({"User-Agent": "me/1", "X-Own": "${context:key}"}));
    let by_url = provider(&found, "by-url");
    assert_eq!(by_url["protocols"], json!(["openai-chat-completions"]));
    assert_eq!(by_url["base_urls"]["openai"], "https://b.example/v1");
    assert_eq!(provider(&found, "plain")["protocols"], json!(["openai-responses"]));
    assert!(found["skipped"].to_string().contains("Account"), "{found:#}");
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs sqlite3: --features system-tools")]
fn cc_switchs_export_is_read_and_runs_nothing() {
    let sandbox = Sandbox::new();
    let settings = json!({"env": {"ANTHROPIC_BASE_URL": "https://e.example", "ANTHROPIC_AUTH_TOKEN": KEY}});
    let sql = format!(
        "-- CC Switch SQLite export\n.shell touch ran\nPRAGMA foreign_keys=OFF;\nCREATE TABLE providers (id TEXT, app_type \
         TEXT, name TEXT, settings_config TEXT, sort_index INTEGER, meta TEXT);\nINSERT INTO providers VALUES \
         ('a','claude','Exported','{settings}',NULL,'{{}}');\n"
    );
    let harmless = sql.replace(".shell touch ran\n", "");
    sandbox.write(&sandbox.path("work/harmless.sql"), harmless);
    sandbox.write(&sandbox.path("work/hostile.sql"), sql);
    let found = sandbox.agent_run(&["import", "cc-switch", "harmless.sql", "--json"]).clean().stdout;
    let found: Json = serde_json::from_str(&found).unwrap();
    assert_eq!(provider(&found, "exported")["base_urls"]["anthropic"], "https://e.example");
    let refused = sandbox.agent_run(&["import", "cc-switch", "hostile.sql"]).exits(1);
    refused.complains(&["could not read hostile.sql: ", "cannot run .shell in safe mode", "help: "]);
    assert!(!sandbox.path("work/ran").exists());
    // More complaints, or more rows, than a pipe holds.
    for (line, said) in
        [("INSERT INTO nowhere VALUES (1);\n", "table: nowhere"), ("SELECT 'x';\n", "table: providers")]
    {
        sandbox.write(&sandbox.path("work/long.sql"), line.repeat(20_000));
        sandbox.agent_run(&["import", "cc-switch", "long.sql"]).exits(1).complains(&[said, "help: "]);
    }
}

#[test]
fn keys_that_were_left_are_taken_when_asked_for_later() {
    let sandbox = with_claude();
    let ran = sandbox.agent_run(&["import", "claude", "--write"]).clean();
    assert!(ran.stdout.ends_with("\n# Next:\n#   agent-run key set deepseek\n"), "{}", ran.stdout);
    let keyless = fs::read_to_string(sandbox.home(".config/agent-run/config.yaml")).unwrap();
    let hint = "it has no key there: `agent-run import claude --write --with-keys` adds it";
    for words in [&["import", "claude"][..], &["import", "claude", "--with-keys"]] {
        let ran = sandbox.agent_run(words).clean();
        assert!(ran.stdout.contains(hint) && !ran.stdout.contains(KEY), "{}", ran.stdout);
    }
    let ran = sandbox.agent_run(&["import", "claude", "--write", "--with-keys"]).clean();
    assert!(
        ran.stdout.contains(": the key of deepseek, from ") && !ran.stdout.contains(KEY),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("Not imported"), "{}", ran.stdout);
    let keyed = fs::read_to_string(sandbox.home(".config/agent-run/config.yaml")).unwrap();
    assert!(keyed.contains(&format!("    key: {KEY}\n")) && !keyless.contains(KEY), "{keyed}");
    assert!(!keyed.contains("key_env") && !keyed.contains("Export it"), "{keyed}");
    let ran = sandbox.agent_run(&["import", "claude", "--write", "--with-keys"]).clean();
    assert!(!ran.stdout.contains("its key") && ran.stdout.contains("Nothing to add"), "{}", ran.stdout);
    // The user's own comment behind the key's line stays, and what was true without a key goes.
    let line = keyless.lines().find(|line| line.trim().starts_with("key_env: ")).unwrap();
    assert!(keyless.contains("Export it"), "{keyless}");
    sandbox.config(&keyless.replace(line, &format!("{line}  # mine")));
    sandbox.agent_run(&["import", "claude", "--write", "--with-keys"]).clean();
    let keyed = fs::read_to_string(sandbox.home(".config/agent-run/config.yaml")).unwrap();
    assert!(keyed.contains(&format!("    key: {KEY}  # mine\n")), "{keyed}");
    assert!(!keyed.contains("key_env") && !keyed.contains("Export it"), "{keyed}");
}
