//! The generated managed folder: what Hermes believes above every `.env` and settings file.
//!
//! Hermes 0.19 loads `~/.hermes/.env` over the environment, so a stale line there would undo the launch.
//! It loads `.env` of the managed folder after that, and believes its `config.yaml` key by key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};

use super::home::Policy;
use super::settings;
use crate::{Inputs, Launch, Plan, Proxy, Value, loopback};

/// Variables that route Hermes 0.19 and stay empty in a launch.
pub const EMPTY: [&str; 22] = [
    "HERMES_INFERENCE_MODEL",
    "HERMES_INFERENCE_PROVIDER",
    "HERMES_MODEL",
    "HERMES_MAX_TOKENS",
    "HERMES_IGNORE_USER_CONFIG",
    "HERMES_SAFE_MODE",
    "HERMES_TUI_PROVIDER",
    "CUSTOM_BASE_URL",
    "OPENAI_BASE_URL",
    "OPENROUTER_BASE_URL",
    "AUXILIARY_VISION_PROVIDER",
    "AUXILIARY_VISION_MODEL",
    "AUXILIARY_VISION_BASE_URL",
    "AUXILIARY_VISION_API_KEY",
    "AUXILIARY_WEB_EXTRACT_PROVIDER",
    "AUXILIARY_WEB_EXTRACT_MODEL",
    "AUXILIARY_WEB_EXTRACT_BASE_URL",
    "AUXILIARY_WEB_EXTRACT_API_KEY",
    "AUXILIARY_APPROVAL_PROVIDER",
    "AUXILIARY_APPROVAL_MODEL",
    "AUXILIARY_APPROVAL_BASE_URL",
    "AUXILIARY_APPROVAL_API_KEY",
];

/// Plans the managed folder of a runtime home.
pub fn plan(
    launch: &Launch,
    runtime: &Path,
    policy: Option<&Policy>,
    inputs: &Inputs,
    plan: &mut Plan,
) -> Result<()> {
    let managed = runtime.join("managed");
    let mut env = Vec::new();
    if let Some(policy) = policy {
        overlay(policy, &managed, inputs, plan)?;
        let theirs = inputs.file(&policy.dir.join(".env"));
        let theirs = theirs.map_err(|error| anyhow!("{error:#}\nhelp: mend it or move it away"))?;
        env.extend_from_slice(theirs.unwrap_or_default());
        env.push(b'\n');
    }
    env.extend(lines(&pins(launch, runtime, &managed, inputs)).into_bytes());
    plan.dirs.insert(managed.clone());
    plan.set("HERMES_HOME", runtime);
    plan.set("HERMES_MANAGED_DIR", managed.as_path());
    plan.write(managed.join(".env"), env);
    Ok(())
}

/// The policy's settings: the administrator's as they are, since they are meant to win; those of a folder
/// that a variable named, perhaps a stale one, without what routes.
fn overlay(policy: &Policy, managed: &Path, inputs: &Inputs, plan: &mut Plan) -> Result<()> {
    let theirs = policy.dir.join("config.yaml");
    let ours = managed.join("config.yaml");
    let mut overlay = settings::read(&theirs, inputs)?;
    if policy.administrators {
        let routing = settings::routing_keys(&overlay).join("`, `");
        if !routing.is_empty() {
            plan.warn(format!(
                "the administrator decides `{routing}`, which wins over the chosen provider: {}\n\
                 help: ask the administrator to leave it to the user",
                theirs.display()
            ));
        }
        plan.link(ours, theirs);
    } else {
        settings::strip(&mut overlay);
        plan.write(ours, overlay.lines());
    }
    Ok(())
}

fn pins(launch: &Launch, runtime: &Path, managed: &Path, inputs: &Inputs) -> BTreeMap<String, Value> {
    let mut pins: BTreeMap<String, Value> =
        EMPTY.into_iter().map(|name| (name.to_owned(), Value::from(""))).collect();
    let mut pin = |name: &str, value: Value| _ = pins.insert(name.to_owned(), value);
    pin("HERMES_HOME", runtime.into());
    pin("HERMES_MANAGED_DIR", managed.into());
    match &launch.proxy {
        Proxy::Inherit => {}
        Proxy::None => loopback::PROXY_VARIABLES.iter().for_each(|name| pin(name, "".into())),
        // A user name and a password may be in it, and this is a file.
        Proxy::Url(url) if url.contains('@') => {}
        Proxy::Url(url) => loopback::PROXY_VARIABLES.iter().for_each(|name| pin(name, url.into())),
    }
    if let Some(hosts) = loopback::no_proxy(launch, inputs) {
        pin("NO_PROXY", hosts.as_str().into());
        pin("no_proxy", hosts.as_str().into());
    }
    // What the user's config says of a variable is the last word here too; secrets stay out of the file.
    for (name, value) in &launch.extra_env {
        if let Some(pinned) = pins.get_mut(name) {
            *pinned = value.clone();
        }
    }
    pins.retain(|name, value| {
        let empty = value.plain().is_some_and(|plain| plain.is_empty());
        value.plain().is_some() && (empty || !name.ends_with("_KEY"))
    });
    pins
}

/// The pins as python-dotenv reads them.
fn lines(pins: &BTreeMap<String, Value>) -> String {
    let line = |(name, value): (&String, &Value)| {
        let text = PathBuf::from(value.plain()?).into_os_string().into_string().ok()?;
        // python-dotenv fills in `${…}` even within quotes and has no escape for it.
        let unsafe_text = text.contains("${") || text.contains(char::is_control);
        (!unsafe_text).then(|| format!("{name}='{}'\n", text.replace('\\', "\\\\").replace('\'', "\\'")))
    };
    pins.iter().filter_map(line).collect()
}
