//! The password by which requests that come by the proxy variables are distinguished from those of other programs.

/// The user's name in the URL of the proxy.
const USER: &str = "agent-run";

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The URL of a proxy at `host` with this password.
pub fn url(host: &str, password: &str) -> String {
    format!("http://{USER}:{password}@{host}")
}

/// What a client that was given that URL sends as `Proxy-Authorization` (RFC 7617).
pub fn header(password: &str) -> String {
    format!("Basic {}", base64(format!("{USER}:{password}").as_bytes()))
}

fn base64(bytes: &[u8]) -> String {
    let quartet = |three: &[u8]| {
        let byte = |at: usize| three.get(at).copied().map_or(0, u32::from);
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let sign = |at: usize| char::from(ALPHABET[(bits >> (18 - 6 * at) & 63) as usize]);
        (0..4).map(move |at| if at <= three.len() { sign(at) } else { '=' }).collect::<Vec<_>>()
    };
    bytes.chunks(3).flat_map(quartet).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_that_of_the_standard() {
        for (plain, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
        assert_eq!(header("x"), "Basic YWdlbnQtcnVuOng=");
        assert_eq!(url("127.0.0.1:9", "x"), "http://agent-run:x@127.0.0.1:9");
    }
}
