//! Values from outside are taken as they are, or refused.

use super::settings_override::{USER, guard};
use super::{Machine, launch, set};
use crate::{Message, Value};

/// Every ASCII character, alone, at both ends and within.
fn texts() -> impl Iterator<Item = String> {
    (0..=127_u8)
        .map(char::from)
        .flat_map(|c| [format!("{c}"), format!("{c}x"), format!("x{c}"), format!("x{c}y")])
}

/// The headers as Claude Code 2.1.197 and 2.1.332 read them.
fn as_read(lines: &str) -> Vec<(String, String)> {
    let trim = |text: &str| text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').to_owned();
    let headers = lines.split('\n').filter_map(|line| line.split_once(':'));
    headers.map(|(name, value)| (trim(name), trim(value))).collect()
}

#[test]
fn a_header_arrives_as_it_is_written_or_is_refused() {
    for text in texts() {
        let mut with_value = launch();
        with_value.headers.insert("X-A".to_owned(), Value::from(text.clone()));
        match Machine::onboarded().plan(&with_value) {
            Ok(plan) => {
                let lines = set(&plan, "ANTHROPIC_CUSTOM_HEADERS").expect("headers");
                assert_eq!(as_read(&lines), [("X-A".to_owned(), text.clone())], "{text:?}");
            }
            Err(error) => {
                let is_odd = text.contains(char::is_control) || text.trim() != text;
                assert!(is_odd && Message::of(&error).render().contains("X-A"), "{text:?}: {error}");
            }
        }
        let mut with_name = launch();
        with_name.headers.insert(text.clone(), Value::key());
        match Machine::onboarded().plan(&with_name) {
            Ok(plan) => {
                let lines = set(&plan, "ANTHROPIC_CUSTOM_HEADERS").expect("headers");
                assert_eq!(as_read(&lines), [(text.clone(), "<key>".to_owned())], "{text:?}");
            }
            Err(error) => assert!(Message::of(&error).render().contains("header name"), "{text:?}: {error}"),
        }
    }
    let mut foreign = launch();
    foreign.headers.insert("X-A".to_owned(), Value::from("\u{e9}").then(Value::key()));
    Machine::onboarded().plan(&foreign).expect_err("Claude Code prints such a header in its error");
}

#[test]
fn an_id_or_a_value_of_the_config_is_itself_in_settings_and_variables() {
    for text in texts() {
        let mut launch = launch();
        launch.model.value.id.clone_from(&text);
        launch.tiers.haiku.clone_from(&text);
        launch.extra_env.insert("MINE".to_owned(), Value::from(text.clone()));
        let settings = r#"{"availableModels": ["x"], "env": {"MINE": "theirs"}}"#;
        match Machine::onboarded().file(USER, settings).plan(&launch) {
            Ok(plan) => {
                let guard = guard(&plan).expect("a guard");
                assert_eq!(guard["availableModels"][0], *text, "{text:?}");
                assert_eq!(guard["env"]["MINE"], *text, "{text:?}");
                assert_eq!(set(&plan, "ANTHROPIC_MODEL").as_deref(), Some(text.as_str()));
            }
            Err(error) => {
                assert!(text.contains(char::is_control), "{text:?}: {error}");
                assert!(Message::of(&error).render().contains("\nhelp: "), "{error}");
            }
        }
    }
}
