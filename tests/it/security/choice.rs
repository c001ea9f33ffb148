use std::fs;

use super::{AGENTS, QUIET, TWO, config, sandbox};
use crate::support::lists::Lists;

/// What a project would have to say to turn a launch around, if anyone listened.
const OPTS: &str = "AGENT_RUN_OPTS=--model evil --force all\nAGENT_RUN_CONFIG=evil.yaml\nMOCK_KEY=sk-evil\n";

#[test]
fn no_file_of_a_project_changes_a_launch() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, &format!("{QUIET}    models: [{{id: m-one}}, {{id: evil}}]\n"));
    let plan =
        |agent: &str| sandbox.agent_run(&["launch", "mock", "--dry-run", "--json", agent]).exits(0).stdout;
    let why = |agent: &str| sandbox.agent_run(&["why", agent, "--json"]).exits(0).stdout;
    for agent in AGENTS {
        sandbox.shim(&format!("{agent}@mock"));
    }
    let launched = |agent: &str| {
        let ran = sandbox.run(&format!("{agent}@mock"), &[]).exits(0);
        let lines: std::collections::BTreeSet<_> = ran.stdout.lines().map(str::to_owned).collect();
        (lines, ran.stderr)
    };
    let all = || AGENTS.map(|agent| (plan(agent), why(&format!("{agent}@mock")), launched(agent)));
    // The first launch makes what the others find.
    all();
    let before = all();
    let evil = config(&lists, &format!("{QUIET}    extra_env: {{EVIL: '1'}}\n")).replace("m-one", "evil");
    let files = [
        ".agent-run.yaml",
        ".agent-run.yml",
        "agent-run.yaml",
        "config.yaml",
        ".agent-run/config.yaml",
        "agent-run/config.yaml",
        ".config/agent-run/config.yaml",
        "evil.yaml",
    ];
    for file in files {
        sandbox.write(&sandbox.path("work").join(file), &evil);
    }
    for file in
        [".env", ".envrc", ".env.local", "AGENT_RUN_OPTS", ".agent-run", ".tool-versions", "mise.toml"]
    {
        let path = sandbox.path("work").join(file);
        if !path.exists() {
            sandbox.write(&path, OPTS);
        }
    }
    let after = all();
    for (agent, (after, before)) in AGENTS.iter().zip(after.iter().zip(&before)) {
        // It reads a `.env` itself, and a launch keeps these options from the launches within it, and says so.
        assert!(
            after == before
                || *agent == "crush" && after.2.1.contains("AGENT_RUN_OPTS, AGENT_RUN_CONFIG in "),
            "{agent}"
        );
    }
    std::fs::remove_file(sandbox.path("work/.env")).unwrap();
    assert_eq!(all(), before);
    // And it would show: the same config, named by the user, does change each of them.
    let named = sandbox.var("AGENT_RUN_CONFIG", "evil.yaml");
    for (agent, (plan, ..)) in AGENTS.iter().zip(before) {
        let turned = named.agent_run(&["launch", "mock", "--dry-run", "--json", agent]).exits(0).stdout;
        assert!(turned != plan && turned.contains("EVIL"), "{agent}");
    }
}

#[test]
fn the_launchers_options_end_with_the_launch_and_the_config_goes_on() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, &format!("{QUIET}    models: [{{id: m-one}}, {{id: m-two}}]\n"));
    let path = sandbox.path("mine.yaml");
    fs::rename(sandbox.home(".config/agent-run/config.yaml"), &path).unwrap();
    let sandbox = sandbox.var("AGENT_RUN_CONFIG", path.display().to_string());
    let shell = sandbox.path("bin/shell").display().to_string();
    let sandbox = sandbox.var("AGENT_RUN_OPTS", "--model m-two").var("SHELL", shell);
    for agent in AGENTS {
        sandbox.shim(&format!("{agent}@mock"));
        let ran = sandbox.run(&format!("{agent}@mock"), &[]).exits(0);
        assert_eq!(ran.env("AGENT_RUN_OPTS"), None, "{agent}");
        assert_eq!(ran.env("AGENT_RUN_CONFIG"), path.to_str(), "{agent}");
        assert_eq!(ran.env("AGENT_RUN_DEPTH"), Some("1"), "{agent}");
    }
    // A launch within a launch decides again.
    sandbox.script("claude", "#!/bin/sh\necho \"outer:$ANTHROPIC_MODEL\"\nMOCK_KEY=k exec codex@mock\n");
    let ran = sandbox.run("claude@mock", &[]).exits(0);
    assert!(ran.args().iter().all(|arg| !arg.contains("m-two")), "{}", ran.stdout);
    assert!(ran.args().contains(&"model=\"m-one\""), "{}", ran.stdout);
    assert_eq!((ran.env("AGENT_RUN_DEPTH"), ran.env("AGENT_RUN_OPTS")), (Some("2"), None));
}

#[test]
fn what_an_agent_keeps_does_not_speak_to_the_launcher() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, &format!("{QUIET}    models: [{{id: m-one}}, {{id: evil}}]\n"));
    let plan = |agent: &str| {
        let plan = sandbox.agent_run(&["launch", "mock", "--dry-run", "--json", agent]).exits(0).stdout;
        let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
        (plan["choices"].clone(), plan["plan"]["set"]["AGENT_RUN_OPTS"].clone())
    };
    let before = AGENTS.map(plan);
    let env = r#"{"env": {"AGENT_RUN_OPTS": "--model evil", "AGENT_RUN_CONFIG": "/evil.yaml"}}"#;
    for file in [".claude/settings.json", ".claude.json", ".config/crush/crush.json"] {
        sandbox.write(&sandbox.home(file), env);
    }
    sandbox.write(&sandbox.path("work/.claude/settings.json"), env);
    sandbox.write(&sandbox.home(".codex/.env"), OPTS);
    sandbox.write(&sandbox.home(".hermes/.env"), OPTS);
    sandbox.write(
        &sandbox.home(".codex/config.toml"),
        "[shell_environment_policy.set]\nAGENT_RUN_OPTS = '--model evil'\n",
    );
    assert_eq!(AGENTS.map(plan), before);
}
