//! `agent-run models`: what providers have, as far as it is known, and as far as it can be asked.

mod diff;
mod list;
mod show;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Result, bail};
use shims::{Dirs, Message};

use crate::catalog::{self, CONFIG, Catalog, ModelIndex, ModelRecord, background};
use crate::cli::ModelsCommand;
use crate::cli::models::{ModelsCacheCommand, ModelsCompleteArgs, RefreshDetachedArgs};
use crate::config::{self, Config, Provider};
use crate::env::Environment;
use crate::launch::lookup;
use crate::ui::{Progress, Screen, format, output};
use crate::{context, key, suggest, ui};

/// How long a list is waited for that was not asked for by `--refresh`, but is old or missing.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs a command below `models`.
pub fn run(command: ModelsCommand, config: Option<&Path>, env: &Environment) -> Result<ExitCode> {
    let (config, dirs) = (env.config_file(config)?, env.dirs()?);
    let in_context = |named: &[&str], run: &dyn Fn(&ModelsContext<'_>) -> Result<ExitCode>| {
        let loaded = context::load(&config, named)?;
        let catalog = Catalog::open(&dirs, env, loaded.config.models_ttl);
        run(&ModelsContext { catalog, config: &loaded.config, env, dirs: &dirs, asking: Mutex::default() })
    };
    match command {
        ModelsCommand::List(words) => {
            in_context(&words.providers.iter().map(String::as_str).collect::<Vec<_>>(), &|context| {
                list::run(&words, context)
            })
        }
        ModelsCommand::Show(words) => in_context(&[&words.provider], &|context| show::run(&words, context)),
        ModelsCommand::Diff(words) => in_context(&[&words.provider], &|context| diff::run(&words, context)),
        ModelsCommand::Complete(words) => {
            in_context(&[&words.provider], &|context| complete(&words, &config, context))
        }
        ModelsCommand::Cache(words) => cache(words, &dirs),
        ModelsCommand::RefreshDetached(words) => refresh_detached(&words, &config, &dirs, env),
    }
}

fn complete(words: &ModelsCompleteArgs, config: &Path, context: &ModelsContext<'_>) -> Result<ExitCode> {
    let (name, provider) = context.provider(&words.provider)?;
    let ids =
        context.catalog.complete(name, provider, &std::path::absolute(config)?, &words.prefix, usize::MAX);
    output::write(|out| ids.iter().try_for_each(|id| writeln!(out, "{id}")))
}

fn cache(words: ModelsCacheCommand, dirs: &Dirs) -> Result<ExitCode> {
    let folder = catalog::folder(dirs);
    let text = match words {
        ModelsCacheCommand::Path => folder.display().to_string(),
        ModelsCacheCommand::Clear { provider } => {
            let removed = catalog::clear(dirs, provider.as_deref())?.len();
            if let (0, Some(provider)) = (removed, &provider) {
                let help = format!("list the cache with `ls {}`", shims::quote(folder.as_os_str()));
                bail!(Message::new(format!("no list of `{provider}` is cached"), help));
            }
            let files = format::count(removed, "file");
            Screen::stdout().line(&format!("removed {files} from {}", folder.display()), 0)
        }
    };
    output::write(|out| writeln!(out, "{text}"))
}

/// What the commands work with.
struct ModelsContext<'a> {
    catalog: Catalog<'a>,
    config: &'a Config,
    env: &'a Environment,
    dirs: &'a Dirs,
    /// Held while a key is resolved: two password prompts at once are none.
    asking: Mutex<()>,
}

/// What is known of a provider's models, after it was asked if need be.
struct LoadedModels<'a> {
    known: ModelIndex<'a>,
    warnings: Vec<Message>,
    /// Why it could not be asked.
    failure: Option<Message>,
    /// Whether that leaves the user without what was asked for.
    failed: bool,
}

impl<'a> ModelsContext<'a> {
    fn provider(&self, name: &str) -> Result<(&'a str, &'a Provider)> {
        lookup::provider(name, self.config)
    }

    /// What is known of a provider, which is asked if its list is old or missing, or if `now`.
    fn load(&self, name: &'a str, provider: &'a Provider, now: bool) -> LoadedModels<'a> {
        let known = self.catalog.known(name, provider);
        if !self.is_asked(name, provider, now) {
            return LoadedModels::of(known);
        }
        let key = || self.key(name, provider);
        let refreshed = if now {
            self.catalog.refresh(name, provider, &key)
        } else {
            self.catalog.refresh_within(name, provider, PATIENCE, &key)
        };
        match refreshed {
            Ok(refreshed) => {
                let known = self.catalog.known_after(name, provider, refreshed.list);
                LoadedModels { warnings: refreshed.warnings, ..LoadedModels::of(known) }
            }
            Err(failure) => {
                let failed = now || known.list().is_none();
                LoadedModels { failure: Some(failure.message), failed, ..LoadedModels::of(known) }
            }
        }
    }

    /// The same for one provider, with progress on a terminal.
    fn load_visibly(&self, name: &'a str, provider: &'a Provider, now: bool) -> LoadedModels<'a> {
        let _progress = Progress::start(&[name], self.is_asked(name, provider, now));
        self.load(name, provider, now)
    }

    /// Whether a provider has to be asked.
    fn is_asked(&self, name: &str, provider: &Provider, now: bool) -> bool {
        provider.loads_models() && (now || !self.catalog.known(name, provider).fresh)
    }

    fn key(&self, name: &str, provider: &Provider) -> Result<Option<String>> {
        let _one_at_a_time = self.asking.lock();
        key::of(name, provider, self.env, &self.dirs.home)
    }
}

impl<'a> LoadedModels<'a> {
    /// What is known without asking.
    fn of(known: ModelIndex<'a>) -> Self {
        Self { known, warnings: Vec::new(), failure: None, failed: false }
    }

    /// What to say of a model that the provider's list does not have.
    fn not_listed(&self, what: &str, id: &str, provider: &str) -> Message {
        let records = self.known.records();
        let listed = records.iter().filter(|record| record.source.as_deref() != Some(CONFIG));
        let help = instead(id, listed, provider);
        Message::new(format!("{what} `{id}` is not in the provider's list"), help).about(provider)
    }

    /// Tells the user what was odd, and what is shown instead of what could not be loaded.
    fn report(&self, name: &str) {
        self.warnings.iter().cloned().for_each(|warning| ui::log::warn(warning.about(name)));
        if let Some(default) = self.known.missing_default() {
            ui::log::warn(self.not_listed("default_model", default, name));
        }
        if let Some(failure) = self.said(name).filter(|_| !self.failed) {
            ui::log::warn(failure);
        }
    }

    /// What to end with where the user is left without what was asked for.
    fn failure(&self, name: &str) -> Option<Message> {
        self.said(name).filter(|_| self.failed)
    }

    fn said(&self, name: &str) -> Option<Message> {
        let Message { text, help } = self.failure.clone()?;
        let instead = match self.known.age {
            Some(age) => format!("; using the list from {} ago", format::age(age)),
            None => String::new(),
        };
        Some(Message { text: format!("could not load the models of {name}: {text}{instead}"), help })
    }
}

/// What to do where a provider does not have a model: take one of those `listed` whose id is near, or look at them.
fn instead<'a>(id: &str, listed: impl Iterator<Item = &'a ModelRecord>, provider: &str) -> String {
    match suggest::near(id, listed.map(|record| record.id.as_str())).as_slice() {
        [] => format!("list its models with `agent-run models list {}`", shims::quote(provider.as_ref())),
        near => format!("did you mean {}?", suggest::join_or(near)),
    }
}

/// The refresher; nobody sees what it says, and nobody waits for its exit code.
fn refresh_detached(
    words: &RefreshDetachedArgs,
    config: &Path,
    dirs: &Dirs,
    env: &Environment,
) -> Result<ExitCode> {
    if !words.in_session {
        background::detach(&words.provider, &std::path::absolute(config)?, words.key_on_stdin)?;
        return Ok(ExitCode::SUCCESS);
    }
    background::limit_lifetime();
    let sent = if words.key_on_stdin { Some(background::key_from_stdin()?) } else { None };
    let loaded = config::load_for(config, &words.provider)?;
    let Some(provider) = loaded.config.providers.get(&words.provider) else { return Ok(ExitCode::FAILURE) };
    let key = || match (&sent, provider.key_source()) {
        (Some(key), _) => Ok(Some(key.clone())),
        (None, Some(config::KeySource::Command(_))) if !provider.completion_key => {
            bail!(Message::new(
                "key commands do not run in the background",
                "set `completion_key: true` to allow it"
            ))
        }
        (None, _) => key::of(&words.provider, provider, env, &dirs.home),
    };
    Catalog::open(dirs, env, loaded.config.models_ttl).run_detached(&words.provider, provider, &key);
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use crate::catalog::background::{IN_SESSION, KEY_ON_STDIN, SUBCOMMAND};
    use crate::cli::{Cli, Command, ModelsCommand};
    use clap::Parser;

    #[test]
    fn the_words_that_start_a_refresher_are_understood() {
        let words =
            ["agent-run", "--config", "c", "models", SUBCOMMAND, IN_SESSION, KEY_ON_STDIN, "--", "--all"];
        let Command::Models(ModelsCommand::RefreshDetached(words)) = Cli::parse_from(words).command else {
            panic!("another command")
        };
        assert_eq!((words.provider.as_str(), words.in_session, words.key_on_stdin), ("--all", true, true));
    }
}
