//! The generated managed folder: what Hermes believes above every `.env` and settings file.
//!
//! Hermes 0.19 loads `~/.hermes/.env` over the environment, so a stale line there would undo the launch.
//! It loads `.env` of the managed folder after that, and believes its `config.yaml` key by key.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Context, Result};

use super::home::{HermesHomes, Policy};
use super::routing::variable;
use super::yaml::Mapping;
use super::{literal, settings, variables};
use crate::{Inputs, Launch, Message, Plan, Proxy, Value, proxy};

/// Plans the managed folder of a runtime home; `settings` are those of the policy.
pub fn plan(
    launch: &Launch,
    runtime: &Path,
    homes: &HermesHomes,
    settings: &Mapping,
    inputs: &Inputs,
    plan: &mut Plan,
) -> Result<()> {
    let managed = runtime.join("managed");
    let mut env = Vec::new();
    if let Some(policy) = &homes.policy {
        overlay(policy, settings, &managed, launch, plan);
        let theirs = inputs.file(&policy.dir.join(".env"));
        let theirs =
            theirs.map_err(|error| Message::helped(&error, "fix the file or move it out of the way"))?;
        env.extend_from_slice(theirs.unwrap_or_default());
        env.extend_from_slice(literal::QUOTE_GUARD.as_bytes());
    }
    env.extend(lines(launch, runtime, homes, false, inputs, plan)?.into_bytes());
    plan.dirs.insert(managed.clone());
    plan.set("HERMES_HOME", runtime);
    plan.set("HERMES_MANAGED_DIR", managed.as_path());
    plan.write(managed.join(".env"), env);
    Ok(())
}

/// The policy's settings: the administrator's as they are, since they are meant to win; those of a folder
/// that a variable named, perhaps a stale one, without what routes, and with what protects.
fn overlay(policy: &Policy, settings: &Mapping, managed: &Path, launch: &Launch, plan: &mut Plan) {
    let theirs = policy.dir.join(settings::FILE);
    let ours = managed.join(settings::FILE);
    if !policy.administrators {
        let mut overlay = settings.clone();
        settings::strip(&mut overlay);
        settings::protect(&mut overlay, launch);
        plan.write(ours, overlay.lines());
        return;
    }
    let routing = settings::routing_keys(settings).join("`, `");
    let lifted = settings::lifted(settings, launch).join("`, `");
    let what = [(routing, "the chosen provider"), (lifted, "what a launch sets against leaks of the key")];
    for (keys, what) in what.into_iter().filter(|(keys, _)| !keys.is_empty()) {
        plan.warn(Message::new(
            format!("the administrator sets `{keys}`, which overrides {what}: {}", theirs.display()),
            "ask the administrator to remove it",
        ));
    }
    plan.link(ours, theirs);
}

/// The pins, as python-dotenv reads them; without those that a launch sets to nothing, where `has_values`.
pub fn lines(
    launch: &Launch,
    runtime: &Path,
    homes: &HermesHomes,
    has_values: bool,
    inputs: &Inputs,
    plan: &mut Plan,
) -> Result<String> {
    let names = LazyCell::new(|| variables::pinned(homes.dotenvs(inputs).map(|(_, bytes)| bytes)));
    let mut pins = BTreeMap::new();
    if !has_values {
        pins.extend(names.iter().map(|name| (name.clone(), Value::from(""))));
    }
    let mut references = BTreeMap::new();
    let mut pin = |name: &str, value: Value| _ = pins.insert(name.to_owned(), value);
    pin("HERMES_HOME", runtime.into());
    pin("HERMES_MANAGED_DIR", runtime.join("managed").into());
    match &launch.proxy {
        Proxy::Inherit => {}
        Proxy::None => proxy::PROXY_VARIABLES.iter().for_each(|name| pin(name, "".into())),
        // A user name and a password may be in it, and this is a file: it goes by a variable of agent-run.
        Proxy::Url(url) => {
            let variable = variable(launch, "_PROXY", inputs);
            plan.set(&variable, url.as_str());
            references.extend(proxy::PROXY_VARIABLES.map(|name| (name.to_owned(), variable.clone())));
        }
    }
    if let Some(hosts) = proxy::no_proxy(launch, inputs) {
        pin("NO_PROXY", hosts.as_str().into());
        pin("no_proxy", hosts.as_str().into());
    }
    // What the user's config says of a variable is the last word here too; secrets stay out of the file.
    for (name, value) in &launch.extra_env {
        references.remove(name);
        if name.ends_with("_KEY") || value.plain().is_none() {
            pins.remove(name);
        } else if pins.contains_key(name)
            || names.contains(name)
            || proxy::PROXY_VARIABLES.contains(&name.as_str())
        {
            pins.insert(name.clone(), value.clone());
        }
    }
    let mut lines = String::new();
    for (name, value) in &pins {
        if !references.contains_key(name) {
            let text = value.plain().unwrap_or_default();
            lines.push_str(&literal::assignment(name, utf8(name, &text)?)?);
        }
    }
    for (name, variable) in &references {
        lines.push_str(&literal::reference(name, variable));
    }
    Ok(lines)
}

/// A value as the files of Hermes can hold it.
pub fn utf8<'a>(name: &str, text: &'a OsStr) -> Result<&'a str> {
    text.to_str().with_context(|| {
        Message::new(
            format!("{name} cannot be {} for Hermes: not UTF-8", text.display()),
            match name {
                "HERMES_HOME" => "set HERMES_HOME and XDG_CACHE_HOME to folders with UTF-8 names",
                "HERMES_MANAGED_DIR" => "set it to a folder with a UTF-8 name",
                _ => "choose another folder or value",
            },
        )
    })
}
