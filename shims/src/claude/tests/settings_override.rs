//! Settings files and what holds against them.

use super::{Machine, args, launch, plan, warnings};
use crate::{Fact, Message, Plan, Value};

/// What `--settings` in front says beyond the defaults, if it is there.
pub fn guard(plan: &Plan) -> Option<serde_json::Value> {
    match args(plan).as_slice() {
        ["--settings", json, ..] | ["--model", _, "--settings", json, ..] => {
            let mut said: serde_json::Value = serde_json::from_str(json).expect("JSON");
            let defaults: serde_json::Value = serde_json::from_str(super::DEFAULTS).expect("JSON");
            if let Some(env) = said["env"].as_object_mut() {
                env.retain(|name, value| defaults["env"].get(name) != Some(value));
            }
            let keys = said.as_object_mut().expect("an object");
            keys.retain(|key, value| defaults.get(key) != Some(value) && *value != serde_json::json!({}));
            Some(said)
        }
        _ => None,
    }
}

pub const USER: &str = "/home/u/.claude/settings.json";
pub const LOCAL: &str = "/work/.claude/settings.local.json";

#[test]
fn settings_that_change_nothing_of_the_launch_need_no_guard() {
    let harmless = r#"{
        "model": "opus", "permissions": {"allow": []}, "apiKeyHelper": "", "agent": "",
        "availableModels": ["m-main"],
        "env": {
            "ANTHROPIC_BASE_URL": "http://elsewhere", "ANTHROPIC_AUTH_TOKEN": "t", "HTTPS_PROXY": "http://p",
            "CLAUDE_CODE_USE_BEDROCK": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "EDITOR": "vi"
        }
    }"#;
    for text in [harmless, "", " \n", "[1]", "{\"env\": 5}"] {
        let plan = plan(Machine::onboarded().file(USER, text));
        assert_eq!(args(&plan), [""; 0], "{text}");
        assert!(plan.notes.is_empty(), "{:?}", plan.notes);
    }
}

#[test]
fn settings_that_beat_the_environment_are_guarded() {
    let plan = plan(
        Machine::onboarded()
            .file(USER, r#"{"apiKeyHelper": "cat key", "env": {"ANTHROPIC_PROFILE": "x"}}"#)
            .file(LOCAL, r#"{"availableModels": ["x"], "env": {"CLAUDE_CODE_MAX_OUTPUT_TOKENS": 5}}"#)
            .file("/work/.claude/settings.json", r#"{"env": {"ENABLE_CLAUDEAI_MCP_SERVERS": "true"}}"#),
    );
    let expected = serde_json::json!({
        "apiKeyHelper": "",
        "env": {
            "ANTHROPIC_PROFILE": "", "CLAUDE_CODE_MAX_OUTPUT_TOKENS": "",
            "ENABLE_CLAUDEAI_MCP_SERVERS": "false",
        },
    });
    assert_eq!(guard(&plan), Some(expected));
}

#[test]
fn every_setting_that_the_list_says_is_replaced_is_guarded() {
    for key in crate::judged::claude::SETTING_REPLACED {
        let is_held = [r#""m-other""#, r#"["m-other"]"#, r#"{"m-main": "m-other"}"#].iter().any(|value| {
            let plan = plan(Machine::onboarded().file(LOCAL, format!(r#"{{"{key}": {value}}}"#)));
            let at = plan.args.iter().position(|arg| arg == "--settings").expect("settings");
            let said = plan.args[at + 1].to_str().expect("text");
            serde_json::from_str::<serde_json::Value>(said).expect("JSON").get(*key).is_some()
        });
        assert!(is_held, "{key} of a settings file is left as it is");
    }
}

#[test]
fn the_state_files_env_is_guarded_too() {
    let state = r#"{"hasCompletedOnboarding": true, "env": {"ANTHROPIC_PROFILE": "x"}}"#;
    let plan = plan(Machine::bare().file("/home/u/.claude.json", state));
    assert_eq!(guard(&plan), Some(serde_json::json!({"env": {"ANTHROPIC_PROFILE": ""}})));
}

#[test]
fn a_providers_own_value_goes_into_the_guard_unless_it_is_secret() {
    let theirs = r#"{"env": {"ANTHROPIC_CUSTOM_HEADERS": "X: 1", "MINE": "theirs"}}"#;
    let mut launch = launch();
    launch.headers.insert("X-Org".to_owned(), "acme".into());
    launch.extra_env.insert("MINE".to_owned(), "ours".into());
    let plan = Machine::onboarded().file(USER, theirs).plan(&launch).expect("a plan");
    let expected = serde_json::json!({"env": {"ANTHROPIC_CUSTOM_HEADERS": "X-Org: acme", "MINE": "ours"}});
    assert_eq!(guard(&plan), Some(expected));
    assert!(plan.notes.is_empty(), "{:?}", plan.notes);

    launch.headers.insert("X-Key".to_owned(), Value::key());
    launch.extra_env.insert("MINE".to_owned(), Value::key());
    let plan = Machine::onboarded().file(USER, theirs).plan(&launch).expect("a plan");
    assert_eq!(guard(&plan), Some(serde_json::json!({})));
    assert_eq!(warnings(&plan).len(), 2, "{:?}", plan.notes);
}

#[test]
fn an_agent_setting_or_option_brings_the_model_in_front() {
    let mut forwarded = launch();
    forwarded.args = ["--agent=x", "-p"].map(Into::into).into();
    let by_option = Machine::onboarded().plan(&forwarded).expect("a plan");
    assert_eq!(args(&by_option), ["--model", "m-main", "--agent=x", "-p"]);
    let by_setting = plan(Machine::onboarded().file(LOCAL, r#"{"agent": "x"}"#));
    assert_eq!(args(&by_setting), ["--model", "m-main"]);
}

#[test]
fn what_no_argument_beats_is_refused() {
    for env in [r#"{"ANTHROPIC_UNIX_SOCKET": "/s"}"#, r#"{"CLAUDE_CODE_DISABLE_AGENT_VIEW": "0"}"#] {
        let settings = format!(r#"{{"env": {env}}}"#);
        let error =
            Message::of(&Machine::onboarded().file(LOCAL, settings).plan(&launch()).expect_err(env)).render();
        assert!(error.starts_with(LOCAL) && error.contains("\nhelp: remove it"), "{error}");
    }
    for harmless in [r#""yes""#, "true", "1"] {
        let settings = format!(r#"{{"env": {{"CLAUDE_CODE_DISABLE_AGENT_VIEW": {harmless}}}}}"#);
        plan(Machine::onboarded().file(LOCAL, settings));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_managed_policy_is_never_passed_by_in_silence() {
    let policy = "/etc/claude-code/managed-settings.json";
    let quiet = plan(Machine::onboarded().file(policy, r#"{"permissions": {}, "env": {"EDITOR": "vi"}}"#));
    assert!(quiet.notes.is_empty(), "{:?}", quiet.notes);
    let more = "/etc/claude-code/managed-settings.d/10.json";
    let entry = crate::Entry { name: "10.json".into(), kind: crate::EntryKind::File };
    let loud = plan(
        Machine::onboarded()
            .file(policy, r#"{"forceLoginMethod": "console"}"#)
            .fact("/etc/claude-code/managed-settings.d", Fact::Dir(vec![entry]))
            .file(more, r#"{"env": {"ANTHROPIC_BASE_URL": "https://x"}, "availableModels": ["y"]}"#),
    );
    let said = warnings(&loud);
    assert!(said[0].contains(policy) && said[0].contains("forceLoginMethod"), "{said:?}");
    assert!(said[1].contains("availableModels, env.ANTHROPIC_BASE_URL"), "{said:?}");
    let helper = Machine::onboarded().file(policy, r#"{"apiKeyHelper": "x"}"#).plan(&launch());
    assert!(Message::of(&helper.expect_err("refused")).render().contains("`acme`"));
}

#[test]
fn a_fallback_model_of_the_settings_is_none_of_the_launchs() {
    let foreign = plan(Machine::onboarded().file(USER, r#"{"fallbackModel": ["opus", "x"]}"#));
    assert_eq!(guard(&foreign), Some(serde_json::json!({"fallbackModel": []})));
    let ours = plan(Machine::onboarded().file(USER, r#"{"fallbackModel": ["m-main"]}"#));
    assert_eq!(guard(&ours), None);
}

#[test]
fn a_server_that_names_a_variable_with_the_key_is_turned_off_and_named() {
    let servers = r#"{"mcpServers": {
        "asks": {"type": "http", "url": "https://x.example", "headers": {"A": "Bearer ${ANTHROPIC_AUTH_TOKEN}"}},
        "defaults": {"url": "https://x.example/${ANTHROPIC_AUTH_TOKEN:-none}"},
        "other": {"url": "https://x.example/${ANTHROPIC_AUTH_TOKENS}"},
        "runs": {"command": "x", "env": {"K": "${ANTHROPIC_AUTH_TOKEN}"}}
    }}"#;
    // Above the working folder counts too.
    let machine = || Machine::onboarded().file("/.mcp.json", servers);
    let off = plan(machine());
    assert_eq!(guard(&off), Some(serde_json::json!({"disabledMcpjsonServers": ["asks", "defaults"]})));
    assert_eq!(warnings(&off).len(), 2, "{:?}", off.notes);

    let mut launch = launch();
    launch.args = vec!["--settings".into(), "{}".into()];
    let beside = machine().plan(&launch).expect("a plan");
    assert_eq!(guard(&beside), guard(&off), "the user's own --settings costs nothing");
}

#[test]
fn the_key_of_a_console_login_is_held_back_by_a_header_of_ours() {
    let state = r#"{"hasCompletedOnboarding": true, "primaryApiKey": "sk-ant-api03-theirs"}"#;
    let machine = || Machine::bare().file("/home/u/.claude.json", state);
    let held = plan(machine());
    let header = held.env.get(std::ffi::OsStr::new("ANTHROPIC_CUSTOM_HEADERS")).cloned().flatten();
    assert_eq!(header, Some(Value::from("x-api-key: ").then(Value::key())));
    let settings = r#"{"env": {"ANTHROPIC_CUSTOM_HEADERS": "X: 1"}}"#;
    let refused =
        Message::of(&machine().file(USER, settings).plan(&launch()).expect_err("it would be lost")).render();
    assert!(refused.contains("settings.json: env.ANTHROPIC_CUSTOM_HEADERS"), "{refused}");
}

#[test]
fn headers_of_a_policy_do_not_go_to_the_provider() {
    let policy = r#"{"env": {"ANTHROPIC_CUSTOM_HEADERS": "X-Corp: secret"}}"#;
    let machine = Machine::onboarded().file("/etc/claude-code/managed-settings.json", policy);
    let refused = Message::of(&machine.plan(&launch()).expect_err("it beats every argument")).render();
    assert!(refused.contains("would go to provider `acme` too\nhelp: ask"), "{refused}");
}

#[test]
fn a_hook_over_http_is_not_sent_the_key() {
    let hook = |more: &str| {
        format!(
            r#"{{"hooks": {{"Stop": [{{"hooks": [{{"type": "http", "url": "http://x",
            "allowedEnvVars": ["ANTHROPIC_AUTH_TOKEN", "MINE"]}}]}}]}}{more}}}"#
        )
    };
    for path in [USER, LOCAL] {
        let held = plan(Machine::onboarded().file(path, hook("")));
        assert_eq!(guard(&held), Some(serde_json::json!({"httpHookAllowedEnvVars": ["MINE"]})));
        let said = warnings(&held);
        assert!(said[0].starts_with(path) && said[0].contains("ANTHROPIC_AUTH_TOKEN"), "{said:?}");
    }
    let listed = plan(Machine::onboarded().file(LOCAL, hook(r#", "httpHookAllowedEnvVars": ["MINE"]"#)));
    assert_eq!(guard(&listed), None, "the user's own list holds it already");
    let mine = hook("").replace("ANTHROPIC_AUTH_TOKEN", "OTHER");
    assert_eq!(guard(&plan(Machine::onboarded().file(LOCAL, mine))), None);

    let list = hook(r#", "httpHookAllowedEnvVars": ["ANTHROPIC_AUTH_TOKEN"]"#);
    let error =
        Message::of(&Machine::onboarded().file(LOCAL, list).plan(&launch()).expect_err("refused")).render();
    assert!(error.starts_with(LOCAL) && error.contains("\nhelp: take ANTHROPIC_AUTH_TOKEN out"), "{error}");
    let mut launch = launch();
    launch.args = ["--settings", "{}"].map(Into::into).into();
    let beside = Machine::onboarded().file(LOCAL, hook("")).plan(&launch).expect("a plan");
    assert!(guard(&beside).expect("a guard")["httpHookAllowedEnvVars"].is_array());
}

#[cfg(target_os = "linux")]
#[test]
fn a_policy_that_forbids_the_model_or_the_provider_stops_the_launch() {
    let policy = |text: &str| Machine::onboarded().file("/etc/claude-code/managed-settings.json", text);
    let mut claudes = launch();
    claudes.model.value.id = "claude-opus-4-8".to_owned();
    for (launch, denied, stops) in [
        (launch(), "m-main", true),
        (launch(), "M-Main", true),
        (launch(), "m", false),
        (launch(), "opus", false),
        (claudes.clone(), "opus", true),
        (claudes.clone(), "claude-opus-4", true),
        (claudes, "claude-opus-4-7", false),
    ] {
        let plan = policy(&format!(r#"{{"deniedModels": ["{denied}"]}}"#)).plan(&launch);
        assert_eq!(plan.is_err(), stops, "{denied}");
        let error = plan.err().map(|error| Message::of(&error).render()).unwrap_or_default();
        assert!(!stops || error.contains("denies the model `") && error.contains("help: "), "{error}");
    }
    let pinned = r#"{"allowedProviders": ["customEndpoint"], "env": {"ANTHROPIC_BASE_URL": "https://api.acme.example/anthropic/"}}"#;
    policy(pinned).plan(&launch()).expect("the policy's own address");
    for forbidden in [r#"["customEndpoint"]"#, r#"["anthropic", "bedrock"]"#, "[]"] {
        let plan = policy(&format!(r#"{{"allowedProviders": {forbidden}}}"#)).plan(&launch());
        assert!(Message::of(&plan.expect_err(forbidden)).render().contains("provider `acme`"));
    }
    let mut anthropic = launch();
    anthropic.base_url.value = "https://api.anthropic.com".to_owned();
    policy(r#"{"allowedProviders": ["anthropic"]}"#).plan(&anthropic).expect("allowed");
}

#[test]
fn another_folder_as_the_project_is_refused() {
    for words in [&["--project-config-root=/r"][..], &["-p", "--project-config-root", "/r"]] {
        let launch = crate::Launch { args: words.iter().map(Into::into).collect(), ..launch() };
        let error = Machine::onboarded().plan(&launch).expect_err("refused");
        assert!(crate::Message::of(&error).render().contains("`--project-config-root` "), "{error}");
    }
}

#[test]
fn no_word_or_setting_starts_claude_code_in_a_terminal_outside_of_the_launch() {
    for words in [
        &["--worktree", "a", "--tmux"][..],
        &["-w", "--tmux=classic"],
        &["--tmux", "--", "hi"],
        &["-w", "--", "--tmux"],
        &["--teammate-mode", "tmux"],
        &["--teammate-mode=auto"],
    ] {
        let launch = crate::Launch { args: words.iter().map(Into::into).collect(), ..launch() };
        assert!(Machine::onboarded().plan(&launch).is_err(), "{words:?}");
    }
    let launch = crate::Launch {
        args: ["--teammate-mode=in-process", "-w", "tmux"].map(Into::into).into(),
        ..launch()
    };
    assert!(Machine::onboarded().plan(&launch).is_ok());

    let state = r#"{"hasCompletedOnboarding": true, "teammateMode": "auto"}"#;
    for machine in [
        Machine::onboarded().file(USER, r#"{"teammateMode": "tmux"}"#),
        Machine::onboarded().file(LOCAL, r#"{"teammateMode": "iterm2"}"#),
        Machine::bare().file("/home/u/.claude.json", state),
    ] {
        assert_eq!(guard(&plan(machine)), Some(serde_json::json!({"teammateMode": "in-process"})));
    }
    assert_eq!(guard(&plan(Machine::onboarded().file(USER, r#"{"teammateMode": "in-process"}"#))), None);
}

#[test]
fn what_a_file_may_say_later_is_pinned_unless_the_config_says_it() {
    let mut launch = launch();
    launch.headers.insert("X-Org".to_owned(), "acme".into());
    launch.extra_env.insert("CLAUDE_CODE_EXTRA_BODY".to_owned(), "{}".into());
    "inherit".clone_into(&mut launch.tiers.subagent);
    let plan = Machine::onboarded().plan(&launch).expect("a plan");
    let expected = serde_json::json!({"env": {"CLAUDE_CODE_SUBAGENT_MODEL_FORCE": ""}});
    assert_eq!(guard(&plan), Some(expected), "and no word of the config is in the arguments");
    let words = format!("{:?}", args(&plan));
    assert!(!words.contains("acme") && !words.contains("EXTRA_BODY"), "{words}");
}

#[test]
fn a_worktree_that_cannot_be_seen_yet_is_held_by_every_setting() {
    for words in
        [&["-w"][..], &["-wname"], &["-pw", "name"], &["--worktree"], &["-p", "--worktree=name", "hi"]]
    {
        let mut launch = launch();
        launch.args = words.iter().map(Into::into).collect();
        let plan = Machine::onboarded().var("EDITOR", "vi").plan(&launch).expect("a plan");
        assert_eq!(args(&plan)[..2], ["--model", "m-main"], "{words:?}");
        let held = guard(&plan).expect("settings");
        assert_eq!(held["apiKeyHelper"], "", "{words:?}");
        assert_eq!(held["fallbackModel"], serde_json::json!([]));
        assert_eq!(held["modelOverrides"], serde_json::json!({"m-main": ""}));
        assert_eq!(held["teammateMode"], "in-process");
        let variables = held["httpHookAllowedEnvVars"].as_array().expect("a list");
        assert!(variables.contains(&"EDITOR".into()) && !variables.contains(&"ANTHROPIC_AUTH_TOKEN".into()));
    }
    for words in [&["-p", "w"][..], &["--", "-w"], &["--verbose"]] {
        let mut launch = launch();
        launch.args = words.iter().map(Into::into).collect();
        let plan = Machine::onboarded().plan(&launch).expect("a plan");
        assert_eq!(guard(&plan), None, "{words:?}");
    }
}

#[test]
fn commands_about_other_sessions_are_refused() {
    let with = |words: &[&str]| {
        let mut launch = launch();
        launch.args = words.iter().map(Into::into).collect();
        Machine::onboarded().plan(&launch)
    };
    for words in [&["stop", "abc"][..], &["attach"], &["remote-control"], &["daemon", "status"]] {
        let error = with(words).expect_err("refused");
        let said = Message::of(&error).render();
        assert!(
            said.contains(&format!("help: run plain `claude {}`, without agent-run", words[0])),
            "{said}"
        );
    }
    for words in [&["mcp", "list"][..], &["--", "stop"], &["stop it"], &["-p", "stop"]] {
        assert!(with(words).is_ok(), "{words:?}");
    }
}
