use std::fs;
use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::doctor::{claude, sandbox, until};
use crate::support::Sandbox;

/// Waits for the end of the processes that the agent wrote down, and asserts that no folder of the trial is left.
#[track_caller]
fn leaves_nothing(sandbox: &Sandbox, words: &[&str]) {
    for pid in fs::read_to_string(sandbox.path("pids")).unwrap().lines() {
        let pid = Pid::from_raw(pid.parse().unwrap());
        until(|| kill(pid, None).is_err(), "the agent and what it started to end");
    }
    let left = |folder: &Path| fs::read_dir(folder).map_or(0, Iterator::count);
    assert_eq!((left(&sandbox.path("tmp")), left(&sandbox.home(".cache/agent-run"))), (0, 0), "{words:?}");
}

#[test]
fn a_second_signal_ends_an_agent_that_does_not_want_to_end() {
    for words in [&["doctor", "--probe", "claude@mock"][..], &["demo", "claude"]] {
        let sandbox = sandbox();
        let pids = sandbox.path("pids");
        let wait = format!(
            "trap '' INT TERM HUP\necho $$ >>{0}; sh -c 'echo $$ >>{0}; sleep 100; sleep 100'\n",
            pids.display()
        );
        sandbox.script("claude", &claude("2.1.197", &wait));
        let mut child = sandbox.command("agent-run").args(words).stdout(Stdio::null()).spawn().unwrap();
        until(|| fs::read_to_string(&pids).is_ok_and(|text| text.lines().count() == 2), "the agent to start");
        let us = Pid::from_raw(child.id().cast_signed());
        // Two of one kind could become one.
        kill(us, Signal::SIGINT).unwrap();
        kill(us, Signal::SIGTERM).unwrap();
        let code = child.wait().unwrap().code();
        assert!(matches!(code, Some(130 | 143)), "{words:?}: {code:?}");
        leaves_nothing(&sandbox, words);
    }
}

#[test]
fn a_probe_or_a_demo_that_a_signal_ends_takes_the_agent_and_its_folders_with_it() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        for words in [&["doctor", "--probe", "claude@mock"][..], &["demo", "claude"]] {
            let sandbox = sandbox();
            let pids = sandbox.path("pids");
            let wait = format!("echo $$ >>{0}; sh -c 'echo $$ >>{0}; exec sleep 100'\n", pids.display());
            sandbox.script("claude", &claude("2.1.197", &wait));
            let mut child = sandbox.command("agent-run").args(words).stdout(Stdio::null()).spawn().unwrap();
            let started = || fs::read_to_string(&pids).is_ok_and(|text| text.lines().count() == 2);
            until(started, "the agent to start");
            kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
            let status = child.wait().unwrap();
            assert_eq!(status.code(), Some(128 + signal as i32), "{words:?}");
            leaves_nothing(&sandbox, words);
        }
    }
}
