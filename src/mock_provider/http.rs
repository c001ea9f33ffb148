//! HTTP/1.1 over one connection, as much of it as agents use.
//!
//! Written by hand over `httparse` because the mock provider must do what servers try never to do: cut a reply
//! in the middle, let it drip, take bytes in headers that are not ASCII, play a proxy.

use std::collections::BTreeMap;
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::thread;
use std::time::Duration;

/// Agents send whole conversations and images, but a head of more than this is no agent's.
const HEAD_LIMIT: u64 = 1 << 20;
const BODY_LIMIT: u64 = 64 << 20;
const HEADERS_LIMIT: usize = 256;

/// One request, read whole.
#[derive(Debug, Default)]
pub struct Request {
    /// As sent.
    pub method: String,
    /// As sent: a path with its query, a URL, or `host:port` of a CONNECT.
    pub target: String,
    /// By lower-case name; what was sent twice is joined by a comma.
    pub headers: BTreeMap<String, String>,
    /// Decoded from its transfer encoding, but not from a content encoding.
    pub body: Vec<u8>,
}

impl Request {
    /// The header of this lower-case name, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// What is sent back.
#[derive(Debug)]
pub struct HttpReply {
    /// The status code.
    pub status: u16,
    /// Headers but for those of framing.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Body,
}

/// The body of a reply.
#[derive(Debug)]
pub enum Body {
    /// In one piece, with its length stated.
    Whole(Vec<u8>),
    /// Event by event, as chunks.
    Events(Vec<String>),
}

/// How a reply is sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// The wait before anything is sent.
    pub delay: Duration,
    /// The wait before each event.
    pub chunk_delay: Duration,
    /// Whether only the first half of the body is sent; who sends then closes the connection.
    pub cut: bool,
}

/// Reads one request; `None` when the client is done with the connection. The error is of kind `InvalidData` if what
/// came is not HTTP or is too large.
pub fn read(reader: &mut impl BufRead, mut writer: impl Write) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    let mut limited = reader.by_ref().take(HEAD_LIMIT);
    while !head.ends_with(b"\r\n\r\n") && !head.ends_with(b"\n\n") {
        if limited.read_until(b'\n', &mut head)? == 0 {
            return if head.is_empty() { Ok(None) } else { Err(bad("the head ends early")) };
        }
    }
    let mut request = parse_head(&head)?;
    if request.header("expect").eq_ignore_ascii_case("100-continue") {
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    if request.header("transfer-encoding").to_ascii_lowercase().contains("chunked") {
        read_chunks(reader, &mut request.body)?;
    } else if let Some(length) = request.headers.get("content-length") {
        let length = length.parse().map_err(|_| bad("content-length is no number"))?;
        read_exactly(reader, length, &mut request.body)?;
    }
    Ok(Some(request))
}

fn parse_head(head: &[u8]) -> io::Result<Request> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_LIMIT];
    let mut parsed = httparse::Request::new(&mut headers);
    parsed.parse(head).map_err(|error| bad(&error.to_string()))?;
    let mut request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        ..Request::default()
    };
    for header in parsed.headers.iter() {
        let value = String::from_utf8_lossy(header.value).into_owned();
        let known = request.headers.entry(header.name.to_ascii_lowercase());
        known.and_modify(|known| *known = format!("{known}, {value}")).or_insert(value);
    }
    Ok(request)
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
    let mut line = String::new();
    loop {
        line.clear();
        reader.by_ref().take(HEAD_LIMIT).read_line(&mut line)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(|_| bad("a chunk has no size"))?;
        if size > 0 {
            read_exactly(reader, size, body)?;
        }
        // The line end of the chunk, or the trailers up to the empty line after the last one.
        loop {
            line.clear();
            let read = reader.by_ref().take(HEAD_LIMIT).read_line(&mut line)?;
            if read == 0 || line.trim_end().is_empty() {
                break;
            }
        }
        if size == 0 {
            return Ok(());
        }
    }
}

fn read_exactly(reader: &mut impl BufRead, length: u64, body: &mut Vec<u8>) -> io::Result<()> {
    if length.saturating_add(body.len() as u64) > BODY_LIMIT {
        return Err(bad("the body is too large"));
    }
    match reader.by_ref().take(length).read_to_end(body)? as u64 {
        read if read == length => Ok(()),
        _ => Err(ErrorKind::UnexpectedEof.into()),
    }
}

fn bad(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

impl HttpReply {
    /// Sends this reply to a request of `method`, at `pace`.
    pub fn send(&self, mut writer: impl Write, method: &str, pace: Pace) -> io::Result<()> {
        thread::sleep(pace.delay);
        let mut head = Vec::new();
        write!(head, "HTTP/1.1 {} \r\n", self.status)?;
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n")?;
        }
        match &self.body {
            Body::Whole(bytes) => write!(head, "content-length: {}\r\n\r\n", bytes.len())?,
            Body::Events(_) => write!(head, "transfer-encoding: chunked\r\n\r\n")?,
        }
        writer.write_all(&head)?;
        match &self.body {
            _ if method == "HEAD" => {}
            Body::Whole(bytes) => writer.write_all(&bytes[..shown(bytes.len(), pace)])?,
            Body::Events(events) => {
                for event in &events[..shown(events.len(), pace)] {
                    thread::sleep(pace.chunk_delay);
                    writer.write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes())?;
                }
                if !pace.cut {
                    writer.write_all(b"0\r\n\r\n")?;
                }
            }
        }
        Ok(())
    }
}

fn shown(length: usize, pace: Pace) -> usize {
    if pace.cut { length / 2 } else { length }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(mut bytes: &[u8]) -> (io::Result<Option<Request>>, Vec<u8>, usize) {
        let mut written = Vec::new();
        let request = read(&mut bytes, &mut written);
        (request, written, bytes.len())
    }

    #[test]
    fn bodies_are_read_by_length_and_by_chunks_and_leave_the_next_request_alone() {
        let sized = b"POST /a HTTP/1.1\r\ncontent-length: 3\r\n\r\nabcGET".as_slice();
        let chunked = b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
            2;x=y\r\nab\r\n1\r\nc\r\n0\r\nTrailer: t\r\n\r\nGET"
            .as_slice();
        for bytes in [sized, chunked] {
            let (request, _, left) = read_all(bytes);
            assert_eq!(request.expect("HTTP").expect("a request").body, b"abc");
            assert_eq!(left, "GET".len());
        }
    }

    #[test]
    fn headers_may_repeat_and_hold_any_bytes() {
        let (request, _, _) = read_all(b"GET / HTTP/1.1\r\nX-A: 1\r\nx-a: 2\r\nX-B: caf\xc3\xa9\r\n\r\n");
        let request = request.expect("HTTP").expect("a request");
        assert_eq!((request.header("x-a"), request.header("x-b")), ("1, 2", "café"));
    }

    #[test]
    fn a_client_that_waits_for_leave_gets_it() {
        let (_, written, _) =
            read_all(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx");
        assert!(written.starts_with(b"HTTP/1.1 100 "));
    }

    #[test]
    fn the_end_of_a_connection_is_no_error_and_nonsense_is() {
        assert!(read_all(b"").0.expect("no error").is_none());
        for nonsense in [
            b"\x16\x03\x01\n\n".as_slice(),
            b"GET / HTTP/1.1\r\n",
            b"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nabc",
            b"POST / HTTP/1.1\r\ncontent-length: 18446744073709551615\r\n\r\n",
            b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
            b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\nffffffffffffffff\r\n",
        ] {
            assert!(read_all(nonsense).0.is_err(), "{nonsense:?}");
        }
    }

    #[test]
    fn a_cut_reply_promises_more_than_it_sends() {
        let reply =
            HttpReply { status: 200, headers: BTreeMap::new(), body: Body::Whole(b"abcdefgh".to_vec()) };
        let mut sent = Vec::new();
        reply.send(&mut sent, "GET", Pace { cut: true, ..Pace::default() }).expect("sent");
        assert!(sent.ends_with(b"content-length: 8\r\n\r\nabcd"));
        let mut sent = Vec::new();
        reply.send(&mut sent, "HEAD", Pace::default()).expect("sent");
        assert!(sent.ends_with(b"content-length: 8\r\n\r\n"));
    }
}
