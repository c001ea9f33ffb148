//! Why a list could not be loaded, in words that help, and for how long that is worth remembering.

use shims::Message;
use std::time::Duration;

use super::http::{HttpResponse, TransportError, shown};
use crate::catalog::normalize::{self, Reject};
use crate::catalog::source::{Source, origin};
use crate::ui::sanitize::printable;

/// The longest quote of a provider's own words.
const MAX_QUOTE: usize = 512;

/// A shorter word that begins as a key does is none.
const SHORTEST_KEY: usize = 8;

/// How long not to ask again after a failure that may pass.
pub const AWHILE: Duration = Duration::from_secs(60);

/// A failed refresh.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: FailureKind,
    /// The sentence, and what to do. No secret is in it.
    pub message: Message,
}

/// The kinds of failure, as far as something is done differently.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FailureKind {
    /// Nothing here: the next place may have a list.
    NoList,
    /// The provider says that there is no list any more.
    Gone,
    /// Asking again a little later may work.
    Passing,
    /// Nobody answered: the network, the address, or a server that does not run.
    Unreachable,
    /// The key was refused, or none was sent.
    KeyRefused,
    /// The provider says when to ask again.
    RateLimited(Option<Duration>),
    /// Something that stays until the user or the provider changes it.
    Lasting,
}

impl Failure {
    /// A failure with its message.
    pub fn new(kind: FailureKind, message: impl Into<Message>) -> Self {
        Self { kind, message: message.into() }
    }

    /// Whether the provider simply has no list.
    pub fn is_no_list(&self) -> bool {
        matches!(self.kind, FailureKind::NoList | FailureKind::Gone)
    }

    /// How long not to ask again by ourselves.
    pub fn worth_remembering(&self) -> Duration {
        match self.kind {
            FailureKind::NoList | FailureKind::Gone => Duration::from_secs(24 * 60 * 60),
            FailureKind::RateLimited(Some(wait)) => wait.clamp(AWHILE, 60 * AWHILE),
            _ => AWHILE,
        }
    }

    /// No answer at all.
    pub fn transport(error: &TransportError, url: &str, limit: Duration) -> Self {
        let host = origin(url);
        let kind = match error {
            TransportError::Reset => FailureKind::Passing,
            TransportError::TooLarge => FailureKind::Lasting,
            _ => FailureKind::Unreachable,
        };
        Self::new(
            kind,
            match error {
                TransportError::Timeout { connected: false } => Message::new(
                    format!("connecting to {host} timed out"),
                    "check that it is running and reachable from this machine (VPN, proxy)",
                ),
                TransportError::Timeout { connected: true } => Message::new(
                    format!("{host} did not send a complete answer within {} s", limit.as_secs()),
                    "check that it is running, or list the models under `models:` in the config",
                ),
                TransportError::TooLarge => Message::new(
                    format!("{}: {error}, so it is not a model list", shown(url)),
                    "check base_urls",
                ),
                TransportError::Other(why) if why.contains("certificate") => Message::new(
                    format!("{host}: {why}"),
                    "if it is your own server's, or that of a company's proxy, name a file with it in NODE_EXTRA_CA_CERTS",
                ),
                TransportError::Proxy(why) => Message::new(
                    format!("{host}: {why}"),
                    "check https_proxy and http_proxy, or `proxy:` of the provider; no_proxy names hosts to ask directly",
                ),
                TransportError::Other(why) if error.is_lookup() => Message::new(
                    format!("{host}: {why}"),
                    "check this machine's network connection, and the address in base_urls",
                ),
                TransportError::Reset | TransportError::Other(_) => Message::new(
                    format!("{host}: {error}"),
                    "check that the server is running and that base_urls is correct",
                ),
            },
        )
    }

    /// An answer that a proxy gave instead of the server.
    fn of_proxy(status: u16, proxy: &str, url: &str, name: &str) -> Option<Self> {
        let message = match status {
            405 | 501 => Message::new(
                format!("{}: the proxy {proxy} does not forward http:// requests ({status})", origin(url)),
                format!("use the provider's https:// address, or set `proxy: none` below providers.{name}"),
            ),
            407 => Message::new(
                format!("the proxy {proxy} requires a name and a password (407)"),
                "write them into its URL: http://NAME:PASSWORD@HOST:PORT",
            ),
            _ => return None,
        };
        Some(Self::new(FailureKind::Lasting, message))
    }

    /// An answer that is no list, by its status.
    pub fn status(
        answer: &HttpResponse,
        url: &str,
        source: &Source<'_>,
        key_sent: bool,
        secrets: &[String],
    ) -> Self {
        let by_proxy = answer.proxy.as_deref();
        let by_proxy = by_proxy.and_then(|proxy| Self::of_proxy(answer.status, proxy, url, source.name));
        by_proxy.unwrap_or_else(|| Self::of_server(answer, url, source, key_sent, secrets))
    }

    fn of_server(
        answer: &HttpResponse,
        url: &str,
        source: &Source<'_>,
        key_sent: bool,
        secrets: &[String],
    ) -> Self {
        let name = source.name;
        let said = quote(&answer.body, secrets).map_or_else(String::new, |said| format!(": {said}"));
        let (status, word) = (answer.status, shims::quote(name.as_ref()));
        match status {
            300..=399 => {
                let target = answer
                    .header("location")
                    .map(|to| if to.contains("://") { origin(to) } else { origin(url) });
                let target = target.map_or_else(String::new, |to| format!(" to {}", printable(&to, 100)));
                Self::new(
                    FailureKind::Lasting,
                    Message::new(
                        format!(
                            "{} redirects{target} ({status}), and agent-run follows no redirect with a key",
                            shown(url)
                        ),
                        format!("if that is the provider, set its address in providers.{name}.base_urls"),
                    ),
                )
            }
            401 | 403 | 503 if normalize::is_web_page(&answer.body) => {
                let server = answer.header("server").unwrap_or_default();
                let is_cloudflare = server.eq_ignore_ascii_case("cloudflare");
                let who = if is_cloudflare { "Cloudflare" } else { "something" };
                Self::new(
                    FailureKind::Lasting,
                    Message::new(
                        format!("{who} in front of {} sent a web page ({status})", origin(url)),
                        format!(
                            "it blocks automated clients, or your address: try another network, or list the \
                             models under providers.{name}.models"
                        ),
                    ),
                )
            }
            401 | 403 if said.contains("access_terminated_error") => Self::new(
                FailureKind::Lasting,
                Message::new(
                    format!("client not allowed ({status}){said}"),
                    "this plan only works with the provider's own clients",
                ),
            ),
            401 | 403 if key_sent => Self::new(
                FailureKind::KeyRefused,
                Message::new(
                    format!("the key was refused ({status}){said}"),
                    format!("check {}, or set another: agent-run key set {word}", source.key_name()),
                ),
            ),
            401 | 403 => Self::new(
                FailureKind::KeyRefused,
                Message::new(
                    format!("{} requires a key ({status}){said}", origin(url)),
                    format!("no key was sent; set one: agent-run key set {word}"),
                ),
            ),
            402 => Self::new(
                FailureKind::Lasting,
                Message::new(format!("the account needs credit (402){said}"), "add credit at the provider"),
            ),
            404 | 405 => {
                Self::new(FailureKind::NoList, format!("{} has no model list ({status})", shown(url)))
            }
            410 => Self::new(
                FailureKind::Gone,
                Message::new(
                    format!("{} no longer exists (410){said}", shown(url)),
                    "list the models under `models:`, and set `model_api_filters: []` to stop asking",
                ),
            ),
            429 => {
                let wait = answer.header("retry-after").and_then(retry_after);
                let when = wait.map_or_else(|| "later".to_owned(), |wait| format!("in {} s", wait.as_secs()));
                Self::new(
                    FailureKind::RateLimited(wait),
                    Message::new(format!("too many requests (429){said}"), format!("try again {when}")),
                )
            }
            500.. => Self::new(
                FailureKind::Passing,
                Message::new(
                    format!("{} has an internal error ({status}){said}", origin(url)),
                    "try again later",
                ),
            ),
            _ => Self::new(
                FailureKind::Lasting,
                Message::new(
                    format!("{} answered {status}{said}", shown(url)),
                    "check base_urls and `headers`",
                ),
            ),
        }
    }

    /// An answer with a good status that is no list all the same.
    pub fn reject(reject: &Reject, url: &str, secrets: &[String]) -> Self {
        let shown = shown(url);
        Self::new(
            FailureKind::Lasting,
            match reject {
                Reject::Html => Message::new(
                    format!("the server sent a web page for {shown}, so the base URL is probably wrong"),
                    "check the provider's API address; OpenAI-compatible ones often end in /v1",
                ),
                Reject::Error(said) => Message::new(
                    format!("{} answered with an error: {}", origin(url), clean(said, secrets)),
                    "search the provider's documentation for this message",
                ),
                Reject::NoList | Reject::NotJson(_) => Message::new(
                    format!("{shown} sent {reject}"),
                    "set `models_url`, or list the models under `models:`",
                ),
            },
        )
    }

    /// No place has a list.
    pub fn nowhere(urls: &[String], source: &Source<'_>) -> Self {
        let tried: Vec<_> = urls.iter().map(|url| shown(url)).collect();
        Self::new(
            FailureKind::NoList,
            Message::new(
                format!("no model list here; tried {}", tried.join(", ")),
                format!(
                    "list the models under providers.{}.models, or set models_url if the list is at \
                     another address",
                    source.name
                ),
            ),
        )
    }
}

impl From<Failure> for anyhow::Error {
    fn from(failure: Failure) -> Self {
        anyhow::anyhow!(failure.message)
    }
}

/// Seconds, or a date of RFC 9110.
fn retry_after(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<f64>() {
        return Duration::try_from_secs_f64(seconds.ceil()).ok();
    }
    let date = jiff::fmt::rfc2822::parse(value.trim()).ok()?.timestamp();
    Some(date.duration_since(jiff::Timestamp::now()).try_into().unwrap_or_default())
}

/// What the provider says about an error, if that is words and not a page.
pub fn quote(body: &[u8], secrets: &[String]) -> Option<String> {
    let said = clean(&normalize::error_text(body)?, secrets);
    (!said.is_empty()).then_some(said)
}

/// Somebody else's words as we may repeat them: one short line, without keys.
fn clean(text: &str, secrets: &[String]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() > 3) {
        text = text.replace(secret.as_str(), "<key>");
    }
    let mut from = 0;
    while let Some(at) = text[from..].find("sk-").map(|at| from + at) {
        // `task-list` and `a disk-full` are words: a key begins where a word does.
        let begins =
            !text[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
        let ends = |c: char| c.is_whitespace() || "\"'`,;<>()[]{}".contains(c);
        let length = text[at..].find(ends).unwrap_or(text.len() - at);
        if begins && length >= SHORTEST_KEY {
            text.replace_range(at..at + length, "<key>");
        }
        from = at + "sk-".len();
    }
    printable(&text, MAX_QUOTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_repeated_and_nothing_drives_the_terminal() {
        let said = "Incorrect API key provided: sk-FAKE********cdef. Got token hunter22 \u{1b}[31m\nback";
        assert_eq!(
            clean(said, &["hunter22".to_owned()]),
            "Incorrect API key provided: <key> Got token <key> [31m back"
        );
        let words = "the task-list of sk-x is on a disk-full: \"sk-proj-0123456789\"";
        assert_eq!(clean(words, &[]), "the task-list of sk-x is on a disk-full: \"<key>\"");
        assert_eq!(clean(&"x".repeat(9999), &[]).chars().count(), MAX_QUOTE + 1);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after("7"), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        let soon = jiff::Timestamp::now() + Duration::from_secs(3_000);
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&soon).unwrap();
        assert!(retry_after(&date).is_some_and(|wait| wait > Duration::from_secs(2_900)), "{date}");
        assert_eq!(retry_after("2.5"), Some(Duration::from_secs(3)), "no rule has it, and servers send it");
        assert_eq!(["soon", "-1", "NaN", "1e99"].map(retry_after), [None; 4]);
    }
}
