//! The listener that plays every other host.
//!
//! It answers what it must for a client to go on and show more: a proxy's `CONNECT`, a SOCKS greeting. A
//! request gets 404, and a TLS connection ends once it has named its host.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::super::Sandbox;
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
    /// What came in the clear, heads and bodies.
    pub sent: String,
}

/// Everything that was heard.
#[derive(Clone)]
pub struct Sink(Arc<Mutex<Vec<Seen>>>);

impl Sink {
    /// Starts listening, and asks itself for something to be sure that it hears.
    pub fn open(sandbox: &Sandbox) -> Self {
        let resolver = sandbox.path("resolv.conf");
        sandbox.write(&resolver, "nameserver 192.0.2.53\noptions timeout:2\n");
        bind(&resolver, "/etc/resolv.conf");
        let sink = Self(Arc::default());
        for port in PORTS {
            let (listener, sink) = (TcpListener::bind(("::", port)).unwrap(), sink.clone());
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let sink = sink.clone();
                    std::thread::spawn(move || sink.serve(stream, port, None));
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
        self.0.lock().unwrap().clone()
    }

    /// Forgets what was heard.
    pub fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    fn hear(&self, way: Way, host: String, port: u16, sent: &str) {
        self.0.lock().unwrap().push(Seen { way, host, port, sent: sent.to_owned() });
    }

    fn serve(&self, mut stream: TcpStream, port: u16, tunnel: Option<&str>) {
        _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
        let mut bytes = Vec::new();
        let wanted = |bytes: &[u8]| match bytes.first() {
            Some(0x16) => bytes.len() >= wire::record_length(bytes),
            Some(0x05) => bytes.len() >= 3,
            _ => bytes.windows(4).any(|end| end == b"\r\n\r\n"),
        };
        read_until(&mut stream, &mut bytes, wanted);
        let aim = tunnel.map_or_else(|| stream.local_addr().unwrap().ip().to_string(), str::to_owned);
        match bytes.first() {
            Some(0x16) => self.hear(Way::Tls, wire::server_name(&bytes).unwrap_or(aim), port, ""),
            Some(0x05) if tunnel.is_none() => {
                _ = stream.write_all(&[5, 0]);
                let mut request = Vec::new();
                read_until(&mut stream, &mut request, |bytes| wire::socks_target(bytes).is_some());
                let target = wire::socks_target(&request).unwrap_or_default();
                self.hear(Way::Proxy, wire::without_port(&target).to_owned(), port, &target);
                _ = stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
                self.serve(stream, port, Some(wire::without_port(&target)));
            }
            Some(_) if wanted(&bytes) => self.serve_http(stream, bytes, port, &aim, tunnel.is_some()),
            _ => self.hear(Way::Other, aim, port, &String::from_utf8_lossy(&bytes)),
        }
    }

    fn serve_http(&self, mut stream: TcpStream, mut bytes: Vec<u8>, port: u16, aim: &str, in_tunnel: bool) {
        let end = bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap_or_default() + 4;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let (method, target) = wire::request_line(&head);
        if method == "CONNECT" && !in_tunnel {
            self.hear(Way::Proxy, wire::without_port(target).to_owned(), port, &head);
            _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            return self.serve(stream, port, Some(wire::without_port(target)));
        }
        let body: usize =
            wire::header(&head, "content-length").and_then(|size| size.parse().ok()).unwrap_or(0);
        read_until(&mut stream, &mut bytes, |bytes| bytes.len() >= end + body);
        let named = target.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or(rest));
        let host = named.or_else(|| wire::header(&head, "host")).unwrap_or(aim);
        self.hear(Way::Http, wire::without_port(host).to_owned(), port, &String::from_utf8_lossy(&bytes));
        let answer = b"HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
        _ = stream.write_all(answer);
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
fn read_until(stream: &mut TcpStream, bytes: &mut Vec<u8>, enough: impl Fn(&[u8]) -> bool) {
    let mut chunk = [0; 16 * 1024];
    while !enough(bytes) {
        match stream.read(&mut chunk) {
            Ok(count @ 1..) => bytes.extend(&chunk[..count]),
            _ => return,
        }
    }
}
