//! Everything beside the variables that chooses a model, and what holds it.
//!
//! | what | held by |
//! |---|---|
//! | `model` of settings, `/model` of an earlier session | `ANTHROPIC_MODEL` |
//! | `agent` of settings, `--agent` | `--model` |
//! | `availableModels`, `fallbackModel`, `modelOverrides` of settings | `--settings` |
//! | `model:` of agents | `CLAUDE_CODE_SUBAGENT_MODEL` and its `_FORCE` |
//! | `model:` of skills and commands, found or not | `availableModels` of `--settings` |
//! | `model` of prompt and agent hooks | `deniedModels` of `--managed-settings` (2.1.332), and it is named |
//! | `model:` of the user's own skills and commands | the same list; `why` names it |
//! | `advisorModel`, `deniedModels`, `modelSettings` of the user's or a project's settings | not needed (2.1.332) |

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::denied::{Denied, claudes};
use super::found::FoundSettings;
use super::front_matter::Document;
use super::source::SettingsSource;
use super::{argv, picker, window};
use crate::window::{LONG_CONTEXT, split_long_context};
use crate::{Launch, Model, Plan};

/// What Claude Code takes for a tier of this launch, or for the model of the session.
const ALIASES: &[&str] = &["best", "default", "fable", "haiku", "inherit", "opus", "opusplan", "sonnet"];

/// The families of Claude's models. An entry of a list means all of one (2.1.332).
pub const FAMILIES: [&str; 4] = ["fable", "haiku", "opus", "sonnet"];

/// Whether the launch asks for the model with a window of 1,000,000 tokens.
pub fn is_long(id: &str, launch: &Launch) -> bool {
    launch.long_context.contains(id)
}

/// The model as Claude Code is to be given it.
pub fn spelled<'a>(id: &'a str, launch: &Launch) -> Cow<'a, str> {
    if is_long(id, launch) { Cow::Owned(format!("{id}{LONG_CONTEXT}")) } else { Cow::Borrowed(id) }
}

/// Every model this launch may ask for.
pub fn possible(launch: &Launch) -> Vec<&str> {
    let tiers = &launch.tiers;
    let mut models = vec![launch.model.value.id.as_str()];
    for tier in tiers.ids() {
        if !models.contains(&tier.as_str()) && tier != "inherit" {
            models.push(tier);
        }
    }
    models
}

/// The models that the user's own words name.
fn of_words(launch: &Launch) -> impl Iterator<Item = String> {
    // Several, with commas between (2.1.332).
    let fallbacks = argv::values(launch, "--fallback-model");
    let fallbacks: Vec<_> =
        fallbacks.iter().flat_map(|word| word.split(',')).map(|id| id.trim().to_owned()).collect();
    argv::values(launch, "--model").into_iter().chain(fallbacks)
}

/// The launch's models, and those that the user's own words name.
pub fn chosen(launch: &Launch) -> Vec<String> {
    let words = of_words(launch).map(|word| split_long_context(&word).0.to_owned());
    possible(launch).into_iter().map(str::to_owned).chain(words).collect()
}

/// Adds to the guard what holds the models against settings files.
pub fn pin(found: &FoundSettings<'_>, guard: &mut Map<String, Json>) {
    let (sources, launch) = (&found.sources, found.launch);
    let is_unseen = argv::enters_worktree(launch);
    let fallbacks = sources.iter().filter_map(|source| match source.settings.get("fallbackModel")? {
        Json::Array(models) => Some(models.clone()),
        Json::String(model) => Some(vec![json!(model)]),
        _ => None,
    });
    let foreign = |model: &Json| !possible(launch).iter().any(|ours| model == ours);
    if is_unseen || fallbacks.flatten().any(|model| foreign(&model)) {
        guard.insert("fallbackModel".to_owned(), json!([])); // in their place
    }
    let overrides = sources.iter().filter_map(|source| source.settings.get("modelOverrides")?.as_object());
    let mut off: Map<_, _> = overrides.flat_map(Map::keys).map(|key| (key.clone(), json!(""))).collect();
    if is_unseen {
        off.extend(list(launch, &[]).into_iter().map(|model| (model, json!(""))));
    }
    if !off.is_empty() {
        guard.insert("modelOverrides".to_owned(), off.into());
    }
}

const HOOK: &str = "the `model` of a hook";

/// A model that is chosen where nothing can hold it.
pub struct ModelChoice<'a> {
    pub path: &'a std::path::Path,
    /// What chooses it, for people.
    pub key: &'static str,
    pub model: Cow<'a, str>,
}

/// The models of hooks.
pub fn of_hooks<'a>(source: &'a SettingsSource, launch: &Launch) -> Vec<ModelChoice<'a>> {
    let mut models = Vec::new();
    source.settings.get("hooks").into_iter().for_each(|hooks| collect_models(hooks, &mut models));
    let models = models.into_iter().filter(|model| is_foreign_in_hook(model, launch));
    let choice = |model| ModelChoice { path: &source.path, key: HOOK, model: Cow::Borrowed(model) };
    models.map(choice).collect()
}

/// Every `model` at any depth: Claude Code alone knows which of them it takes.
fn collect_models<'a>(value: &'a Json, models: &mut Vec<&'a str>) {
    match value {
        Json::Array(items) => items.iter().for_each(|item| collect_models(item, models)),
        Json::Object(entries) => {
            models.extend(entries.get("model").and_then(Json::as_str));
            entries.values().for_each(|value| collect_models(value, models));
        }
        _ => {}
    }
}

/// The models of the hooks that documents bring.
pub fn of_document_hooks<'a>(
    documents: &'a [Document<'_>],
    launch: &'a Launch,
) -> impl Iterator<Item = ModelChoice<'a>> {
    documents.iter().flat_map(move |document| {
        let models = document.hook_models().into_iter().filter(|model| is_foreign_in_hook(model, launch));
        models.map(|model| ModelChoice { path: &document.path, key: HOOK, model: Cow::Owned(model) })
    })
}

/// The models of skills and commands, and of agents where the launch leaves them their own.
pub fn of_documents<'a>(
    documents: &'a [Document<'_>],
    launch: &'a Launch,
) -> impl Iterator<Item = ModelChoice<'a>> {
    let inherits = launch.tiers.subagent == "inherit";
    let unheld = documents.iter().filter(move |document| !document.is_agent() || inherits);
    unheld.filter_map(|document| {
        let model = document.model().filter(|model| is_foreign(model, launch))?;
        Some(ModelChoice { path: &document.path, key: "`model:`", model })
    })
}

/// Whether Claude Code takes it for a tier or the session's model: in any case of letters, with a long window or not.
pub fn is_alias(model: &str) -> bool {
    let model = split_long_context(model.trim()).0;
    ALIASES.iter().any(|alias| model.eq_ignore_ascii_case(alias))
}

fn is_foreign(model: &str, launch: &Launch) -> bool {
    let model = split_long_context(model).0;
    !model.is_empty() && !ALIASES.contains(&model) && !chosen(launch).iter().any(|ours| ours == model)
}

/// Whether a hook asks for another model with it. There these words are no names for the session's model, but sent as
/// they are, and an empty one too (2.1.332).
fn is_foreign_in_hook(model: &str, launch: &Launch) -> bool {
    ["", "default", "inherit"].contains(&split_long_context(model).0) || is_foreign(model, launch)
}

/// The provider's models that the list has beside the launch's, so that `/model` can choose them. None where a skill or a
/// command asks for a model of its own, or may and was not looked at; where nobody is there to choose; and where the user
/// or a project has a list, which Claude Code joins with ours.
pub fn others<'a>(found: &FoundSettings<'a>, plan: &Plan) -> Vec<&'a Model> {
    let launch = found.launch;
    let is_strict = argv::prints(launch)
        || of_documents(&found.documents, launch).next().is_some()
        || !found.plugins.is_empty()
        || argv::forwards(launch, "--plugin-url")
        || argv::enters_worktree(launch)
        || found.all().any(|source| source.enables_plugins() || source.available_models().is_some())
        || found.unread.is_some();
    if is_strict { Vec::new() } else { picker::others(launch, plan) }
}

/// The list that holds the models of skills and commands: what is not in it gives way to the session's model (2.1.197
/// and 2.1.332), wherever the skill comes from, and if it appears during the session. The launch's models, and those
/// that the user's own words name, and the given others.
pub fn list(launch: &Launch, others: &[&Model]) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    // A family's name would let the whole family in.
    let of_words = of_words(launch).filter(|word| !ALIASES.contains(&word.as_str()));
    let spellings =
        possible(launch).into_iter().flat_map(|id| [id.to_owned(), spelled(id, launch).into_owned()]);
    let others = others.iter().map(|model| model.id.clone());
    for id in spellings.chain(of_words).chain(others) {
        if !list.contains(&id) {
            list.push(id);
        }
    }
    list
}

/// Whether the lists of the settings and of the launch together let a model in.
pub fn is_allowed(model: &str, found: &FoundSettings<'_>, list: &[String]) -> bool {
    let mut lists = found.all().filter_map(SettingsSource::available_models).flatten();
    lists.any(|entry| means(entry, model, true)) || list.iter().any(|entry| means(entry, model, true))
}

/// Whether an entry means a model: its id, and of Claude's models what goes on after it with a hyphen, with `claude-`
/// before it or not, or a family. `availableModels` takes that for all models (2.1.332).
pub fn means(entry: &str, model: &str, is_for_all: bool) -> bool {
    let (entry, model) = (entry.to_lowercase(), model.to_lowercase());
    let goes_on =
        |start: &str| model.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    let is_family = || FAMILIES.contains(&entry.as_str()) && model.contains(&entry);
    let is_part = || goes_on(&entry) || goes_on(&format!("claude-{entry}"));
    entry == model || is_family() || (is_for_all || model.starts_with("claude-")) && is_part()
}

/// What `availableModels` does not hold: the models of hooks, and those of documents that a list lets in, since Claude
/// Code joins the lists.
pub struct Unheld<'a> {
    choices: Vec<ModelChoice<'a>>,
    /// A place whose hooks were not read, and why.
    unread: Option<(std::path::PathBuf, String)>,
    pub denied: Denied,
}

impl<'a> Unheld<'a> {
    pub fn new(found: &'a FoundSettings<'_>) -> Self {
        let (launch, documents) = (found.launch, &found.documents);
        let projects = found.sources.iter().filter(|source| !source.is_users()).chain(&found.plugin_hooks);
        let hooks = projects.flat_map(|source| of_hooks(source, launch));
        let list = list(launch, &[]); // these documents keep others out of it
        let let_in = of_documents(documents, launch).filter(|choice| is_allowed(&choice.model, found, &list));
        let choices: Vec<_> = hooks.chain(of_document_hooks(documents, launch)).chain(let_in).collect();
        // What the user's own hooks name may be a model of the provider's. Claude's are not.
        let users = found.users().flat_map(|source| of_hooks(source, launch));
        let users: Vec<_> = users
            .filter(|choice| window::knows(&choice.model) || split_long_context(&choice.model).0 == "inherit")
            .collect();
        let unread = found.unread.clone().or_else(|| {
            let unclear = documents.iter().find(|document| document.is_unclear());
            unclear.map(|document| (document.path.clone(), "has front matter that is not clear".to_owned()))
        });
        let mut denied: Vec<_> =
            choices.iter().chain(&users).map(|choice| choice.model.to_string()).collect();
        if unread.is_some() {
            denied.extend(claudes(launch));
        }
        let denied = Denied::new(&denied, !found.policies.is_empty(), launch);
        Self { choices, unread, denied }
    }

    /// Warns of a project's and a plugin's, and of what was not read where that was not done.
    pub fn name(&self, is_named: bool, launch: &Launch, plan: &mut Plan) {
        let mut warned: Vec<String> = Vec::new();
        for ModelChoice { path, key, model } in &self.choices {
            let consequence = if self.denied.holds(model) {
                "this launch denies it, and Claude Code before 2.1.332 requests it nevertheless"
            } else {
                "nothing can override it"
            };
            warned.push(format!(
                "{}: {key} requests `{model}` from provider `{}`; {consequence}",
                path.display(),
                launch.provider
            ));
        }
        if let Some((path, why)) = self.unread.as_ref().filter(|_| !is_named) {
            warned.push(format!(
                "{} {why}: a hook there may request another model from provider `{}`{}",
                path.display(),
                launch.provider,
                self.denied.of_unread()
            ));
        }
        let mut said = BTreeSet::new();
        for text in warned.into_iter().filter(|text| said.insert(text.clone())) {
            plan.warn(text);
        }
    }
}
