//! The variables of a launch, and `env` of the session file, which keeps a project from changing them.
//!
//! Crush sets variables from three more places: from `.env` in the working folder what is not set yet (godotenv
//! takes an empty variable for a set one); from `env` of its settings, a project's among them; and from each
//! variable `CRUSH_X`, as `X`, while it loads its providers (all seen in 0.90.1).

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::iter;
use std::path::PathBuf;

use serde_json::Value as Json;

use super::JsonObject;
use super::expansion::is_name;
use super::homes::{CONFIG, DATA, ORIGINAL, own_value};
use super::literal::{unchanged, variable};
use crate::inputs::matches;
use crate::proxy::PROXY_VARIABLES;
use crate::{Fact, Inputs, Launch, Plan, Protocol, Proxy, Value, dotenv};

use crate::judged::crush::{
    PROJECT_OVERRULED, PROJECT_OWN, PROJECT_PLAIN, PROJECT_REFUSED, PROJECT_SUPPOSED, VARIABLE_PINNED,
};
pub use crate::judged::crush::{VARIABLE_REMOVED as FAMILY, VARIABLE_SPARED as SPARED};

/// What the SDK sends as a header even when it is empty. So they are only set where a project names them.
pub const ORGANIZATION: [&str; 2] = ["OPENAI_ORG_ID", "OPENAI_PROJECT_ID"];

/// What counts as named where a file cannot be read: Crush serves what is in its memory by the third, and asks other
/// resolvers for the provider's host by the fourth; relative paths lead elsewhere by the last.
pub const UNSEEN: [&str; 5] = [ORGANIZATION[0], ORGANIZATION[1], "CRUSH_PROFILE", "TERMUX_VERSION", "PWD"];

/// The start of the variables of the SDKs, some of which are sent even when they are empty.
const SDKS: [&str; 2] = ["OPENAI_", "ANTHROPIC_"];

/// Where the SDKs would send requests, did Crush not say otherwise. They are read all the same, and one that is no URL
/// ends every start (0.90.1).
const BASE_URLS: [&str; 2] = ["OPENAI_BASE_URL", "ANTHROPIC_BASE_URL"];

/// Which certificates are trusted. A user's own settings may name them too.
const CERTIFICATES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Whether a launch removes a variable for being one of Crush's or of its SDKs.
fn is_removed(name: &str) -> bool {
    super::INFO.removes(name)
}

/// Whether Crush may ask another host by it, or a program that it starts may load or run something, or by one that
/// Crush sets by it.
pub fn runs_programs(name: &str) -> bool {
    let is = |list: &[&str], name: &str| list.iter().any(|pattern| fits(pattern, name));
    let is_supposed = |name: &str| is(PROJECT_SUPPOSED, name) && !is(PROJECT_PLAIN, name);
    let is_overruled = |name: &str| PROJECT_OVERRULED.iter().any(|(pattern, _)| fits(pattern, name));
    let is_held = |name: &str| !is(PROJECT_OWN, name) && (is_overruled(name) || is_supposed(name));
    needs_value(name) || exported(name).any(is_held)
}

/// Whether such a variable cannot be kept from a `.env` by setting it to nothing.
pub fn needs_value(name: &str) -> bool {
    exported(name).any(|name| PROJECT_REFUSED.iter().any(|pattern| fits(pattern, name)))
}

/// npm and others take their variables in any case.
fn fits(pattern: &str, name: &str) -> bool {
    matches(pattern, name) || matches(pattern, &name.to_ascii_lowercase())
}

/// Whether the user sets it, or the config, so that Crush does not take it from a `.env`.
pub fn is_set(name: &str, launch: &Launch, inputs: &Inputs) -> bool {
    launch.extra_env.contains_key(name) || !is_removed(name) && inputs.env.contains_key(OsStr::new(name))
}

/// The dotenv file that Crush reads.
pub fn dotenv_path(inputs: &Inputs) -> PathBuf {
    inputs.dirs.cwd.join(".env")
}

/// What that file may set. A named pipe is for Crush to read (seen in 0.90.1): then it counts as setting what nothing
/// else keeps it from.
pub fn dotenv_names(inputs: &Inputs) -> Vec<String> {
    let path = dotenv_path(inputs);
    match inputs.file(&path) {
        Ok(bytes) => dotenv::names(bytes.unwrap_or_default(), dotenv::DotenvDialect::Go),
        // Nobody can read a folder.
        Err(_) if matches!(inputs.fact(&path), Some(Fact::Dir(_))) => Vec::new(),
        Err(_) => UNSEEN.map(str::to_owned).into(),
    }
}

/// A variable, and those that Crush may set by it one after the other: `CRUSH_CRUSH_X`, `CRUSH_X`, `X`.
pub fn exported(name: &str) -> impl Iterator<Item = &str> {
    iter::successors(Some(name), |name| name.strip_prefix("CRUSH_"))
}

/// Plans the variables: those of the launch, and those that must be set to be safe from a `.env`.
///
/// `project` holds the names that a project sets somewhere.
pub fn set(
    ours: &[(String, Value)],
    project: &BTreeSet<String>,
    launch: &Launch,
    inputs: &Inputs,
    plan: &mut Plan,
) {
    for (name, value) in ours {
        plan.set(name, value.clone());
    }
    for name in [CONFIG, DATA] {
        plan.set(format!("{ORIGINAL}{name}"), own_value(name, inputs).unwrap_or_default());
    }
    for name in pinned(launch) {
        plan.set(name, "");
    }
    for name in ORGANIZATION.iter().filter(|name| project.contains(**name)) {
        plan.set(name, "");
    }
    // Crush reads its own before its settings can pin them: one serves what is in its memory to this machine.
    let is_own = |name: &&String| {
        is_removed(name) && is_name(name) && !SDKS.iter().any(|start| name.starts_with(start))
    };
    for name in project.iter().filter(is_own) {
        if !matches!(plan.env.get(OsStr::new(name)), Some(Some(_))) {
            plan.set(name, "");
        }
    }
    for name in BASE_URLS {
        // The user's own tools keep one that is right.
        let is_harmful = match inputs.var(name) {
            Some(url) => !url.to_str().is_some_and(is_url),
            None => project.contains(name),
        };
        if is_harmful {
            plan.set(name, "");
        }
    }
    // A proxy, an exception or an authority that is not there must not come from a `.env` either.
    for name in PROXY_VARIABLES.iter().chain(&NO_PROXY).chain(&CERTIFICATES) {
        let stays = match plan.env.get(OsStr::new(name)) {
            Some(planned) => planned.is_some(),
            None => inputs.env.contains_key(OsStr::new(name)),
        };
        if !stays {
            plan.set(name, "");
        }
    }
}

/// Whether Go can make a URL with a host of it.
fn is_url(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")) else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let port = match host.strip_prefix('[') {
        Some(inside) => inside.split_once(']').map(|(_, port)| port),
        None => Some(host.find(':').map_or("", |at| &host[at..])),
    };
    let is_port = |port: &str| {
        port.is_empty()
            || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|it| it.is_ascii_digit()))
    };
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'%' && byte != b'\\';
    !host.is_empty() && port.is_some_and(is_port) && text.bytes().all(is_plain)
}

/// What would add headers or a second credential to each request; the SDK of Anthropic speaks no other protocol.
fn pinned(launch: &Launch) -> impl Iterator<Item = &'static str> {
    let is_anthropic = launch.protocol.value == Protocol::Anthropic;
    VARIABLE_PINNED.iter().copied().filter(move |name| is_anthropic || !name.starts_with("ANTHROPIC_"))
}

/// `env` of the session file: each variable as its own value, since Crush exports that after what the user and the
/// project wrote; and the same value under the name that Crush exports while it loads its providers.
///
/// A proxy or certificate in the user's own `env` stays, unless the launch decides on the proxy.
pub fn pins(
    ours: &[(String, Value)],
    project: &BTreeSet<String>,
    launch: &Launch,
    settings: &JsonObject,
) -> JsonObject {
    let own = settings.get("env").and_then(Json::as_object);
    let own = |name: &str| own.and_then(|env| env.get(name)).filter(|own| own.is_string()).cloned();
    let itself = |name: &str| Json::from(variable(name));
    let mut pins = JsonObject::new();
    let mut pin = |name: &str, value: Json| {
        pins.insert(format!("CRUSH_{name}"), value.clone());
        pins.insert(name.to_owned(), value);
    };
    for (name, _) in ours {
        pin(name, itself(name));
    }
    for name in pinned(launch) {
        pin(name, itself(name));
    }
    for name in PROXY_VARIABLES.into_iter().chain(NO_PROXY) {
        pin(name, own(name).filter(|_| launch.proxy == Proxy::Inherit).unwrap_or_else(|| itself(name)));
    }
    for name in ORGANIZATION.into_iter().chain(BASE_URLS).filter(|name| project.contains(*name)) {
        pin(name, itself(name));
    }
    for name in CERTIFICATES {
        pin(name, own(name).unwrap_or_else(|| itself(name)));
    }
    // What the project names beside these is only looked up in them, so that it takes the place of none.
    let value = |name: &str| {
        let pinned = exported(name).find_map(|name| pins.get(name).cloned());
        let left = || exported(name).find(|name| !is_removed(name));
        let kept = |name: &str| own(name).unwrap_or_else(|| unchanged(name).into());
        let is_users = |name: &str| runs_programs(name) && !launch.extra_env.contains_key(name);
        let given = |name: &str| if is_users(name) { kept(name) } else { itself(name) };
        pinned.or_else(|| left().map(given)).unwrap_or_else(|| "".into())
    };
    let is_configured = |name: &str| exported(name).any(|name| launch.extra_env.contains_key(name));
    let is_kept = |name: &&String| is_removed(name) || runs_programs(name) || is_configured(name);
    let named = project.iter().filter(is_kept);
    let mut all: JsonObject = named.map(|name| (name.clone(), value(name))).collect();
    all.extend(pins);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_refuses_is_no_url() {
        for url in ["http://127.0.0.1:1/v1", "https://a.example", "http://[::1]:1", "http://u:p@h"] {
            assert!(is_url(url), "{url}");
        }
        for text in [
            "",
            "127.0.0.1:1234",
            "localhost",
            "://x",
            "http://",
            "http://h:a",
            "http://[::1",
            "http://%zz",
            "http://a b",
        ] {
            assert!(!is_url(text), "{text}");
        }
    }
}
