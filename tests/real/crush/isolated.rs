//! A provider with `isolated: true`: settings, rules, skills and sessions are its own, and last.

use std::fs;
use std::path::PathBuf;

use super::{PONG, Stage, turns};

fn own(stage: &Stage, path: &str) -> PathBuf {
    stage.sandbox.home(".local/state/agent-run/crush/isolated/mock").join(path)
}

fn skill(name: &str) -> String {
    format!("---\nname: {name}\ndescription: Does {name}.\n---\nx\n")
}

#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn it_has_its_own_and_none_of_the_users_whatever_the_model() {
    let Some(stage) = Stage::new() else { return };
    for folder in [".config/crush/skills", ".config/agents/skills", ".claude/skills"] {
        let folder = stage.sandbox.home(folder);
        stage.sandbox.write(&folder.join("users-own/SKILL.md"), skill("users-own"));
    }
    stage.sandbox.write(&stage.sandbox.home(".config/crush/CRUSH.md"), "RULE-OF-THE-USER");
    stage.say_pong().exits(0);
    let shared = turns(&stage.mock)[0].to_string();
    assert!(
        shared.contains("users-own") && shared.contains("RULE-OF-THE-USER"),
        "what is there to be shared"
    );

    stage.configure("    isolated: true\n");
    assert_eq!(stage.sessions("crush@mock"), 0, "the shared sessions are not its own");
    stage.sandbox.write(&own(&stage, "config/skills/apart/SKILL.md"), skill("apart"));
    stage.sandbox.write(&own(&stage, "config/CRUSH.md"), "RULE-APART");
    stage.sandbox.write(&own(&stage, "AGENTS.md"), "RULE-ABOVE");
    let seen = stage.sandbox.path("work/seen");
    let server = format!(
        r#"{{"mcp": {{"own": {{"type": "stdio", "command": "touch", "args": ["{}"]}}}}}}"#,
        seen.display()
    );
    stage.sandbox.write(&own(&stage, "config/crush.json"), server);
    for (at, model) in ["mock-model", "mock-model-small"].iter().enumerate() {
        let words = ["launch", "mock", "--model", model, "crush", "run", "-q"];
        let ran = stage.sandbox.agent_run(&[&words[..], &[["one", "-C"][at], "two"][..=at]].concat());
        assert_eq!(ran.exits(0).stdout, PONG);
        let turn = &turns(&stage.mock)[1 + at];
        assert_eq!(turn["model"], *model);
        let said = turn.to_string();
        for mark in ["apart", "RULE-APART", "RULE-ABOVE"] {
            assert!(said.contains(mark), "{mark} at {model}");
        }
        assert!(!said.contains("users-own") && !said.contains("RULE-OF-THE-USER"), "{said}");
        assert!(seen.exists(), "its own server was started");
        fs::remove_file(&seen).unwrap();
    }
    assert_eq!(stage.sessions("crush@mock"), 1);
    fs::remove_dir_all(stage.sandbox.home(".cache")).unwrap();
    assert_eq!(stage.sessions("crush@mock"), 1, "with the cache gone too");
    stage.say_pong().exits(0);
    assert!(turns(&stage.mock)[3].to_string().contains("RULE-APART"));
}

/// The version before had skills and rules of such a provider in the cache.
#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn what_the_version_before_had_in_the_cache_is_taken_over_once() {
    let Some(stage) = Stage::new() else { return };
    stage.configure("    isolated: true\n");
    let before = stage.sandbox.home(".cache/agent-run/crush/mock/config");
    stage.sandbox.write(&before.join("skills/apart/SKILL.md"), skill("apart"));
    stage.sandbox.write(&before.join("crush.json"), "{}");
    stage.say_pong().exits(0).complains(&["was copied to", "the original was not changed"]);
    assert!(turns(&stage.mock)[0].to_string().contains("apart"));
    assert!(!own(&stage, "config/crush.json").exists(), "it was made by a launch");
    fs::remove_dir_all(own(&stage, "config/skills")).unwrap();
    stage.say_pong().clean();
    assert!(!own(&stage, "config/skills").exists(), "once");
}
