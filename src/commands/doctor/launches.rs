//! The launches: can each agent be planned for, and what on this machine speaks against it.

use shims::{Agent, Message, Note, Proxy};

use super::report::{Finding, Group, Severity};
use crate::config::Loaded;
use crate::context::Context;
use crate::launch::explain::{self, Choice};
use crate::launch::{self, LaunchRequest, Network, conflicts, resolve};
use crate::shim_links::pairs::ShimTarget;

/// The provider to plan with: the one named, else the first in the config that the agent can use.
pub fn provider<'a>(agent: &dyn Agent, named: Option<&'a str>, loaded: &'a Loaded) -> Option<&'a str> {
    let fits = |name: &&str| {
        loaded.config.providers.get(*name).is_some_and(|it| resolve::common(agent, it).is_some())
    };
    match named {
        Some(name) => Some(name).filter(fits),
        None => loaded.config.providers.keys().map(String::as_str).find(fits),
    }
}

/// Plans the launches of `pairs`, or where there are none one of each agent, with no words of its own.
pub fn look(
    agents: &[&'static dyn Agent],
    named: Option<&str>,
    pairs: &[ShimTarget],
    context: &Context<'_>,
) -> Group {
    let mut group = Group::new("Launches");
    for &agent in agents {
        let mut of_agent = pairs.iter().filter(|pair| pair.agent.name() == agent.name()).peekable();
        if of_agent.peek().is_some() {
            of_agent.for_each(|pair| group.extend(look_at(agent, &pair.provider, context)));
            continue;
        }
        if !pairs.is_empty() && agents.len() > 1 {
            continue;
        }
        match provider(agent, named, &context.loaded) {
            Some(provider) => group.extend(look_at(agent, provider, context)),
            None => group.add(unusable(agent, named)),
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
    // What is missing to resolve it a launch may still name.
    let resolved = match launch::resolve_only(&request, context, Network::Off, &mut Vec::new()) {
        Ok(resolved) => resolved,
        Err(error) => return vec![Finding::error(Severity::Note, subject, &error, &otherwise)],
    };
    let mut planned = match launch::plan_only(&request, context, resolved) {
        Ok(planned) => planned,
        Err(error) => return vec![Finding::error(Severity::Problem, subject, &error, &otherwise)],
    };
    let plan = &planned.plan;
    let Some((launch, _)) = &planned.launch else { return Vec::new() };
    conflicts::read_files(agent, &mut planned.inputs);
    let inputs = &planned.inputs;
    let target = format!("{} at {}", launch.model.value.id, launch.base_url.value);
    let mut findings = vec![Finding::ok(subject.as_str(), target)];
    let assumption = launch.assumption();
    if plan.notes.contains(&Note::Info(assumption.clone())) {
        let Message { text, help } = assumption;
        findings.push(Finding::ok(subject.as_str(), format!("{text}; {}", help.unwrap_or_default())));
    }
    let inherits = matches!(launch.proxy, Proxy::Inherit);
    findings.extend(proxied(&subject, inherits, explain::proxy(launch, &context.loaded, context.env)));
    for policy in conflicts::policies(inputs) {
        let text = format!("a managed policy is in force: {}", policy.display());
        findings.push(Finding::ok(subject.as_str(), text + "; a launch says where it goes against it"));
    }
    for it in conflicts::of(agent, launch, inputs, plan) {
        // Nothing to do: it only affects the agent started directly. `why` names it too.
        findings.push(Finding::ok(subject.as_str(), it.sentence()));
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
        None => Finding::ok(subject, format!("requests go through the proxy {value} ({origin})")),
    })
}
