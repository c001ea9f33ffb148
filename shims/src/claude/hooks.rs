//! Hooks over HTTP that would be sent the provider's key.
//!
//! Such a hook names the variables that go into its headers, and with `-p` those of a project run without a
//! question (2.1.197): a repository could so fetch the key without running anything. A list of the variables
//! that hooks may have is stronger than what a hook names; lists of several settings add up. Hooks that are
//! commands inherit the environment anyway: that is a matter of trust in the project.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use serde_json::{Map, Value as Json};

use super::source::Source;
use crate::{Launch, Plan};

/// The list of variables that leaves hooks all they name but this launch's secrets, where one names such a
/// secret; the user is told of each.
///
/// # Errors
/// When the user's own `--settings` (`taken`) leaves no way to give a list, or another list has the secret.
pub fn allowed_variables(
    sources: &[&Source],
    launch: &Launch,
    plan: &mut Plan,
    taken: bool,
) -> Result<Option<BTreeSet<String>>> {
    let secrets = plan.secret_variables(launch);
    let lists = || sources.iter().filter_map(|source| source.settings.get("httpHookAllowedEnvVars"));
    let has_secret = |list: &Json| texts(list).any(|name| secrets.contains(name));
    if lists().next().is_some() && !lists().any(has_secret) {
        return Ok(None); // no hook gets one
    }
    let mut allowed: BTreeSet<String> = BTreeSet::new();
    let mut is_needed = false;
    for source in sources {
        for hook in of(&source.settings) {
            let named = hook.get("allowedEnvVars").into_iter().flat_map(texts);
            let (ours, theirs): (Vec<_>, Vec<_>) = named.partition(|name| secrets.contains(*name));
            allowed.extend(theirs.into_iter().map(str::to_owned));
            let Some(name) = ours.first() else { continue };
            let consequence = format!(
                "{}: an HTTP hook would be sent {name}, the key of provider `{}`",
                source.path.display(),
                launch.provider
            );
            if taken || lists().any(has_secret) {
                bail!("{consequence}\nhelp: take {name} out of allowedEnvVars in that file");
            }
            plan.warn(format!("{consequence}; it gets none in this launch"));
            is_needed = true;
        }
    }
    Ok(is_needed.then_some(allowed))
}

/// Every hook of a settings file, whatever it is for.
fn of(settings: &Map<String, Json>) -> impl Iterator<Item = &Json> {
    let events = settings.get("hooks").and_then(Json::as_object).into_iter().flat_map(Map::values);
    let groups = events.filter_map(Json::as_array).flatten();
    groups.filter_map(|group| group.get("hooks")?.as_array()).flatten()
}

fn texts(list: &Json) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Json::as_str)
}
