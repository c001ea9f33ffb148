//! Which version an agent is, asked of the agent itself.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use shims::proxy::PROXY_VARIABLES;

use crate::env::Environment;
use crate::probe::{self, Interrupts, Scratch};

/// How long an agent may take to print its version: usually half a second, and some seconds for Hermes 0.19 on a slow
/// machine.
const LIMIT: Duration = Duration::from_secs(20);

/// What a program needs of the user's environment to run at all.
const PASSED: [&str; 5] = ["LANG", "LC_ALL", "PATH", "TERM", "USER"];

/// A port that nobody listens on: whoever looks for updates is refused at once.
const NOWHERE: &str = "http://127.0.0.1:9";

/// A version in its parts.
pub type Version = Vec<u64>;

/// Asks the program, in an empty home and without a network: some agents write into their home even then
/// (Hermes 0.19).
pub fn ask(program: &Path, env: &Environment, interrupts: &Interrupts) -> Result<Version> {
    let _held = interrupts.hold()?;
    let folder = Scratch::make("agent-run-version-", &std::env::temp_dir());
    let folder = folder.context("could not create a folder to run `--version` in")?;
    let place = |name: &str| folder.path().join(name);
    for name in ["home", "tmp"] {
        fs::create_dir(place(name))?;
    }
    let mut command = Command::new(program);
    command.arg("--version").env_clear().current_dir(place("home"));
    command.envs(PASSED.iter().filter_map(|name| Some((name, env.var(name)?))));
    command.envs(PROXY_VARIABLES.map(|name| (name, NOWHERE)));
    command.envs([("HOME", place("home")), ("TMPDIR", place("tmp"))].map(|(k, v)| (k, OsString::from(v))));
    let ran = probe::observe(&command, folder.path(), LIMIT, "could not run it", interrupts)?;
    if ran.ended.is_none() {
        bail!("it printed no version within {} s", LIMIT.as_secs());
    }
    parse(&ran.stdout).or_else(|| parse(&ran.stderr)).context("it printed no version")
}

/// The first version in a text: numbers with dots between them, `codex-cli 0.169.0`.
pub fn parse(text: &str) -> Option<Version> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-' && c != '+');
    words.map(|word| word.trim_start_matches('v')).find_map(|word| {
        let word = word.split(['-', '+']).next().unwrap_or(word).trim_end_matches('.');
        let parts: Option<Version> = word.split('.').map(|part| part.parse().ok()).collect();
        parts.filter(|parts| parts.len() > 1)
    })
}

/// The version as it is written.
pub fn shown(version: &[u64]) -> String {
    version.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_agents_say() {
        for (text, version) in [
            ("2.1.197 (Claude Code)\n", "2.1.197"),
            ("codex-cli 0.169.0\n", "0.169.0"),
            ("Hermes Agent v0.19.0 (2026.6.1)\nPython: 3.12.3\n", "0.19.0"),
            ("crush version v0.90.0-rc.1+dirty\n", "0.90.0"),
        ] {
            assert_eq!(parse(text).map(|parts| shown(&parts)).as_deref(), Some(version), "{text}");
        }
        assert_eq!(parse("error: 404"), None);
        assert!(parse("0.9.10") > parse("0.9.9"), "numbers, not text");
    }
}
