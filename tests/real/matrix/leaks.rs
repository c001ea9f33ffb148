//! The key, looked for where it must not be: in arguments of the whole process tree, in files, in what is
//! said at the loudest, in dry runs and in errors. It is the child's environment alone that may hold it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::claude::CLAUDE;
use super::codex::CODEX;
use super::crush::CRUSH;
use super::hermes::HERMES;
use super::{KEY, Machine, Subject, needles};
use crate::support::{Ran, net, real, run};

/// A machine in the namespaces, for one that also traces processes.
#[track_caller]
fn machine(subject: &'static Subject) -> Option<Machine> {
    (real::sandbox(subject.agent).is_some() && real::tools(&["strace"]) && net::is_inside())
        .then(|| Machine::set(subject))
}

/// Runs a command with every variable that makes it louder, and each program that it or any of its
/// children starts written down. Asserts that nothing of that holds the key.
#[track_caller]
fn traced(machine: &Machine, mut command: Command, what: &str) -> Ran {
    let trace = machine.sandbox.path("trace");
    let mut strace = machine.sandbox.command("strace");
    strace
        .args(["-f", "--seccomp-bpf", "-qq", "-s", "65535", "-e", "trace=execve,execveat", "-o"])
        .arg(&trace);
    strace.arg("timeout").args(["-k", "5", "240"]).arg(command.get_program()).args(command.get_args());
    strace.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    strace.envs([("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full"), ("DEBUG", "*")]);
    strace.envs([("ANTHROPIC_LOG", "debug"), ("HERMES_LOG_LEVEL", "DEBUG"), ("PYTHONVERBOSE", "")]);
    command = strace;
    let ran = run(&mut command);
    let started = std::fs::read(&trace).unwrap();
    assert!(started.windows(8).any(|part| part == b"execve(\""), "{what}: nothing was traced");
    needles::absent(&started, &format!("arguments of {what}"));
    needles::absent(ran.stdout.as_bytes(), &format!("stdout of {what}"));
    needles::absent(ran.stderr.as_bytes(), &format!("stderr of {what}"));
    ran
}

fn agent_run(machine: &Machine, words: &[&str]) -> Command {
    let mut command = machine.sandbox.command("agent-run");
    command.args(words);
    command
}

/// Asserts that no file of the sandbox holds the key, but those that the user keeps it in.
#[track_caller]
fn no_file_holds_it(machine: &Machine, but: &[&Path]) {
    for place in ["home", "tmp", "work", "xdg"] {
        needles::absent_from_files(&machine.sandbox.path(place), but);
    }
}

/// The ways to keep a key, and the files that then hold it. The command prints a file's content.
fn sources(machine: &Machine) -> [(String, Vec<std::path::PathBuf>); 4] {
    let kept = machine.sandbox.path("kept");
    machine.sandbox.write(&kept, format!("{KEY}\n"));
    // Else the doctor has something to say of it.
    std::fs::set_permissions(&kept, std::fs::Permissions::from_mode(0o600)).unwrap();
    let kept = kept.display();
    let config = machine.sandbox.home(".config/agent-run/config.yaml");
    [
        ("key_env: CHOSEN_KEY".to_owned(), vec![]),
        (format!("key_file: '{kept}'"), vec![]),
        (format!("key_command: [cat, '{kept}']"), vec![]),
        (format!("key: '{KEY}'"), vec![config]),
    ]
}

/// One loud launch for each way to keep the key, and everything else that is said of it.
#[track_caller]
fn search(subject: &'static Subject, loud: &[&str]) {
    let Some(machine) = machine(subject) else { return };
    for (source, holders) in sources(&machine) {
        machine.configure(&source);
        let but: Vec<&Path> = holders.iter().map(AsRef::as_ref).collect();
        let heard = machine.chosen.posts().len();
        let words = [&["launch", "m", subject.agent, "--"], loud].concat();
        traced(&machine, agent_run(&machine, &words), &source).exits(0);
        assert!(machine.chosen.posts().len() > heard, "{source}: the provider was not asked");
        no_file_holds_it(&machine, &but);
        if !source.starts_with("key_file") {
            continue;
        }
        for (words, code) in [
            (&["launch", "m", "--dry-run", "-v", subject.agent, "x"][..], 0),
            (&["launch", "m", "--dry-run", "--json", subject.agent, "x"], 0),
            (&["why", &format!("{}@m", subject.agent)], 0),
            (&["doctor", "--probe", "m", subject.agent], 0),
            (&["launch", "m", "--model", "no-such", subject.agent], 125),
        ] {
            traced(&machine, agent_run(&machine, words), &format!("{source}, {words:?}")).exits(code);
        }
        no_file_holds_it(&machine, &but);
    }
    for post in machine.chosen.posts() {
        assert_eq!(post["headers"]["authorization"], format!("Bearer {KEY}"), "where it belongs");
    }
}

#[test]
fn claude_at_its_loudest_leaves_the_key_nowhere() {
    search(&CLAUDE, &["--debug", "--verbose", "--output-format", "stream-json", "-p", "hi"]);
}

#[test]
fn codex_at_its_loudest_leaves_the_key_nowhere() {
    search(&CODEX, &["exec", "--json", "hi"]);
}

#[test]
fn hermes_at_its_loudest_leaves_the_key_nowhere() {
    search(&HERMES, &["chat", "-v", "-Q", "-q", "hi"]);
}

#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn crush_at_its_loudest_leaves_the_key_nowhere() {
    search(&CRUSH, &["--debug", "run", "-q", "hi"]);
}

/// The launcher's own commands, against a provider that says the key back in its refusals, one that is
/// gone, and one that answers.
#[test]
fn no_command_of_the_launcher_says_the_key() {
    let Some(mut machine) = machine(&CLAUDE) else { return };
    let echo = format!(r#"[{{"status": 401, "body": {{"error": {{"message": "bad key {KEY}"}}}}}}]"#);
    for (provider, script) in ["[]", echo.as_str(), "gone"].into_iter().enumerate() {
        if script == "gone" {
            machine.chosen.stop();
        } else {
            machine.script(script);
        }
        for (source, holders) in sources(&machine) {
            machine.configure(&source);
            let config = machine.sandbox.home(".config/agent-run/config.yaml");
            let text = std::fs::read_to_string(&config).unwrap();
            machine.sandbox.config(&text.replace(", model_api_filters: []", ""));
            let but: Vec<&Path> = holders.iter().map(AsRef::as_ref).collect();
            for (words, codes) in COMMANDS {
                let what = format!("{script}, {source}, {words:?}");
                let ran = traced(&machine, agent_run(&machine, words), &what);
                assert_eq!(ran.code, codes[provider], "{what}: {ran:?}");
            }
            no_file_holds_it(&machine, &but);
        }
    }
}

/// Each with its exit codes: the provider answers, refuses, is gone.
const COMMANDS: &[(&[&str], [i32; 3])] = &[
    (&["launch", "m", "--model", "no-such", "claude"], [125; 3]),
    (&["launch", "m", "--dry-run", "-v", "claude"], [0; 3]),
    (&["launch", "m", "--dry-run", "--json", "claude"], [0; 3]),
    (&["why", "claude@m"], [0; 3]),
    (&["doctor", "m", "claude"], [0, 1, 1]),
    (&["doctor", "--keys", "--json"], [0, 1, 1]),
    (&["config", "show", "m"], [0; 3]),
    (&["config", "check", "--json"], [0; 3]),
    (&["providers", "list"], [0; 3]),
    (&["providers", "show", "m", "--json"], [0; 3]),
    (&["providers", "test", "m"], [0, 1, 1]),
    (&["models", "list", "m", "--refresh"], [0, 1, 1]),
    (&["models", "diff", "m"], [0, 1, 1]),
    (&["env", "m"], [0; 3]),
    (&["no-such-command"], [2; 3]),
];

/// What refreshes a list in the background gets the key through a pipe: not as an argument, and not in its
/// environment either, unless it stood there before.
#[test]
fn what_refreshes_lists_in_the_background_is_given_the_key_through_a_pipe() {
    let Some(machine) = machine(&CLAUDE) else { return };
    let (source, _) = &sources(&machine)[2];
    machine.configure(source);
    let config = machine.sandbox.home(".config/agent-run/config.yaml");
    let text = std::fs::read_to_string(&config).unwrap();
    machine.sandbox.config(&text.replace(", model_api_filters: []", ""));
    let trace = machine.sandbox.path("trace");
    let mut strace = machine.sandbox.command("strace");
    strace.args(["-f", "-v", "-qq", "-s", "65535", "-e", "trace=execve,execveat", "-o"]).arg(&trace);
    // The variable that another source would take it from is not there.
    strace.args(["agent-run", "launch", "m", "claude", "-p", "hi"]).env_remove("CHOSEN_KEY");
    run(&mut strace).exits(0);
    let started = std::fs::read_to_string(&trace).unwrap();
    let refreshers: Vec<_> = started.lines().filter(|line| line.contains("refresh-detached")).collect();
    assert!(!refreshers.is_empty(), "no refresher:\n{started}");
    for line in refreshers {
        needles::absent(line.as_bytes(), "a refresher's arguments and environment");
    }
    assert!(started.contains(KEY), "else a key in an environment would not be seen: the agent has it there");
}
