use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::until;
use super::{claude, sandbox};
use crate::support::Sandbox;
use crate::support::tmux::Tmux;

/// Waits for the end of the processes that the agent wrote down, and asserts that no folder of the probe is left.
#[track_caller]
fn leaves_nothing(sandbox: &Sandbox, words: &[&str]) {
    for pid in fs::read_to_string(sandbox.path("pids")).unwrap().lines() {
        let pid = Pid::from_raw(pid.parse().unwrap());
        until(|| kill(pid, None).is_err(), "the agent and what it started to end");
    }
    let left = |folder: &Path| fs::read_dir(folder).map_or(0, Iterator::count);
    assert_eq!((left(&sandbox.path("tmp")), left(&sandbox.home(".cache/agent-run"))), (0, 0), "{words:?}");
}

/// The program with all signals as a terminal's shell leaves them. What runs the tests may ignore some, as a shell's
/// background jobs do SIGINT, and ignored ones are inherited.
fn us(sandbox: &Sandbox) -> Command {
    if cfg!(target_os = "linux") {
        let mut command = sandbox.command("env");
        command.args(["--default-signal", "agent-run"]);
        command
    } else {
        sandbox.command("agent-run")
    }
}

#[test]
fn a_second_signal_ends_an_agent_that_does_not_want_to_end() {
    for words in [&["doctor", "--probe=launches", "claude@mock"][..], &["demo", "claude"]] {
        let sandbox = sandbox();
        let pids = sandbox.path("pids");
        let wait = format!(
            "trap '' INT TERM HUP\necho $$ >>{0}; sh -c 'echo $$ >>{0}; sleep 100; sleep 100'\n",
            pids.display()
        );
        sandbox.script("claude", &claude("2.1.197", &wait));
        let mut child = us(&sandbox).args(words).stdout(Stdio::null()).spawn().unwrap();
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
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGUSR1] {
        for words in [&["doctor", "--probe=launches", "claude@mock"][..], &["demo", "claude"]] {
            let sandbox = sandbox();
            let pids = sandbox.path("pids");
            let wait = format!("echo $$ >>{0}; sh -c 'echo $$ >>{0}; exec sleep 100'\n", pids.display());
            sandbox.script("claude", &claude("2.1.197", &wait));
            let mut child = us(&sandbox).args(words).stdout(Stdio::null()).spawn().unwrap();
            let started = || fs::read_to_string(&pids).is_ok_and(|text| text.lines().count() == 2);
            until(started, "the agent to start");
            kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
            let status = child.wait().unwrap();
            assert_eq!(status.code(), Some(128 + signal as i32), "{words:?}");
            leaves_nothing(&sandbox, words);
        }
    }
}

/// What ends a fake agent in the trials of a probe, which have homes of their own.
const NOT_IN_TRIALS: &str = "case $HOME in */probe-*) exit ;; esac\n";

#[test]
fn a_signal_in_a_trial_takes_every_agent_and_every_folder_with_it() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let sandbox = sandbox();
        let pids = sandbox.path("pids");
        let wait = "case $HOME in */probe-*) ;; *) exit ;; esac\n";
        let wait = format!("{wait}echo $$ >>{0}; sh -c 'echo $$ >>{0}; exec sleep 100'\n", pids.display());
        sandbox.script("claude", &claude("2.1.197", &wait));
        let words = ["doctor", "--probe", "claude@mock"];
        assert_eq!(ended_by(&sandbox, &words, 2, &[signal]), Some(128 + signal as i32));
        leaves_nothing(&sandbox, &words);
    }
}

/// Nothing can be removed at such an end, so that the next run does it, and only then.
#[test]
fn what_a_killed_probe_or_demo_left_is_removed_by_the_next_one() {
    for (words, folder) in [
        (&["doctor", "--probe=launches", "claude@mock"][..], ".cache/agent-run"),
        (&["demo", "claude"], "../tmp"),
    ] {
        let sandbox = sandbox();
        let pids = sandbox.path("pids");
        let waits = format!("{NOT_IN_TRIALS}echo $$ >>{}; exec sleep 100\n", pids.display());
        sandbox.script("claude", &claude("2.1.197", &waits));
        let start = || {
            let child = us(&sandbox).args(words).stdout(Stdio::null()).spawn().unwrap();
            until(
                || fs::read_to_string(&pids).is_ok_and(|text| text.lines().count() == 1),
                "the agent to start",
            );
            let agent = fs::read_to_string(&pids).unwrap().trim().parse().unwrap();
            fs::remove_file(&pids).unwrap();
            (child, Pid::from_raw(agent))
        };
        let left = || fs::read_dir(sandbox.home(folder)).unwrap().count();
        let (mut first, agent) = start();
        first.kill().unwrap();
        first.wait().unwrap();
        kill(agent, Signal::SIGKILL).unwrap();
        assert_eq!(left(), 1, "{words:?}");
        let (mut second, its_agent) = start();
        assert_eq!(left(), 1, "{words:?}: only its own is there");
        // The folder of one that still runs stays.
        let (mut third, other_agent) = start();
        assert_eq!(left(), 2, "{words:?}");
        for (child, agent) in [(&mut second, its_agent), (&mut third, other_agent)] {
            kill(agent, Signal::SIGKILL).unwrap();
            child.wait().unwrap();
        }
        assert_eq!(left(), 0, "{words:?}");
    }
}

/// Runs `doctor` or a demo of a fake agent, sends the signals once its processes have written themselves down, and gives
/// the exit code.
#[track_caller]
fn ended_by(sandbox: &Sandbox, words: &[&str], count: usize, signals: &[Signal]) -> Option<i32> {
    let mut child = us(sandbox).args(words).stdout(Stdio::null()).spawn().unwrap();
    let pids = sandbox.path("pids");
    until(|| fs::read_to_string(&pids).is_ok_and(|text| text.lines().count() >= count), "the agent to start");
    for signal in signals {
        kill(Pid::from_raw(child.id().cast_signed()), *signal).unwrap();
    }
    child.wait().unwrap().code()
}

/// An agent that never tells its version; `first` is its first line.
fn mute(sandbox: &Sandbox, first: &str) {
    let pids = sandbox.path("pids").display().to_string();
    let wait = format!("echo $$ >>{pids}; sh -c 'echo $$ >>{pids}; sleep 100; sleep 100'");
    sandbox.script("claude", &format!("#!/bin/sh\n{first}\n{wait}\n"));
}

#[test]
fn a_signal_while_an_agent_is_asked_for_its_version_leaves_nothing() {
    for (words, signals) in [
        (&["doctor"][..], &[Signal::SIGTERM][..]),
        (&["doctor", "--probe", "claude@mock"], &[Signal::SIGINT]),
        // Impatient, and an agent that does not want to end.
        (&["doctor", "claude"], &[Signal::SIGQUIT, Signal::SIGHUP, Signal::SIGINT]),
    ] {
        let sandbox = sandbox();
        mute(&sandbox, if signals.len() > 1 { "trap '' TERM INT HUP QUIT" } else { ":" });
        let code = ended_by(&sandbox, words, 2, signals);
        assert!(signals.iter().any(|signal| code == Some(128 + *signal as i32)), "{words:?}: {code:?}");
        leaves_nothing(&sandbox, words);
    }
}

/// A SIGTERM would not end what has it blocked, and what asks its own children to end by one would wait for ever.
#[test]
#[cfg(target_os = "linux")]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs perl: --features system-tools")]
fn an_agent_of_a_probe_or_a_demo_has_no_signal_blocked() {
    for (words, count) in [(&["doctor", "--probe", "claude@mock"][..], 10), (&["demo", "claude"], 1)] {
        let sandbox = sandbox();
        let masks = sandbox.path("masks");
        // No shell: dash unblocks all signals for itself.
        let writes = format!(
            "#!/usr/bin/perl\nopen(my $in, '<', '/proc/self/status'); open(my $out, '>>', '{}');\n\
             print $out grep {{ /SigBlk/ }} <$in>;\nprint \"2.1.332 (Claude Code)\\n\";\n",
            masks.display()
        );
        sandbox.script("claude", &writes);
        us(&sandbox).args(words).stdout(Stdio::null()).status().unwrap();
        let masks = fs::read_to_string(masks).unwrap();
        assert!(masks.lines().count() >= count, "{words:?}: {masks}");
        for mask in masks.lines() {
            assert_eq!(mask.split_whitespace().nth(1), Some("0000000000000000"), "{words:?}");
        }
    }
}

#[test]
fn a_signal_that_this_program_was_started_to_ignore_ends_nothing() {
    let sandbox = sandbox();
    let (pids, go) = (sandbox.path("pids"), sandbox.path("go"));
    let wait = format!("echo $$ >>{}\nuntil test -e {}; do sleep 0.05; done\n", pids.display(), go.display());
    sandbox.script("claude", &claude("2.1.197", &wait));
    let mut command = sandbox.command("nohup");
    let words = ["agent-run", "doctor", "--probe", "claude@mock"];
    let mut child = command.args(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until(|| pids.exists(), "the agent to start");
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGHUP).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(200));
    fs::write(go, "").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    leaves_nothing(&sandbox, &words);
}

/// What an agent leaves in the background would go on with the environment of a launch that is over.
#[test]
#[cfg(target_os = "linux")]
fn what_an_agent_leaves_running_ends_with_a_probe_and_a_demo() {
    for words in [&["doctor", "--probe", "claude@mock"][..], &["demo", "claude"]] {
        let sandbox = sandbox();
        let pids = sandbox.path("pids").display().to_string();
        let child =
            format!("sh -c 'trap \"\" HUP; echo $$ >>{pids}; sleep 100; sleep 100' >/dev/null 2>&1 &");
        let left = format!(
            "{NOT_IN_TRIALS}{child}\nsetsid {child}\nuntil test \"$(wc -l <{pids})\" = 2; do sleep 0.05; done\n"
        );
        sandbox.script("claude", &claude("2.1.197", &left));
        sandbox.agent_run(words).exits(0);
        assert_eq!(fs::read_to_string(sandbox.path("pids")).unwrap().lines().count(), 2);
        leaves_nothing(&sandbox, words);
    }
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn a_closed_terminal_ends_a_probe_and_a_demo() {
    for words in ["doctor --probe=launches claude@mock", "demo claude"] {
        let sandbox = sandbox();
        let pids = sandbox.path("pids");
        let wait = format!("echo $$ >>{0}; sh -c 'echo $$ >>{0}; exec sleep 100'\n", pids.display());
        sandbox.script("claude", &claude("2.1.197", &wait));
        let tmux = Tmux::start(&sandbox, &format!("agent-run {words}"));
        until(|| fs::read_to_string(&pids).is_ok_and(|text| text.lines().count() == 2), "the agent to start");
        drop(tmux);
        let is_gone = || {
            fs::read_dir(sandbox.path("tmp")).map_or(0, |entries| {
                entries
                    .flatten()
                    .filter(|entry| entry.file_name().to_string_lossy().starts_with("agent-run-"))
                    .count()
            }) == 0
                && fs::read_dir(sandbox.home(".cache/agent-run")).map_or(0, Iterator::count) == 0
        };
        until(is_gone, "the folders to go");
        for pid in fs::read_to_string(&pids).unwrap().lines() {
            let pid = Pid::from_raw(pid.parse().unwrap());
            until(|| kill(pid, None).is_err(), "the agent and what it started to end");
        }
    }
}
