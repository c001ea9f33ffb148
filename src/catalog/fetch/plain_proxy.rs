//! Asks a server whose URL begins with `http://` through a proxy by the whole URL, as curl and the agents do.
//!
//! ureq (3.5) opens a tunnel by CONNECT for such a server too, which companies' proxies allow for https alone.

use shims::Message;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, NextTimeout, TcpConnector, Transport,
};
use ureq::{Agent, Error, Proxy};

use super::failure::Failure;
use super::http::HttpResponse;
use crate::catalog::source::origin;
use crate::header;

/// An agent that sends everything to the proxy, for the server at `origin`. The configuration names no proxy.
pub fn agent(config: Config, proxy: &Proxy, origin: &str) -> Agent {
    let connector = ().chain(TcpConnector::default()).chain(ByWholeUrl(origin.to_owned()));
    Agent::with_parts(config, connector, ToProxy(proxy.uri().clone()))
}

/// The header that tells the proxy who asks, where its URL has a name.
pub fn authorization(proxy: &Proxy) -> Option<(String, String)> {
    let name = proxy.username()?;
    let value = header::basic(name, proxy.password().unwrap_or_default());
    Some(("proxy-authorization".to_owned(), value))
}

/// Stands between what to do about a server's answer and about a proxy's.
pub const OR_OF_PROXY: &str = "; or use the provider's https:// address, ";

/// What the message says where the proxy may have answered.
pub const OR_THE_PROXY: &str = "; or this is the answer of the proxy";

impl Failure {
    /// An answer that a proxy gave instead of the server, where the answer shows that.
    pub fn of_proxy(answer: &HttpResponse, url: &str, name: &str) -> Option<Self> {
        let (proxy, status) = (answer.proxy.as_deref()?, answer.status);
        if !answer.is_of_proxy() {
            return None;
        }
        Some(match status {
            405 | 501 => Self::lasting(
                format!("{}: the proxy {proxy} does not forward http:// requests ({status})", origin(url)),
                format!("use the provider's https:// address, or set `proxy: none` below providers.{name}"),
            ),
            407 => Self::lasting(
                format!("the proxy {proxy} requires a name and a password (407)"),
                "write them into its URL: http://NAME:PASSWORD@HOST:PORT",
            ),
            _ => Self::lasting(
                format!("the proxy {proxy} did not pass the request on to {} ({status})", origin(url)),
                format!("check the proxy, or set `proxy: none` below providers.{name}"),
            ),
        })
    }

    /// The same with the proxy in it, where nothing shows that the answer is not the proxy's.
    #[must_use]
    pub fn or_of_proxy(self, answer: &HttpResponse, name: &str) -> Self {
        let Some(proxy) = answer.proxy.as_deref().filter(|_| answer.may_be_of_proxy()) else { return self };
        let why =
            if matches!(answer.status, 405 | 501) { ", which may not forward http:// requests" } else { "" };
        let text = format!("{}{OR_THE_PROXY} {proxy}{why}", self.message.text);
        let other = format!("{OR_OF_PROXY}or set `proxy: none` below providers.{name}");
        let help = self
            .message
            .help
            .map_or_else(|| other.trim_start_matches("; or ").to_owned(), |help| format!("{help}{other}"));
        Self::new(self.kind, Message::new(text, help))
    }
}

/// Finds the proxy, whatever is asked for.
#[derive(Debug)]
struct ToProxy(Uri);

impl Resolver for ToProxy {
    fn resolve(&self, _: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        DefaultResolver::default().resolve(&self.0, config, timeout)
    }
}

/// Has the origin put before the path of a request.
#[derive(Debug)]
struct ByWholeUrl(String);

impl<In: Transport> Connector<In> for ByWholeUrl {
    type Out = WholeUrl<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, below: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(below.map(|below| WholeUrl { below, origin: self.0.clone(), is_begun: false }))
    }
}

/// A connection for one request at a time.
#[derive(Debug)]
struct WholeUrl<T> {
    below: T,
    origin: String,
    /// Whether the first line of the request has been sent.
    is_begun: bool,
}

impl<T: Transport> Transport for WholeUrl<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.below.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if std::mem::replace(&mut self.is_begun, true) {
            return self.below.transmit_output(amount, timeout);
        }
        let output = self.below.buffers().output();
        let more = self.origin.len();
        let path = output[..amount].iter().position(|byte| *byte == b' ').map_or(0, |space| space + 1);
        if amount + more > output.len() {
            return Err(Error::Other("the request is too long for a proxy".into()));
        }
        output.copy_within(path..amount, path + more);
        output[path..path + more].copy_from_slice(self.origin.as_bytes());
        self.below.transmit_output(amount + more, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        // What is sent after an answer is the next request.
        self.is_begun = false;
        self.below.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.below.is_open()
    }
}
