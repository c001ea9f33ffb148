//! `providers presets`: the providers that are known without a config.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Value as Json, json};
use shims::Message;

use super::agents;
use crate::cli::providers::ProvidersPresetsArgs;
use crate::env::Environment;
use crate::presets::{self, Preset};
use crate::ui::table::{self, Column, text};
use crate::ui::{Screen, output, pager};

const COLUMNS: [Column; 4] =
    [text("preset"), text("title").left_out(2), text("agents").left_out(1), text("key")];

/// Runs the command.
///
/// # Errors
/// When no preset has the text.
pub fn run(words: &ProvidersPresetsArgs, env: &Environment) -> Result<ExitCode> {
    let mut found = presets::all()?;
    if let Some(text) = &words.text {
        let text = text.to_lowercase();
        found.retain(|preset| searched(preset).contains(&text));
        if found.is_empty() {
            bail!(Message::new(
                format!("no preset contains `{text}`"),
                "`agent-run providers presets` lists all of them"
            ));
        }
    }
    if words.json {
        let list: Json = found.iter().map(object).collect();
        return output::json(&list);
    }
    let screen = Screen::stdout();
    // People's lines may be broken after a comma.
    let comma = if screen.is_terminal() { ", " } else { "," };
    let rows: Vec<_> = found.iter().map(|preset| row(preset, comma)).collect();
    if !screen.is_terminal() {
        return output::write(|out| table::separated(out, &rows));
    }
    let mut text = table::aligned(&COLUMNS, &rows, screen);
    // Of a few more can be said than fits a table.
    for preset in found.iter().filter(|preset| found.len() < 8 && !preset.note.is_empty()) {
        let note = screen.line(&format!("{}: {}", preset.name, preset.note), 0);
        text.extend(["\n", &note, "\n"]);
    }
    let end = format!("As of {}. Add one: `agent-run providers add PRESET`", presets::DAY);
    pager::show(&(text + "\n" + &screen.line(&end, 0) + "\n"), false, env)
}

fn row(preset: &Preset, comma: &str) -> Vec<String> {
    let agents: Vec<_> = agents(&preset.provider).into_iter().map(|(agent, _)| agent.name()).collect();
    vec![
        preset.name.clone(),
        preset.title.clone(),
        agents.join(comma),
        preset.key_variable().unwrap_or("none").to_owned(),
    ]
}

/// Everything in which a text is looked for.
fn searched(preset: &Preset) -> String {
    let urls = preset.provider.base_urls.all();
    let protocols = preset.provider.protocols.iter().map(|protocol| protocol.name());
    let words = [preset.name.as_str(), &preset.title, &preset.note].into_iter().chain(urls).chain(protocols);
    let words = words.chain(preset.provider.default_model.as_deref());
    words.collect::<Vec<_>>().join(" ").to_lowercase()
}

fn object(preset: &Preset) -> Json {
    let Preset { name, title, note, provider, .. } = preset;
    json!({
        "name": name,
        "title": title,
        "note": note,
        "as_of": presets::DAY,
        "protocols": provider.protocols,
        "base_urls": provider.base_urls,
        "key_env": provider.key_env,
        "example_model": provider.default_model,
    })
}
