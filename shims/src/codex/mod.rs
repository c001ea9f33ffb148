//! Codex: one runtime home for all providers, with the choice on the command line.
//!
//! Codex takes everything from `$CODEX_HOME/config.toml`. Ours is generated from the user's own, and everything else of
//! the user's home is a link, so that instructions, skills and rules are there. Sessions are not: Codex ties each to a
//! provider's id, and a plain `codex` would stop at one of agent-run's. What a launch chooses are leading `-c` words,
//! above profiles, trusted projects and `--ignore-user-config`; `argv` says where else they must be. A leading `-c`
//! also keeps Codex from handing the session to a background server with the environment of an earlier launch (seen in
//! Codex 0.171).

mod argv;
mod carry;
mod config;
mod conflicts;
mod dotenv;
mod former;
mod home;
mod literal;
mod managed;
mod merge;
mod models;
mod plain;
mod projects;
mod roles;
mod runtime;
mod settings;
mod texts;
mod trials;

use std::ffi::OsStr;
use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::judged::codex as judged;
use crate::project_texts::NamedText;
use crate::{Agent, AgentInfo, ConflictingSetting, Inputs, Launch, Message, Plan, Protocol, ToolSet};
use home::CodexHome;
use models::Catalogue;

/// Codex.
pub struct Codex;

const INFO: AgentInfo = AgentInfo {
    name: "codex",
    title: "Codex",
    install: "npm install -g @openai/codex",
    minimum: "0.158.0",
    tested: "0.171.0",
    known_problems: judged::PROBLEMS,
    trials: trials::of,
    protocols: &[Protocol::OpenaiResponses],
    managed_env_vars: judged::VARIABLE_REMOVED,
    env_spared: judged::VARIABLE_SPARED,
    home_variables: &["HOME", "CODEX_HOME"],
    one_shot: &["exec", "--ephemeral", "--skip-git-repo-check"],
    // Seen in 0.171: experiments, lists of plugins, and tips of the terminal interface.
    own_hosts: &[
        "ab.chatgpt.com",
        "chatgpt.com",
        "api.github.com",
        "github.com",
        "raw.githubusercontent.com",
    ],
    has_runtime_home: true,
    shares_home: true,
    resumes: Some("resume ID"),
    listed_models: models::LISTED,
    texts: judged::PLACE_TEXT,
    texts_above: judged::PLACE_TEXT_ABOVE,
    // Of roles, at any depth (0.158, 0.171).
    texts_below: true,
    texts_linked: true,
    ..AgentInfo::USUAL
};

impl Agent for Codex {
    fn info(&self) -> &'static AgentInfo {
        &INFO
    }

    fn named_texts(&self, launch: &Launch, inputs: &Inputs) -> Vec<NamedText> {
        texts::named(launch, &CodexHome::of(launch, inputs), inputs)
    }

    fn required_files(&self, launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
        let home = CodexHome::of(launch, inputs);
        let mut paths = home.reads(inputs);
        paths.extend(runtime::reads(&home));
        paths.extend(managed::files());
        paths.extend(projects::reads(launch, &home, inputs));
        paths.extend(carry::reads(launch, &home, inputs));
        paths.extend(plain::reads(launch, &home, inputs));
        paths.extend(roles::reads(&home, inputs));
        paths
    }

    fn start_folders(&self, launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
        projects::starts(launch, inputs)
    }

    fn generated_file(&self, launch: &Launch, inputs: &Inputs) -> Option<PathBuf> {
        Catalogue::of(launch, inputs).map(|catalogue| catalogue.path())
    }

    fn plan(&self, launch: &Launch, inputs: &Inputs, plan: &mut Plan) -> Result<()> {
        if let Some(command) = argv::starts_server(launch.words()) {
            bail!(Message::leaves_server(&command));
        }
        let home = CodexHome::of(launch, inputs);
        // What others decide: the administrator, then projects, which the settings below answer.
        managed::check(&home.id(inputs), inputs, plan)?;
        // What asks no model runs programs that need no key, as `update` does.
        let is_keyless = argv::asks_nobody(launch.words());
        if !is_keyless {
            for (name, value) in settings::secrets(launch, inputs) {
                plan.set(name, value);
            }
        }
        // It asks the plan for the secrets that were set just now.
        let projects = projects::overrides(launch, &home, inputs, plan);
        let settings = settings::of(launch, inputs, &home, projects)?;
        // The home: its `config.toml`, links to the user's own, the catalogue, and copies from older homes.
        let former = carry::settings_of(launch, &home, inputs);
        runtime::plan(&home, &settings, &former, inputs, plan)?;
        plan.set("CODEX_HOME", home.codex_home().as_os_str());
        home.plan(&carry::unread(launch, &home, inputs), inputs, plan);
        if let Some(catalogue) = Catalogue::of(launch, inputs) {
            catalogue.plan(inputs, plan);
        }
        carry::plan(launch, &home, inputs, plan);
        plain::plan(launch, &home, inputs, plan);
        // The words: the launch's before the user's, and again where the user's own would drop them.
        plan.args.extend(argv::combined(&settings, launch.words().map(OsStr::to_owned)));
        if !is_keyless {
            projects::keep_key_variable(launch, &home, inputs, plan);
        }
        roles::warn(launch, &home, inputs, plan);
        if launch.codex_tools == ToolSet::Minimal {
            plan.info("codex.tools is minimal: no MCP servers, sub-agents, goals or web search");
        }
        Ok(())
    }

    fn conflicts(&self, launch: &Launch, inputs: &Inputs, plan: &Plan) -> Vec<ConflictingSetting> {
        conflicts::of(launch, inputs, plan)
    }

    fn providerless_home_files(&self, name: &str, inputs: &Inputs) -> Vec<PathBuf> {
        vec![inputs.dirs.cache.join("codex").join(name), bare_home(name, inputs)]
    }

    /// Only where the login is kept is said, so that it stays in this home and out of the system's
    /// keyring, which all homes share. Saying it by `-c` leaves the home's own file alone.
    fn plan_providerless_home(&self, name: &str, inputs: &Inputs, plan: &mut Plan) -> Result<()> {
        let home = bare_home(name, inputs);
        plan.take_over_home(
            inputs.dirs.cache.join("codex").join(name),
            home.clone(),
            &carry::REBUILT,
            inputs,
        );
        plan.set("CODEX_HOME", home.as_os_str());
        plan.unset("CODEX_SQLITE_HOME");
        plan.dirs.insert(home);
        plan.arg("-c");
        plan.arg("cli_auth_credentials_store=\"file\"");
        Ok(())
    }
}

/// The home without a provider of this name.
fn bare_home(name: &str, inputs: &Inputs) -> PathBuf {
    inputs.dirs.state.join("codex").join(name).join("home")
}

#[cfg(test)]
mod tests;
