//! Proxies: a provider on this machine is always reached directly.
//!
//! None of the agents exempts loopback from a proxy: Claude Code 2.1.197, Codex 0.169 and Hermes 0.19
//! send a request for `http://127.0.0.1` to whatever `HTTP_PROXY` names, key included.

use std::net::{IpAddr, Ipv4Addr};

use crate::{Inputs, Launch, Plan, Proxy, distinct};

/// The proxy variables in both cases. Claude Code listens to the lower case first, Codex to the upper.
pub const PROXY_VARIABLES: [&str; 6] =
    ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "::1"];

/// The host of a URL, without port, user or brackets.
pub fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
    match address.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => address.split(':').next().unwrap_or(address),
    }
}

/// The URL with the usual spelling of its host, where that is this machine: `http://127.1` becomes `http://127.0.0.1`.
///
/// Agents compare the host with `NO_PROXY` each in its own way, some as it is written and some as it is understood; of
/// the usual spelling all think alike. One of the others Claude Code 2.1.332, Codex 0.171.0, Hermes 0.19.0 and Crush
/// 0.90.1 sent to the proxy, key included.
pub fn with_usual_host(url: &str) -> String {
    let written = host(url);
    if !is_loopback(url) {
        return url.to_owned();
    }
    let name = written.strip_suffix('.').unwrap_or(written);
    let address = name.parse().ok().or_else(|| in_numbers(name).map(IpAddr::V4));
    let usual = match address.map(|address| address.to_canonical()) {
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => format!("[{address}]"),
        None => name.to_ascii_lowercase(),
    };
    let bracketed = format!("[{written}]");
    let old = if url.contains(&bracketed) { &bracketed } else { written };
    let scheme = url.find("://").map_or(0, |at| at + 3);
    format!("{}{}", &url[..scheme], url[scheme..].replacen(old, &usual, 1))
}

/// Whether the URL's host is this machine.
pub fn is_loopback(url: &str) -> bool {
    let host = host(url);
    // A dot at the end says that the name is whole.
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_own = |address: IpAddr| {
        let address = address.to_canonical();
        address.is_loopback() || address == IpAddr::V4(Ipv4Addr::UNSPECIFIED)
    };
    host.eq_ignore_ascii_case("localhost")
        || host.to_ascii_lowercase().ends_with(".localhost")
        || host.parse().is_ok_and(is_own)
        || in_numbers(host).is_some_and(|address| is_own(address.into()))
}

/// Whether the URL's host is this machine or one of its own network, as far as an address tells.
pub fn is_private(url: &str) -> bool {
    is_loopback(url)
        || host(url).parse().is_ok_and(|address: IpAddr| match address.to_canonical() {
            IpAddr::V4(address) => address.is_private() || address.is_link_local(),
            IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
        })
}

/// An address as `inet_aton` reads it, and with it curl, Node and Go's resolver: `127.1`, `0x7f.1`, `2130706433`.
fn in_numbers(host: &str) -> Option<Ipv4Addr> {
    let number = |part: &str| match part.strip_prefix("0x").or_else(|| part.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None if part.len() > 1 && part.starts_with('0') => u32::from_str_radix(part, 8).ok(),
        None => part.parse().ok(),
    };
    let mut parts: Vec<u32> = host.split('.').map(number).collect::<Option<_>>()?;
    let last = parts.pop().filter(|_| parts.len() < 4)?;
    let mut address: u32 = 0;
    for (index, part) in parts.iter().enumerate() {
        let part = u8::try_from(*part).ok()?;
        address |= u32::from(part) << (24 - 8 * index);
    }
    // The last number fills all bytes that are left.
    let left = 8 * (4 - u32::try_from(parts.len()).ok()?);
    (u64::from(last) < 1_u64 << left).then(|| Ipv4Addr::from(address | last))
}

/// The value for `NO_PROXY` and `no_proxy` of a launch on a loopback provider; `None` for a remote one.
///
/// Whatever was excepted before stays so. Both names get the same value, since agents differ in which
/// of the two they believe.
pub fn no_proxy(launch: &Launch, inputs: &Inputs) -> Option<String> {
    let url = &launch.base_url.value;
    if !is_loopback(url) {
        return None;
    }
    let inherited = ["no_proxy", "NO_PROXY"].into_iter().filter_map(|name| inputs.var(name)?.to_str());
    let hosts = inherited.flat_map(|list| list.split(',').map(str::trim)).chain(LOOPBACK).chain([host(url)]);
    Some(distinct(hosts.filter(|host| !host.is_empty())).collect::<Vec<_>>().join(","))
}

/// Plans the proxy variables of a launch.
pub fn apply(launch: &Launch, inputs: &Inputs, plan: &mut Plan) {
    match &launch.proxy {
        Proxy::Inherit => {}
        Proxy::None => PROXY_VARIABLES.iter().for_each(|name| plan.unset(name)),
        Proxy::Url(url) => PROXY_VARIABLES.iter().for_each(|name| plan.set(name, url.as_str())),
    }
    if let Some(hosts) = no_proxy(launch, inputs) {
        plan.set("NO_PROXY", hosts.as_str());
        plan.set("no_proxy", hosts.as_str());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_out_of_urls() {
        assert_eq!(host("http://127.0.0.1:80/v1"), "127.0.0.1");
        assert_eq!(host("http://[::1]:80/v1"), "::1");
        assert_eq!(host("https://user:pw@host.example/x@y"), "host.example");
        assert_eq!(host("https://host.example?x"), "host.example");
    }

    #[test]
    fn a_host_of_this_machine_is_spelled_as_all_agents_know_it() {
        for (written, usual) in [
            ("http://127.1:7711/v1", "http://127.0.0.1:7711/v1"),
            ("http://localhost.:1/localhost.", "http://localhost:1/localhost."),
            ("http://127.0.0.1.:1", "http://127.0.0.1:1"),
            ("http://2130706433", "http://127.0.0.1"),
            ("http://0x7f.1:1/v1", "http://127.0.0.1:1/v1"),
            ("http://127.000.000.001:1", "http://127.0.0.1:1"),
            ("http://[::ffff:127.0.0.1]:1/v1", "http://127.0.0.1:1/v1"),
            ("http://[0:0::1]:1", "http://[::1]:1"),
            ("http://0/v0", "http://0.0.0.0/v0"),
            ("HTTP://LocalHost:1", "HTTP://localhost:1"),
            ("http://a.localhost:1", "http://a.localhost:1"),
            ("http://127.9.9.9:1", "http://127.9.9.9:1"),
            ("https://10.1:1", "https://10.1:1"),
            ("https://Host.example./x", "https://Host.example./x"),
        ] {
            assert_eq!(with_usual_host(written), usual);
        }
    }

    #[test]
    fn loopback_is_known_by_every_name() {
        for url in [
            "http://localhost:1",
            "http://LOCALHOST/",
            "http://127.9.9.9",
            "http://[::1]:1",
            "http://ollama.localhost",
            "http://0.0.0.0:11434",
            "http://localhost.:1",
            "http://127.1:11434",
            "http://0x7f.1",
            "http://0177.0.0.1",
            "http://2130706433/v1",
            "http://[::ffff:127.0.0.1]:1",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "https://localhost.example",
            "http://10.0.0.1",
            "https://127.example",
            "http://10.1",
            "http://4294967296",
            "http://127.0.0.0.1",
            "http://[::ffff:10.0.0.1]",
            "http://1.2.3.4.",
            "http://",
        ] {
            assert!(!is_loopback(url), "{url}");
            assert_eq!(is_private(url), url.contains("10.0.0.1"), "{url}");
        }
        for url in ["http://192.168.1.5:8000/v1", "http://[fd00::1]:1", "http://[::1]"] {
            assert!(is_private(url), "{url}");
        }
    }
}
