//! The keys: does each source give one. No key is shown, only the start of its SHA-256.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use shims::{quote, quoted};

use super::report::{Finding, Group, Severity};
use crate::config::{KeyCheck, KeySource, Provider};
use crate::env::Environment;
use crate::key;

/// A key command that takes longer is felt at every launch.
const SLOW: Duration = Duration::from_secs(1);

/// What is known of the asking.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// Whether this very provider was named: then a key that is missing is a problem.
    pub named: bool,
    /// Whether key commands run.
    pub commands: bool,
    /// The user's home.
    pub home: &'a Path,
    /// The environment.
    pub env: &'a Environment,
}

/// Looks at the keys of these providers.
pub fn look<'a>(providers: impl Iterator<Item = (&'a String, &'a Provider)>, asking: Asking<'_>) -> Group {
    let mut group = Group::new("Keys");
    for (name, provider) in providers {
        match provider.key_source() {
            None => group.add(Finding::ok(name, "none, as for a local server")),
            Some(KeySource::Command(argv)) if !asking.commands => group.add(unasked(name, argv, asking.env)),
            Some(source) => group.extend(ask(name, source, provider.key_check, asking)),
        }
    }
    group
}

fn shown(source: KeySource<'_>) -> String {
    match source {
        KeySource::Literal(_) => "in the config".to_owned(),
        KeySource::Env(name) => format!("${name}"),
        KeySource::File(path) => path.display().to_string(),
        KeySource::Command(argv) => command(argv),
    }
}

fn command(argv: &[String]) -> String {
    format!("`{}`", quoted(argv))
}

fn unasked(name: &str, argv: &[String], env: &Environment) -> Finding {
    let program = argv.first().map_or("", String::as_str);
    if program.contains('/') || env.programs(program).next().is_some() {
        return Finding::ok(
            name,
            format!("{}, not asked now; `agent-run doctor {name}` does", command(argv)),
        );
    }
    let text = format!("{}: {program} is not on PATH", command(argv));
    Finding::note(name, text, format!("install {program}, or change key_command"))
}

fn ask(name: &str, source: KeySource<'_>, check: KeyCheck, asking: Asking<'_>) -> Vec<Finding> {
    let start = Instant::now();
    let key = key::resolve(source, check, asking.env, asking.home);
    let took = start.elapsed();
    let mut findings = Vec::new();
    match key {
        Err(error) => {
            // A variable may be set in another shell; a file that the config names is there or is missing.
            let is_missing = asking.named || matches!(source, KeySource::File(_));
            let mark = if is_missing { Severity::Problem } else { Severity::Note };
            findings.push(Finding::error(mark, name, &error, "look at where the config says the key is"));
        }
        Ok(key) => {
            let time = match source {
                KeySource::Command(_) => format!(", {} ms", took.as_millis()),
                _ => String::new(),
            };
            let text = format!("{}{time}, {}", shown(source), key::fingerprint(&key));
            findings.push(if took > SLOW {
                let help = "every launch waits for it: let the manager cache the key, or keep it in key_file";
                Finding::note(name, text, help)
            } else {
                Finding::ok(name, text)
            });
        }
    }
    if let KeySource::File(path) = source {
        findings.extend(open_file(name, &key::expand_home(path, asking.home)));
    }
    findings
}

fn open_file(name: &str, path: &Path) -> Option<Finding> {
    let mode = path.metadata().ok()?.permissions().mode();
    let text = format!("others can read {}", path.display());
    (mode & 0o077 != 0)
        .then(|| Finding::problem(name, text, format!("chmod 600 {}", quote(path.as_os_str()))))
}
