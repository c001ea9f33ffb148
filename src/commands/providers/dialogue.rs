//! What `providers add` asks at a terminal: where the key is, and whether the provider answers. Nothing is written
//! before the last answer, and then the key and the config together or neither.

use shims::Message;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use shims::{Agent, Protocol};

use super::managers;
use crate::catalog::Catalog;
use crate::config::{self, Config, Provider};
use crate::env::Environment;
use crate::key::store::{KeyStore, below_home};
use crate::key::{self, store};
use crate::launch::resolve;
use crate::presets::{self, KeyPlace, Preset};
use crate::ui::log::say;
use crate::ui::prompt;

/// Where a key is, as somebody at the terminal says it.
pub enum KeyAnswer {
    /// It is there already.
    There(KeyPlace),
    /// It was typed, and is to be put there.
    Typed(KeyStore, String),
}

impl KeyAnswer {
    /// What the config says of it.
    pub fn place(&self, home: &Path) -> KeyPlace {
        match self {
            Self::There(place) => place.clone(),
            Self::Typed(store, _) => store.place(home),
        }
    }
}

/// A provider that is about to be added.
pub struct Draft<'a> {
    pub preset: &'a Preset,
    pub name: &'a str,
    /// The config.
    pub path: &'a Path,
    pub env: &'a Environment,
    pub home: PathBuf,
    pub key: Option<KeyAnswer>,
    pub model: Option<String>,
    /// What takes the place of a word in capitals in the preset's URLs and model.
    pub filled: Vec<(String, String)>,
}

/// How a test ended.
pub enum TestOutcome {
    /// A model answered.
    Works,
    /// Nothing could be asked yet, and why.
    NotTested(String),
    /// The provider refused, or cannot be reached.
    Failed(Message),
}

impl<'a> Draft<'a> {
    pub fn new(preset: &'a Preset, name: &'a str, path: &'a Path, env: &'a Environment) -> Result<Self> {
        let home = env.dirs()?.home;
        Ok(Self { preset, name, path, env, home, key: None, model: None, filled: Vec::new() })
    }

    /// The entry for the config, with its name in the first column.
    pub fn entry(&self) -> String {
        let key = self.key.as_ref().map(|key| key.place(&self.home));
        let entry = self.preset.entry(self.name, key.as_ref(), self.model.as_deref());
        self.filled.iter().fold(entry, |entry, (blank, value)| entry.replace(blank, value))
    }

    /// What the config will make of it.
    ///
    /// # Errors
    /// When the entry is not right.
    pub fn provider(&self) -> Result<Provider> {
        let text = format!("providers:\n{}", presets::indented(&self.entry()));
        let Config { mut providers, .. } = config::parse(text, self.path)?.config;
        providers.swap_remove(self.name).context("the entry has another name")
    }

    /// Asks for everything that the entry needs, and tests it with one short request of the protocol that `agent` would
    /// use.
    ///
    /// # Errors
    /// When it is to be left, or nobody answers.
    pub fn fill(&mut self, agent: Option<&dyn Agent>) -> Result<TestOutcome> {
        self.ask_blanks()?;
        let mut is_asked = self.key.is_none() && self.preset.key_variable().is_some();
        loop {
            if is_asked && let Some(variable) = self.preset.key_variable() {
                self.key = Some(ask_key(Some(variable), self.name, self.path, &self.home, self.env)?);
            }
            let failed = match self.test(agent)? {
                TestOutcome::Failed(failed) => failed,
                outcome => return Ok(outcome),
            };
            say(&format!("{}\n", failed.render()));
            is_asked = self.preset.key_variable().is_some();
            let again = if is_asked { "give another key" } else { "test again" };
            let options = [again, "add the provider all the same", "stop"].map(str::to_owned);
            match prompt::choose("What now?", &options)? {
                0 => {}
                1 => return Ok(TestOutcome::NotTested("it failed".to_owned())),
                _ => bail!("stopped, and nothing was changed"),
            }
        }
    }

    /// Asks for what only the user knows, as the name of a resource in a URL.
    fn ask_blanks(&mut self) -> Result<()> {
        for blank in self.preset.blanks() {
            if self.filled.iter().any(|(filled, _)| *filled == blank) {
                continue;
            }
            let entry = self.entry();
            let line = entry.lines().find(|line| line.contains(&blank)).unwrap_or_default().trim();
            let value = prompt::ask(&format!("{blank} in `{line}` is yours to name: "))?;
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
            if value.is_empty() || !value.chars().all(is_plain) {
                bail!(Message::new(
                    format!("{blank} needs a name of letters, digits, `-`, `.` and `_`"),
                    "look it up at the provider, and start again"
                ));
            }
            self.filled.push((blank, value));
        }
        Ok(())
    }

    /// Asks a model for one word.
    ///
    /// # Errors
    /// When there is no working folder.
    pub fn test(&self, agent: Option<&dyn Agent>) -> Result<TestOutcome> {
        let provider = self.provider()?;
        let key = match &self.key {
            Some(KeyAnswer::Typed(_, key)) => Ok(Some(key.clone())),
            _ => match provider.key_env.as_ref().filter(|name| self.env.var(name).is_none()) {
                Some(name) => return Ok(TestOutcome::NotTested(format!("{name} is not set here"))),
                None => key::of(&provider, self.env, &self.home),
            },
        };
        match key {
            Ok(key) => try_provider(self.name, &provider, agent, key, self.env),
            Err(error) => Ok(TestOutcome::Failed(crate::error::message(&error))),
        }
    }

    /// Writes the key and the config: both, or neither.
    ///
    /// # Errors
    /// When one of them cannot be written.
    pub fn write(&self) -> Result<()> {
        let entry = self.entry();
        prompt::uninterrupted(|| {
            let stored = self.store_key()?;
            config::change_config(self.path, &entry, |now| config::append(now, self.name, &entry))?;
            stored.into_iter().for_each(store::StoredKey::keep);
            Ok(())
        })
    }

    fn store_key(&self) -> Result<Option<store::StoredKey<'_>>> {
        match &self.key {
            Some(KeyAnswer::Typed(store, key)) => store.put(key, &self.home, self.env).map(Some),
            _ => Ok(None),
        }
    }

    /// The config's path as people write it.
    pub fn shown_path(&self) -> String {
        below_home(self.path, &self.home).display().to_string()
    }
}

/// Asks a model of the provider for one word, and says how that goes.
///
/// # Errors
/// When there is no working folder.
pub fn try_provider(
    name: &str,
    provider: &Provider,
    agent: Option<&dyn Agent>,
    key: Option<String>,
    env: &Environment,
) -> Result<TestOutcome> {
    let spoken = agent.and_then(|agent| resolve::common(agent, provider));
    let Some(protocol) = spoken.or_else(|| provider.protocols.first().copied()) else {
        return Ok(TestOutcome::NotTested("it has no protocol".to_owned()));
    };
    let Some(model) = &provider.default_model else {
        return Ok(TestOutcome::NotTested("it has no default_model".to_owned()));
    };
    say(&format!("Testing: one short request to {model} (costs a few tokens) ... "));
    let outcome = ask_model(name, provider, protocol, model, key, env)?;
    if let TestOutcome::Failed(_) = outcome {
        say("failed.\n");
    }
    Ok(outcome)
}

fn ask_model(
    name: &str,
    provider: &Provider,
    protocol: Protocol,
    model: &str,
    key: Option<String>,
    env: &Environment,
) -> Result<TestOutcome> {
    let dirs = env.dirs()?;
    let catalog = Catalog::open(&dirs, env, Duration::ZERO);
    let key = || Ok(key.clone());
    let base = provider.base_url(protocol).unwrap_or_default();
    Ok(match catalog.probe(name, provider, (protocol, base), model, &key) {
        Ok(probe) => match probe.failure {
            None => {
                say(&format!("it answers ({} ms).\n", probe.took.as_millis()));
                TestOutcome::Works
            }
            Some(failure) => TestOutcome::Failed(failure.message),
        },
        Err(failure) => TestOutcome::Failed(failure.message),
    })
}

/// Asks where the key is, until there is an answer that can be used.
///
/// # Errors
/// When nobody answers.
pub fn ask_key(
    variable: Option<&str>,
    name: &str,
    path: &Path,
    home: &Path,
    env: &Environment,
) -> Result<KeyAnswer> {
    enum Way {
        Paste(KeyStore),
        SetVariable(String),
        Variable,
        File,
        Command,
        Manager(Vec<String>),
    }
    let mut ways: Vec<(Way, String)> = Vec::new();
    if let Some(variable) = variable.filter(|variable| env.var(variable).is_some()) {
        ways.push((Way::SetVariable(variable.to_owned()), format!("in the variable {variable}, which is set here")));
    }
    for store in std::iter::once(KeyStore::file(path, name)).chain(KeyStore::keychain(name, env)) {
        let text = match &store {
            KeyStore::File(_) => format!("paste it, to be kept in {}", store.shown(home)),
            _ => format!("paste it, to be kept in {}", store.shown(home)),
        };
        ways.push((Way::Paste(store), text));
    }
    ways.push((Way::Variable, "in a variable".to_owned()));
    ways.push((Way::File, "in a file".to_owned()));
    for way in managers::found(name, env).into_iter().filter(|way| !way.is_keychain()) {
        ways.push((Way::Manager(way.argv.clone()), format!("`{}` prints it", key::shown(&way.argv))));
    }
    ways.push((Way::Command, "another command prints it".to_owned()));
    let texts: Vec<_> = ways.iter().map(|(_, text)| text.clone()).collect();
    for _ in 0..3 {
        let chosen = prompt::choose(&format!("Where is the key of {name}?"), &texts)?;
        let answer = match &ways[chosen].0 {
            Way::Paste(store) => match key::typed(&prompt::ask_hidden("Key (not shown while you type): ")?) {
                Ok(key) => return Ok(KeyAnswer::Typed(store.clone(), key)),
                Err(error) => Err(error),
            },
            Way::SetVariable(variable) => Ok(KeyPlace::Env(variable.clone())),
            Way::Variable => ask_variable(variable),
            Way::File => ask_file(home, env),
            Way::Command => ask_command(home, env),
            Way::Manager(argv) => Ok(KeyPlace::Command(argv.clone())),
        };
        match answer {
            Ok(place) => return Ok(KeyAnswer::There(place)),
            Err(error) => say(&format!("{}\n", crate::error::render(&error))),
        }
    }
    bail!("stopped without a key, and nothing was changed")
}

fn ask_variable(usual: Option<&str>) -> Result<KeyPlace> {
    let shown = usual.map(|usual| format!(" [{usual}]")).unwrap_or_default();
    let name = prompt::ask(&format!("Variable{shown}: "))?;
    let name = if name.is_empty() { usual.unwrap_or_default().to_owned() } else { name };
    let is_right = |name: &str| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && name.chars().next().is_some_and(|c| !c.is_ascii_digit())
    };
    // What is no name may be the key itself, which is not repeated.
    if !is_right(&name) {
        bail!(Message::new("this is no name of a variable", "type a name such as DEEPSEEK_API_KEY, not the key"));
    }
    Ok(KeyPlace::Env(name))
}

fn ask_file(home: &Path, env: &Environment) -> Result<KeyPlace> {
    let path = PathBuf::from(prompt::ask("File: ")?);
    key::resolve(config::KeySource::File(&path), config::KeyCheck::On, env, home)?;
    let path = key::expand_home(&path, home);
    let path = std::path::absolute(&path).unwrap_or(path);
    Ok(KeyPlace::File(below_home(&path, home)))
}

fn ask_command(home: &Path, env: &Environment) -> Result<KeyPlace> {
    let text = prompt::ask("Command: ")?;
    let argv = shlex::split(&text).filter(|argv| !argv.is_empty());
    let argv = argv.context(Message::new("this is no command", "type it as in a shell: pass show deepseek"))?;
    key::resolve(config::KeySource::Command(&argv), config::KeyCheck::On, env, home)?;
    Ok(KeyPlace::Command(argv))
}
