//! Everything beside the variables that chooses a model, and what holds it.
//!
//! | what | held by |
//! |---|---|
//! | `model` of settings, `/model` of an earlier session | `ANTHROPIC_MODEL` |
//! | `agent` of settings, `--agent` | `--model` |
//! | `availableModels`, `fallbackModel`, `modelOverrides` of settings | `--settings` |
//! | `model:` of agents | `CLAUDE_CODE_SUBAGENT_MODEL` and its `_FORCE` |
//! | `model:` of skills and commands, where one is found or some cannot be looked at | `availableModels` of `--settings` |
//! | `model` of prompt and agent hooks | nothing: it is named |
//! | `advisorModel`, `deniedModels`, `modelSettings` of the user's or a project's settings | not needed (2.1.332) |

use std::borrow::Cow;
use std::path::PathBuf;

use serde_json::{Map, Value as Json, json};

use super::found::Found;
use super::front_matter::{self, Document};
use super::source::Source;
use super::words;
use crate::{Inputs, Launch, Plan};

/// What Claude Code takes for a tier of this launch, or for the model of the session.
const ALIASES: &[&str] = &["best", "default", "fable", "haiku", "inherit", "opus", "opusplan", "sonnet"];

/// What asks Claude Code for its window of 1,000,000 tokens. It is no part of an id, and does not go over the wire.
pub const LONG: &str = "[1m]";

/// Whether the launch asks for that window.
pub fn is_long(id: &str, launch: &Launch) -> bool {
    launch.long_context.contains(id)
}

/// The model as Claude Code is to be given it.
pub fn spelled<'a>(id: &'a str, launch: &Launch) -> Cow<'a, str> {
    if is_long(id, launch) { Cow::Owned(format!("{id}{LONG}")) } else { Cow::Borrowed(id) }
}

/// Every model this launch may ask for.
pub fn of(launch: &Launch) -> Vec<&str> {
    let tiers = &launch.tiers;
    let mut models = vec![launch.model.value.id.as_str()];
    for tier in [&tiers.opus, &tiers.sonnet, &tiers.haiku, &tiers.subagent] {
        if !models.contains(&tier.as_str()) && tier != "inherit" {
            models.push(tier);
        }
    }
    models
}

/// Adds to the guard what holds the models against settings files.
pub fn pin(sources: &[Source], launch: &Launch, guard: &mut Map<String, Json>) {
    let needed = of(launch);
    let lists: Vec<_> = sources.iter().filter_map(Source::available_models).collect();
    if !lists.is_empty() {
        let allowed: Vec<&str> = lists.into_iter().flatten().collect();
        if needed.iter().any(|model| !allowed.contains(model)) {
            guard.insert("availableModels".to_owned(), json!(needed)); // added to the user's, not in their place
        }
    }
    let fallbacks = sources.iter().filter_map(|source| match source.settings.get("fallbackModel")? {
        Json::Array(models) => Some(models.clone()),
        Json::String(model) => Some(vec![json!(model)]),
        _ => None,
    });
    let foreign = |model: &Json| !needed.iter().any(|ours| model == ours);
    if fallbacks.flatten().any(|model| foreign(&model)) {
        guard.insert("fallbackModel".to_owned(), json!([])); // in their place
    }
    let overrides = sources.iter().filter_map(|source| source.settings.get("modelOverrides")?.as_object());
    let off: Map<_, _> = overrides.flat_map(Map::keys).map(|key| (key.clone(), json!(""))).collect();
    if !off.is_empty() {
        guard.insert("modelOverrides".to_owned(), off.into());
    }
}

/// A model that is chosen where nothing can hold it.
pub struct Choice<'a> {
    pub path: &'a std::path::Path,
    /// What chooses it, for people.
    pub key: String,
    pub model: Cow<'a, str>,
}

/// The models of hooks.
pub fn of_hooks<'a>(source: &'a Source, launch: &Launch) -> Vec<Choice<'a>> {
    let model = |hook: &'a Json| hook.get("model")?.as_str().filter(|model| is_foreign(model, launch));
    let choice = |model| Choice {
        path: &source.path,
        key: "the `model` of a hook".to_owned(),
        model: Cow::Borrowed(model),
    };
    source.hooks().filter_map(model).map(choice).collect()
}

/// The models of skills and commands, and of agents where the launch leaves them their own.
pub fn of_documents<'a>(
    documents: &'a [Document<'_>],
    launch: &'a Launch,
) -> impl Iterator<Item = Choice<'a>> {
    let inherits = launch.tiers.subagent == "inherit";
    let unheld = documents.iter().filter(move |document| !document.is_agent || inherits);
    unheld.filter_map(|document| {
        let model = document.model().filter(|model| is_foreign(model, launch))?;
        Some(Choice { path: &document.path, key: "`model:`".to_owned(), model })
    })
}

fn is_foreign(model: &str, launch: &Launch) -> bool {
    let model = model.strip_suffix(LONG).unwrap_or(model);
    !model.is_empty() && !ALIASES.contains(&model) && !of(launch).contains(&model)
}

/// Whether a skill or a command asks for a model of its own, or may and was not looked at. A list of the launch's models
/// then holds it: what is not in the list gives way to a tier of the launch (2.1.197 and 2.1.332). It is not given
/// otherwise, because `/model` offers nothing else with it.
pub fn may_be_chosen<'a>(
    mut sources: impl Iterator<Item = &'a Source>,
    documents: &[Document<'_>],
    roots: &[PathBuf],
    launch: &Launch,
    inputs: &Inputs,
) -> bool {
    let is_unread = |kind: &&str| front_matter::unread(kind, roots, inputs).is_some();
    of_documents(documents, launch).next().is_some()
        || !words::plugin_folders(launch, inputs).is_empty()
        || sources.any(Source::enables_plugins)
        || [front_matter::SKILLS, front_matter::COMMANDS].iter().any(is_unread)
}

/// The list that holds them: the launch's models, and those that the user's own words name.
pub fn list(launch: &Launch) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    let of_words = words::values(launch, "--model");
    let spellings = of(launch).into_iter().flat_map(|id| [id.to_owned(), spelled(id, launch).into_owned()]);
    for id in spellings.chain(of_words) {
        if !list.contains(&id) {
            list.push(id);
        }
    }
    list
}

/// Warns of what nothing holds: the models of a project's hooks, and those of documents that a list of the settings'
/// own allows, since Claude Code joins the lists.
pub fn name_unheld(found: &Found, documents: &[Document<'_>], launch: &Launch, plan: &mut Plan) {
    let projects = found.sources.iter().filter(|source| !source.is_users());
    let allowed: Vec<&str> = found.all().filter_map(Source::available_models).flatten().collect();
    let listed = of_documents(documents, launch).filter(|choice| {
        // An entry allows what begins with it too.
        allowed.iter().any(|entry| choice.model.starts_with(entry))
    });
    let mut warned: Vec<String> = Vec::new();
    for Choice { path, key, model } in projects.flat_map(|source| of_hooks(source, launch)).chain(listed) {
        warned.push(format!(
            "{}: {key} asks provider `{}` for `{model}`, and nothing can overrule it",
            path.display(),
            launch.provider
        ));
    }
    warned.dedup();
    for text in warned {
        plan.warn(text);
    }
}
