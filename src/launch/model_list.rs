//! Resolves a launch against the known models, and asks the provider for its list where nothing else decides.

use std::cell::OnceCell;
use std::io::IsTerminal;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use shims::{Launch, Message, Note, Sourced};

use super::LaunchRequest;
use super::model;
use super::resolve::{self, ResolveError};
use crate::catalog::{Catalog, ModelIndex, local};
use crate::config::Provider;
use crate::context::Context;
use crate::key::Key;
use crate::ui::Progress;

/// How long a launch waits for a provider's list when nothing else tells whether a model exists.
const PATIENCE: Duration = Duration::from_secs(3);

/// What may be contacted when the model list is needed to resolve the model.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Network {
    /// The provider. A key command runs, and may ask for a password.
    On,
    /// The provider, but no key command runs, as in a dry run.
    NoKeyCommands,
    /// Nothing.
    Off,
}

/// A launch with every choice made; for a home without a provider there is none to make.
pub struct Resolved<'a> {
    launch: Option<(Launch, &'a Provider)>,
    /// Whether the cached model list was fresh.
    is_fresh: bool,
}

impl<'a> Resolved<'a> {
    /// The launch.
    pub fn launch(&self) -> Option<&Launch> {
        self.launch.as_ref().map(|(launch, _)| launch)
    }

    /// The launch and its provider.
    pub fn into_launch(self) -> Option<(Launch, &'a Provider)> {
        self.launch
    }

    /// Starts a process that refreshes the provider's list if it is old. A failure is no reason not to launch.
    pub fn refresh_later(&self, request: &LaunchRequest, context: &Context<'_>, key: Option<&str>) {
        let Some((_, provider)) = self.launch.as_ref().filter(|_| !self.is_fresh) else { return };
        let catalog = catalog(context);
        if let Err(error) = catalog.refresh_detached(&request.provider, provider, &context.loaded.path, key) {
            log::debug!("{error:#}");
        }
    }
}

/// Resolves the launch.
pub fn resolve<'a>(
    request: &LaunchRequest,
    provider: Option<&'a Provider>,
    context: &Context<'_>,
    network: Network,
    key: &Key<'_>,
    notes: &mut Vec<Note>,
) -> Result<Resolved<'a>> {
    let Some(provider) = provider else {
        return Ok(Resolved { launch: None, is_fresh: true });
    };
    let name = &request.provider;
    let catalog = catalog(context);
    let resolve = |known| resolve::resolve(request, provider, &context.loaded.config, known, context.env);
    let known = catalog.known(name, provider);
    let resolved = |launch| Resolved { launch: Some((launch, provider)), is_fresh: known.fresh };
    let unknown = match resolve(&known) {
        Err(ResolveError::UnknownModel(unknown)) => unknown,
        launch => {
            let launch = launch?;
            notes.extend(local::missing(&launch.model.value.id, provider, &known).map(Note::Warning));
            return Ok(resolved(launch));
        }
    };
    if known.fresh {
        return by_part(request, provider, &known, context, unknown.into(), notes).map(resolved);
    }
    if network == Network::Off {
        return Err(unknown.into());
    }
    // A command that gives the key may ask for a password, which belongs on a line of its own.
    let progress = OnceCell::new();
    let show = || _ = progress.get_or_init(|| Progress::start(&[name], true));
    if !key.is_asked_for() {
        show();
    }
    let key = || {
        if key.is_asked_for() && network == Network::NoKeyCommands {
            bail!("a dry run runs no key_command");
        }
        let key = key.get()?.map(str::to_owned);
        show();
        Ok(key)
    };
    let refreshed = catalog.refresh_within(name, provider, PATIENCE, &key);
    drop(progress);
    match refreshed {
        Ok(refreshed) => {
            notes.extend(refreshed.warnings.into_iter().map(Note::Warning));
            let now = catalog.known_after(name, provider, refreshed.list);
            let launch = match resolve(&now) {
                Err(ResolveError::UnknownModel(unknown)) => {
                    by_part(request, provider, &now, context, unknown.into(), notes)?
                }
                launch => launch?,
            };
            Ok(resolved(launch))
        }
        Err(failure) => {
            let text =
                format!("{}, and its list could not be loaded: {}", unknown.text, failure.message.text);
            Err(anyhow!(Message { text, ..unknown }))
        }
    }
}

/// The launch with the one model that has the word after `--model` in its id, where a person sees which that is; else
/// `error`. A script must name a model by its whole id: tomorrow two may have the word. `known` is fresh or just
/// loaded; where the provider may have models that are not in it, the word may be the whole id of one of them.
fn by_part(
    request: &LaunchRequest,
    provider: &Provider,
    known: &ModelIndex<'_>,
    context: &Context<'_>,
    error: anyhow::Error,
    notes: &mut Vec<Note>,
) -> Result<Launch> {
    let is_seen = || std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let Some(asked) = request.model.as_ref().filter(|_| known.is_all_there_is() && is_seen()) else {
        return Err(error);
    };
    let Some(id) = model::only_with(&asked.value, known) else { return Err(error) };
    let text = format!("--model {}: using {id}, the only model whose id contains it", asked.value);
    notes.push(Note::Warning(text.into()));
    let request = LaunchRequest { model: Some(Sourced::new(id, asked.origin.clone())), ..request.clone() };
    Ok(resolve::resolve(&request, provider, &context.loaded.config, known, context.env)?)
}

fn catalog<'a>(context: &'a Context<'_>) -> Catalog<'a> {
    Catalog::open(&context.dirs, context.env, context.loaded.config.models_ttl)
}
