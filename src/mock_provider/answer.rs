//! From a request, and what the script says of it, to the reply.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};
use shims::Protocol;

use super::dialect::{self, Answer, ModelRequest};
use super::http::{Body, HttpReply};
use super::route::{Route, Seen};
use super::script::ScriptRule;
use super::{MODELS, TEXT};

/// The reply to a request; `id` is unique among all requests.
pub fn reply(seen: &Seen<'_>, rule: &ScriptRule, id: String) -> HttpReply {
    let usual = match (&rule.body, rule.status) {
        (Some(Json::String(text)), _) => whole(200, "text/plain; charset=utf-8", text.clone()),
        (Some(body), _) => json(200, body),
        (None, Some(status)) if status >= 400 => error(seen, status, "the mock provider's script says so"),
        (None, Some(status)) if status >= 300 => {
            HttpReply { body: Body::Whole(Vec::new()), ..json(200, &Json::Null) }
        }
        (None, _) => usual(seen, rule, id),
    };
    let mut reply = HttpReply { status: rule.status.unwrap_or(usual.status), ..usual };
    let said = rule.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    reply.headers.extend(said);
    reply
}

fn usual(seen: &Seen<'_>, rule: &ScriptRule, id: String) -> HttpReply {
    match (seen.route, &seen.json) {
        (Route::Answer(_) | Route::CountTokens, None) => error(seen, 400, "the body is not JSON"),
        (Route::Answer(protocol), Some(body)) => {
            let answer = rule.answer(seen).unwrap_or_else(|| Answer::Text(TEXT.to_owned()));
            let ask = ModelRequest {
                id,
                model: seen.model().unwrap_or_default(),
                body,
                input_tokens: rule.input_tokens.unwrap_or_else(|| size(seen)),
                created: now(),
            };
            spoken(protocol, seen.stream(), &ask, &answer)
        }
        (Route::CountTokens, Some(_)) => json(200, &json!({"input_tokens": size(seen)})),
        (Route::Models, _) => json(200, &models(seen)),
        (Route::Proxy, _) => error(seen, 502, "the mock provider passes nothing on"),
        (Route::Unknown, _) => {
            let (method, target) = (&seen.request.method, &seen.request.target);
            error(seen, 404, &format!("the mock provider does not know {method} {target}"))
        }
    }
}

fn spoken(protocol: Protocol, stream: bool, ask: &ModelRequest<'_>, answer: &Answer) -> HttpReply {
    let dialect = dialect::of(protocol);
    if !stream {
        return json(200, &dialect.whole(ask, answer));
    }
    let mut reply = whole(200, "text/event-stream", String::new());
    reply.headers.insert("cache-control".to_owned(), "no-cache".to_owned());
    reply.body = Body::Events(dialect.events(ask, answer));
    reply
}

/// Codex 0.169 asks for a list of its own form; it is content with an empty one.
fn models(seen: &Seen<'_>) -> Json {
    if seen.request.target.contains("client_version=") {
        return json!({"models": []});
    }
    dialect::of(seen.shape()).models(&MODELS)
}

fn error(seen: &Seen<'_>, status: u16, message: &str) -> HttpReply {
    json(status, &dialect::of(seen.shape()).error(status, message))
}

fn json(status: u16, body: &Json) -> HttpReply {
    whole(status, "application/json", body.to_string())
}

fn whole(status: u16, kind: &str, text: String) -> HttpReply {
    let headers = [("content-type".to_owned(), kind.to_owned())].into();
    HttpReply { status, headers, body: Body::Whole(text.into_bytes()) }
}

fn size(seen: &Seen<'_>) -> u64 {
    dialect::tokens(seen.request.body.len())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
