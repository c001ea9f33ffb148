//! What was decided for a launch and by whom, in words: for a dry run and for `why`.
//!
//! No key is resolved for it; a source is all that is told.

use shims::{Launch, Origin, Plan, quote};

use crate::config::{KeySource, Loaded, Provider};
use crate::env::Environment;
use crate::exec;
use crate::request::Request;

/// One choice.
pub struct Choice {
    /// What it is about.
    pub what: &'static str,
    /// What was chosen.
    pub value: String,
    /// Who chose it.
    pub origin: String,
}

impl Choice {
    /// A choice made by `origin`.
    pub fn new(what: &'static str, value: String, origin: impl Into<String>) -> Self {
        Self { what, value, origin: origin.into() }
    }
}

/// The place of a key in the config: file, line and dotted key.
pub fn place<T: AsRef<str>>(loaded: &Loaded, key: &[T]) -> String {
    let keys: Vec<&str> = key.iter().map(AsRef::as_ref).collect();
    let line = loaded.locate(&keys).map_or_else(String::new, |(line, _)| format!(":{line}"));
    format!("{}{line} {}", loaded.path.display(), keys.join("."))
}

/// The choices of a launch, or of a home without a provider.
pub fn of(
    request: &Request,
    loaded: &Loaded,
    launch: Option<(&Launch, &Provider)>,
    plan: &Plan,
    env: &Environment,
) -> Vec<Choice> {
    let from = |origin: &Origin| match origin {
        Origin::Config(key) => place(loaded, key),
        other => other.to_string(),
    };
    let program = match exec::find(request.agent, &env.path(), &plan.fallback_programs) {
        Ok(path) => quote(path.as_os_str()),
        Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
    };
    let mut choices = vec![Choice::new("agent", program, format!("{} on PATH", plan.program))];
    let Some((launch, provider)) = launch else {
        let origin = place(loaded, &["isolated_homes"]);
        choices.push(Choice::new("home", request.provider.clone(), origin));
        return choices;
    };
    let origin = place(loaded, &["providers", &request.provider]);
    choices.push(Choice::new("provider", launch.provider.clone(), origin));
    let Launch { protocol, base_url, model, .. } = launch;
    choices.push(Choice::new("protocol", protocol.value.to_string(), from(&protocol.origin)));
    choices.push(Choice::new("base url", base_url.value.clone(), from(&base_url.origin)));
    choices.push(Choice::new("model", model.value.id.clone(), from(&model.origin)));
    choices.push(key(request, loaded, provider));
    choices
}

fn key(request: &Request, loaded: &Loaded, provider: &Provider) -> Choice {
    let at = |name| place(loaded, &["providers", &request.provider, name]);
    match provider.key_source() {
        None => Choice::new("key", "none".to_owned(), "the provider names no source"),
        Some(KeySource::Literal(_)) => Choice::new("key", "<key>".to_owned(), at("key")),
        Some(KeySource::Env(name)) => Choice::new("key", format!("${name}"), at("key_env")),
        Some(KeySource::File(path)) => Choice::new("key", quote(path.as_os_str()), at("key_file")),
        Some(KeySource::Command(argv)) => {
            let words: Vec<_> = argv.iter().map(|word| quote(word.as_ref())).collect();
            Choice::new("key", format!("`{}`", words.join(" ")), at("key_command"))
        }
    }
}
