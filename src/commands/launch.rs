//! `agent-run launch`, and what a shim does: launches, or prints what a launch would do.
//!
//! What is printed is the very plan that a launch carries out, under a heading that says where each choice came from.
//! For it nothing is locked or changed, and no key command runs.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Map, json};
use shims::{Message, Plan, quote};

use super::providers;
use crate::context::Context;
use crate::env::Environment;
use crate::launch::explain::{self, Choice, ChoicePage};
use crate::launch::request::DryRun;
use crate::launch::{self, LaunchRequest, Network};
use crate::ui::format::count;
use crate::ui::{self, Screen, escaped, output};

/// Launches the agent, or prints the plan.
///
/// # Errors
/// When nothing was launched; an agent that runs takes this process over.
pub fn run(request: &LaunchRequest, env: &Environment) -> Result<ExitCode> {
    match request.show {
        Some(show) => dry_run(request, show, env),
        None => match launch::run(warned(request), env) {
            // `offer` tells a missing provider from any other failure.
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

/// Warns about `--dry-run` among the agent's arguments, since no agent has such an option.
fn warned(request: &LaunchRequest) -> &LaunchRequest {
    let args = &request.args;
    let is_option = args.first().is_some_and(|first| first.as_encoded_bytes().starts_with(b"-"));
    if is_option && args.iter().any(|arg| arg == "--dry-run") {
        let (agent, provider) = (request.agent.name(), quote(request.provider.as_ref()));
        ui::log::warn(Message::new(
            format!("`--dry-run` is after the agent's name, so {} gets it", request.agent.title()),
            format!("for a dry run, type `agent-run launch {provider} --dry-run {agent}`"),
        ));
    }
    request
}

fn dry_run(request: &LaunchRequest, show: DryRun, env: &Environment) -> Result<ExitCode> {
    env.check_depth()?;
    let context = Context::for_launch(request.config.as_deref(), &request.provider, env)?;
    let mut notes = Vec::new();
    let planned = launch::dry_run(request, &context, Network::NoKeyCommands, &mut notes);
    notes.iter().for_each(ui::log::note);
    let planned = planned?;
    let (choices, plan) = (explain::choices(request, &context, &planned), &planned.plan);
    if show.json {
        let choices: Map<_, _> = choices.iter().map(|choice| (choice.id(), choice.json())).collect();
        return output::json(&json!({ "choices": choices, "plan": plan.json() }));
    }
    let screen = Screen::stdout();
    if screen.is_terminal() && !show.contents {
        return output::whole(&summary(screen, request, &choices, plan, &context));
    }
    let mut text = String::new();
    for Choice { what, value, origin, .. } in choices {
        _ = writeln!(text, "# {what:<9} {value}  ({origin})");
    }
    // The lines of the plan are exact, to be copied and compared: only comments are broken.
    _ = write!(text, "{}", plan.lines(show.contents));
    output::whole(&screen.comments(&escaped(&text)))
}

/// An argument that is longer is shown by its beginning.
const LONGEST: usize = 40;

/// The plan on one page of a terminal.
fn summary(
    screen: Screen,
    request: &LaunchRequest,
    choices: &[Choice],
    plan: &Plan,
    context: &Context<'_>,
) -> String {
    let mut page = ChoicePage::of(screen);
    page.row("config", &context.loaded.path.display().to_string());
    for Choice { what, value, origin, .. } in choices {
        let origin = explain::short_origin(origin, &context.loaded, &request.provider);
        page.row(what, &format!("{value}  ({origin})"));
    }
    let (set, unset): (Vec<_>, Vec<_>) = plan.env.iter().partition(|(_, value)| value.is_some());
    let name = |(name, _): (&OsString, _)| name.to_string_lossy().into_owned();
    page.row("sets", &set.into_iter().map(name).collect::<Vec<_>>().join(" "));
    let unset: Vec<_> = unset.into_iter().map(name).filter(|name| context.env.var(name).is_some()).collect();
    if !unset.is_empty() {
        page.row("removes", &unset.join(" "));
    }
    let folders: BTreeSet<_> = plan.files.keys().filter_map(|path| path.parent()).collect();
    for folder in folders {
        let files = plan.files.keys().filter(|path| path.parent() == Some(folder)).count();
        page.row("writes", &format!("{} in {}", count(files, "file"), folder.display()));
    }
    for (path, merge) in &plan.merges {
        page.row("changes", &format!("{}: {}", path.display(), merge.summary()));
    }
    let mut words = vec![quote(&plan.program)];
    words.extend(plan.args.iter().map(|word| {
        let word = quote(word);
        match word.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &word[..end]),
            None => word,
        }
    }));
    page.row("runs", &words.join(" "));
    plan.notes.iter().for_each(|note| page.note(note));
    page.text.push('\n');
    page.line("Nothing was done. Use -v to see the full plan, with the contents of files.", 0);
    page.text
}
