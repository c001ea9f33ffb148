//! From where a key is kept to the key itself.
//!
//! One source a launch, resolved once, after everything else was found in order; a failure never falls
//! back to another source. The key is never logged, and errors name the source, not what it gave.

use std::cell::OnceCell;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::config::{KeySource, Provider, Secret};
use crate::env::Environment;
use crate::reading;

/// A key is a header value; more than this is some other file or a program gone wild.
const LONGEST: usize = 64 * 1024;

/// How long to wait for the rest of the output once the command itself has ended. A command that leaves
/// a child in the background (an agent that caches secrets) keeps the pipe open for as long as that lives.
const GRACE: Duration = Duration::from_millis(150);

/// A provider's key, resolved when it is first needed and once: its command may ask for a password.
pub struct Key<'a> {
    source: Option<KeySource<'a>>,
    env: &'a Environment,
    home: &'a Path,
    found: OnceCell<String>,
}

impl<'a> Key<'a> {
    /// The key of a provider that may have none.
    pub fn of(provider: Option<&'a Provider>, env: &'a Environment, home: &'a Path) -> Self {
        Self { source: provider.and_then(Provider::key_source), env, home, found: OnceCell::new() }
    }

    /// The key; `None` for a provider without one.
    ///
    /// # Errors
    /// As [`resolve`].
    pub fn get(&self) -> Result<Option<&str>> {
        let Some(source) = self.source else { return Ok(None) };
        if self.found.get().is_none() {
            _ = self.found.set(resolve(source, self.env, self.home)?);
        }
        Ok(self.found.get().map(String::as_str))
    }

    /// Whether getting it runs a command.
    pub fn is_asked_for(&self) -> bool {
        matches!(self.source, Some(KeySource::Command(_)))
    }
}

/// Resolves the key.
///
/// # Errors
/// When the source has none, or one that cannot be a header value.
pub fn resolve(source: KeySource<'_>, env: &Environment, home: &Path) -> Result<String> {
    keep_out_of_cores();
    let (what, raw) = match source {
        KeySource::Literal(Secret(key)) => ("key".to_owned(), key.clone().into_bytes()),
        KeySource::Env(name) => (format!("key_env {name}"), from_env(name, env)?),
        KeySource::File(path) => (format!("key_file {}", path.display()), from_file(path, home)?),
        KeySource::Command(argv) => (format!("key_command `{}`", shown(argv)), from_command(argv, home)?),
    };
    check(raw).with_context(|| format!("could not use what {what} gave"))
}

/// Keeps this process, which is about to hold a key, out of core files: whatever ends it, the kernel writes
/// none. Becoming another program lifts it, so that the agent is what it always was.
pub fn keep_out_of_cores() {
    #[cfg(target_os = "linux")]
    if let Err(error) = nix::sys::prctl::set_dumpable(false) {
        log::debug!("a crash may leave a core file with the key in it: {}", error.desc());
    }
}

/// Which key it is, without the key: `<sha256 01234567…>`.
pub fn fingerprint(key: &str) -> String {
    let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(key).into();
    format!("<sha256 {:08x}…>", u32::from_be_bytes([a, b, c, d]))
}

fn from_env(name: &str, env: &Environment) -> Result<Vec<u8>> {
    match env.var(name) {
        Some(key) => Ok(key.as_encoded_bytes().to_vec()),
        None => bail!("key_env {name} is not set\nhelp: export {name}=… in the shell that launches"),
    }
}

fn from_file(path: &Path, home: &Path) -> Result<Vec<u8>> {
    let path = expand_home(path, home);
    let read = reading::open(&path).and_then(|mut file| reading::stream(&mut file, LONGEST as u64 + 1));
    read.with_context(|| {
        format!(
            "could not read key_file {}\nhelp: put the key alone into that file, mode 600",
            path.display()
        )
    })
}

/// `~/…` in a config value means the user's home, as in a shell.
pub fn expand_home(path: &Path, home: &Path) -> PathBuf {
    path.strip_prefix("~").map_or_else(|_| path.to_owned(), |rest| home.join(rest))
}

fn from_command(argv: &[String], home: &Path) -> Result<Vec<u8>> {
    let (program, args) = argv.split_first().context("key_command is empty")?;
    let program = expand_home(Path::new(program), home);
    let mut child = Command::new(&program).args(args).stdout(Stdio::piped()).spawn().with_context(|| {
        format!(
            "could not run key_command `{}`\nhelp: check that `{}` is installed and on PATH",
            shown(argv),
            program.display()
        )
    })?;
    let chunks = child.stdout.take().map(read_aside);
    let mut output = Vec::new();
    let mut over: Option<(ExitStatus, Instant)> = None;
    while let Some(chunk) = chunks.as_ref().map(|chunks| chunks.recv_timeout(GRACE)) {
        match chunk {
            Ok(chunk) => output.extend(chunk),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
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
        format!("lost key_command `{}`\nhelp: start this where SIGCHLD is not ignored", shown(argv))
    })?;
    if !status.success() && output.len() <= LONGEST {
        bail!(
            "key_command `{}` {}\nhelp: run it in a terminal to see what it needs",
            shown(argv),
            ended(status)
        );
    }
    Ok(output)
}

/// Reads in a thread of its own, so that neither a full pipe nor one that never closes holds the launch.
fn read_aside(stdout: ChildStdout) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut stdout = stdout.take(LONGEST as u64 + 1);
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = stdout.read(&mut chunk)
            && sender.send(chunk[..count].to_vec()).is_ok()
        {}
    });
    receiver
}

/// A command as a shell takes it, for messages.
pub fn shown(argv: &[String]) -> String {
    let words: Vec<_> = argv.iter().map(|word| shims::quote(word.as_ref())).collect();
    words.join(" ")
}

fn ended(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("failed with exit code {code}"),
        (None, Some(signal)) => {
            let name = nix::sys::signal::Signal::try_from(signal).map_or("unknown", |signal| signal.as_str());
            format!("was ended by signal {signal} ({name})")
        }
        (None, None) => "failed".to_owned(),
    }
}

fn check(mut raw: Vec<u8>) -> Result<String> {
    if raw.len() > LONGEST {
        bail!("more than 64 KiB\nhelp: a key is one short line");
    }
    while raw.last().is_some_and(|&byte| byte == b'\n' || byte == b'\r') {
        raw.pop();
    }
    if raw.is_empty() {
        bail!("nothing\nhelp: it must give the key and nothing else");
    }
    match raw.iter().position(|&byte| !matches!(byte, b' '..=b'~')) {
        Some(at) if raw[at] < 0x80 => {
            bail!("a control character at byte {at}\nhelp: it must give one line, the key and nothing else")
        }
        Some(at) => bail!("a character outside ASCII at byte {at}\nhelp: keys are plain ASCII; copy it anew"),
        None => Ok(String::from_utf8(raw)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(script: &str) -> Result<String> {
        let argv = ["sh", "-c", script].map(str::to_owned);
        resolve(KeySource::Command(&argv), &Environment::read(), Path::new("/nowhere"))
    }

    #[test]
    fn a_command_gives_the_key_without_its_newline() {
        assert_eq!(command("echo sk-1").expect("a key"), "sk-1");
        assert_eq!(command("printf 'sk-2\r\n\n'").expect("a key"), "sk-2");
    }

    #[test]
    fn a_child_left_behind_does_not_hold_the_launch() {
        assert_eq!(command("echo sk-3; sleep 3 &").expect("a key"), "sk-3");
    }

    #[test]
    fn every_failure_says_what_was_run_and_never_what_it_printed() {
        for (script, part) in [
            ("echo sk-secret; exit 3", "exit code 3"),
            ("echo sk-secret; kill -9 $$", "signal 9 (SIGKILL)"),
            ("true", "nothing"),
            ("printf 'sk-secret\n2'", "a control character at byte 9"),
            ("printf 'sk-secret\\000'", "a control character at byte 9"),
            ("printf 'sk-secret\\303\\251'", "outside ASCII at byte 9"),
            ("yes sk-secret", "more than 64 KiB"),
        ] {
            let error = format!("{:#}", command(script).expect_err(script));
            assert!(error.contains("key_command `sh -c"), "{error}");
            assert!(error.contains(part) && error.contains("\nhelp: "), "{error}");
            assert!(!error.replace(&shims::quote(script.as_ref()), "").contains("sk-secret"), "{error}");
        }
    }

    #[test]
    fn files_are_read_with_the_home_expanded() {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::write(home.path().join("key"), "sk-4\n").expect("written");
        let source = PathBuf::from("~/key");
        let key = resolve(KeySource::File(&source), &Environment::read(), home.path()).expect("a key");
        assert_eq!(key, "sk-4");
        let missing = PathBuf::from("~/missing");
        let error = resolve(KeySource::File(&missing), &Environment::read(), home.path());
        assert!(error.expect_err("no file").to_string().contains("could not read key_file"));
    }
}
