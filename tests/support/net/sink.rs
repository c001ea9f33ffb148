//! The listener that plays every other host.
//!
//! It answers what it must for a client to go on and show more: a proxy's `CONNECT`, a SOCKS greeting. A
//! request gets 404, and a TLS connection ends once it has named its host: only a sink that was made to end
//! TLS ([`Sink::end_tls`]) hears what is said within.

use std::io::{Cursor, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, Stream};

use super::super::Sandbox;
use super::authority::Authority;
use super::{bind, dns, wire};

/// The web, the usual proxies, local gateways and servers, and collectors of telemetry.
const PORTS: [u16; 20] = [
    53, 80, 443, 1080, 1234, 3000, 3128, 3456, 4000, 4317, 4318, 5000, 8000, 8080, 8082, 8317, 8787, 8888,
    9090, 11434,
];

/// Where the chosen provider is, for one that is not on loopback.
pub const FAR: &str = "http://chosen.example:8899";

/// The port of [`FAR`].
const FAR_PORT: u16 = 8899;

/// How somebody was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// A name looked up.
    Name,
    /// A TLS connection.
    Tls,
    /// A plain HTTP request.
    Http,
    /// A request within TLS that was ended here.
    Https,
    /// A tunnel asked of a proxy.
    Proxy,
    /// Bytes of neither, or none.
    Other,
}

/// One attempt.
#[derive(Clone, Debug)]
pub struct Seen {
    /// How.
    pub way: Way,
    /// Who was asked for, without the port.
    pub host: String,
    /// The port that was connected to.
    pub port: u16,
    /// What was said, heads and unpacked bodies, as far as it was in the clear or is after TLS.
    pub sent: String,
}

/// Everything that was heard.
#[derive(Clone, Default)]
pub struct Sink {
    seen: Arc<Mutex<Vec<Seen>>>,
    tls: Arc<OnceLock<Arc<ServerConfig>>>,
}

/// Whom a connection is for, and what it came through.
#[derive(Clone, Copy)]
struct Aim<'a> {
    host: &'a str,
    port: u16,
    in_tunnel: bool,
    in_tls: bool,
}

/// A connection, whatever it is made of.
trait Duplex: Read + Write {}
impl<T: Read + Write> Duplex for T {}

/// A connection whose first bytes were read before.
struct Replayed<'a> {
    first: Cursor<Vec<u8>>,
    rest: &'a mut dyn Duplex,
}

impl Read for Replayed<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        match self.first.read(bytes)? {
            0 => self.rest.read(bytes),
            count => Ok(count),
        }
    }
}

impl Write for Replayed<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.rest.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.rest.flush()
    }
}

impl Sink {
    /// Starts listening, and asks itself for something to be sure that it hears.
    pub fn open(sandbox: &Sandbox) -> Self {
        let resolver = sandbox.path("resolv.conf");
        sandbox.write(&resolver, "nameserver 192.0.2.53\noptions timeout:2\n");
        bind(&resolver, "/etc/resolv.conf");
        let sink = Self::default();
        for port in PORTS {
            let (listener, sink) = (TcpListener::bind(("::", port)).unwrap(), sink.clone());
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let sink = sink.clone();
                    std::thread::spawn(move || sink.accept(stream, port));
                }
            });
        }
        let (names, heard) = (UdpSocket::bind("[::]:53").unwrap(), sink.clone());
        std::thread::spawn(move || dns::serve(&names, |name| heard.hear(Way::Name, name, 53, "")));
        let (quic, heard) = (UdpSocket::bind("[::]:443").unwrap(), sink.clone());
        std::thread::spawn(move || {
            let mut packet = [0; 2048];
            while let Ok(size) = quic.recv(&mut packet) {
                heard.hear(Way::Other, "QUIC".into(), 443, &String::from_utf8_lossy(&packet[..size]));
            }
        });
        sink.assert_it_hears();
        sink
    }

    /// Lets [`FAR`] lead to a provider on loopback.
    #[allow(clippy::unused_self, reason = "there is no such host but in the sink's network")]
    pub fn lead_far_to(&self, address: &str) {
        let (listener, address) = (TcpListener::bind(("::", FAR_PORT)).unwrap(), address.to_owned());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&address) else { continue };
                for (mut from, mut to) in
                    [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)]
                {
                    std::thread::spawn(move || {
                        _ = std::io::copy(&mut from, &mut to);
                        _ = to.shutdown(std::net::Shutdown::Write);
                    });
                }
            }
        });
    }

    /// Everything so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Forgets what was heard.
    pub fn clear(&self) {
        self.seen.lock().unwrap().clear();
    }

    fn hear(&self, way: Way, host: String, port: u16, sent: &str) {
        self.seen.lock().unwrap().push(Seen { way, host, port, sent: sent.to_owned() });
    }

    /// From now on ends TLS, whoever is asked for, and gives the certificate that a client must trust.
    pub fn end_tls(&self, sandbox: &Sandbox) -> PathBuf {
        let authority = Arc::new(Authority::new(sandbox));
        self.tls.set(authority.server()).expect("once");
        authority.certificate()
    }

    fn accept(&self, mut stream: TcpStream, port: u16) {
        _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
        let address = stream.local_addr().unwrap().ip().to_string();
        self.serve(&mut stream, Aim { host: &address, port, in_tunnel: false, in_tls: false });
    }

    fn serve(&self, stream: &mut dyn Duplex, aim: Aim<'_>) {
        let mut bytes = Vec::new();
        let wanted = |bytes: &[u8]| match bytes.first() {
            Some(0x16) => bytes.len() >= wire::record_length(bytes),
            Some(0x05) => bytes.len() >= 3,
            _ => bytes.windows(4).any(|end| end == b"\r\n\r\n"),
        };
        read_until(stream, &mut bytes, wanted);
        match bytes.first() {
            Some(0x16) if !aim.in_tls => {
                let host = wire::server_name(&bytes).unwrap_or_else(|| aim.host.to_owned());
                self.hear(Way::Tls, host.clone(), aim.port, "");
                if let Some(tls) = self.tls.get() {
                    let mut raw = Replayed { first: Cursor::new(bytes), rest: stream };
                    let mut connection = ServerConnection::new(Arc::clone(tls)).unwrap();
                    let within = Aim { host: &host, in_tls: true, ..aim };
                    self.serve(&mut Stream::new(&mut connection, &mut raw), within);
                    connection.send_close_notify();
                    _ = connection.write_tls(&mut raw);
                }
            }
            Some(0x05) if !aim.in_tunnel => {
                _ = stream.write_all(&[5, 0]);
                let mut request = Vec::new();
                read_until(stream, &mut request, |bytes| wire::socks_target(bytes).is_some());
                let target = wire::socks_target(&request).unwrap_or_default();
                self.hear(Way::Proxy, wire::without_port(&target).to_owned(), aim.port, &target);
                _ = stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
                self.serve(stream, Aim { host: wire::without_port(&target), in_tunnel: true, ..aim });
            }
            Some(_) if wanted(&bytes) => self.serve_http(stream, bytes, aim),
            _ => self.hear(Way::Other, aim.host.to_owned(), aim.port, &String::from_utf8_lossy(&bytes)),
        }
    }

    fn serve_http(&self, stream: &mut dyn Duplex, mut bytes: Vec<u8>, aim: Aim<'_>) {
        let end = bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap_or_default() + 4;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let (method, target) = wire::request_line(&head);
        if method == "CONNECT" && !aim.in_tunnel {
            self.hear(Way::Proxy, wire::without_port(target).to_owned(), aim.port, &head);
            _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            let within = Aim { host: wire::without_port(target), in_tunnel: true, ..aim };
            return self.serve(stream, within);
        }
        read_until(stream, &mut bytes, |bytes| wire::is_whole(&head, &bytes[end..]));
        let named = target.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or(rest));
        let host = named.or_else(|| wire::header(&head, "host")).unwrap_or(aim.host);
        let sent = format!("{head}{}", wire::unpacked(&head, &bytes[end..]));
        let way = if aim.in_tls { Way::Https } else { Way::Http };
        self.hear(way, wire::without_port(host).to_owned(), aim.port, &sent);
        let answer = b"HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
        _ = stream.write_all(answer);
        _ = stream.flush();
    }

    /// A sink that heard nothing because it cannot hear would prove nothing.
    fn assert_it_hears(&self) {
        let query = b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x05hears\x07example\0\0\x01\0\x01";
        let names = UdpSocket::bind("0.0.0.0:0").unwrap();
        names.send_to(query, "192.0.2.53:53").unwrap();
        let mut web = TcpStream::connect("192.0.2.1:80").unwrap();
        web.write_all(b"GET / HTTP/1.1\r\nhost: hears.example\r\n\r\n").unwrap();
        _ = web.read_to_end(&mut Vec::new());
        let start = Instant::now();
        while self.seen().iter().filter(|seen| seen.host == "hears.example").count() < 2 {
            assert!(start.elapsed() < Duration::from_secs(20), "the sink is deaf: {:?}", self.seen());
            std::thread::sleep(Duration::from_millis(5));
        }
        self.clear();
    }
}

/// Reads more until there is enough, or no more comes.
fn read_until(stream: &mut dyn Duplex, bytes: &mut Vec<u8>, enough: impl Fn(&[u8]) -> bool) {
    let mut chunk = [0; 16 * 1024];
    while !enough(bytes) {
        match stream.read(&mut chunk) {
            Ok(count @ 1..) => bytes.extend(&chunk[..count]),
            _ => return,
        }
    }
}
