//! What the three protocols have in common, as a provider sees them.

use serde_json::{Value as Json, json};
use shims::Protocol;

use super::{anthropic, chat, responses};

/// One protocol, spoken by a provider.
pub trait ApiDialect {
    /// What matters to a script in a request's body.
    fn turn(&self, body: &Json) -> Turn;

    /// The answer in one piece.
    fn whole(&self, ask: &ModelRequest<'_>, answer: &Answer) -> Json;

    /// The answer as server-sent events, each complete with its blank line.
    fn events(&self, ask: &ModelRequest<'_>, answer: &Answer) -> Vec<String>;

    /// An error as this protocol's providers write it: by default as OpenAI and all who copy it do.
    fn error(&self, status: u16, message: &str) -> Json {
        let kind = match status {
            429 => "rate_limit_error",
            500.. => "server_error",
            _ => "invalid_request_error",
        };
        let code = match status {
            401 => Json::from("invalid_api_key"),
            429 => Json::from("rate_limit_exceeded"),
            _ => Json::Null,
        };
        json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
    }

    /// A list of models, by default as OpenAI writes it.
    fn models(&self, ids: &[&str]) -> Json {
        let model =
            |id: &&str| json!({"id": id, "object": "model", "created": 0, "owned_by": "mock-provider"});
        json!({"object": "list", "data": ids.iter().map(model).collect::<Vec<_>>()})
    }
}

/// Who speaks `protocol`.
pub fn of(protocol: Protocol) -> &'static dyn ApiDialect {
    match protocol {
        Protocol::Anthropic => &anthropic::Anthropic,
        Protocol::OpenaiResponses => &responses::Responses,
        Protocol::OpenaiChatCompletions => &chat::Chat,
    }
}

/// Where a conversation stands.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Turn {
    /// The text of the last message in which the user said something.
    pub last_user: String,
    /// Whether the last message is the result of a tool.
    pub after_tool: bool,
    /// The names of the tools on offer.
    pub tools: Vec<String>,
}

/// What an answer repeats of its request.
pub struct ModelRequest<'a> {
    /// Unique among all requests to all mock providers; the protocol's own prefix is put before it.
    pub id: String,
    /// The model asked for.
    pub model: &'a str,
    /// The request's body.
    pub body: &'a Json,
    /// The prompt's size in tokens, guessed.
    pub input_tokens: u64,
    /// Seconds since 1970.
    pub created: u64,
}

/// What the model says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// Plain text.
    Text(String),
    /// A call of one tool.
    Tool {
        /// The tool's name.
        name: String,
        /// Its arguments.
        arguments: Json,
    },
}

impl Answer {
    /// The answer's text, or the call's arguments as JSON text, in the pieces a stream sends.
    pub fn pieces(&self) -> Vec<String> {
        let text = match self {
            Self::Text(text) => text.clone(),
            Self::Tool { arguments, .. } => arguments.to_string(),
        };
        text.split_inclusive([' ', '-', ',']).map(str::to_owned).collect()
    }

    /// The answer's size in tokens, guessed.
    pub fn tokens(&self) -> u64 {
        tokens(self.pieces().iter().map(String::len).sum())
    }
}

/// The usual guess: four bytes to a token, and no text so short that it has none.
pub fn tokens(bytes: usize) -> u64 {
    (bytes as u64 / 4).max(1)
}

/// One server-sent event; `name` is the `event:` line where the protocol has one.
pub fn event(name: Option<&str>, data: &Json) -> String {
    match name {
        Some(name) => format!("event: {name}\ndata: {data}\n\n"),
        None => format!("data: {data}\n\n"),
    }
}

/// The members of an array, or nothing.
pub fn items(value: &Json) -> impl DoubleEndedIterator<Item = &Json> {
    value.as_array().into_iter().flatten()
}

/// A member that is a string, or nothing.
pub fn str_of<'a>(value: &'a Json, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Whether a message is neither the user's nor the model's but the program's. Agents put such messages
/// anywhere, also last: Claude Code 2.1.197 sends `role: system` after the user's words.
pub fn is_aside(message: &Json) -> bool {
    matches!(str_of(message, "role"), "system" | "developer")
}

/// The text of a message's content: a string, or the `text` of its parts.
pub fn text_of(content: &Json) -> String {
    match content {
        Json::String(text) => text.clone(),
        parts => items(parts).filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n"),
    }
}

/// The text of the last of `messages` in which the user said something.
pub fn last_user<'a>(messages: impl DoubleEndedIterator<Item = &'a Json>) -> String {
    (messages.rev().filter(|message| message["role"] == "user"))
        .map(|message| text_of(&message["content"]))
        .find(|text| !text.is_empty())
        .unwrap_or_default()
}

/// Both kinds of answer, with asks, for the tests of the protocols.
#[cfg(test)]
pub mod examples {
    use super::*;

    pub fn text() -> Answer {
        Answer::Text("one two-three".to_owned())
    }

    pub fn tool() -> Answer {
        Answer::Tool { name: "run".to_owned(), arguments: json!({"cmd": "env", "n": 1}) }
    }

    pub fn ask(body: &Json) -> ModelRequest<'_> {
        ModelRequest { id: "7".to_owned(), model: "m", body, input_tokens: 5, created: 9 }
    }

    /// The data of every event, and that each event ends where the next begins.
    pub fn data(events: &[String]) -> Vec<Json> {
        (events.iter())
            .map(|event| {
                let event = event.strip_suffix("\n\n").expect("a blank line ends an event");
                let data = event.lines().last().and_then(|line| line.strip_prefix("data: "));
                serde_json::from_str(data.expect("data")).unwrap_or(Json::Null)
            })
            .collect()
    }
}
