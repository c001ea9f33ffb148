//! As much of TLS, SOCKS and HTTP as tells whom a connection is for, and what it says.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

/// Takes the place of a body that nothing here can read.
pub const SEALED: &str = "[a body that was not unpacked]";

/// The name that a TLS client asks for in its first message.
pub fn server_name(hello: &[u8]) -> Option<String> {
    // Record header 5, handshake header 4, version 2, random 32.
    let session = usize::from(*hello.get(43)?);
    let mut at = 44 + session;
    at += 2 + length(hello, at)?;
    at += 1 + usize::from(*hello.get(at)?);
    let end = at + 2 + length(hello, at)?;
    at += 2;
    while at + 4 <= end {
        let (kind, size) = (length(hello, at)?, length(hello, at + 2)?);
        if kind == 0 {
            let name = hello.get(at + 9..at + 4 + size)?;
            return Some(String::from_utf8_lossy(name).into_owned());
        }
        at += 4 + size;
    }
    None
}

fn length(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])))
}

/// How many bytes the first TLS record has, or will have.
pub fn record_length(hello: &[u8]) -> usize {
    5 + length(hello, 3).unwrap_or(0)
}

/// `host:port` of a SOCKS 5 request.
pub fn socks_target(request: &[u8]) -> Option<String> {
    let (host, rest) = match *request.get(3)? {
        1 => (std::net::Ipv4Addr::from(<[u8; 4]>::try_from(request.get(4..8)?).ok()?).to_string(), 8),
        3 => {
            let end = 5 + usize::from(*request.get(4)?);
            (String::from_utf8_lossy(request.get(5..end)?).into_owned(), end)
        }
        _ => (std::net::Ipv6Addr::from(<[u8; 16]>::try_from(request.get(4..20)?).ok()?).to_string(), 20),
    };
    Some(format!("{host}:{}", length(request, rest)?))
}

/// The method and the target of a request's first line.
pub fn request_line(head: &str) -> (&str, &str) {
    let mut words = head.split(' ');
    (words.next().unwrap_or_default(), words.next().unwrap_or_default())
}

/// The value of a header.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    lines.find(|(had, _)| had.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// A host without its port.
pub fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether the body after this head is all there.
pub fn is_whole(head: &str, body: &[u8]) -> bool {
    if is_chunked(head) {
        return dechunked(body).is_some();
    }
    let size = header(head, "content-length").and_then(|size| size.parse().ok()).unwrap_or(0);
    body.len() >= size
}

/// The body after this head as text, without chunks and compression.
pub fn unpacked(head: &str, body: &[u8]) -> String {
    let whole = if is_chunked(head) { dechunked(body) } else { None };
    let body = whole.unwrap_or_else(|| body.to_vec());
    match header(head, "content-encoding").unwrap_or("identity") {
        "identity" => String::from_utf8_lossy(&body).into_owned(),
        "gzip" => gunzipped(body).unwrap_or_else(|| SEALED.to_owned()),
        // Codex's metrics since 0.171.
        "zstd" => unzstd(&body).unwrap_or_else(|| SEALED.to_owned()),
        _ => SEALED.to_owned(),
    }
}

fn is_chunked(head: &str) -> bool {
    header(head, "transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
}

fn dechunked(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let line = body.windows(2).position(|end| end == b"\r\n")?;
        let size = std::str::from_utf8(&body[..line]).ok()?.split(';').next()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        let chunk = body.get(line + 2..line + 2 + size)?;
        if size == 0 {
            return Some(whole);
        }
        whole.extend(chunk);
        body = body.get(line + 2 + size + 2..)?;
    }
}

fn unzstd(body: &[u8]) -> Option<String> {
    let mut text = Vec::new();
    ruzstd::decoding::StreamingDecoder::new(body).ok()?.read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

fn gunzipped(body: Vec<u8>) -> Option<String> {
    let mut gzip = Command::new("gzip");
    let mut gzip = gzip.arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let mut to = gzip.stdin.take()?;
    let writer = std::thread::spawn(move || _ = to.write_all(&body));
    let ran = gzip.wait_with_output().ok()?;
    writer.join().ok()?;
    ran.status.success().then(|| String::from_utf8_lossy(&ran.stdout).into_owned())
}
