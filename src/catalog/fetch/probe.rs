//! One short answer of a model, to see whether a provider speaks a protocol as its clients expect.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use shims::Protocol;

use super::http::{HttpResponse, TransportError, shown};
use super::{AuthHeaders, Failure, FailureKind, Fetcher};
use crate::catalog::normalize;
use crate::catalog::source::origin;

/// The fewest tokens that every provider grants; the Responses API wants 16.
const TOKENS: u32 = 16;

/// What came of asking.
#[derive(Debug)]
pub struct Probe {
    /// The HTTP status, if there was an answer at all.
    pub status: Option<u16>,
    /// From the request to the end of the answer.
    pub took: Duration,
    /// What is wrong, with what to do about it.
    pub failure: Option<Failure>,
}

impl Fetcher<'_> {
    /// Asks `model` for a word over `protocol`. A failure means that nothing could be asked, as without a key; whatever
    /// the provider does is a [`Probe`].
    pub fn probe(&self, protocol: Protocol, model: &str) -> Result<Probe, Failure> {
        let key = (self.key)()?.filter(|key| !key.is_empty());
        let auth_headers = self.auth_headers(protocol == Protocol::Anthropic, key.as_deref())?;
        let base = self.source.provider.base_url(protocol).unwrap_or_default();
        let url = format!("{}{}", base.trim_end_matches('/'), path(protocol));
        let client = self.client(&url)?;
        let post = |limit_name| {
            let body = body(protocol, model, limit_name).to_string();
            let start = Instant::now();
            (client.post(&url, &auth_headers.headers, &body, self.retry.limit), start.elapsed())
        };
        let (mut answer, mut took) = post("max_tokens");
        // Newer models of OpenAI's know only the longer name, and others only the shorter.
        if let Ok(refusal) = &answer
            && refusal.status == 400
            && String::from_utf8_lossy(&refusal.body).contains("max_completion_tokens")
        {
            (answer, took) = post("max_completion_tokens");
        }
        let status = answer.as_ref().ok().map(|answer| answer.status);
        let failure = match answer {
            Ok(answer) => self.judged(&answer, &url, protocol, &auth_headers),
            Err(TransportError::Timeout { connected: true }) => Some(Failure::with(
                FailureKind::Passing,
                format!("{} did not answer within {} s", origin(&url), self.retry.limit.as_secs()),
                "try again, or with a smaller model",
            )),
            Err(error) => Some(Failure::transport(&error, &url, self.retry.limit)),
        };
        Ok(Probe { status, took, failure })
    }

    /// What is wrong with an answer, if anything is.
    fn judged(
        &self,
        answer: &HttpResponse,
        url: &str,
        protocol: Protocol,
        auth_headers: &AuthHeaders,
    ) -> Option<Failure> {
        let said = || auth_headers.said(answer);
        if let Some(failure) = Failure::of_proxy(answer, url, self.source.name) {
            return Some(failure);
        }
        let (status, family) = (answer.status, protocol.family());
        let failure = match status {
            200..300 => match serde_json::from_slice::<Json>(&answer.body) {
                Ok(body) if body.is_object() => {
                    normalize::stated_error(&body)?;
                    Failure::lasting(
                        format!("{} answered with an error{}", origin(url), said()),
                        "search the provider's documentation for this message",
                    )
                }
                _ => Failure::lasting(
                    format!("{} did not send JSON, so the base URL is probably wrong", shown(url)),
                    format!("check base_urls.{family}"),
                )
                .of_address(),
            },
            400 | 422 => Failure::lasting(
                format!("the request was refused ({status}){}", said()),
                "search for the message, or try another model with --model",
            ),
            404 | 405 | 410 => Failure::lasting(
                format!("{} does not serve this model over {protocol} ({status}){}", shown(url), said()),
                format!(
                    "if no model answers here, check base_urls.{family}, or remove {protocol} from `protocols`"
                ),
            )
            .of_address(),
            _ => return Some(Failure::status(answer, url, &self.source, auth_headers)),
        };
        Some(failure.or_of_proxy(answer, self.source.name))
    }
}

pub(super) fn path(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Anthropic => "/v1/messages",
        Protocol::OpenaiResponses => "/responses",
        Protocol::OpenaiChatCompletions => "/chat/completions",
    }
}

fn body(protocol: Protocol, model: &str, limit_name: &str) -> Json {
    let messages = json!([{ "role": "user", "content": "Reply with one word: pong" }]);
    match protocol {
        Protocol::Anthropic => json!({ "model": model, "max_tokens": TOKENS, "messages": messages }),
        Protocol::OpenaiResponses => {
            json!({ "model": model, "max_output_tokens": TOKENS, "store": false, "input": messages })
        }
        Protocol::OpenaiChatCompletions => {
            json!({ "model": model, limit_name: TOKENS, "messages": messages })
        }
    }
}
