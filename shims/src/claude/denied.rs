//! Models that no setting of the user's can hold, denied by what Claude Code takes for a policy.
//!
//! `deniedModels` is read from managed settings alone, and holds hooks too, which `availableModels` does not: the model
//! of the session is asked instead. A parent process may give such settings by `--managed-settings`, which programs
//! built on Claude Code use (2.1.332). 2.1.197 takes the argument and ignores it. An administrator's own policy shuts
//! it out. With any managed settings 2.1.332 turns a plugin of its own on, `cc-plugin-sec-default`, which keeps the
//! programs of installed plugins from changing requests; so that a launch gives them only where it has to.

use anyhow::{Result, bail};
use serde_json::json;

use super::own_settings::LONGEST_WORD;
use super::{argv, models};
use crate::{Launch, Message, Plan};

const OPTION: &str = "--managed-settings";

/// What a launch denies.
#[derive(Default)]
pub struct Denied(Vec<String>);

impl Denied {
    /// Denies what these ask for. The user's own skills and commands are not among them: looking into each at every
    /// launch would cost a tenth of it, and the option is documented for no one, so that a launch gives it only where
    /// it has to.
    pub fn new(models: &[String], has_policies: bool, launch: &Launch) -> Self {
        if has_policies || argv::forwards(launch, OPTION) {
            return Self::default();
        }
        let mut denied: Vec<String> = Vec::new();
        for model in models {
            let model = crate::window::split_long_context(model).0;
            let model = models::family_of_short(model).unwrap_or(model);
            if models::is_free(model, launch) && !is_let_through(model) && !is_in(&denied, model) {
                denied.push(model.to_owned());
            }
        }
        Self(denied)
    }

    /// Whether it holds this model.
    pub fn holds(&self, model: &str) -> bool {
        !is_let_through(model) && is_in(&self.0, crate::window::split_long_context(model).0)
    }

    /// What a warning of a place whose hooks were not read adds.
    pub fn of_unread(&self) -> &'static str {
        if self.0.is_empty() { "" } else { "; this launch denies all models of Claude's but those it uses" }
    }

    /// Gives it to Claude Code.
    ///
    /// # Errors
    /// When it is longer than a word can be: it cannot go by a file.
    pub fn add_argument(&self, plan: &mut Plan) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let text = json!({"deniedModels": self.0}).to_string();
        if text.len() >= LONGEST_WORD {
            bail!(Message::new(
                "the hooks here name more models than a launch can deny",
                "take those hooks out of the project's `.claude` and of its plugins"
            ));
        }
        plan.arg(OPTION);
        plan.arg(text);
        Ok(())
    }
}

/// Whether Claude Code asks for the model although it is denied: `gpt-4`, `gpt-5-codex`, `grok-4` and their like, what
/// is empty, and `default` (seen in 2.1.332; `gpt-4o`, `gpt-5.5` and `inherit` are held).
fn is_let_through(model: &str) -> bool {
    let model = crate::window::split_long_context(model).0.trim().to_lowercase();
    if ["", "default"].contains(&&*model) {
        return true;
    }
    let version = model.strip_prefix("gpt-").or_else(|| model.strip_prefix("grok-"));
    version.is_some_and(|version| {
        let rest = version.trim_start_matches(|digit: char| digit.is_ascii_digit());
        rest.len() < version.len() && (rest.is_empty() || rest.starts_with('-'))
    })
}

fn is_in(denied: &[impl AsRef<str>], model: &str) -> bool {
    denied.iter().any(|entry| models::denies(entry.as_ref(), model))
}
