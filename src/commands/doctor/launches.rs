//! The launches: can each agent be planned for, and what on this machine speaks against it.

use std::collections::BTreeSet;

use shims::{Agent, Message, Note, Proxy};

use super::report::{Finding, Group, Severity};
use crate::context::Context;
use crate::launch::explain::{self, Choice};
use crate::launch::{self, LaunchRequest, Network, conflicts, resolve};
use crate::shim_links::Links;
use crate::shim_links::pairs::ShimTarget;

/// The launches of an agent that are looked at.
pub struct Launches {
    pub agent: &'static dyn Agent,
    pub providers: Vec<String>,
}

/// The launches of these agents: on the provider that was named, else those that have a shim on PATH, else on the
/// first provider of the config that the agent can use.
pub fn of(agents: &[&'static dyn Agent], named: Option<&str>, context: &Context<'_>) -> Vec<Launches> {
    let config = &context.loaded.config;
    let shims = if named.is_none() { shims_on_path(context) } else { Vec::new() };
    let fits = |agent: &dyn Agent, name: &str| {
        config.providers.get(name).is_some_and(|it| resolve::common(agent, it).is_some())
    };
    let providers = |agent: &'static dyn Agent| -> Vec<String> {
        if let Some(name) = named {
            return fits(agent, name).then(|| name.to_owned()).into_iter().collect();
        }
        let of_agent = shims.iter().filter(|shim| shim.agent.name() == agent.name());
        let mut of_agent: Vec<_> =
            of_agent.map(|shim| shim.provider.clone()).filter(|name| fits(agent, name)).collect();
        of_agent.dedup();
        let first = || config.providers.keys().find(|name| fits(agent, name)).cloned();
        if of_agent.is_empty() { first().into_iter().collect() } else { of_agent }
    };
    agents.iter().map(|&agent| Launches { agent, providers: providers(agent) }).collect()
}

/// What the shims on PATH launch, in the order of their names.
fn shims_on_path(context: &Context<'_>) -> Vec<ShimTarget> {
    let folders = context.env.path().into_iter();
    let names: BTreeSet<_> = folders
        .flat_map(|folder| Links::of(folder).ours().unwrap_or_default().into_iter().map(|(name, _)| name))
        .collect();
    names.iter().filter_map(|name| ShimTarget::parse(name).ok()).collect()
}

/// Plans each launch, with no words of its own.
pub fn look(launches: &[Launches], named: Option<&str>, context: &Context<'_>) -> Group {
    let mut group = Group::new("Launches");
    for Launches { agent, providers } in launches {
        if providers.is_empty() {
            group.add(unusable(*agent, named));
        }
        for provider in providers {
            group.extend(look_at(*agent, provider, context));
        }
    }
    group
}

fn unusable(agent: &dyn Agent, named: Option<&str>) -> Finding {
    let spoken: Vec<_> = agent.protocols().iter().map(|protocol| protocol.name()).collect();
    let whose = named.map_or_else(|| "no provider of the config".to_owned(), |name| format!("not `{name}`"));
    let text = format!("{} can use {whose}", agent.title());
    Finding::note(agent.name(), text, format!("it needs one that speaks {}", spoken.join(" or ")))
}

fn look_at(agent: &'static dyn Agent, provider: &str, context: &Context<'_>) -> Vec<Finding> {
    let subject = format!("{}@{provider}", agent.name());
    let otherwise = format!("`agent-run why {subject}` shows the launch by itself");
    let request = LaunchRequest::new(agent, provider);
    // Resolved by itself first: what is missing there a launch may still name.
    let mut notes = Vec::new();
    if let Err(error) = launch::resolve_only(&request, context, Network::Off, &mut notes) {
        return vec![Finding::error(Severity::Note, subject, &error, &otherwise)];
    }
    let planned = match launch::dry_run(&request, context, Network::Off, &mut notes) {
        Ok(planned) => planned,
        Err(error) => return vec![Finding::error(Severity::Problem, subject, &error, &otherwise)],
    };
    let plan = &planned.plan;
    let Some((launch, _)) = &planned.launch else { return Vec::new() };
    let inputs = conflicts::inputs(agent, launch, &context.dirs, context.env);
    let target = format!("{} at {}", launch.model.value.id, launch.base_url.value);
    let mut findings = vec![Finding::ok(subject.as_str(), target)];
    let assumption = launch.assumption();
    if plan.notes.contains(&Note::Info(assumption.clone())) {
        let Message { text, help } = assumption;
        findings.push(Finding::ok(subject.as_str(), format!("{text}; {}", help.unwrap_or_default())));
    }
    let inherits = matches!(launch.proxy, Proxy::Inherit);
    findings.extend(proxied(&subject, inherits, explain::proxy(launch, &context.loaded, context.env)));
    for policy in conflicts::policies(&inputs) {
        let text = format!("a managed policy is in force: {}", policy.display());
        let help = "a launch says where it goes against it; its owner is the machine's administrator";
        findings.push(Finding::note(subject.as_str(), text, help));
    }
    for it in conflicts::of(agent, launch, &inputs, plan) {
        let help = format!(
            "no action needed: launches ignore it. It only affects `{}` started directly",
            agent.name()
        );
        findings.push(Finding::note(subject.as_str(), it.sentence(), help));
    }
    findings.extend(plan.notes.iter().filter_map(|note| match note {
        Note::Warning(text) => Some(Finding::said(Severity::Note, subject.as_str(), text, &otherwise)),
        Note::Info(_) => None,
    }));
    findings
}

/// What there is to say of the proxy: nothing where none is configured.
fn proxied(subject: &str, inherits: bool, Choice { value, origin, not, .. }: Choice) -> Option<Finding> {
    let is_none = value == "none";
    Some(match not {
        Some(not) => Finding::ok(subject, format!("no proxy, since {origin}; not {not}")),
        None if is_none && inherits => return None,
        None if is_none => Finding::ok(subject, format!("no proxy ({origin})")),
        None => {
            let help = "`proxy: none` below the provider goes past it";
            Finding::note(subject, format!("requests go through the proxy {value} ({origin})"), help)
        }
    })
}
