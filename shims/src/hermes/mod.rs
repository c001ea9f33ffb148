//! Hermes Agent: a runtime home with generated settings, and links to everything that is the user's.
//!
//! Only Chat Completions is spoken to Hermes: after `/model` within a session Hermes 0.19 uses it whatever
//! the session began with.

mod argv;
mod choices;
mod conflicts;
mod entries;
mod former;
mod gateway;
mod home;
mod literal;
mod managed_config;
mod refused;
mod routing;
mod settings;
#[cfg(test)]
mod tests;
mod trials;
pub mod variables;
pub mod yaml;

use std::path::{Path, PathBuf};

use anyhow::Result;

use self::argv::HermesArgs;
use self::home::HermesHomes;
use self::routing::Routing;
use crate::judged::hermes as judged;
use crate::{Agent, AgentInfo, ConflictingSetting, Fact, Inputs, Launch, Plan, Protocol, short_hash};

/// Hermes Agent.
pub struct Hermes;

const INFO: AgentInfo = AgentInfo {
    name: "hermes",
    title: "Hermes Agent",
    install: "uv tool install hermes-agent",
    minimum: "0.18.0",
    tested: "0.19.0",
    known_problems: judged::PROBLEMS,
    trials: trials::of,
    protocols: &[Protocol::OpenaiChatCompletions],
    managed_env_vars: variables::FAMILY,
    env_spared: judged::VARIABLE_SPARED,
    home_variables: &["HOME", "HERMES_HOME", "HERMES_MANAGED_DIR"],
    one_shot: &["chat", "-Q", "--source", "tool", "-q"],
    // It has no way around its database; the source keeps the session out of its lists (0.19).
    keeps_one_shot: true,
    // Seen in 0.19: a scanner of commands, and updates.
    own_hosts: &["github.com", "openrouter.ai", "pypi.org"],
    has_runtime_home: true,
    listed_models: usize::MAX,
    texts: judged::PLACE_TEXT,
    texts_above: judged::PLACE_TEXT_ABOVE,
    ..AgentInfo::USUAL
};

impl Agent for Hermes {
    fn info(&self) -> &'static AgentInfo {
        &INFO
    }

    fn refused_key(&self, key: &str) -> Option<&'static str> {
        routing::refused_key(key)
    }

    fn fallback_programs(&self, inputs: &Inputs) -> Vec<PathBuf> {
        vec![inputs.dirs.home.join(".local/bin/hermes")]
    }

    /// Where Hermes makes a work tree to start in, also the root of the repository, of which that is a copy.
    fn start_folders(&self, launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
        let cwd = &inputs.dirs.cwd;
        let words = HermesArgs::of(launch);
        let homes = HermesHomes::find(launch, &words, inputs);
        let has_git =
            |folder: &&Path| inputs.fact(&folder.join(".git")).is_some_and(|fact| *fact != Fact::Absent);
        let makes_tree = words.may_say("worktree", Some('w')) || homes.may_ask_for_work_tree(inputs);
        let roots = cwd.ancestors().skip(1).filter(|_| makes_tree).filter(has_git);
        std::iter::once(&**cwd).chain(roots).map(Path::to_owned).collect()
    }

    fn required_files(&self, launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
        let words = HermesArgs::of(launch);
        let homes = HermesHomes::find(launch, &words, inputs);
        let runtime = runtime(launch, &Routing::of(launch, &words, inputs), &homes, inputs);
        let jobs = choices::jobs_file(&homes, &words);
        let former = former::reads(launch, inputs);
        let chats = gateway::reads(&homes, &runtime, launch, inputs);
        let profiles = former::profiles(&runtime, inputs);
        let copies = homes.copies(&runtime, inputs);
        let more = former.into_iter().chain(profiles).chain(copies).chain([home::managed(&runtime)]);
        homes.reads.into_iter().chain([runtime]).chain(jobs).chain(chats).chain(more).collect()
    }

    fn plan(&self, launch: &Launch, inputs: &Inputs, plan: &mut Plan) -> Result<()> {
        let words = HermesArgs::of(launch);
        let homes = HermesHomes::find(launch, &words, inputs);
        let isolated = launch.isolated.then_some(homes.base.as_path());
        let typed = refused::plain(words.profile(), isolated);
        words.check(&typed)?;
        homes.check(inputs)?;
        let routing = Routing::of(launch, &words, inputs);
        routing.check()?;
        let runtime = runtime(launch, &routing, &homes, inputs);
        let theirs = homes.base.join("config.yaml");
        let settings = routing.merged(settings::read(&theirs, inputs)?);

        let policy = homes.policy.as_ref();
        let above = policy.map(|policy| settings::read(&policy.dir.join(settings::FILE), inputs));
        let above = above.transpose()?.unwrap_or_default();
        let is_lifted = policy.is_some_and(|policy| policy.administrators);
        let lifted = if is_lifted { settings::lifted(&above, launch) } else { Vec::new() };
        words.check_chats(&typed, &lifted)?;
        if !launch.isolated {
            words.check_sessions(&typed, homes.prefers_tui(&settings, &above, launch, inputs), &lifted)?;
        }
        // Hermes of a package manager expects the folder for logs to be there.
        plan.dirs.extend([runtime.clone(), runtime.join("logs")]);
        former::plan(launch, inputs, plan);
        homes.mark(&runtime, plan)?;
        former::name_profiles(&runtime, &homes.root, inputs, plan);
        homes.mirror(&runtime, inputs, plan);
        plan.write(runtime.join("config.yaml"), written(&theirs, &settings.lines()));
        managed_config::plan(launch, &runtime, &homes, &above, inputs, plan)?;
        for name in &launch.key_variables {
            if let Some(path) = homes.names_variable(name, &settings, inputs) {
                plan.keep_key_variable(name, &path);
            }
        }
        routing.set_variables(plan);
        gateway::plan(&homes, &runtime, &words, [&settings, &above], launch, inputs, plan)?;
        let jobs = choices::of_jobs(&homes, &words, routing.model(), &typed, inputs)?;
        words.warning().into_iter().chain(jobs).for_each(|text| plan.warn(text));
        plan.args.extend(words.forwarded(routing.model()));
        Ok(())
    }

    fn conflicts(&self, launch: &Launch, inputs: &Inputs, _plan: &Plan) -> Vec<ConflictingSetting> {
        conflicts::of(&HermesHomes::find(launch, &HermesArgs::of(launch), inputs), inputs)
    }

    fn providerless_home_files(&self, name: &str, inputs: &Inputs) -> Vec<PathBuf> {
        vec![former::home(name, inputs), former::present(name, inputs)]
    }

    fn plan_providerless_home(&self, name: &str, inputs: &Inputs, plan: &mut Plan) -> Result<()> {
        let home = former::present(name, inputs);
        former::take_over(name, inputs, plan);
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

/// The runtime home: one for everything that requests go by, so that no launch changes the settings and pins that a
/// running session reads again on every turn.
fn runtime(launch: &Launch, routing: &Routing<'_>, homes: &HermesHomes, inputs: &Inputs) -> PathBuf {
    let policy = homes.policy.as_ref().map(|policy| &policy.dir);
    // What no file can hold is refused where the plan writes them.
    let pins = managed_config::lines(launch, Path::new(""), homes, true, inputs, &mut Plan::default());
    let pins = pins.unwrap_or_default();
    // What is set to nothing goes by the names in the user's `.env`, with which a copy of that would stay behind.
    let is_set = |line: &&str| !["=", "=''", "=\"\""].iter().any(|nothing| line.ends_with(nothing));
    let pins: Vec<_> = pins.lines().filter(is_set).collect();
    let pins = pins.join("\n");
    let identity = format!("{}\0{}\0{policy:?}\0{pins}", routing.identity(), homes.base.display());
    let name = format!("{}-{:012x}", launch.provider, short_hash(identity) >> 16);
    inputs.dirs.cache.join("hermes").join(name)
}

fn written(theirs: &Path, lines: &str) -> String {
    format!(
        "# Written by agent-run on every launch. Your own settings: {}\n{lines}",
        literal::comment(&theirs.display().to_string())
    )
}
