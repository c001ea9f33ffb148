//! Models that no setting of the user's can hold, denied by what Claude Code takes for a policy.
//!
//! `deniedModels` is read from managed settings alone, and holds hooks too, which `availableModels` does not: the model
//! of the session is asked instead. A parent process may give such settings by `--managed-settings`, which programs
//! built on Claude Code use (2.1.332). 2.1.197 takes the argument and ignores it. An administrator's own policy shuts
//! it out. With any managed settings 2.1.332 turns a plugin of its own on, `cc-plugin-sec-default`, which keeps the
//! programs of installed plugins from changing requests; so that a launch gives them only where it has to.

use anyhow::{Result, bail};
use serde_json::json;

use super::argv;
use super::models::{FAMILIES, chosen, means};
use super::own_settings::LONGEST_WORD;
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
            let model = family_of_short(model).unwrap_or(model);
            if is_free(model, launch) && !is_let_through(model) && !is_in(&denied, model) {
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
    denied.iter().any(|entry| denies(entry.as_ref(), model))
}

/// Whether an entry of `deniedModels` keeps a model out.
pub fn denies(entry: &str, model: &str) -> bool {
    means(entry, model, false)
}

/// Whether an entry of `deniedModels` keeps out none of the chosen models.
pub fn is_free(entry: &str, launch: &Launch) -> bool {
    let (main, tiers) = (&launch.model.value.id, &launch.tiers);
    let mut models = chosen(launch);
    // An entry with its name keeps a tier out too.
    let named = FAMILIES.iter().zip([main, &tiers.haiku, &tiers.opus, &tiers.sonnet]);
    models.extend(named.filter(|(_, tier)| *tier != main).map(|(family, _)| (*family).to_owned()));
    !models.iter().any(|model| denies(entry.trim(), model) || is_same_release(entry, model))
}

/// Whether Claude Code takes two names for one model of Claude's, or the first for several with the second among them:
/// it ignores dates, prefixes of a vendor and `-latest`, reads `4.5` as `4-5`, and takes `4` for `4-0` (2.1.332).
fn is_same_release(entry: &str, model: &str) -> bool {
    let (Some((family, entry)), Some((other, model))) = (release(entry), release(model)) else {
        return false;
    };
    let minor = |release: &[u32]| release.get(1).copied().unwrap_or(0);
    let is_whole = entry.len() == 1;
    family == other && entry[0] == model[0] && (is_whole || minor(&entry) == minor(&model))
}

/// The family in a name and the one or two numbers of its version, which stand behind it, or before it as in
/// `claude-3-5-haiku`.
fn release(model: &str) -> Option<(&'static str, Vec<u32>)> {
    let name = model.trim().to_lowercase();
    let parts: Vec<_> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let (at, family) = parts
        .iter()
        .enumerate()
        .find_map(|(at, part)| Some((at, FAMILIES.into_iter().find(|family| family == part)?)))?;
    // A date is no version.
    let number = |part: &&str| part.parse::<u32>().ok().filter(|_| part.len() <= 2);
    let behind: Vec<_> = parts[at + 1..].iter().map_while(number).take(2).collect();
    let mut before: Vec<_> = parts[..at].iter().rev().map_while(number).take(2).collect();
    before.reverse();
    Some((family, if behind.is_empty() { before } else { behind })).filter(|(_, version)| !version.is_empty())
}

/// The family of a model of Claude's whose name lacks `claude-`, as `opus-4-5` or `3-5-haiku`: only an entry with that
/// keeps it out (2.1.332).
pub fn family_of_short(model: &str) -> Option<&'static str> {
    let model = model.trim().to_lowercase();
    let mut parts = model.split('-').skip_while(|part| part.parse::<u32>().is_ok());
    let first = parts.next()?;
    FAMILIES.into_iter().find(|family| *family == first && *family != model)
}

/// All models of Claude's but the chosen ones, by as few entries as leave those: a family, else its versions. Other names
/// of a chosen one are left too.
pub fn claudes(launch: &Launch) -> Vec<String> {
    let is_free = |entry: &str| is_free(entry, launch);
    let mut entries = Vec::new();
    for family in FAMILIES {
        if is_free(family) {
            entries.push(family.to_owned());
            continue;
        }
        let former = ["3", "3-5", "3-7"].map(|version| format!("claude-{version}-{family}"));
        entries.extend(former.into_iter().filter(|entry| is_free(entry)));
        for version in (3..=9).map(|version| format!("claude-{family}-{version}")) {
            if is_free(&version) {
                entries.push(version);
            } else {
                entries
                    .extend((0..=9).map(|minor| format!("{version}-{minor}")).filter(|entry| is_free(entry)));
            }
        }
    }
    entries
}
