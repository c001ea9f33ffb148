//! The options and the commands of an agent, as its help names them; of Claude Code also those that it hides.

use std::collections::BTreeSet;
use std::fs;

use regex::bytes::Regex;

use crate::support::{real, run};
use crate::variables::names;

/// What this agent says of the options of a prompt, command by command.
fn helps(agent: &str) -> Vec<String> {
    let commands: &[&[&str]] = match agent {
        "codex" => {
            &[&[], &["exec"], &["exec", "resume"], &["exec", "review"], &["fork"], &["resume"], &["review"]]
        }
        "crush" => &[&[], &["run"]],
        "hermes" => &[&[], &["chat"]],
        _ => &[&[]],
    };
    let sandbox = real::sandbox(agent).expect("looked for before");
    let help = |words: &&[&str]| {
        let ran = run(sandbox.command(agent).args(*words).arg("--help"));
        assert_eq!(ran.code, 0, "{agent} {words:?} --help: {ran:?}");
        ran.stdout
    };
    commands.iter().map(help).collect()
}

/// Those of this agent, sorted.
pub fn of(agent: &str) -> BTreeSet<String> {
    let mut options = BTreeSet::new();
    for help in helps(agent) {
        find(help.as_bytes(), r"(?:^|[\s\[,|])(--[a-z][a-z0-9-]+)", &mut options);
    }
    if agent == "claude" {
        let bytes = fs::read(names::program(agent)).unwrap();
        find(&bytes, r#"(?:\.option\(|new [\w$]+\()"(?:-\w, )?(--[a-z][a-z0-9-]+)"#, &mut options);
    }
    options
}

/// Those that take the word after them for their value, in every spelling: a line of the help names the value beside
/// them, in brackets where it may be missing. Those of Claude Code are read where it makes them.
pub fn valued(agent: &str) -> BTreeSet<String> {
    let mut options = BTreeSet::new();
    if agent == "claude" {
        let bytes = fs::read(names::program(agent)).unwrap();
        let pattern = r#"(?:\.(?:requiredO|o)ption\(|new [\w$]+\()"((?:--?[A-Za-z][\w-]*,? )+)<"#;
        for found in Regex::new(pattern).unwrap().captures_iter(&bytes) {
            let names = String::from_utf8_lossy(&found[1]);
            options.extend(names.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned));
        }
        for known in ["--allowedTools", "--allowed-tools", "--settings", "-n"] {
            assert!(options.contains(known), "`{known}` is not found: it makes its options otherwise now");
        }
        return options;
    }
    for help in helps(agent) {
        for line in help.lines().map(str::trim_start).filter(|line| line.starts_with('-')) {
            let words = line.split("  ").next().unwrap_or_default().split([' ', ',']);
            let words = words.filter(|word| !word.is_empty());
            let (names, values): (Vec<_>, Vec<_>) = words.partition(|word| word.starts_with('-'));
            // Else it is a sentence that goes on.
            let is_value = |value: &&str| {
                value.starts_with(['<', '{'])
                    || value.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
            };
            if values.first().is_some_and(is_value) {
                options.extend(names.into_iter().map(str::to_owned));
            }
        }
    }
    options
}

/// The commands in the help of another agent than Claude Code.
pub fn commands(agent: &str) -> BTreeSet<String> {
    let (start, end, name) = match agent {
        "codex" => ("\nCommands:\n", "\n\n", r"(?m)^  ([a-z][a-z-]+)"),
        "crush" => ("COMMANDS", "FLAGS", r"(?m)^    ([a-z][a-z-]+)"),
        _ => ("{", "}", "([a-z][a-z-]+)"),
    };
    let helps = helps(agent);
    let listed = helps[0].split_once(start).and_then(|(_, rest)| rest.split_once(end));
    let mut commands = BTreeSet::new();
    find(listed.expect("a list of commands in the help").0.as_bytes(), name, &mut commands);
    assert!(commands.len() > 5, "{agent}: only {commands:?}: it lists commands elsewhere now");
    commands
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
