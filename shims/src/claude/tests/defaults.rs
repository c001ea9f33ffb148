//! What a launch adds where the user says nothing.

use serde_json::{Value as Json, json};

use super::settings_override::{LOCAL, USER};
use super::{DEFAULTS, Machine, launch};
use crate::Launch;

fn settings(machine: Machine, launch: &Launch) -> Json {
    let plan = machine.plan(launch).expect("a plan");
    let at = plan.args.iter().position(|arg| arg == "--settings");
    at.map_or(Json::Null, |at| serde_json::from_str(plan.args[at + 1].to_str().expect("text")).expect("JSON"))
}

#[test]
fn auto_mode_is_off_unless_the_user_names_a_mode() {
    let defaults: Json = serde_json::from_str(DEFAULTS).expect("JSON");
    assert_eq!(settings(Machine::onboarded(), &launch()), defaults);
    let off = |settings: Json| settings["permissions"]["disableAutoMode"] == "disable";
    for own in [
        r#"{"permissions": {"defaultMode": "auto"}}"#,
        r#"{"permissions": {"disableAutoMode": "disable"}}"#,
        r#"{"disableAutoMode": "disable"}"#,
    ] {
        assert!(!off(settings(Machine::onboarded().file(USER, own), &launch())), "{own}");
        assert!(off(settings(Machine::onboarded().file(LOCAL, own), &launch())), "a project's: {own}");
    }
    for words in
        [&["--permission-mode", "auto"][..], &["--permission-mode=plan"], &["--dangerously-skip-permissions"]]
    {
        let launch = Launch { args: words.iter().map(Into::into).collect(), ..launch() };
        assert!(!off(settings(Machine::onboarded(), &launch)), "{words:?}");
    }
}

#[test]
fn at_anthropic_itself_only_variables_are_held() {
    let mut launch = launch();
    launch.base_url.value = "https://api.anthropic.com".to_owned();
    let defaults: Json = serde_json::from_str(DEFAULTS).expect("JSON");
    assert_eq!(
        settings(Machine::onboarded(), &launch),
        json!({"env": defaults["env"], "availableModels": ["m-main"]})
    );
}

#[test]
fn what_the_user_says_of_web_fetch_and_messages_stays() {
    let own = r#"{"skipWebFetchPreflight": false, "crossSessionInbound": "accept"}"#;
    let said = settings(Machine::onboarded().file(USER, own), &launch());
    assert!(said["skipWebFetchPreflight"].is_null() && said["crossSessionInbound"].is_null(), "{said}");
    assert_eq!(said["permissions"], json!({"disableAutoMode": "disable"}));
    let mut launch = launch();
    launch.extra_env.insert("CLAUDE_CODE_HARBOR_KITE".to_owned(), "1".into());
    assert!(settings(Machine::onboarded(), &launch)["crossSessionInbound"].is_null());
}
