//! The programs of the system's keychains, which read a key from stdin.

use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shims::Message;

use crate::env::Environment;
use crate::signals;

/// How long a keychain's program may take, which may ask for a password.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs a keychain's program, with this on its stdin; says whether it succeeded.
pub fn run<S: AsRef<OsStr>>(argv: &[S], input: &[u8], env: &Environment, may_end: bool) -> Result<bool> {
    let mut command = Command::new(&argv[0]);
    Ok(output(command.args(&argv[1..]).stdout(Stdio::null()), input, env, may_end)?.status.success())
}

/// What came of a keychain's program. With `may_end` Ctrl-C ends it, and this program where it came before.
pub fn output(command: &mut Command, input: &[u8], env: &Environment, may_end: bool) -> Result<Output> {
    let program = command.get_program().to_string_lossy().into_owned();
    let could_not = || could_not_run(&program);
    command.stdin(Stdio::piped()).env(shims::planner::DEPTH, (env.depth() + 1).to_string());
    let child = if may_end { signals::interruptible(|| command.spawn())? } else { command.spawn() };
    let mut child = child.with_context(could_not)?;
    let id = Pid::from_raw(child.id().cast_signed());
    let (sender, ended) = mpsc::channel();
    let input = input.to_vec();
    let wait = move || {
        if let Some(mut stdin) = child.stdin.take() {
            // One that does not read says so by its exit code.
            _ = stdin.write_all(&input);
        }
        _ = sender.send(child.wait_with_output());
    };
    thread::Builder::new()
        .spawn(wait)
        .context(Message::new("could not start a thread", "see `ulimit -u`"))?;
    ended.recv_timeout(PATIENCE).map_or_else(
        |_| {
            _ = kill(id, Signal::SIGKILL);
            bail!(Message::new(
                format!("`{program}` did not end within {} seconds", PATIENCE.as_secs()),
                "check that the keychain is unlocked, or store the key in a file or a variable"
            ))
        },
        |output| output.with_context(could_not),
    )
}

fn could_not_run(program: &str) -> Message {
    let help = "check that it is installed, or store the key in a file or a variable";
    Message::new(format!("could not run `{program}`"), help)
}
