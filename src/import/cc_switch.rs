//! cc-switch: `~/.cc-switch/cc-switch.db`, or the `config.json` that it replaced (read off the source of
//! farion1231/cc-switch, schema 16).
//!
//! The database is read by the program `sqlite3`, read-only; a library for it would be larger than all
//! else here.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, anyhow};
use serde_json::Value as Json;
use shims::{Message, Protocol};

use super::draft::{ImportedProvider, KeyLocation};
use super::{ImportScan, claude, codex, hermes};
use crate::env::Environment;

/// One provider of one app of cc-switch.
struct CcSwitchEntry {
    app: String,
    name: String,
    settings: Json,
    meta: Json,
}

pub fn find(found: &mut ImportScan, file: Option<&Path>, env: &Environment) -> Result<()> {
    let folder = env.dirs()?.home.join(".cc-switch");
    let database = folder.join("cc-switch.db");
    let path = match file {
        Some(file) => file.to_owned(),
        None if database.exists() => database,
        None => folder.join("config.json"),
    };
    let is_of_type = |end: &str| path.extension().is_some_and(|it| it.eq_ignore_ascii_case(end));
    let entries = if is_of_type("json") {
        let Some(config) = found.json(&path)? else { return Ok(()) };
        from_json(&config)
    } else if is_of_type("sql") {
        let Some(export) = found.read(&path)? else { return Ok(()) };
        from_export(&path, &export)?
    } else {
        found.looked_at.push(path.display().to_string());
        from_database(&path)?
    };
    for CcSwitchEntry { app, name, settings, meta } in entries {
        let from = format!("cc-switch's {app} provider {name} in {}", path.display());
        if is_managed(&settings, &meta) {
            found.skipped.push(format!("{from}: it uses a cc-switch account, which cannot be imported"));
            continue;
        }
        let draft = match app.as_str() {
            "claude" => of_claude(&settings, &meta, &from),
            "codex" => of_codex(&settings, &meta, &from),
            "hermes" => Some(hermes::draft(&name, &settings, &from)),
            _ => None,
        };
        match draft {
            Some(mut draft) => {
                take_headers(&mut draft, &meta);
                found.take(ImportedProvider { name, from, ..draft });
            }
            None => found.skipped.push(format!("{from}: it cannot be read as a provider")),
        }
    }
    Ok(())
}

/// Whether it signs in by an account instead of a key: GitHub Copilot and the like.
fn is_managed(settings: &Json, meta: &Json) -> bool {
    let url = settings["env"]["ANTHROPIC_BASE_URL"].as_str().unwrap_or_default();
    matches!(meta["providerType"].as_str(), Some("github_copilot" | "codex_oauth"))
        || meta["authBinding"]["source"] == "managed_account"
        || ["githubcopilot.com", "chatgpt.com/backend-api/codex"].iter().any(|part| url.contains(part))
}

/// What cc-switch's proxy adds to requests.
fn take_headers(draft: &mut ImportedProvider, meta: &Json) {
    let said = |key: &str| meta[key].as_str().map(str::trim).filter(|text| !text.is_empty());
    if let Some(agent) = said("customUserAgent") {
        draft.header("User-Agent", agent);
    }
    match said("apiKeyHeaderName") {
        Some(name) if name.eq_ignore_ascii_case("x-api-key") && draft.anthropic.is_some() => {
            draft.anthropic_use_api_key = true;
        }
        Some(name) if !name.eq_ignore_ascii_case("authorization") => {
            _ = draft.headers.insert(name.to_owned(), "${context:key}".to_owned());
        }
        _ => {}
    }
}

/// The protocol behind cc-switch's proxy: by the metadata, then the settings. `Err` for one that is not known.
fn format_of(settings: &Json, meta: &Json) -> Result<Option<Protocol>, ()> {
    let said = [&meta["apiFormat"], &settings["api_format"], &settings["apiFormat"]];
    match said.into_iter().find_map(Json::as_str).filter(|format| !format.is_empty()) {
        None => Ok(None),
        Some("anthropic") => Ok(Some(Protocol::Anthropic)),
        Some("openai_chat") => Ok(Some(Protocol::OpenaiChatCompletions)),
        Some("openai_responses") => Ok(Some(Protocol::OpenaiResponses)),
        Some(_) => Err(()),
    }
}

fn of_claude(settings: &Json, meta: &Json, from: &str) -> Option<ImportedProvider> {
    let mut draft = claude::of_settings(settings, from, |_| None);
    let protocol = match format_of(settings, meta).ok()? {
        None | Some(Protocol::Anthropic) => return Some(draft),
        Some(protocol) => protocol,
    };
    // cc-switch's proxy translates for such a provider; what is behind speaks OpenAI's protocols.
    draft.protocols.clear();
    draft.anthropic = None;
    if let Some(url) = settings["env"]["ANTHROPIC_BASE_URL"].as_str().filter(|url| !url.is_empty()) {
        draft.serve(protocol, url);
        draft.notes.push("Check that its URL has the version segment, such as `/v1`.".to_owned());
    }
    draft.anthropic_use_api_key = false;
    Some(draft)
}

fn of_codex(settings: &Json, meta: &Json, from: &str) -> Option<ImportedProvider> {
    let table = codex::table(settings["config"].as_str()?)?;
    let chosen = table.get("model_provider").and_then(|id| id.as_str()).map(str::to_owned);
    let login = settings["auth"]["OPENAI_API_KEY"].as_str();
    let login = login.map(|key| KeyLocation::literal(key, format!("{from} as OPENAI_API_KEY")));
    let drafts = codex::drafts(&table, from, login.as_ref());
    let mut draft = drafts.into_iter().find(|draft| chosen.as_ref().is_none_or(|id| draft.name == *id))?;
    // cc-switch leaves `wire_api` at Codex' one protocol and translates; then the URL tells.
    let url = draft.openai.take().or(draft.anthropic.take())?;
    let raw = table.get("model_providers").and_then(|all| all.get(&draft.name)?.get("base_url")?.as_str());
    let by_url = raw.unwrap_or_default().trim_end_matches('/').ends_with("/chat/completions");
    let declared = draft.protocols.first().copied().unwrap_or(Protocol::OpenaiResponses);
    let by_url = by_url.then_some(Protocol::OpenaiChatCompletions);
    let protocol = format_of(settings, meta).ok()?.or(by_url).unwrap_or(declared);
    draft.protocols.clear();
    draft.serve(protocol, &url);
    // Some providers of its hold a key in `auth` although they do not ask for Codex' login.
    if let (KeyLocation::None, Some(login)) = (&draft.key, login) {
        draft.key = login;
        draft.notes.clear();
    }
    Some(draft)
}

fn from_json(config: &Json) -> Vec<CcSwitchEntry> {
    let apps = config.as_object().into_iter().flatten();
    let entry = |app: &str, provider: &Json| CcSwitchEntry {
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

/// What is read of the database.
const QUERY: &str =
    "SELECT app_type, name, settings_config, meta FROM providers ORDER BY app_type, sort_index, id;";

fn from_database(path: &Path) -> Result<Vec<CcSwitchEntry>> {
    // `-init` keeps the user's own `.sqliterc` from changing the output.
    let mut sqlite = Command::new("sqlite3");
    sqlite.args(["-batch", "-init", "/dev/null", "-readonly", "-json"]).arg(path).arg(QUERY);
    entries(path, sqlite.stdin(Stdio::null()).output())
}

/// The providers of cc-switch's own export, which is SQL.
fn from_export(path: &Path, export: &str) -> Result<Vec<CcSwitchEntry>> {
    // The file goes to a database in memory. `-safe` (3.37) refuses the commands that would start a program.
    let mut sqlite = Command::new("sqlite3");
    sqlite.args(["-batch", "-bail", "-init", "/dev/null", "-safe", "-json", ":memory:"]);
    sqlite.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = sqlite.spawn().and_then(|mut child| {
        let stdin = child.stdin.take();
        std::thread::scope(|scope| {
            // What sqlite3 prints meanwhile is read below, or a full pipe would keep both waiting for ever.
            scope.spawn(move || {
                // By `-bail` it ends at the first statement that fails, and says which on stderr.
                stdin.map(|mut stdin| stdin.write_all(format!("{export}\n;\n{QUERY}\n").as_bytes()))
            });
            child.wait_with_output()
        })
    });
    entries(path, output)
}

fn entries(path: &Path, output: std::io::Result<Output>) -> Result<Vec<CcSwitchEntry>> {
    let shown = path.display();
    let could_not =
        |why: &str, help: &str| anyhow!(Message::new(format!("could not read {shown}: {why}"), help));
    let output = match output {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let why = "the program sqlite3 is not on PATH";
            return Err(could_not(why, "install sqlite3 and run this again"));
        }
        output => output.with_context(|| format!("could not run sqlite3 on {shown}"))?,
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(could_not(said.trim(), "close cc-switch and run this again"));
    }
    if output.stdout.iter().all(u8::is_ascii_whitespace) {
        return Ok(Vec::new());
    }
    let rows: Vec<Json> = serde_json::from_slice(&output.stdout)
        .map_err(|_| could_not("sqlite3 did not print JSON", "sqlite3 3.33 or later is needed"))?;
    let text = |row: &Json, column: &str| row[column].as_str().unwrap_or_default().to_owned();
    let json = |row: &Json, column: &str| serde_json::from_str(&text(row, column)).unwrap_or_default();
    let entry = |row: &Json| CcSwitchEntry {
        app: text(row, "app_type"),
        name: text(row, "name"),
        settings: json(row, "settings_config"),
        meta: json(row, "meta"),
    };
    Ok(rows.iter().map(entry).collect())
}
