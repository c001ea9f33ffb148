//! A launch within a launch: the shell tool of one agent starts another, on another provider.
//!
//! The outer agent's home, variables and key are all around, and the inner one must not go by them.

use serde_json::json;

use super::claude::CLAUDE;
use super::codex::CODEX;
use super::crush::CRUSH;
use super::hermes::HERMES;
use super::{KEY, Machine, STRAY, Subject};
use crate::support::{MockProvider, net, real, run};

/// The words with which each agent does as its model says without a question, and its shell tool.
const OUTER: [(&str, &[&str], &str, &str); 3] = [
    ("claude", &["--allowedTools", "Bash", "-p", "outer"], "Bash", "command"),
    ("codex", &["exec", "--dangerously-bypass-approvals-and-sandbox", "outer"], "exec_command", "cmd"),
    ("hermes", &["--yolo", "-z", "outer"], "terminal", "command"),
];

#[track_caller]
fn within_each(inner: &'static Subject) {
    if OUTER.iter().any(|(outer, ..)| real::sandbox(outer).is_none()) || real::sandbox(inner.agent).is_none()
    {
        return;
    }
    if !net::is_inside() {
        return;
    }
    let mut machine = Machine::set(inner);
    let kept = machine.sandbox.path("kept");
    machine.sandbox.write(&kept, KEY);
    machine.configure(&format!("key_file: '{}'", kept.display()));
    let words: Vec<_> = inner.words.iter().map(|word| shims::quote(word.as_ref())).collect();
    let agents = machine.path_of_all_agents();
    // Codex's shell is a login shell, with a PATH of the machine's.
    let nest = machine.sandbox.script(
        "nest",
        &format!(
            "#!/bin/sh\nPATH='{agents}' exec agent-run launch m {} -- {} >answer 2>&1 </dev/null\n",
            inner.agent,
            words.join(" ")
        ),
    );
    let start = nest.display().to_string();
    for (outer, words, tool, argument) in OUTER {
        let answer = machine.sandbox.path("work/answer");
        let mut arguments = json!({argument: start.as_str()});
        if outer == "codex" {
            // Else it goes on while the command runs.
            arguments["yield_time_ms"] = 30_000.into();
        }
        let call =
            json!([{"last_user": "outer", "times": 1, "tool": {"name": tool, "arguments": arguments}}]);
        let other = MockProvider::scripted(&machine.sandbox, &format!("outer-{outer}"), &call.to_string());
        machine.add_provider("outer", &other.url(""));
        let mut command = machine.sandbox.command("timeout");
        command.args(["-k", "5", "240", "agent-run", "launch", "outer", outer, "--"]).args(words);
        let heard = machine.chosen.posts().len();
        let ran = run(command.env("PATH", &agents).env("OUTER_KEY", STRAY));
        let said = std::fs::read_to_string(&answer).unwrap_or_default();
        assert!(said.contains("PONG-FROM-MOCK"), "{outer}: {said}\n{ran:?}");
        assert!(machine.chosen.posts().len() > heard, "{outer}: an answer that the provider never gave");
        for request in other.requests() {
            assert!(!request["headers"].to_string().contains(KEY), "the inner key at the outer provider");
            assert_ne!(request["model"], "m-main", "the inner prompt at the outer provider");
        }
        std::fs::remove_file(answer).unwrap();
        machine.counts();
    }
    machine.allows_the_hosts_of(&OUTER.map(|(outer, ..)| outer));
    machine.judge();
}

#[test]
fn claude_within_each_of_the_agents() {
    within_each(&CLAUDE);
}

#[test]
fn codex_within_each_of_the_agents() {
    within_each(&CODEX);
}

#[test]
fn hermes_within_each_of_the_agents() {
    within_each(&HERMES);
}

#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn crush_within_each_of_the_agents() {
    within_each(&CRUSH);
}
