//! Claude Code: routing by variables, one onboarding flag, nothing else on disk.
//!
//! Facts are those of Claude Code 2.1.197 and 2.1.332, seen by running them. Three decide the shape of this adapter:
//!
//! - The `env` of a settings file beats the environment. `CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST` (known
//!   since about 2.1.126) turns that around for what routes a request and nothing else; the rest is
//!   [`settings_override`]'s.
//! - A token variable keeps a saved login from being sent to the provider, so one is always set, a
//!   placeholder for a provider without a key.
//! - Background agents forget the provider and go on with the saved login, so they are turned off.
//!
//! A Claude Code older than the minimum ignores that variable, and a settings file then wins. It could be
//! held only by a settings file with the key in it, which this adapter never writes; `doctor` tells.
//!
//! Not ours: the trust in a folder, and the model that `/model` saves into the user's settings.

mod argv;
mod commands;
mod conflicts;
mod defaults;
mod denied;
mod family;
mod found;
mod front_matter;
mod hooks;
mod literal;
mod mcp_servers;
mod models;
mod onboarding;
mod own_settings;
mod paths;
mod picker;
mod plugins;
mod policy;
mod schema;
mod settings_override;
mod source;
mod terminals;
#[cfg(test)]
mod tests;
mod trials;
mod trust;
mod window;

use std::ffi::OsStr;

use anyhow::Result;

use crate::judged::claude as judged;
use crate::proxy::{host, is_loopback};
use crate::{Agent, AgentInfo, ConflictingSetting, Inputs, Launch, Message, Plan, Protocol, Value};

/// Claude Code.
pub struct Claude;

/// The other header for a key.
const API_KEY_HEADER: &str = "x-api-key";

/// The name within Claude Code of messages between sessions.
const SESSION_MESSAGES: &str = "CLAUDE_CODE_HARBOR_KITE";

const INFO: AgentInfo = AgentInfo {
    name: "claude",
    title: "Claude Code",
    install: "npm install -g @anthropic-ai/claude-code",
    minimum: "2.1.197",
    tested: "2.1.332",
    known_problems: judged::PROBLEMS,
    trials: trials::of,
    protocols: &[Protocol::Anthropic],
    managed_env_vars: family::FAMILY,
    env_spared: family::SPARED,
    one_shot: &["-p", "--no-session-persistence"],
    // 2.1.332 takes `completion` for a prompt.
    prints_completion: false,
    // A plain `claude` finds the session too, unless the provider is isolated, and would go on with it on the user's
    // own login (2.1.332).
    resumes: Some("--resume ID"),
    listed_models: picker::LISTED,
    // 2.1.332 sends nothing of a link to `/proc`. A launch does not know the version.
    texts_above: judged::PLACE_TEXT_ABOVE,
    texts_above_root: true,
    texts_below: true,
    ..AgentInfo::USUAL
};

impl Agent for Claude {
    fn info(&self) -> &'static AgentInfo {
        &INFO
    }

    fn fallback_programs(&self, inputs: &Inputs) -> Vec<std::path::PathBuf> {
        [".local/bin/claude", ".claude/local/claude"].map(|path| inputs.dirs.home.join(path)).into()
    }

    fn start_folders(&self, launch: &Launch, inputs: &Inputs) -> Vec<std::path::PathBuf> {
        std::iter::once(inputs.dirs.cwd.clone()).chain(argv::added_folders(launch, inputs)).collect()
    }

    fn required_files(&self, launch: &Launch, inputs: &Inputs) -> Vec<std::path::PathBuf> {
        let policy_folder = paths::policy_folder();
        let repository = inputs.fact(&policy_folder).map(|_| paths::Repository::of(inputs));
        let Some(repository) = repository.filter(|repository| repository.is_known) else {
            // Where the project is decides about the rest; these depend on nothing.
            let mut paths: Vec<_> = paths::git_files(inputs).chain([policy_folder]).collect();
            paths.extend(paths::state_files(launch, inputs));
            paths.extend(mcp_servers::files(inputs));
            paths.extend(argv::plugin_folders(launch, inputs));
            paths.extend(own_settings::files(launch, inputs));
            return paths;
        };
        if let Some(common) = repository.common.as_ref().filter(|path| inputs.fact(path).is_none()) {
            return vec![common.clone()];
        }
        let roots = front_matter::project_roots(launch, inputs, &repository);
        if roots.iter().any(|root| inputs.fact(root).is_none()) {
            // What is in them decides what is opened.
            return roots;
        }
        let mut paths: Vec<_> = paths::administrators(inputs).collect();
        let settings = paths::settings(launch, inputs, &repository).into_iter().map(|(_, path)| path);
        paths.extend(settings);
        let enabling = plugins::enabling(&paths, launch, inputs);
        paths.extend(front_matter::files_below(&roots, inputs));
        // All that any of them turns on.
        let enabled = plugins::enabled(enabling.iter(), |_| false);
        paths.extend(plugins::Plugins::new(&enabling, &enabled, &roots, launch, inputs).files());
        paths
    }

    fn plan(&self, launch: &Launch, inputs: &Inputs, plan: &mut Plan) -> Result<()> {
        paths::check(launch, inputs)?;
        commands::check(launch)?;
        terminals::check(launch)?;
        let state = onboarding::StateFile::read(launch, inputs, plan)?;
        route(launch, &state, plan)?;
        choose_models(launch, plan)?;
        keep_quiet(launch, plan);
        if let Some(own) = paths::isolated(launch, inputs) {
            plan.set("CLAUDE_CONFIG_DIR", own.as_os_str());
            plan.dirs.insert(own);
        } else if inputs.env.get(OsStr::new("CLAUDE_CONFIG_DIR")).is_some_and(|dir| dir.is_empty()) {
            // Set but empty, it scatters sessions and backups over the working folder.
            plan.unset("CLAUDE_CONFIG_DIR");
        }
        state.merge(launch, plan);
        let found = found::FoundSettings::read(launch, inputs, &state, plan)?;
        window::limit(&found, plan);
        settings_override::apply(&found, plan)?;
        plan.args.extend(own_settings::other_words(launch));
        Ok(())
    }

    fn conflict_files(&self, inputs: &Inputs) -> Vec<std::path::PathBuf> {
        front_matter::users_files(inputs)
    }

    fn conflicts(&self, launch: &Launch, inputs: &Inputs, plan: &Plan) -> Vec<ConflictingSetting> {
        conflicts::of(launch, inputs, plan).unwrap_or_default()
    }
}

/// Where requests go, and the one credential they carry.
fn route(launch: &Launch, state: &onboarding::StateFile, plan: &mut Plan) -> Result<()> {
    plan.set("ANTHROPIC_BASE_URL", literal::plain("the base URL", base_url(&launch.base_url.value))?);
    let key = if launch.keyed { Value::key() } else { "agent-run".into() };
    let credential = if sends_api_key(launch) { "ANTHROPIC_API_KEY" } else { "ANTHROPIC_AUTH_TOKEN" };
    plan.set(credential, key.clone());
    plan.set("CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST", "1");
    let mut headers: Vec<Value> = Vec::new();
    if holds_login_key_back(launch, state) {
        headers.push(Value::from(format!("{API_KEY_HEADER}: ")).then(key));
    }
    for (name, value) in &launch.headers {
        headers.push(literal::header_line(name, value)?);
    }
    if let Some(headers) = headers.into_iter().reduce(|lines, line| lines.then("\n").then(line)) {
        plan.set("ANTHROPIC_CUSTOM_HEADERS", headers);
    }
    Ok(())
}

/// Whether the key goes out as `x-api-key`. Both credentials together would both be sent.
fn sends_api_key(launch: &Launch) -> bool {
    launch.keyed && launch.anthropic_use_api_key
}

/// Whether the key of a login at Anthropic's console would go to the provider, and a header of agent-run must
/// take its place: only one of that name is stronger (2.1.197).
fn holds_login_key_back(launch: &Launch, state: &onboarding::StateFile) -> bool {
    state.has_login_key && !launch.headers.keys().any(|name| name.eq_ignore_ascii_case(API_KEY_HEADER))
}

/// Claude Code appends `/v1/messages` to whatever it is given.
fn base_url(url: &str) -> &str {
    let url = url.trim_end_matches('/');
    let root = url.strip_suffix("/v1/messages").or_else(|| url.strip_suffix("/v1")).unwrap_or(url);
    root.trim_end_matches('/')
}

/// Every tier, or Claude Code asks the provider for models of Anthropic's.
fn choose_models(launch: &Launch, plan: &mut Plan) -> Result<()> {
    let tiers = &launch.tiers;
    let main = launch.model.value.id.as_str();
    if models::is_alias(main) && models::possible(launch).len() > 1 {
        plan.warn(Message::new(
            format!("Claude Code treats `{main}` as one of its own names, and may request the model of a tier instead"),
            "remove `tiers` from the provider, or choose another model",
        ));
    }
    for (variable, id) in [
        ("ANTHROPIC_MODEL", main),
        ("ANTHROPIC_DEFAULT_FABLE_MODEL", main),
        ("ANTHROPIC_DEFAULT_OPUS_MODEL", &tiers.opus),
        ("ANTHROPIC_DEFAULT_SONNET_MODEL", &tiers.sonnet),
        ("ANTHROPIC_DEFAULT_HAIKU_MODEL", &tiers.haiku),
    ] {
        plan.set(variable, &*models::spelled(literal::plain("the model id", id)?, launch));
    }
    if tiers.subagent != "inherit" {
        let id = literal::plain("the model id", &tiers.subagent)?;
        plan.set("CLAUDE_CODE_SUBAGENT_MODEL", &*models::spelled(id, launch));
        // Or the `model:` of an agent's own file beats it (2.1.332).
        plan.set("CLAUDE_CODE_SUBAGENT_MODEL_FORCE", "1");
    }
    Ok(())
}

/// Nothing goes to hosts that were not chosen. In `x-api-key` mode the second of these keeps the
/// provider's key from Anthropic's telemetry.
fn keep_quiet(launch: &Launch, plan: &mut Plan) {
    plan.set("CLAUDE_CODE_DISABLE_AGENT_VIEW", "1");
    plan.set("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
    plan.set("CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL", "1");
    // Without effect in 2.1.332, which looks for the servers of a claude.ai login only where that login is used. It
    // guards against a version that looks for them all the same.
    plan.set("ENABLE_CLAUDEAI_MCP_SERVERS", "false");
    // Another session of the user's, perhaps on another provider, could submit a text here (2.1.332).
    plan.set(SESSION_MESSAGES, "0");
    if host(&launch.base_url.value) != policy::ANTHROPIC {
        // Up to ten requests of Anthropic's own kind for a command (2.1.332).
        plan.set("CLAUDE_CODE_AUTO_MODE_SERVER", "0");
    }
    if is_loopback(&launch.base_url.value) {
        // A line that changes with every version would spoil a local server's cache of the prompt.
        plan.set("CLAUDE_CODE_ATTRIBUTION_HEADER", "0");
    }
}
