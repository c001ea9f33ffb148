//! What settings files say against a launch. What of it is decisive, [`settings_override`](super::settings_override)
//! knows.

use anyhow::Result;

use super::family::{is_family, is_held};
use super::found::FoundSettings;
use super::onboarding::StateFile;
use super::source::SettingsSource;
use super::{front_matter, models, paths, trust};
use crate::proxy::PROXY_VARIABLES;
use crate::{ConflictingSetting, Inputs, Launch, Plan};

const HELD: &str = "ignored by Claude Code, because the launch sets CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST";
const GUARDED: &str = "--settings overrides it";
const CARRIED: &str = "the launch passes it in the environment, because Claude Code ignores it here";
const LISTED: &str = "--settings lists this launch's models, and Claude Code requests one of them instead";
const DENIED: &str = "--managed-settings denies it, and Claude Code 2.1.332 requests a model of this \
                      launch instead (older versions request it)";
const UNHELD: &str = "nothing overrides it: Claude Code requests that model where it is used";

/// The user's and the project's settings that the plan overrules, and the models that it cannot.
///
/// # Errors
/// As the launch itself.
pub fn of(launch: &Launch, inputs: &Inputs, planned: &Plan) -> Result<Vec<ConflictingSetting>> {
    // What it warns of, the launch has said.
    let mut plan = Plan::default();
    let state = StateFile::read(launch, inputs, &mut plan)?;
    let found = FoundSettings::read(launch, inputs, &state, &mut plan)?;
    let mut conflicts: Vec<_> = found.sources.iter().flat_map(of_source).collect();
    let others = models::others(&found, planned);
    let list = models::list(launch, &others);
    let unheld = models::Unheld::new(&found);
    let users = if paths::isolated(launch, inputs).is_some() {
        Vec::new()
    } else {
        front_matter::users_documents(inputs)
    };
    let hooks =
        found.sources.iter().chain(&found.plugin_hooks).flat_map(|source| models::of_hooks(source, launch));
    let hooks = hooks.chain(models::of_document_hooks(&found.documents, launch));
    let hooks = hooks.chain(models::of_document_hooks(&users, launch)).map(|choice| (choice, false));
    let models = models::of_documents(&found.documents, launch).chain(models::of_documents(&users, launch));
    let models = models.map(|choice| {
        let is_listed = !models::is_allowed(&choice.model, &found, &list);
        (choice, is_listed)
    });
    for (choice, is_listed) in hooks.chain(models) {
        let answer = match is_listed {
            true => LISTED,
            false if unheld.denied.holds(&choice.model) => DENIED,
            false => UNHELD,
        };
        let key = format!("{} ({})", choice.key, choice.model);
        conflicts.push(ConflictingSetting::new(choice.path, key, answer));
    }
    Ok(conflicts)
}

fn of_source(source: &SettingsSource) -> Vec<ConflictingSetting> {
    let conflict = |key: &str, answer| ConflictingSetting::new(&source.path, key, answer);
    let answer = |name: &str| match name {
        _ if is_held(name) && !trust::is_users_own(name) => Some(HELD),
        _ if trust::is_users_own(name) && source.is_users() => trust::is_carried(name).then_some(CARRIED),
        _ if is_family(name) || PROXY_VARIABLES.contains(&name) || trust::is_users_own(name) => Some(GUARDED),
        _ => None,
    };
    let env = source.env().filter(|(_, value)| !value.is_null() && value.as_str() != Some(""));
    let mut conflicts: Vec<_> =
        env.filter_map(|(name, _)| Some(conflict(&format!("env.{name}"), answer(name)?))).collect();
    if source.text("apiKeyHelper").is_some() {
        conflicts.push(conflict("apiKeyHelper", GUARDED));
    }
    if source.available_models().is_some() {
        conflicts.push(conflict("availableModels", "--settings adds this launch's models"));
    }
    for key in ["fallbackModel", "modelOverrides"] {
        if source.settings.contains_key(key) {
            conflicts.push(conflict(key, GUARDED));
        }
    }
    if source.text("agent").is_some() {
        conflicts.push(conflict("agent", "--model overrides the model that it sets"));
    }
    conflicts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fact, Protocol};

    #[test]
    fn what_decides_in_settings_files_is_named_and_the_rest_is_not() {
        let mut inputs = Inputs::default();
        inputs.dirs.home = "/home/u".into();
        let settings = r#"{"env": {"ANTHROPIC_MODEL": "x", "ANTHROPIC_BETAS": "b", "EDITOR": "vi",
            "ANTHROPIC_API_KEY": ""}, "agent": "a", "availableModels": [], "model": "m"}"#;
        inputs.facts.insert("/home/u/.claude/settings.json".into(), Fact::File(settings.into()));
        let launch = Launch::sample("p", Protocol::Anthropic, "https://p.example", "m");
        let conflicts = of(&launch, &inputs, &Plan::default()).expect("found");
        let found: Vec<_> =
            conflicts.iter().map(|conflict| (conflict.key.as_str(), conflict.answer)).collect();
        let expected = [
            ("env.ANTHROPIC_MODEL", HELD),
            ("env.ANTHROPIC_BETAS", GUARDED),
            ("availableModels", "--settings adds this launch's models"),
            ("agent", "--model overrides the model that it sets"),
        ];
        assert_eq!(found, expected);
    }
}
