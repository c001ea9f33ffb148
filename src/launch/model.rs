//! Which model a launch starts with.

use std::collections::BTreeSet;

use anyhow::anyhow;
use shims::window::{LONG_CONTEXT, split_long_context};
use shims::{Message, Model, Origin, Protocol, Sourced, Tiers, model_id};

use super::LaunchRequest;
use super::resolve::{ResolveError, key_path};
use crate::catalog::ModelIndex;
use crate::config::Provider;
use crate::suggest;

/// So many models are named whatever they are called.
const FEW: usize = 8;

/// The model asked for, else the default one, else the only one there is.
pub fn choose(
    request: &LaunchRequest,
    provider: &Provider,
    known: &ModelIndex<'_>,
) -> Result<Sourced<Model>, ResolveError> {
    let find = |id: &str| known.find(id).or_else(|| written_long(id, known));
    if let Some(asked) = &request.model {
        // An agent that is given none, as by an unset variable, asks for a model of its own.
        model_id(asked.value.clone())
            .map_err(|message| ResolveError::Rejected(anyhow!(message.about("--model"))))?;
        let (id, _) = split_long_context(&asked.value);
        let model = find(id);
        if model.is_some() || is_named(provider, id) || request.force.model || has_no_known_models(known) {
            return Ok(Sourced::new(model.unwrap_or_else(|| Model::named(id)), asked.origin.clone()));
        }
        return Err(ResolveError::UnknownModel(unknown(id, request, known)));
    }
    usual(&request.provider, provider, known).map_err(ResolveError::UnknownModel)
}

/// The model of a launch or a test that asks for none.
pub fn usual(name: &str, provider: &Provider, known: &ModelIndex<'_>) -> Result<Sourced<Model>, Message> {
    if let Some(id) = &provider.default_model {
        // One that has vanished from the provider's list is still the user's word.
        let (id, _) = split_long_context(id);
        let model = known.find(id).or_else(|| written_long(id, known)).unwrap_or_else(|| Model::named(id));
        return Ok(Sourced::new(model, Origin::Config(key_path(name, &["default_model"]))));
    }
    match known.models().as_slice() {
        [only] => {
            let why = "the provider's only known model".to_owned();
            Ok(Sourced::new(without_suffix(only.clone()), Origin::Default(why)))
        }
        models => Err(none_chosen(models, name)),
    }
}

/// The one model that has the word after `--model` somewhere in its id.
pub fn only_with(part: &str, known: &ModelIndex<'_>) -> Option<String> {
    let (part, is_long) = split_long_context(part);
    let part = part.to_lowercase();
    let mut ids = known.ids().into_iter().filter(|id| id.to_lowercase().contains(&part));
    let only = ids.next().filter(|_| ids.next().is_none() && !part.is_empty())?;
    Some(if is_long { format!("{only}{LONG_CONTEXT}") } else { only })
}

/// The model of a config that has Claude Code's suffix in its `models`.
fn written_long(id: &str, known: &ModelIndex<'_>) -> Option<Model> {
    ["[1m]", "[1M]"].iter().find_map(|suffix| known.find(&format!("{id}{suffix}"))).map(without_suffix)
}

/// The model by its own id.
pub fn without_suffix(mut model: Model) -> Model {
    let (id, _) = split_long_context(&model.id);
    if id.len() < model.id.len() {
        model.id = id.to_owned();
    }
    model
}

/// The models for the agent's own picker. Reading the whole list costs, and some agents want a part or nothing of it.
pub fn offered(
    request: &LaunchRequest,
    known: &ModelIndex<'_>,
    protocol: Protocol,
    tiers: &Tiers,
) -> Vec<Model> {
    let models = match request.agent.info().listed_models {
        0 => return Vec::new(),
        usize::MAX => known.models(),
        count => {
            let mut models = known.best(count, protocol);
            for id in tiers.ids() {
                // `inherit` is no model.
                if id != "inherit" && models.iter().all(|model| model.id != *id) {
                    models.push(known.find(id).unwrap_or_else(|| Model::named(id)));
                }
            }
            models
        }
    };
    models.into_iter().map(without_suffix).collect()
}

/// The models of a launch that were named with Claude Code's suffix for a long context.
pub fn long_context(
    request: &LaunchRequest,
    provider: &Provider,
    model: &Model,
    known: &ModelIndex<'_>,
) -> BTreeSet<String> {
    let asked = request.model.as_ref().map(|asked| &asked.value).or(provider.default_model.as_ref());
    let is_long = asked.is_none() && written_long(&model.id, known).is_some();
    let only = is_long.then(|| format!("{}{LONG_CONTEXT}", model.id));
    let named = asked.into_iter().chain(provider.tiers.named());
    let split = named.chain(&only).map(|named| split_long_context(named));
    split.filter(|(_, is_long)| *is_long).map(|(id, _)| id.to_owned()).collect()
}

/// Whether nothing is known and nobody can be asked: then there is nothing to hold the user's word against.
fn has_no_known_models(known: &ModelIndex<'_>) -> bool {
    known.fresh && known.ids().is_empty()
}

/// Whether the config itself names the model for this provider.
fn is_named(provider: &Provider, id: &str) -> bool {
    let mut named = provider.default_model.iter().chain(provider.tiers.named());
    named.any(|named| split_long_context(named).0 == id)
}

fn unknown(id: &str, request: &LaunchRequest, known: &ModelIndex<'_>) -> Message {
    let ids = known.ids();
    let near = suggest::near(id, ids.iter().map(String::as_str));
    let instead = match near.as_slice() {
        [] if ids.is_empty() => String::new(),
        [] if ids.len() <= FEW => format!("known models: {}; ", ids.join(", ")),
        [] => format!("list its models with `agent-run models list {}`; ", request.provider),
        near => format!("did you mean {}? ", suggest::join_or(near)),
    };
    Message::new(
        format!("provider `{}` has no model `{id}`", request.provider),
        format!("{instead}to use it anyway, add `--force model`"),
    )
}

/// A launch or a test has no model to take.
pub fn nothing_listed(provider: &str) -> Message {
    Message::new(
        format!("provider `{provider}` has no default_model and lists no models"),
        format!("name one with --model, or set `providers.{provider}.default_model`"),
    )
}

fn none_chosen(models: &[Model], provider: &str) -> Message {
    if models.is_empty() {
        return nothing_listed(provider);
    }
    let ids: Vec<_> = models.iter().map(|model| model.id.as_str()).collect();
    let name = shims::quote(provider.as_ref());
    Message::new(
        format!("provider `{provider}` has several models and no default_model"),
        format!(
            "choose one of {} with `agent-run launch {name} --model MODEL AGENT`, or set default_model with \
             `agent-run providers edit {name}`",
            suggest::join_limited(&ids, 8)
        ),
    )
}
