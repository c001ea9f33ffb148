//! Why a list could not be loaded, in words that help, and for how long that is worth remembering.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shims::Message;

use super::AuthHeaders;
use super::http::{HttpResponse, TransportError, shown};
use super::pages;
use crate::catalog::normalize::{self, Reject};
use crate::catalog::source::{Source, origin};
use crate::error;
use crate::ui::sanitize::printable;

/// The longest quote of a provider's own words.
const MAX_QUOTE: usize = 512;

/// A shorter word that begins as a key does is none.
const SHORTEST_KEY: usize = 8;

/// How the message of a failure begins where the provider does not take the key.
pub(super) const KEY_REFUSED: &str = "the key was refused";

/// What to check of a provider that is not in the config yet, where the help names a setting.
const ADDRESS: &str = "check the provider's address";
const SERVER: &str = "check that the server is running, and that its address is right";

/// How long not to ask again after a failure that may pass.
pub const AWHILE: Duration = Duration::from_secs(60);

/// A failed refresh.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Failure {
    /// What kind of failure it is; files of earlier versions do not say.
    #[serde(default)]
    pub kind: FailureKind,
    /// The sentence, and what to do. No secret is in it.
    #[serde(flatten)]
    pub message: Message,
    /// What to do instead if the provider is not in the config yet.
    #[serde(skip)]
    pub(super) help_of_new: Option<&'static str>,
}

/// The kinds of failure, as far as something is done differently.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
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
    /// There is no key to send, or this run does not ask for it.
    NoKey,
    /// The provider says when to ask again.
    RateLimited(Option<Duration>),
    #[default]
    /// Something that stays until the user or the provider changes it.
    Lasting,
}

impl Failure {
    /// A failure with its message.
    pub fn new(kind: FailureKind, message: impl Into<Message>) -> Self {
        Self { kind, message: message.into(), help_of_new: None }
    }

    /// A failure, and what to do.
    pub fn with(kind: FailureKind, text: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(kind, Message::new(text, help))
    }

    /// A failure that stays, and what to do.
    pub fn lasting(text: impl Into<String>, help: impl Into<String>) -> Self {
        Self::with(FailureKind::Lasting, text, help)
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
        let (text, help, help_of_new) = match error {
            TransportError::Timeout { connected: false } => (
                format!("connecting to {host} timed out"),
                "check that it is running and reachable from this machine (VPN, proxy)",
                None,
            ),
            TransportError::Timeout { connected: true } => (
                format!("{host} did not send a complete answer within {} s", limit.as_secs()),
                "check that it is running, or list the models under `models:` in the config",
                Some(SERVER),
            ),
            TransportError::TooLarge => (
                format!("{}: {error}, so it is not a model list", shown(url)),
                "check base_urls",
                Some(ADDRESS),
            ),
            TransportError::Certificate(why) => (
                format!("{host}: {why}"),
                "if the certificate is from your own server or a company proxy, set NODE_EXTRA_CA_CERTS to a file that \
                 contains it",
                None,
            ),
            TransportError::Proxy(why) => (
                format!("{host}: {why}"),
                "check https_proxy and http_proxy, or `proxy:` of the provider; to reach a host directly, add it to \
                 no_proxy",
                None,
            ),
            TransportError::Other(why) if error.is_lookup() => (
                format!("{host}: {why}"),
                "check this machine's network connection, and the address in base_urls",
                Some("check this machine's network connection, and the provider's address"),
            ),
            TransportError::Reset | TransportError::Other(_) => (
                format!("{host}: {error}"),
                "check that the server is running and that base_urls is correct",
                Some(SERVER),
            ),
        };
        Self { help_of_new, ..Self::with(kind, text, help) }
    }

    /// The same, where the help names the address in the config.
    pub fn of_address(self) -> Self {
        Self { help_of_new: Some(ADDRESS), ..self }
    }

    /// The same of a provider that the config does not have yet: it has no setting to check.
    pub fn of_new(mut self) -> Self {
        self.message.help = self.help_of_new.map(str::to_owned).or(self.message.help);
        self
    }

    /// An answer that is no list, by its status.
    pub(super) fn status(answer: &HttpResponse, url: &str, source: &Source<'_>, sent: &AuthHeaders) -> Self {
        let of_server = || Self::of_server(answer, url, source, sent);
        Self::of_proxy(answer, url, source.name)
            .unwrap_or_else(|| of_server().or_of_proxy(answer, source.name))
    }

    fn of_server(answer: &HttpResponse, url: &str, source: &Source<'_>, sent: &AuthHeaders) -> Self {
        let (status, server, page, name) = (answer.status, origin(url), shown(url), source.name);
        let said = sent.said(answer);
        let word = shims::quote(name.as_ref());
        match status {
            300..=399 => {
                let to =
                    answer.header("location").map(|to| origin(if to.contains("://") { to } else { url }));
                let to = to.map_or_else(String::new, |to| format!(" to {}", printable(&to, 100)));
                Self::lasting(
                    format!("{page} redirects{to} ({status}), and agent-run follows no redirect with a key"),
                    format!("if that is the provider, set its address in providers.{name}.base_urls"),
                )
                .of_address()
            }
            401 | 403 | 503 if normalize::is_web_page(&answer.body) => {
                let by = answer.header("server").unwrap_or_default();
                let who = if by.eq_ignore_ascii_case("cloudflare") { "Cloudflare" } else { "something" };
                Self::lasting(
                    format!("{who} in front of {server} sent a web page ({status})"),
                    format!(
                        "it blocks automated clients, or your address: try another network, or list the \
                         models under providers.{name}.models"
                    ),
                )
            }
            401 | 403 if said.contains("access_terminated_error") => Self::lasting(
                format!("client not allowed ({status}){said}"),
                "this plan only works with the provider's own clients",
            ),
            401 | 403 if sent.has_key => Self::with(
                FailureKind::KeyRefused,
                format!("{KEY_REFUSED} ({status}){said}"),
                format!("check {}, or set another: `agent-run key set {word}`", source.key_name()),
            ),
            401 | 403 => Self::with(
                FailureKind::KeyRefused,
                format!("{server} requires a key ({status}){said}"),
                format!("no key was sent; set one: `agent-run key set {word}`"),
            ),
            402 => {
                Self::lasting(format!("the account needs credit (402){said}"), "add credit at the provider")
            }
            404 | 405 => Self::new(FailureKind::NoList, format!("{page} has no model list ({status})")),
            410 => {
                let help = "list the models under `models:`, and set `model_api_filters: []` to stop asking";
                let text = format!("{page} no longer exists (410){said}");
                Self::with(FailureKind::Gone, text, help)
            }
            429 => {
                let wait = answer.header("retry-after").and_then(pages::retry_after);
                let when = wait.map_or_else(|| "later".to_owned(), |wait| format!("in {} s", wait.as_secs()));
                let text = format!("too many requests (429){said}");
                Self::with(FailureKind::RateLimited(wait), text, format!("try again {when}"))
            }
            500.. => {
                let text = format!("{server} has an internal error ({status}){said}");
                Self::with(FailureKind::Passing, text, "try again later")
            }
            _ => Self::lasting(format!("{page} answered {status}{said}"), "check base_urls and `headers`")
                .of_address(),
        }
    }

    /// An answer with a good status that is no list all the same.
    pub fn reject(reject: &Reject, url: &str, secrets: &[String]) -> Self {
        let shown = shown(url);
        match reject {
            Reject::Html => Self::lasting(
                format!("the server sent a web page for {shown}, so the base URL is probably wrong"),
                "check the provider's API address; OpenAI-compatible ones often end in /v1",
            ),
            Reject::Error(said) => Self::lasting(
                format!("{} answered with an error: {}", origin(url), clean(said, secrets)),
                "search the provider's documentation for this message",
            ),
            Reject::NoList | Reject::NotJson(_) => Self::lasting(
                format!("{shown} sent {reject}"),
                "set `models_url`, or list the models under `models:`",
            )
            .of_address(),
        }
    }

    /// No place has a list.
    pub fn nowhere(urls: &[String], source: &Source<'_>) -> Self {
        let tried: Vec<_> = urls.iter().map(|url| shown(url)).collect();
        let help = format!(
            "list the models under providers.{}.models, or set models_url if the list is at another address",
            source.name
        );
        Self::with(FailureKind::NoList, format!("no model list here; tried {}", tried.join(", ")), help)
    }
}

/// An error of our own, as of a key that cannot be read: it stays.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(FailureKind::Lasting, error::message(&error))
    }
}

impl From<Failure> for anyhow::Error {
    fn from(failure: Failure) -> Self {
        anyhow::anyhow!(failure.message)
    }
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
    fn a_new_provider_has_no_setting_to_check() {
        let limit = Duration::from_secs(10);
        for (error, part) in [
            (TransportError::Timeout { connected: true }, "its address"),
            (TransportError::Reset, "its address"),
            (TransportError::Other("no such host".to_owned()), "network connection"),
            (TransportError::Timeout { connected: false }, "reachable"),
        ] {
            let failure = Failure::transport(&error, "http://127.0.0.1:9", limit).of_new();
            let help = failure.message.help.expect("a help");
            assert!(help.contains(part) && !help.contains("base_urls") && !help.contains("config"), "{help}");
        }
    }

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
}
