//! The launches: can each agent be planned for, and what on this machine speaks against it.

use shims::{Agent, Message, Note, Proxy};

use super::report::{Finding, Group, Severity};
use crate::config::Config;
use crate::context::Context;
use crate::launch::explain::{self, Choice};
use crate::launch::{self, LaunchRequest, Network, conflicts, resolve};
use crate::shim_links::pairs::ShimTarget;

/// The launches of an agent that are looked at.
pub struct Launches {
    pub agent: &'static dyn Agent,
    pub providers: Vec<String>,
}

/// The launches of these agents: on the provider that was named, else those of `pairs`, and where there are none on the
/// first provider of the config that each agent can use.
pub fn of(
    agents: &[&'static dyn Agent],
    named: Option<&str>,
    pairs: &[ShimTarget],
    config: &Config,
) -> Vec<Launches> {
    let launches = |&agent: &&'static dyn Agent| {
        let fits = |name: &&String| {
            config.providers.get(*name).is_some_and(|it| resolve::common(agent, it).is_some())
        };
        let paired: Vec<String> = pairs
            .iter()
            .filter(|pair| pair.agent.name() == agent.name())
            .map(|pair| pair.provider.clone())
            .collect();
        let providers = match named {
            Some(name) => Some(name.to_owned()).iter().filter(fits).cloned().collect(),
            None if !paired.is_empty() => paired,
            // What this machine is used for is another agent.
            None if !pairs.is_empty() && agents.len() > 1 => return None,
            None => config.providers.keys().find(fits).cloned().into_iter().collect(),
        };
        Some(Launches { agent, providers })
    };
    agents.iter().filter_map(launches).collect()
}

/// Plans each launch, with no words of its own. Of the providers in `missing` there is no key.
pub fn look(launches: &[Launches], named: Option<&str>, missing: &[&str], context: &Context<'_>) -> Group {
    let mut group = Group::new("Launches");
    for name in missing {
        let of_agent = launches.iter().filter(|it| it.providers.iter().any(|provider| provider == name));
        let failing: Vec<_> = of_agent.map(|it| format!("{}@{name}", it.agent.name())).collect();
        if !failing.is_empty() {
            let text = format!("these launches need the key: {}", failing.join(", "));
            // The missing key is a finding already.
            group.add(Finding::ok(*name, text).briefly(""));
        }
    }
    let mut said = Vec::new();
    for Launches { agent, providers } in launches {
        if providers.is_empty() {
            group.add(unusable(*agent, named));
        }
        for provider in providers {
            let has_key = !missing.contains(&provider.as_str());
            let findings = look_at(*agent, provider, context, &mut said);
            group.extend(findings.into_iter().map(|it| if has_key { it } else { it.briefly("") }));
        }
    }
    group
}

fn unusable(agent: &dyn Agent, named: Option<&str>) -> Finding {
    let use_what =
        named.map_or("can use no provider of the config".into(), |it| format!("cannot use `{it}`"));
    let text = format!("{} {use_what}", agent.title());
    Finding::note(agent.name(), text, format!("add a provider that speaks {}", resolve::spoken(agent)))
}

/// What there is to say of one launch, but for warnings that were `said` of another on the same provider.
fn look_at(
    agent: &'static dyn Agent,
    provider: &str,
    context: &Context<'_>,
    said: &mut Vec<(String, Message)>,
) -> Vec<Finding> {
    let subject = format!("{}@{provider}", agent.name());
    let otherwise = format!("run `agent-run why {subject}`");
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
        findings.push(Finding::ok(subject.as_str(), text + "; a launch warns where it conflicts with it"));
    }
    for it in conflicts::of(agent, launch, inputs, plan) {
        // Nothing to do: it only affects the agent started directly. `why` names it too.
        findings.push(Finding::ok(subject.as_str(), it.sentence()));
    }
    for note in &plan.notes {
        let Note::Warning(text) = note else { continue };
        let warning = (provider.to_owned(), text.clone());
        if !said.contains(&warning) {
            findings.push(Finding::said(Severity::Note, subject.as_str(), text, &otherwise));
            said.push(warning);
        }
    }
    findings
}

/// What there is to say of the proxy: nothing where none is configured.
fn proxied(subject: &str, inherits: bool, choice: Choice) -> Option<Finding> {
    let is_none = choice.is_none();
    let Choice { value, origin, not, .. } = choice;
    Some(match not {
        Some(not) => Finding::ok(subject, format!("no proxy, since {origin}; not {not}")),
        None if is_none && inherits => return None,
        None if is_none => Finding::ok(subject, format!("no proxy ({origin})")),
        None => Finding::ok(subject, format!("requests go through the proxy {value} ({origin})")),
    })
}
