//! `providers list`: the providers of the config.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value as Json, json};
use shims::Message;

use super::{agents, key_place, key_words};
use crate::catalog::Catalog;
use crate::cli::providers::ProvidersListArgs;
use crate::config::{Loaded, Provider};
use crate::env::Environment;
use crate::ui::table::{self, Column, number, text};
use crate::ui::{self, Screen, output};

const COLUMNS: [Column; 6] = [
    text("name"),
    text("protocols").left_out(3),
    text("agents").left_out(2),
    text("default model").left_out(1),
    number("models").left_out(4),
    text("key"),
];

/// Runs the command.
pub fn run(words: &ProvidersListArgs, loaded: &Loaded, env: &Environment) -> Result<ExitCode> {
    let dirs = env.dirs()?;
    let catalog = Catalog::open(&dirs, env, loaded.config.models_ttl);
    let known = |name: &str, provider: &Provider| catalog.known(name, provider).ids();
    let providers = &loaded.config.providers;
    if words.json {
        let list: Json = providers
            .iter()
            .map(|(name, provider)| object(name, provider, &known(name, provider), env))
            .collect();
        return output::json(&list);
    }
    let screen = Screen::stdout();
    // People's lines may be broken after a comma.
    let comma = if screen.is_terminal() { ", " } else { "," };
    let row = |(name, provider): (&String, &Provider)| {
        let protocols = provider.protocols.iter().map(|protocol| protocol.name());
        let agents = agents(provider).into_iter().map(|(agent, _)| agent.name());
        vec![
            name.clone(),
            protocols.collect::<Vec<_>>().join(comma),
            agents.collect::<Vec<_>>().join(comma),
            provider.default_model.clone().unwrap_or_default(),
            known(name, provider).len().to_string(),
            key_words(provider, env),
        ]
    };
    if providers.is_empty() {
        let help = "add one with `agent-run providers add`";
        ui::log::warn(Message::new("the config has no providers yet", help));
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<_> = providers.iter().map(row).collect();
    if screen.is_terminal() {
        return output::whole(&table::aligned(&COLUMNS, &rows, screen));
    }
    output::write(|out| table::separated(out, &rows))
}

/// A provider for programs.
pub fn object(name: &str, provider: &Provider, models: &[String], env: &Environment) -> Json {
    let agents: serde_json::Map<_, _> = agents(provider)
        .into_iter()
        .map(|(agent, protocol)| (agent.name().to_owned(), protocol.name().into()))
        .collect();
    let key = key_place(provider).map(|(kind, place)| {
        let is_set = (kind == "key_env").then(|| env.var(&place).is_some());
        json!({ "kind": kind, "place": place, "is_set": is_set })
    });
    json!({
        "name": name,
        "protocols": provider.protocols,
        "base_urls": provider.base_urls,
        "agents": agents,
        "default_model": provider.default_model,
        "models": models,
        "key": key,
    })
}
