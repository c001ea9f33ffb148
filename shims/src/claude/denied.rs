//! Models that no setting of the user's can hold, denied by what Claude Code takes for a policy.
//!
//! `deniedModels` is read from managed settings alone, and holds hooks too, which `availableModels` does not: the model
//! of the session is asked instead. A parent process may give such settings by `--managed-settings`, which programs
//! built on Claude Code use (2.1.332). 2.1.197 takes the argument and ignores it. An administrator's own policy shuts
//! it out. With any managed settings 2.1.332 turns a plugin of its own on, `cc-plugin-sec-default`, which keeps the
//! programs of installed plugins from changing requests; so that a launch gives them only where it has to.

use std::borrow::Cow;

use serde_json::json;

use super::front_matter::{COMMANDS, SKILLS};
use super::models::{self, Choice};
use super::{places, window, words};
use crate::{Fact, Inputs, Launch, Plan};

const OPTION: &str = "--managed-settings";

/// Claude's models by version; each stands for all that begin with it (2.1.332).
const CLAUDES: &[&str] = &[
    "claude-3-5-haiku",
    "claude-3-5-sonnet",
    "claude-3-7-sonnet",
    "claude-3-haiku",
    "claude-3-opus",
    "claude-fable-5",
    "claude-haiku-4",
    "claude-haiku-5",
    "claude-opus-4",
    "claude-opus-5",
    "claude-sonnet-4",
    "claude-sonnet-5",
];

/// What a launch denies.
#[derive(Default)]
pub struct Denied(Vec<String>);

impl Denied {
    /// Denies what these ask for, and Claude's models where the user's own skills and commands may ask for one: they are
    /// many, and looking into each at every launch would cost a tenth of it. With plugins `availableModels` holds them.
    pub fn new<'a>(
        choices: impl Iterator<Item = &'a Choice<'a>>,
        has_plugins: bool,
        has_policies: bool,
        launch: &Launch,
        inputs: &Inputs,
    ) -> Self {
        if has_policies || words::forwards(launch, OPTION) {
            return Self::default();
        }
        let ours = models::of(launch);
        let mut denied: Vec<Cow<'_, str>> = Vec::new();
        if !has_plugins && has_documents(launch, inputs) && !ours.iter().any(|model| window::knows(model)) {
            denied.extend(CLAUDES.iter().map(|model| Cow::Borrowed(*model)));
        }
        for Choice { model, .. } in choices {
            let model = crate::window::split_long_context(model).0;
            if !ours.iter().any(|ours| models::denies(model, ours)) && !is_in(&denied, model) {
                denied.push(Cow::Owned(model.to_owned()));
            }
        }
        Self(denied.into_iter().map(Cow::into_owned).collect())
    }

    /// Whether it holds this model.
    pub fn holds(&self, model: &str) -> bool {
        is_in(&self.0, crate::window::split_long_context(model).0)
    }

    /// Gives it to Claude Code.
    pub fn add_argument(&self, plan: &mut Plan) {
        if !self.0.is_empty() {
            plan.arg(OPTION);
            plan.arg(json!({"deniedModels": self.0}).to_string());
        }
    }
}

fn is_in(denied: &[impl AsRef<str>], model: &str) -> bool {
    denied.iter().any(|entry| models::denies(entry.as_ref(), model))
}

/// Whether the user has skills or commands.
fn has_documents(launch: &Launch, inputs: &Inputs) -> bool {
    places::config_dirs(launch, inputs).iter().any(|path| {
        matches!(inputs.fact(path), Some(Fact::Dir(entries)) if entries.iter().any(|entry| {
            [SKILLS, COMMANDS].iter().any(|kind| entry.name.eq_ignore_ascii_case(kind))
        }))
    })
}
