//! The environment: which known providers' keys it holds, and base URLs that agents and SDKs listen to.

use std::ffi::OsStr;
use std::path::Path;

use anyhow::Result;
use shims::Protocol;

use super::draft::{Draft, Kept};
use super::{Found, names};
use crate::config::{KNOWN, Provider, parse};
use crate::env::Environment;

/// Base URLs and the keys that go with them: those of Claude Code and of OpenAI's SDKs.
const BASES: [(&str, &[&str], Protocol); 2] = [
    ("ANTHROPIC_BASE_URL", &["ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY"], Protocol::Anthropic),
    ("OPENAI_BASE_URL", &["OPENAI_API_KEY"], Protocol::OpenaiChatCompletions),
];

pub fn find(found: &mut Found, env: &Environment) -> Result<()> {
    found.looked_at.push("the environment".to_owned());
    let mut used = Vec::new();
    for (base, keys, protocol) in BASES {
        let Some(url) = env.var(base).and_then(OsStr::to_str) else { continue };
        let key = keys.iter().find(|key| env.var(key).is_some());
        let from = key.map_or_else(|| base.to_owned(), |key| format!("{base} and {key}"));
        let mut draft = Draft { name: names::of_host(url), from, ..Draft::default() };
        draft.serve(protocol, url);
        if let Some(key) = key {
            draft.key = Kept::Variable((*key).to_owned());
            draft.anthropic_use_api_key = *key == "ANTHROPIC_API_KEY";
            // With a base URL of its own it is not the key of the provider that it is named after.
            used.push(*key);
        }
        found.take(draft);
    }
    for (name, provider) in parse(KNOWN.to_owned(), Path::new("known providers"))?.config.providers {
        let variable = provider.key_env.as_deref();
        if let Some(variable) = variable.filter(|name| env.var(name).is_some() && !used.contains(name)) {
            found.take(draft(&name, &provider, variable));
        }
    }
    Ok(())
}

fn draft(name: &str, provider: &Provider, variable: &str) -> Draft {
    let url = |protocol| provider.base_url(protocol).map(str::to_owned);
    Draft {
        name: name.to_owned(),
        from: format!("the variable {variable} and what is known of {name}"),
        protocols: provider.protocols.clone(),
        openai: url(Protocol::OpenaiResponses),
        anthropic: url(Protocol::Anthropic),
        key: Kept::Variable(variable.to_owned()),
        anthropic_use_api_key: provider.anthropic_use_api_key,
        default_model: provider.default_model.clone(),
        ..Draft::default()
    }
}
