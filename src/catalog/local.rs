//! Servers of models on this machine: which there are, and the commands that start them, get a model, and widen its
//! window. `served.rs` asks them.

use std::io::ErrorKind;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use shims::window::SMALLEST;
use shims::{Message, proxy};

use super::fetch::Failure;
use super::known::ModelIndex;
use super::merge;
use super::served::{ServedModel, ServerClient};
use super::source::origin;
use crate::config::Provider;
use crate::env::Environment;

/// How long this machine may take to accept a connection.
const CONNECTING: Duration = Duration::from_millis(500);

/// A server that is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Server {
    Ollama,
    LmStudio,
    LlamaCpp,
    Vllm,
    Sglang,
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
        let port = origin(loopback(provider)?).rsplit_once(':')?.1.to_owned();
        [Self::Ollama, Self::LmStudio].into_iter().find(|server| server.port() == port)
    }

    /// The same, or the server whose name it has.
    pub fn of_entry(name: &str, provider: &Provider) -> Option<Self> {
        Self::of_provider(provider).or_else(|| loopback(provider).and_then(|_| Self::of_preset(name)))
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

    /// The port it has by default.
    fn port(self) -> &'static str {
        match self {
            Self::Ollama => "11434",
            Self::LmStudio => "1234",
            Self::LlamaCpp => "8080",
            Self::Vllm => "8000",
            Self::Sglang => "30000",
        }
    }

    /// What to do where it does not answer at this address.
    pub fn start_at(self, root: &str) -> String {
        let start = format!("start it: `{}`", self.start());
        if root.rsplit_once(':').is_some_and(|(_, port)| port == self.port()) {
            return start;
        }
        format!("check the address: {} usually listens on port {}; or {start}", self.title(), self.port())
    }

    /// What starts it.
    pub fn start(self) -> &'static str {
        match self {
            Self::Ollama => "ollama serve",
            Self::LmStudio => "lms server start",
            Self::LlamaCpp => "llama-server -m MODEL.gguf --jinja",
            Self::Vllm => "vllm serve MODEL --enable-auto-tool-choice --tool-call-parser PARSER",
            Self::Sglang => "python3 -m sglang.launch_server --model-path MODEL --tool-call-parser PARSER",
        }
    }

    /// That it does not run at the address of a provider, and what starts it: no connection is accepted there. It is not
    /// asked anything.
    pub fn not_running(name: &str, provider: &Provider) -> Option<Message> {
        let server = Self::of_entry(name, provider)?;
        let root = origin(loopback(provider)?);
        let address = root.split_once("://")?.1;
        let connect = |to| TcpStream::connect_timeout(&to, CONNECTING).map_err(|error| error.kind());
        are_refused(address.to_socket_addrs().ok()?.map(connect)).then(|| {
            let text = format!("{} does not answer at {root}: connection refused", server.title());
            Message::new(text, server.start_at(&root))
        })
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

    /// The same, and what then writes it into the config.
    fn widen_and_update(self, provider: &str) -> String {
        format!("{}, then run `{}`", self.widen(), update(provider))
    }

    /// What is known of a model's window, for a person, and what to do where it is not enough.
    pub fn window_words(self, provider: &str, model: &str, window: Option<u64>) -> String {
        let known = match window {
            Some(window) if window >= SMALLEST => {
                return format!("{model} is served with a window of {window} tokens.\n");
            }
            Some(window) => format!(
                "{model} is served with a window of {window} tokens, too small for a coding agent: about \
                 {SMALLEST} are needed."
            ),
            None => format!("{model}: its window is unknown, and may be too small for a coding agent."),
        };
        format!("{known}\nTo change that, {}.\n", self.widen_and_update(provider))
    }

    /// The models that it has, the loaded ones first. A failure says how to start it.
    pub fn models(
        self,
        base: &str,
        key: Option<&str>,
        env: &Environment,
    ) -> Result<Vec<ServedModel>, Failure> {
        let server = ServerClient::new(self, base, key, env)?;
        let mut models = server.models()?;
        models.sort_by_key(|model| !model.is_loaded);
        Ok(models)
    }

    /// Whether it loads a model on request.
    pub fn loads(self) -> bool {
        self == Self::Ollama
    }

    /// Has a model loaded, and says with which window.
    pub fn load(
        self,
        base: &str,
        key: Option<&str>,
        model: &str,
        env: &Environment,
    ) -> Result<Option<u64>, Failure> {
        let server = ServerClient::new(self, base, key, env)?;
        server.load(model)?;
        let models = self.models(base, key, env)?;
        Ok(models.into_iter().find(|served| served.id == model).and_then(|served| served.window))
    }
}

/// The window a model is served with, beside the one that a launch takes it to have.
pub struct ServedWindow {
    server: Server,
    /// The model, as the config spells it.
    pub model: String,
    pub served: u64,
    /// What a launch takes it to be, by the config or else by the provider's list.
    stated: Option<u64>,
    /// Whether the config says that.
    is_configured: bool,
}

/// The command that writes the window that is served into the config.
fn update(provider: &str) -> String {
    format!("agent-run providers test {} --update", shims::quote(provider.as_ref()))
}

/// What is to be made of it.
pub enum WindowVerdict {
    Right,
    /// It is worth a change of the config.
    Other(Message),
    /// Requests can be longer than what is served.
    Wrong(Message),
}

impl ServedWindow {
    /// Asks the server of the provider `name`; `None` if it is not known here, or does not say.
    pub fn ask(
        name: &str,
        provider: &Provider,
        model: &str,
        known: &ModelIndex<'_>,
        key: Option<&str>,
        env: &Environment,
    ) -> Option<Self> {
        let server = Server::of_entry(name, provider)?;
        let models = server.models(loopback(provider)?, key, env).ok()?;
        let other = other_spelling(provider, model);
        let is_it = |served: &&ServedModel| served.id == model || Some(&served.id) == other.as_ref();
        let served = models.iter().find(is_it)?.window?;
        let stated = known.find(model).and_then(|model| model.context_window);
        let entry = merge::entry(provider, model);
        let model = entry.map_or(model, |entry| entry.id.as_str()).to_owned();
        let is_configured = entry.is_some_and(|entry| entry.context_window.is_some());
        Some(Self { server, model, served, stated, is_configured })
    }

    /// The same with the config as `providers test --update` leaves it.
    pub fn written(self) -> Self {
        Self { stated: Some(self.served), is_configured: true, ..self }
    }

    /// What says how large the window is, as far as a launch knows.
    pub fn stated_by(&self) -> &'static str {
        if self.is_configured { "the config" } else { "the provider's list" }
    }

    /// What is to be made of it, and the one command that writes it down.
    pub fn verdict(&self, name: &str) -> WindowVerdict {
        let Self { server, model, served, stated, .. } = self;
        let config = match stated {
            Some(stated) if stated == served => String::new(),
            Some(stated) => format!(", and {} says {stated}", self.stated_by()),
            None => ", and the config does not say so".to_owned(),
        };
        let text = format!("{model} is served with a window of {served} tokens{config}");
        if *served < SMALLEST {
            let text = text + ": too small for a coding agent";
            return WindowVerdict::Wrong(Message::new(text, server.widen_and_update(name)));
        }
        let help = format!("`{}` writes it into the config", update(name));
        match stated {
            Some(stated) if stated == served => WindowVerdict::Right,
            Some(stated) if stated > served => {
                WindowVerdict::Wrong(Message::new(text + ": longer requests fail or are cut", help))
            }
            _ => WindowVerdict::Other(Message::new(text, help)),
        }
    }
}

/// Whether connections were refused, at every address that this machine has: `::1` may have a name where there is no
/// IPv6.
fn are_refused<T>(connections: impl Iterator<Item = Result<T, ErrorKind>>) -> bool {
    use ErrorKind::{AddrNotAvailable, ConnectionRefused, NetworkUnreachable};
    let mut tried =
        connections.filter(|tried| !matches!(tried, Err(AddrNotAvailable | NetworkUnreachable))).peekable();
    tried.peek().is_some() && tried.all(|tried| matches!(tried, Err(ConnectionRefused)))
}

/// The URL of a provider on this machine.
fn loopback(provider: &Provider) -> Option<&str> {
    provider.base_urls.all().next().filter(|url| proxy::is_loopback(url))
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
            format!("get it: `{}`", server.pull(model)),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::ErrorKind::{AddrNotAvailable, ConnectionRefused, NetworkUnreachable, TimedOut};
    use super::*;

    #[test]
    fn a_server_does_not_run_where_every_address_that_there_is_refuses() {
        for (connections, expected) in [
            (&[Err(ConnectionRefused), Err(ConnectionRefused)][..], true),
            (&[Err(AddrNotAvailable), Err(ConnectionRefused)], true),
            (&[Err(ConnectionRefused), Err(NetworkUnreachable)], true),
            (&[Err(ConnectionRefused), Ok(())], false),
            (&[Err(ConnectionRefused), Err(TimedOut)], false),
            (&[Err(AddrNotAvailable)], false),
        ] {
            assert_eq!(are_refused(connections.iter().copied()), expected, "{connections:?}");
        }
    }
}
