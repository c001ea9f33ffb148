//! Validates URLs in the config for common mistakes.
//!
//! A URL may hold a secret by mistake, so no message repeats one before it is known to hold none.

use shims::Message;

/// Checks `text` and gives it back without trailing slashes.
pub fn base(text: &str) -> Result<&str, Message> {
    without(clean(text)?, &["/chat/completions", "/responses", "/models"])
}

/// As [`base`], for the Anthropic protocol, whose clients add `/v1/messages` themselves.
pub fn anthropic_base(text: &str) -> Result<&str, Message> {
    without(clean(text)?, &["/v1/messages", "/v1/models", "/v1"])
}

/// A URL that holds nothing secret, without trailing slashes.
pub fn clean(text: &str) -> Result<&str, Message> {
    if split(text)?.contains('?') {
        let help = "remove the `?` and the rest; put a key in `key_env`, `key_file` or `key_command`";
        return Err(Message::new("the base URL has a query", help));
    }
    Ok(text.trim_end_matches('/'))
}

/// Refuses what clients add to a base URL.
fn without<'t>(text: &'t str, ends: &[&str]) -> Result<&'t str, Message> {
    match ends.iter().find_map(|end| Some((end, text.strip_suffix(end)?))) {
        Some((end, base)) => Err(Message::new(
            format!("the URL ends in `{end}`, which the agents add"),
            format!("write `{base}`"),
        )),
        None => Ok(text),
    }
}

/// Checks the address of a model list, which may have a query, but no key in it.
pub fn list(text: &str) -> Result<&str, Message> {
    let rest = split(text)?;
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default().to_ascii_lowercase());
    for name in names {
        if ["key", "api_key", "api-key", "apikey", "token", "access_token"].contains(&name.as_str()) {
            let help = "remove it; put a key in `key_env`, `key_file` or `key_command`";
            return Err(Message::new(format!("the URL contains a key, as `{name}=`"), help));
        }
    }
    Ok(text)
}

/// Checks the URL of a proxy, which may have a user and password.
pub fn proxy(text: &str) -> Result<&str, Message> {
    let help = "write `inherit`, `none`, or a URL as in `http://127.0.0.1:8080` or `socks5://127.0.0.1:1080`";
    let rest = scheme(text, &["http", "https", "socks5", "socks5h"]).ok_or_else(|| {
        Message::new("the proxy is not `inherit`, `none` or a URL that agents accept", help)
    })?;
    let authority = rest.trim_end_matches('/');
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
    if authority.contains(['/', '?', '#']) || !is_address(address) || !authority.chars().all(may_stand) {
        return Err(Message::new("the proxy's URL is not of the form `SCHEME://HOST:PORT`", help));
    }
    Ok(text)
}

/// What follows `scheme://`, once characters, scheme, credentials, fragment and host are checked.
fn split(text: &str) -> Result<&str, Message> {
    const WHOLE: &str =
        "write the complete URL, as in `https://api.example.com/v1` or `http://localhost:11434/v1`";
    if !text.contains("://") {
        return Err(Message::new("the URL has no scheme", WHOLE));
    }
    let rest = scheme(text, &["http", "https"])
        .ok_or_else(|| Message::new("the URL's scheme is not http or https", WHOLE))?;
    if !text.chars().all(may_stand) {
        let help = "remove it, or percent-encode it, as in `%20`; write a host as `xn--…`";
        return Err(Message::new("the URL contains an invalid character", help));
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        let help = "remove everything before the `@`; put a key in `key_env`, `key_file` or `key_command`";
        return Err(Message::new("the URL contains a user name or password", help));
    }
    if !is_address(authority) {
        return Err(Message::new("the URL has no valid host and port", WHOLE));
    }
    if rest.contains('#') {
        return Err(Message::new("the URL has a fragment", "remove the `#` and the rest"));
    }
    Ok(rest)
}

fn scheme<'t>(text: &'t str, schemes: &[&str]) -> Option<&'t str> {
    let (scheme, rest) = text.split_once("://")?;
    schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme)).then_some(rest)
}

fn may_stand(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`.
fn is_address(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((v6, rest)) if v6.parse::<std::net::Ipv6Addr>().is_ok() => {
            (v6, rest.strip_prefix(':').or(rest.is_empty().then_some("80")))
        }
        Some(_) => return false,
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, Some("80")),
        },
    };
    let is_port = |port: &str| {
        port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    // Anything else is no name that is looked up, and may be read as one host here and as another elsewhere.
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    port.is_some_and(is_port) && !host.is_empty() && (text.starts_with('[') || host.chars().all(is_host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_base_url_stays_but_for_its_trailing_slash() {
        for (text, base_url) in [
            ("https://api.deepseek.com", "https://api.deepseek.com"),
            ("https://api.deepseek.com/anthropic/", "https://api.deepseek.com/anthropic"),
            ("http://localhost:11434/v1//", "http://localhost:11434/v1"),
            ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
            ("HTTPS://host/v1beta/openai", "HTTPS://host/v1beta/openai"),
            ("https://host/a@b", "https://host/a@b"),
        ] {
            assert_eq!(base(text), Ok(base_url));
        }
    }

    #[test]
    fn what_would_lead_astray_is_refused_and_never_repeated() {
        for (text, part) in [
            ("api.example.com/SECRET", "no scheme"),
            ("localhost:11434/SECRET", "no scheme"),
            ("ftp://host/SECRET", "not http or https"),
            ("https://user:SECRET@host/v1", "user name or password"),
            ("https://SECRET@host/v1", "user name or password"),
            ("https://host/v1?key=SECRET", "query"),
            ("https://host/v1#SECRET", "fragment"),
            ("https://host/SECRET here", "character"),
            ("https://höst/SECRET", "character"),
            ("https:///SECRET", "no valid host"),
            ("https://host:port/SECRET", "no valid host"),
            ("https://host:99999/SECRET", "no valid host"),
            ("https://[::1/SECRET", "no valid host"),
            ("https://[::1]80/SECRET", "no valid host"),
        ] {
            let error = base(text).expect_err(text).render();
            assert!(error.contains(part), "{text}: {error}");
            assert!(!error.contains("SECRET"), "{error}");
        }
    }

    #[test]
    fn an_ending_that_agents_add_is_refused_with_what_to_write() {
        for (text, write) in [
            ("https://host/anthropic/v1", "write `https://host/anthropic`"),
            ("https://host/v1/", "write `https://host`"),
            ("https://host/v1/messages", "write `https://host`"),
        ] {
            let error = anthropic_base(text).expect_err(text).render();
            assert!(error.ends_with(write), "{error}");
        }
        let error = base("https://host/v1/chat/completions").expect_err("an endpoint").render();
        assert!(error.ends_with("write `https://host/v1`"), "{error}");
    }

    #[test]
    fn a_list_may_have_a_query_but_no_key() {
        assert!(list("https://aihubmix.com/api/v1/models?type=llm").is_ok());
        assert!(
            list("https://host/models?type=llm&Key=SECRET").is_err_and(|e| !e.render().contains("SECRET"))
        );
    }

    #[test]
    fn a_proxy_is_a_scheme_a_host_and_a_port() {
        for text in
            ["http://127.0.0.1:8080", "socks5://u:p@host:1080/", "socks5h://[::1]:1080", "https://host"]
        {
            assert_eq!(proxy(text), Ok(text));
        }
        for text in ["", "yes", "host:8080", "socks4://host:1", "http://", "http://h/SECRET", "http://a b:1"]
        {
            assert!(proxy(text).is_err_and(|e| !e.render().contains("SECRET")), "{text}");
        }
    }
}
