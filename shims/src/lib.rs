//! Agent adapters and the shared types they use.
//!
//! A *shim* is an agent's name together with the knowledge of how to start it. This crate holds that
//! knowledge and nothing else: it is pure. Everything it says follows from its arguments alone, so it
//! would say the same on another machine. It reads no file, no variable and no clock, runs no process
//! and opens no socket; its own `clippy.toml` keeps it so. What an adapter must know of the user's
//! machine it *declares* ([`Agent::required_files`]) and is handed ([`Inputs`]); what must be done it *plans*
//! ([`Plan`]).
//!
//! To add an agent: one file here that implements [`Agent`], and one line in [`AGENTS`].

pub mod conflicts;
mod digest;
pub mod dotenv;
pub mod facts;
pub mod inputs;
pub mod json;
mod judged;
mod known;
pub mod launch;
pub mod message;
pub mod mirror;
mod model;
pub mod opts;
mod origin;
pub mod plan;
pub mod planner;
mod print;
pub mod project_texts;
mod protocol;
pub mod proxy;
pub mod secret;
pub mod template;
pub mod trial;
pub mod window;
pub mod yaml;

mod claude;
mod codex;
mod crush;
mod hermes;
mod shell;

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Result, bail};

use project_texts::NamedText;
use trial::{Trial, TrialPlaces};

pub use conflicts::ConflictingSetting;
pub use digest::{short_hash, short_hash_of_all};
pub use facts::Facts;
pub use hermes::variables::{COPY, copy_name, is_unchanged_copy};
/// What Hermes' files are read with, for the tests that compare it with Python.
#[doc(hidden)]
pub use hermes::{variables as hermes_variables, yaml as hermes_yaml};
pub use inputs::{Dirs, Entry, EntryKind, Fact, Inputs};
pub use known::KnownProblem;
pub use launch::{Launch, Proxy, Sessions, Tiers, ToolSet};
pub use message::{Message, without_codes};
pub use model::{Model, model_id};
pub use origin::{Origin, Sourced};
pub use plan::{Carry, Edit, KeyText, Link, Merge, Note, Plan};
pub use print::{quote, quoted};
pub use protocol::Protocol;
pub use secret::{MachineSecret, Suffix};
pub use shell::variables;
pub use template::{Field, Part, Template, Value};

/// Every agent, in the order in which lists show them and `demo` looks for them.
///
/// This one list feeds dispatch on `argv[0]`, clap's values, completion, `doctor`, and the tests that
/// loop over the agents.
pub static AGENTS: &[&dyn Agent] =
    &[&claude::Claude, &codex::Codex, &hermes::Hermes, &crush::Crush, &shell::ShellAgent];

/// How much of an [`Agent::generated_file`] is read.
pub const FILE_END: usize = 4;

/// What is known of an agent before any launch. An adapter says what is different from [`AgentInfo::USUAL`].
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, written by its name")]
pub struct AgentInfo {
    /// The command on `PATH`, and the part of a shim's file name before `@`.
    pub name: &'static str,
    /// The name people use, for messages: `Claude Code`.
    pub title: &'static str,
    /// The command that installs the agent, shown when it is not on `PATH`.
    pub install: &'static str,
    /// The oldest version the adapter relies on.
    pub minimum: &'static str,
    /// The newest version the acceptance cases were run with.
    pub tested: &'static str,
    /// What is wrong with certain versions of the agent, whatever a launch does.
    pub known_problems: &'static [KnownProblem],
    /// What shows whether a version of the agent holds what launches rely on.
    pub trials: fn(&TrialPlaces<'_>) -> Vec<Trial>,
    /// The protocols the agent can speak to a provider, best first.
    pub protocols: &'static [Protocol],
    /// Whether a model talks through it. `shell` only prepares the environment of another program: `demo`, shims
    /// and help texts leave it out unless it is named.
    pub is_coding_agent: bool,
    /// Every variable that the agent or its SDK listens to and that could redirect it or leak a key.
    ///
    /// All of them are unset before the plan sets its own. Each `*` stands for any text:
    /// `CLAUDE_CODE_SKIP_*_AUTH`.
    pub managed_env_vars: &'static [&'static str],
    /// What `managed_env_vars` would catch and a launch leaves alone, each with the reason.
    pub env_spared: &'static [(&'static str, &'static str)],
    /// The variables that say where the agent has its files. A launch looks there and writes there before it is given
    /// `extra_env`, which must not move them.
    pub home_variables: &'static [&'static str],
    /// The words before a prompt that is answered on stdout, asking nothing, and keeping no session where the agent can
    /// do without.
    pub one_shot: &'static [&'static str],
    /// Whether the agent stores such a prompt in the user's own home all the same.
    pub keeps_one_shot: bool,
    /// The hosts that the agent asks for by itself at any start, whoever the provider: news, updates, plugins.
    pub own_hosts: &'static [&'static str],
    /// Whether `AGENT completion SHELL` prints a completion script for bash, fish and zsh, as Codex 0.171.0, Hermes
    /// Agent 0.19.0 and Crush 0.90.1 do.
    pub prints_completion: bool,
    /// Whether launches prepare a runtime home, which is then done under an exclusive lock.
    pub has_runtime_home: bool,
    /// Whether launches on all providers prepare one runtime home, so that one lock serves them all.
    pub shares_home: bool,
    /// The words that go on with a session, where the line that the agent prints at its end lacks the launch.
    pub resumes: Option<&'static str>,
    /// Files and folders in the folder where the agent starts that become a part of the prompt, whatever they lead to.
    pub texts: &'static [&'static str],
    /// Those that it also takes from the folders above, up to the root of the git repository.
    pub texts_above: &'static [&'static str],
    /// Whether it does not stop at that root.
    pub texts_above_root: bool,
    /// Whether it takes all below a folder in the place of such a file, and not only what is right in it.
    pub texts_below: bool,
    /// Whether it follows a link to a folder there.
    pub texts_linked: bool,
    /// How many models of the provider's own list the agent is handed for a picker of its own, after those that the
    /// config names.
    pub listed_models: usize,
}

impl AgentInfo {
    /// A coding agent about which nothing more is known.
    pub const USUAL: Self = Self {
        name: "",
        title: "",
        install: "",
        minimum: "",
        tested: "",
        known_problems: &[],
        trials: |_| Vec::new(),
        protocols: &[],
        is_coding_agent: true,
        managed_env_vars: &[],
        env_spared: &[],
        home_variables: &["HOME"],
        one_shot: &[],
        keeps_one_shot: false,
        own_hosts: &[],
        prints_completion: true,
        has_runtime_home: false,
        shares_home: false,
        resumes: None,
        texts: &[],
        texts_above: &[],
        texts_above_root: false,
        texts_below: false,
        texts_linked: false,
        listed_models: 0,
    };

    /// Whether a launch removes the variable: it is of the family, and not spared.
    pub fn removes(&self, name: &str) -> bool {
        let is_in = |pattern: &str| inputs::matches(pattern, name);
        self.managed_env_vars.iter().any(|pattern| is_in(pattern))
            && !self.env_spared.iter().any(|(pattern, _)| is_in(pattern))
    }
}

/// How one agent is started.
///
/// Implementations do nothing: they name, declare and plan. That is what lets a dry run print the very
/// value that a launch carries out, and lets a test plan for a machine that does not exist.
pub trait Agent: Sync {
    /// What is known of it before any launch.
    fn info(&self) -> &'static AgentInfo;

    /// Its name, see [`AgentInfo::name`].
    fn name(&self) -> &'static str {
        self.info().name
    }

    /// Its title, see [`AgentInfo::title`].
    fn title(&self) -> &'static str {
        self.info().title
    }

    /// The words with which a coding agent answers one prompt, see [`AgentInfo::one_shot`].
    fn one_shot(&self, prompt: &str) -> Vec<OsString> {
        self.info().one_shot.iter().copied().chain([prompt]).map(OsString::from).collect()
    }

    /// The command to start, given the user's own words; one with a `/` in it is a path.
    fn program(&self, _args: &[OsString], _inputs: &Inputs) -> OsString {
        self.name().into()
    }

    /// Why the agent would not send this key, as a sentence; a launch with it is refused.
    fn refused_key(&self, _key: &str) -> Option<&'static str> {
        None
    }

    /// What shows whether this version holds what launches rely on, see [`AgentInfo::trials`].
    fn trials(&self, places: &TrialPlaces<'_>) -> Vec<Trial> {
        (self.info().trials)(places)
    }

    /// The folders in which the agent may start to work: the launch's own, or what an option names.
    fn start_folders(&self, _launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
        vec![inputs.dirs.cwd.clone()]
    }

    /// Files and folders that settings have it make a part of its prompt, as far as the machine is known.
    fn named_texts(&self, _launch: &Launch, _inputs: &Inputs) -> Vec<NamedText> {
        Vec::new()
    }

    /// Folders beside `PATH` in which the agent's own installer puts it, searched after `PATH`.
    fn fallback_programs(&self, _inputs: &Inputs) -> Vec<PathBuf> {
        Vec::new()
    }

    /// What [`Agent::plan`] must know of the user's machine.
    ///
    /// Asked again with what was read until it names nothing new, so that one file may name the next. What is known
    /// already need not be named again.
    fn required_files(&self, _launch: &Launch, _inputs: &Inputs) -> Vec<PathBuf> {
        Vec::new()
    }

    /// A large file that an earlier launch may have written. Only its last [`FILE_END`] bytes are read: enough to
    /// know that it is whole, since a loss of power can cut it short.
    fn generated_file(&self, _launch: &Launch, _inputs: &Inputs) -> Option<PathBuf> {
        None
    }

    /// Adds to a cleansed plan what this agent needs for this launch.
    ///
    /// # Errors
    /// When the launch cannot work, or a file of the user's own cannot be understood: before anything
    /// has been done, with a `help:` line.
    fn plan(&self, launch: &Launch, inputs: &Inputs, plan: &mut Plan) -> Result<()>;

    /// Files that [`Agent::conflicts`] looks into beyond those that a plan depends on.
    fn conflict_files(&self, _inputs: &Inputs) -> Vec<PathBuf> {
        Vec::new()
    }

    /// The user's own settings that `plan` overrules.
    fn conflicts(&self, _launch: &Launch, _inputs: &Inputs, _plan: &Plan) -> Vec<ConflictingSetting> {
        Vec::new()
    }

    /// What must be read for [`Agent::plan_providerless_home`].
    fn providerless_home_files(&self, _name: &str, _inputs: &Inputs) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Adds what a home without a provider needs (`isolated_homes` of old files): a home of its own that
    /// shares nothing with the user's, with the agent's own login and settings in it.
    ///
    /// # Errors
    /// When the agent has no such homes.
    fn plan_providerless_home(&self, name: &str, _inputs: &Inputs, _plan: &mut Plan) -> Result<()> {
        bail!("{} needs a provider, and `{name}` is an isolated home without one", self.title())
    }
}

/// The agent called `name`, matched exactly.
pub fn by_name(name: &str) -> Option<&'static dyn Agent> {
    AGENTS.iter().copied().find(|agent| agent.name() == name)
}

/// The agents that a model talks through: all but `shell`.
pub fn coding_agents() -> impl Iterator<Item = &'static dyn Agent> {
    AGENTS.iter().copied().filter(|agent| agent.info().is_coding_agent)
}

/// The names of all agents, for messages: `claude, codex`.
pub fn names() -> String {
    let names: Vec<_> = AGENTS.iter().map(|agent| agent.name()).collect();
    names.join(", ")
}

/// Splits a shim's file name, `<agent>@<provider>`, at the first `@`.
///
/// `None` when there is no `@` or nothing on one side of it: then the name is not a shim's.
pub fn split_shim_name(name: &str) -> Option<(&str, &str)> {
    let (agent, provider) = name.split_once('@')?;
    (!agent.is_empty() && !provider.is_empty()).then_some((agent, provider))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_at_sign_splits_a_shim_name() {
        assert_eq!(split_shim_name("codex@ollama"), Some(("codex", "ollama")));
        assert_eq!(split_shim_name("codex@me@work"), Some(("codex", "me@work")));
        for no_shim in ["agent-run", "claude", "@ollama", "claude@", "@"] {
            assert_eq!(split_shim_name(no_shim), None, "{no_shim}");
        }
    }

    #[test]
    fn agent_names_are_unique_and_safe_as_file_names() {
        for (index, agent) in AGENTS.iter().enumerate() {
            let name = agent.name();
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{name}");
            assert!(AGENTS[index + 1..].iter().all(|other| other.name() != name), "{name} twice");
            assert!(!agent.info().protocols.is_empty(), "{name} speaks nothing");
        }
    }
}
