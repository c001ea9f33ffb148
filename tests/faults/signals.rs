//! Signals: what a launch inherits it hands on, and what is sent to it arrives at the agent.

use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::sandbox;
use crate::support::tmux::Tmux;
use crate::support::{Sandbox, run};

/// Signals by the names that `trap` knows.
const SIGNALS: [(&str, Signal); 11] = [
    ("HUP", Signal::SIGHUP),
    ("INT", Signal::SIGINT),
    ("QUIT", Signal::SIGQUIT),
    ("TERM", Signal::SIGTERM),
    ("USR1", Signal::SIGUSR1),
    ("USR2", Signal::SIGUSR2),
    ("PIPE", Signal::SIGPIPE),
    ("ALRM", Signal::SIGALRM),
    ("WINCH", Signal::SIGWINCH),
    ("TSTP", Signal::SIGTSTP),
    ("CONT", Signal::SIGCONT),
];

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what} never came");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A command in the sandbox with each of these signals at its default, whatever the tests were started with.
fn plain(sandbox: &Sandbox, options: &[&str], words: &[&str]) -> Command {
    let mut command = sandbox.command("env");
    command.arg("--default-signal").args(options).args(words);
    command
}

#[test]
fn signals_sent_to_the_launch_arrive_at_the_agent() {
    let sandbox = sandbox();
    // It tells each signal, and ends when it was asked to.
    let traps = SIGNALS.map(|(name, _)| format!("trap 'echo {name} >>\"$LOG\"' {name}\n")).concat();
    let script = format!(
        "#!/bin/sh\n{traps}echo ready >>\"$LOG\"\nwhile [ ! -e \"$LOG.end\" ] && [ $((n += 1)) -lt 3000 ]; do sleep 0.02; done\nexit 7\n"
    );
    for agent in super::AGENTS {
        sandbox.script(agent, &script);
        let log = sandbox.path(agent);
        let mut command = plain(&sandbox, &[], &["agent-run", "launch", "mock", agent]);
        let mut child = command.env("LOG", &log).spawn().unwrap();
        let logged = || fs::read_to_string(&log).unwrap_or_default();
        wait_until("the agent", || logged() == "ready\n");
        let pid = Pid::from_raw(child.id().cast_signed());
        let mut expected = "ready\n".to_owned();
        for (name, signal) in SIGNALS {
            kill(pid, signal).unwrap();
            expected.extend([name, "\n"]);
            wait_until(name, || logged() == expected);
        }
        fs::write(log.with_extension("end"), "").unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(7), "{agent}");
    }
}

#[test]
fn an_agent_that_a_signal_ends_or_stops_is_seen_so_by_who_started_it() {
    let sandbox = sandbox();
    sandbox.script(
        "claude",
        "#!/bin/sh\nulimit -c 0\necho >\"$LOG\"\nfor _ in $(seq 3000); do sleep 0.02; done\n",
    );
    let ends = |signal: &Signal| !matches!(signal, Signal::SIGWINCH | Signal::SIGTSTP | Signal::SIGCONT);
    let signals = SIGNALS.iter().map(|(_, signal)| *signal).filter(ends);
    for signal in signals.chain([Signal::SIGKILL, Signal::SIGABRT]) {
        let log = sandbox.path(signal.as_str());
        let mut command = plain(&sandbox, &[], &["agent-run", "launch", "mock", "claude"]);
        // A group that nobody's shell looks after would not stop.
        let mut child = command.process_group(0).env("LOG", &log).spawn().unwrap();
        wait_until("the agent", || log.exists());
        let pid = Pid::from_raw(child.id().cast_signed());
        kill(pid, Signal::SIGTSTP).unwrap();
        let stat = format!("/proc/{pid}/stat");
        wait_until("the stop", || fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") T ")));
        kill(pid, Signal::SIGCONT).unwrap();
        kill(pid, signal).unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(signal as i32));
    }
}

/// The signals that a process has blocked, ignored and caught, as the system tells.
fn dispositions(sandbox: &Sandbox, options: &[&str], words: &[&str]) -> Vec<(String, u64)> {
    let ran = run(&mut plain(sandbox, options, words)).exits(0);
    let masks = ran.stdout.lines().filter(|line| line.starts_with("Sig") || line.starts_with("Shd"));
    let mask = |line: &str| {
        let (name, mask) = line.split_once(":\t")?;
        (name != "SigQ").then(|| (name.to_owned(), u64::from_str_radix(mask, 16).unwrap()))
    };
    masks.filter_map(mask).collect()
}

#[test]
fn blocked_and_ignored_signals_are_handed_on_as_a_bare_exec_hands_them_on() {
    let sandbox = sandbox();
    let status = "/proc/self/status";
    let launch = ["agent-run", "launch", "mock", "shell", "cat", status];
    for options in [
        &[][..],
        &["--ignore-signal=HUP"],                         // as `nohup` does
        &["--ignore-signal=INT", "--ignore-signal=QUIT"], // as a shell does for `&`
        &["--ignore-signal=TERM,TSTP,TTIN,TTOU,USR1,CHLD"],
        &["--block-signal=INT,TERM,USR2,CHLD,PIPE,WINCH"],
        &["--block-signal"],
    ] {
        let bare = dispositions(&sandbox, options, &["cat", status]);
        assert_eq!(bare.len(), 5, "{bare:?}");
        let launched = dispositions(&sandbox, options, &launch);
        assert_eq!(launched, bare, "{options:?}");
    }
    // The one difference: std ignores SIGPIPE while we run and resets it for the agent, so that an agent does
    // not inherit ours; that the parent ignored it too is lost.
    let ignoring = ["--ignore-signal=PIPE"];
    let launched = dispositions(&sandbox, &ignoring, &launch);
    assert_eq!(launched, dispositions(&sandbox, &[], &["cat", status]));
}

#[test]
fn a_launch_under_nohup_survives_the_end_of_its_terminal() {
    let sandbox = sandbox();
    sandbox.script("claude", "#!/bin/sh\nkill -HUP $$\necho survived\n");
    let ran = run(&mut plain(&sandbox, &[], &["nohup", "agent-run", "launch", "mock", "claude"])).exits(0);
    assert_eq!(ran.stdout, "survived\n");
    let ran = run(&mut plain(&sandbox, &[], &["agent-run", "launch", "mock", "claude"])).exits(128 + 1);
    assert_eq!(ran.stdout, "");
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn a_shell_suspends_the_agent_and_brings_it_back() {
    let sandbox = sandbox();
    sandbox.script("claude", "#!/bin/bash\ntrap 'echo back' CONT\necho ready\nuntil read -r -t 60 line; do [ $SECONDS -lt 120 ] || exit 9; done\necho \"got $line\"\nexit 3\n");
    sandbox.shim("claude@mock");
    let tmux = Tmux::start(&sandbox, "PS1='prompt> ' bash --norc --noprofile -i");
    tmux.wait_for("prompt>");
    tmux.text("claude@mock; echo \"code $?\"");
    tmux.key("Enter");
    tmux.wait_for("ready");
    tmux.key("C-z");
    tmux.wait_for("Stopped");
    tmux.text("jobs -l; fg; echo \"then $?\"");
    tmux.key("Enter");
    tmux.wait_for("back");
    tmux.text("words");
    tmux.key("Enter");
    tmux.wait_for("got words");
    tmux.wait_for("then 3");
    tmux.text("exit");
    tmux.key("Enter");
    tmux.wait_for("[exited");
}
