//! Keeps a key that was typed: in a file of its own beside the config, or in the system's keychain.
//!
//! Neither the config nor the arguments of a program ever hold it. Programs as of libsecret 0.21 (`secret-tool`, which
//! reads the secret from stdin) and macOS 14 (`security -i`, which reads commands from stdin).

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use nix::unistd::{AccessFlags, access};
use shims::Message;

use super::expand_home;
use super::file::{below_home, commit, folder, is_taken, remove_empty, write_file, write_new};
use super::keychain::{output, run};
use super::place::KeyPlace;
use crate::config::{self, Loaded, Provider};
use crate::env::Environment;
use crate::fs::AtomicFile;

/// What the keychain calls this program.
const SERVICE: &str = "agent-run";

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
///
/// Until then a file has a second, temporary name: if this program is killed, the next key that is stored for the
/// provider takes its place, and `doctor` names it.
pub struct StoredKey<'a> {
    store: &'a KeyStore,
    before: Option<Vec<u8>>,
    fresh: Option<AtomicFile>,
    /// Whether the file is at its place already, where there was none.
    is_linked: bool,
    is_kept: bool,
    env: &'a Environment,
}

impl KeyStore {
    /// The file for the key of `provider`, beside the config at `path`: its `former` one, else a new one. A file that is
    /// there may be another config's, or that of a provider which had the name before; an empty one is nobody's.
    pub fn file(path: &Path, provider: &str, former: Option<&Self>) -> Self {
        if let Some(Self::File(former)) = former {
            return Self::File(former.clone());
        }
        let (folder, mut number) = (folder(path), 1);
        while is_taken(&folder.join(key_name(provider, number))) {
            number += 1;
        }
        Self::File(folder.join(key_name(provider, number)))
    }

    /// A new file for the key of a provider that is added to the config at `path`, and then those that are there under
    /// its name, but for what a provider of the config reads: a removed provider's, or one of another config in the folder.
    pub fn files(path: &Path, provider: &str, home: &Path) -> Vec<Self> {
        let new = Self::file(path, provider, None);
        let loaded = config::load_sound(path).ok();
        let is_read = |it: &Self| loaded.as_ref().is_some_and(|all| it.other_reader("", all, home).is_some());
        let there = (1..).map(|number| Self::File(folder(path).join(key_name(provider, number))));
        let there = there.take_while(|there| *there != new).filter(|there| !is_read(there));
        std::iter::once(new.clone()).chain(there).collect()
    }

    /// Another provider of the config that has its key from here too, under whatever path.
    pub fn other_reader(&self, name: &str, loaded: &Loaded, home: &Path) -> Option<String> {
        let Self::File(path) = self else {
            let providers = &loaded.config.providers;
            let reads = |other: &Provider| other.key_command == self.read_command();
            let other = providers.iter().find(|(other, provider)| *other != name && reads(provider))?;
            return Some(other.0.clone());
        };
        let real = path.canonicalize().ok();
        let is_it = |file: &Path| file == path || (real.is_some() && file.canonicalize().ok() == real);
        let others = loaded.key_files().into_iter().filter(|(other, _)| other != name);
        others
            .map(|(other, file)| (other, expand_home(&file, home)))
            .find(|(_, file)| is_it(file))
            .map(|it| it.0)
    }

    /// The system's keychain, where its program is installed.
    pub fn keychain(provider: &str, env: &Environment) -> Option<Self> {
        let is_here = |program| env.programs(program).next().is_some();
        if is_here("secret-tool") {
            Some(Self::SecretTool(provider.to_owned()))
        } else {
            is_here("security").then(|| Self::Security(provider.to_owned()))
        }
    }

    /// The place that holds the key of a provider of the config at `path`, if it is one that this program made.
    pub fn of(name: &str, provider: &Provider, path: &Path, home: &Path) -> Option<Self> {
        if let Some(file) = provider.key_file.as_ref().map(|file| expand_home(file, home))
            && file.parent() == Some(&folder(path))
        {
            return Some(Self::File(file));
        }
        let keychains = [Self::SecretTool(name.to_owned()), Self::Security(name.to_owned())];
        keychains.into_iter().find(|store| provider.key_command.as_ref() == store.read_command().as_ref())
    }

    /// Whether it is a file.
    pub fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// Whether it is a link, which its user made: the file behind it is not this program's to remove.
    pub fn is_link(&self) -> bool {
        matches!(self, Self::File(path) if path.is_symlink())
    }

    /// What the config says of it.
    pub fn place(&self, home: &Path) -> KeyPlace {
        match (self, self.read_command()) {
            (Self::File(path), _) => KeyPlace::File(below_home(path, home)),
            (_, argv) => KeyPlace::Command(argv.unwrap_or_default()),
        }
    }

    /// In words.
    pub fn shown(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            _ => "the system's keychain".to_owned(),
        }
    }

    /// What removes the key by hand.
    pub fn removal(&self) -> String {
        shims::quoted(self.remove_command())
    }

    fn remove_command(&self) -> Vec<String> {
        match self {
            Self::File(path) => vec!["rm".to_owned(), path.display().to_string()],
            Self::SecretTool(name) => {
                ["secret-tool", "clear", "service", SERVICE, "provider", name].map(str::to_owned).into()
            }
            Self::Security(name) => {
                ["security", "delete-generic-password", "-s", SERVICE, "-a", name].map(str::to_owned).into()
            }
        }
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

    /// Puts the key there, until the result is dropped or kept. Only what the config does not name yet `is_new`.
    pub fn put<'a>(&'a self, key: &str, is_new: bool, env: &'a Environment) -> Result<StoredKey<'a>> {
        if let Self::File(path) = self {
            let write = if is_new { write_new } else { write_file };
            let fresh = write(path, key.as_bytes())?;
            // What the config names already takes its place when that cannot fail any more.
            let is_linked = is_new && fresh.link().is_ok();
            return Ok(StoredKey {
                store: self,
                before: None,
                fresh: Some(fresh),
                is_linked,
                is_kept: false,
                env,
            });
        }
        let before = self.kept(env, true)?;
        // From here on, whatever fails is undone.
        let stored = StoredKey { store: self, before, fresh: None, is_linked: false, is_kept: false, env };
        self.write(key.as_bytes(), env, true)?;
        if self.kept(env, false).ok().flatten().as_deref() != Some(key.as_bytes()) {
            bail!(Message::new(
                "the system's keychain did not store the key",
                "check that it is unlocked, or store the key in a file or a variable"
            ));
        }
        Ok(stored)
    }

    /// Refuses a key that could not be removed, before anything else is changed.
    pub fn check_removable(&self) -> Result<()> {
        if let Self::File(path) = self
            && let Some(folder) = path.parent().filter(|_| path.exists())
            && access(folder, AccessFlags::W_OK).is_err()
        {
            let text = format!("the key cannot be removed: {} is read-only", folder.display());
            bail!(Message::new(text, format!("run `chmod u+w {}`", shims::quote(folder.as_os_str()))));
        }
        Ok(())
    }

    /// Removes the key; says whether there was one.
    pub fn remove(&self, env: &Environment) -> Result<bool> {
        match self {
            Self::File(path) => match fs::remove_file(path) {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
                removed => {
                    removed.with_context(|| {
                        let help = format!("remove it yourself: `rm {}`", shims::quote(path.as_os_str()));
                        Message::new(format!("could not remove {}", path.display()), help)
                    })?;
                    path.parent().map(remove_empty);
                    Ok(true)
                }
            },
            _ => run(&self.remove_command(), b"", env, false),
        }
    }

    /// What the keychain has; only one that says so has none.
    fn kept(&self, env: &Environment, may_end: bool) -> Result<Option<Vec<u8>>> {
        let Some(argv) = self.read_command() else { return Ok(None) };
        let ask = |words: &[String]| {
            let mut command = Command::new(&argv[0]);
            output(command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped()), b"", env, may_end)
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
                format!("could not check whether the system's keychain already has a key{said}"),
                "check that it is unlocked, or store the key in a file or a variable"
            ));
        }
        Ok(None)
    }

    fn write(&self, key: &[u8], env: &Environment, may_end: bool) -> Result<()> {
        let is_done = match self {
            Self::File(path) => return commit(write_file(path, key)?, path),
            Self::SecretTool(name) => {
                let label = format!("{SERVICE} {name}");
                let argv = ["secret-tool", "store", "--label", &label, "service", SERVICE, "provider", name];
                run(&argv, key, env, may_end)?
            }
            Self::Security(name) => {
                let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
                let (key, name) = (quoted(&String::from_utf8_lossy(key)), quoted(name));
                let line = format!("add-generic-password -U -s {SERVICE} -a {name} -w {key}\n");
                run(&["security", "-i"], line.as_bytes(), env, may_end)?
            }
        };
        if !is_done {
            bail!(Message::new(
                "the system's keychain refused the key",
                "check that it is unlocked, or store the key in a file or a variable"
            ));
        }
        Ok(())
    }
}

/// The name of a key file.
fn key_name(provider: &str, number: usize) -> String {
    if number > 1 { format!("{provider}-{number}.key") } else { format!("{provider}.key") }
}

impl StoredKey<'_> {
    /// Leaves it there.
    pub fn keep(mut self) -> Result<()> {
        self.is_kept = true;
        match (self.fresh.take(), self.store) {
            (Some(fresh), KeyStore::File(path)) if !self.is_linked => commit(fresh, path),
            _ => Ok(()),
        }
    }
}

impl Drop for StoredKey<'_> {
    fn drop(&mut self) {
        if let (Some(fresh), KeyStore::File(path)) = (self.fresh.take(), self.store) {
            if self.is_linked {
                _ = fs::remove_file(path);
            }
            drop(fresh);
            path.parent().map(remove_empty);
        } else if !self.is_kept {
            let undone = match &self.before {
                Some(before) => self.store.write(before, self.env, false),
                None => self.store.remove(self.env).map(|_| ()),
            };
            if let Err(error) = undone {
                let place = self.store.shown();
                log::warn!("the key in {place} could not be removed again: {error:#}");
            }
        }
    }
}
