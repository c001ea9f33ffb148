//! The papers are true: what the README tells people to type is typed here.

use std::fs;
use std::path::Path;

use crate::support::{Sandbox, run};

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// The fenced blocks of one language, in order.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_readmes_commands_work_with_the_readmes_config() {
    let sandbox = Sandbox::new();
    let yaml = blocks(&readme(), "yaml");
    sandbox.config(yaml.first().expect("a config in the README"));
    for agent in ["claude", "codex", "hermes", "crush"] {
        sandbox.fake_agent(agent);
    }
    let script = blocks(&readme(), "sh").join("\n");
    assert!(script.contains("agent-run launch deepseek claude"), "{script}");
    let ran = run(sandbox.command("sh").args(["-eux", "-c", &script])).exits(0);
    let launched = ran.stdout.lines().filter(|line| *line == "AGENT_RUN_DEPTH=1").count();
    let launches = script.lines().filter(|line| is_launch(line)).count();
    assert_eq!(launched, launches, "stdout:\n{}\nstderr:\n{}", ran.stdout, ran.stderr);
}

fn is_launch(line: &str) -> bool {
    let by_command = line.starts_with("agent-run launch") && !line.contains("--dry-run");
    by_command
        || line.split_whitespace().any(|word| word.starts_with("~/.local/bin/")) && !line.starts_with("ln ")
}

#[test]
fn the_readme_names_the_two_commands_of_a_newcomer() {
    let console = blocks(&readme(), "console").concat();
    assert_eq!(console, "$ cargo run --release -- demo\n$ cargo test\n");
}
