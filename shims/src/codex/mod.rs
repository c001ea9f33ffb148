//! Codex: a runtime home per provider, with the choice pinned again on the command line.
//!
//! Codex takes everything from `$CODEX_HOME/config.toml`. Ours is generated from the user's own and from
//! the launch, and everything else of the user's home is a link, so that instructions, skills and rules
//! are there. Sessions are not: Codex ties each to a provider's id, and would break on a foreign one.
//! What a profile, a trusted project or `--ignore-user-config` could undo is said twice, in the file and
//! as leading `-c` options. A leading `-c` also keeps Codex from handing the session to a background
//! server with the environment of an earlier launch (seen in Codex 0.169).

mod argv;
mod config;
mod home;
mod merge;
mod rivals;
mod runtime;
mod servers;
mod settings;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{Agent, Inputs, Launch, Plan, Protocol, Rival, ToolSet, Versions};
use home::Home;
use settings::Setting;

/// Codex's settings of the machine's administrator, which beat even `-c` (seen in Codex 0.169).
const MANAGED: &str = "/etc/codex/managed_config.toml";

/// Codex.
pub struct Codex;

impl Agent for Codex {
    fn name(&self) -> &'static str {
        "codex"
    }

    fn title(&self) -> &'static str {
        "Codex"
    }

    fn install(&self) -> &'static str {
        "npm install -g @openai/codex"
    }

    fn versions(&self) -> Versions {
        Versions { minimum: "0.118.0", tested: "0.171.0" }
    }

    fn protocols(&self) -> &'static [Protocol] {
        &[Protocol::OpenaiResponses]
    }

    fn env_family(&self) -> &'static [&'static str] {
        &[
            "AGENT_RUN_CODEX_*",
            "CODEX_ACCESS_TOKEN",
            "CODEX_API_KEY",
            "CODEX_HOME",
            "CODEX_SQLITE_HOME",
            "OPENAI_API_KEY",
            "OPENAI_BASE_URL",
            "OPENAI_ORGANIZATION",
            "OPENAI_PROJECT",
        ]
    }

    fn one_shot(&self, prompt: &str) -> Vec<OsString> {
        ["exec", "--ephemeral", "--skip-git-repo-check", prompt].map(OsString::from).into()
    }

    /// Seen in 0.169: experiments, and lists of plugins.
    fn own_hosts(&self) -> &'static [&'static str] {
        &["ab.chatgpt.com", "chatgpt.com", "api.github.com", "github.com"]
    }

    fn has_runtime_home(&self) -> bool {
        true
    }

    fn reads(&self, launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
        let home = Home::of(launch, inputs);
        let mut paths = home.reads(inputs);
        paths.extend(runtime::reads(&home));
        paths.push(MANAGED.into());
        paths.extend(servers::files(&home, inputs));
        paths
    }

    fn adapt(&self, launch: &Launch, inputs: &Inputs, plan: &mut Plan) -> Result<()> {
        let home = Home::of(launch, inputs);
        let secrets = settings::secrets(launch);
        let settings = settings::of(launch, &home, &secrets)?;
        runtime::plan(&home, &settings, inputs, plan)?;
        plan.set("CODEX_HOME", home.runtime.as_os_str());
        for (name, value) in secrets {
            plan.set(name, value);
        }
        home.plan(launch, inputs, plan);
        settings.iter().filter_map(Setting::words).for_each(|words| plan.args.extend(words.map(Into::into)));
        servers::turn_off(launch, &home, inputs, plan);
        plan.forward(launch);
        if launch.codex_tools == ToolSet::Minimal {
            plan.info("codex.tools is minimal: no MCP servers, sub-agents, goals or web search");
        }
        heed_management(inputs, plan);
        Ok(())
    }

    fn rival_files(&self, inputs: &Inputs) -> Vec<PathBuf> {
        rivals::files(inputs)
    }

    fn rivals(&self, launch: &Launch, inputs: &Inputs, plan: &Plan) -> Vec<Rival> {
        rivals::of(launch, inputs, plan)
    }

    /// Only where the login is kept is said, so that it stays in this home and out of the system's
    /// keyring, which all homes share. Saying it by `-c` leaves the home's own file alone.
    fn adapt_bare_home(&self, name: &str, inputs: &Inputs, plan: &mut Plan) -> Result<()> {
        let home = inputs.dirs.state.join("codex").join(name).join("home");
        plan.set("CODEX_HOME", home.as_os_str());
        plan.unset("CODEX_SQLITE_HOME");
        plan.dirs.insert(home);
        plan.arg("-c");
        plan.arg("cli_auth_credentials_store=\"file\"");
        Ok(())
    }
}

fn heed_management(inputs: &Inputs, plan: &mut Plan) {
    let Ok(Some(text)) = inputs.text(Path::new(MANAGED)) else { return };
    if text.parse::<toml::Table>().is_ok_and(|managed| managed.contains_key("model_provider")) {
        plan.warn(format!(
            "{MANAGED} sets model_provider, and Codex obeys it before this launch's provider\n\
             help: ask the machine's administrator to remove model_provider from it"
        ));
    }
}

#[cfg(test)]
mod tests;
