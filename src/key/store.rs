//! Keeps a key that was typed: in a file of its own beside the config, or in the system's keychain.
//!
//! Neither the config nor the arguments of a program ever hold it. Programs as of libsecret 0.21 (`secret-tool`, which
//! reads the secret from stdin) and macOS 14 (`security -i`, which reads commands from stdin).

use shims::Message;
use std::fs::{self, DirBuilder};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{AccessFlags, Pid, access};

use super::expand_home;
use super::place::KeyPlace;
use crate::config::Provider;
use crate::env::Environment;
use crate::fs::atomic::AtomicFile;
use crate::signals;

/// The folder of key files, beside the config.
const FOLDER: &str = "keys";
/// What the keychain calls this program.
const SERVICE: &str = "agent-run";
/// How long a keychain's program may take, which may ask for a password.
const PATIENCE: Duration = Duration::from_secs(120);

/// A place for the key of one provider.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyStore {
    /// A file.
    File(PathBuf),
    /// An entry of the keychain that libsecret reaches, by the provider's name.
    SecretTool(String),
    /// An entry of the keychain of macOS, by the provider's name.
    Security(String),
}

/// A key that was put somewhere. Unless it is kept, it is taken away again, and what was there before is put back.
pub struct StoredKey<'a> {
    store: &'a KeyStore,
    before: Option<Vec<u8>>,
    is_kept: bool,
    env: &'a Environment,
    home: &'a Path,
}

impl KeyStore {
    /// The file for the key of `provider`, beside the config at `path`.
    pub fn file(path: &Path, provider: &str) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self::File(path.with_file_name(FOLDER).join(format!("{provider}.key")))
    }

    /// The system's keychain, where its program is installed.
    pub fn keychain(provider: &str, env: &Environment) -> Option<Self> {
        let is_here = |program: &str| {
            let mut candidates = env.path().into_iter().map(|dir| dir.join(program));
            candidates.any(|path| path.is_file() && access(&path, AccessFlags::X_OK).is_ok())
        };
        if is_here("secret-tool") {
            Some(Self::SecretTool(provider.to_owned()))
        } else {
            is_here("security").then(|| Self::Security(provider.to_owned()))
        }
    }

    /// The place that holds the key of a provider of the config at `path`, if it is one that this program made.
    pub fn of(name: &str, provider: &Provider, path: &Path, home: &Path) -> Option<Self> {
        let file = Self::file(path, name);
        if let (Self::File(ours), Some(theirs)) = (&file, &provider.key_file)
            && *ours == expand_home(theirs, home)
        {
            return Some(file);
        }
        let keychains = [Self::SecretTool(name.to_owned()), Self::Security(name.to_owned())];
        keychains.into_iter().find(|store| provider.key_command.as_ref() == store.read_command().as_ref())
    }

    /// What the config says of it.
    pub fn place(&self, home: &Path) -> KeyPlace {
        match (self, self.read_command()) {
            (Self::File(path), _) => KeyPlace::File(below_home(path, home)),
            (_, argv) => KeyPlace::Command(argv.unwrap_or_default()),
        }
    }

    /// In words.
    pub fn shown(&self, home: &Path) -> String {
        match self {
            Self::File(path) => below_home(path, home).display().to_string(),
            _ => "the system's keychain".to_owned(),
        }
    }

    /// What removes the key by hand.
    pub fn removal(&self, home: &Path) -> String {
        let words: Vec<String> = match self {
            // Quotes would keep `~` from being the home folder.
            Self::File(path) => vec!["rm".to_owned(), expand_home(path, home).display().to_string()],
            Self::SecretTool(name) => {
                ["secret-tool", "clear", "service", SERVICE, "provider", name].map(str::to_owned).into()
            }
            Self::Security(name) => {
                ["security", "delete-generic-password", "-s", SERVICE, "-a", name].map(str::to_owned).into()
            }
        };
        shims::quoted(&words)
    }

    /// The command that prints the key.
    fn read_command(&self) -> Option<Vec<String>> {
        let words = match self {
            Self::File(_) => return None,
            Self::SecretTool(name) => vec!["secret-tool", "lookup", "service", SERVICE, "provider", name],
            Self::Security(name) => {
                vec!["security", "find-generic-password", "-s", SERVICE, "-a", name, "-w"]
            }
        };
        Some(words.into_iter().map(str::to_owned).collect())
    }

    /// Puts the key there, until the result is dropped or kept.
    ///
    /// # Errors
    /// When it cannot be written, or a keychain does not give it back.
    pub fn put<'a>(&'a self, key: &str, home: &'a Path, env: &'a Environment) -> Result<StoredKey<'a>> {
        let before = match self {
            Self::File(path) => match fs::read(path) {
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                read => Some(read.with_context(|| {
                    Message::new(
                        format!("could not read the key that is in {} now", path.display()),
                        "move that file away, or keep the key in a variable",
                    )
                })?),
            },
            _ => self.kept(env, true)?,
        };
        // From here on, whatever fails is undone.
        let stored = StoredKey { store: self, before, is_kept: false, env, home };
        self.write(key.as_bytes(), env, true)?;
        if self.read_command().is_some()
            && self.kept(env, false).ok().flatten().as_deref() != Some(key.as_bytes())
        {
            bail!(Message::new(
                "the system's keychain did not keep the key",
                "see that it is unlocked, or keep the key in a file or a variable"
            ));
        }
        Ok(stored)
    }

    /// Removes the key; says whether there was one.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub fn remove(&self, env: &Environment) -> Result<bool> {
        match self {
            Self::File(path) => match fs::remove_file(path) {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
                removed => {
                    removed.with_context(|| format!("could not remove {}", path.display()))?;
                    // Only an empty folder goes.
                    _ = path.parent().map(fs::remove_dir);
                    Ok(true)
                }
            },
            Self::SecretTool(name) => {
                let words = ["clear", "service", SERVICE, "provider", name];
                run("secret-tool", &words, b"", env, false)
            }
            Self::Security(name) => {
                run("security", &["delete-generic-password", "-s", SERVICE, "-a", name], b"", env, false)
            }
        }
    }

    /// What the keychain has; only one that says so has none.
    fn kept(&self, env: &Environment, may_end: bool) -> Result<Option<Vec<u8>>> {
        let Some(argv) = self.read_command() else { return Ok(None) };
        let ask = |words: &[String]| {
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            let stderr = Stdio::piped();
            output(
                Command::new(&argv[0]).args(words).stdout(Stdio::piped()).stderr(stderr),
                b"",
                env,
                may_end,
            )
        };
        let found = ask(&argv[1..])?;
        let key = found.stdout.trim_ascii();
        if found.status.success() && !key.is_empty() {
            return Ok(Some(key.to_vec()));
        }
        let has_none = match self {
            // errSecItemNotFound, -25300, as an exit code.
            Self::Security(_) => found.status.code() == Some(44),
            // It fails without a word for what is not there and for what stays locked; `search` finds the latter.
            _ if found.stderr.trim_ascii().is_empty() && matches!(found.status.code(), Some(0 | 1)) => {
                let words: Vec<_> = std::iter::once("search".to_owned()).chain(argv[2..].to_vec()).collect();
                let searched = ask(&words)?;
                [searched.stdout, searched.stderr].iter().all(|said| said.trim_ascii().is_empty())
            }
            _ => false,
        };
        if !has_none {
            let said = String::from_utf8_lossy(&found.stderr).trim().to_owned();
            let said = if said.is_empty() { said } else { format!(": {said}") };
            bail!(Message::new(
                format!("could not see whether the system's keychain has a key already{said}"),
                "see that it is unlocked, or keep the key in a file or a variable"
            ));
        }
        Ok(None)
    }

    fn write(&self, key: &[u8], env: &Environment, may_end: bool) -> Result<()> {
        let is_done = match self {
            Self::File(path) => return write_file(path, key),
            Self::SecretTool(name) => {
                let label = format!("{SERVICE} {name}");
                run(
                    "secret-tool",
                    &["store", "--label", &label, "service", SERVICE, "provider", name],
                    key,
                    env,
                    may_end,
                )?
            }
            Self::Security(name) => {
                let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
                let (key, name) = (quoted(&String::from_utf8_lossy(key)), quoted(name));
                let line = format!("add-generic-password -U -s {SERVICE} -a {name} -w {key}\n");
                run("security", &["-i"], line.as_bytes(), env, may_end)?
            }
        };
        if !is_done {
            bail!(Message::new(
                "the system's keychain refused the key",
                "see that it is unlocked, or keep the key in a file or a variable"
            ));
        }
        Ok(())
    }
}

impl StoredKey<'_> {
    /// Leaves it there.
    pub fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for StoredKey<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            let undone = match &self.before {
                Some(before) => self.store.write(before, self.env, false),
                None => self.store.remove(self.env).map(|_| ()),
            };
            if let Err(error) = undone {
                let place = self.store.shown(self.home);
                log::warn!("the key that was put into {place} is still there: {error:#}");
            }
        }
    }
}

fn write_file(path: &Path, key: &[u8]) -> Result<()> {
    let failed = |error: std::io::Error| {
        anyhow!(Message::new(
            format!("could not write the key file: {}: {error}", path.display()),
            "see that you may write there, or keep the key in a variable"
        ))
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let mut fresh = AtomicFile::open(path).map_err(failed)?;
    let line = [key.trim_ascii_end(), b"\n"].concat();
    fresh.write(&line, 0o600).and_then(|()| fresh.sync()).map_err(failed)?;
    fresh.commit().map_err(failed)
}

/// Runs a keychain's program, with this on its stdin; says whether it succeeded.
fn run(program: &str, words: &[&str], input: &[u8], env: &Environment, may_end: bool) -> Result<bool> {
    let mut command = Command::new(program);
    Ok(output(command.args(words).stdout(Stdio::null()), input, env, may_end)?.status.success())
}

/// What came of a keychain's program. With `may_end` Ctrl-C ends it, and this program where it came before.
fn output(command: &mut Command, input: &[u8], env: &Environment, may_end: bool) -> Result<Output> {
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
                "see that the keychain is unlocked, or keep the key in a file or a variable"
            ))
        },
        |output| output.with_context(could_not),
    )
}

fn could_not_run(program: &str) -> Message {
    let help = "see that it is installed, or keep the key in a file or a variable";
    Message::new(format!("could not run `{program}`"), help)
}

/// The path as `~/…` where it is below the home folder.
pub fn below_home(path: &Path, home: &Path) -> PathBuf {
    path.strip_prefix(home).map_or_else(|_| path.to_owned(), |rest| Path::new("~").join(rest))
}
