//! What was decided for a launch and by whom, in words: for a dry run and for `why`.
//!
//! No key is resolved for it; only its source is shown.

use std::path::Path;

use serde_json::{Value as Json, json};
use shims::proxy::{PROXY_VARIABLES, host, is_loopback};
use shims::{Launch, Note, Origin, Proxy, quote};

use super::{LaunchRequest, Planned, program};
use crate::config::{KeySource, Loaded, Provider};
use crate::context::Context;
use crate::env::Environment;
use crate::key;
use crate::ui::{Ink, Screen, escaped};

/// One choice.
pub struct Choice {
    /// What it is about.
    pub what: &'static str,
    /// What was chosen.
    pub value: String,
    /// Who chose it.
    pub origin: String,
    /// What would have held otherwise.
    pub not: Option<String>,
    /// The same for programs, where `value` is worded or quoted for people.
    data: Option<Json>,
}

impl Choice {
    /// A choice made by `origin`.
    pub fn new(what: &'static str, value: impl Into<String>, origin: impl Into<String>) -> Self {
        Self { what, value: value.into(), origin: origin.into(), not: None, data: None }
    }

    /// As this one, and for programs with this value.
    #[must_use]
    pub fn with(self, data: impl Into<Json>) -> Self {
        Self { data: Some(data.into()), ..self }
    }

    /// A file or folder, which people get quoted for a shell.
    pub fn path(what: &'static str, path: &Path, origin: impl Into<String>) -> Self {
        Self::new(what, quote(path.as_os_str()), origin).with(path.to_string_lossy())
    }

    /// Whether nothing was chosen.
    pub fn is_none(&self) -> bool {
        self.data == Some(Json::Null)
    }

    /// Its name for programs.
    pub fn id(&self) -> String {
        self.what.replace(' ', "_")
    }

    /// The choice for programs.
    pub fn json(&self) -> Json {
        let value = self.data.clone().unwrap_or_else(|| self.value.as_str().into());
        let mut json = json!({ "value": value, "origin": self.origin });
        if let Some(not) = &self.not {
            json["not"] = not.as_str().into();
        }
        json
    }
}

/// Where values begin behind their labels.
pub const INDENT: usize = 12;

/// A line of a page for people: a label, and a value.
pub fn labelled(label: &str, value: &str) -> String {
    format!("  {label:<9} {value}")
}

/// A note of a plan with its help.
pub fn rendered(note: &Note) -> String {
    let (Note::Warning(message) | Note::Info(message)) = note;
    message.render()
}

/// A page for people as it grows, its lines broken where they are wider than the terminal.
pub struct ChoicePage {
    screen: Screen,
    pub text: String,
    last: String,
}

impl ChoicePage {
    pub fn of(screen: Screen) -> Self {
        Self { screen, text: String::new(), last: String::new() }
    }

    pub fn heading(&mut self, text: &str) {
        self.text += &self.screen.paint(Ink::Heading, &self.screen.line(&escaped(text), 2));
        self.text.push('\n');
    }

    pub fn line(&mut self, text: &str, hang: usize) {
        self.text += &self.screen.line(&escaped(text), hang);
        self.text.push('\n');
    }

    /// A value behind its label, which is not repeated.
    pub fn row(&mut self, label: &str, value: &str) {
        self.line(&labelled(if label == self.last { "" } else { label }, value), INDENT);
        label.clone_into(&mut self.last);
    }

    pub fn note(&mut self, note: &Note) {
        let note = format!("\nNote: {}\n", rendered(note).replace('\n', "\n  "));
        self.text += &self.screen.text(&escaped(&note));
    }
}

/// The place of a key in the config: file, line and dotted key.
pub fn place<T: AsRef<str>>(loaded: &Loaded, key: &[T]) -> String {
    let keys: Vec<&str> = key.iter().map(AsRef::as_ref).collect();
    let line = loaded.locate(&keys).map_or_else(String::new, |line| format!(":{line}"));
    format!("{}{line} {}", loaded.path.display(), keys.join("."))
}

/// An origin for people who were shown the name of the config and of the provider already: `line 6, default_model`.
pub fn short_origin(origin: &str, loaded: &Loaded, provider: &str) -> String {
    let short = origin.replace(&format!("{}:", loaded.path.display()), "line ");
    let (of_provider, itself) = (format!(" providers.{provider}."), format!(" providers.{provider}"));
    match short.strip_suffix(&itself) {
        Some(short) => short.to_owned(),
        None => short.replace(&of_provider, ", "),
    }
}

/// The choices of a launch, or of a home without a provider.
pub fn choices(request: &LaunchRequest, context: &Context<'_>, planned: &Planned<'_>) -> Vec<Choice> {
    let (loaded, plan) = (&context.loaded, &planned.plan);
    let from = |origin: &Origin| match origin {
        Origin::Config(key) => place(loaded, key),
        other => other.to_string(),
    };
    let found =
        program::locate_program(request.agent, &plan.program, &context.env.path(), &plan.fallback_programs);
    let is_path = plan.program.as_encoded_bytes().contains(&b'/');
    let found_by = if is_path { "a path".to_owned() } else { format!("{} on PATH", plan.program.display()) };
    let mut choices = vec![match found {
        Ok(path) => Choice::path("agent", &path, found_by),
        Err(error) => {
            let help = crate::error::message(&error).help.unwrap_or(found_by);
            Choice::new("agent", error.to_string(), help).with(Json::Null)
        }
    }];
    let Some((launch, provider)) = &planned.launch else {
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
    choices.push(key(request, context, provider));
    choices
}

fn key(request: &LaunchRequest, context: &Context<'_>, provider: &Provider) -> Choice {
    let (name, loaded) = (request.provider.as_str(), &context.loaded);
    let set = format!("`{}` sets one", key::setting(name));
    let Some(source) = provider.key_source() else {
        return Choice::new("key", "none", format!("the provider has no key; {set}")).with(Json::Null);
    };
    let (shown, origin) = (source.place(), place(loaded, &["providers", name, source.setting()]));
    // In quotes `~` would be no home.
    let at_home = |path: &Path| key::expand_home(path, &context.dirs.home);
    let is_missing = key::is_missing(source, context.env, &context.dirs.home);
    match source {
        KeySource::Env(_) if is_missing => {
            Choice::new("key", format!("none: {shown} is not set; {set}"), origin).with(shown)
        }
        KeySource::File(path) if is_missing => {
            let file = quote(at_home(path).as_os_str());
            Choice::new("key", format!("none: there is no key in {file}; {set}"), origin).with(shown)
        }
        KeySource::Literal(_) => Choice::new("key", "<key>", origin),
        KeySource::Env(_) => Choice::new("key", shown, origin),
        KeySource::File(path) => Choice::path("key", &at_home(path), origin).with(path.to_string_lossy()),
        KeySource::Command(argv) => Choice::new("key", shown, origin).with(key::redact::shown_words(argv)),
    }
}

/// The proxy between the agent and the provider, by its host.
pub fn proxy(launch: &Launch, loaded: &Loaded, env: &Environment) -> Choice {
    let at = || place(loaded, &["providers", &launch.provider, "proxy"]);
    let inherited = PROXY_VARIABLES.iter().find_map(|name| Some((name, env.var(name)?.to_str()?)));
    let choice = match (&launch.proxy, inherited) {
        (Proxy::Url(url), _) => Choice::new("proxy", host(url), at()),
        (Proxy::None, _) => Choice::new("proxy", "none", at()).with(Json::Null),
        (Proxy::Inherit, Some((name, url))) => Choice::new("proxy", host(url), format!("{name}, inherited")),
        (Proxy::Inherit, None) => Choice::new("proxy", "none", "none configured").with(Json::Null),
    };
    if is_loopback(&launch.base_url.value) && !choice.is_none() {
        let not = Some(format!("{}, {}", choice.value, choice.origin));
        let none = Choice::new("proxy", "none", "the provider is on this machine");
        return Choice { not, ..none.with(Json::Null) };
    }
    choice
}
