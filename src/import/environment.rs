//! The environment: which known providers' keys it holds, and base URLs that agents and SDKs listen to.

use std::ffi::OsStr;
use std::rc::Rc;

use anyhow::Result;
use shims::Protocol;

use super::draft::{ImportedProvider, KeyLocation};
use super::{ImportScan, names};
use crate::env::Environment;
use crate::presets::{self, Preset};

/// Base URLs and the keys that go with them: those of Claude Code and of OpenAI's SDKs.
const BASES: [(&str, &[&str], Protocol); 2] = [
    ("ANTHROPIC_BASE_URL", &["ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY"], Protocol::Anthropic),
    ("OPENAI_BASE_URL", &["OPENAI_API_KEY"], Protocol::OpenaiChatCompletions),
];

pub fn find(found: &mut ImportScan, env: &Environment) -> Result<()> {
    found.looked_at.push("the environment".to_owned());
    let mut used = Vec::new();
    for (base, keys, protocol) in BASES {
        let Some(url) = env.var(base).and_then(OsStr::to_str) else { continue };
        let key = keys.iter().find(|key| env.var(key).is_some());
        let from = key.map_or_else(|| base.to_owned(), |key| format!("{base} and {key}"));
        let mut draft = ImportedProvider { name: names::of_host(url), from, ..ImportedProvider::default() };
        draft.serve(protocol, url);
        if let Some(key) = key {
            draft.key = KeyLocation::Variable((*key).to_owned());
            draft.anthropic_use_api_key = *key == "ANTHROPIC_API_KEY";
            // With a base URL of its own it is not the key of the provider that it is named after.
            used.push(*key);
        }
        found.take(draft);
    }
    let set = |name: &&str| env.var(name).is_some() && !used.contains(name);
    let mut drafts: Vec<ImportedProvider> = Vec::new();
    for preset in presets::all()? {
        let Some(variable) = preset.key_variable().filter(set).map(str::to_owned) else { continue };
        let key = KeyLocation::Variable(variable.clone());
        match drafts.iter_mut().find(|there| there.key == key) {
            // Such as a plan at an address of its own: which of them the key is for, only its owner knows.
            Some(there) => there.notes.push(format!("The key may belong to {} instead.", preset.name)),
            None => drafts.push(draft(preset, &variable)),
        }
    }
    for draft in drafts {
        found.take(draft);
    }
    Ok(())
}

fn draft(preset: Preset, variable: &str) -> ImportedProvider {
    let url = |protocol| preset.provider.base_url(protocol).map(str::to_owned);
    let blanks = preset.blanks();
    let fill_in = (!blanks.is_empty()).then(|| format!("Fill in {}.", blanks.join(" and ")));
    ImportedProvider {
        name: preset.name.clone(),
        from: format!("the variable {variable} and the preset of {}", preset.name),
        protocols: preset.provider.protocols.clone(),
        openai: url(Protocol::OpenaiResponses),
        anthropic: url(Protocol::Anthropic),
        key: KeyLocation::Variable(variable.to_owned()),
        notes: fill_in.into_iter().collect(),
        preset: Some(Rc::new(preset)),
        ..ImportedProvider::default()
    }
}
