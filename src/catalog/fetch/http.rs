//! The only code that talks to the network: one request, with every limit set.
//!
//! No redirect is followed: the key would go along. The size is counted after decompression, and the time
//! over the whole exchange, so that neither a bomb nor a drip gets far. Certificates are always verified,
//! against the system's store (`SSL_CERT_FILE` and `SSL_CERT_DIR` name another, as a company's proxy needs)
//! or, where there is none, against Mozilla's as built in.

use std::fmt;
use std::io::{ErrorKind, Read};
use std::time::Duration;

use shims::{Proxy, proxy};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, SocksConnector, TcpConnector};
use ureq::{Agent, Error, ProxyProtocol, RequestBuilder, Timeout};

use super::plain_proxy;
use super::tls::{TlsConnector, certificate_words, is_of_certificate, roots};
use crate::catalog::source::{origin, without_query};
use crate::env::Environment;

/// The largest answer, decompressed.
const MAX_BODY: u64 = 8 * 1024 * 1024;
/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
const USER_AGENT: &str = concat!("agent-run/", env!("CARGO_PKG_VERSION"));

/// Two ways in which the look-up of a name fails.
const NO_HOST: &str = "no such host";
const LOOKUP: &str = "the name lookup failed";

/// Something to ask one server with.
pub struct Client {
    agent: Agent,
    /// The proxy it is asked through, as it may be shown.
    proxy: Option<String>,
    /// Whether the proxy sees the requests: then some answers are its own.
    is_forwarded: bool,
    /// What the proxy is sent beside each request; in a tunnel it is sent with CONNECT alone.
    proxy_header: Option<(String, String)>,
}

/// What a server answered, whatever it was.
#[derive(Debug)]
pub struct HttpResponse {
    pub status: u16,
    pub body: Vec<u8>,
    /// The proxy that may have given it instead of the server.
    pub proxy: Option<String>,
    headers: ureq::http::HeaderMap,
}

/// Why there is no answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TransportError {
    /// The time was up: before there was a connection, or after.
    Timeout { connected: bool },
    /// More than 8 MiB.
    TooLarge,
    /// The server went away in the middle.
    Reset,
    /// Something is wrong with the proxy, or with the way to it.
    Proxy(String),
    /// The server's certificate is not accepted.
    Certificate(String),
    /// Anything else; without URL or secret.
    Other(String),
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout { connected: false } => f.write_str("connecting timed out"),
            Self::Timeout { connected: true } => f.write_str("the answer timed out"),
            Self::TooLarge => write!(f, "the answer is larger than {} MiB", MAX_BODY / 1024 / 1024),
            Self::Reset => f.write_str("the connection was closed"),
            Self::Proxy(why) | Self::Certificate(why) | Self::Other(why) => f.write_str(why),
        }
    }
}

impl TransportError {
    /// Whether the address of the server is not known.
    pub fn is_lookup(&self) -> bool {
        matches!(self, Self::Other(why) if why == NO_HOST || why.starts_with(LOOKUP))
    }
}

impl HttpResponse {
    /// A header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the proxy itself gave it: by its status, or by headers of proxies' own errors (RFC 9209, Squid).
    pub fn is_of_proxy(&self) -> bool {
        let is_own = self.header("proxy-status").is_some_and(|status| status.contains("error="))
            || ["proxy-authenticate", "x-squid-error"].iter().any(|name| self.header(name).is_some());
        self.proxy.is_some() && (self.status == 407 || (is_own && self.status >= 400))
    }

    /// Whether it may be the proxy's: it refuses as proxies do, and neither speaks JSON as a provider does nor says that it
    /// was passed on.
    pub fn may_be_of_proxy(&self) -> bool {
        let is_json = || serde_json::from_slice::<serde::de::IgnoredAny>(&self.body).is_ok();
        let is_refusal = matches!(self.status, 403 | 405 | 500..);
        self.proxy.is_some() && is_refusal && self.header("via").is_none() && !is_json()
    }
}

impl Client {
    /// A client for the server of `url`, with the proxy that the rule and the environment give.
    pub fn new(url: &str, rule: &Proxy, env: &Environment) -> Result<Self, TransportError> {
        let proxy = proxy_url(url, rule, env);
        let used = proxy.as_deref().map(ureq::Proxy::new).transpose();
        let used = used.map_err(|_| TransportError::Proxy("the proxy's URL cannot be used".to_owned()))?;
        let is_tls = origin(url).starts_with("https:");
        let is_plain = |proxy: &ureq::Proxy| !is_tls && proxy.protocol() == ProxyProtocol::Http;
        let plain = used.clone().filter(is_plain);
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(USER_AGENT)
            .accept("application/json")
            .proxy(used.filter(|proxy| !is_plain(proxy)));
        let trusted = if is_tls { roots(env) } else { Vec::new() };
        if is_tls {
            config = config.tls_config(TlsConfig::builder().root_certs(RootCerts::WebPki).build());
        }
        let agent = match &plain {
            Some(proxy) => plain_proxy::agent(config.build(), proxy, &origin(url)),
            None if trusted.is_empty() => config.build().new_agent(),
            None => {
                let tls = TlsConnector::new(trusted).map_err(TransportError::Certificate)?;
                let tcp = ().chain(SocksConnector::default()).chain(ConnectProxyConnector::default());
                let connector = tcp.chain(TcpConnector::default()).chain(tls);
                Agent::with_parts(config.build(), connector, DefaultResolver::default())
            }
        };
        let proxy_header = plain.as_ref().and_then(plain_proxy::authorization);
        Ok(Self {
            agent,
            is_forwarded: plain.is_some(),
            proxy: proxy.map(|proxy| origin(&proxy)),
            proxy_header,
        })
    }

    /// Asks, for at most `limit`. Any status is an answer.
    pub fn get(
        &self,
        url: &str,
        headers: &[(String, String)],
        limit: Duration,
    ) -> Result<HttpResponse, TransportError> {
        self.answer(self.limited(self.agent.get(url), headers, limit).call())
    }

    /// Sends JSON, for at most `limit`.
    pub fn post(
        &self,
        url: &str,
        headers: &[(String, String)],
        json: &str,
        limit: Duration,
    ) -> Result<HttpResponse, TransportError> {
        let request = self.agent.post(url).content_type("application/json");
        self.answer(self.limited(request, headers, limit).send(json))
    }

    fn limited<B>(
        &self,
        mut request: RequestBuilder<B>,
        headers: &[(String, String)],
        limit: Duration,
    ) -> RequestBuilder<B> {
        for (name, value) in headers.iter().chain(&self.proxy_header) {
            request = request.header(name, value);
        }
        request
            .config()
            .timeout_global(Some(limit))
            .timeout_resolve(Some(CONNECT.min(limit)))
            .timeout_connect(Some(CONNECT.min(limit)))
            .build()
    }

    fn answer(
        &self,
        response: Result<ureq::http::Response<ureq::Body>, Error>,
    ) -> Result<HttpResponse, TransportError> {
        let (parts, body) = response.map_err(|error| self.named(transport_error(error)))?.into_parts();
        let mut bytes = Vec::new();
        let read = body.into_reader().take(MAX_BODY + 1).read_to_end(&mut bytes);
        read.map_err(|error| transport_error(error.into()))?;
        if bytes.len() as u64 > MAX_BODY {
            return Err(TransportError::TooLarge);
        }
        let proxy = self.proxy.clone().filter(|_| self.is_forwarded);
        Ok(HttpResponse { status: parts.status.as_u16(), body: bytes, proxy, headers: parts.headers })
    }

    /// The error with the proxy in it, which may be what cannot be reached.
    fn named(&self, error: TransportError) -> TransportError {
        match (error, &self.proxy) {
            (TransportError::Other(why) | TransportError::Proxy(why), Some(proxy)) => {
                TransportError::Proxy(format!("{why}, asked through the proxy {proxy}"))
            }
            (error, _) => error,
        }
    }
}

fn transport_error(error: Error) -> TransportError {
    match error {
        Error::Timeout(Timeout::Connect | Timeout::Resolve) => TransportError::Timeout { connected: false },
        Error::Timeout(_) => TransportError::Timeout { connected: true },
        Error::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused => TransportError::Other("connection refused".to_owned()),
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof => TransportError::Reset,
            ErrorKind::TimedOut => TransportError::Timeout { connected: true },
            _ if is_of_certificate(&error) => {
                TransportError::Certificate(certificate_words(error.to_string()))
            }
            _ => TransportError::Other(named(&error.to_string())),
        },
        Error::BodyStalled => TransportError::Reset,
        Error::ConnectProxyFailed(why) => TransportError::Proxy(tunnel_words(&why)),
        Error::HostNotFound => TransportError::Other(NO_HOST.to_owned()),
        Error::BadUri(_) => TransportError::Other("the URL cannot be requested".to_owned()),
        Error::Http(_) => {
            TransportError::Other("a header cannot be sent: it contains an invalid character".to_owned())
        }
        other => TransportError::Other(other.to_string()),
    }
}

/// Why a proxy opens no tunnel, by what ureq (3.5) makes of its answer.
fn tunnel_words(why: &str) -> String {
    let status: String =
        why.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    match status.as_str() {
        "" => why.to_owned(),
        "407" => "a name and a password are needed (407)".to_owned(),
        status => format!("no tunnel is opened ({status})"),
    }
}

/// The error of a look-up, which std gives as text alone, in our words.
fn named(error: &str) -> String {
    let Some(why) = error.strip_prefix("failed to lookup address information: ") else {
        return error.to_owned();
    };
    // glibc and macOS on a name that no one knows.
    if ["Name or service not known", "nodename nor servname provided, or not known"].contains(&why) {
        return NO_HOST.to_owned();
    }
    format!("{LOOKUP}: {}", why.to_lowercase())
}

/// The proxy for `url`; a server on this machine is always asked directly.
fn proxy_url(url: &str, rule: &Proxy, env: &Environment) -> Option<String> {
    if proxy::is_loopback(url) {
        return None;
    }
    let var = |name: &str| env.var(name).or_else(|| env.var(&name.to_ascii_uppercase()))?.to_str();
    match rule {
        Proxy::None => None,
        Proxy::Url(proxy) => Some(proxy.clone()),
        Proxy::Inherit if is_excepted(proxy::host(url), var("no_proxy").unwrap_or_default()) => None,
        Proxy::Inherit => {
            let own = if origin(url).starts_with("https:") { "https_proxy" } else { "http_proxy" };
            var(own).or_else(|| var("all_proxy")).map(str::to_owned)
        }
    }
}

/// `NO_PROXY` as curl reads it: a domain covers what is below it, with or without a leading dot.
fn is_excepted(host: &str, no_proxy: &str) -> bool {
    let host = host.to_ascii_lowercase();
    no_proxy.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.to_ascii_lowercase();
        let domain = entry.trim_start_matches("*.").trim_start_matches('.');
        entry == "*" || host == domain || host.strip_suffix(domain).is_some_and(|above| above.ends_with('.'))
    })
}

/// The URL as it may be shown: no query, no user.
pub fn shown(url: &str) -> String {
    let path = without_query(url).split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    path.map_or_else(|| origin(url), |(_, path)| format!("{}/{path}", origin(url)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(vars: &[(&str, &str)]) -> Environment {
        Environment::made_of(vars.iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    #[test]
    fn the_proxy_fits_the_scheme_and_never_this_machine() {
        let env = env(&[
            ("HTTPS_PROXY", "http://s:1"),
            ("http_proxy", "http://p:1"),
            ("no_proxy", ".in.side, x.y"),
        ]);
        let proxy = |url, rule: &Proxy| proxy_url(url, rule, &env);
        assert_eq!(proxy("https://a.b/v1", &Proxy::Inherit).as_deref(), Some("http://s:1"));
        assert_eq!(proxy("http://a.b/v1", &Proxy::Inherit).as_deref(), Some("http://p:1"));
        assert_eq!(proxy("https://a.b/v1", &Proxy::None), None);
        let own = Proxy::Url("http://own:2".to_owned());
        assert_eq!(proxy("https://in.side/v1", &own).as_deref(), Some("http://own:2"));
        for direct in ["https://in.side", "https://a.in.side:8/x", "https://x.y", "http://a.x.y"] {
            assert_eq!(proxy(direct, &Proxy::Inherit), None, "{direct}");
        }
        assert!(proxy("https://notx.y", &Proxy::Inherit).is_some());
        for local in ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1"] {
            assert_eq!(proxy(local, &own), None, "{local}");
        }
    }

    #[test]
    fn a_url_is_shown_without_its_secrets() {
        assert_eq!(shown("https://u:pw@A.b:443/v1/models?key=x"), "https://a.b/v1/models");
        assert_eq!(shown("http://a.b:80"), "http://a.b");
    }
}
