//! The options of an agent, as its help names them; of Claude Code also those that it hides.

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
