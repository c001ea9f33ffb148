//! The keys: does each source give one. No key is shown, only the start of its SHA-256.

use std::path::Path;
use std::time::{Duration, Instant};

use shims::{Protocol, proxy, quote};

use super::report::{Finding, Group, Severity};
use crate::config::{KeyCheck, KeySource, Provider};
use crate::env::{Environment, is_program};
use crate::{error, key, signals};

/// A key command that takes longer is felt at every launch.
const SLOW: Duration = Duration::from_secs(1);

/// Which keys are a problem, and what may be used to get them.
#[derive(Clone, Copy)]
pub struct KeyOptions<'a> {
    /// Whether this very provider was named: then a key that is missing is a problem.
    pub named: bool,
    /// Whether key commands run.
    pub commands: bool,
    /// The config file.
    pub config: &'a Path,
    /// The user's home.
    pub home: &'a Path,
    /// The environment.
    pub env: &'a Environment,
}

/// Looks at the keys of these providers, and names those whose key is missing.
pub fn look<'a>(
    providers: impl Iterator<Item = (&'a String, &'a Provider)>,
    options: KeyOptions<'_>,
) -> (Group, Vec<&'a str>) {
    let (mut group, mut missing) = (Group::new("Keys"), Vec::new());
    group.extend(leftovers(options.config));
    for (name, provider) in providers {
        match provider.key_source() {
            None => group.add(without(name, provider)),
            Some(source) => {
                let key = match source {
                    KeySource::Command(argv) if !options.commands => not_run(name, argv, options.env),
                    _ => get(name, source, provider.key_check, options),
                };
                missing.extend(key.is_err().then_some(name.as_str()));
                group.add(key.unwrap_or_else(|missing| missing));
                if let KeySource::File(path) = source {
                    let open = key::file::open_to_others(&key::expand_home(path, options.home));
                    group.extend(open.map(|open| Finding::said(Severity::Problem, name, &open, "")));
                }
            }
        }
    }
    (group, missing)
}

/// What there is to say of a provider without a key, which only a server near this machine is likely to work without.
fn without(name: &str, provider: &Provider) -> Finding {
    let is_far = |protocol: &Protocol| {
        let url = provider.base_url(*protocol).unwrap_or_default();
        url.starts_with("https://") && !proxy::is_loopback(url)
    };
    if provider.headers.is_empty() && provider.protocols.iter().any(is_far) {
        return Finding::note(name, "it has no key", format!("set one with `{}`", key::setting(name)));
    }
    let text = format!("no key, as for a local server; `{}` sets one", key::setting(name));
    Finding::ok(name, text).briefly(format!("{name} (no key)"))
}

/// What killed processes left among the key files.
fn leftovers(config: &Path) -> impl Iterator<Item = Finding> {
    key::file::leftovers(config).into_iter().map(|path| {
        let text = format!("an interrupted command left a key in {}", path.display());
        let help =
            format!("set the key again, which replaces this file, or run `rm {}`", quote(path.as_os_str()));
        Finding::note("keys", text, help)
    })
}

/// What there is to say of a key command that is not run; as an error that it gives no key.
fn not_run(name: &str, argv: &[String], env: &Environment) -> Result<Finding, Finding> {
    let program = argv.first().map_or("", String::as_str);
    let command = key::redact::shown_command(argv);
    if env.programs(program).next().is_some() || (program.contains('/') && is_program(program.as_ref())) {
        let text = format!("{command}, not run now; `agent-run doctor {name}` runs it");
        return Ok(Finding::ok(name, text));
    }
    let fault = if program.contains('/') { "no program" } else { "not on PATH" };
    let text = format!("{command}: {program} is {fault}");
    Err(Finding::note(name, text, format!("install {program}, or change key_command")))
}

/// What there is to say of a key; as an error that there is none.
fn get(
    name: &str,
    source: KeySource<'_>,
    check: KeyCheck,
    options: KeyOptions<'_>,
) -> Result<Finding, Finding> {
    let start = Instant::now();
    // What a key command starts is to end by Ctrl-C, as this program does here.
    let key = signals::interruptible(|| key::resolve(source, check, options.env, options.home));
    let took = start.elapsed();
    match key.and_then(|key| key) {
        Err(error) => {
            // A variable may be set in another shell; a file that the config names is there or is missing.
            let is_missing = options.named || matches!(source, KeySource::File(_));
            let mark = if is_missing { Severity::Problem } else { Severity::Note };
            let is_absent = key::is_missing(source, options.env, options.home);
            let message = if is_absent { key::no_key(name, &error) } else { error::message(&error) };
            Err(Finding::said(mark, name, &message, "check the key's source in the config"))
        }
        Ok(key) => {
            let time = match source {
                KeySource::Command(_) => format!(", {} ms", took.as_millis()),
                _ => String::new(),
            };
            let text = format!("{}{time}, {}", source.place(), key::fingerprint(&key));
            Ok(if took > SLOW {
                let help =
                    "every launch waits for it: let the password manager cache the key, or use key_file";
                Finding::note(name, text, help)
            } else {
                Finding::ok(name, text)
            })
        }
    }
}
