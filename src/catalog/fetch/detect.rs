//! Which protocols a server speaks, and below which base URL, seen from its answers to empty requests. No model is named,
//! so none answers, and nothing is charged.

use serde_json::Value as Json;
use shims::{Protocol, Proxy, proxy};

use super::failure::KEY_REFUSED;
use super::http::{Client, HttpResponse};
use super::probe::path;
use super::{Failure, FailureKind, RetryPolicy};
use crate::catalog::normalize::is_web_page;
use crate::env::Environment;
use crate::header;

/// A path that no server has: what it answers there says nothing of a protocol.
const NOWHERE: &str = "/agent-run-asks-for-no-such-path";

/// What was found out about a server.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Detected {
    /// The protocols, best first.
    pub protocols: Vec<Protocol>,
    /// The base URL of the `openai-…` protocols among them.
    pub openai: Option<String>,
    /// The base URL of the Anthropic protocol.
    pub anthropic: Option<String>,
    /// Whether it wants a key.
    pub is_keyed: bool,
    /// Whether it takes the key of the Anthropic protocol only as `x-api-key`.
    pub is_api_key: bool,
    /// The status by which it refused the key that was sent, where only the right one shows what it speaks.
    refused: Option<u16>,
}

/// What one answer says of a protocol.
#[derive(Clone, Copy, Eq, PartialEq)]
enum EndpointState {
    There,
    /// It is there, and wants a key.
    Keyed,
    Absent,
    /// The server refuses whatever it is asked without its key.
    Unknown,
}

/// Asks the server of `url`, which may be any URL of its API.
pub fn detect(url: &str, key: Option<&str>, env: &Environment) -> Result<Detected, Failure> {
    let asking = EmptyRequests { client: client(url, env)?, key };
    let url = plain(url);
    let nowhere = asking.ask(&format!("{url}{NOWHERE}"), false)?.status;
    let mut found = Detected::default();
    let (mut refused, mut is_taken) = (None, false);
    let mut state = |url: &str, is_api_key| -> Result<EndpointState, Failure> {
        let answer = asking.ask(url, is_api_key)?;
        let state = judged(&answer, nowhere);
        match state {
            EndpointState::There => is_taken = true,
            EndpointState::Keyed | EndpointState::Unknown => refused = key.map(|_| answer.status),
            EndpointState::Absent => {}
        }
        Ok(state)
    };
    let mut endpoint = |base: &str, protocol| -> Result<EndpointState, Failure> {
        let (url, is_anthropic) = (format!("{base}{}", path(protocol)), protocol == Protocol::Anthropic);
        let mut verdict = state(&url, false)?;
        // A key of Anthropic's own kind is refused as a token.
        if is_anthropic
            && key.is_some()
            && verdict != EndpointState::There
            && verdict != EndpointState::Absent
        {
            let again = state(&url, true)?;
            if again == EndpointState::There {
                (verdict, found.is_api_key) = (again, true);
            }
        }
        found.is_keyed |= matches!(verdict, EndpointState::Keyed | EndpointState::Unknown);
        Ok(verdict)
    };
    let is_there = |verdict| matches!(verdict, EndpointState::There | EndpointState::Keyed);
    let mut protocols = Vec::new();
    let mut anthropic = None;
    for base in anthropic_bases(url) {
        if is_there(endpoint(&base, Protocol::Anthropic)?) {
            protocols.push(Protocol::Anthropic);
            anthropic = Some(base);
            break;
        }
    }
    let mut openai = None;
    for base in openai_bases(url) {
        for protocol in [Protocol::OpenaiResponses, Protocol::OpenaiChatCompletions] {
            if is_there(endpoint(&base, protocol)?) {
                protocols.push(protocol);
            }
        }
        if protocols.iter().any(|protocol| *protocol != Protocol::Anthropic) {
            openai = Some(base);
            break;
        }
    }
    // Of what it speaks, the header for the key of the Anthropic protocol alone is seen only with the right key.
    let refused = refused.filter(|_| !is_taken && (protocols.is_empty() || anthropic.is_some()));
    Ok(Detected { protocols, openai, anthropic, refused, ..found })
}

impl Detected {
    /// That it refused the key.
    pub fn refusal(&self) -> Option<Failure> {
        let text = format!("{KEY_REFUSED} ({})", self.refused?);
        Some(Failure::with(FailureKind::KeyRefused, text, "check the key"))
    }

    /// What is to be taken for true where the server does not say, but the user does.
    pub fn stated(url: &str, protocol: Protocol) -> Self {
        let url = plain(url);
        let first = |bases: Vec<String>| bases.into_iter().next();
        let (openai, anthropic) = match protocol {
            Protocol::Anthropic => (None, first(anthropic_bases(url))),
            _ => (first(openai_bases(url)), None),
        };
        Self {
            protocols: vec![protocol],
            openai,
            anthropic,
            is_keyed: !proxy::is_loopback(url),
            ..Self::default()
        }
    }
}

struct EmptyRequests<'a> {
    client: Client,
    key: Option<&'a str>,
}

impl EmptyRequests<'_> {
    fn ask(&self, url: &str, is_api_key: bool) -> Result<HttpResponse, Failure> {
        let key = self.key.map(|key| header::of_key(key, is_api_key));
        let version = ("anthropic-version".to_owned(), "2023-06-01".to_owned());
        let headers: Vec<_> = key.into_iter().chain([version]).collect();
        let limit = RetryPolicy::EXPLICIT.limit;
        let answer = self.client.post(url, &headers, "{}", limit);
        answer.map_err(|error| Failure::transport(&error, url, limit).of_new())
    }
}

fn client(url: &str, env: &Environment) -> Result<Client, Failure> {
    let rule = Proxy::Inherit;
    let limit = RetryPolicy::EXPLICIT.limit;
    Client::new(url, &rule, env).map_err(|error| Failure::transport(&error, url, limit).of_new())
}

/// What an answer to an empty request says, beside the status of a path that is not there.
fn judged(answer: &HttpResponse, nowhere: u16) -> EndpointState {
    let is_json = || serde_json::from_slice::<Json>(&answer.body).is_ok();
    match answer.status {
        401 | 403 if is_web_page(&answer.body) => EndpointState::Absent,
        401 | 403 if answer.status == nowhere => EndpointState::Unknown,
        401 | 403 => EndpointState::Keyed,
        300..=399 | 404 | 405 | 410 | 501..=504 => EndpointState::Absent,
        status if status == nowhere || is_web_page(&answer.body) => EndpointState::Absent,
        200..=299 if !is_json() => EndpointState::Absent,
        _ => EndpointState::There,
    }
}

/// The URL without what clients add to a base URL.
fn plain(url: &str) -> &str {
    let url = url.trim_end_matches('/');
    let ends = ["/chat/completions", "/responses", "/messages", "/models"];
    ends.iter().find_map(|end| path_end(url, end)).unwrap_or(url)
}

fn without_version(url: &str) -> &str {
    path_end(url, "/v1").unwrap_or(url)
}

/// What is before the end of the path; none for a host of that name.
fn path_end<'a>(url: &'a str, end: &str) -> Option<&'a str> {
    url.strip_suffix(end).filter(|before| !before.ends_with('/'))
}

/// Where the `openai-…` protocols of a server may be, the likeliest first.
fn openai_bases(url: &str) -> Vec<String> {
    let root = without_version(url).strip_suffix("/anthropic").unwrap_or(url);
    let is_version =
        |last: &str| last.strip_prefix('v').is_some_and(|it| it.starts_with(|c: char| c.is_ascii_digit()));
    let path = root.split_once("://").map_or(root, |(_, rest)| rest).split_once('/');
    if path.and_then(|(_, path)| path.rsplit('/').next()).is_some_and(is_version) {
        return vec![root.to_owned()];
    }
    vec![format!("{root}/v1"), root.to_owned()]
}

/// The same for the Anthropic protocol, whose clients add `/v1` themselves.
fn anthropic_bases(url: &str) -> Vec<String> {
    let root = without_version(url);
    if root.ends_with("/anthropic") {
        return vec![root.to_owned()];
    }
    vec![root.to_owned(), format!("{root}/anthropic")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_url_of_an_api_leads_to_its_base_urls() {
        for (url, openai, anthropic) in [
            (
                "https://h/v1/chat/completions",
                &["https://h/v1"][..],
                &["https://h", "https://h/anthropic"][..],
            ),
            (
                "https://models",
                &["https://models/v1", "https://models"],
                &["https://models", "https://models/anthropic"],
            ),
            ("https://h", &["https://h/v1", "https://h"], &["https://h", "https://h/anthropic"]),
            ("https://h/anthropic/v1/messages", &["https://h/v1", "https://h"], &["https://h/anthropic"]),
            (
                "https://v2.h",
                &["https://v2.h/v1", "https://v2.h"],
                &["https://v2.h", "https://v2.h/anthropic"],
            ),
            ("https://h/api/v4/", &["https://h/api/v4"], &["https://h/api/v4", "https://h/api/v4/anthropic"]),
        ] {
            assert_eq!(openai_bases(plain(url)), openai, "{url}");
            assert_eq!(anthropic_bases(plain(url)), anthropic, "{url}");
        }
    }
}
