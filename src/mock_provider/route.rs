//! What a request asks for, seen from its first line and its body.

use serde_json::Value as Json;
use shims::Protocol;

use super::dialect::{self, Turn};
use super::http::Request;

/// What is wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Route {
    /// An answer of the model.
    Answer(Protocol),
    /// The size of a prompt, which Anthropic's API tells.
    CountTokens,
    /// The list of models.
    Models,
    /// To be passed on to another host.
    Proxy,
    /// Nothing the mock provider knows.
    Unknown,
}

/// A request, understood as far as it can be.
pub struct Seen<'a> {
    /// The request itself.
    pub request: &'a Request,
    /// What is wanted.
    pub route: Route,
    /// The protocol the path belongs to.
    pub protocol: Option<Protocol>,
    /// The body as text.
    pub text: String,
    /// The body parsed; `None` when it is not JSON.
    pub json: Option<Json>,
    /// Where the conversation stands.
    pub turn: Turn,
}

impl<'a> Seen<'a> {
    /// Looks at a request.
    pub fn of(request: &'a Request) -> Self {
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let json = serde_json::from_str(&text).ok();
        let protocol = protocol(&request.target);
        let turn = match (protocol, &json) {
            (Some(protocol), Some(json)) => dialect::of(protocol).turn(json),
            _ => Turn::default(),
        };
        Self { request, route: route(&request.method, &request.target), protocol, text, json, turn }
    }

    /// The model asked for.
    pub fn model(&self) -> Option<&str> {
        self.json.as_ref()?["model"].as_str()
    }

    /// Whether a stream is asked for.
    pub fn stream(&self) -> bool {
        self.json.as_ref().is_some_and(|json| json["stream"] == true)
    }

    /// The protocol for what is said about no protocol of its own: errors and lists of models.
    pub fn shape(&self) -> Protocol {
        let anthropic = ["anthropic-version", "x-api-key"];
        self.protocol.unwrap_or_else(|| {
            if anthropic.iter().any(|name| self.request.headers.contains_key(*name)) {
                Protocol::Anthropic
            } else {
                Protocol::OpenaiChatCompletions
            }
        })
    }
}

/// A base URL may put anything before the part of the path that the protocol names.
fn route(method: &str, target: &str) -> Route {
    let path = path(target);
    if method == "CONNECT" || target.contains("://") && !target.starts_with('/') {
        return Route::Proxy;
    }
    match (method, protocol(target)) {
        ("POST", Some(_)) if path.ends_with("/count_tokens") => Route::CountTokens,
        ("POST", Some(protocol)) => Route::Answer(protocol),
        // LM Studio's own list, as Hermes Agent 0.19 has it: whoever answers there is taken for one.
        ("GET", None) if path == "/api/v1/models" => Route::Unknown,
        ("GET" | "HEAD", None) if path.ends_with("/models") => Route::Models,
        _ => Route::Unknown,
    }
}

fn protocol(target: &str) -> Option<Protocol> {
    let path = path(target);
    if path.ends_with("/messages") || path.ends_with("/messages/count_tokens") {
        Some(Protocol::Anthropic)
    } else if path.ends_with("/responses") {
        Some(Protocol::OpenaiResponses)
    } else if path.ends_with("/chat/completions") {
        Some(Protocol::OpenaiChatCompletions)
    } else {
        None
    }
}

fn path(target: &str) -> &str {
    target.split('?').next().unwrap_or(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_prefix_leads_to_the_same_answer() {
        for (target, protocol) in [
            ("/v1/messages?beta=true", Protocol::Anthropic),
            ("/anthropic/v1/messages", Protocol::Anthropic),
            ("/responses", Protocol::OpenaiResponses),
            ("/openai/v1/chat/completions", Protocol::OpenaiChatCompletions),
        ] {
            assert_eq!(route("POST", target), Route::Answer(protocol), "{target}");
        }
    }

    #[test]
    fn what_is_no_question_is_said_apart() {
        assert_eq!(route("POST", "/v1/messages/count_tokens?beta=true"), Route::CountTokens);
        assert_eq!(route("GET", "/v1/models?limit=1000"), Route::Models);
        assert_eq!(route("GET", "/v1/responses"), Route::Unknown);
        assert_eq!(route("GET", "/v1/modelsx"), Route::Unknown);
        assert_eq!(route("GET", "/api/v1/models"), Route::Unknown);
        assert_eq!(route("HEAD", "/"), Route::Unknown);
    }

    #[test]
    fn requests_for_other_hosts_are_a_proxys() {
        assert_eq!(route("CONNECT", "api.example:443"), Route::Proxy);
        assert_eq!(route("POST", "http://127.0.0.1:1/v1/messages"), Route::Proxy);
        assert_eq!(route("GET", "/v1/models?next=http://x"), Route::Models);
    }
}
