//! What chooses a model, and what holds it.

use super::settings_override::{LOCAL, USER, guard};
use super::{Machine, is_unset, launch, plan, set, warnings};

#[test]
fn overrides_of_models_are_taken_back_key_by_key() {
    let machine = Machine::onboarded()
        .file(USER, r#"{"modelOverrides": {"claude-opus-4-8": "x"}}"#)
        .file(LOCAL, r#"{"modelOverrides": {"m-main": "y", "claude-opus-4-8": "z"}}"#);
    let held = serde_json::json!({"modelOverrides": {"claude-opus-4-8": "", "m-main": ""}});
    assert_eq!(guard(&plan(machine)), Some(held));
}

#[test]
fn a_fallback_in_one_word_is_one_too() {
    let plan = plan(Machine::onboarded().file(USER, r#"{"fallbackModel": "x"}"#));
    assert_eq!(guard(&plan), Some(serde_json::json!({"fallbackModel": []})));
}

#[test]
fn subagents_are_forced_unless_they_inherit() {
    let forced = plan(Machine::onboarded().var("CLAUDE_CODE_WORKFLOW_SUBAGENT_MODEL", "x"));
    assert_eq!(set(&forced, "CLAUDE_CODE_SUBAGENT_MODEL_FORCE").as_deref(), Some("1"));
    assert!(is_unset(&forced, "CLAUDE_CODE_WORKFLOW_SUBAGENT_MODEL"));
    let mut launch = launch();
    launch.tiers.subagent = "inherit".to_owned();
    let free = Machine::onboarded().plan(&launch).expect("a plan");
    assert!(is_unset(&free, "CLAUDE_CODE_SUBAGENT_MODEL_FORCE"));
}

#[test]
fn a_model_of_a_projects_hook_is_named() {
    let hooks = r#"{"hooks": {"Stop": [{"hooks": [{"type": "prompt", "prompt": "x", "model": "other"}]}]}}"#;
    let said = plan(Machine::onboarded().file(LOCAL, hooks));
    assert!(
        warnings(&said)[0].contains("the `model` of a hook requests `other` from provider `acme`"),
        "{:?}",
        said.notes
    );
    let own = plan(Machine::onboarded().file(USER, hooks));
    assert!(warnings(&own).is_empty(), "the user knows: {:?}", own.notes);
    let tier = plan(Machine::onboarded().file(LOCAL, hooks.replace("other", "haiku")));
    assert!(warnings(&tier).is_empty());
}

#[test]
fn a_model_that_is_called_as_a_tier_is_warned_of_where_the_tier_is_another() {
    let warned = |id: &str, opus: &str| {
        let mut launch = launch();
        launch.model.value.id = id.to_owned();
        for tier in [&mut launch.tiers.sonnet, &mut launch.tiers.haiku, &mut launch.tiers.subagent] {
            id.clone_into(tier);
        }
        opus.clone_into(&mut launch.tiers.opus);
        warnings(&Machine::onboarded().plan(&launch).expect("a plan"))
            .iter()
            .any(|it| it.contains("its own names"))
    };
    assert!(warned("opus", "m-opus") && warned("Default", "m-opus"));
    assert!(!warned("opus", "opus") && !warned("m-main", "m-opus"));
}
