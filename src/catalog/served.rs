//! What a server on this machine has, asked in its own API for what a list in OpenAI's form leaves out: which models
//! are loaded, and with which window they are served.
//!
//! What a model could have is not what it is served with: Ollama loads one of 256k with 4k where memory is short. So a
//! window comes from a loaded model or from nowhere. APIs as their documents describe them in 2026-11: Ollama
//! `/api/tags`, `/api/show`, `/api/ps`, `/api/generate`; LM Studio `/api/v1/models` and `/api/v0/models`; llama.cpp
//! `/v1/models`, `/props`; vLLM and `SGLang` `/v1/models`.

use std::time::Duration;

use serde_json::{Value as Json, json};
use shims::Proxy;

use super::fetch::http::{Client, HttpResponse, TransportError};
use super::fetch::{Failure, FailureKind, quote};
use super::local::Server;
use super::normalize::capabilities;
use super::record::ModelKind;
use super::source::origin;
use crate::env::Environment;
use crate::header;

/// How long a server on this machine may take to answer.
const LIMIT: Duration = Duration::from_secs(3);
/// How long it may take to load a model.
const LOADING: Duration = Duration::from_secs(300);

/// A model that a server has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServedModel {
    /// Its id.
    pub id: String,
    /// The window it is served with, in tokens; unknown while it is not loaded.
    pub window: Option<u64>,
    /// Whether it is in memory.
    pub is_loaded: bool,
}

impl ServedModel {
    /// The model as a choice.
    pub fn described(&self) -> String {
        match (self.is_loaded, self.window) {
            (true, Some(window)) => format!("{} (loaded, {window} tokens)", self.id),
            (true, None) => format!("{} (loaded)", self.id),
            _ => self.id.clone(),
        }
    }
}

/// Sends requests to one such server.
pub struct ServerClient {
    server: Server,
    root: String,
    headers: Vec<(String, String)>,
    /// What a message must not repeat.
    secrets: Vec<String>,
    client: Client,
}

impl ServerClient {
    pub fn new(server: Server, base: &str, key: Option<&str>, env: &Environment) -> Result<Self, Failure> {
        let root = origin(base);
        let client = Client::new(&root, &Proxy::Inherit, env)
            .map_err(|error| Failure::transport(&error, &root, LIMIT))?;
        let headers = key.map(|key| header::of_key(key, false));
        let secrets = key.map(str::to_owned).into_iter().collect();
        Ok(Self { server, root, headers: headers.into_iter().collect(), secrets, client })
    }

    /// The models that it has.
    pub fn models(&self) -> Result<Vec<ServedModel>, Failure> {
        match self.server {
            Server::Ollama => ollama(self),
            Server::LmStudio => lm_studio(self),
            Server::LlamaCpp => llama_cpp(self),
            Server::Vllm | Server::Sglang => vllm(self),
        }
    }

    /// Has Ollama load a model, as a request without a prompt does.
    pub fn load(&self, model: &str) -> Result<(), Failure> {
        self.post("/api/generate", &json!({ "model": model, "stream": false }), LOADING).map(|_| ())
    }

    fn get(&self, path: &str) -> Result<Json, Failure> {
        self.judged(path, self.client.get(&format!("{}{path}", self.root), &self.headers, LIMIT))
    }

    fn post(&self, path: &str, body: &Json, limit: Duration) -> Result<Json, Failure> {
        let url = format!("{}{path}", self.root);
        self.judged(path, self.client.post(&url, &self.headers, &body.to_string(), limit))
    }

    fn judged(&self, path: &str, answer: Result<HttpResponse, TransportError>) -> Result<Json, Failure> {
        let (title, root) = (self.server.title(), &self.root);
        let (kind, text, help) = match answer {
            Ok(answer) if (200..300).contains(&answer.status) => match serde_json::from_slice(&answer.body) {
                Ok(json) => return Ok(json),
                Err(_) => (
                    FailureKind::Unreachable,
                    format!("{root}{path} did not send JSON, so it is not {title}"),
                    self.server.start_at(root),
                ),
            },
            Ok(answer) if matches!(answer.status, 401 | 403) => (
                FailureKind::KeyRefused,
                format!(
                    "{title} at {root} requires a key, or refused the key that was sent ({})",
                    answer.status
                ),
                "name the key with `--key-env VARIABLE`".to_owned(),
            ),
            Ok(answer) if answer.status == 503 => (
                FailureKind::Passing,
                format!("{title} at {root} is still loading its model (503)"),
                "try again in a moment".to_owned(),
            ),
            Ok(answer) => {
                let said = quote(&answer.body, &self.secrets);
                let help = match &said {
                    Some(_) => "search for the message, or choose a smaller model".to_owned(),
                    None => format!("check that {title} listens there, in a version from 2025 or later"),
                };
                let said = said.map_or_else(String::new, |said| format!(": {said}"));
                let text = format!("{title} at {root} answered {path} with {}{said}", answer.status);
                (FailureKind::Lasting, text, help)
            }
            Err(error) => {
                let text = format!("{title} does not answer at {root}: {error}");
                let help = match error {
                    TransportError::Timeout { connected: true } => {
                        format!("restart {title}, or check that it is what listens there")
                    }
                    _ => self.server.start_at(root),
                };
                (FailureKind::Unreachable, text, help)
            }
        };
        Err(Failure::with(kind, text, help))
    }
}

fn rows<'a>(answer: &'a Json, key: &str) -> impl Iterator<Item = &'a Json> {
    answer[key].as_array().into_iter().flatten()
}

fn text(row: &Json, key: &str) -> Option<String> {
    row[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Whether an agent can work with the model, judged as in every other list.
fn can_chat(row: &Json, id: &str) -> bool {
    capabilities::kind(row, id, capabilities::output_modalities(row).as_ref(), true) == ModelKind::Chat
}

/// The same of a row of a list in OpenAI's form.
fn listed_chat(row: &Json) -> bool {
    can_chat(row, row["id"].as_str().unwrap_or_default())
}

/// A number of tokens; 0 is none.
fn tokens(value: &Json) -> Option<u64> {
    value.as_u64().filter(|count| *count > 0)
}

fn ollama(server: &ServerClient) -> Result<Vec<ServedModel>, Failure> {
    let (all, running) = (server.get("/api/tags")?, server.get("/api/ps")?);
    let loaded = |id: &str| rows(&running, "models").find(|row| row["name"] == id);
    let mut models = Vec::new();
    let mut shows = true;
    for row in rows(&all, "models") {
        let Some(id) = text(row, "name") else { continue };
        // The list has them since 2026; before, each model is asked for, since 0.6.4.
        let shown = if row["capabilities"].is_array() || !shows {
            Json::Null
        } else {
            let shown = server.post("/api/show", &json!({ "model": id }), LIMIT);
            shows = shown.is_ok();
            shown.unwrap_or_default()
        };
        let about = if row["capabilities"].is_array() { row } else { &shown };
        let about = json!({ "digest": "0", "owned_by": "library", "capabilities": about["capabilities"] });
        if !can_chat(&about, &id) {
            continue;
        }
        // A model of the cloud is never loaded here, and has its whole window.
        let is_remote = text(row, "remote_host").is_some();
        let window = match loaded(&id) {
            Some(row) => tokens(&row["context_length"]),
            None => tokens(&row["details"]["context_length"]).filter(|_| is_remote),
        };
        models.push(ServedModel { window, is_loaded: is_remote || loaded(&id).is_some(), id });
    }
    Ok(models)
}

fn lm_studio(server: &ServerClient) -> Result<Vec<ServedModel>, Failure> {
    // Since 0.4.0, which advises against the one before; an address that it does not know, it answers with 200 and an error.
    let newer = server.get("/api/v1/models").ok().filter(|answer| answer["models"].is_array());
    if let Some(all) = newer {
        let model = |row: &Json| {
            let windows =
                rows(row, "loaded_instances").map(|loaded| tokens(&loaded["config"]["context_length"]));
            let windows: Vec<_> = windows.collect();
            let (window, is_loaded) = (windows.iter().flatten().min().copied(), !windows.is_empty());
            Some(ServedModel { id: text(row, "key")?, window, is_loaded })
        };
        let chats = |row: &&Json| can_chat(row, row["key"].as_str().unwrap_or_default());
        return Ok(rows(&all, "models").filter(chats).filter_map(model).collect());
    }
    let all = server.get("/api/v0/models")?;
    Ok(rows(&all, "data")
        .filter(|row| listed_chat(row))
        .filter_map(|row| {
            let window = tokens(&row["loaded_context_length"]);
            let is_loaded = row["state"] == "loaded" || window.is_some();
            Some(ServedModel { id: text(row, "id")?, window, is_loaded })
        })
        .collect())
}

fn llama_cpp(server: &ServerClient) -> Result<Vec<ServedModel>, Failure> {
    let all = server.get("/v1/models")?;
    // A router of several models says of each how it is; what it answers without one's name is no model's.
    let state = |row: &Json| row["status"]["value"].as_str().map(|state| state == "loaded");
    let is_router = rows(&all, "data").any(|row| state(row).is_some());
    let served = if is_router { None } else { server.get("/props").ok() };
    let served = served.and_then(|props| tokens(&props["default_generation_settings"]["n_ctx"]));
    let model = |row: &Json| {
        let is_loaded = state(row).unwrap_or(true);
        let window = tokens(&row["meta"]["n_ctx"]).or(served).filter(|_| is_loaded);
        Some(ServedModel { id: text(row, "id")?, window, is_loaded })
    };
    Ok(rows(&all, "data").filter(|row| listed_chat(row)).filter_map(model).collect())
}

fn vllm(server: &ServerClient) -> Result<Vec<ServedModel>, Failure> {
    let all = server.get("/v1/models")?;
    let window = |row: &Json| tokens(&row["max_model_len"]);
    let parent = |row: &Json| rows(&all, "data").find(|other| other["id"] == row["parent"]).and_then(window);
    let model = |row: &Json| {
        // The row of a LoRA names its base model, whose window it has.
        Some(ServedModel {
            id: text(row, "id")?,
            window: window(row).or_else(|| parent(row)),
            is_loaded: true,
        })
    };
    Ok(rows(&all, "data").filter(|row| listed_chat(row)).filter_map(model).collect())
}
