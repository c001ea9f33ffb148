//! What settings files could still change of a launch, and the arguments that keep them from it.
//!
//! `CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST` makes Claude Code take the variables that route a request from
//! the environment alone. Every other variable in the `env` of a settings file beats the environment; an
//! `apiKeyHelper` adds its own key to each request, an `availableModels` without our model replaces it,
//! and an `agent` may bring a model of its own (seen in 2.1.197). Only `--settings` is stronger, and it
//! appears only where it is needed. It stands in argv, so nothing secret is ever in it.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Result, bail};
use serde_json::{Map, Value as Json, json};

use super::onboarding::State;
use super::source::Source;
use super::{FAMILY, hooks, places, servers};
use crate::inputs::matches;
use crate::{Fact, Inputs, Launch, Plan, Value};

/// Headers for every request, a line each.
const HEADERS: &str = "ANTHROPIC_CUSTOM_HEADERS";

/// What settings cannot change once the provider is managed by the host.
const HELD: &[&str] = &[
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_AWS_WORKSPACE_ID",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_DEFAULT_*",
    "ANTHROPIC_FOUNDRY_RESOURCE",
    "ANTHROPIC_MODEL",
    "ANTHROPIC_SMALL_FAST_MODEL*",
    "ANTHROPIC_VERTEX_PROJECT_ID",
    "ANTHROPIC_*_API_KEY",
    "ANTHROPIC_*_BASE_URL",
    "CLAUDE_CODE_HOST_AUTH_*",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST",
    "CLAUDE_CODE_SDK_HAS_HOST_AUTH_REFRESH",
    "CLAUDE_CODE_SKIP_*_AUTH",
    "CLAUDE_CODE_SUBAGENT_MODEL",
    "CLAUDE_CODE_USE_*",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "_CLAUDE_CODE_ASSUME_FIRST_PARTY_BASE_URL",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// Adds the arguments that hold the launch's choices against the settings found.
///
/// # Errors
/// When a file holds something that no argument is stronger than.
pub fn apply(launch: &Launch, inputs: &Inputs, state: &State, plan: &mut Plan) -> Result<()> {
    let own = Source {
        path: state.path.clone(),
        settings: Map::from_iter([("env".to_owned(), state.env.clone())]),
    };
    for path in places::settings(launch, inputs).into_iter().chain(places::policies(inputs)) {
        if matches!(inputs.fact(&path), Some(Fact::Stream)) {
            plan.warn(format!(
                "{} is not a regular file: what it says may win over this launch\nhelp: put a file there",
                path.display()
            ));
        }
    }
    let files = places::settings(launch, inputs).into_iter().filter_map(|path| Source::read(path, inputs));
    let sources: Vec<Source> = std::iter::once(own).chain(files).collect();
    let policies: Vec<Source> =
        places::policies(inputs).into_iter().filter_map(|path| Source::read(path, inputs)).collect();
    for source in sources.iter().chain(&policies) {
        refuse_unbeatable(source, launch)?;
    }
    for policy in &policies {
        respect(policy, launch, plan)?;
    }
    if super::holds_login_key_back(launch, state) {
        refuse_lost_header(&sources)?;
    }
    if sources.iter().chain(&policies).any(|source| source.text("agent").is_some())
        || forwards(launch, "--agent")
    {
        plan.arg("--model"); // the user's own, further on, still wins
        plan.arg(&launch.model.value.id);
    }
    let mut guard = guard(&sources, launch, plan);
    let taken = forwards(launch, "--settings");
    let servers = servers::to_turn_off(launch, inputs, plan, taken)?;
    if !servers.is_empty() {
        guard.insert("disabledMcpjsonServers".to_owned(), json!(servers));
    }
    let all: Vec<&Source> = sources.iter().chain(&policies).collect();
    if let Some(variables) = hooks::allowed_variables(&all, launch, plan, taken)? {
        guard.insert("httpHookAllowedEnvVars".to_owned(), json!(variables));
    }
    if guard.is_empty() {
        return Ok(());
    }
    if taken {
        // Claude Code takes the last one and forgets the others.
        let left = said(&guard).join(", ");
        plan.warn(format!(
            "--settings leaves no room for agent-run's own: your settings' {left} stays in force"
        ));
    } else {
        plan.arg("--settings");
        plan.arg(Json::Object(guard).to_string());
    }
    Ok(())
}

/// Whether the user's words hold this option.
fn forwards(launch: &Launch, option: &str) -> bool {
    let standing = launch.standing_args.iter().map(OsStr::new);
    let words = standing.chain(launch.args.iter().map(AsRef::as_ref));
    let mut options = words.take_while(|word| *word != "--").filter_map(OsStr::to_str);
    options.any(|word| word.strip_prefix(option).is_some_and(|rest| rest.is_empty() || rest.starts_with('=')))
}

/// What the child is to see of a variable: a value, nothing, or whatever it likes.
enum Meant<'a> {
    Value(&'a Value),
    Unset,
    Free,
}

fn meant<'a>(name: &str, launch: &'a Launch, plan: &'a Plan) -> Meant<'a> {
    let set = launch.extra_env.get(name).or_else(|| plan.env.get(OsStr::new(name))?.as_ref());
    match set {
        Some(value) => Meant::Value(value),
        None if plan.env.contains_key(OsStr::new(name)) || is_family(name) => Meant::Unset,
        None => Meant::Free,
    }
}

pub fn is_family(name: &str) -> bool {
    FAMILY.iter().any(|pattern| matches(pattern, name))
}

/// Whether the variable yields to the environment once the provider is managed by the host.
pub fn is_held(name: &str) -> bool {
    HELD.iter().any(|pattern| matches(pattern, name))
}

/// Whether `theirs` makes no difference to what is meant.
fn agrees(theirs: &Json, meant: &Meant<'_>) -> bool {
    match meant {
        Meant::Value(ours) => ours.plain().is_some_and(|ours| ours == OsStr::new(&*as_text(theirs))),
        Meant::Unset => as_text(theirs).is_empty(),
        Meant::Free => true,
    }
}

/// A variable's value as Claude Code takes it: numbers as they are written, nothing for `null`.
fn as_text(value: &Json) -> Cow<'_, str> {
    match value {
        Json::String(text) => Cow::Borrowed(text),
        Json::Null => Cow::Borrowed(""),
        other => Cow::Owned(other.to_string()),
    }
}

fn guard(sources: &[Source], launch: &Launch, plan: &mut Plan) -> Map<String, Json> {
    let mut guard = Map::new();
    if sources.iter().any(|source| source.text("apiKeyHelper").is_some()) {
        guard.insert("apiKeyHelper".to_owned(), "".into()); // `null` would not turn it off
    }
    let needed = models(launch);
    let lists: Vec<_> = sources.iter().filter_map(Source::available_models).collect();
    if !lists.is_empty() {
        let allowed: Vec<&str> = lists.into_iter().flatten().collect();
        if needed.iter().any(|model| !allowed.contains(model)) {
            guard.insert("availableModels".to_owned(), json!(needed)); // added to the user's, not in their place
        }
    }
    let fallbacks = |source: &Source| source.settings.get("fallbackModel").and_then(Json::as_array).cloned();
    let foreign = |model: &Json| !needed.iter().any(|ours| model == ours);
    if sources.iter().filter_map(fallbacks).flatten().any(|model| foreign(&model)) {
        guard.insert("fallbackModel".to_owned(), json!([])); // in their place
    }
    let env = guarded_env(sources, launch, plan);
    if !env.is_empty() {
        guard.insert("env".to_owned(), env.into());
    }
    guard
}

fn guarded_env(sources: &[Source], launch: &Launch, plan: &mut Plan) -> Map<String, Json> {
    let mut env = Map::new();
    for source in sources {
        for (name, theirs) in source.env().filter(|(name, _)| !is_held(name)) {
            let meant = meant(name, launch, plan);
            if agrees(theirs, &meant) {
                continue;
            }
            let ours = match meant {
                Meant::Value(ours) => ours.plain().and_then(|ours| ours.into_string().ok()),
                _ => Some(String::new()),
            };
            if ours.is_none() {
                plan.warn(secret_lost(&source.path, name));
            }
            if ours.is_some() || is_family(name) {
                env.insert(name.to_owned(), ours.unwrap_or_default().into());
            }
        }
    }
    env
}

fn secret_lost(path: &Path, name: &str) -> String {
    format!(
        "{} sets env.{name}, which Claude Code prefers to the provider's, and the provider's holds a secret \
         that cannot go on a command line; remove env.{name} from that file",
        path.display()
    )
}

/// The header that holds a login's key back is a secret, and goes by the environment; headers in a settings
/// file beat it there.
fn refuse_lost_header(sources: &[Source]) -> Result<()> {
    for source in sources {
        if source.env().any(|(name, value)| name == HEADERS && !as_text(value).is_empty()) {
            bail!(
                "{}: env.{HEADERS} stands in the way of what keeps your login's key from the provider\n\
                 help: remove it from that file",
                source.path.display()
            );
        }
    }
    Ok(())
}

/// Every model this launch may ask for.
fn models(launch: &Launch) -> Vec<&str> {
    let tiers = &launch.tiers;
    let mut models = vec![launch.model.value.id.as_str()];
    for tier in [&tiers.opus, &tiers.sonnet, &tiers.haiku, &tiers.subagent] {
        if !models.contains(&tier.as_str()) && tier != "inherit" {
            models.push(tier);
        }
    }
    models
}

/// What the guard holds, as people name it: `apiKeyHelper`, `env.NAME`.
fn said(guard: &Map<String, Json>) -> Vec<String> {
    let said = |(key, value): (&String, &Json)| match value.as_object() {
        Some(inner) => inner.keys().map(|name| format!("{key}.{name}")).collect(),
        None => vec![key.clone()],
    };
    guard.iter().flat_map(said).collect()
}

/// A socket in place of the base URL cannot be taken back once a settings file named it, and `--bg` is
/// looked at before `--settings` is.
fn refuse_unbeatable(source: &Source, launch: &Launch) -> Result<()> {
    for (name, value) in source.env() {
        let text = as_text(value);
        let consequence = match name {
            _ if launch.extra_env.contains_key(name) => continue,
            "ANTHROPIC_UNIX_SOCKET" if !text.is_empty() => "sends every request and the key to that socket",
            "CLAUDE_CODE_DISABLE_AGENT_VIEW" if !is_true(&text) => {
                "allows background agents, which do not stay with the provider"
            }
            _ => continue,
        };
        bail!(
            "{}: env.{name} {consequence}, and no launcher can overrule it\nhelp: remove it from that file",
            source.path.display()
        );
    }
    Ok(())
}

/// What Claude Code reads as yes.
fn is_true(text: &str) -> bool {
    ["1", "true", "yes", "on"].contains(&text.trim().to_ascii_lowercase().as_str())
}

/// A managed policy is an administrator's word: never passed by in silence.
///
/// # Errors
/// When the policy's own key or headers would go to the provider.
fn respect(policy: &Source, launch: &Launch, plan: &mut Plan) -> Result<()> {
    let path = policy.path.display();
    if policy.text("apiKeyHelper").is_some() {
        bail!(
            "{path}: the key of this policy's apiKeyHelper would go to provider `{}` too\n\
             help: ask your administrator, or run `claude` without agent-run",
            launch.provider
        );
    }
    if policy.env().any(|(name, value)| name == HEADERS && !as_text(value).is_empty()) {
        bail!(
            "{path}: the headers of this policy's env.{HEADERS} would go to provider `{}` too\n\
             help: ask your administrator, or run `claude` without agent-run",
            launch.provider
        );
    }
    let logins = ["forceLoginMethod", "forceLoginOrgUUID"];
    let mut sets: Vec<String> =
        logins.into_iter().filter(|key| policy.settings.contains_key(*key)).map(str::to_owned).collect();
    if policy.available_models().is_some_and(|mut models| !models.any(|model| model == launch.model.value.id))
    {
        sets.push("availableModels".to_owned());
    }
    let differs = |(name, value): &(&str, &Json)| is_held(name) || !agrees(value, &meant(name, launch, plan));
    sets.extend(policy.env().filter(differs).map(|(name, _)| format!("env.{name}")));
    if !sets.is_empty() {
        plan.warn(format!(
            "the managed policy {path} sets {}; this launch may be against it",
            sets.join(", ")
        ));
    }
    Ok(())
}
