//! Prints what a launch would do: the very plan that a launch carries out, under a heading that says where
//! each choice came from. It resolves no key and changes nothing.

use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value as Json, json};
use shims::{Launch, Plan};

use crate::commands::choices::{self, Choice};
use crate::config::{Loaded, Provider};
use crate::env::Environment;
use crate::request::{Request, Show};
use crate::ui::output;

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
    let choices = choices::of(request, loaded, launch, plan, env);
    let text = if show.json {
        let choices: Json = choices
            .into_iter()
            .map(|Choice { what, value, origin, .. }| {
                (what.to_owned(), json!({ "value": value, "origin": origin }))
            })
            .collect::<serde_json::Map<_, _>>()
            .into();
        format!("{:#}\n", json!({ "choices": choices, "plan": plan.json() }))
    } else {
        let mut text = String::new();
        for Choice { what, value, origin, .. } in choices {
            _ = writeln!(text, "# {what:<9} {value}  ({origin})");
        }
        text + &plan.lines(show.contents).to_string()
    };
    output::write(|out| out.write_all(text.as_bytes()))
}
