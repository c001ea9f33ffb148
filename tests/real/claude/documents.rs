//! Models that skills, commands and plugins ask for give way to those of the launch.

use serde_json::json;

use super::{Stage, models, stage, stage_in};
use crate::support::{real, run};

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
    // The launch denies this word for hooks. It goes on to mean the session's model for agents.
    let local = json!({"hooks": hooks(&["inherit"])});
    stage.sandbox.write(&stage.sandbox.path("work/.claude/settings.local.json"), local.to_string());
    stage.sandbox.shim("claude@inherits");
    stage.sandbox.run("claude@inherits", &["--agent", "pinned", "-p", "hi"]).exits(0);
    assert_eq!(models(&stage.only_the_chosen_heard()), ["m-main"]);
}

/// A prompt hook at every prompt, for each of these models.
fn hooks(models: &[&str]) -> serde_json::Value {
    let hook = |model: &&str| json!({"type": "prompt", "prompt": format!("Is it fine? {model} $ARGUMENTS"), "model": model});
    json!({"UserPromptSubmit": [{"hooks": models.iter().map(hook).collect::<Vec<_>>()}]})
}

/// Hooks of a project, of the user's and of an installed plugin, and a skill of the user's, that ask for other models.
fn plant_what_no_list_holds(stage: &Stage) {
    let skill = "---\nname: mine\ndescription: d\nmodel: claude-sonnet-4-5-20250929\n---\nSay hello.\n";
    stage.sandbox.write(&stage.sandbox.home(".claude/skills/mine/SKILL.md"), skill);
    stage.settings(&json!({"hooks": hooks(&["claude-haiku-4-5-20251001", "haiku"])}));
    let local = json!({"hooks": hooks(&["m-hook", "claude-opus-4-8", "inherit"])});
    stage.sandbox.write(&stage.sandbox.path("work/.claude/settings.local.json"), local.to_string());
    let market = stage.sandbox.path("market");
    let list = json!({"name": "market", "owner": {"name": "x"},
        "plugins": [{"name": "pack", "source": "./pack", "description": "d"}]});
    let manifest = json!({"name": "pack", "version": "1.0.0", "description": "d"});
    stage.sandbox.write(&market.join(".claude-plugin/marketplace.json"), list.to_string());
    stage.sandbox.write(&market.join("pack/.claude-plugin/plugin.json"), manifest.to_string());
    let brought = json!({"hooks": hooks(&["m-pack"])});
    stage.sandbox.write(&market.join("pack/hooks/hooks.json"), brought.to_string());
    stage.sandbox.run("claude", &["plugin", "marketplace", "add", market.to_str().unwrap()]).exits(0);
    stage.sandbox.run("claude", &["plugin", "install", "pack@market"]).exits(0);
}

const OTHERS: [&str; 6] = [
    "claude-haiku-4-5-20251001",
    "claude-opus-4-8",
    "claude-sonnet-4-5-20250929",
    "inherit",
    "m-hook",
    "m-pack",
];

#[test]
fn hooks_ask_for_the_launchs_models() {
    let stage = stage().unwrap();
    plant_what_no_list_holds(&stage);
    let ran = stage.ask(&["hi"]).exits(0);
    ran.complains(&["requests `m-hook` from ", "requests `m-pack` from ", "; this launch denies it"]);
    assert_eq!(models(&stage.only_the_chosen_heard()), ["m-haiku", "m-main"]);
    // Without it: the user's own, which the launch does not add to.
    stage.ask(&["--managed-settings", "{}", "/mine"]).exits(0);
    let posts = stage.only_the_chosen_heard();
    let asked = models(&posts);
    assert!(OTHERS.iter().filter(|model| asked.contains(model)).count() >= 5, "{asked:?}");
}

/// Only an entry with the family's name holds those without `claude-` (2.1.332).
#[test]
fn short_names_in_hooks_ask_for_the_launchs_model() {
    let stage = stage().unwrap();
    let hooks = json!({"hooks": hooks(&["opus-4-5", "haiku-4-5[1m]", "sonnet-4", "3-5-haiku", "fable-1", "inherit[1m]"])});
    stage.sandbox.write(&stage.sandbox.path("work/.claude/settings.json"), hooks.to_string());
    stage.sandbox.shim("claude@keyed");
    let ran = stage.sandbox.run("claude@keyed", &["-p", "hi"]).exits(0);
    ran.complains(&["requests `opus-4-5` from provider `keyed`; this launch denies it", "`inherit[1m]`"]);
    assert_eq!(models(&stage.chosen.posts()), ["m-main"]);
    // The option names another folder with such settings.
    let work = stage.sandbox.path("work");
    stage.ask(&["--project-config-root", work.to_str().unwrap(), "hi"]).exits(125);
}

/// Plants a skill that is a plugin, a plugin of the project's own marketplace, and an agent whose front matter is no
/// YAML, each with this hook.
fn plant_hidden_hooks(stage: &Stage, hook: impl Fn(&str) -> serde_json::Value) {
    let write = |path: &str, text: String| {
        stage.sandbox.write(&stage.sandbox.path("work").join(path), text);
    };
    let plugin = |folder: &str, name: &str| {
        let manifest = json!({"name": name, "version": "1.0.0"});
        write(&format!("{folder}/.claude-plugin/plugin.json"), manifest.to_string());
        write(&format!("{folder}/hooks/hooks.json"), json!({"hooks": hook(name)}).to_string());
    };
    plugin(".claude/skills/hidden", "hidden");
    plugin("market/pack", "pack");
    let list =
        json!({"name": "market", "owner": {"name": "x"}, "plugins": [{"name": "pack", "source": "./pack"}]});
    write("market/.claude-plugin/marketplace.json", list.to_string());
    let source = json!({"source": "directory", "path": stage.sandbox.path("work/market")});
    let settings = json!({"agent": "odd", "enabledPlugins": {"pack@market": true},
        "extraKnownMarketplaces": {"market": {"source": source}}});
    write(".claude/settings.json", settings.to_string());
    let hooks = &hook("odd")["UserPromptSubmit"];
    let front = format!("name: odd\ndescription: used when: asked\nhooks:\n  UserPromptSubmit: {hooks}\n");
    write(".claude/agents/odd.md", format!("---\n{front}---\nyou\n"));
    // Trust is for the root of the repository, and the folder of the tests is in another.
    let mut git = stage.sandbox.command("git");
    run(git.args(["init", "-q"]).current_dir(stage.sandbox.path("work"))).exits(0);
    let state = json!({"hasCompletedOnboarding": true,
        "projects": {stage.sandbox.path("work").to_str().unwrap(): {"hasTrustDialogAccepted": true}}});
    stage.sandbox.write(&stage.sandbox.home(".claude.json"), state.to_string());
}

#[test]
fn hooks_of_plugins_in_a_project_and_of_odd_front_matter_ask_for_the_launchs_models() {
    let stage = stage().unwrap();
    plant_hidden_hooks(&stage, |name| hooks(&[&format!("m-{name}"), "claude-haiku-4-5-20251001"]));
    let hidden = ["m-hidden", "m-pack", "m-odd"].map(|model| format!("requests `{model}` from "));
    stage.ask(&["hi"]).exits(0).complains(&hidden.each_ref().map(String::as_str));
    assert_eq!(models(&stage.only_the_chosen_heard()), ["m-main"]);
    // Without it Claude Code reads them all.
    stage.ask(&["--managed-settings", "{}", "hi"]).exits(0);
    let posts = stage.only_the_chosen_heard();
    let asked = models(&posts);
    for model in ["m-hidden", "m-pack", "m-odd", "claude-haiku-4-5-20251001"] {
        assert!(asked.contains(&model), "{model}: {asked:?}");
    }
}

#[test]
fn hooks_of_plugins_in_a_project_are_not_sent_the_key_by_the_oldest_version() {
    let stage = stage_in(real::minimum("claude").unwrap(), "[]");
    let hook = json!({"type": "http", "url": stage.other.url("/hook"),
        "headers": {"X-Key": "$ANTHROPIC_AUTH_TOKEN"}, "allowedEnvVars": ["ANTHROPIC_AUTH_TOKEN"]});
    plant_hidden_hooks(&stage, |_| json!({"UserPromptSubmit": [{"hooks": [hook.clone()]}]}));
    for _ in 0..2 {
        stage.ask(&["hi"]).exits(0);
    }
    let heard = json!(stage.other.requests()).to_string();
    assert!(heard.contains("/hook") && !heard.contains(super::KEY), "{heard}");
}

#[test]
fn where_hooks_cannot_be_seen_claudes_models_are_not_asked_for() {
    let stage = stage().unwrap();
    let skill = |name: &str, hooks: &str| {
        let text = format!("---\nname: {name}\ndescription: d\n{hooks}---\nSay hello.\n");
        stage.sandbox.write(&stage.sandbox.path("work/.claude/skills").join(name).join("SKILL.md"), text);
    };
    (0..1000).for_each(|number| skill(&format!("s{number:04}"), ""));
    let hook =
        hooks(&["claude-haiku-4-5-20251001", "claude-opus-4-8", "claude-3-5-haiku-20241022"]).to_string();
    skill("z", &format!("hooks: {}\n", hook.replace("UserPromptSubmit", "Stop")));
    stage.ask(&["/z"]).exits(0).complains(&["/.claude/skills holds too many files to be read: a hook there"]);
    assert_eq!(models(&stage.only_the_chosen_heard()), ["m-main"]);
    for word in ["claude-opus-4-6", "haiku"] {
        stage.ask(&["--model", word, "/z"]).exits(0);
    }
    assert_eq!(models(&stage.only_the_chosen_heard()), ["claude-opus-4-6", "m-haiku", "m-main"]);
}

/// 2.1.197 takes the argument and does nothing with it, so that `why` and warnings are all there is.
#[test]
fn hooks_and_the_users_own_skills_are_named_for_the_oldest_version() {
    let stage = stage_in(real::minimum("claude").unwrap(), "[]");
    plant_what_no_list_holds(&stage);
    let ran = stage.ask(&["/mine"]).exits(0);
    ran.complains(&[
        "requests `m-hook` from ",
        "; this launch denies it, and Claude Code before 2.1.332 requests it nevertheless",
        "`m-pack`",
    ]);
    let why = stage.sandbox.agent_run(&["why", "claude@m"]).exits(0).stdout;
    for model in OTHERS {
        assert!(why.contains(&format!("({model})")), "{model}: {why}");
    }
}
