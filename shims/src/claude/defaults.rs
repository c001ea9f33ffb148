//! Settings that a launch adds where the user's settings and words say nothing of them.
//!
//! All are for a provider that is not Anthropic itself. They go by `--settings`, because there is no variable that does
//! the same: `CLAUDE_CODE_AUTO_MODE_SERVER=0` alone leaves auto mode on (2.1.332).

use serde_json::{Map, Value as Json, json};

use super::found::FoundSettings;
use super::{argv, policy};
use crate::proxy::host;

/// What names a permission mode in the user's words.
const MODE_OPTIONS: [&str; 3] = ["--permission-mode", "--dangerously-skip-permissions", "--enable-auto-mode"];

/// Where settings name one.
const MODE_SETTINGS: [&str; 3] =
    ["/permissions/defaultMode", "/permissions/disableAutoMode", "/disableAutoMode"];

/// Adds them to what is given by `--settings`.
pub fn add(found: &FoundSettings<'_>, settings: &mut Map<String, Json>) {
    let launch = found.launch;
    if host(&launch.base_url.value) == policy::ANTHROPIC {
        return;
    }
    let users = || found.all().filter(|source| source.is_users());
    let is_set = |pointer: &str| {
        let mut keys = pointer.split('/').skip(1);
        let first = keys.next().unwrap_or_default();
        let rest: Vec<_> = keys.collect();
        users().filter_map(|source| source.settings.get(first)).any(|value| {
            rest.iter().try_fold(value, |value, key| value.get(*key)).is_some_and(|value| !value.is_null())
        })
    };
    // Auto mode has each command judged by requests of Anthropic's own kind, up to ten for one, and a first start shows
    // a notice that the provider is not eligible (2.1.332).
    if !MODE_SETTINGS.iter().any(|place| is_set(place))
        && !MODE_OPTIONS.iter().any(|word| argv::forwards(launch, word))
    {
        settings.insert("permissions".to_owned(), json!({"disableAutoMode": "disable"}));
    }
    // WebFetch would ask Anthropic about each domain (2.1.197 and 2.1.332).
    if !is_set("/skipWebFetchPreflight") {
        settings.insert("skipWebFetchPreflight".to_owned(), true.into());
    }
    // The documented half of what keeps texts of other sessions, perhaps on other providers, out (2.1.332).
    if !is_set("/crossSessionInbound") && !launch.extra_env.contains_key(super::SESSION_MESSAGES) {
        settings.insert("crossSessionInbound".to_owned(), "refuse".into());
    }
}
