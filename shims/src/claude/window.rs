//! The model's window, for display and for compaction, and the larger one that Claude Code would add.
//!
//! `CLAUDE_CODE_MAX_CONTEXT_TOKENS` counts for ids that Claude Code does not know. Without it 2.1.197 takes 200,000
//! tokens for an unknown model, and 2.1.332 takes 1,000,000. Without `CLAUDE_CODE_AUTO_COMPACT_WINDOW` 2.1.197 compacts
//! a conversation only after the provider has refused it.
//!
//! 2.1.332 takes every unknown model for one that may have a window of 1,000,000 tokens: it writes `opus[1m]` over the
//! `opus` of the user's settings, and `/model default` asks for `id[1m]`. `CLAUDE_CODE_DISABLE_1M_CONTEXT` keeps it
//! from that, and has it warn at every start of a window above 200,000.

use super::found::FoundSettings;
use super::source::{SettingsSource, as_text};
use super::{argv, models};
use crate::Plan;
use crate::window::{SMALLEST, split_long_context};

/// The smallest window at which Claude Code compacts a conversation by itself.
const SMALLEST_COMPACTION: u64 = 100_000;

/// The largest window that [`NO_MILLION`] leaves without a warning (2.1.332).
const LARGEST_QUIET: u64 = 200_000;

/// The window that the suffix `[1m]` asks for.
const MILLION: u64 = 1_000_000;

pub const WINDOW: &str = "CLAUDE_CODE_MAX_CONTEXT_TOKENS";
const COMPACTION: &str = "CLAUDE_CODE_AUTO_COMPACT_WINDOW";
const NO_MILLION: &str = "CLAUDE_CODE_DISABLE_1M_CONTEXT";

/// What 2.1.332 writes `opus[1m]` over in the user's settings, some of it by way of `opus`.
const REWRITTEN: &[&str] =
    &["claude-opus-4-0", "claude-opus-4-1", "claude-opus-4-1-20250805", "claude-opus-4-20250514", "opus"];

/// Sets the limits of the launch's model.
pub fn limit(found: &FoundSettings<'_>, plan: &mut Plan) {
    let launch = found.launch;
    let model = &launch.model.value;
    let window = match model.context_window.filter(|&window| window > 0) {
        // The suffix asks Anthropic for more than its list names. Elsewhere what is served counts.
        Some(window) if window < MILLION && models::is_long(&model.id, launch) && knows(&model.id) => {
            plan.set(COMPACTION, MILLION.to_string());
            Some(MILLION)
        }
        // Of a window that is too small it would send nothing, and without one count with far more than there is.
        Some(window) => {
            let window = window.max(SMALLEST);
            plan.set(WINDOW, window.to_string());
            // 2.1.332 warns of less at every start, and takes the smaller of the two either way.
            plan.set(COMPACTION, window.max(SMALLEST_COMPACTION).to_string());
            Some(window)
        }
        None if models::is_long(&model.id, launch) => {
            plan.set(COMPACTION, MILLION.to_string());
            Some(MILLION)
        }
        None if knows(&model.id) => None,
        None => Some(assume(found, plan)),
    };
    if let Some(output) = model.output_limit() {
        plan.set("CLAUDE_CODE_MAX_OUTPUT_TOKENS", output.to_string());
    }
    let mut asked =
        models::possible(launch).into_iter().map(str::to_owned).chain(argv::values(launch, "--model"));
    let would_be_capped =
        |id: String| knows(&id) || models::is_long(&id, launch) || split_long_context(&id).1;
    if !asked.any(would_be_capped) && is_needed(window, found.sources.iter().any(is_rewritten)) {
        plan.set(NO_MILLION, "1");
    }
}

/// Whether an id that Claude Code does not know needs the switch.
fn is_needed(window: Option<u64>, is_rewritten: bool) -> bool {
    is_rewritten || window.is_none_or(|window| window <= LARGEST_QUIET)
}

/// Whether Claude Code has the model's window from itself, in one version or another: it looks for its own names within
/// an id (2.1.332). The switch would cap the window of such a model.
pub fn knows(id: &str) -> bool {
    id.to_ascii_lowercase().contains("claude-")
}

fn is_rewritten(source: &SettingsSource) -> bool {
    source.is_users() && source.text("model").is_some_and(|model| REWRITTEN.contains(&model))
}

/// Has Claude Code count with what the user says, or else with an assumption, and gives the window.
fn assume(found: &FoundSettings<'_>, plan: &mut Plan) -> u64 {
    let launch = found.launch;
    let own = stated(WINDOW, found).filter(|text| text.trim().parse::<u64>().is_ok_and(|window| window > 0));
    if own.is_none() {
        plan.info(launch.assumption());
    }
    let window = own.as_deref().and_then(|text| text.trim().parse().ok());
    let window = window.unwrap_or_else(|| launch.assumed_window());
    plan.set(WINDOW, own.unwrap_or_else(|| window.to_string()));
    if let Some(theirs) = stated(COMPACTION, found) {
        plan.set(COMPACTION, theirs);
    } else if !found.sources.iter().any(has_own_compaction) {
        plan.set(COMPACTION, window.max(SMALLEST_COMPACTION).to_string());
    }
    window
}

/// What the user's own settings say. An inherited variable may be about another model, and is removed.
fn stated(name: &str, found: &FoundSettings<'_>) -> Option<String> {
    let settings = found.users().flat_map(SettingsSource::env).filter(|(key, _)| *key == name).last();
    settings.map(|(_, value)| as_text(value).into_owned()).filter(|text| !text.is_empty())
}

/// Whether the user's settings say when to compact, which the variable would beat (2.1.332).
fn has_own_compaction(source: &SettingsSource) -> bool {
    const KEY: &str = "autoCompactWindow";
    let models = source.settings.get("modelSettings").and_then(serde_json::Value::as_object);
    let has = |settings: &serde_json::Value| settings.get(KEY).is_some_and(|value| !value.is_null());
    source.is_users()
        && (source.settings.get(KEY).is_some_and(|value| !value.is_null())
            || models.is_some_and(|models| models.values().any(has)))
}
