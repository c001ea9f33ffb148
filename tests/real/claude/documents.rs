//! Models that skills, commands and plugins ask for give way to those of the launch.

use serde_json::json;

use super::{Stage, models, stage, stage_in};
use crate::support::real;

/// A project and a plugin with documents that ask for models of their own, and a plugin from the user's settings.
fn plant(stage: &Stage) {
    let document = |name: &str, model: &str| {
        format!("---\nname: {name}\ndescription: d\nmodel: {model}\n---\nSay hello.\n")
    };
    let plant = |path: &str, name: &str, model: &str| {
        stage.sandbox.write(&stage.sandbox.path(path), document(name, model));
    };
    plant("work/.claude/skills/known/SKILL.md", "known", "claude-opus-4-8");
    plant("work/.claude/skills/strange/SKILL.md", "strange", "m-other");
    plant("work/.claude/commands/ordered.md", "ordered", "m-other");
    plant("work/.claude/commands/small.md", "small", "haiku");
    let manifest = json!({"name": "pack", "version": "1.0.0"});
    stage.sandbox.write(&stage.sandbox.path("pack/.claude-plugin/plugin.json"), manifest.to_string());
    plant("pack/skills/packed/SKILL.md", "packed", "m-other");
    plant("pack/commands/sent.md", "sent", "claude-haiku-4-5-20251001");
}

#[track_caller]
fn hold(stage: &Stage) {
    plant(stage);
    for prompt in ["/known", "/strange", "/ordered"] {
        stage.ask(&[prompt]).exits(0);
    }
    let plugin = stage.sandbox.path("pack");
    for prompt in ["/pack:packed", "/pack:sent"] {
        stage.ask(&["--plugin-dir", plugin.to_str().unwrap(), prompt]).exits(0);
    }
    let asked = models(&stage.only_the_chosen_heard()).join(" ");
    assert!(asked.split(' ').all(|model| ["m-main", "m-opus"].contains(&model)), "{asked}");
    stage.ask(&["/small"]).exits(0);
    stage.ask(&["--model", "m-word", "hello"]).exits(0);
    let asked = models(&stage.only_the_chosen_heard()).join(" ");
    assert!(asked.contains("m-haiku") && asked.contains("m-word"), "{asked}");
}

#[test]
fn skills_and_commands_ask_for_the_launchs_models() {
    hold(&stage().unwrap());
}

#[test]
fn skills_and_commands_ask_for_the_launchs_models_in_the_oldest_version() {
    hold(&stage_in(real::minimum("claude").unwrap(), "[]"));
}

#[test]
fn agents_of_a_project_ask_for_the_launchs_models_where_they_keep_their_own() {
    let stage = stage().unwrap();
    let agent = "---\nname: pinned\ndescription: d\nmodel: m-other\n---\nyou\n";
    stage.sandbox.write(&stage.sandbox.path("work/.claude/agents/pinned.md"), agent);
    stage.sandbox.shim("claude@inherits");
    stage.sandbox.run("claude@inherits", &["--agent", "pinned", "-p", "hi"]).exits(0);
    assert_eq!(models(&stage.only_the_chosen_heard()), ["m-main"]);
}
