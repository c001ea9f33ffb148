//! `providers add` for a provider that no preset knows: from its base URL, and what its server answers there.

use std::net::Ipv4Addr;
use std::path::Path;

use anyhow::{Result, anyhow, bail};
use shims::{Message, Protocol, proxy};

use super::ask_key::{AfterFailure, KeyAnswer, about_key, ask_key, what_now};
use crate::catalog::{Detected, detect, origin};
use crate::config::{KeyCheck, clean_url, yaml_scalar as scalar};
use crate::env::Environment;
use crate::import::variable;
use crate::key::place::KeyPlace;
use crate::key::shape;
use crate::key::store::KeyStore;
use crate::presets::{self, Preset};
use crate::suggest::{self, join_or};
use crate::ui::log::say;
use crate::ui::prompt::{self, Stopped};

/// The provider `name` at `url`, where nobody can be asked.
pub fn from_server(name: &str, url: &str, key: Option<&KeyAnswer>, env: &Environment) -> Result<Preset> {
    let url = complete(url)?;
    let found = detect(&url, secret(key, env)?.as_deref(), env)?;
    if found.protocols.is_empty() {
        let refusal = found.refusal().map(|refusal| about_key(refusal, key).into());
        return Err(refusal.unwrap_or_else(|| nothing_found(&url, found.is_keyed)));
    }
    preset(name, &url, &found)
}

/// The same at a terminal: asks for what is missing of URL and key. The key is only asked for where the server wants one
/// before it says what it speaks.
pub fn ask(
    name: &str,
    url: Option<&str>,
    key: &mut Option<KeyAnswer>,
    path: &Path,
    env: &Environment,
) -> Result<Preset> {
    if url.is_none() {
        let meant = meant(name)?;
        say(&format!("`{name}` is not a known provider.{meant} To add `{name}`, enter its base URL.\n"));
    }
    let (mut given, has_given_key) = (url.map(str::to_owned), key.is_some());
    for _ in 0..5 {
        let typed = match given.take() {
            Some(url) => url,
            None => prompt::ask("Base URL, such as https://api.example.com/v1 (Enter stops): ")?,
        };
        if typed.is_empty() {
            break;
        }
        if complete(&typed).is_err() && shape::is_like_key(&typed) {
            say(prompt::TOO_EARLY);
            continue;
        }
        match found_at(&typed, name, key, path, env) {
            Ok((url, found)) => return preset(name, &url, &found),
            Err(error) if error.is::<Stopped>() => return Err(error),
            Err(error) => {
                say(&format!("{}\n", crate::error::render(&error)));
                // What was typed for one server is not for the next one.
                if !has_given_key {
                    *key = None;
                }
            }
        }
    }
    bail!(prompt::STOPPED)
}

fn found_at(
    typed: &str,
    name: &str,
    key: &mut Option<KeyAnswer>,
    path: &Path,
    env: &Environment,
) -> Result<(String, Detected)> {
    let url = complete(typed)?;
    say(&format!("Asking {} which protocols it speaks ...\n", origin(&url)));
    let mut found = detect(&url, None, env)?;
    if found.protocols.is_empty() && !found.is_keyed {
        return Err(nothing_found(&url, false));
    }
    if found.is_keyed {
        let mut is_asked = key.is_none();
        loop {
            if is_asked {
                let home = env.dirs()?.home;
                let files = KeyStore::files(path, name, &home);
                let variable = variable(name);
                let answer = ask_key(key.as_ref(), Some(&variable), name, files, KeyCheck::On, &home, env)?;
                *key = Some(answer);
            }
            // One in a variable that is not set here is for the test to report.
            let again = match (&key, secret(key.as_ref(), env)) {
                (Some(KeyAnswer::There(KeyPlace::Env(_))), Err(_)) => None,
                (_, again) => again?,
            };
            let Some(again) = again else { break };
            let again = detect(&url, Some(&again), env)?;
            let refusal = again.refusal();
            if !again.protocols.is_empty() {
                found = again;
            }
            let Some(refusal) = refusal else { break };
            say(&format!("{}\n", about_key(refusal, key.as_ref()).message.render()));
            let again = (AfterFailure::EnterKey, "enter another key");
            match what_now(&[again, (AfterFailure::GoOn, "use this key all the same")])? {
                AfterFailure::EnterKey => is_asked = true,
                _ => break,
            }
        }
    }
    if found.protocols.is_empty() {
        let all = Protocol::ALL.map(|protocol| protocol.name().to_owned());
        let chosen = prompt::choose(
            "The server does not say which protocols it supports. Which one does its documentation name?",
            &all,
        )?;
        found = Detected::stated(&url, Protocol::ALL[chosen]);
    }
    Ok((url, found))
}

/// What to do if another name was meant; nothing where that was asked before, as of a mistyped one.
fn meant(name: &str) -> Result<String> {
    let near = presets::near(name)?;
    let is_asked = suggest::typo(name, near.iter().map(String::as_str)).is_some();
    let meant = format!(" If you mean {}, stop with Ctrl-C, and type that.", join_or(&near));
    Ok(if near.is_empty() || is_asked { String::new() } else { meant })
}

/// An entry of that name, as long as nothing is known but the name.
pub fn example(name: &str) -> String {
    let name = scalar(name);
    format!("{name}:\n  protocols: [anthropic]\n  base_urls:\n    anthropic: https://api.example.com\n")
}

/// The id of a model that is not to choose from; an empty answer is none.
pub fn ask_id() -> Result<Option<String>> {
    loop {
        let typed = prompt::ask("Id of the default model: ")?;
        if !shape::begins_as_key(&typed) {
            return Ok(Some(typed).filter(|typed| !typed.is_empty()));
        }
        say(prompt::TOO_EARLY);
    }
}

fn nothing_found(url: &str, is_keyed: bool) -> anyhow::Error {
    anyhow!(if is_keyed {
        let text = format!("{} refuses every request, so its protocols cannot be seen", origin(url));
        Message::new(
            text,
            "name the key with `--key-env VARIABLE`, or check it. With --dry-run no key is sent",
        )
    } else {
        Message::new(
            format!("no protocol of an agent works at {url}"),
            "look up the base URL in the vendor's documentation; it often ends in /v1",
        )
    })
}

/// The key, as far as it can be had now.
fn secret(key: Option<&KeyAnswer>, env: &Environment) -> Result<Option<String>> {
    Ok(match key {
        None => None,
        Some(KeyAnswer::Typed(_, key)) => Some(key.clone()),
        Some(KeyAnswer::There(place)) => Some(place.resolve(env, &env.dirs()?.home)?),
    })
}

/// The URL with its scheme. What is no host for sure needs one: it may be a key, and would be shown and looked up.
fn complete(typed: &str) -> Result<String> {
    if typed.contains(char::is_whitespace) {
        bail!(Message::new("this is no URL", "a URL begins with https:// or http:// and has no spaces"));
    }
    let url = match typed.contains("://") {
        true => typed.to_owned(),
        false if proxy::is_loopback(typed) => format!("http://{typed}"),
        false if is_host(typed) => format!("https://{typed}"),
        false => bail!(Message::new("the URL has no scheme", "begin it with https:// or http://")),
    };
    clean_url(&url).map(str::to_owned).map_err(|error| anyhow!(error))
}

/// Whether it is a host of the internet, perhaps with a port and a path. A key may have a dot too, but hardly one with
/// nothing but small letters behind it.
fn is_host(typed: &str) -> bool {
    let host = typed.split(['/', ':']).next().unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    let is_domain = |(_, last): (&str, &str)| {
        (2..=24).contains(&last.len()) && last.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    !shape::begins_as_key(typed)
        && host.bytes().all(is_plain)
        && (host.parse::<Ipv4Addr>().is_ok() || host.rsplit_once('.').is_some_and(is_domain))
}

fn preset(name: &str, url: &str, found: &Detected) -> Result<Preset> {
    let protocols: Vec<_> = found.protocols.iter().map(|protocol| protocol.name()).collect();
    let mut lines = vec![
        format!("{}:", scalar(name)),
        format!("  protocols: [{}]", protocols.join(", ")),
        "  base_urls:".to_owned(),
    ];
    for (family, url) in [("openai", &found.openai), ("anthropic", &found.anthropic)] {
        lines.extend(url.as_ref().map(|url| format!("    {family}: {}", scalar(url))));
    }
    if found.is_keyed || !proxy::is_loopback(url) {
        lines.push(format!("  key_env: {}", variable(name)));
    }
    if found.is_api_key {
        lines.push("  anthropic_use_api_key: true".to_owned());
    }
    let title = format!("{} speaks {}", origin(url), protocols.join(", "));
    Preset::unknown(name, title, lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_completed_to_a_url() {
        for key in [
            "sk-0123456789abcdefghij",
            "sk-0123456789/abcdefghij.ab",
            "0123456789abcdef0123456789abcdef.AbCdEfGh12345678",
            "0123456789abcdef0123456789abcdef.AbCdEfGhIjKlMnOp",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
            "0123456789abcdef/0123456789abcdef",
        ] {
            let error = crate::error::render(&complete(key).expect_err(key));
            assert!(error.contains("no scheme") && !error.contains(&key[..8]), "{error}");
        }
        for (typed, url) in [
            ("api.example.com", "https://api.example.com"),
            ("api.example.com:8443/v1", "https://api.example.com:8443/v1"),
            ("https://gpu/v1", "https://gpu/v1"),
            ("localhost:8000", "http://localhost:8000"),
            ("127.0.0.1", "http://127.0.0.1"),
            ("192.168.0.7:8000", "https://192.168.0.7:8000"),
        ] {
            assert_eq!(complete(typed).expect(typed), url);
        }
    }
}
