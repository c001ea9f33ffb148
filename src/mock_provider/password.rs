//! The password by which requests that come by the proxy variables are distinguished from those of other programs.

use crate::header;

/// The user's name in the URL of the proxy.
const USER: &str = "agent-run";

/// The URL of a proxy at `host` with this password.
pub fn url(host: &str, password: &str) -> String {
    format!("http://{USER}:{password}@{host}")
}

/// What a client that was given that URL sends as `Proxy-Authorization` (RFC 7617).
pub fn header(password: &str) -> String {
    header::basic(USER, password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_that_of_the_standard() {
        assert_eq!(header("x"), "Basic YWdlbnQtcnVuOng=");
        assert_eq!(url("127.0.0.1:9", "x"), "http://agent-run:x@127.0.0.1:9");
    }
}
