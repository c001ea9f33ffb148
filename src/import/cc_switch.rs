//! cc-switch: `~/.cc-switch/cc-switch.db`, or the `config.json` that it replaced (read off the source of
//! farion1231/cc-switch, schema 16).
//!
//! The database is read by the program `sqlite3`, read-only; a library for it would be larger than all
//! else here.

use shims::Message;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value as Json;
use shims::Protocol;

use super::draft::{Draft, Kept};
use super::{Found, claude, codex, hermes};
use crate::env::Environment;

/// One provider of one app of cc-switch.
struct Entry {
    app: String,
    name: String,
    settings: Json,
    meta: Json,
}

pub fn find(found: &mut Found, env: &Environment) -> Result<()> {
    let folder = env.dirs()?.home.join(".cc-switch");
    let database = folder.join("cc-switch.db");
    let (path, entries) = if database.exists() {
        found.looked_at.push(database.display().to_string());
        (database.clone(), from_database(&database)?)
    } else {
        let path = folder.join("config.json");
        let Some(config) = found.json(&path)? else { return Ok(()) };
        (path, from_json(&config))
    };
    for Entry { app, name, settings, meta } in entries {
        let from = format!("cc-switch's {app} provider {name} in {}", path.display());
        let draft = match app.as_str() {
            "claude" => of_claude(&settings, &meta, &from),
            "codex" => of_codex(&settings, &from),
            "hermes" => Some(hermes::draft(&name, &settings, &from)),
            _ => None,
        };
        match draft {
            Some(draft) => found.take(Draft { name, from, ..draft }),
            None => found.skipped.push(format!("{from}: it cannot be read as a provider")),
        }
    }
    Ok(())
}

fn of_claude(settings: &Json, meta: &Json, from: &str) -> Option<Draft> {
    let mut draft = claude::of_settings(settings, from, |_| None);
    let protocol = match meta["apiFormat"].as_str() {
        None | Some("anthropic") => return Some(draft),
        Some("openai_chat") => Protocol::OpenaiChatCompletions,
        Some("openai_responses") => Protocol::OpenaiResponses,
        Some(_) => return None,
    };
    // cc-switch's proxy translates for such a provider; what is behind speaks OpenAI's protocols.
    draft.protocols.clear();
    draft.anthropic = None;
    if let Some(url) = settings["env"]["ANTHROPIC_BASE_URL"].as_str().filter(|url| !url.is_empty()) {
        draft.serve(protocol, url);
        draft.notes.push("See that its URL has the version segment, as in `/v1`.".to_owned());
    }
    draft.anthropic_use_api_key = false;
    Some(draft)
}

fn of_codex(settings: &Json, from: &str) -> Option<Draft> {
    let table = codex::table(settings["config"].as_str()?)?;
    let chosen = table.get("model_provider").and_then(|id| id.as_str()).map(str::to_owned);
    let drafts = codex::drafts(&table, Some(&settings["auth"]), from, from, None);
    let mut draft = drafts.into_iter().find(|draft| chosen.as_ref().is_none_or(|id| draft.name == *id))?;
    // Some providers of its hold a key in `auth` although they do not ask for Codex' login.
    if let (Kept::Nowhere, Some(key)) = (&draft.key, settings["auth"]["OPENAI_API_KEY"].as_str()) {
        let place = format!("{from} as OPENAI_API_KEY");
        draft.key = Kept::Literal { key: key.to_owned(), place, command: None };
        draft.notes.clear();
    }
    Some(draft)
}

fn from_json(config: &Json) -> Vec<Entry> {
    let apps = config.as_object().into_iter().flatten();
    let entry = |app: &str, provider: &Json| Entry {
        app: app.to_owned(),
        name: provider["name"].as_str().unwrap_or_default().to_owned(),
        settings: provider["settingsConfig"].clone(),
        meta: provider["meta"].clone(),
    };
    apps.flat_map(|(app, manager)| {
        let providers = manager["providers"].as_object().into_iter().flatten();
        providers.map(move |(_, provider)| entry(app, provider))
    })
    .collect()
}

fn from_database(path: &Path) -> Result<Vec<Entry>> {
    let shown = path.display();
    let query =
        "SELECT app_type, name, settings_config, meta FROM providers ORDER BY app_type, sort_index, id";
    // `-init` keeps the user's own `.sqliterc` from changing the output.
    let output = Command::new("sqlite3")
        .args(["-batch", "-init", "/dev/null", "-readonly", "-json"])
        .arg(path)
        .arg(query)
        .stdin(Stdio::null())
        .output();
    let output = match output {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => bail!(Message::new(
            format!("could not read {shown}: that takes the program sqlite3, which is not on PATH"),
            "install sqlite3 \
             and run this again"
        )),
        output => output.with_context(|| format!("could not run sqlite3 on {shown}"))?,
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(Message::new(
            format!("could not read {shown}: {}", said.trim()),
            "close cc-switch and run this again"
        ));
    }
    if output.stdout.iter().all(u8::is_ascii_whitespace) {
        return Ok(Vec::new());
    }
    let rows: Vec<Json> = serde_json::from_slice(&output.stdout).map_err(|_| {
        anyhow::anyhow!(Message::new(
            format!("could not read {shown}: sqlite3 gave no JSON"),
            "it takes sqlite3 3.33"
        ))
    })?;
    let text = |row: &Json, column: &str| row[column].as_str().unwrap_or_default().to_owned();
    let json = |row: &Json, column: &str| serde_json::from_str(&text(row, column)).unwrap_or_default();
    let entry = |row: &Json| Entry {
        app: text(row, "app_type"),
        name: text(row, "name"),
        settings: json(row, "settings_config"),
        meta: json(row, "meta"),
    };
    Ok(rows.iter().map(entry).collect())
}
