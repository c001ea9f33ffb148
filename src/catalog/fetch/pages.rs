//! From one page's URL to the next one's, and when to ask again.

use std::fmt::Write;
use std::time::Duration;

use crate::catalog::normalize::Next;
use crate::catalog::source::{origin, without_query};

/// The URL of the page after `url`; `None` if it is nowhere, or on another server, which gets no key.
pub fn url(url: &str, next: Next) -> Option<String> {
    match next {
        Next::Nowhere => None,
        Next::Query(name, value) => Some(with_query(url, name, &value)),
        Next::Url(next) if next.starts_with('?') => Some(without_query(url).to_owned() + &next),
        Next::Url(next) if next.starts_with('/') && !next.starts_with("//") => Some(origin(url) + &next),
        Next::Url(next) => (origin(&next) == origin(url)).then_some(next),
    }
}

fn with_query(url: &str, name: &str, value: &str) -> String {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let is_other = |pair: &&str| !pair.is_empty() && pair.split('=').next() != Some(name);
    let mut next = format!("{path}?");
    for pair in query.split('&').filter(is_other) {
        next += pair;
        next.push('&');
    }
    next + name + "=" + &percent_encoded(value)
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            // Writing to a String cannot fail.
            _ => _ = write!(encoded, "%{byte:02X}"),
        }
        encoded
    })
}

/// Seconds, or a date of RFC 9110.
pub fn retry_after(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<f64>() {
        return Duration::try_from_secs_f64(seconds.ceil()).ok();
    }
    let date = jiff::fmt::rfc2822::parse(value.trim()).ok()?.timestamp();
    Some(date.duration_since(jiff::Timestamp::now()).try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_on_the_same_server() {
        let base = "https://a.b/v1/models?limit=1000&after_id=x";
        let to = |next: &str| url(base, Next::Url(next.to_owned()));
        assert_eq!(
            url(base, Next::Query("after_id", "m/1 ü&b".to_owned())).as_deref(),
            Some("https://a.b/v1/models?limit=1000&after_id=m%2F1%20%C3%BC%26b")
        );
        assert_eq!(to("?page=2").as_deref(), Some("https://a.b/v1/models?page=2"));
        assert_eq!(to("/v1/models?page=2").as_deref(), Some("https://a.b/v1/models?page=2"));
        assert_eq!(to("https://A.b:443/m").as_deref(), Some("https://A.b:443/m"));
        for foreign in ["https://evil.example/m", "http://a.b/m", "//evil.example/m", "m"] {
            assert_eq!(to(foreign), None, "{foreign}");
        }
        assert_eq!(url(base, Next::Nowhere), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after("7"), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        let soon = jiff::Timestamp::now() + Duration::from_secs(3_000);
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&soon).unwrap();
        assert!(retry_after(&date).is_some_and(|wait| wait > Duration::from_secs(2_900)), "{date}");
        assert_eq!(retry_after("2.5"), Some(Duration::from_secs(3)), "no rule has it, and servers send it");
        assert_eq!(["soon", "-1", "NaN", "1e99"].map(retry_after), [None; 4]);
    }
}
