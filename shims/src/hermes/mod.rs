//! Hermes Agent: a runtime home with generated settings, and links to everything that is the user's.
//!
//! Only Chat Completions is spoken to Hermes: after `/model` within a session Hermes 0.19 uses it whatever
//! the session began with.

mod entries;
mod home;
mod pins;
mod routing;
mod settings;
#[cfg(test)]
mod tests;
mod words;
mod yaml;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;
use sha2::{Digest as _, Sha256};

use self::home::Homes;
use self::routing::Routing;
use self::words::Words;
use crate::{Agent, Inputs, Launch, Plan, Protocol, Versions};

/// Hermes Agent.
pub struct Hermes;

impl Agent for Hermes {
    fn name(&self) -> &'static str {
        "hermes"
    }

    fn title(&self) -> &'static str {
        "Hermes Agent"
    }

    fn install(&self) -> &'static str {
        "uv tool install hermes-agent"
    }

    fn versions(&self) -> Versions {
        Versions { minimum: "0.18.0", tested: "0.19.0" }
    }

    fn protocols(&self) -> &'static [Protocol] {
        &[Protocol::OpenaiChatCompletions]
    }

    fn env_family(&self) -> &'static [&'static str] {
        &[
            "HERMES_HOME",
            "HERMES_MANAGED_DIR",
            "HERMES_PROFILE",
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
            "AUXILIARY_*",
        ]
    }

    fn one_shot(&self, prompt: &str) -> Vec<OsString> {
        ["chat", "-Q", "-q", prompt].map(OsString::from).into()
    }

    fn fallback_programs(&self, inputs: &Inputs) -> Vec<PathBuf> {
        vec![inputs.dirs.home.join(".local/bin/hermes")]
    }

    fn has_runtime_home(&self) -> bool {
        true
    }

    fn lists_models(&self) -> bool {
        true
    }

    fn reads(&self, launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
        let words = Words::of(launch);
        let homes = Homes::find(launch, &words, inputs);
        let runtime = runtime(launch, &Routing::of(launch, &words), &homes, inputs);
        homes.reads().into_iter().chain([runtime]).collect()
    }

    fn adapt(&self, launch: &Launch, inputs: &Inputs, plan: &mut Plan) -> Result<()> {
        let words = Words::of(launch);
        words.check()?;
        let homes = Homes::find(launch, &words, inputs);
        homes.check(inputs)?;
        let routing = Routing::of(launch, &words);
        routing.check()?;
        let runtime = runtime(launch, &routing, &homes, inputs);
        let theirs = homes.base.join("config.yaml");
        let settings = routing.merged(settings::read(&theirs, inputs)?);

        // Hermes of a package manager expects the folder for logs to be there.
        plan.dirs.extend([runtime.clone(), runtime.join("logs")]);
        homes.mark(&runtime, plan);
        homes.mirror(&runtime, inputs, plan);
        plan.write(runtime.join("config.yaml"), written(&theirs, &settings.lines()));
        pins::plan(launch, &runtime, homes.policy.as_ref(), inputs, plan)?;
        // Hermes keeps secrets from its tools by their names, and this one's name is the user's.
        launch.key_variable.iter().for_each(|name| plan.unset(name));
        routing.set_variables(plan);
        words.warnings().into_iter().for_each(|text| plan.warn(text));
        plan.args.extend(words.forwarded(routing.model()));
        Ok(())
    }

    fn adapt_bare_home(&self, name: &str, inputs: &Inputs, plan: &mut Plan) -> Result<()> {
        let home = inputs.dirs.state.join(self.name()).join(name);
        plan.dirs.insert(home.clone());
        plan.set("HERMES_HOME", home);
        plan.unset("HERMES_PROFILE");
        // Within a launch the variable names that launch's pins.
        let ours = inputs.dirs.cache.join(self.name());
        if inputs.var("HERMES_MANAGED_DIR").is_some_and(|dir| Path::new(dir).starts_with(ours)) {
            plan.unset("HERMES_MANAGED_DIR");
        }
        Ok(())
    }
}

/// The runtime home: one for everything that requests go by, so that no launch changes the settings that a
/// running session reads again on every turn.
fn runtime(launch: &Launch, routing: &Routing<'_>, homes: &Homes, inputs: &Inputs) -> PathBuf {
    let policy = homes.policy.as_ref().map(|policy| &policy.dir);
    let identity = format!("{}\0{}\0{policy:?}", routing.identity(), homes.base.display());
    let digest = Sha256::digest(identity.as_bytes());
    let tail = digest.iter().take(6).fold(0_u64, |tail, byte| tail << 8 | u64::from(*byte));
    inputs.dirs.cache.join("hermes").join(format!("{}-{tail:012x}", launch.provider))
}

fn written(theirs: &Path, lines: &str) -> String {
    format!(
        "# Written by agent-run on every launch. Your own settings: {}\n{lines}",
        theirs.display().to_string().replace(char::is_control, "?")
    )
}
