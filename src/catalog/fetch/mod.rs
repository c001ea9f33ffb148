//! Asks a provider for its list: where, with which headers, how often, and for how long.
//!
//! A failure is reported and never half a success, with one exception: pages read before one that failed
//! are handed on as a part of the list.

pub mod detect;
mod failure;
pub(super) mod http;
pub mod pages;
mod plain_proxy;
mod probe;
mod tls;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Result;
use shims::template::Field;
use shims::{Message, Part, Value};

use self::http::{Client, HttpResponse};
use super::cache::{Completeness, Fetched};
use super::normalize::{MAX_ROWS, ModelList, Reject};
use super::source::{Endpoint, Source, without_query};
use crate::env::Environment;
use crate::header;

pub use failure::{AWHILE, Failure, FailureKind, quote};
pub use plain_proxy::OR_OF_PROXY;
pub use probe::Probe;

/// The most pages of one list.
const MAX_PAGES: usize = 20;
/// The longest that a provider may make an explicit refresh wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Names and values of headers.
type Headers = Vec<(String, String)>;

/// How long to wait for the whole, and how hard to try.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// The time for everything together.
    pub limit: Duration,
    /// Whether passing trouble is worth a second try.
    pub retries: bool,
}

impl RetryPolicy {
    /// For a refresh that the user asked for.
    pub const EXPLICIT: Self = Self { limit: Duration::from_secs(10), retries: true };
    /// For a model's answer that the user asked for.
    pub const ANSWER: Self = Self { limit: Duration::from_secs(60), retries: false };
    /// For a refresh that nobody waits for.
    pub const BACKGROUND: Self = Self { limit: Duration::from_secs(10), retries: false };

    /// For a refresh that something waits for.
    pub fn at_most(limit: Duration) -> Self {
        Self { limit, retries: false }
    }
}

/// What is needed to ask.
pub struct Fetcher<'a> {
    /// Whose list.
    pub source: Source<'a>,
    /// Gives the key; called once at most, and only if the key is really sent.
    pub key: &'a dyn Fn() -> Result<Option<String>>,
    /// For proxies and for headers that name variables.
    pub env: &'a Environment,
    /// How long and how hard.
    pub retry: RetryPolicy,
}

impl Fetcher<'_> {
    /// The provider's list.
    pub fn fetch(&self) -> Result<Fetched, Failure> {
        let deadline = Instant::now() + self.retry.limit;
        let endpoints = self.source.endpoints();
        let mut key = None;
        // What a proxy may have said in the provider's place.
        let mut doubt = None;
        for endpoint in &endpoints {
            if endpoint.keyed && key.is_none() {
                let given =
                    (self.key)().map_err(|error| Failure { kind: FailureKind::NoKey, ..error.into() })?;
                key = Some(given.filter(|key| !key.is_empty()));
            }
            let key = key.as_ref().and_then(Option::as_deref).filter(|_| endpoint.keyed);
            match PageReader::new(self, endpoint, key, deadline)?.list() {
                Err(Failure { kind: FailureKind::NoList, message, .. }) => {
                    doubt = doubt.or(message.help.is_some().then_some(message));
                }
                outcome => return outcome,
            }
        }
        if let Some(message) = doubt {
            return Err(Failure::new(FailureKind::Lasting, message));
        }
        let urls: Vec<_> = endpoints.into_iter().map(|endpoint| endpoint.url).collect();
        Err(Failure::nowhere(&urls, &self.source))
    }

    /// The config's own headers, filled in, and which of the values are secret.
    fn headers(&self, key: Option<&str>) -> Result<(Headers, Vec<String>), Failure> {
        let context = |field| match field {
            Field::Provider => self.source.name.to_owned(),
            _ => String::new(), // a list has no model, protocol or agent
        };
        let mut headers = Vec::new();
        let mut secrets: Vec<String> = key.map(str::to_owned).into_iter().collect();
        for (name, template) in &self.source.provider.headers {
            if template.names_key() && key.is_none() {
                continue;
            }
            let value = self.fill(name, &template.fill(context), key)?;
            if let Some(fault) = header::fault(value.as_bytes()) {
                return Err(Failure::new(FailureKind::Lasting, header::complaint(name, fault)));
            }
            if template.names_key() || template.variables().next().is_some() {
                secrets.push(value.clone());
            }
            headers.push((name.clone(), value));
        }
        Ok((headers, secrets))
    }

    /// The headers of a request, the key in exactly one of them.
    fn auth_headers(&self, anthropic: bool, key: Option<&str>) -> Result<AuthHeaders, Failure> {
        let (mut headers, secrets) = self.headers(key)?;
        let has = |headers: &[(String, String)], wanted: &str| {
            headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted))
        };
        // The user's own, or ours.
        let own = has(&headers, "authorization") || has(&headers, "x-api-key");
        if let Some(key) = key.filter(|_| !own) {
            headers.push(header::of_key(key, anthropic && self.source.provider.anthropic_use_api_key));
        }
        if anthropic && !has(&headers, "anthropic-version") {
            headers.push(("anthropic-version".to_owned(), "2023-06-01".to_owned()));
        }
        Ok(AuthHeaders { headers, secrets, has_key: own || key.is_some() })
    }

    fn client(&self, url: &str) -> Result<Client, Failure> {
        Client::new(url, &self.source.provider.proxy.0, self.env)
            .map_err(|error| Failure::transport(&error, url, self.retry.limit))
    }

    fn fill(&self, header: &str, value: &Value, key: Option<&str>) -> Result<String, Failure> {
        let mut text = String::new();
        for part in value.parts() {
            match part {
                Part::Text(plain) => text.push_str(&plain.to_string_lossy()),
                Part::Key => text.push_str(key.unwrap_or_default()),
                Part::Env(name) => {
                    let value = self.env.var(name).and_then(|value| value.to_str()).ok_or_else(|| {
                        Failure::lasting(
                            format!("headers.{header} needs {name}, which is not set"),
                            format!("run `export {name}=…`, or remove ${{env:{name}}}"),
                        )
                    })?;
                    text.push_str(value);
                }
            }
        }
        Ok(text)
    }
}

/// The headers of a request, and what in them is secret.
struct AuthHeaders {
    headers: Headers,
    secrets: Vec<String>,
    has_key: bool,
}

impl AuthHeaders {
    /// What a provider says of an error, behind a message.
    fn said(&self, answer: &HttpResponse) -> String {
        quote(&answer.body, &self.secrets).map_or_else(String::new, |said| format!(": {said}"))
    }
}

/// One place being asked, page by page.
struct PageReader<'a> {
    fetcher: &'a Fetcher<'a>,
    endpoint: &'a Endpoint,
    client: Client,
    sent: AuthHeaders,
    deadline: Instant,
}

impl<'a> PageReader<'a> {
    fn new(
        fetcher: &'a Fetcher<'a>,
        endpoint: &'a Endpoint,
        key: Option<&str>,
        deadline: Instant,
    ) -> Result<Self, Failure> {
        let client = fetcher.client(&endpoint.url)?;
        let sent = fetcher.auth_headers(endpoint.anthropic, key)?;
        Ok(Self { fetcher, endpoint, client, sent, deadline })
    }

    fn list(mut self) -> Result<Fetched, Failure> {
        let source = without_query(&self.endpoint.url).to_owned();
        let mut list = ModelList::default();
        let mut warnings: Vec<Message> = Vec::new();
        let mut extent = Completeness::Complete;
        let mut url = self.endpoint.url.clone();
        let mut asked = BTreeSet::from([url.clone()]);
        loop {
            let had = list.records.len();
            let next = match self.page(&url, &mut list, &source) {
                Ok(next) => next,
                Err(failure) if asked.len() == 1 => return Err(failure),
                Err(failure) => {
                    let Message { text, help } = failure.message;
                    warnings.push(Message { text: format!("only {had} models were read: {text}"), help });
                    extent = Completeness::Partial;
                    break;
                }
            };
            let Some(next) = next else { break };
            let stop = if list.records.len() == had {
                Some("its pages repeat")
            } else if list.records.len() >= MAX_ROWS {
                Some("it is too long")
            } else if asked.len() == MAX_PAGES {
                Some("it has too many pages")
            } else {
                None
            };
            let following =
                stop.map_or_else(|| pages::url(&url, next).ok_or("it has no address of the next page"), Err);
            match following {
                Ok(following) if asked.insert(following.clone()) => url = following,
                stop => {
                    let why = stop.err().unwrap_or("its pages repeat");
                    warnings.push(format!("the list ends after {} models: {why}", list.records.len()).into());
                    extent = Completeness::Truncated;
                    break;
                }
            }
        }
        if list.dropped > 0 && extent == Completeness::Complete {
            warnings.push(
                format!("only the first {MAX_ROWS} models were kept, {} were dropped", list.dropped).into(),
            );
            extent = Completeness::Truncated;
        }
        if list.is_malformed() {
            let all = list.skipped + list.records.len();
            if list.records.is_empty() {
                return Err(Failure::reject(&Reject::NoList, &self.endpoint.url, &self.sent.secrets));
            }
            warnings.push(
                format!("unexpected list shape: {} of {all} entries could not be used", list.skipped).into(),
            );
        }
        Ok(Fetched { records: list.finish().records, extent, source, warnings })
    }

    /// Reads one page; a failure that may pass is tried once more if there is patience for it.
    fn page(
        &mut self,
        url: &str,
        list: &mut ModelList,
        source: &str,
    ) -> Result<Option<super::normalize::Next>, Failure> {
        let answer = match self.get(url) {
            Err(failure) if self.fetcher.retry.retries && self.wait_out(failure.kind) => self.get(url)?,
            outcome => outcome?,
        };
        let is_html =
            answer.header("content-type").is_some_and(|kind| kind.trim_start().starts_with("text/html"));
        let outcome = if is_html { Err(Reject::Html) } else { list.add_page(&answer.body, source) };
        outcome.map_err(|reject| Failure::reject(&reject, url, &self.sent.secrets))
    }

    fn get(&self, url: &str) -> Result<HttpResponse, Failure> {
        let limit = self.fetcher.retry.limit;
        let left = self.deadline.saturating_duration_since(Instant::now());
        let answer = self.client.get(url, &self.sent.headers, left.max(Duration::from_millis(1)));
        let answer = answer.map_err(|error| Failure::transport(&error, url, limit))?;
        match answer.status {
            200..300 => Ok(answer),
            _ => Err(Failure::status(&answer, url, &self.fetcher.source, &self.sent)),
        }
    }

    /// Whether a second try makes sense; sleeps until then, and what was slept is no part of the limit.
    fn wait_out(&mut self, kind: FailureKind) -> bool {
        let wait = match kind {
            FailureKind::Passing => Duration::from_millis(250),
            FailureKind::RateLimited(Some(wait)) if wait <= LONGEST_WAIT => wait,
            _ => return false,
        };
        std::thread::sleep(wait);
        self.deadline += wait;
        true
    }
}
