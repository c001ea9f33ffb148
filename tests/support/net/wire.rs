//! As much of TLS, SOCKS and HTTP as tells whom a connection is for.

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
