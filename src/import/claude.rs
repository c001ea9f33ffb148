//! Claude Code's `settings.json`: the variables of its `env` block (names as of 2.1).

use std::path::Path;

use anyhow::Result;
use serde_json::Value as Json;
use shims::Protocol;
use shims::window::split_long_context;

use super::draft::{ImportedProvider, KeyLocation};
use super::{ImportScan, folder, jq, names};
use crate::env::Environment;

/// Where Claude Code goes without a base URL.
const ANTHROPIC: &str = "https://api.anthropic.com";

pub fn find(found: &mut ImportScan, file: Option<&Path>, env: &Environment) -> Result<()> {
    let path = match file {
        Some(file) => file.to_owned(),
        None => folder(env, "CLAUDE_CONFIG_DIR", ".claude")?.join("settings.json"),
    };
    let Some(settings) = found.json(&path)? else { return Ok(()) };
    let shown = path.display().to_string();
    let command = |variable: &str| Some(jq(&format!(".env.{variable}"), &path));
    let mut draft = of_settings(&settings, &shown, command);
    if draft.anthropic.is_none() && draft.key != KeyLocation::None {
        draft.serve(Protocol::Anthropic, ANTHROPIC);
    }
    draft.name = draft.anthropic.as_deref().map(names::of_host).unwrap_or_default();
    found.take(draft);
    Ok(())
}

/// The provider that settings of Claude Code's shape name; `command` prints the key in a variable.
pub fn of_settings(
    settings: &Json,
    place: &str,
    command: impl Fn(&str) -> Option<Vec<String>>,
) -> ImportedProvider {
    let said = |name: &str| settings["env"][name].as_str().map(str::trim).filter(|text| !text.is_empty());
    let mut draft = ImportedProvider { from: place.to_owned(), ..ImportedProvider::default() };
    if let Some(url) = said("ANTHROPIC_BASE_URL") {
        draft.serve(Protocol::Anthropic, url);
    }
    let variables = ["ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY"];
    if let Some((variable, key)) = variables.iter().find_map(|name| Some((*name, said(name)?))) {
        let place = format!("{place} (env.{variable})");
        draft.key = KeyLocation::Literal { key: key.to_owned(), place, command: command(variable) };
        draft.anthropic_use_api_key = variable == "ANTHROPIC_API_KEY";
    } else if let Some(helper) = settings["apiKeyHelper"].as_str().filter(|helper| !helper.is_empty()) {
        draft.key = KeyLocation::Command(["sh", "-c", helper].map(str::to_owned).to_vec());
    }
    let model = said("ANTHROPIC_MODEL").or_else(|| settings["model"].as_str());
    // `opus[1m]` is one of them too.
    let is_tier = |model: &str| TIERS.contains(&split_long_context(model).0);
    draft.default_model = model.filter(|model| !is_tier(model)).map(str::to_owned);
    let small = said("ANTHROPIC_DEFAULT_HAIKU_MODEL").or_else(|| said("ANTHROPIC_SMALL_FAST_MODEL"));
    for (tier, id) in [
        ("opus", said("ANTHROPIC_DEFAULT_OPUS_MODEL")),
        ("sonnet", said("ANTHROPIC_DEFAULT_SONNET_MODEL")),
        ("haiku", small),
        ("subagent", said("CLAUDE_CODE_SUBAGENT_MODEL")),
    ] {
        let id = id.filter(|id| Some(*id) != draft.default_model.as_deref() && !is_tier(id));
        draft.tiers.extend(id.map(|id| (tier, id.to_owned())));
    }
    for line in said("ANTHROPIC_CUSTOM_HEADERS").unwrap_or_default().lines() {
        if let Some((name, value)) = line.split_once(':') {
            draft.header(name.trim(), value.trim());
        }
    }
    let more: Vec<_> = (settings["env"].as_object().into_iter().flatten())
        .map(|(name, _)| name.as_str())
        .filter(|name| !name.starts_with("ANTHROPIC_") && *name != "CLAUDE_CODE_SUBAGENT_MODEL")
        .collect();
    if !more.is_empty() && draft.anthropic.is_some() {
        draft.notes.push(format!("Not imported, see `extra_env`: {}.", more.join(", ")));
    }
    draft
}

/// Claude Code's own names for its models, which no provider's list has.
const TIERS: [&str; 6] = ["default", "opus", "sonnet", "haiku", "opusplan", "inherit"];
