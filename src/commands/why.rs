//! `agent-run why`: one launch on a page, each setting with who decided it and what it overrules.
//!
//! It shows the plan of a launch with no words of the agent's own. No key is resolved, no provider asked, and
//! nothing changed.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Value as Json, json};
use shims::{Agent, Dirs, Launch, Message, Origin, Plan, Sessions, Sourced, Value, quote, quoted};

use super::target::Target;
use crate::cli::WhyArgs;
use crate::config::{Loaded, Provider};
use crate::context::{self, Context};
use crate::env::Environment;
use crate::launch::conflicts::{self, Overruled};
use crate::launch::explain::{self, Choice, ChoicePage, INDENT, labelled, place, rendered};
use crate::launch::{self, LaunchRequest, Network, lookup, request};
use crate::ui::{Screen, escaped, output};

/// Prints the page.
pub fn run(why: WhyArgs, config: Option<&Path>, env: &Environment) -> Result<ExitCode> {
    let named = shims::split_shim_name(&why.provider).map_or(&*why.provider, |(_, provider)| provider);
    let loaded = context::load_sound(&env.config_file(config)?, named)?;
    let is_provider = |name: &str| loaded.config.providers.contains_key(name);
    let target = Target::read(Some(&why.provider), why.agent.as_deref(), is_provider, lookup::agent)?;
    let (Some(provider), Some(agent)) = (target.provider.clone(), target.agent) else {
        let (name, agent) =
            lookup::example(&loaded.config, |_| true).unwrap_or(("deepseek", shims::AGENTS[0]));
        let name = target.provider.as_deref().unwrap_or(name);
        let example = quote(format!("{}@{name}", target.agent.unwrap_or(agent).name()).as_ref());
        bail!(Message::new("missing: <AGENT>", format!("for example `agent-run why {example}`")))
    };
    loaded.check(&provider)?;
    let request = LaunchRequest {
        model: why.model.map(|model| Sourced::new(model, Origin::Option("--model"))),
        protocol: why.protocol.map(|protocol| Sourced::new(protocol, Origin::Option("--protocol"))),
        ..LaunchRequest::new(agent, &provider)
    };
    let context = Context { env, dirs: env.dirs()?, loaded };
    let mut planned = launch::dry_run(&request, &context, Network::Off, &mut Vec::new())?;
    let mut rows = explain::choices(&request, &context, &planned);
    let plan = &planned.plan;
    let mut conflicts = Vec::new();
    if let Some((launch, provider)) = &planned.launch {
        more(&mut rows, agent, launch, provider, &context);
        conflicts::read_files(agent, &mut planned.inputs);
        conflicts = conflicts::of(agent, launch, &planned.inputs, plan);
    }
    rows.extend(on_disk(plan, &context.dirs));
    if let (Some(words), Some((_, configured))) = (agent.info().resumes, &planned.launch) {
        // A shim takes the model of the config alone, and the usual config.
        let shim = format!("{}@{provider}", agent.name());
        let has_shim = env.path().iter().any(|folder| folder.join(&shim).symlink_metadata().is_ok());
        let model = request.model.as_ref().filter(|_| configured.default_model.is_none());
        let line = request::line(&provider, model.map(|model| model.value.as_str()), agent);
        let line = match config.filter(|_| env.shims_read_another(config)) {
            Some(option) => {
                line.replacen("agent-run", &format!("agent-run --config {}", quote(option.as_os_str())), 1)
            }
            None if has_shim && model.is_none() => quote(shim.as_ref()),
            None => line,
        };
        let line = format!("{line} {words}");
        let why = format!("{} itself prints `{} {words}`, without the provider", agent.title(), agent.name());
        rows.push(Choice::new("resume", line, why));
    }
    if why.json {
        let row = |row: &Choice| {
            let mut json = json!({ "what": row.id() });
            if let (Some(all), Json::Object(more)) = (json.as_object_mut(), row.json()) {
                all.extend(more);
            }
            json
        };
        let settings: Json = rows.iter().map(row).collect();
        let page = json!({ "agent": agent.name(), "provider": provider, "settings": settings,
            "overruled": conflicts, "notes": plan.notes.iter().map(rendered).collect::<Json>() });
        return output::json(&page);
    }
    let screen = Screen::stdout();
    let config = context.loaded.path.display().to_string();
    let mut page = ChoicePage::of(screen);
    page.heading(&format!("{} on {provider}", agent.title()));
    if screen.is_terminal() {
        page.row("config", &config);
        let short = |text: &mut String| *text = explain::short_origin(text, &context.loaded, &provider);
        for row in &mut rows {
            short(&mut row.origin);
            row.not.iter_mut().for_each(short);
        }
    } else {
        page.text.push('\n');
    }
    for Choice { what, value, origin, not, .. } in &rows {
        page.row(what, &format!("{value}  ({origin})"));
        if let Some(not) = not {
            page.line(&labelled("", &format!("  not {not}")), INDENT + 2);
        }
    }
    if !conflicts.is_empty() {
        page.heading("\nOverruled:");
    }
    for Overruled { place, names, answer, .. } in &conflicts {
        page.line(&format!("  {place}: {}", names.join(", ")), 4);
        page.line(&format!("    {answer}"), 4);
    }
    plan.notes.iter().for_each(|note| page.note(note));
    if why.verbose {
        page.heading("\nThe plan:");
        page.text += &screen.comments(&escaped(&plan.lines(true)));
    }
    output::whole(&page.text)
}

fn more(
    rows: &mut Vec<Choice>,
    agent: &dyn Agent,
    launch: &Launch,
    provider: &Provider,
    context: &Context<'_>,
) {
    let loaded = &context.loaded;
    let at = |key: &str| place(loaded, &["providers", &launch.provider, key]);
    let asked = launch.model_was_asked_for();
    if let Some(model) = rows.iter_mut().find(|row| row.what == "model") {
        model.not = provider
            .default_model
            .as_ref()
            .filter(|default| asked && **default != launch.model.value.id)
            .map(|default| format!("{default}, {}", at("default_model")));
    }
    // Where an agent is given an assumption, a note of the plan says so.
    rows.push(match launch.model.value.context_window {
        Some(window) => {
            let origin = window_origin(launch, provider, loaded);
            Choice::new("window", format!("{window} tokens"), origin).with(window)
        }
        None => {
            Choice::new("window", "unknown", "neither the config nor the model list has it").with(Json::Null)
        }
    });
    rows.push(explain::proxy(launch, loaded, context.env));
    if provider.sessions == Some(Sessions::Own) && !launch.isolated {
        let value = if Sessions::APART.contains(&agent.name()) {
            "this provider's own".to_owned()
        } else {
            format!("your own, as at the other providers: `own` has no effect for {}", agent.title())
        };
        rows.push(Choice::new("sessions", value, at("sessions")));
    }
    let names = |map: &BTreeMap<String, Value>| map.keys().cloned().collect::<Vec<_>>();
    let (headers, variables) = (names(&launch.headers), names(&launch.extra_env));
    for (what, key, list, shown) in [
        ("headers", "headers", &headers, headers.join(", ")),
        ("extra env", "extra_env", &variables, variables.join(", ")),
        ("args", "args", &launch.standing_args, quoted(&launch.standing_args)),
    ] {
        if !list.is_empty() {
            rows.push(Choice::new(what, shown, at(key)).with(list.clone()));
        }
    }
}

fn window_origin(launch: &Launch, provider: &Provider, loaded: &Loaded) -> String {
    match provider.models.iter().position(|model| model.id == launch.model.value.id) {
        Some(at) => {
            place(loaded, &["providers", &launch.provider, "models", &at.to_string(), "context_window"])
        }
        None => "the provider's model list".to_owned(),
    }
}

/// What the launch keeps on disk, each folder of agent-run by the variable that names it.
fn on_disk(plan: &Plan, dirs: &Dirs) -> Vec<Choice> {
    let is_ours = |path: &Path| path.starts_with(&dirs.cache) || path.starts_with(&dirs.state);
    let named = plan.env.iter().filter_map(|(name, value)| {
        let value = value.as_ref()?.plain()?;
        is_ours(Path::new(&value)).then(|| Choice::path("home", Path::new(&value), name.to_string_lossy()))
    });
    let mut rows: Vec<_> = named.collect();
    if rows.is_empty() {
        rows.push(Choice::new("home", "the agent's own", "this agent needs no other").with(Json::Null));
    }
    let written = plan.files.keys().map(|path| Choice::path("file", path, "rewritten"));
    rows.extend(written);
    rows.extend(plan.merges.keys().map(|path| {
        let whose = if is_ours(path) { "this provider's own" } else { "yours" };
        Choice::path("file", path, format!("{whose}; one flag is added"))
    }));
    rows
}
