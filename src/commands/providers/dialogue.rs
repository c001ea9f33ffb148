//! What `providers add` asks at a terminal: where the key is, and whether the provider answers. But for a
//! list of models in the cache, nothing is written before the last answer, and then the key and the config together or
//! neither.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use shims::{Agent, Message, Protocol, proxy};

use super::add::address;
use super::ask_key::{AfterFailure, KeyAnswer, about_key, ask_key, what_now};
use super::test::{TestOutcome, try_provider};
use super::unknown;
use crate::catalog::local::Server;
use crate::catalog::{Catalog, Failure, FailureKind, ServedModel};
use crate::config::{self, Config, KeyCheck, Provider, yaml_scalar};
use crate::env::Environment;
use crate::key::store::KeyStore;
use crate::key::{self, store};
use crate::presets::{self, Preset};
use crate::signals;
use crate::ui::format::count;
use crate::ui::log::say;
use crate::ui::prompt;

/// How long a server on this machine may take for its list.
const LIST: Duration = Duration::from_secs(3);
/// How many models are offered by number.
const MOST_SHOWN: usize = 20;

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
    /// Whether the server may load the model: it is asked once.
    may_load: bool,
    /// Whether the user chose among the server's models.
    has_chosen: bool,
    /// Scheme, host and port, where they are not the preset's.
    pub server: Option<String>,
    /// What takes the place of a word in capitals in the preset's URLs and model.
    pub filled: Vec<(String, String)>,
}

impl<'a> Draft<'a> {
    pub fn new(preset: &'a Preset, name: &'a str, path: &'a Path, env: &'a Environment) -> Result<Self> {
        let home = env.dirs()?.home;
        let (key, model, window, server, filled) = (None, None, None, None, Vec::new());
        let (may_load, has_chosen) = (false, false);
        Ok(Self { preset, name, path, env, home, key, model, window, may_load, has_chosen, server, filled })
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
    pub fn provider(&self) -> Result<Provider> {
        let text = format!("providers:\n{}", presets::indented(&self.entry()));
        let Config { mut providers, .. } = config::parse(text, self.path)?.config;
        providers.swap_remove(self.name).context("the entry has another name")
    }

    /// Asks for everything that the entry needs, and tests it with one short request of the protocol that `agent` would
    /// use.
    pub fn fill(&mut self, agent: Option<&dyn Agent>) -> Result<TestOutcome> {
        self.ask_blanks()?;
        let mut is_asked = self.key.is_none() && self.preset.key_variable().is_some();
        loop {
            if is_asked {
                let files = KeyStore::files(self.path, self.name, &self.home);
                let (before, variable) = (self.key.as_ref(), self.preset.key_variable());
                let key = ask_key(before, variable, self.name, files, KeyCheck::On, &self.home, self.env)?;
                self.key = Some(key);
            }
            let unasked = self.find_model(true)?;
            let failed = match unasked.map_or_else(|| self.test(agent), Ok)? {
                TestOutcome::Failed(failed) => failed,
                outcome => return Ok(outcome),
            };
            let failed = about_key(failed.of_new(), self.key.as_ref());
            say(&format!("{}\n", failed.message.render()));
            is_asked = false;
            let (is_keyed, is_server) = (self.preset.key_variable().is_some(), self.is_server());
            let is_refused = failed.kind == FailureKind::KeyRefused;
            let key = if self.key.is_some() || is_keyed { "enter another key" } else { "enter the key" };
            let takes_key = is_keyed || is_server;
            let answers = [
                (takes_key && is_refused, AfterFailure::EnterKey, key),
                (true, AfterFailure::TestAgain, "test again"),
                (self.has_chosen, AfterFailure::ChooseModel, "choose another model"),
                (is_server, AfterFailure::EnterAddress, "enter another address"),
                (takes_key && !is_refused, AfterFailure::EnterKey, key),
                (true, AfterFailure::GoOn, "add the provider anyway"),
            ];
            let possible = answers.into_iter().filter(|(is_possible, ..)| *is_possible);
            match what_now(&possible.map(|(_, answer, words)| (answer, words)).collect::<Vec<_>>())? {
                AfterFailure::EnterKey => is_asked = true,
                AfterFailure::ChooseModel => (self.model, self.may_load) = (None, false),
                AfterFailure::EnterAddress => {
                    let typed = prompt::ask("Address, such as 127.0.0.1:8081: ")?;
                    match address(&typed) {
                        Ok(server) => self.server = Some(server),
                        Err(_) if key::shape::is_like_key(&typed) => say(prompt::TOO_EARLY),
                        Err(error) => say(&format!("{}\n", crate::error::render(&error))),
                    }
                }
                AfterFailure::TestAgain => {}
                AfterFailure::GoOn => return Ok(TestOutcome::Failed(failed)),
            }
        }
    }

    /// Whether it is a server on this machine, whose address and key are its user's choice.
    fn is_server(&self) -> bool {
        self.preset.provider.base_urls.all().any(proxy::is_loopback)
    }

    /// Asks for what only the user knows, as the name of a resource in a URL.
    fn ask_blanks(&mut self) -> Result<()> {
        for blank in self.preset.blanks() {
            if self.filled.iter().any(|(filled, _)| *filled == blank) {
                continue;
            }
            let entry = self.entry();
            let line = entry.lines().find(|line| line.contains(&blank)).unwrap_or_default().trim();
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
            let mut value = prompt::ask(&format!("Enter {blank} for `{line}`: "))?;
            while value.is_empty() || !value.chars().all(is_plain) || key::shape::begins_as_key(&value) {
                value = prompt::ask("Type a name of letters, digits, `-`, `.` and `_`: ")?;
            }
            self.filled.push((blank, value));
        }
        Ok(())
    }

    /// Finds the model of the entry, and the window that it has now, where a server on this machine can be asked or the
    /// preset names none. What stands against a test is returned. With `asks` the user chooses, else the model that is
    /// loaded is taken, or the first.
    pub fn find_model(&mut self, asks: bool) -> Result<Option<TestOutcome>> {
        let failed = |failure| Ok(Some(TestOutcome::Failed(failure)));
        let provider = self.provider()?;
        let preset = Server::of_preset(&self.preset.name);
        let Some(server) = preset.or_else(|| Server::of_provider(&provider)) else {
            return self.find_listed(asks, &provider);
        };
        let base = provider.base_url(Protocol::OpenaiChatCompletions).unwrap_or_default().to_owned();
        let key = match self.key_now(&provider) {
            Ok(key) => key,
            Err(TestOutcome::NotTested(_)) => None,
            Err(outcome) => return Ok(Some(outcome)),
        };
        let models = match server.models(&base, key.as_deref(), self.env) {
            Ok(models) => models,
            // Another server may have the port.
            Err(_) if preset.is_none() => return self.find_listed(asks, &provider),
            Err(failure) => return failed(failure),
        };
        let is_named = |served: &&ServedModel, name: &str| {
            // Ollama's rule: a name without a tag means `:latest`.
            served.id == name || (server == Server::Ollama && served.id.strip_suffix(":latest") == Some(name))
        };
        let missing = |model: &str| {
            let text = format!("{} has no model `{model}`", server.title());
            let help = format!("get it: `{}`", server.pull(model));
            Failure::new(FailureKind::Lasting, Message::new(text, help))
        };
        let usual = provider.default_model.as_deref().unwrap_or("MODEL");
        let named = |name: &str| models.iter().find(|served| is_named(served, name));
        let chosen = match (&self.model, models.as_slice()) {
            (Some(model), _) => match named(model) {
                Some(served) => served,
                None => return failed(missing(model)),
            },
            (None, []) => {
                let text = format!("{} has no models for agents", server.title());
                let help = format!("get one: `{}`", server.pull(usual));
                return failed(Failure::new(FailureKind::Lasting, Message::new(text, help)));
            }
            (None, [only]) => only,
            (None, all) if asks => {
                let shown: Vec<_> = all.iter().take(MOST_SHOWN).map(ServedModel::described).collect();
                self.has_chosen = true;
                &all[prompt::choose(&format!("Which of {}'s models?", server.title()), &shown)?]
            }
            (None, [first, ..]) if first.is_loaded => first,
            (None, [first, ..]) => named(usual).unwrap_or(first),
        };
        (self.model, self.window) = (Some(chosen.id.clone()), chosen.window);
        if !chosen.is_loaded && server.loads() {
            let question = format!("Load {} now, to test it and read its context window?", chosen.id);
            self.may_load = self.may_load || (asks && prompt::agrees(&question)?);
            if !self.may_load {
                say(&server.window_words(self.name, &chosen.id, None));
                return Ok(Some(TestOutcome::NotTested("its model is not loaded".to_owned())));
            }
            say("Loading ... ");
            match server.load(&base, key.as_deref(), &chosen.id, self.env) {
                Ok(window) => self.window = window,
                Err(failure) => {
                    say("\n");
                    return failed(failure);
                }
            }
            say("loaded.\n");
        }
        say(&server.window_words(self.name, &chosen.id, self.window));
        Ok(None)
    }

    /// Lets the user choose from the provider's list, where the entry has no model yet.
    fn find_listed(&mut self, asks: bool, provider: &Provider) -> Result<Option<TestOutcome>> {
        if !asks || self.model.is_some() || provider.default_model.is_some() {
            return Ok(None);
        }
        let key = match self.key_now(provider) {
            Ok(key) => key,
            Err(TestOutcome::NotTested(_)) => return Ok(None),
            Err(outcome) => return Ok(Some(outcome)),
        };
        say("Loading its models ...\n");
        let dirs = self.env.dirs()?;
        let catalog = Catalog::open(&dirs, self.env, Duration::ZERO);
        let listed = catalog.refresh(self.name, provider, &|| Ok(key.clone()));
        let (ids, said) = match listed.map(|it| catalog.known_after(self.name, provider, it.list).ids()) {
            Ok(ids) => (ids.clone(), count(ids.len(), "model")),
            Err(failure) if failure.is_no_list() => {
                (Vec::new(), format!("Its list could not be loaded: {}", failure.message.text))
            }
            Err(failure) => return Ok(Some(TestOutcome::Failed(failure))),
        };
        say(&(said + ".\n"));
        let mut shown: Vec<_> = ids.iter().take(MOST_SHOWN).cloned().collect();
        if ids.len() > shown.len() {
            shown.push("another one, by its id".to_owned());
        }
        self.has_chosen = ids.len() > 1;
        let chosen = if self.has_chosen { prompt::choose("Which one is the default?", &shown)? } else { 0 };
        self.model = match ids.get(chosen).filter(|_| chosen < MOST_SHOWN) {
            Some(id) => Some(id.clone()),
            None => unknown::ask_id()?,
        };
        Ok(None)
    }

    /// The key, which a provider may not have; else what stands against a test.
    fn key_now(&self, provider: &Provider) -> Result<Option<String>, TestOutcome> {
        let unset = |name: &&String| self.env.var(name).is_none();
        match (&self.key, provider.key_env.as_ref().filter(unset)) {
            (Some(KeyAnswer::Typed(_, key)), _) => Ok(Some(key.clone())),
            (_, Some(variable)) => Err(TestOutcome::NotTested(format!("{variable} is not set"))),
            _ => key::of(self.name, provider, self.env, &self.home).map_err(|error| {
                let message = crate::error::message(&error);
                TestOutcome::Failed(Failure::new(FailureKind::KeyRefused, message))
            }),
        }
    }

    /// Asks a model for one word.
    pub fn test(&self, agent: Option<&dyn Agent>) -> Result<TestOutcome> {
        let provider = self.provider()?;
        match self.key_now(&provider) {
            Ok(key) => try_provider(self.name, &provider, agent, key.as_deref(), self.env),
            Err(outcome) => Ok(outcome),
        }
    }

    /// Writes the key and the config: both, or neither.
    pub fn write(&self) -> Result<()> {
        let entry = self.entry();
        signals::uninterrupted(|| {
            let stored = match &self.key {
                Some(KeyAnswer::Typed(store, key)) => Some(store.put(key, true, self.env)?),
                _ => None,
            };
            config::change_config(self.path, &entry, |now| config::append(now, self.name, &entry))?;
            stored.into_iter().try_for_each(store::StoredKey::keep)
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
        let key = || key::of(self.name, &provider, self.env, &self.home);
        if let Err(failure) = catalog.refresh_within(self.name, &provider, LIST, &key) {
            log::debug!("{}", failure.message);
        }
    }
}
