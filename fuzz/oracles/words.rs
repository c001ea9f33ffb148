//! What people type: a link's name, `AGENT_RUN_OPTS`, a value with holes.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use agent_run::internals::{self, Environment, parse};
use shims::opts::{Opts, ParsedOpts, VARIABLE};
use shims::template::Field;
use shims::{Message, Part, Template, Value};

use super::PLANTED_KEY;

/// The name that we were called by, or a provider's name in the config.
pub fn shim_name(data: &[u8]) -> bool {
    let called = OsStr::from_bytes(data);
    if let Some(name) = internals::shim_name(called) {
        assert_eq!(Path::new(called).file_name(), Some(OsStr::new(&name)));
        assert!(!name.contains('/') && shims::split_shim_name(&name).is_some(), "{name} is no link's name");
    }
    let Ok(text) = std::str::from_utf8(data) else { return false };
    match shims::split_shim_name(text) {
        Some((agent, provider)) => {
            assert_eq!(format!("{agent}@{provider}"), text);
            assert!(!agent.is_empty() && !agent.contains('@') && !provider.is_empty());
        }
        None => {
            assert!(!text.contains('@') || text.starts_with('@') || text.find('@') == Some(text.len() - 1));
        }
    }
    is_safe_if_taken(text)
}

/// A name that the config takes is safe as a file name, and a link of that name leads back to it.
fn is_safe_if_taken(name: &str) -> bool {
    let provider = r#"{"protocols": ["anthropic"], "base_urls": {"anthropic": "https://h.example"}}"#;
    let name_in_quotes = serde_json::to_string(name).expect("a text");
    let Ok(loaded) = parse(format!(r#"{{"providers": {{{name_in_quotes}: {provider}}}}}"#), "c".as_ref())
    else {
        return false;
    };
    let (taken, _) = loaded.config.providers.first().expect("the one");
    let parts: Vec<_> = Path::new(taken).components().collect();
    assert_eq!(parts, [Component::Normal(OsStr::new(taken))]);
    assert!(!taken.contains('\0') && taken.len() <= 128 && !taken.starts_with(['.', '-']));
    for agent in shims::AGENTS {
        let link = format!("{}@{taken}", agent.name());
        assert_eq!(internals::shim_name(Path::new("/bin").join(&link).as_ref()).as_deref(), Some(&*link));
        assert_eq!(shims::split_shim_name(&link), Some((agent.name(), taken.as_str())));
    }
    true
}

/// The text of `AGENT_RUN_OPTS`.
pub fn opts(data: &[u8]) -> bool {
    let env = Environment::made_of([(VARIABLE.into(), OsStr::from_bytes(data).to_owned())].into());
    let text = match env.shim_opts() {
        Ok(text) => text,
        Err(error) => {
            assert!(std::str::from_utf8(data).is_err() && Message::of(&error).render().contains("\nhelp: "));
            return false;
        }
    };
    match shims::opts::parse(text) {
        Ok(ParsedOpts::Options(opts)) => {
            if let Some(printed) = printed(&opts) {
                let again = match shims::opts::parse(&printed) {
                    Ok(ParsedOpts::Options(again)) => again,
                    other => panic!("{printed}: {other:?}"),
                };
                assert_eq!(format!("{again:?}"), format!("{opts:?}"), "{printed}");
            }
            true
        }
        Ok(ParsedOpts::Help(help)) => {
            assert!(help.contains("--model"));
            true
        }
        Err(error) => {
            let error = Message::of(&error).render();
            assert!(error.starts_with("AGENT_RUN_OPTS: "), "{error}");
            assert_eq!(error.matches("\nhelp: ").count(), 1, "{error}");
            false
        }
    }
}

/// The options as one would type them; `None` for a word that no shell can quote.
fn printed(opts: &Opts) -> Option<String> {
    let mut words = Vec::new();
    if let Some(model) = &opts.model {
        words.push(format!("--model={model}"));
    }
    if let Some(protocol) = opts.protocol {
        words.push(format!("--protocol={protocol}"));
    }
    for force in &opts.force {
        words.push("--force".to_owned());
        words.push(match (force.model, force.protocol) {
            (true, true) => "all".to_owned(),
            (true, false) => "model".to_owned(),
            _ => "protocol".to_owned(),
        });
    }
    if let Some(config) = &opts.config {
        words.push(format!("--config={config}"));
    }
    let switches = [(opts.dry_run, "--dry-run"), (opts.json, "--json"), (opts.verbose, "-v")];
    words.extend(switches.iter().filter(|(on, _)| *on).map(|(_, word)| (*word).to_owned()));
    shlex::try_join(words.iter().map(String::as_str)).ok()
}

/// A value of `headers` or `extra_env`.
pub fn template(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let escaped = Template::parse(&text.replace("${", "$${")).expect("nothing is left to expand");
    let literal = escaped.fill(|_| panic!("nothing is named")).plain().expect("no secret is named");
    assert_eq!(literal, *OsStr::new(text), "`$${{` does not stand for itself");

    let Ok(template) = Template::parse(text) else {
        let error = Template::parse(text).expect_err("as before");
        let shows_key = text.contains(PLANTED_KEY) && error.contains(PLANTED_KEY);
        assert!(!shows_key && !error.contains('\n'), "{error}");
        return false;
    };
    let value = template.fill(|field| format!("<{}>", field.name()));
    assert_eq!(value.parts().contains(&Part::Key), template.names_key());
    assert_eq!(value.plain().is_none(), template.names_key() || template.variables().next().is_some());
    assert!(template.variables().all(|name| !name.is_empty() && !name.contains(['=', '\0'])));
    assert_eq!(filled(&value), expected(text), "{text}");
    let shown = format!("{value} {value:?} {template:?}");
    assert!(text.contains(PLANTED_KEY) || !shown.contains(PLANTED_KEY), "{shown}");
    true
}

/// The value as an agent gets it, with [`PLANTED_KEY`] for the key.
fn filled(value: &Value) -> OsString {
    let mut text = OsString::new();
    for part in value.parts() {
        match part {
            Part::Text(plain) => text.push(plain),
            Part::Key => text.push(PLANTED_KEY),
            Part::Env(name) => text.push(format!("<env {name}>")),
        }
    }
    text
}

/// The same by the plainest of readings, character by character.
fn expected(text: &str) -> OsString {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("$${") {
            out.push_str("${");
            rest = after;
        } else if let Some(after) = rest.strip_prefix("${") {
            let (name, after) = after.split_once('}').expect("it was parsed");
            match name.split_once(':') {
                Some(("env", name)) => out.extend(["<env ", name, ">"]),
                Some(("context", "key")) => out.push_str(PLANTED_KEY),
                Some(("context", name)) => {
                    let known =
                        [Field::Provider, Field::Protocol, Field::Model, Field::Agent, Field::BaseUrl];
                    assert!(known.iter().any(|field| field.name() == name), "{name} was parsed");
                    out.extend(["<", name, ">"]);
                }
                _ => panic!("{name} was parsed"),
            }
            rest = after;
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out.into()
}
