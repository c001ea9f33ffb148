//! The providers that are known without a config: `providers presets`, and the question which of them to add.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Value as Json, json};
use shims::Message;

use super::agents;
use crate::cli::providers::ProvidersPresetsArgs;
use crate::config;
use crate::env::Environment;
use crate::key::shape;
use crate::presets::{self, Preset};
use crate::suggest::{self, join_or};
use crate::ui::log::say;
use crate::ui::table::{self, Column, text};
use crate::ui::{Screen, output, pager, prompt};

const COLUMNS: [Column; 4] =
    [text("preset"), text("title").left_out(2), text("agents").left_out(1), text("key")];

/// Runs the command.
pub fn run(words: &ProvidersPresetsArgs, env: &Environment) -> Result<ExitCode> {
    let mut found = presets::all()?;
    if let Some(text) = &words.text {
        let text = text.to_lowercase();
        found.retain(|preset| searched(preset).contains(&text));
        if found.is_empty() {
            let help = "`agent-run providers presets` lists all of them";
            bail!(Message::new(format!("no preset contains `{text}`"), help));
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

/// Asks which provider to add; those whose key is in the environment come first.
pub fn ask_preset(env: &Environment) -> Result<String> {
    let all = presets::all()?;
    let has_key = |preset: &&Preset| preset.key_variable().is_some_and(|name| env.var(name).is_some());
    let ready: Vec<_> = all.iter().filter(has_key).map(|preset| preset.name.as_str()).collect();
    if !ready.is_empty() {
        say(&format!("Keys found in the environment: {}.\n", suggest::join_limited(&ready, 6)));
    }
    let usual = ready.first().copied();
    say(
        "Name a known provider, such as deepseek or ollama (? lists all). Any other name works too, if you know the base \
         URL.\n",
    );
    let shown = usual.map_or_else(|| " (Enter stops)".to_owned(), |usual| format!(" [{usual}]"));
    for _ in 0..5 {
        let answer = prompt::ask(&format!("Which provider?{shown} "))?;
        match (answer.as_str(), usual) {
            ("", Some(usual)) => return Ok(usual.to_owned()),
            ("", None) => bail!(prompt::STOPPED),
            ("?", _) => {
                let names: Vec<_> = all.iter().map(|preset| preset.name.as_str()).collect();
                say(&(names.join(", ") + "\n"));
            }
            (name, _) if presets::is_known(name) => return Ok(name.to_owned()),
            (name, _) if shape::is_like_key(name) => say(prompt::TOO_EARLY),
            (name, _) if config::new_name_fault(name).is_some() => {
                say("A name has letters, digits, `-`, `_` and `.`; a URL is asked for next. Ctrl-C stops.\n");
            }
            (name, _) => match presets::near(name)?.as_slice() {
                [] => return Ok(name.to_owned()),
                _ if let Some(meant) = ask_meant(name)? => return Ok(meant),
                near => say(&format!("No known provider has that name. Did you mean {}?\n", join_or(near))),
            },
        }
    }
    bail!(prompt::STOPPED)
}

/// Where the name is like a known provider's: which of both is meant, as the user says.
pub fn ask_meant(name: &str) -> Result<Option<String>> {
    let all = presets::all()?;
    let typo = suggest::typo(name, all.iter().map(Preset::name));
    let Some(near) = typo.filter(|_| !presets::is_known(name)) else { return Ok(None) };
    let is_meant = prompt::agrees(&format!("No known provider is named {name}. Did you mean {near}?"))?;
    Ok(Some(if is_meant { near } else { name }.to_owned()))
}
