//! What `providers add` asks at a terminal: where the key is, and whether the provider answers. Nothing is written
//! before the last answer, and then the key and the config together or neither.

use shims::Message;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use shims::{Agent, Protocol};

use super::managers;
use crate::catalog::Catalog;
use crate::catalog::local::{ServedModel, Server};
use crate::config::{self, Config, Provider, yaml_scalar};
use crate::env::Environment;
use crate::key::store::{KeyStore, below_home};
use crate::key::{self, store};
use crate::launch::resolve;
use crate::presets::{self, KeyPlace, Preset};
use crate::ui::log::say;
use crate::ui::prompt;

/// How long a server on this machine may take for its list.
const LIST: Duration = Duration::from_secs(3);
/// The window, in tokens, with which agents can work.
const ENOUGH: u64 = 32_000;
/// How many models are offered by number.
const MOST_SHOWN: usize = 20;

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
    /// The model that was named, or chosen.
    pub model: Option<String>,
    /// The window that the model is served with.
    pub window: Option<u64>,
    /// Scheme, host and port, where they are not the preset's.
    pub server: Option<String>,
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
        let (key, model, window, server, filled) = (None, None, None, None, Vec::new());
        Ok(Self { preset, name, path, env, home, key, model, window, server, filled })
    }

    /// The entry for the config, with its name in the first column.
    pub fn entry(&self) -> String {
        let key = self.key.as_ref().map(|key| key.place(&self.home));
        let mut entry = self.preset.entry(self.name, key.as_ref(), self.model.as_deref());
        if let Some(server) = &self.server {
            entry = self.preset.moved(&entry, server);
        }
        if let (Some(window), Some(model)) = (self.window, &self.model) {
            _ = writeln!(entry, "  models:\n  - {{id: {}, context_window: {window}}}", yaml_scalar(model));
        }
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
            let unasked = self.find_model(true)?;
            let failed = match unasked.map_or_else(|| self.test(agent), Ok)? {
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

    /// Finds the model of the entry, and the window that it has now, where a server on this machine can be asked or the
    /// preset names none. What stands against a test is returned. With `asks` the user chooses, else the model that is
    /// loaded is taken, or the first.
    ///
    /// # Errors
    /// When nobody answers, or the entry is not right.
    pub fn find_model(&mut self, asks: bool) -> Result<Option<TestOutcome>> {
        let failed = |message| Ok(Some(TestOutcome::Failed(message)));
        let Some(server) = Server::of_preset(&self.preset.name) else {
            return if asks && self.model.is_none() && self.provider()?.default_model.is_none() {
                self.ask_listed()
            } else {
                Ok(None)
            };
        };
        let provider = self.provider()?;
        let base = provider.base_url(Protocol::OpenaiChatCompletions).unwrap_or_default().to_owned();
        let key = key::of(&provider, self.env, &self.home).ok().flatten();
        let models = match server.models(&base, key.as_deref(), self.env) {
            Ok(models) => models,
            Err(message) => return failed(message),
        };
        let is_named = |served: &&ServedModel, name: &str| {
            // Ollama's rule: a name without a tag means `:latest`.
            served.id == name || (server == Server::Ollama && served.id.strip_suffix(":latest") == Some(name))
        };
        let missing = |model: &str| {
            Message::new(
                format!("{} has no model `{model}`", server.title()),
                format!("get it: {}", server.pull(model)),
            )
        };
        let usual = provider.default_model.as_deref().unwrap_or("MODEL");
        let named = |name: &str| models.iter().find(|served| is_named(served, name));
        let chosen = match (&self.model, models.as_slice()) {
            (Some(model), _) => match named(model) {
                Some(served) => served,
                None => return failed(missing(model)),
            },
            (None, []) => {
                return failed(Message::new(
                    format!("{} has no models", server.title()),
                    format!("get one: {}", server.pull(usual)),
                ));
            }
            (None, [only]) => only,
            (None, all) if asks => {
                let shown: Vec<_> = all.iter().take(MOST_SHOWN).map(described).collect();
                &all[prompt::choose(&format!("Which of {}'s models?", server.title()), &shown)?]
            }
            (None, [first, ..]) if first.is_loaded => first,
            (None, [first, ..]) => named(usual).unwrap_or(first),
        };
        (self.model, self.window) = (Some(chosen.id.clone()), chosen.window);
        if !chosen.is_loaded && server.loads() {
            let question = format!("Load {} now, to test it and to see its window?", chosen.id);
            if !asks || !prompt::agrees(&question)? {
                say(&window_words(server, &chosen.id, None));
                return Ok(Some(TestOutcome::NotTested("its model is not loaded".to_owned())));
            }
            say("Loading ... ");
            match server.load(&base, &chosen.id, self.env) {
                Ok(window) => self.window = window,
                Err(message) => return failed(message),
            }
            say("loaded.\n");
        }
        say(&window_words(server, &chosen.id, self.window));
        Ok(None)
    }

    /// Lets the user choose from the provider's list.
    fn ask_listed(&mut self) -> Result<Option<TestOutcome>> {
        let provider = self.provider()?;
        let key = match self.key_now(&provider) {
            Ok(Some(key)) => key,
            Ok(None) => return Ok(None),
            Err(error) => return Ok(Some(TestOutcome::Failed(crate::error::message(&error)))),
        };
        say("Asking for its models ... ");
        let dirs = self.env.dirs()?;
        let catalog = Catalog::open(&dirs, self.env, Duration::ZERO);
        let ids = match catalog.refresh(self.name, &provider, &|| Ok(key.clone())) {
            Ok(refreshed) => catalog.known_after(self.name, &provider, refreshed.list).with_prefix(""),
            Err(failure) => return Ok(Some(TestOutcome::Failed(failure.message))),
        };
        say(&format!("{} models.\n", ids.len()));
        let shown: Vec<_> = ids.iter().take(MOST_SHOWN).cloned().collect();
        self.model = match shown.as_slice() {
            [] => None,
            [only] => Some(only.clone()),
            several => Some(several[prompt::choose("Which one do launches start with?", several)?].clone()),
        };
        Ok(None)
    }

    /// The key, if it needs one: `Ok(None)` where it is in a variable that is not set here.
    fn key_now(&self, provider: &Provider) -> Result<Option<Option<String>>> {
        match &self.key {
            Some(KeyAnswer::Typed(_, key)) => Ok(Some(Some(key.clone()))),
            _ if provider.key_env.as_ref().is_some_and(|name| self.env.var(name).is_none()) => Ok(None),
            _ => key::of(provider, self.env, &self.home).map(Some),
        }
    }

    /// Asks a model for one word.
    ///
    /// # Errors
    /// When there is no working folder.
    pub fn test(&self, agent: Option<&dyn Agent>) -> Result<TestOutcome> {
        let provider = self.provider()?;
        match self.key_now(&provider) {
            Ok(Some(key)) => try_provider(self.name, &provider, agent, key, self.env),
            Ok(None) => {
                let name = provider.key_env.unwrap_or_default();
                Ok(TestOutcome::NotTested(format!("{name} is not set here")))
            }
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
        })?;
        if Server::of_preset(&self.preset.name).is_some() {
            self.keep_list();
        }
        Ok(())
    }

    /// Puts the list of a server on this machine on disk, so that a launch knows which models there are.
    fn keep_list(&self) {
        let (Ok(provider), Ok(dirs)) = (self.provider(), self.env.dirs()) else { return };
        let catalog = Catalog::open(&dirs, self.env, Duration::ZERO);
        let key = || key::of(&provider, self.env, &self.home);
        if let Err(failure) = catalog.refresh_within(self.name, &provider, LIST, &key) {
            log::debug!("{}", failure.message);
        }
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

/// What is known of a model's window, and what to do where it is not enough.
fn window_words(server: Server, model: &str, window: Option<u64>) -> String {
    match window {
        Some(window) if window < ENOUGH => format!(
            "{model}: served with a window of {window} tokens, too small for agents.\nTo change that, {}.\n",
            server.widen()
        ),
        Some(window) => format!("{model}: served with a window of {window} tokens.\n"),
        None => format!(
            "{model}: its window is unknown.\nFor one that is enough for agents, {}.\n",
            server.widen()
        ),
    }
}

/// A model as a choice.
fn described(served: &ServedModel) -> String {
    match (served.is_loaded, served.window) {
        (true, Some(window)) => format!("{} (loaded, {window} tokens)", served.id),
        (true, None) => format!("{} (loaded)", served.id),
        _ => served.id.clone(),
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
        ways.push((
            Way::SetVariable(variable.to_owned()),
            format!("in the variable {variable}, which is set here"),
        ));
    }
    for store in std::iter::once(KeyStore::file(path, name)).chain(KeyStore::keychain(name, env)) {
        let text = format!("paste it, to be kept in {}", store.shown(home));
        ways.push((Way::Paste(store), text));
    }
    ways.push((Way::Variable, "in a variable".to_owned()));
    ways.push((Way::File, "in a file".to_owned()));
    for way in managers::found(name, env).into_iter().filter(|way| !way.is_keychain()) {
        ways.push((Way::Manager(way.argv.clone()), format!("`{}` prints it", shims::quoted(&way.argv))));
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
        bail!(Message::new(
            "this is no name of a variable",
            "type a name such as DEEPSEEK_API_KEY, not the key"
        ));
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
    let argv =
        argv.context(Message::new("this is no command", "type it as in a shell: pass show deepseek"))?;
    key::resolve(config::KeySource::Command(&argv), config::KeyCheck::On, env, home)?;
    Ok(KeyPlace::Command(argv))
}
