//! The generated config: what comes of the user's own, and what stays of Codex's.

use super::*;
use crate::Message;

#[test]
fn the_users_settings_come_along_in_every_form() {
    let own = "\u{feff}# mine\r\napproval_policy = 'never'\r\nfeatures.x = true\r\n\
        tui = { theme = 'grün' }\r\nmodel = 'gpt'\r\nmodel_reasoning_effort = 'high'\r\n\
        [features.y]\r\nz = 1\r\n[shell_environment_policy]\r\nfilters = { A = 'exclude' }\r\nset = { B = 'b' }\r\n";
    let table = generated(own);
    assert_eq!(table["approval_policy"].as_str(), Some("never"));
    assert_eq!(table["tui"]["theme"].as_str(), Some("grün"));
    assert_eq!(table["features"]["x"].as_bool(), Some(true));
    assert_eq!(table["features"]["daemon_auto_start"].as_bool(), Some(false));
    assert!(!table.contains_key("model"), "it goes on the command line");
    assert_eq!(table["model_reasoning_effort"].as_str(), Some("high"));
    assert_eq!(table["shell_environment_policy"]["filters"]["A"].as_str(), Some("exclude"));
    assert_eq!(table["shell_environment_policy"]["set"]["B"].as_str(), Some("b"));
    assert_eq!(table["shell_environment_policy"]["set"][KEY].as_str(), Some(""));
}

#[test]
fn what_is_wrong_on_another_provider_is_left_out_in_silence() {
    let own = "model_catalog_json='x'\nmodel_context_window=1\nmodel_auto_compact_token_limit=1\n\
        review_model='x'\nservice_tier='fast'\nopenai_base_url='x'\nchatgpt_base_url='x'\noss_provider='x'\n\
        forced_chatgpt_workspace_id='x'\nforced_login_method='chatgpt'\nsqlite_home='/x'\n\
        experimental_thread_store_endpoint='x'\nexperimental_realtime_ws_base_url='http://x'\n\
        experimental_realtime_webrtc_call_base_url='http://x'\n[profiles.x]\nmodel='y'\n";
    let plan = plan(&launch(), &machine(&[("/h/.codex/config.toml", own)])).expect("a plan");
    assert_eq!(written(&plan, CONFIG).parse::<toml::Table>().expect("TOML"), generated(""));
    assert!(plan.notes.is_empty());
}

#[test]
fn what_would_stop_codex_is_left_out_and_named_each_time() {
    let own = "profile='x'\nmodel_reasoning_effort='xhigh'\nplan_mode_reasoning_effort='ultra'\n[model_providers]\nopenai={name='o'}\nold={name='o',wire_api='chat'}\n\
        blank={name=''}\ngood={name='g',base_url='http://g'}\nagent-run={name='mine',base_url='http://m'}\n";
    let machine = machine(&[("/h/.codex/config.toml", own)]);
    let first = plan(&launch(), &machine).expect("a plan");
    let config: toml::Table = written(&first, CONFIG).parse().expect("TOML");
    let providers = config["model_providers"].as_table().expect("a table");
    assert_eq!(providers.keys().collect::<Vec<_>>(), ["agent-run", "good"]);
    assert_eq!(providers["agent-run"]["base_url"].as_str(), Some("http://127.0.0.1:9/unused"));
    let warnings_of = |plan: &Plan| warnings(plan).join("\n");
    let said = warnings_of(&first);
    for part in [
        "`profile`",
        "-c 'model_reasoning_effort=\"xhigh\"'",
        "`plan_mode_reasoning_effort=\"ultra\"`",
        "providers.openai]",
        "providers.old]",
        "providers.blank]",
        "/h/.codex/config.toml",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert!(config.keys().all(|key| !key.ends_with("reasoning_effort")), "{config}");
    assert_eq!(warnings(&first).len(), 6);
    let second = plan(&launch(), &after(&first, machine)).expect("a plan");
    assert_eq!(warnings_of(&second), said);
}

#[test]
fn a_broken_config_is_named_with_its_place() {
    let own = "model = 'x'\n\n[tui\nx = 1\n";
    let error = plan(&launch(), &machine(&[("/h/.codex/config.toml", own)])).expect_err("refused");
    let text = Message::of(&error).render();
    assert!(text.starts_with("could not read /h/.codex/config.toml:3:5: "), "{text}");
    assert!(text.contains("\nhelp: "), "{text}");
    let isolated = Launch { isolated: true, ..launch() };
    plan(&isolated, &machine(&[("/h/.codex/config.toml", own)])).expect("not read");
}

#[test]
fn a_known_window_is_said_and_retries_are_the_users() {
    // A model that Codex knows; of others the catalogue says it.
    let model = Model { context_window: Some(32_768), ..Model::named("gpt-6-sol") };
    let launch = Launch { model: Sourced::new(model, Origin::Default(String::new())), ..launch() };
    let own = "features.unbounded_connection_retries = true";
    let plan = plan(&launch, &machine(&[("/h/.codex/config.toml", own)])).expect("a plan");
    let config: toml::Table = written(&plan, CONFIG).parse().expect("TOML");
    assert!(words(&plan).contains(&"model_context_window=32768"));
    assert_eq!(config["features"]["unbounded_connection_retries"].as_bool(), Some(true));
}

#[test]
fn minimal_tools_are_functions_only() {
    let own = "web_search='live'\n[mcp_servers.mine]\nurl='http://m'\n[mcp_servers.local]\ncommand='x'\n";
    let launch = Launch { codex_tools: ToolSet::Minimal, ..launch() };
    let plan = plan(&launch, &machine(&[("/h/.codex/config.toml", own)])).expect("a plan");
    for said in [r#"web_search="disabled""#, "agents.enabled=false", "features.goals=false"] {
        assert!(words(&plan).contains(&said), "{said}");
    }
    let servers = word(&plan, "mcp_servers=").expect("a word");
    assert_eq!(servers.keys().collect::<Vec<_>>(), ["codex_tui", "local", "mine"]);
    assert!(servers["local"].get("url").is_none(), "a command stays one");
    assert!(servers.values().all(|server| server["enabled"].as_bool() == Some(false)));
    assert_eq!(models::slugs(&plan), ["M"]);
}

#[test]
fn trust_in_hooks_counts_in_the_runtime_home_too() {
    let own = "[hooks.state.'/h/.codex/hooks.json:stop:0:0']\ntrusted_hash='1'\n\
        [hooks.state.'/h/.codexx/hooks.json:stop:0:0']\ntrusted_hash='2'\n";
    let table = generated(own);
    let state = table["hooks"]["state"].as_table().expect("a table");
    assert_eq!(state["/s/codex-shared/home/hooks.json:stop:0:0"]["trusted_hash"].as_str(), Some("1"));
    assert_eq!(
        state["/s/codex-shared/home-without-env/hooks.json:stop:0:0"],
        state["/h/.codex/hooks.json:stop:0:0"]
    );
    assert_eq!(state.len(), 4);
}

#[test]
fn what_codex_changes_about_a_hook_in_one_home_counts_in_the_one_beside_it() {
    let machine = machine(&[]);
    let first = plan(&launch(), &machine).expect("a plan");
    let mut machine = after(&first, machine);
    let place = |home: &str| format!("/s/codex-shared/{home}/hooks.json:stop:0:0");
    let trusts = |machine: &Inputs| -> Option<toml::Table> {
        let config: toml::Table = machine.text(Path::new(CONFIG)).ok()??.parse().ok()?;
        config.get("hooks")?.get("state")?.as_table().cloned()
    };
    let mut next = |state: &[(&str, &str)]| {
        let mut config: toml::Table = written(&first, CONFIG).parse().expect("TOML");
        let trust = |hash: &str| toml::Table::from_iter([("trusted_hash".to_owned(), hash.into())]);
        let state = state.iter().map(|(home, hash)| (place(home), trust(hash).into()));
        let hooks = toml::Table::from_iter([("state".to_owned(), state.collect::<toml::Table>().into())]);
        config.insert("hooks".to_owned(), hooks.into());
        let text = toml::to_string(&config).expect("TOML");
        machine.facts.insert(CONFIG.into(), Fact::File(text.into()));
        machine = after(&plan(&launch(), &machine).expect("a plan"), machine.clone());
        let state = trusts(&machine).unwrap_or_default();
        ["home", "home-without-env"]
            .map(|home| Some(state.get(&place(home))?["trusted_hash"].as_str()?.to_owned()))
    };
    let both = |hash: &str| [Some(hash.to_owned()), Some(hash.to_owned())];
    assert_eq!(next(&[("home-without-env", "1")]), both("1"), "given beside");
    assert_eq!(next(&[("home", "2"), ("home-without-env", "1")]), both("2"), "given again");
    assert_eq!(next(&[("home-without-env", "2")]), [None, None], "taken back");
}

#[test]
fn what_codex_wrote_stays_and_what_the_launch_decides_comes_back() {
    let own = "[mcp_servers.a]\nurl='http://a'\n";
    let machine = machine(&[("/h/.codex/config.toml", own)]);
    let first = plan(&launch(), &machine).expect("a plan");
    let mut machine = after(&first, machine);
    let left = written(&first, CONFIG)
        .replace(
            "model_provider =",
            "model = \"gpt\"\nmodel_reasoning_effort = \"high\"\nservice_tier = \"fast\"\nmodel_provider =",
        )
        .replace("http://a", "http://b")
        + "[projects.\"/w\"]\ntrust_level = \"trusted\"\n";
    machine.facts.insert(CONFIG.into(), Fact::File(left.into()));
    let second = plan(&launch(), &machine).expect("a plan");
    let expected = written(&first, CONFIG).replace("http://a", "http://b")
        + "\n[projects.\"/w\"]\ntrust_level = \"trusted\"\n";
    let table = |text: &str| text.parse::<toml::Table>().expect("TOML");
    assert_eq!(table(&written(&second, CONFIG)), table(&expected));

    let machine = after(&second, machine);
    let third = plan(&launch(), &machine).expect("a plan");
    assert_eq!(written(&third, CONFIG), written(&second, CONFIG));
    assert!(!third.files.contains_key(&Path::new(HOME).join(".agent-run-base.toml")), "nothing was parsed");

    let mut wiped = machine;
    wiped.facts.insert(CONFIG.into(), Fact::Absent);
    let fourth = plan(&launch(), &wiped).expect("a plan");
    assert_eq!(written(&fourth, CONFIG), written(&second, CONFIG), "the record is used");
}

#[test]
fn a_change_of_the_users_config_arrives_beside_what_codex_wrote() {
    let machine = machine(&[("/h/.codex/config.toml", "a=1\nb=1\n")]);
    let first = plan(&launch(), &machine).expect("a plan");
    let mut machine = after(&first, machine);
    let left = written(&first, CONFIG).replace("b = 1\n", "") + "[tui]\nx = 1\n";
    machine.facts.insert(CONFIG.into(), Fact::File(left.into()));
    machine.facts.insert("/h/.codex/config.toml".into(), Fact::File(b"a=2\nb=1\n".to_vec()));
    let second: toml::Table =
        written(&plan(&launch(), &machine).expect("a plan"), CONFIG).parse().expect("TOML");
    assert_eq!(second["a"].as_integer(), Some(2));
    assert!(!second.contains_key("b"), "Codex removed it");
    assert_eq!(second["tui"]["x"].as_integer(), Some(1));
}
