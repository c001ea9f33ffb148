//! The provider's models in `/model`.

use serde_json::{Value as Json, json};

use super::settings_override::{LOCAL, USER};
use super::{Machine, launch};
use crate::{Launch, Model};

fn with(models: &[(&str, Option<u64>)]) -> Launch {
    let model = |(id, window): &(&str, Option<u64>)| Model { context_window: *window, ..Model::named(*id) };
    Launch { models: models.iter().map(model).collect(), ..launch() }
}

fn rows(machine: Machine, launch: &Launch) -> Json {
    settings(machine, launch)["modelPicker"]["options"].clone()
}

fn settings(machine: Machine, launch: &Launch) -> Json {
    let plan = machine.plan(launch).expect("a plan");
    let at = plan.args.iter().position(|arg| arg == "--settings").expect("settings");
    serde_json::from_str(plan.args[at + 1].to_str().expect("text")).expect("JSON")
}

#[test]
fn other_models_are_offered_whose_window_is_no_smaller() {
    let launch = with(&[
        ("m-main", Some(200_000)),
        ("small", Some(131_072)),
        ("unknown", None),
        ("same", Some(200_000)),
        ("large", Some(262_144)),
        ("same", Some(200_000)),
        ("claude-opus-4-8", Some(1_000_000)),
        ("od\nd", Some(200_000)),
        ("sonnet", Some(200_000)),
        ("Opus[1m]", Some(1_000_000)),
        ("default", Some(200_000)),
    ]);
    let expected = json!([
        {"model": "same", "label": "same", "description": "window of 200000 tokens"},
        {"model": "large", "label": "large", "description": "window of 262144 tokens, this session uses 200000"},
    ]);
    assert_eq!(rows(Machine::onboarded(), &launch), expected);
    let list = &settings(Machine::onboarded(), &launch)["availableModels"];
    assert_eq!(*list, json!(["m-main", "unknown", "same", "large"]), "one of an unknown window can be typed");
    assert_eq!(rows(Machine::onboarded(), &with(&[("m-main", Some(200_000))])), Json::Null);
    for (limit, is_offered) in [(8_000, false), (32_000, true)] {
        let mut launch = with(&[("same", Some(200_000))]);
        launch.models[0].max_output_tokens = Some(limit);
        assert_eq!(rows(Machine::onboarded(), &launch) != Json::Null, is_offered, "{limit}");
    }
    let many: Vec<_> = (0..30).map(|n| format!("m{n}")).collect();
    let many: Vec<_> = many.iter().map(|id| (id.as_str(), Some(200_000))).collect();
    assert_eq!(rows(Machine::onboarded(), &with(&many)).as_array().map(Vec::len), Some(24));
}

#[test]
fn nothing_is_offered_where_the_window_would_be_another_or_the_user_has_rows() {
    let launch = with(&[("same", Some(200_000))]);
    assert_ne!(rows(Machine::onboarded(), &launch), Json::Null);
    let own = r#"{"modelPicker": {"options": []}}"#;
    assert_eq!(rows(Machine::onboarded().file(USER, own), &launch), Json::Null);
    assert_ne!(rows(Machine::onboarded().file(LOCAL, own), &launch), Json::Null, "it is not read from there");
    let listed = r#"{"enabledPlugins": {"a@b": true}}"#;
    assert_eq!(rows(Machine::onboarded().file(USER, listed), &launch), Json::Null, "a list leaves them out");
    let mut claudes = with(&[("same", Some(200_000))]);
    claudes.model.value.id = "claude-opus-4-8".to_owned();
    claudes.model.value.context_window = None;
    assert_eq!(rows(Machine::onboarded(), &claudes), Json::Null, "the window is Claude Code's own");
    claudes.models.push(Model::named("claude-haiku-4-5"));
    let list = &settings(Machine::onboarded(), &claudes)["availableModels"];
    assert_eq!(list[list.as_array().expect("a list").len() - 1], "claude-haiku-4-5", "{list}");
}
