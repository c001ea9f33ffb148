//! Prints what a launch would do: the very plan that a launch carries out, under a heading that says where
//! each choice came from. It resolves no key and changes nothing.

use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value as Json, json};
use shims::{Launch, Origin, Plan, quote};

use crate::config::{KeySource, Loaded, Provider};
use crate::env::Environment;
use crate::request::{Request, Show};
use crate::{exec, output};

/// One choice: what it is about, its value, who made it.
type Choice = (&'static str, String, String);

/// Prints the plan of a launch, or of a home without a provider.
///
/// # Errors
/// When stdout cannot be written; a reader that left early is no error.
pub fn print(
    request: &Request,
    loaded: &Loaded,
    launch: Option<(&Launch, &Provider)>,
    plan: &Plan,
    show: Show,
    env: &Environment,
) -> Result<ExitCode> {
    let choices = choices(request, loaded, launch, plan, env);
    let text = if show.json {
        let choices: Json = choices
            .into_iter()
            .map(|(what, value, origin)| (what.to_owned(), json!({ "value": value, "origin": origin })))
            .collect::<serde_json::Map<_, _>>()
            .into();
        format!("{:#}\n", json!({ "choices": choices, "plan": plan.json() }))
    } else {
        let mut text = String::new();
        for (what, value, origin) in choices {
            _ = writeln!(text, "# {what:<9} {value}  ({origin})");
        }
        text + &plan.lines(show.contents).to_string()
    };
    output::write(|out| out.write_all(text.as_bytes()))
}

fn choices(
    request: &Request,
    loaded: &Loaded,
    launch: Option<(&Launch, &Provider)>,
    plan: &Plan,
    env: &Environment,
) -> Vec<Choice> {
    let file = loaded.path.display();
    let at = |key: &[String]| {
        let keys: Vec<&str> = key.iter().map(String::as_str).collect();
        let line = loaded.locate(&keys).map_or_else(String::new, |(line, _)| format!(":{line}"));
        format!("{file}{line} {}", key.join("."))
    };
    let from = |origin: &Origin| match origin {
        Origin::Config(key) => at(key),
        other => other.to_string(),
    };
    let key = |name: &str| ["providers", &request.provider, name].map(str::to_owned);
    let program = match exec::find_program(request.agent, &plan.program, &env.path(), &plan.fallback_programs)
    {
        Ok(path) => quote(path.as_os_str()),
        Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
    };
    let found_by = if plan.program.as_encoded_bytes().contains(&b'/') {
        "a path".to_owned()
    } else {
        format!("{} on PATH", plan.program.display())
    };
    let mut choices = vec![("agent", program, found_by)];
    let Some((launch, provider)) = launch else {
        choices.push(("home", request.provider.clone(), at(&["isolated_homes".to_owned()])));
        return choices;
    };
    choices.push(("provider", launch.provider.clone(), at(&key("")[..2])));
    choices.push(("protocol", launch.protocol.value.to_string(), from(&launch.protocol.origin)));
    choices.push(("base url", launch.base_url.value.clone(), from(&launch.base_url.origin)));
    choices.push(("model", launch.model.value.id.clone(), from(&launch.model.origin)));
    choices.push(match provider.key_source() {
        None => ("key", "none".to_owned(), "the provider names no source".to_owned()),
        Some(KeySource::Literal(_)) => ("key", "<key>".to_owned(), at(&key("key"))),
        Some(KeySource::Env(name)) => ("key", format!("${name}"), at(&key("key_env"))),
        Some(KeySource::File(path)) => ("key", quote(path.as_os_str()), at(&key("key_file"))),
        Some(KeySource::Command(argv)) => {
            let words: Vec<_> = argv.iter().map(|word| quote(word.as_ref())).collect();
            ("key", format!("`{}`", words.join(" ")), at(&key("key_command")))
        }
    });
    choices
}
