//! Servers of models on this machine, asked in their own APIs for what a list in OpenAI's form leaves out: which models
//! are loaded, and with which window they are served.
//!
//! What a model could have is not what it is served with: Ollama loads one of 256k with 4k where memory is short. So a
//! window comes from a loaded model or from nowhere. APIs as their documents describe them in 2026-11: Ollama
//! `/api/tags`, `/api/ps`, `/api/generate`; LM Studio `/api/v1/models` and `/api/v0/models`; llama.cpp `/v1/models`, `/props`; vLLM and `SGLang` `/v1/models`.

use std::time::Duration;

use serde_json::{Value as Json, json};
use shims::{Message, Proxy, proxy};

use super::fetch::http::{Client, HttpResponse, TransportError};
use super::known::ModelIndex;
use super::source::origin;
use crate::config::Provider;
use crate::env::Environment;

/// How long a server on this machine may take to answer.
const LIMIT: Duration = Duration::from_secs(3);
/// How long it may take to load a model.
const LOADING: Duration = Duration::from_secs(300);

/// A server that is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Server {
    Ollama,
    LmStudio,
    LlamaCpp,
    Vllm,
    Sglang,
}

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

impl Server {
    /// The server of a preset.
    pub fn of_preset(name: &str) -> Option<Self> {
        Some(match name {
            "ollama" => Self::Ollama,
            "lmstudio" => Self::LmStudio,
            "llamacpp" => Self::LlamaCpp,
            "vllm" => Self::Vllm,
            "sglang" => Self::Sglang,
            _ => return None,
        })
    }

    /// The server of a provider of a config, as far as its URL tells: on this machine, at the port it has by default.
    pub fn of_provider(provider: &Provider) -> Option<Self> {
        let url = provider.base_urls.all().next()?;
        if !proxy::is_loopback(url) {
            return None;
        }
        Some(match origin(url).rsplit_once(':')?.1 {
            "11434" => Self::Ollama,
            "1234" => Self::LmStudio,
            _ => return None,
        })
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Ollama => "Ollama",
            Self::LmStudio => "LM Studio",
            Self::LlamaCpp => "llama.cpp",
            Self::Vllm => "vLLM",
            Self::Sglang => "SGLang",
        }
    }

    /// What starts it.
    pub fn start(self) -> &'static str {
        match self {
            Self::Ollama => "ollama serve",
            Self::LmStudio => "lms server start",
            Self::LlamaCpp => "llama-server -m MODEL.gguf --jinja",
            Self::Vllm => "vllm serve MODEL",
            Self::Sglang => "python3 -m sglang.launch_server --model-path MODEL",
        }
    }

    /// What gets a model.
    pub fn pull(self, model: &str) -> String {
        let model = shims::quote(model.as_ref());
        match self {
            Self::Ollama => format!("ollama pull {model}"),
            Self::LmStudio => format!("lms get {model}"),
            Self::LlamaCpp => format!("llama-server -hf {model} --jinja"),
            Self::Vllm => format!("vllm serve {model}"),
            Self::Sglang => format!("python3 -m sglang.launch_server --model-path {model}"),
        }
    }

    /// What gives its models a window that agents can work in.
    pub fn widen(self) -> &'static str {
        match self {
            Self::Ollama => "set OLLAMA_CONTEXT_LENGTH=65536 where `ollama serve` starts",
            Self::LmStudio => "load it with `lms load MODEL --context-length 65536`",
            Self::LlamaCpp => "start the server with `-c 65536 --parallel 1`: its slots share the window",
            Self::Vllm => "start the server with `--max-model-len 65536`",
            Self::Sglang => "start the server with `--context-length 65536`",
        }
    }

    /// The models that it has, the loaded ones first.
    ///
    /// # Errors
    /// When it does not answer as it should: says how to start it.
    pub fn models(
        self,
        base: &str,
        key: Option<&str>,
        env: &Environment,
    ) -> Result<Vec<ServedModel>, Message> {
        let asked = Asked::new(self, base, key, env)?;
        let mut models = match self {
            Self::Ollama => ollama(&asked)?,
            Self::LmStudio => lm_studio(&asked)?,
            Self::LlamaCpp => llama_cpp(&asked)?,
            Self::Vllm | Self::Sglang => vllm(&asked)?,
        };
        models.sort_by_key(|model| !model.is_loaded);
        Ok(models)
    }

    /// Whether it loads a model on request.
    pub fn loads(self) -> bool {
        self == Self::Ollama
    }

    /// Has a model loaded, and says with which window.
    ///
    /// # Errors
    /// When it is not.
    pub fn load(
        self,
        base: &str,
        key: Option<&str>,
        model: &str,
        env: &Environment,
    ) -> Result<Option<u64>, Message> {
        let asked = Asked::new(self, base, key, env)?;
        // A request without a prompt only loads.
        asked.post("/api/generate", &json!({ "model": model, "stream": false }))?;
        let models = self.models(base, key, env)?;
        Ok(models.into_iter().find(|served| served.id == model).and_then(|served| served.window))
    }
}

/// Whether the provider is an Ollama on this machine.
pub fn is_ollama(provider: &Provider) -> bool {
    Server::of_provider(provider) == Some(Server::Ollama)
}

/// The other spelling of a model's id at Ollama, where a name without a tag means `:latest`.
pub fn other_spelling(provider: &Provider, id: &str) -> Option<String> {
    if !is_ollama(provider) {
        return None;
    }
    match id.strip_suffix(":latest") {
        Some(plain) => Some(plain.to_owned()),
        None => (!id.contains(':')).then(|| format!("{id}:latest")),
    }
}

/// A model that a server on this machine does not have, by its list on disk: with what gets it.
pub fn missing(model: &str, provider: &Provider, known: &ModelIndex<'_>) -> Option<Message> {
    let server = Server::of_provider(provider).filter(|_| known.complete && known.list().is_some())?;
    known.listed(model).is_none().then(|| {
        Message::new(
            format!("{} does not list the model `{model}`", server.title()),
            format!("get it: {}", server.pull(model)),
        )
    })
}

/// A server being asked.
struct Asked {
    server: Server,
    root: String,
    headers: Vec<(String, String)>,
    client: Client,
}

impl Asked {
    fn new(server: Server, base: &str, key: Option<&str>, env: &Environment) -> Result<Self, Message> {
        let root = origin(base);
        let client =
            Client::new(&root, &Proxy::Inherit, env).map_err(|error| Message::from(error.to_string()))?;
        let headers = key.map(|key| ("authorization".to_owned(), format!("Bearer {key}")));
        Ok(Self { server, root, headers: headers.into_iter().collect(), client })
    }

    fn get(&self, path: &str) -> Result<Json, Message> {
        self.judged(path, self.client.get(&format!("{}{path}", self.root), &self.headers, LIMIT))
    }

    fn post(&self, path: &str, body: &Json) -> Result<Json, Message> {
        let url = format!("{}{path}", self.root);
        self.judged(path, self.client.post(&url, &self.headers, &body.to_string(), LOADING))
    }

    fn judged(&self, path: &str, answer: Result<HttpResponse, TransportError>) -> Result<Json, Message> {
        let (title, root) = (self.server.title(), &self.root);
        let start = || format!("start it: {}", self.server.start());
        match answer {
            Ok(answer) if (200..300).contains(&answer.status) => serde_json::from_slice(&answer.body)
                .map_err(|_| {
                    Message::new(format!("{root}{path} did not send JSON, so it is not {title}"), start())
                }),
            Ok(answer) if matches!(answer.status, 401 | 403) => Err(Message::new(
                format!("{title} at {root} wants a key, or another than it got ({})", answer.status),
                "give its key, as with --key-env VARIABLE",
            )),
            Ok(answer) if answer.status == 503 => Err(Message::new(
                format!("{title} at {root} is still loading its model (503)"),
                "try again in a moment",
            )),
            Ok(answer) => Err(Message::new(
                format!("{title} at {root} answered {path} with {}", answer.status),
                format!("check that {title} listens there, in a version from 2025 or later"),
            )),
            Err(error) => Err(Message::new(format!("{title} does not answer at {root}: {error}"), start())),
        }
    }
}

fn rows<'a>(answer: &'a Json, key: &str) -> impl Iterator<Item = &'a Json> {
    answer[key].as_array().into_iter().flatten()
}

fn text(row: &Json, key: &str) -> Option<String> {
    row[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A number of tokens; 0 is none.
fn tokens(value: &Json) -> Option<u64> {
    value.as_u64().filter(|count| *count > 0)
}

fn ollama(asked: &Asked) -> Result<Vec<ServedModel>, Message> {
    let (all, running) = (asked.get("/api/tags")?, asked.get("/api/ps")?);
    let loaded = |id: &str| rows(&running, "models").find(|row| row["name"] == id);
    let chats = |row: &&Json| {
        let abilities = row["capabilities"].as_array();
        abilities.is_none_or(|all| all.iter().any(|ability| ability == "completion"))
    };
    Ok(rows(&all, "models")
        .filter(chats)
        .filter_map(|row| text(row, "name"))
        .map(|id| {
            let row = loaded(&id);
            ServedModel {
                window: row.and_then(|row| tokens(&row["context_length"])),
                is_loaded: row.is_some(),
                id,
            }
        })
        .collect())
}

fn lm_studio(asked: &Asked) -> Result<Vec<ServedModel>, Message> {
    // Since 0.4.0, which advises against the one before; an address that it does not know, it answers with 200 and an error.
    let newer = asked.get("/api/v1/models").ok().filter(|answer| answer["models"].is_array());
    if let Some(all) = newer {
        let model = |row: &Json| {
            let windows =
                rows(row, "loaded_instances").map(|loaded| tokens(&loaded["config"]["context_length"]));
            let windows: Vec<_> = windows.collect();
            let (window, is_loaded) = (windows.iter().flatten().min().copied(), !windows.is_empty());
            Some(ServedModel { id: text(row, "key")?, window, is_loaded })
        };
        return Ok(rows(&all, "models").filter(|row| row["type"] != "embedding").filter_map(model).collect());
    }
    let all = asked.get("/api/v0/models")?;
    let chats = |row: &&Json| row["type"] != "embeddings";
    Ok(rows(&all, "data")
        .filter(chats)
        .filter_map(|row| {
            let window = tokens(&row["loaded_context_length"]);
            let is_loaded = row["state"] == "loaded" || window.is_some();
            Some(ServedModel { id: text(row, "id")?, window, is_loaded })
        })
        .collect())
}

fn llama_cpp(asked: &Asked) -> Result<Vec<ServedModel>, Message> {
    let all = asked.get("/v1/models")?;
    // A router of several models says of each how it is; what it answers without one's name is no model's.
    let state = |row: &Json| row["status"]["value"].as_str().map(|state| state == "loaded");
    let is_router = rows(&all, "data").any(|row| state(row).is_some());
    let served = if is_router { None } else { asked.get("/props").ok() };
    let served = served.and_then(|props| tokens(&props["default_generation_settings"]["n_ctx"]));
    let model = |row: &Json| {
        let is_loaded = state(row).unwrap_or(true);
        let window = tokens(&row["meta"]["n_ctx"]).or(served).filter(|_| is_loaded);
        Some(ServedModel { id: text(row, "id")?, window, is_loaded })
    };
    Ok(rows(&all, "data").filter_map(model).collect())
}

fn vllm(asked: &Asked) -> Result<Vec<ServedModel>, Message> {
    let all = asked.get("/v1/models")?;
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
    Ok(rows(&all, "data").filter_map(model).collect())
}
