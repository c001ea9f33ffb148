//! `providers show`: one provider.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::Value as Json;
use shims::{Protocol, quote};

use super::{agents, find, hints, key_words, launch_command, list};
use crate::catalog::Catalog;
use crate::cli::providers::ProvidersShowArgs;
use crate::config::Loaded;
use crate::env::Environment;
use crate::ui::{Screen, format, output};

/// Runs the command.
pub fn run(words: &ProvidersShowArgs, loaded: &Loaded, env: &Environment) -> Result<ExitCode> {
    let name = words.provider.as_str();
    let provider = find(name, &loaded.config)?;
    let dirs = env.dirs()?;
    let known = Catalog::open(&dirs, env, loaded.config.models_ttl).known(name, provider);
    let models = known.ids();
    let hints = hints::about(provider);
    if words.json {
        let mut object = list::object(name, provider, &models, env);
        object["hints"] = hints.iter().map(|(_, hint)| Json::from(*hint)).collect();
        return output::json(&object);
    }
    let line = loaded.locate(&["providers", name]).unwrap_or_default();
    let mut rows = vec![("provider", format!("{name}  ({}:{line})", loaded.path.display()))];
    rows.extend(Protocol::ALL.into_iter().filter(|protocol| provider.protocols.contains(protocol)).map(
        |protocol| {
            ("protocols", format!("{protocol} at {}", provider.base_url(protocol).unwrap_or_default()))
        },
    ));
    let fits = agents(provider);
    rows.extend(fits.iter().map(|(agent, protocol)| {
        (
            "agents",
            format!(
                "{} over {protocol}: `{}`",
                agent.title(),
                launch_command(name, provider, *agent, &models)
            ),
        )
    }));
    if fits.is_empty() {
        rows.push(("agents", "none".to_owned()));
    }
    rows.push(("key", key_words(provider, env)));
    if let Some(model) = &provider.default_model {
        rows.push(("model", format!("{model}, unless a launch names another")));
    } else if models.len() > 1 {
        rows.push(("model", "no default_model is set: name one with --model".to_owned()));
    }
    let age = known.age.map_or_else(String::new, |age| format!(", from a list {} old", format::age(age)));
    rows.push((
        "models",
        format!("{} known{age}: `agent-run models list {}`", models.len(), quote(name.as_ref())),
    ));
    rows.extend(hints.iter().map(|(_, hint)| ("note", (*hint).to_owned())));
    let screen = Screen::stdout();
    output::write(|out| {
        let mut above = "";
        rows.iter().try_for_each(|(what, text)| {
            let label = if *what == above { "" } else { what };
            above = what;
            writeln!(out, "{}", screen.line(&format!("{label:<9}  {text}"), 11))
        })
    })
}
