//! `agent-run launch`, and what a shim does: launches, or prints what a launch would do.
//!
//! What is printed is the very plan that a launch carries out, under a heading that says where each choice came from.
//! For it nothing is locked or changed, and no key command runs.

use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value as Json, json};

use super::providers;
use crate::context::Context;
use crate::env::Environment;
use crate::launch::explain::{self, Choice};
use crate::launch::request::DryRun;
use crate::launch::{self, KeyPolicy, LaunchRequest, Network};
use crate::ui;
use crate::ui::output;

/// Launches the agent, or prints the plan.
///
/// # Errors
/// When nothing was launched; an agent that runs takes this process over.
pub fn run(request: &LaunchRequest, env: &Environment) -> Result<ExitCode> {
    match request.show {
        Some(show) => dry_run(request, show, env),
        None => match launch::run(request, env) {
            // A launch that has its provider never comes here.
            Err(error) => {
                if !providers::offer(request, env)? {
                    return Err(error);
                }
                match launch::run(request, env)? {}
            }
            Ok(never) => match never {},
        },
    }
}

fn dry_run(request: &LaunchRequest, show: DryRun, env: &Environment) -> Result<ExitCode> {
    env.check_depth()?;
    let context = Context::for_launch(request.config.as_deref(), &request.provider, env)?;
    let mut notes = Vec::new();
    let planned = launch::dry_run(request, &context, Network::On(KeyPolicy::NoCommands), &mut notes);
    notes.iter().for_each(ui::log::note);
    let planned = planned?;
    let (choices, plan) = (explain::choices(request, &context, &planned), &planned.plan);
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
