//! Crush's `crush.json` files, the later over the earlier (layers and keys as of 0.90).

use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value as Json};
use shims::Protocol;

use super::ImportScan;
use super::draft::{ImportedProvider, KeyLocation};
use crate::env::Environment;
use crate::key::shape::is_name;

pub fn find(found: &mut ImportScan, file: Option<&Path>, env: &Environment) -> Result<()> {
    let dirs = env.dirs()?;
    let moved = |variable: &str, default: std::path::PathBuf| env.var(variable).map_or(default, Into::into);
    let mut files = vec![
        std::path::PathBuf::from("/etc/crush/crush.json"),
        moved("CRUSH_GLOBAL_CONFIG", dirs.config.join("crush")).join("crush.json"),
        moved("CRUSH_GLOBAL_DATA", dirs.data.join("crush")).join("crush.json"),
    ];
    files.extend(["crush.json", ".crush.json"].map(|name| dirs.cwd.join(name)));
    if let Some(file) = file {
        files = vec![file.to_owned()];
    }
    let (mut all, mut from) = (Json::Null, Vec::new());
    for path in files {
        if let Some(layer) = found.json(&path)? {
            for id in layer["providers"].as_object().into_iter().flatten().map(|(id, _)| id) {
                from.push((id.clone(), path.display().to_string()));
            }
            overlay(&mut all, layer);
        }
    }
    for (id, provider) in all["providers"].as_object().into_iter().flatten() {
        let files: Vec<_> = from.iter().filter(|(of, _)| of == id).map(|(_, file)| file.as_str()).collect();
        let from = format!("{} providers.{id}", files.join(" and "));
        match draft(id, provider, &all["models"]["large"], &from) {
            Ok(draft) => found.take(draft),
            Err(why) => found.skipped.push(format!("{from}: {why}")),
        }
    }
    Ok(())
}

/// Crush's merge: maps go into each other, lists are joined, all else is replaced, and `null` says nothing.
fn overlay(base: &mut Json, layer: Json) {
    match (base, layer) {
        (Json::Object(base), Json::Object(layer)) => {
            layer.into_iter().for_each(|(key, value)| overlay(base.entry(key).or_insert(Json::Null), value));
        }
        (Json::Array(base), Json::Array(layer)) => base.extend(layer),
        (_, Json::Null) => {}
        (base, layer) => *base = layer,
    }
}

fn draft(id: &str, provider: &Json, large: &Json, from: &str) -> Result<ImportedProvider, String> {
    let said = |key: &str| provider[key].as_str().filter(|text| !text.is_empty());
    if provider["disable"] == true {
        return Err("it is disabled".to_owned());
    }
    let url = said("base_url").ok_or("it is built into Crush and has no base URL")?;
    if url.contains('$') {
        return Err("its base URL is not literal".to_owned());
    }
    let mut draft =
        ImportedProvider { name: id.to_owned(), from: from.to_owned(), ..ImportedProvider::default() };
    let protocols: &[Protocol] = match said("type").unwrap_or("openai-compat") {
        "anthropic" => &[Protocol::Anthropic],
        "openai" => &[Protocol::OpenaiResponses, Protocol::OpenaiChatCompletions],
        "openai-compat" | "litellm" | "llamacpp" | "lmstudio" | "ollama" | "omlx" => {
            &[Protocol::OpenaiChatCompletions]
        }
        other => return Err(format!("its type `{other}` is not supported")),
    };
    for &protocol in protocols {
        draft.serve(protocol, url);
    }
    let key = said("api_key").map(|key| key.strip_prefix("Bearer ").unwrap_or(key));
    let bearer = said("api_key").is_some_and(|key| key.starts_with("Bearer "));
    draft.anthropic_use_api_key = protocols == [Protocol::Anthropic] && key.is_some() && !bearer;
    draft.key = key.map_or(KeyLocation::None, |key| kept(key, from));
    for (name, value) in provider["extra_headers"].as_object().unwrap_or(&Map::new()) {
        match (value.as_str(), value.as_str().and_then(variable)) {
            (_, Some(variable)) => _ = draft.headers.insert(name.clone(), format!("${{env:{variable}}}")),
            (Some(value), None) if value.contains('$') => {
                draft.notes.push(format!("The header {name} is not literal, and was omitted."));
            }
            (value, None) => value.into_iter().for_each(|value| draft.header(name, value)),
        }
    }
    for model in provider["models"].as_array().into_iter().flatten() {
        let context = model["context_window"].as_u64().filter(|tokens| *tokens > 0);
        let known = |id: &str| draft.models.iter().any(|(there, _)| there == id);
        if let Some(id) = model["id"].as_str().filter(|id| !known(id)) {
            draft.models.push((id.to_owned(), context));
        }
    }
    if large["provider"] == id {
        draft.default_model = large["model"].as_str().map(str::to_owned);
    }
    Ok(draft)
}

/// A value that the shell would expand: a variable, a command, or the key itself.
fn kept(value: &str, from: &str) -> KeyLocation {
    if let Some(name) = variable(value) {
        return KeyLocation::Variable(name.to_owned());
    }
    match value.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')')) {
        Some(script) => KeyLocation::Command(["sh", "-c", script].map(str::to_owned).to_vec()),
        None => KeyLocation::literal(value, format!("{from}.api_key")),
    }
}

/// The variable that `$NAME`, `${NAME}` or `${NAME:-…}` names.
pub fn variable(value: &str) -> Option<&str> {
    let name = value.strip_prefix('$')?;
    let name = match name.strip_prefix('{') {
        Some(braced) => braced.strip_suffix('}')?.split(':').next()?,
        None => name,
    };
    is_name(name).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_known_in_each_of_their_forms() {
        let named = ["$A_1", "${A}", "${A:-x}", "$", "${}", "A", "$(a)", "$1", "$A/b"].map(variable);
        assert_eq!(named, [Some("A_1"), Some("A"), Some("A"), None, None, None, None, None, None]);
    }
}
