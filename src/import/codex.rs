//! Codex' `config.toml`: its `model_providers` (keys as of 0.169).

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use shims::{Message, Protocol};
use toml::{Table, Value as Toml};

use super::draft::{ImportedProvider, KeyLocation};
use super::{ImportScan, folder, jq, names};
use crate::env::Environment;

pub fn find(found: &mut ImportScan, file: Option<&Path>, env: &Environment) -> Result<()> {
    let home = match file {
        Some(file) => file.parent().unwrap_or(Path::new("")).to_owned(),
        None => folder(env, "CODEX_HOME", ".codex")?,
    };
    let path = file.map_or_else(|| home.join("config.toml"), Path::to_owned);
    let help = match file {
        Some(_) => "name a config.toml of Codex, or the tool that the file is of",
        None => "run `codex` to see its error",
    };
    find_in(found, &path, &home, help)?;
    if file.is_none() {
        // Profiles in files of their own: what they say lies over config.toml.
        for path in profiles(&home) {
            find_in(found, &path, &home, help)?;
        }
    }
    Ok(())
}

/// The files of profiles, `NAME.config.toml` (seen in 0.171), by name.
fn profiles(home: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(home).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_profile = |path: &PathBuf| path.to_str().is_some_and(|path| path.ends_with(".config.toml"));
    let mut files: Vec<_> = entries.filter(is_profile).collect();
    files.sort();
    files
}

/// Takes the providers of one file.
fn find_in(found: &mut ImportScan, path: &Path, home: &Path, help: &str) -> Result<()> {
    let Some(text) = found.read(path)? else { return Ok(()) };
    let shown = path.display().to_string();
    let Some(table) = table(&text) else {
        bail!(Message::new(format!("could not read {shown}: not TOML, so no config of Codex"), help));
    };
    let own_url = table.get("openai_base_url").and_then(Toml::as_str).filter(|url| !url.is_empty());
    let wants_auth = own_url.is_some() || providers(&table).any(|(_, provider)| wants_auth(provider));
    let login = if wants_auth { login(found, &home.join("auth.json"))? } else { None };
    for draft in drafts(&table, &shown, login.as_ref()) {
        found.take(draft);
    }
    if let Some(url) = own_url {
        // Codex' own provider at another address, with the key of its login.
        let mut draft =
            ImportedProvider { from: format!("{shown} openai_base_url"), ..ImportedProvider::default() };
        draft.serve(Protocol::OpenaiResponses, url);
        draft.name = names::of_host(url);
        draft.key = login.unwrap_or_else(|| KeyLocation::Variable("OPENAI_API_KEY".to_owned()));
        let is_own = table.get("model_provider").and_then(Toml::as_str).is_none_or(|id| id == "openai");
        let model = table.get("model").filter(|_| is_own).and_then(Toml::as_str);
        draft.default_model = model.map(str::to_owned);
        found.take(draft);
    }
    Ok(())
}

/// The key of Codex' own login.
fn login(found: &mut ImportScan, path: &Path) -> Result<Option<KeyLocation>> {
    let Some(auth) = found.json(path)? else { return Ok(None) };
    Ok(auth["OPENAI_API_KEY"].as_str().map(|key| KeyLocation::Literal {
        key: key.to_owned(),
        place: format!("{} as OPENAI_API_KEY", path.display()),
        command: Some(jq(".OPENAI_API_KEY", path)),
    }))
}

/// The text as TOML, or nothing: TOML's own errors quote lines, where a key can stand.
pub fn table(text: &str) -> Option<Table> {
    text.trim_start_matches('\u{feff}').parse().ok()
}

fn providers(table: &Table) -> impl Iterator<Item = (&String, &Table)> {
    let providers = table.get("model_providers").and_then(Toml::as_table).into_iter().flatten();
    providers.filter_map(|(id, provider)| Some((id, provider.as_table()?)))
}

fn wants_auth(provider: &Table) -> bool {
    provider.get("requires_openai_auth").and_then(Toml::as_bool) == Some(true)
}

/// The providers of a `config.toml`; `login` is the key of Codex' own login.
pub fn drafts(table: &Table, place: &str, login: Option<&KeyLocation>) -> Vec<ImportedProvider> {
    let drafts = providers(table).map(|(id, provider)| {
        let said = |key: &str| provider.get(key).and_then(Toml::as_str).filter(|text| !text.is_empty());
        let from = format!("{place} [model_providers.{id}]");
        let mut draft = ImportedProvider { name: id.clone(), from, ..ImportedProvider::default() };
        let protocol = match said("wire_api") {
            Some("chat") => Protocol::OpenaiChatCompletions,
            _ => Protocol::OpenaiResponses,
        };
        if let Some(url) = said("base_url") {
            draft.serve(protocol, url);
        }
        let command_of = |auth: &Toml| {
            let mut argv = vec![auth.get("command")?.as_str()?.to_owned()];
            let words = auth.get("args").and_then(Toml::as_array).into_iter().flatten();
            argv.extend(words.filter_map(|word| word.as_str().map(str::to_owned)));
            Some(argv)
        };
        draft.key = if let Some(variable) = said("env_key") {
            KeyLocation::Variable(variable.to_owned())
        } else if let Some(argv) = provider.get("auth").and_then(command_of) {
            KeyLocation::Command(argv)
        } else if let Some(key) = said("experimental_bearer_token") {
            KeyLocation::literal(key, format!("{} as experimental_bearer_token", draft.from))
        } else if let Some(login) = login.filter(|_| wants_auth(provider)) {
            login.clone()
        } else {
            if wants_auth(provider) {
                draft
                    .notes
                    .push("It uses Codex's own login, which cannot be imported: add a key.".to_owned());
            }
            KeyLocation::None
        };
        let map = |key: &str| provider.get(key).and_then(Toml::as_table).into_iter().flatten();
        for (name, value) in map("http_headers") {
            value.as_str().into_iter().for_each(|value| draft.header(name, value));
        }
        for (name, variable) in map("env_http_headers") {
            let value = variable.as_str().map(|variable| format!("${{env:{variable}}}"));
            draft.headers.extend(value.map(|value| (name.clone(), value)));
        }
        if provider.get("query_params").is_some() {
            draft
                .notes
                .push("Its `query_params` are not supported: the provider may refuse requests.".to_owned());
        }
        draft.default_model = model_of(table, id);
        draft
    });
    drafts.collect()
}

/// The model that is used with a provider: at the top, or in a profile.
fn model_of(table: &Table, id: &str) -> Option<String> {
    let profiles = table.get("profiles").and_then(Toml::as_table).into_iter().flatten();
    let profiles = profiles.filter_map(|(_, profile)| profile.as_table());
    std::iter::once(table).chain(profiles).find_map(|at| {
        let here = at.get("model_provider").and_then(Toml::as_str) == Some(id);
        at.get("model").filter(|_| here)?.as_str().map(str::to_owned)
    })
}
