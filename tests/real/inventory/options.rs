//! The options of an agent, as its help names them; of Claude Code also those that it hides, and its commands.

use std::collections::BTreeSet;
use std::fs;

use regex::bytes::Regex;

use crate::support::{real, run};
use crate::variables::names;

/// Those of this agent, sorted.
pub fn of(agent: &str) -> BTreeSet<String> {
    let commands: &[&[&str]] = match agent {
        "codex" => &[&[], &["exec"], &["resume"]],
        "crush" => &[&[], &["run"]],
        "hermes" => &[&[], &["chat"]],
        _ => &[&[]],
    };
    let sandbox = real::sandbox(agent).expect("looked for before");
    let mut options = BTreeSet::new();
    for words in commands {
        let ran = run(sandbox.command(agent).args(*words).arg("--help"));
        assert_eq!(ran.code, 0, "{agent} {words:?} --help: {ran:?}");
        find(ran.stdout.as_bytes(), r"(?:^|[\s\[,|])(--[a-z][a-z0-9-]+)", &mut options);
    }
    if agent == "claude" {
        let bytes = fs::read(names::program(agent)).unwrap();
        find(&bytes, r#"(?:\.option\(|new [\w$]+\()"(?:-\w, )?(--[a-z][a-z0-9-]+)"#, &mut options);
    }
    options
}

fn find(bytes: &[u8], pattern: &str, options: &mut BTreeSet<String>) {
    let pattern = Regex::new(pattern).unwrap();
    options.extend(pattern.captures_iter(bytes).map(|found| String::from_utf8_lossy(&found[1]).into_owned()));
}

/// The first words that Claude Code takes for commands: those in its help, those that it hides, and those that it looks
/// for before anything else (2.1.332 keeps some of these in sets).
pub fn claudes_commands() -> BTreeSet<String> {
    let sandbox = real::sandbox("claude").expect("looked for before");
    let help = run(sandbox.command("claude").arg("--help")).stdout;
    let mut commands = BTreeSet::new();
    let listed = help.split_once("\nCommands:\n").expect("a list of commands in the help").1;
    for names in Regex::new(r"(?m)^  ([a-z][a-z|-]+)").unwrap().captures_iter(listed.as_bytes()) {
        commands.extend(String::from_utf8_lossy(&names[1]).split('|').map(str::to_owned));
    }
    let bytes = fs::read(names::program("claude")).unwrap();
    find(&bytes, r#"\.command\("([a-z][a-z-]+)[^"]*",\{hidden:!0\}"#, &mut commands);
    let sets = Regex::new(r#"new Set\(\[(?:\.\.\.[\w$]+,)?("(?:attach|daemon)",[^\]]*)\]"#).unwrap();
    for set in sets.captures_iter(&bytes) {
        find(&set[1], r#""([a-z-]+)""#, &mut commands);
    }
    for at in memchr::memmem::find_iter(&bytes, "cli_bridge_path") {
        let around = &bytes[at.saturating_sub(20_000)..bytes.len().min(at + 20_000)];
        find(around, r#"\w\[0\]===?"([a-z][a-z-]+)""#, &mut commands);
    }
    for known in ["attach", "daemon", "mcp", "remote"] {
        assert!(commands.contains(known), "`{known}` is not found: it keeps commands elsewhere now");
    }
    commands
}
