//! The provider's other models in `/model`.
//!
//! `modelPicker` of settings adds rows (2.1.332; 2.1.197 passes it by). Claude Code counts with one window for all
//! models that it does not know, so that only models are offered whose window is known and at least that one, and whose
//! answers may be as long.

use std::ffi::OsStr;

use serde_json::{Map, Value as Json, json};

use super::found::FoundSettings;
use super::{literal, models, window};
use crate::Plan;

const KEY: &str = "modelPicker";

/// How many of the provider's list are offered: the rows go by an argument, and each costs a launch some time.
pub const LISTED: usize = 12;
/// With those that the config states.
const MOST_ROWS: usize = 24;

/// What Claude Code asks for at the most of a model that it does not know (2.1.197 and 2.1.332).
const ANSWER: u64 = 32_000;

/// Adds the rows to what is given by `--settings`, unless the user's settings have rows or a list leaves them out.
pub fn add(found: &FoundSettings<'_>, plan: &Plan, settings: &mut Map<String, Json>) {
    let launch = found.launch;
    let own = found.all().any(|source| source.is_users() && source.settings.contains_key(KEY));
    if own || settings.contains_key("availableModels") {
        return;
    }
    let counted = plan.env.get(OsStr::new(window::WINDOW)).and_then(|value| value.as_ref()?.plain());
    let Some(counted) = counted.and_then(|text| text.to_str()?.trim().parse::<u64>().ok()) else { return };
    let answer = launch.model.value.output_limit().unwrap_or(ANSWER);
    let mut ids = models::possible(launch);
    let mut rows = Vec::new();
    for model in &launch.models {
        let Some(own) = model.context_window.filter(|window| *window >= counted) else { continue };
        let is_fit = literal::plain("the model id", &model.id).is_ok()
            && model.output_limit().is_none_or(|limit| limit >= answer)
            // Picked, it would be a tier of this launch, and not the provider's model of that name (2.1.332).
            && !models::is_alias(&model.id);
        if rows.len() == MOST_ROWS || !is_fit || window::knows(&model.id) || ids.contains(&model.id.as_str())
        {
            continue;
        }
        let part = if own > counted { format!(", this session uses {counted}") } else { String::new() };
        let description = format!("window of {own} tokens{part}");
        rows.push(json!({"model": model.id, "label": model.id, "description": description}));
        ids.push(&model.id);
    }
    if !rows.is_empty() {
        settings.insert(KEY.to_owned(), json!({ "options": rows }));
    }
}
