//! What administrators impose on a launch.

use anyhow::{Result, bail};
use serde_json::Value as Json;

use super::denied::denies;
use super::family::is_held;
use super::models;
use super::settings_override::{HEADERS, agrees, intended};
use super::source::{SettingsSource, as_text, texts};
use crate::proxy::host;
use crate::{Launch, Message, Plan};

const HELP: &str = "ask your administrator, or run plain `claude`, without agent-run";

/// The host that a policy calls `anthropic`.
pub const ANTHROPIC: &str = "api.anthropic.com";

/// A managed policy is an administrator's word: never passed by in silence.
///
/// # Errors
/// When the policy forbids the launch, or its own key or headers would go to the provider.
pub fn respect(policy: &SettingsSource, launch: &Launch, plan: &mut Plan) -> Result<()> {
    let path = policy.path.display();
    refuse_forbidden(policy, launch)?;
    let provider = &launch.provider;
    if policy.text("apiKeyHelper").is_some() {
        bail!(Message::new(
            format!("{path}: the key of this policy's apiKeyHelper would go to provider `{provider}` too"),
            HELP
        ));
    }
    if policy.sets_headers() {
        bail!(Message::new(
            format!(
                "{path}: the headers of this policy's env.{HEADERS} would go to provider `{provider}` too"
            ),
            HELP
        ));
    }
    let keys = ["fallbackModel", "forceLoginMethod", "forceLoginOrgUUID", "modelOverrides"];
    let mut sets: Vec<String> =
        keys.into_iter().filter(|key| policy.settings.contains_key(*key)).map(str::to_owned).collect();
    if policy.available_models().is_some_and(|mut models| !models.any(|model| model == launch.model.value.id))
    {
        sets.push("availableModels".to_owned());
    }
    let differs =
        |(name, value): &(&str, &Json)| is_held(name) || !agrees(value, &intended(name, launch, plan));
    sets.extend(policy.env().filter(differs).map(|(name, _)| format!("env.{name}")));
    if !sets.is_empty() {
        plan.warn(format!("the managed policy {path} sets {}; this launch may violate it", sets.join(", ")));
    }
    Ok(())
}

/// Claude Code would refuse the provider, or go on with another model (2.1.332).
fn refuse_forbidden(policy: &SettingsSource, launch: &Launch) -> Result<()> {
    let path = policy.path.display();
    let denied: Vec<&str> = policy.settings.get("deniedModels").into_iter().flat_map(texts).collect();
    if let Some(model) =
        models::possible(launch).into_iter().find(|model| denied.iter().any(|denied| denies(denied, model)))
    {
        bail!(Message::new(
            format!("{path}: this managed policy denies the model `{model}`"),
            "choose another one with --model, or ask your administrator"
        ));
    }
    let Some(allowed) = policy.settings.get("allowedProviders").filter(|list| list.is_array()) else {
        return Ok(());
    };
    let url = super::base_url(&launch.base_url.value);
    let is_pinned = |(name, value): (&str, &Json)| {
        name == "ANTHROPIC_BASE_URL" && as_text(value).trim_end_matches('/') == url
    };
    let is_allowed = texts(allowed).any(|provider| match provider {
        "anthropic" => host(url) == ANTHROPIC,
        // Only the address that the same policy sets.
        "customEndpoint" => policy.env().any(is_pinned),
        _ => false,
    });
    if !is_allowed {
        bail!(Message::new(
            format!(
                "{path}: allowedProviders in this managed policy does not include provider `{}`",
                launch.provider
            ),
            HELP
        ));
    }
    Ok(())
}
