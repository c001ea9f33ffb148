//! Certificates, and the variable that the provider's key was read from.

use std::ffi::OsStr;

use super::settings_override::{LOCAL, USER, guard};
use super::{Machine, is_unset, launch, plan, set, warnings};
use crate::Value;

#[test]
fn what_the_users_own_settings_trust_goes_into_the_environment() {
    let names = [
        "NODE_EXTRA_CA_CERTS",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "CLAUDE_CODE_CLIENT_CERT",
        "CLAUDE_CODE_CLIENT_KEY",
        "CLAUDE_CODE_CERT_STORE",
    ];
    for name in names {
        let settings = format!(r#"{{"env": {{"{name}": "/own"}}}}"#);
        let own = plan(Machine::onboarded().var(name, "/inherited").file(USER, &settings));
        assert_eq!(set(&own, name).as_deref(), Some("/own"));
        assert_eq!(guard(&own), None);

        let project = plan(Machine::onboarded().file(LOCAL, &settings));
        assert!(!project.env.contains_key(OsStr::new(name)), "{name}");
        assert_eq!(guard(&project), Some(serde_json::json!({"env": {name: ""}})));
        let both =
            plan(Machine::onboarded().file(USER, settings.replace("own", "mine")).file(LOCAL, &settings));
        assert_eq!(guard(&both), Some(serde_json::json!({"env": {name: "/mine"}})));
        let inherited = plan(Machine::onboarded().var(name, "/inherited").file(LOCAL, &settings));
        assert_eq!(guard(&inherited), Some(serde_json::json!({"env": {name: "/inherited"}})));

        let mut configured = launch();
        configured.extra_env.insert(name.to_owned(), Value::from("/config"));
        let config = Machine::onboarded().file(USER, &settings).plan(&configured).expect("a plan");
        assert_eq!(set(&config, name).as_deref(), Some("/config"), "the config has the last word");
    }
}

#[test]
fn a_project_neither_turns_the_check_of_certificates_off_nor_chooses_the_config_of_a_launch_within() {
    for name in ["NODE_TLS_REJECT_UNAUTHORIZED", "AGENT_RUN_CONFIG"] {
        let settings = format!(r#"{{"env": {{"{name}": "0"}}}}"#);
        let held = plan(Machine::onboarded().file(LOCAL, &settings));
        assert_eq!(guard(&held), Some(serde_json::json!({"env": {name: ""}})));
        assert_eq!(guard(&plan(Machine::onboarded().file(USER, &settings))), None);
    }
}

#[test]
fn the_passphrase_of_a_certificate_is_named_and_in_no_plan() {
    let settings = r#"{"env": {"CLAUDE_CODE_CLIENT_KEY_PASSPHRASE": "hunter2"}}"#;
    let plan = plan(Machine::onboarded().file(USER, settings));
    assert!(warnings(&plan)[0].contains("help: set CLAUDE_CODE_CLIENT_KEY_PASSPHRASE in the environment"));
    assert!(!format!("{plan:?}").contains("hunter2"));
}

#[test]
fn the_key_variable_stays_only_where_the_users_own_servers_or_hooks_name_it() {
    let mut launch = launch();
    launch.key_variables = ["ACME_KEY".to_owned()].into();
    let machine = || Machine::onboarded().var("ACME_KEY", "k");
    let stays = |machine: Machine| {
        let plan = machine.plan(&launch).expect("a plan");
        assert_eq!(is_unset(&plan, "ACME_KEY"), plan.env.contains_key(OsStr::new("ACME_KEY")));
        !is_unset(&plan, "ACME_KEY")
    };
    let state = |more: &str| format!(r#"{{"hasCompletedOnboarding": true, {more}}}"#);
    let server = r#"{"s": {"type": "http", "url": "http://x", "headers": {"A": "${ACME_KEY}"}}}"#;
    let hook = r#"{"hooks": {"Stop": [{"hooks": [{"type": "http", "url": "http://x", "allowedEnvVars": ["ACME_KEY"]}]}]}}"#;
    assert!(!stays(machine()));
    assert!(stays(machine().file("/home/u/.claude.json", state(&format!(r#""mcpServers": {server}"#)))));
    let project = format!(r#""projects": {{"/w": {{"mcpServers": {server}}}}}"#);
    assert!(stays(machine().file("/home/u/.claude.json", state(&project))));
    assert!(stays(machine().file(USER, hook)));

    assert!(!stays(machine().file("/home/u/.claude.json", state(r#""history": ["${ACME_KEY}"]"#))));
    assert!(!stays(machine().file("/home/u/.claude.json", state(&project.replace("ACME_KEY", "ACME_KEYS")))));
    assert!(!stays(machine().file(LOCAL, hook)), "a project's");
    assert!(!stays(machine().file("/work/.mcp.json", format!(r#"{{"mcpServers": {server}}}"#))));

    let both = machine().file(USER, hook).file(LOCAL, hook).plan(&launch).expect("a plan");
    assert_eq!(guard(&both).expect("a list")["httpHookAllowedEnvVars"], serde_json::json!([]), "from both");
    let own = machine().file(USER, hook).plan(&launch).expect("a plan");
    assert_eq!(guard(&own), None, "{:?}", own.notes);
}
