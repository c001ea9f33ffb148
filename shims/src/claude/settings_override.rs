//! What settings files could still change of a launch, and the arguments that keep them from it.
//!
//! `CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST` makes Claude Code take the variables that route a request from
//! the environment alone. Every other variable in the `env` of a settings file beats the environment; an
//! `apiKeyHelper` adds its own key to each request, and there are several keys that choose a model
//! ([`models`]). Only `--settings` is stronger. Nothing secret of the launch goes into it; what of the
//! user's own does, [`own_settings`] knows.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Result, bail};
use serde_json::{Map, Value as Json, json};

use super::argv::{enters_worktree, forwards};
use super::family::{PINNED, is_family, is_held};
use super::found::FoundSettings;
use super::source::{SettingsSource, as_text, is_space};
use super::{
    defaults, front_matter, hooks, mcp_servers, models, own_settings, picker, policy, terminals, trust,
};
use crate::{Launch, Message, Plan, Value};

/// Headers for every request, a line each.
pub const HEADERS: &str = "ANTHROPIC_CUSTOM_HEADERS";

/// Adds the arguments that hold the launch's choices against the settings found.
///
/// # Errors
/// When a file holds something that no argument is stronger than.
pub fn apply(found: &FoundSettings<'_>, plan: &mut Plan) -> Result<()> {
    let launch = found.launch;
    for source in found.all() {
        refuse_unbeatable(source, launch)?;
    }
    for policy in &found.policies {
        policy::respect(policy, launch, plan)?;
    }
    if super::holds_login_key_back(launch, found.state) {
        refuse_lost_header(&found.sources)?;
    }
    keep_users_key_variable(found, plan);
    trust::carry(found, plan);
    let may_name_agent = enters_worktree(launch) || forwards(launch, "--agent");
    if may_name_agent || found.all().any(|source| source.text("agent").is_some()) {
        plan.arg("--model"); // the user's own, further on, still wins
        plan.arg(&*models::spelled(&launch.model.value.id, launch));
    }

    let mut guard = guard(found, plan);
    // Nothing below changes the environment.
    let secrets = plan.secret_variables(launch);
    let servers = mcp_servers::to_turn_off(found, &secrets, plan);
    if !servers.is_empty() {
        guard.insert("disabledMcpjsonServers".to_owned(), json!(servers));
    }
    mcp_servers::name_managed(found, &secrets, plan);
    if let Some(variables) = hooks::allowed_variables(found, &secrets, plan)? {
        guard.insert("httpHookAllowedEnvVars".to_owned(), json!(variables));
    }
    mcp_servers::name_of_plugins(found, &secrets, plan);
    // Only those that the child sees.
    let is_seen = |name: &String| plan.env.get(OsStr::new(name)) != Some(&None);
    let secrets = secrets.into_iter().filter(is_seen).collect();
    let names_secret = name_documents_with_secrets(found, &secrets, plan);
    let unheld = models::Unheld::new(found);
    let is_unread = !secrets.is_empty() && name_unread_documents(found, unheld.denied.of_unread(), plan);
    let is_projects = |source: &SettingsSource| !source.is_users() && source.text("agent").is_some();
    if (names_secret || is_unread) && found.sources.iter().any(is_projects) {
        guard.insert("agent".to_owned(), "".into());
    }
    unheld.name(is_unread, launch, plan);
    let others = models::others(found, plan);
    guard.insert("availableModels".to_owned(), json!(models::list(launch, &others))); // added to the user's
    picker::add(&others, found, plan, &mut guard);
    defaults::add(found, &mut guard);
    terminals::add(found, &mut guard);
    own_settings::add_argument(found, guard, plan)?;
    unheld.denied.add_argument(plan)
}

/// Keeps a variable of the key or the headers where the user's own servers or hooks name it.
fn keep_users_key_variable(found: &FoundSettings<'_>, plan: &mut Plan) {
    for variable in &found.launch.key_variables {
        if found.state.variables_of_servers.contains(variable) {
            plan.keep_key_variable(variable, &found.state.path);
        }
        for source in found.users().filter(|source| hooks::name_variable(source, variable)) {
            plan.keep_key_variable(variable, &source.path);
        }
    }
}

/// Warns of a project's agents that were not read, since they could name the key. Whether there are any. Hooks of
/// skills and commands that were not read get a list of variables from [`hooks`].
fn name_unread_documents(found: &FoundSettings<'_>, denial: &str, plan: &mut Plan) -> bool {
    let unread = front_matter::unread(front_matter::AGENTS, &found.roots, found.inputs);
    let Some((path, why)) = unread else { return false };
    plan.warn(Message::new(
        format!(
            "{} {why}: a hook there may request another model from provider `{}`, and Claude Code before 2.1.332 may \
             send the key to an address there; an `agent` of the project's settings does not start in this \
             launch{denial}",
            path.display(),
            found.launch.provider
        ),
        "update Claude Code, or put the agents themselves into `.claude/agents`",
    ));
    true
}

/// Warns of a project's skills, commands and agents that name a variable with a secret of this launch: their own MCP
/// servers cannot be turned off, and versions before 2.1.332 send it. Whether there is one among the agents.
fn name_documents_with_secrets(
    found: &FoundSettings<'_>,
    secrets: &BTreeSet<String>,
    plan: &mut Plan,
) -> bool {
    let mut is_agent = false;
    for document in &found.documents {
        let Some(name) = secrets.iter().find(|name| document.names(name)) else { continue };
        let consequence = format!(
            "{} names {name}, the key of provider `{}`: Claude Code before 2.1.332 may send it to the \
             address in that file",
            document.path.display(),
            found.launch.provider
        );
        plan.warn(Message::new(consequence, format!("update Claude Code, or take {name} out of that file")));
        is_agent |= document.is_agent();
    }
    is_agent
}

/// What the child is to see of a variable: a value, nothing, or whatever it likes.
pub enum IntendedValue<'a> {
    Value(&'a Value),
    Unset,
    Free,
}

pub fn intended<'a>(name: &str, launch: &'a Launch, plan: &'a Plan) -> IntendedValue<'a> {
    let set = launch.extra_env.get(name).or_else(|| plan.env.get(OsStr::new(name))?.as_ref());
    match set {
        Some(value) => IntendedValue::Value(value),
        None if plan.env.contains_key(OsStr::new(name)) || is_family(name) => IntendedValue::Unset,
        None => IntendedValue::Free,
    }
}

/// Whether `theirs` makes no difference to what is meant.
pub fn agrees(theirs: &Json, intended: &IntendedValue<'_>) -> bool {
    match intended {
        IntendedValue::Value(ours) => ours.plain().is_some_and(|ours| ours == OsStr::new(&*as_text(theirs))),
        IntendedValue::Unset => as_text(theirs).is_empty(),
        IntendedValue::Free => true,
    }
}

fn guard(found: &FoundSettings<'_>, plan: &mut Plan) -> Map<String, Json> {
    let mut guard = Map::new();
    let has_helper = found.sources.iter().any(|source| source.text("apiKeyHelper").is_some());
    if has_helper || enters_worktree(found.launch) {
        guard.insert("apiKeyHelper".to_owned(), "".into()); // `null` would not turn it off
    }
    models::pin(found, &mut guard);
    let env = guarded_env(found, plan);
    if !env.is_empty() {
        guard.insert("env".to_owned(), env.into());
    }
    guard
}

fn guarded_env(found: &FoundSettings<'_>, plan: &mut Plan) -> Map<String, Json> {
    let launch = found.launch;
    let mut env = Map::new();
    for source in &found.sources {
        for (name, theirs) in source.env().filter(|(name, _)| !is_held(name)) {
            let is_users_own = trust::is_users_own(name);
            if is_users_own && source.is_users() {
                continue;
            }
            let mut intended = intended(name, launch, plan);
            let inherited = found.inputs.var(name).map(Value::from);
            if is_users_own && let IntendedValue::Free = intended {
                // What the user's own environment trusts, and nothing where it says nothing.
                intended = inherited.as_ref().map_or(IntendedValue::Unset, IntendedValue::Value);
            }
            if agrees(theirs, &intended) {
                continue;
            }
            let ours = match intended {
                IntendedValue::Value(ours) => ours.plain().and_then(|ours| ours.into_string().ok()),
                _ => Some(String::new()),
            };
            if ours.is_none() {
                plan.warn(secret_lost(&source.path, name));
            }
            if ours.is_some() || is_family(name) || is_users_own {
                env.insert(name.to_owned(), ours.unwrap_or_default().into());
            }
        }
    }
    for name in PINNED {
        // What the config says is kept out of the arguments, which everybody can read, where no file makes it
        // necessary.
        let is_configs = *name == HEADERS || launch.extra_env.contains_key(*name);
        let ours = match intended(name, launch, plan) {
            IntendedValue::Value(_) if is_configs => continue,
            IntendedValue::Value(ours) => ours.plain().and_then(|ours| ours.into_string().ok()),
            _ => Some(String::new()),
        };
        env.entry(*name).or_insert_with(|| ours.unwrap_or_default().into());
    }
    env
}

fn secret_lost(path: &Path, name: &str) -> String {
    format!(
        "{} sets env.{name}, and Claude Code prefers it to the provider's value, which holds a secret \
         and cannot go on a command line; remove env.{name} from that file",
        path.display()
    )
}

/// The header that holds a login's key back is a secret, and goes by the environment; headers in a settings
/// file beat it there.
fn refuse_lost_header(sources: &[SettingsSource]) -> Result<()> {
    let Some(source) = sources.iter().find(|source| source.sets_headers()) else { return Ok(()) };
    let path = source.path.display();
    bail!(Message::new(
        format!(
            "{path}: env.{HEADERS} conflicts with the variable that keeps your login's key from the provider"
        ),
        "remove it from that file"
    ));
}

/// A socket in place of the base URL cannot be taken back once a settings file named it, and `--bg` is
/// looked at before `--settings` is.
fn refuse_unbeatable(source: &SettingsSource, launch: &Launch) -> Result<()> {
    for (name, value) in source.env() {
        let text = as_text(value);
        let consequence = match name {
            _ if launch.extra_env.contains_key(name) => continue,
            "ANTHROPIC_UNIX_SOCKET" if !text.is_empty() => "sends every request and the key to a socket",
            "CLAUDE_CODE_DISABLE_AGENT_VIEW" if !is_true(&text) => {
                "allows background agents, which ignore the provider"
            }
            _ => continue,
        };
        bail!(Message::new(
            format!("{}: env.{name} {consequence}, and a launch cannot override it", source.path.display()),
            "remove it from that file"
        ));
    }
    Ok(())
}

/// What Claude Code reads as yes.
fn is_true(text: &str) -> bool {
    ["1", "true", "yes", "on"].contains(&text.trim_matches(is_space).to_ascii_lowercase().as_str())
}
