//! The server: a listener, a thread for each connection, and what they share.

use std::collections::BTreeMap;
use std::io::{self, BufReader, ErrorKind};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use serde_json::Value as Json;
use shims::Message;

use super::answer;
use super::http::{self, Body, HttpReply, Pace, Request};
use super::password;
use super::peer;
use super::record::{Log, RequestRecord};
use super::route::Seen;
use super::script::{Script, ScriptRule};
use crate::machine_secret;

/// A running mock provider. It stops listening when this is dropped.
pub struct MockProvider {
    addr: SocketAddr,
    prefix: String,
    shared: Arc<Shared>,
}

struct Shared {
    script: Mutex<Script>,
    log: Mutex<Log>,
    /// Makes ids differ between canaries, since agents keep them in their sessions.
    born: u128,
    count: AtomicU64,
    /// What the path of a request must begin with.
    prefix: String,
    /// The `Proxy-Authorization` of what comes by the proxy variables.
    proxy: String,
    /// The `Host` of its base URL.
    host: String,
    stopped: AtomicBool,
}

impl MockProvider {
    /// Starts a mock provider on a free port of 127.0.0.1, below a path that only who is given the base URL can know. Any
    /// other program of this machine, or a page in a browser, can find the port; what it asks is refused and not
    /// remembered. What comes by the proxy variables has no such path, but the password of [`MockProvider::proxy`].
    pub fn start(script: Script, log: Log) -> Result<Self> {
        let secret = machine_secret::random().context("could not read /dev/urandom")?;
        let prefix = format!("/{:032x}", u128::from_be_bytes(secret));
        Self::listen_below((Ipv4Addr::LOCALHOST, 0).into(), prefix, script, log)
    }

    /// Starts a mock provider at `addr`; port 0 takes a free one. An address that is not of this machine alone is
    /// refused: what it is sent holds keys.
    pub fn listen(addr: SocketAddr, script: Script, log: Log) -> Result<Self> {
        Self::listen_below(addr, String::new(), script, log)
    }

    fn listen_below(addr: SocketAddr, prefix: String, script: Script, log: Log) -> Result<Self> {
        if !addr.ip().is_loopback() {
            bail!(Message::new(
                format!("could not listen on {addr}: not a loopback address"),
                "use 127.0.0.1:0"
            ));
        }
        let listener = TcpListener::bind(addr).with_context(|| format!("could not listen on {addr}"))?;
        let addr = listener.local_addr().context("could not learn the port")?;
        let shared = Arc::new(Shared {
            script: Mutex::new(script),
            log: Mutex::new(log),
            born: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros()),
            count: AtomicU64::new(0),
            prefix: prefix.clone(),
            proxy: password::header(prefix.trim_start_matches('/')),
            host: addr.to_string(),
            stopped: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        thread::Builder::new()
            .name("mock-provider".to_owned())
            .spawn(move || accept(&listener, &serving))
            .context("could not start a thread")?;
        Ok(Self { addr, prefix, shared })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What the path of its base URL is; empty unless it is hidden.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What the base URLs of a provider begin with.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.addr, self.prefix)
    }

    /// The URL of this server as a proxy, with the password that it asks for.
    pub fn proxy(&self) -> String {
        password::url(&self.addr.to_string(), self.prefix.trim_start_matches('/'))
    }

    /// The requests so far; none when they go to a file.
    pub fn requests(&self) -> Vec<RequestRecord> {
        lock(&self.shared.log).records().to_vec()
    }
}

impl Drop for MockProvider {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        // Wakes the listener, which then sees that it has stopped.
        drop(TcpStream::connect(self.addr));
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopped.load(Ordering::Relaxed) {
            return;
        }
        let Ok(stream) = stream else {
            // Most likely out of file descriptors; a connection that ends frees one.
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        let shared = Arc::clone(shared);
        let answer = move || {
            if let Err(error) = converse(&stream, &shared) {
                log::debug!("mock provider: a connection ended: {error:#}");
            }
        };
        if let Err(error) = thread::Builder::new().spawn(answer) {
            log::debug!("mock provider: a connection was dropped: {error}");
        }
    }
}

/// Answers the requests of one connection until either side ends it.
fn converse(stream: &TcpStream, shared: &Shared) -> Result<()> {
    if !shared.prefix.is_empty() && peer::is_another_users(stream.peer_addr()?, stream.local_addr()?) {
        bail!("it belongs to another user");
    }
    // The head and each event are written apart; without this, each would wait for the other's receipt.
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let request = match http::read(&mut reader, stream) {
            Ok(Some(request)) => request,
            Ok(None) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                io::Write::write_all(&mut &*stream, b"HTTP/1.1 400 \r\ncontent-length: 0\r\n\r\n")?;
                return Err(error.into());
            }
            Err(error) => return Err(error.into()),
        };
        let method = request.method.clone();
        let mut done = request.header("connection").eq_ignore_ascii_case("close");
        let (reply, pace) = match shared.meant(request) {
            Ok(request) => {
                done |= method == "CONNECT";
                shared.reply(&request)?
            }
            // Git asks once without a password, and once more by the same connection.
            Err(refusal) => (refusal, Pace::default()),
        };
        reply.send(stream, &method, pace)?;
        if pace.cut || done {
            stream.shutdown(Shutdown::Write)?;
            // The client is still heard until it hangs up: an early end would be an error of another
            // kind (a reset), and could take back what was sent.
            io::copy(&mut reader, &mut io::sink())?;
            return Ok(());
        }
    }
}

impl Shared {
    /// The request without what tells it from those of other programs, or the reply to one of theirs: the prefix of
    /// its path or, for another host, the password of the proxy.
    fn meant(&self, mut request: Request) -> Result<Request, HttpReply> {
        let refusal = |status, headers| HttpReply { status, headers, body: Body::Whole(Vec::new()) };
        if self.prefix.is_empty() {
            return Ok(request);
        }
        if !request.target.starts_with('/') {
            if request.headers.remove("proxy-authorization").is_some_and(|word| word == self.proxy) {
                return Ok(request);
            }
            let scheme = "Basic realm=\"agent-run\"".to_owned();
            return Err(refusal(407, BTreeMap::from([("proxy-authenticate".to_owned(), scheme)])));
        }
        let is_pages = request.headers.contains_key("origin") || request.header("host") != self.host;
        let target =
            request.target.strip_prefix(&self.prefix).filter(|rest| rest.starts_with('/') || rest.is_empty());
        match target.filter(|_| !is_pages).map(str::to_owned) {
            Some(target) => Ok(Request { target, ..request }),
            None => Err(refusal(404, BTreeMap::new())),
        }
    }

    /// Decides on the reply and records the request; the record is kept before anything is sent.
    fn reply(&self, request: &Request) -> Result<(HttpReply, Pace)> {
        let seen = Seen::of(request);
        let rule = lock(&self.script).pick(&seen);
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let reply = answer::reply(&seen, &rule, format!("mock provider{:x}{count:04x}", self.born));
        lock(&self.log).add(RequestRecord {
            n: 0,
            ms: 0,
            method: request.method.clone(),
            path: request.target.clone(),
            host: request.headers.get("host").cloned(),
            protocol: seen.protocol,
            model: seen.model().map(str::to_owned),
            stream: seen.stream(),
            headers: request.headers.clone(),
            status: reply.status,
            body: seen.json.unwrap_or(Json::String(seen.text)),
        })?;
        Ok((reply, self.pace(&rule)))
    }

    /// How the answer is sent, after the wait for other requests.
    fn pace(&self, rule: &ScriptRule) -> Pace {
        let pace = rule.pace();
        if rule.delay_until.is_empty() {
            return pace;
        }
        let deadline = Instant::now() + pace.delay;
        let has_come = |text: &String| lock(&self.log).has_last_user(text);
        while Instant::now() < deadline && !rule.delay_until.iter().all(has_come) {
            thread::sleep(Duration::from_millis(50));
        }
        Pace { delay: Duration::ZERO, ..pace }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    fn asked(provider: &MockProvider, words: &str) -> String {
        let body = serde_json::json!({"messages": [{"role": "user", "content": words}]}).to_string();
        let mut stream = TcpStream::connect(provider.addr()).expect("connected");
        let (prefix, host, length) = (provider.prefix(), provider.addr(), body.len());
        write!(
            stream,
            "POST {prefix}/v1/chat/completions HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
        .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        answer
    }

    #[test]
    fn a_delay_ends_once_what_it_waits_for_has_come() {
        let script =
            r#"[{"last_user": "first", "delay_ms": 60000, "delay_until": ["second"], "text": "late"}]"#;
        let folder = tempfile::tempdir().expect("a folder");
        for log in [Log::memory(), Log::file(&folder.path().join("log")).expect("a log")] {
            let provider =
                MockProvider::start(Script::read(script).expect("a script"), log).expect("started");
            let start = Instant::now();
            thread::scope(|scope| {
                let first = scope.spawn(|| asked(&provider, "first"));
                while !lock(&provider.shared.log).has_last_user("first") {
                    thread::sleep(Duration::from_millis(10));
                }
                thread::sleep(Duration::from_millis(200));
                assert!(!first.is_finished(), "it did not wait");
                assert!(!asked(&provider, "second").contains("late"));
                assert!(first.join().expect("asked").contains("late"));
            });
            assert!(start.elapsed() < Duration::from_secs(50));
        }
    }
}
