//! The user's own `config.toml` as values, made fit for a launch on another provider.
//!
//! It is merged as values, not as text: Codex reads dotted keys, inline tables and every other form, and
//! a merge of texts would have to know them all. The file itself is never written.

pub use crate::judged::codex::SETTING_REPLACED as REPLACED;

use crate::{Fact, Inputs, Message};
use std::path::Path;

use anyhow::{Result, anyhow};
use toml::{Table, Value as Toml};

/// Ids that a config may not define; one is enough to stop Codex 0.169.
const RESERVED: [&str; 3] = ["openai", "ollama", "lmstudio"];

/// Efforts that most providers take. Codex sends any other as it stands.
const EFFORTS: [&str; 5] = ["minimal", "low", "medium", "high", "none"];

/// Parses a config file.
///
/// # Errors
/// When it is not TOML, with line and column.
pub fn parse(text: &str, path: &Path) -> Result<Table> {
    text.parse::<Table>().map_err(|error| {
        let (line, column) = error.span().map_or((1, 1), |span| position(text, span.start));
        anyhow!(Message::new(
            format!(
                "could not read {}:{line}:{column}: {}",
                path.display(),
                error.message().replace('\n', ", ")
            ),
            "fix that line; Codex itself cannot read it either"
        ))
    })
}

/// The settings of a file, if there is one that can be read.
pub fn table(path: &Path, inputs: &Inputs) -> Option<Table> {
    inputs.readable(path)?.parse().ok()
}

/// Whether a text may say this name, so that most launches parse nothing. With an escape it may be written in any way.
pub fn may_say(text: &str, name: &str) -> bool {
    text.contains(name) || text.contains('\\')
}

/// What a file of settings says.
pub enum SettingsText {
    Nothing,
    Settings(Table),
    Unreadable,
}

impl SettingsText {
    /// Codex reads no folder either.
    pub fn read(path: &Path, inputs: &Inputs) -> Self {
        match inputs.fact(path) {
            None | Some(Fact::Absent | Fact::Dir(_)) => Self::Nothing,
            Some(_) => table(path, inputs).map_or(Self::Unreadable, Self::Settings),
        }
    }
}

fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// Takes out what cannot go along, and says so where the user would miss it.
pub fn generate(table: &mut Table, path: &Path) -> Vec<String> {
    let mut left_out = Vec::new();
    if table.contains_key("profile") {
        left_out
            .push("`profile`, which Codex no longer accepts: name the profile with `--profile`".to_owned());
    }
    if let Some(Toml::Table(providers)) = table.get_mut("model_providers") {
        providers.retain(|id, provider| match refused(id, provider) {
            Some(why) => {
                left_out.push(format!("[model_providers.{id}], which Codex refuses: {why}"));
                false
            }
            None => true,
        });
    }
    for &key in REPLACED {
        table.remove(key);
    }
    for key in ["model_reasoning_effort", "plan_mode_reasoning_effort"] {
        if let Some(effort) = table.get(key)
            && !effort.as_str().is_some_and(|it| EFFORTS.contains(&it))
        {
            let said = format!("{key}={effort}");
            left_out.push(format!("`{said}`, which many providers refuse: type `-c '{said}'` to request it"));
            table.remove(key);
        }
    }
    let warning = |what| format!("ignored in {}: {what}", path.display());
    left_out.into_iter().map(warning).collect()
}

fn refused(id: &str, provider: &Toml) -> Option<&'static str> {
    if RESERVED.contains(&id) {
        return Some("the name is reserved");
    }
    if provider.get("wire_api").and_then(Toml::as_str) == Some("chat") {
        return Some("Codex no longer supports wire_api = \"chat\"");
    }
    let named = provider.get("name").and_then(Toml::as_str).is_some_and(|name| !name.trim().is_empty());
    (!named).then_some("it has no name")
}

/// Says of every hook the user trusts that it is trusted through each of our `homes` too: Codex knows hooks
/// by the path of the file they are in.
pub fn carry_hook_trust(table: &mut Table, real: &Path, homes: &[&Path]) {
    let Some(state) = hook_state(table) else { return };
    let places = state.iter().flat_map(|(place, trust)| homes.iter().map(move |home| (place, trust, home)));
    let copies: Vec<_> =
        places.filter_map(|(place, trust, home)| Some((moved(place, real, home)?, trust.clone()))).collect();
    state.extend(copies);
}

/// What Codex changed about a hook since `last`, in one of two homes of agent-run, counts in the other.
pub fn share_hook_trust(current: &mut Table, last: &Table, one: &Path, other: &Path) {
    let empty = Table::new();
    let before = last.get("hooks").and_then(|hooks| hooks.get("state")).and_then(Toml::as_table);
    let before = before.unwrap_or(&empty);
    // Without the table, neither has a hook left that is trusted.
    let Some(state) = hook_state(current) else { return };
    let places: Vec<String> = state.keys().chain(before.keys()).cloned().collect();
    let changed: Vec<_> = places
        .into_iter()
        .filter(|place| state.get(place) != before.get(place))
        .filter_map(|place| {
            let twin = moved(&place, one, other).or_else(|| moved(&place, other, one))?;
            (state.get(&twin) == before.get(&twin)).then(|| (twin, state.get(&place).cloned()))
        })
        .collect();
    for (twin, trust) in changed {
        match trust {
            Some(trust) => _ = state.insert(twin, trust),
            None => _ = state.remove(&twin),
        }
    }
}

fn hook_state(table: &mut Table) -> Option<&mut Table> {
    table.get_mut("hooks")?.get_mut("state")?.as_table_mut()
}

/// The place of the same hook in another home.
fn moved(place: &str, from: &Path, to: &Path) -> Option<String> {
    let rest = place.strip_prefix(from.to_str()?)?.strip_prefix('/')?;
    Some(format!("{}/{rest}", to.to_str()?))
}
