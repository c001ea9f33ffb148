//! Hermes Agent's `config.yaml`: `providers`, the older list `custom_providers`, and `model` (keys as of
//! 0.19).

use std::path::Path;

use anyhow::{Result, anyhow};
use serde_json::Value as Json;
use shims::hermes_yaml::Mapping;
use shims::yaml::Flaw;
use shims::{Message, Protocol, dotenv};

use super::draft::{ImportedProvider, KeyLocation};
use super::{ImportScan, crush, folder, names};
use crate::env::Environment;

pub fn find(found: &mut ImportScan, file: Option<&Path>, env: &Environment) -> Result<()> {
    let path = match file {
        Some(file) => file.to_owned(),
        None => folder(env, "HERMES_HOME", ".hermes")?.join("config.yaml"),
    };
    let Some(text) = found.read(&path)? else { return Ok(()) };
    let shown = path.display().to_string();
    let config = Mapping::parse(&text).map_err(|Flaw { line, column, what }| {
        anyhow!(Message::new(
            format!("could not read {shown}:{line}:{column}: {what}"),
            "run `hermes doctor`"
        ))
    })?;
    let config = config.json();
    for (id, provider) in config["providers"].as_object().into_iter().flatten() {
        found.take(draft(id, provider, &format!("{shown} providers.{id}")));
    }
    for (index, provider) in config["custom_providers"].as_array().into_iter().flatten().enumerate() {
        let name = provider["name"].as_str().unwrap_or_default();
        found.take(draft(name, provider, &format!("{shown} custom_providers[{index}]")));
    }
    let model = &config["model"];
    let provider = model["provider"].as_str().unwrap_or_default();
    let chosen = ["default", "model", "name"].iter().find_map(|key| model[*key].as_str());
    let id = provider.strip_prefix("custom:").unwrap_or(provider);
    if let Some(draft) = found.drafts.iter_mut().find(|draft| draft.name == id) {
        draft.default_model = chosen.map(str::to_owned).or(draft.default_model.take());
    } else if model["base_url"].is_string() {
        let mut draft = draft("", model, &format!("{shown} model"));
        draft.default_model = chosen.map(str::to_owned);
        found.take(draft);
    } else if !id.is_empty() && id != "auto" {
        found.skipped.push(format!("{shown} model: the provider `{id}` is built into Hermes"));
    }
    find_keys(found, &path.with_file_name(".env"), env);
    Ok(())
}

/// Looks into Hermes' own `.env` for keys in variables that are not set here.
fn find_keys(found: &mut ImportScan, path: &Path, env: &Environment) {
    let is_open = |key: &KeyLocation| matches!(key, KeyLocation::Variable(name) if env.var(name).is_none());
    if !found.drafts.iter().any(|draft| is_open(&draft.key)) {
        return;
    }
    let text = match found.read(path) {
        Ok(Some(text)) => text,
        Ok(None) => return,
        // The providers are known without their keys.
        Err(error) => {
            return found
                .skipped
                .push(format!("its keys: {}", crate::error::render(&error).replace('\n', "; ")));
        }
    };
    for draft in &mut found.drafts {
        let KeyLocation::Variable(variable) = &draft.key else { continue };
        if is_open(&draft.key)
            && let Some(key) = dotenv::python_value(&text, variable).filter(|key| !key.is_empty())
        {
            let place = format!("{} as {variable}", path.display());
            draft.key = KeyLocation::literal(&key, place);
        }
    }
}

/// The provider that an entry of Hermes' shape names.
pub fn draft(name: &str, entry: &Json, from: &str) -> ImportedProvider {
    let said = |key: &str| entry[key].as_str().map(str::trim).filter(|text| !text.is_empty());
    let mut draft = ImportedProvider { from: from.to_owned(), ..ImportedProvider::default() };
    let url = ["api", "url", "base_url", "baseUrl"].iter().find_map(|key| said(key));
    let anthropic = url.is_some_and(|url| url.trim_end_matches('/').ends_with("/anthropic"));
    let protocol = match said("api_mode").or_else(|| said("transport")) {
        Some("anthropic_messages") => Protocol::Anthropic,
        Some("codex_responses") => Protocol::OpenaiResponses,
        None if anthropic => Protocol::Anthropic,
        _ => Protocol::OpenaiChatCompletions,
    };
    if let Some(url) = url {
        draft.serve(protocol, url);
    }
    draft.name = if name.is_empty() { url.map(names::of_host).unwrap_or_default() } else { name.to_owned() };
    // What the environment lacks, Hermes takes from its own `.env`.
    let key_env = ["key_env", "api_key_env", "keyEnv"].iter().find_map(|key| said(key));
    draft.key = match (key_env, said("api_key").or_else(|| said("apiKey"))) {
        (Some(variable), _) => KeyLocation::Variable(variable.to_owned()),
        (None, Some(key)) => match crush::variable(key) {
            Some(variable) => KeyLocation::Variable(variable.to_owned()),
            None => KeyLocation::literal(key, format!("{from}.api_key")),
        },
        (None, None) => KeyLocation::None,
    };
    draft.anthropic_use_api_key = protocol == Protocol::Anthropic && draft.key != KeyLocation::None;
    draft.default_model = said("default_model").or_else(|| said("model")).map(str::to_owned);
    for (id, model) in entry["models"].as_object().into_iter().flatten() {
        draft.models.push((id.clone(), model["context_length"].as_u64()));
    }
    for model in entry["models"].as_array().into_iter().flatten() {
        let id =
            model.as_str().or_else(|| ["id", "name", "model"].iter().find_map(|key| model[*key].as_str()));
        draft.models.extend(id.map(|id| (id.to_owned(), model["context_length"].as_u64())));
    }
    for (header, value) in entry["extra_headers"].as_object().into_iter().flatten() {
        value.as_str().into_iter().for_each(|value| draft.header(header, value));
    }
    draft
}
