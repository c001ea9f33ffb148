//! The user's own `--settings`.

use serde_json::{Value as Json, json};

use super::settings_override::USER;
use super::{DEFAULTS, Machine, launch, set, warnings};
use crate::{Entry, EntryKind, Fact, Launch, Message, Plan};

fn with(words: &[&str]) -> Launch {
    let words = words.iter().map(Into::into).collect();
    let mut launch = Launch { args: words, ..launch() };
    launch.standing_args = vec!["--verbose".to_owned()];
    launch
}

/// What Claude Code is given: the settings, whether by a file, and the other words.
fn given(plan: &Plan) -> (Json, bool, Vec<&str>) {
    let args: Vec<_> = plan.args.iter().filter_map(|arg| arg.to_str()).collect();
    let at = args.iter().position(|arg| *arg == "--settings").expect("settings");
    assert_eq!(args.iter().filter(|arg| arg.starts_with("--settings")).count(), 1, "{args:?}");
    let file = plan.files.iter().find(|(path, _)| path.to_str() == Some(args[at + 1]));
    let text = file.map_or(args[at + 1].as_bytes(), |(_, file)| file);
    (serde_json::from_slice(text).expect("JSON"), file.is_some(), args[at + 2..].to_vec())
}

fn machine() -> Machine {
    Machine::onboarded().file(USER, r#"{"apiKeyHelper": "cat key", "availableModels": ["x"]}"#)
}

#[test]
fn it_is_one_with_what_a_launch_adds() {
    let own = r#"{"apiKeyHelper": "mine", "theme": "dark", "permissions": {"allow": ["Bash(ls)"]},
        "availableModels": ["y"], "env": {"ANTHROPIC_BETAS": "b", "EDITOR": "vi"}}"#;
    let expected = json!({
        "apiKeyHelper": "", "theme": "dark", "availableModels": ["y", "m-main"], "skipWebFetchPreflight": true,
        "permissions": {"allow": ["Bash(ls)"], "disableAutoMode": "disable"}, "crossSessionInbound": "refuse",
        "env": {
            "ANTHROPIC_BETAS": "", "ANTHROPIC_LOG": "", "ANTHROPIC_CUSTOM_HEADERS": "", "CLAUDE_CODE_EXTRA_BODY": "",
            "CLAUDE_CODE_SUBAGENT_MODEL_FORCE": "1", "EDITOR": "vi",
        },
    });
    let whole = format!("--settings={own}");
    for words in [
        &["--settings", "s.json", "-p", "hi"][..],
        &["-p", "--settings", own, "hi"],
        &["-p", &whole, "hi"],
        &["--settings", "other.json", "-p", "hi", "--settings=s.json"],
    ] {
        let machine = machine().file("/work/s.json", own).file("/work/other.json", "{");
        let plan = machine.plan(&with(words)).expect("a plan");
        let (settings, is_file, words) = given(&plan);
        assert_eq!(settings, expected);
        assert!(is_file, "it holds more than switches");
        // A folder by this name is known to be the provider's.
        assert!(plan.files.keys().all(|path| path.to_string_lossy().contains("claude/acme-")));
        assert_eq!(words, ["--verbose", "-p", "hi"]);
        assert!(warnings(&plan).is_empty(), "{:?}", plan.notes);
    }
}

#[test]
fn switches_alone_need_no_file_and_the_users_word_beats_a_default() {
    let own = r#"{"skipWebFetchPreflight": false, "verbose": true}"#;
    let plan = Machine::onboarded().plan(&with(&["--settings", own])).expect("a plan");
    let (settings, is_file, _) = given(&plan);
    assert!(!is_file && plan.files.is_empty());
    assert_eq!(settings["skipWebFetchPreflight"], false);
    assert_eq!(settings["verbose"], true);
}

#[test]
fn the_file_is_named_by_what_is_in_it() {
    let path = |own: &str| {
        let plan = Machine::onboarded().plan(&with(&["--settings", own])).expect("a plan");
        plan.files.keys().next().expect("a file").clone()
    };
    assert_eq!(path(r#"{"theme": "dark"}"#), path(r#"{ "theme":"dark" }"#));
    assert_ne!(path(r#"{"theme": "dark"}"#), path(r#"{"theme": "light"}"#));
}

#[test]
fn what_cannot_be_read_is_one_error_with_its_place() {
    let refused = |machine: Machine, given: &str, text: &str| {
        let error = machine.plan(&with(&["--settings", given])).expect_err(given);
        let error = Message::of(&error).render();
        assert!(error.contains(text) && error.contains("\nhelp: "), "{error}");
    };
    refused(
        Machine::onboarded(),
        "gone.json",
        "/work/gone.json, which --settings names: there is no such file",
    );
    refused(Machine::onboarded().fact("/work/p", Fact::Stream), "p", "not a regular file");
    refused(Machine::onboarded().file("/work/b.json", "{\"a\": }"), "b.json", "/work/b.json:1:7: ");
    refused(Machine::onboarded().file("/work/l.json", "[1]"), "l.json", "not a JSON object");
    refused(Machine::onboarded(), "{\"a\": ", "--settings:1:");
}

/// Each has Claude Code drop the whole of `--settings` (2.1.197 or 2.1.332).
#[test]
fn a_value_that_claude_code_rejects_is_refused_with_its_place() {
    for (own, place) in [
        (r#"{"statusLine": 5}"#, "statusLine"),
        (r#"{"a": 1, "cleanupPeriodDays": -1}"#, "cleanupPeriodDays"),
        (r#"{"cleanupPeriodDays": 1.5}"#, "cleanupPeriodDays"),
        (r#"{"permissions": {"defaultMode": "bogus"}}"#, "permissions.defaultMode"),
        (r#"{"permissions": {"deny": ["Read", 5]}}"#, "permissions.deny[1]"),
        (r#"{"model": null}"#, "model"),
        (r#"{"language": 5}"#, "language"),
        (r#"{"$schema": 5}"#, "$schema"),
        (r#"{"availableModels": [5]}"#, "availableModels[0]"),
        (r#"{"disabledMcpjsonServers": [5]}"#, "disabledMcpjsonServers[0]"),
        (r#"{"enabledPlugins": {"a": 5}}"#, "enabledPlugins.a"),
        (r#"{"hooks": {"Stop": [{"hooks": [{"type": "nope"}]}]}}"#, "hooks.Stop[0].hooks[0]"),
        (r#"{"hooks": {"Stop": [{"hooks": [{"type": "http", "url": "nope"}]}]}}"#, "hooks.Stop[0].hooks[0]"),
        (
            r#"{"extraKnownMarketplaces": {"a": {"source": {"source": "settings", "name": "b", "plugins": []}}}}"#,
            "extraKnownMarketplaces.a.source",
        ),
        (r#"{"forceLoginGatewayUrl": "http://1.2.3:x"}"#, "forceLoginGatewayUrl"),
        (r#"{"quietHours": {"enabled": true, "start": "24:00", "end": "7:30"}}"#, "quietHours.start"),
        (r#"{"sandbox": {"enabled": "yes"}}"#, "sandbox.enabled"),
        (r#"{"env": {"A": [{"toString": 1}]}}"#, "env.A"),
        (r#"{"sandbox": {"network": {"allowMachLookup": ["a*b"]}}}"#, "sandbox.network.allowMachLookup[0]"),
        (r#"{"env": {"constructor": "x"}}"#, "env.constructor"),
        (r#"{"skillOverrides": {"constructor": "on"}}"#, "skillOverrides.constructor"),
        (r#"{"PreToolUse": [1]}"#, "PreToolUse"),
        (r#"{"x": [{"PreSkillShellCommand": "x"}]}"#, "x[].PreSkillShellCommand"),
        (r#"{"modelOverrides": {"PermissionRequest": "x"}}"#, "modelOverrides.PermissionRequest"),
        (r#"{"x": {"hooks": [1]}}"#, "x.hooks"),
        (r#"{"": {"hooks": [1]}}"#, "hooks"),
        (r#"{"x": {"hooks": {"type": "x"}, "matcher": ""}}"#, "x.hooks"),
        (r#"{"hooks": {"hooks": {"PreToolUse": []}}}"#, "hooks.hooks"),
        (r#"{"hooks": {"PreToolUse": "x"}}"#, "hooks.PreToolUse"),
        (r#"{"hooks": {"New": {"hooks": [1]}}}"#, "hooks.New.hooks"),
        (r#"{"hooks": {"Stop": [{"hooks": [], "PreToolUse": [1]}]}}"#, "hooks.Stop[].PreToolUse"),
    ] {
        let error = Machine::onboarded().plan(&with(&["--settings", own])).expect_err(own);
        let error = Message::of(&error).render();
        assert!(
            error.contains(&format!("--settings: Claude Code may reject the value of {place:?} ")),
            "{error}"
        );
        assert!(error.contains("help: "), "{error}");
    }
}

/// A launch cannot take back what it cannot repeat.
#[test]
fn a_key_that_would_have_claude_code_drop_the_launchs_settings_is_refused() {
    for key in ["PreToolUse", "PermissionRequest", "PreSkillShellCommand", "constructor"] {
        for path in [USER, "/work/.claude/settings.json", "/work/.claude/settings.local.json"] {
            let settings = json!({"modelOverrides": {key: "x"}}).to_string();
            let error = Machine::onboarded().file(path, settings).plan(&launch()).expect_err(key);
            let error = Message::of(&error).render();
            assert!(error.contains(&format!("{path}: ")) && error.contains(key), "{error}");
        }
    }
}

/// What no version knows is left alone by each.
#[test]
fn what_claude_code_accepts_is_no_error() {
    for own in [
        r#"{"a": 1, "b": {"c": [null]}, "env": {"A": 5, "B": true}, "theme": "custom:x", "cleanupPeriodDays": 9}"#,
        r#"{"hooks": {"New": [], "Stop": [{"matcher": "", "hooks": [{"type": "command", "command": "x"},
            {"type": "http", "url": "http://127.0.0.1:80/x"}]}]}, "permissions": {"allow": ["Bash(ls)"], "more": 5},
            "sandbox": {"network": {"allowMachLookup": ["a.*"]}}}"#,
        r#"{"statusLine": {"type": "command", "command": "x"}, "enabledPlugins": {"a@b": true},
            "extraKnownMarketplaces": {"a": {"source": {"source": "github", "repo": "a/b"}}},
            "quietHours": {"enabled": true, "start": "22:00", "end": "7:30"}}"#,
        r#"{"effortLevel": "max", "autoCompactWindow": 2000000, "preferredNotifChannel": 5, "hooks": {"Stop": {}},
            "strictPluginOnlyCustomization": ["x"], "env": {"A": [1], "B": {"c": 1}}}"#,
        r#"{"hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "x"}]}],
            "PermissionRequest": null}, "PreToolUse": [], "permissions": {"pretooluse": [1]}, "x": {"hooks": true}}"#,
    ] {
        Machine::onboarded().plan(&with(&["--settings", own])).expect(own);
    }
}

#[test]
fn after_two_dashes_it_is_a_prompts_word() {
    let plan = Machine::onboarded().plan(&with(&["--", "--settings", "x"])).expect("a plan");
    let args: Vec<_> = plan.args.iter().filter_map(|arg| arg.to_str()).collect();
    assert_eq!(args, ["--settings", DEFAULTS, "--verbose", "--", "--settings", "x"]);
}

#[test]
fn two_dashes_may_be_the_value_of_an_option() {
    let words = ["--append-system-prompt", "--", "--settings", r#"{"verbose": true}"#, "--", "--settings"];
    let plan = Machine::onboarded().plan(&with(&words)).expect("a plan");
    let args: Vec<_> = plan.args.iter().filter_map(|arg| arg.to_str()).collect();
    assert!(args[1].contains("verbose"), "{args:?}");
    assert_eq!(args[2..], ["--verbose", "--append-system-prompt", "--", "--", "--settings"]);
}

#[test]
fn what_it_says_of_the_provider_loses_as_any_settings_do() {
    let own = r#"{"env": {"ANTHROPIC_UNIX_SOCKET": "/s"}}"#;
    let error = Machine::onboarded().plan(&with(&["--settings", own])).expect_err("refused");
    assert!(Message::of(&error).render().contains("ANTHROPIC_UNIX_SOCKET"));
    let own = r#"{"env": {"NODE_EXTRA_CA_CERTS": "/ca.pem"}, "modelOverrides": {"m-main": "x"}}"#;
    let plan = Machine::onboarded().plan(&with(&["--settings", own])).expect("a plan");
    assert_eq!(set(&plan, "NODE_EXTRA_CA_CERTS").as_deref(), Some("/ca.pem"));
    assert_eq!(given(&plan).0["modelOverrides"]["m-main"], "");
}

#[test]
fn an_isolated_provider_has_a_folder_of_its_own() {
    let mut machine = machine();
    machine.0.dirs.state = "/state".into();
    let launch = Launch { isolated: true, anthropic_use_api_key: true, ..launch() };
    let plan = machine.plan(&launch).expect("a plan");
    assert_eq!(set(&plan, "CLAUDE_CONFIG_DIR").as_deref(), Some("/state/claude/acme"));
    assert!(plan.dirs.contains(std::path::Path::new("/state/claude/acme")));
    let state = plan.merges.keys().map(|path| path.to_str()).collect::<Vec<_>>();
    assert_eq!(state, [Some("/state/claude/acme/.claude.json")]);
    assert!(
        super::settings_override::guard(&plan).is_none(),
        "the user's own settings are not read: {:?}",
        plan.args
    );
}

#[test]
fn places_of_its_permission_rules_count_from_its_own_folder() {
    let own = r#"{"permissions": {"deny": ["Read(/secret)", "Edit(//abs/x)", "Read(./y)", "Bash(ls)"], "allow": ["Write(/out/**)"]}}"#;
    let rules = |machine: Machine, words: &[&str]| {
        let plan = machine.plan(&with(words)).expect("a plan");
        let (settings, _, _) = given(&plan);
        (settings["permissions"]["deny"].clone(), settings["permissions"]["allow"].clone())
    };
    let at = |folder: &str| {
        let deny = json!([format!("Read(/{folder}/secret)"), "Edit(//abs/x)", "Read(./y)", "Bash(ls)"]);
        (deny, json!([format!("Write(/{folder}/out/**)")]))
    };
    let file = |path: &str| Machine::onboarded().file(path, own);
    assert_eq!(rules(file("/work/../set/s.json"), &["--settings", "../set/s.json"]), at("/set"));
    assert_eq!(rules(file("/set/s.json"), &["--settings=/set/s.json"]), at("/set"));
    let link = EntryKind::Link("../real/t.json".into());
    let folder = Fact::Dir(vec![Entry { name: "s.json".into(), kind: link }]);
    assert_eq!(rules(file("/set/s.json").fact("/set", folder), &["--settings", "/set/s.json"]), at("/real"));
    // Claude Code has no folder to count from either.
    let (deny, _) = rules(Machine::onboarded(), &["--settings", own]);
    assert_eq!(deny[0], "Read(/secret)");
}
