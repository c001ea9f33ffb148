//! `agent-run providers`: what the config has, what could be added to it, and whether it works.

mod add;
pub mod ask_key;
mod dialogue;
mod hints;
mod list;
mod managers;
mod presets;
mod remove;
mod show;
pub mod test;
mod unknown;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use shims::{Agent, Protocol};

use crate::cli::ProvidersCommand;
use crate::config::{Config, KeySource, Provider};
use crate::env::Environment;
use crate::launch::{lookup, request, resolve};
use crate::{context, key};

pub use add::{greet, offer};

/// Runs a command below `providers`.
pub fn run(command: ProvidersCommand, option: Option<&Path>, env: &Environment) -> Result<ExitCode> {
    let load = |named: &[&str]| context::load(&env.config_file(option)?, named);
    match command {
        ProvidersCommand::List(words) => list::run(&words, &load(&[])?, env),
        ProvidersCommand::Show(words) => show::run(&words, &load(&[&words.provider])?, env),
        ProvidersCommand::Presets(words) => presets::run(&words, env),
        ProvidersCommand::Add(words) => add::run(&words, option, &env.config_to_change(option)?, env),
        ProvidersCommand::Remove(words) => remove::run(&words, option, env),
        ProvidersCommand::Edit(words) => {
            let loaded = context::load_sound(&env.config_file(option)?, &words.provider)?;
            let Some(line) = loaded.locate(&["providers", &words.provider]) else {
                return Err(lookup::missing(&words.provider, None, &loaded.config));
            };
            super::config::edit_at(&loaded.path, line, env)
        }
        ProvidersCommand::Test(words) => {
            let loaded = load(&[&words.provider])?;
            let path = if words.update { env.config_to_change(option)? } else { loaded.path.clone() };
            test::run(&words, &loaded, &path, env)
        }
    }
}

/// The provider called `name`.
pub fn find<'a>(name: &str, config: &'a Config) -> Result<&'a Provider> {
    lookup::provider(name, config).map(|(_, provider)| provider)
}

/// The agents that can be launched on a provider, and by which protocol.
fn agents(provider: &Provider) -> Vec<(&'static dyn Agent, Protocol)> {
    shims::coding_agents().filter_map(|agent| Some((agent, resolve::common(agent, provider)?))).collect()
}

/// What to type for a launch: with a model, where neither the config nor the list of `models` decides which.
pub fn launch_command(name: &str, provider: &Provider, agent: &dyn Agent, models: &[String]) -> String {
    let model = match models {
        [first, _, ..] if provider.default_model.is_none() => Some(first.as_str()),
        _ => None,
    };
    request::line(name, model, agent)
}

/// Where the key is kept: the kind, and the place. Never the key.
fn key_place(provider: &Provider) -> Option<(&'static str, String)> {
    Some(match provider.key_source()? {
        KeySource::Literal(_) => ("key", String::new()),
        KeySource::Env(name) => ("key_env", name.to_owned()),
        KeySource::File(path) => ("key_file", path.display().to_string()),
        KeySource::Command(argv) => ("key_command", key::redact::shown_command(argv)),
    })
}

/// The same in words, with whether a variable is set.
fn key_words(provider: &Provider, env: &Environment) -> String {
    match key_place(provider) {
        None => "none".to_owned(),
        Some(("key", _)) => "key, in the config itself".to_owned(),
        Some(("key_env", name)) if env.var(&name).is_none() => format!("key_env {name} (not set)"),
        Some((kind, place)) => format!("{kind} {place}"),
    }
}
