//! The provider's other models in `/model`.
//!
//! `modelPicker` of settings adds rows (2.1.332; 2.1.197 passes it by). Claude Code counts with one window for all
//! models that it does not know, so that only models are offered whose window is known and at least that one, and whose
//! answers may be as long.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use serde_json::{Map, Value as Json, json};

use super::found::FoundSettings;
use super::{literal, models, window};
use crate::{Launch, Model, Plan};

const KEY: &str = "modelPicker";

/// How many of the provider's list are offered: the rows go by an argument, and each costs a launch some time.
pub const LISTED: usize = 12;
/// With those that the config states.
const MOST_ROWS: usize = 24;

/// How many models the session can go over to: each is compared with all others.
const MOST: usize = 100;

/// What Claude Code asks for at the most of a model that it does not know (2.1.197 and 2.1.332).
const ANSWER: u64 = 32_000;

/// What Claude Code counts with for a model that it does not know.
fn counted(plan: &Plan) -> Option<u64> {
    plan.env.get(OsStr::new(window::WINDOW))?.as_ref()?.plain()?.to_str()?.trim().parse().ok()
}

/// The models that the session can go over to. One of an unknown window can only be typed.
pub fn others<'a>(launch: &'a Launch, plan: &Plan) -> Vec<&'a Model> {
    let counted = counted(plan);
    let answer = launch.model.value.output_limit().unwrap_or(ANSWER);
    let is_claudes = window::knows(&launch.model.value.id);
    let ids = models::possible(launch);
    let mut seen = BTreeSet::new();
    let is_fit = |model: &&'a Model| {
        let id = model.id.as_str();
        literal::plain("the model id", id).is_ok()
            && model.context_window.zip(counted).is_none_or(|(window, counted)| window >= counted)
            && model.output_limit().is_none_or(|limit| limit >= answer)
            // Picked, it would be a tier of this launch, and not the provider's model of that name (2.1.332).
            && !models::is_alias(id)
            // These are what skills and agents name most of all.
            && (is_claudes || !window::knows(id))
            && !ids.contains(&id)
            && seen.insert(id)
    };
    launch.models.iter().filter(is_fit).take(MOST).collect()
}

/// Adds the rows to what is given by `--settings`, unless the user's settings have rows.
pub fn add(others: &[&Model], found: &FoundSettings<'_>, plan: &Plan, settings: &mut Map<String, Json>) {
    let Some(counted) = counted(plan) else { return };
    if found.all().any(|source| source.is_users() && source.settings.contains_key(KEY)) {
        return;
    }
    let rows = others.iter().filter(|model| !window::knows(&model.id)).filter_map(|model| {
        let own = model.context_window?;
        let part = if own > counted { format!(", this session uses {counted}") } else { String::new() };
        let description = format!("window of {own} tokens{part}");
        Some(json!({"model": model.id, "label": model.id, "description": description}))
    });
    let rows: Vec<_> = rows.take(MOST_ROWS).collect();
    if !rows.is_empty() {
        settings.insert(KEY.to_owned(), json!({ "options": rows }));
    }
}
