//! What chooses a model, and what holds it.

use super::documents::{HOOK, denied};
use super::paths::dir;
use super::settings_override::{LOCAL, USER, guard};
use super::{Machine, is_unset, launch, plan, set, warnings};
use crate::claude::denied::denies;
use crate::{EntryKind, Fact, Launch, Tiers};

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

/// The front matter of a skill with a prompt hook. Claude Code reads the second too, which is no YAML.
const FRONT: [&str; 3] = [
    "---\nname: x\nhooks:\n  Stop:\n  - hooks:\n    - {type: prompt, model: evil}\n---\n",
    "---\nname: x\ndescription: when: now\nhooks:\n  Stop:\n  - hooks:\n    - \"model\" : 'evil'\n---\n",
    "---\n# a\u{2028}z: \"\nhooks:\n  Stop:\n  - hooks:\n    - {type: prompt, model: evil}\n# \"\n---\n",
];

/// A machine with a project's skill that is a plugin with this manifest.
pub(super) fn skill(manifest: &str) -> Machine {
    Machine::onboarded()
        .fact("/work/.claude/skills", dir(&[("x", EntryKind::Dir)]))
        .file("/work/.claude/skills/x/.claude-plugin/plugin.json", manifest)
}

/// A project that turns on the plugin `p` of the marketplace at `path`.
pub(super) fn project(path: &str) -> Machine {
    let settings = serde_json::json!({"enabledPlugins": {"p@m": true},
        "extraKnownMarketplaces": {"m": {"source": {"source": "directory", "path": path}}}});
    Machine::onboarded().file("/work/.claude/settings.json", settings.to_string())
}

#[test]
fn a_model_of_a_hook_is_denied_wherever_the_hook_stands() {
    let hook = || HOOK.replace("MODEL", "evil");
    let list = r#"{"plugins": [{"name": "q"}, {"name": "p", "source": "./q"}]}"#;
    let inline = r#"{"plugins": [{"name": "p", "source": "./q", "hooks": HOOK}]}"#.replace("HOOK", &hook());
    let env = r#"{"env": {"CLAUDE_CODE_PLUGIN_DIRS": "/o: ~/d "}}"#;
    let y = || dir(&[("y", EntryKind::Dir)]);
    let itself = || dir(&[("SKILL.md", EntryKind::File)]);
    for (number, machine) in [
        skill("{}").file("/work/.claude/skills/x/hooks/hooks.json", hook()),
        skill(&hook()),
        skill("{}")
            .fact("/work/.claude/skills/x/skills", y())
            .file("/work/.claude/skills/x/skills/y/SKILL.md", FRONT[0]),
        skill(r#"{"skills": "./more"}"#)
            .fact("/work/.claude/skills/x/more", y())
            .file("/work/.claude/skills/x/more/y/SKILL.md", FRONT[0]),
        skill(r#"{"commands": ["./c.md"]}"#).file("/work/.claude/skills/x/c.md", FRONT[0]),
        project("/m").file("/m/.claude-plugin/marketplace.json", list).file("/m/q/hooks/hooks.json", hook()),
        project("/m/l.json").file("/m/l.json", list).file("/m/q/hooks/hooks.json", hook()),
        project("/m").file("/m/.claude-plugin/marketplace.json", inline),
        Machine::onboarded()
            .file(LOCAL, r#"{"enabledPlugins": {"p@m": true}}"#)
            .file("/home/u/.claude/plugins/known_marketplaces.json", r#"{"m": {"installLocation": "/m"}}"#)
            .file("/m/.claude-plugin/marketplace.json", list)
            .file("/m/q/hooks/hooks.json", hook()),
        Machine::onboarded()
            .var("CLAUDE_CODE_PLUGIN_DIRS", "relative:/d")
            .fact("/d", dir(&[]))
            .file("/d/hooks/hooks.json", hook()),
        Machine::onboarded()
            .file(USER, env)
            .fact("/home/u/d", dir(&[]))
            .file("/home/u/d/hooks/hooks.json", hook()),
        Machine::onboarded()
            .fact("/work/.claude/skills", y())
            .file("/work/.claude/skills/y/SKILL.md", FRONT[1]),
        Machine::onboarded()
            .fact("/work/.claude/skills", y())
            .file("/work/.claude/skills/y/SKILL.md", FRONT[2]),
        // The folder of a plugin, or one that its manifest names, is a skill itself.
        Machine::onboarded()
            .var("CLAUDE_CODE_PLUGIN_DIRS", "/d")
            .fact("/d", itself())
            .file("/d/SKILL.md", FRONT[0]),
        skill(r#"{"skills": ["./sk"]}"#)
            .fact("/work/.claude/skills/x/sk", itself())
            .file("/work/.claude/skills/x/sk/SKILL.md", FRONT[0]),
        project("/m")
            .file("/m/.claude-plugin/marketplace.json", list)
            .fact("/m/q", itself())
            .file("/m/q/SKILL.md", FRONT[0]),
    ]
    .into_iter()
    .enumerate()
    {
        let plan = plan(machine);
        assert!(denied(&plan).contains(&"evil".to_owned()), "{number}: {plan:?}");
        let said = warnings(&plan);
        assert!(
            said.iter().all(|text| text.contains("the `model` of a hook requests `evil` from provider")
                || text.contains("has front matter")),
            "{said:?}"
        );
        assert!(guard(&plan).expect("a guard").get("httpHookAllowedEnvVars").is_some(), "{number}");
    }
    let mut launch = launch();
    launch.args = ["--plugin-dir-no-mcp", "/d"].map(Into::into).into();
    let machine = Machine::onboarded().fact("/d", dir(&[])).file("/d/hooks/hooks.json", hook());
    assert_eq!(denied(&machine.plan(&launch).expect("a plan")), ["evil"]);
}

#[test]
fn where_hooks_cannot_be_seen_claudes_models_are_denied_and_the_place_is_named() {
    const FAMILIES: [&str; 4] = ["fable", "haiku", "opus", "sonnet"];
    let with = |args: &[&str]| Launch { args: args.iter().map(Into::into).collect(), ..launch() };
    let closed = || Fact::Unreadable(std::io::Error::other("denied").into());
    let numbers: Vec<_> = (0..1001).map(|number| number.to_string()).collect();
    let many: Vec<_> = numbers.iter().map(|name| (name.as_str(), EntryKind::Dir)).collect();
    let clear = FRONT[1].replace("- \"model\" : 'evil'", "[]");
    for (machine, args, start) in [
        (Machine::onboarded().file("/p.zip", "PK"), &["--plugin-dir", "/p.zip"][..], "/p.zip is no folder"),
        (Machine::onboarded().fact("/d", dir(&many)), &["--plugin-dir", "/d"], "/d holds too many plugins"),
        (
            Machine::onboarded().fact("/work/.claude/skills", dir(&many)),
            &[],
            "/work/.claude/skills holds too many",
        ),
        (
            skill("{}").fact("/work/.claude/skills/x/hooks/hooks.json", closed()),
            &[],
            "/work/.claude/skills/x/hooks/hooks.json is not readable",
        ),
        (
            skill("{}").fact("/work/.claude/skills/x/agents", closed()),
            &[],
            "/work/.claude/skills/x/agents is not readable",
        ),
        (project("/m"), &[], "/work/.claude/settings.json turns on the plugin `p@m`"),
        (
            skill("{}").file("/work/.claude/skills/x/SKILL.md", clear),
            &[],
            "/work/.claude/skills/x/SKILL.md has front matter",
        ),
    ] {
        let plan = machine.plan(&with(args)).expect("a plan");
        assert_eq!(denied(&plan), FAMILIES, "{start}");
        let said = warnings(&plan);
        assert!(said.len() == 1 && said[0].starts_with(start), "{said:?}");
        assert!(guard(&plan).expect("a guard").get("httpHookAllowedEnvVars").is_some(), "{start}");
    }
    // What nobody installs, and what the user's own settings turn on, is loaded from nowhere else.
    for (path, name) in [(LOCAL, "p@builtin"), (USER, "p@m")] {
        let settings = serde_json::json!({"enabledPlugins": {name: true}}).to_string();
        let plan = plan(Machine::onboarded().file(path, settings));
        assert!(warnings(&plan).is_empty(), "{name}: {:?}", plan.notes);
    }
}

/// What a hook may not request where its place cannot be read.
#[test]
fn all_models_of_claudes_but_those_in_use_are_denied() {
    let mut launch = launch();
    launch.model.value.id = "claude-opus-4-8".to_owned();
    launch.tiers = Tiers {
        opus: "claude-opus-4-8".into(),
        sonnet: "claude-sonnet-5".into(),
        haiku: "claude-haiku-4-5".into(),
        subagent: "inherit".into(),
    };
    launch.args =
        ["--model", "claude-opus-4-6[1m]", "--fallback-model=sonnet, claude-fable-5"].map(Into::into).into();
    let plan = project("/m").plan(&launch).expect("a plan");
    let denied = denied(&plan);
    let is_denied = |model: &str| denied.iter().any(|entry| denies(entry, model));
    for own in [
        "claude-opus-4-8",
        "claude-sonnet-5",
        "claude-haiku-4-5",
        "claude-opus-4-6",
        "claude-fable-5",
        "haiku",
        "sonnet",
    ] {
        assert!(!is_denied(own), "{own}: {denied:?}");
    }
    for other in [
        "claude-opus-4-5-20251101",
        "claude-opus-5",
        "claude-opus-4-1",
        "claude-3-opus-20240229",
        "claude-3-5-haiku-20241022",
        "claude-haiku-4-6",
        "claude-sonnet-4-5-20250929",
        "claude-3-7-sonnet-20250219",
        "claude-sonnet-5-1",
        "claude-fable-4",
    ] {
        assert!(is_denied(other), "{other}: {denied:?}");
    }
    assert!(warnings(&plan)[0].ends_with("; this launch denies all models of Claude's but those it uses"));
}

/// A project's agent with this front matter.
fn agent(front: &str) -> Machine {
    Machine::onboarded()
        .fact("/work/.claude/agents", dir(&[("a.md", EntryKind::File)]))
        .file("/work/.claude/agents/a.md", format!("---\nname: a\n{front}\n---\nx\n"))
}

#[test]
fn words_about_hooks_and_models_are_no_hooks() {
    for front in [
        "description: Use when: the user writes git hooks",
        "description: Use when: hooks: are asked for, my-hooks & hooks",
        r"description: Use: x. Examples:\n\n<example>\nmodel: first the users then the orders\n</example>",
        "description: Use: x\nmodel: claude-sonnet-5\nmcpServers: 'x\\y'",
        "description: Use: x\n# hooks: none",
    ] {
        let plan = plan(agent(front));
        assert!(denied(&plan).is_empty() && warnings(&plan).is_empty(), "{front}: {plan:?}");
    }
    for hooks in [
        "hooks:\n  Stop:\n  - hooks:\n    - model: evil",
        r#""ho\x6fks": {Stop: [{hooks: [{"mod\u0065l": "evil"}]}]}"#,
        "x: &a\n  hooks:\n    Stop: [{hooks: [{model: evil}]}]\n<<: *a",
        "? hooks\n: {Stop: [{hooks: [{model: evil}]}]}",
    ] {
        let front =
            format!("description: Use: x\n{hooks}\nmodel: claude-sonnet-5\nx: 'model: prose'\ny: model: y z");
        let plan = plan(agent(&front));
        assert_eq!(denied(&plan), ["evil", "fable", "haiku", "opus", "sonnet"], "{hooks}");
        assert_eq!(warnings(&plan).len(), 2, "{hooks}: {plan:?}");
    }
}

#[test]
fn what_the_users_words_name_is_not_denied() {
    let hook = HOOK.replace("MODEL", "evil");
    let with = |word: &str| {
        let args = ["-p", "--model", word].map(Into::into).into();
        Machine::onboarded().file(LOCAL, &hook).plan(&Launch { args, ..launch() }).expect("a plan")
    };
    assert_eq!(denied(&with("m-word")), ["evil"]);
    let own = with("evil[1m]");
    assert!(denied(&own).is_empty() && warnings(&own).is_empty(), "{own:?}");
}

/// Claude Code takes each pair for one model (2.1.332): what it denies would be the launch's own.
#[test]
fn another_name_of_a_model_in_use_is_not_denied() {
    let denied_by = |own: &str, machine: Machine| {
        let mut launch = launch();
        launch.model.value.id = own.to_owned();
        let main = || own.to_owned();
        launch.tiers = Tiers { opus: main(), sonnet: main(), haiku: main(), subagent: main() };
        denied(&machine.plan(&launch).expect("a plan"))
    };
    for (own, in_hook) in [
        ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
        ("claude-sonnet-4-5-20250929", "sonnet-4-5"),
        ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
        ("claude-sonnet-5", "claude-sonnet-5-0"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku"),
        ("mock-model", "mock-model "),
    ] {
        let machine = Machine::onboarded().file(LOCAL, HOOK.replace("MODEL", in_hook));
        assert_eq!(denied_by(own, machine), [""; 0], "{own} and {in_hook}");
    }
    for (own, same) in [
        ("claude-sonnet-5", "claude-sonnet-5-0"),
        ("claude-opus-4", "claude-opus-4-20250514"),
        ("claude-opus-4-20250514", "claude-opus-4-0"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku"),
        ("anthropic/claude-opus-4.6", "claude-opus-4-6"),
    ] {
        let denied = denied_by(own, project("/m"));
        let is_denied = |model: &str| denied.iter().any(|entry| denies(entry, model));
        assert!(!is_denied(same) && is_denied("claude-opus-4-7"), "{own}: {denied:?}");
    }
}

#[test]
fn a_file_that_the_manifest_names_too_is_read_once() {
    let mut launch = launch();
    launch.args = ["--plugin-dir", "pl", "--plugin-dir", "x/.././pl"].map(Into::into).into();
    let plan = Machine::onboarded()
        .fact("/work/pl", dir(&[("agents", EntryKind::Dir), (".claude-plugin", EntryKind::Dir)]))
        .fact("/work/pl/agents", dir(&[("a.md", EntryKind::File), ("b.md", EntryKind::File)]))
        .file("/work/pl/.claude-plugin/plugin.json", r#"{"agents": "./agents"}"#)
        .file("/work/pl/agents/a.md", FRONT[0])
        .file("/work/pl/agents/b.md", FRONT[0])
        .plan(&launch)
        .expect("a plan");
    assert_eq!(warnings(&plan).len(), 2, "{:?}", plan.notes);
}
