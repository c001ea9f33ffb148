//! Runs a `key_command` and gives what it prints.

use std::io::{IsTerminal, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use shims::Message;

use super::redact::shown_command;
use super::{LONGEST, expand_home};
use crate::env::Environment;
use crate::ui::{Progress, log, prompt};

/// How long to wait for the rest of the output once the command itself has ended. A command that leaves
/// a child in the background (an agent that caches secrets) keeps the pipe open for as long as that lives.
const GRACE: Duration = Duration::from_millis(150);

/// After how long a person is shown what is waited for.
const SILENCE: Duration = Duration::from_secs(1);

/// What the command prints.
///
/// Its stdin is the terminal, or nothing: `ssh` and `kubectl exec -i` read all that comes, and what is piped in is
/// meant for the agent. A program that asks for a password opens /dev/tty by itself.
///
/// It counts as a launcher within a launcher, since it may call agent-run again, as a login shell may whose start-up
/// files do.
pub fn output(argv: &[String], home: &Path, env: &Environment) -> Result<Vec<u8>> {
    let (program, args) = argv.split_first().context("key_command is empty")?;
    let program = expand_home(Path::new(program), home);
    let mut child = Command::new(&program)
        .args(args)
        .stdin(stdin())
        .stdout(Stdio::piped())
        .env(shims::planner::DEPTH, (env.depth() + 1).to_string())
        .spawn()
        .with_context(|| {
            Message::new(
                format!("could not run key_command {}", shown_command(argv)),
                format!("check that `{}` is installed and on PATH", program.display()),
            )
        })?;
    let chunks = child.stdout.take().map(read_aside).transpose();
    let chunks = chunks.context(Message::new("could not start a thread", "see `ulimit -u`"))?;
    let mut output = Vec::new();
    let mut over: Option<(ExitStatus, Instant)> = None;
    let (start, mut is_said) = (Instant::now(), false);
    while let Some(chunk) = chunks.as_ref().map(|chunks| chunks.recv_timeout(GRACE)) {
        match chunk {
            Ok(chunk) => output.extend(chunk),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if !is_said && start.elapsed() >= SILENCE {
            is_said = true;
            if prompt::is_echoing() && !Progress::is_any_shown() {
                log::say(&format!("Waiting for key_command {}\n", shown_command(&argv[..1])));
            }
        }
        match over {
            None => match child.try_wait() {
                Ok(status) => over = status.map(|status| (status, Instant::now())),
                Err(_) => break,
            },
            Some((_, at)) if at.elapsed() >= GRACE => break,
            Some(_) => {}
        }
    }
    if output.len() > LONGEST {
        // It may go on for ever, whether it minds that nobody reads or not.
        _ = child.kill();
    }
    let status = over.map_or_else(|| child.wait(), |(status, _)| Ok(status)).with_context(|| {
        Message::new(
            format!("lost key_command {}", shown_command(argv)),
            "run agent-run where SIGCHLD is not ignored",
        )
    })?;
    if !status.success() && output.len() <= LONGEST {
        bail!(Message::new(
            format!("key_command {} {}", shown_command(argv), ended(status)),
            "run it in a terminal to see what it needs"
        ));
    }
    Ok(output)
}

fn stdin() -> Stdio {
    if std::io::stdin().is_terminal() { Stdio::inherit() } else { Stdio::null() }
}

/// Reads in a thread of its own, so that neither a full pipe nor one that never closes holds the launch.
fn read_aside(stdout: ChildStdout) -> std::io::Result<mpsc::Receiver<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new().spawn(move || {
        let mut stdout = stdout.take(LONGEST as u64 + 1);
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = stdout.read(&mut chunk)
            && sender.send(chunk[..count].to_vec()).is_ok()
        {}
    })?;
    Ok(receiver)
}

fn ended(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("failed with exit code {code}"),
        (None, Some(signal)) => {
            let name = nix::sys::signal::Signal::try_from(signal).map_or("unknown", |signal| signal.as_str());
            format!("was terminated by signal {signal} ({name})")
        }
        (None, None) => "failed".to_owned(),
    }
}
