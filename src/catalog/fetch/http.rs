//! The only code that talks to the network: one request, with every limit set.
//!
//! No redirect is followed: the key would go along. The size is counted after decompression, and the time
//! over the whole exchange, so that neither a bomb nor a drip gets far. Certificates are always verified,
//! against the system's store (`SSL_CERT_FILE` and `SSL_CERT_DIR` name another, as a company's proxy needs)
//! or, where there is none, against Mozilla's as built in.

use std::fmt;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::time::Duration;

use shims::{Proxy, proxy};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Error, RequestBuilder, Timeout};

use crate::catalog::source::{origin, without_query};
use crate::env::Environment;
use crate::fs::nonblocking;

/// The largest answer, decompressed.
const MAX_BODY: u64 = 8 * 1024 * 1024;
/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
const USER_AGENT: &str = concat!("agent-run/", env!("CARGO_PKG_VERSION"));

/// Something to ask one server with.
pub struct Client(Agent);

/// What a server answered, whatever it was.
#[derive(Debug)]
pub struct HttpResponse {
    pub status: u16,
    pub body: Vec<u8>,
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
            Self::Other(why) => f.write_str(why),
        }
    }
}

impl HttpResponse {
    /// A header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Client {
    /// A client for the server of `url`, with the proxy that the rule and the environment give.
    ///
    /// # Errors
    /// When the proxy's URL is none.
    pub fn new(url: &str, rule: &Proxy, env: &Environment) -> Result<Self, TransportError> {
        let proxy = proxy_url(url, rule, env).map(|proxy| ureq::Proxy::new(&proxy)).transpose();
        let proxy = proxy.map_err(|_| TransportError::Other("the proxy's URL cannot be used".to_owned()))?;
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(USER_AGENT)
            .accept("application/json")
            .proxy(proxy);
        if origin(url).starts_with("https:") {
            config = config.tls_config(TlsConfig::builder().root_certs(roots(env)).build());
        }
        Ok(Self(config.build().new_agent()))
    }

    /// Asks, for at most `limit`.
    ///
    /// # Errors
    /// When no answer came; any status is an answer.
    pub fn get(
        &self,
        url: &str,
        headers: &[(String, String)],
        limit: Duration,
    ) -> Result<HttpResponse, TransportError> {
        answer(limited(self.0.get(url), headers, limit).call())
    }

    /// Sends JSON, for at most `limit`.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub fn post(
        &self,
        url: &str,
        headers: &[(String, String)],
        json: &str,
        limit: Duration,
    ) -> Result<HttpResponse, TransportError> {
        let request = self.0.post(url).content_type("application/json");
        answer(limited(request, headers, limit).send(json))
    }
}

fn limited<B>(
    mut request: RequestBuilder<B>,
    headers: &[(String, String)],
    limit: Duration,
) -> RequestBuilder<B> {
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request
        .config()
        .timeout_global(Some(limit))
        .timeout_resolve(Some(CONNECT.min(limit)))
        .timeout_connect(Some(CONNECT.min(limit)))
        .build()
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, Error>) -> Result<HttpResponse, TransportError> {
    let (parts, body) = response.map_err(transport_error)?.into_parts();
    let mut bytes = Vec::new();
    let read = body.into_reader().take(MAX_BODY + 1).read_to_end(&mut bytes);
    read.map_err(|error| transport_error(error.into()))?;
    if bytes.len() as u64 > MAX_BODY {
        return Err(TransportError::TooLarge);
    }
    Ok(HttpResponse { status: parts.status.as_u16(), body: bytes, headers: parts.headers })
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
            _ => TransportError::Other(named(&error.to_string())),
        },
        Error::BodyStalled => TransportError::Reset,
        Error::HostNotFound => TransportError::Other("no such host".to_owned()),
        Error::BadUri(_) => TransportError::Other("the URL cannot be requested".to_owned()),
        Error::Http(_) => {
            TransportError::Other("a header cannot be sent: it contains an invalid character".to_owned())
        }
        other => TransportError::Other(certificate_words(other.to_string())),
    }
}

/// What is wrong with a certificate, where rustls (0.23) says it by a name of its own.
fn certificate_words(error: String) -> String {
    let known = [
        ("CaUsedAsEndEntity", "the server sent a CA certificate instead of its own certificate"),
        (
            "UnknownIssuer",
            "no certificate authority trusted on this machine has signed the server's certificate",
        ),
        ("NotValidForName", "the server's certificate is for another name"),
        ("Expired", "the server's certificate has expired"),
    ];
    match known.into_iter().find(|(name, _)| error.contains(name)) {
        Some((name, words)) => format!("{words} (certificate: {name})"),
        None => error,
    }
}

/// The error of a look-up, which std gives as text alone, in our words.
fn named(error: &str) -> String {
    let Some(why) = error.strip_prefix("failed to lookup address information: ") else {
        return error.to_owned();
    };
    // glibc and macOS on a name that no one knows.
    if ["Name or service not known", "nodename nor servname provided, or not known"].contains(&why) {
        return "no such host".to_owned();
    }
    format!("the name lookup failed: {}", why.to_lowercase())
}

/// The certificates that are trusted: the system's, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
fn roots(env: &Environment) -> RootCerts {
    let found = rustls_native_certs::load_native_certs();
    found.errors.iter().for_each(|error| log::debug!("certificates: {error}"));
    with_extra(found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect(), env)
}

/// The system's certificates and those of `NODE_EXTRA_CA_CERTS`, which many set for their agents already; or Mozilla's
/// alone where the system has none, since the TLS library does not give out what is in them.
fn with_extra(system: Vec<Certificate<'static>>, env: &Environment) -> RootCerts {
    let has_none = system.is_empty() && env.var("SSL_CERT_FILE").is_none();
    let mut certs = system;
    for name in ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"] {
        match env.var(name).map(|file| certificates(file.as_ref())) {
            Some(Ok(more)) if name == "NODE_EXTRA_CA_CERTS" || certs.is_empty() => certs.extend(more),
            Some(Ok(_)) | None => {}
            // Without the name of the file the server would be refused for a reason that nobody finds.
            Some(Err(why)) => log::warn!("{name} is not used: {why}"),
        }
    }
    if has_none && !certs.is_empty() {
        log::warn!(
            "NODE_EXTRA_CA_CERTS is not used, because this system has no certificates of its own; set \
             SSL_CERT_FILE to a file with all trusted certificates"
        );
    }
    if has_none || certs.is_empty() {
        return RootCerts::WebPki;
    }
    RootCerts::new_with_certs(&certs)
}

/// The certificates in a file, as text (PEM) or as bytes (DER).
fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let shown = path.display();
    let read = nonblocking::open(path).and_then(|mut file| {
        file.metadata().and_then(|metadata| nonblocking::stream(&mut file, &metadata, MAX_BODY))
    });
    let bytes = read.map_err(|error| format!("{shown}: {error}"))?;
    let items = parse_pem(&bytes).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let found: Vec<_> = items.collect();
    match bytes.first() {
        _ if !found.is_empty() => Ok(found),
        // A sequence of ASN.1.
        Some(0x30) => Ok(vec![Certificate::from_der(&bytes).to_owned()]),
        _ => Err(format!("{shown} holds no certificate")),
    }
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
    fn extra_certificates_are_trusted_beside_the_systems() {
        let folder = tempfile::tempdir().expect("a folder");
        let extra = folder.path().join("extra.der");
        // A sequence, as every certificate begins; the TLS library looks closer.
        let der = [&[0x30, 0x82, 0x01, 0x00][..], &[0; 256]].concat();
        std::fs::write(&extra, &der).expect("written");
        let env = env(&[("NODE_EXTRA_CA_CERTS", extra.to_str().expect("text"))]);
        let system = || vec![Certificate::from_der(&der).to_owned(); 3];
        assert!(matches!(with_extra(system(), &env), RootCerts::Specific(certs) if certs.len() == 4));
        assert!(matches!(with_extra(Vec::new(), &env), RootCerts::WebPki));
    }

    #[test]
    fn a_url_is_shown_without_its_secrets() {
        assert_eq!(shown("https://u:pw@A.b:443/v1/models?key=x"), "https://a.b/v1/models");
        assert_eq!(shown("http://a.b:80"), "http://a.b");
    }
}
