//! A launch request as parsed from the command line or a shim, before resolution.

use std::ffi::OsString;
use std::path::PathBuf;

use shims::opts::{Force, Opts};
use shims::{Agent, Origin, Protocol, Sourced, quote};

use crate::cli::LaunchOpts;

/// One launch as it was asked for.
#[derive(Clone)]
pub struct LaunchRequest {
    /// The agent to become.
    pub agent: &'static dyn Agent,
    /// The provider's name as typed.
    pub provider: String,
    /// The model, if one was named.
    pub model: Option<Sourced<String>>,
    /// The protocol, if one was named.
    pub protocol: Option<Sourced<Protocol>>,
    /// The refusals to override.
    pub force: Force,
    /// The config file, if one was named.
    pub config: Option<PathBuf>,
    /// The agent's own words.
    pub args: Vec<OsString>,
    /// Whether to print the plan instead of carrying it out.
    pub show: Option<DryRun>,
}

/// How to print a plan.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DryRun {
    /// As JSON.
    pub json: bool,
    /// With the contents of files.
    pub contents: bool,
}

impl LaunchRequest {
    /// A launch about which nothing more is said.
    pub fn new(agent: &'static dyn Agent, provider: &str) -> Self {
        Self {
            agent,
            provider: provider.to_owned(),
            model: None,
            protocol: None,
            force: Force::default(),
            config: None,
            args: Vec::new(),
            show: None,
        }
    }

    /// A request of shim mode: `<agent>@<provider>`, with the options of `AGENT_RUN_OPTS`.
    pub fn from_shim(agent: &'static dyn Agent, provider: &str, opts: Opts, args: Vec<OsString>) -> Self {
        let Opts { model, protocol, force, dry_run, json, verbose, config } = opts;
        let opts = LaunchOpts { model, protocol, force, dry_run, json, verbose };
        Self::of(agent, provider, opts, config.map(PathBuf::from), args, Origin::Opts)
    }

    /// A request with the launcher's own options, which `origin` says the place of.
    pub fn of(
        agent: &'static dyn Agent,
        provider: &str,
        opts: LaunchOpts,
        config: Option<PathBuf>,
        args: Vec<OsString>,
        origin: fn(&'static str) -> Origin,
    ) -> Self {
        Self {
            model: opts.model.map(|model| Sourced::new(model, origin("--model"))),
            protocol: opts.protocol.map(|protocol| Sourced::new(protocol, origin("--protocol"))),
            force: opts.force.into_iter().fold(Force::default(), Force::or),
            config,
            args,
            show: opts.dry_run.then_some(DryRun { json: opts.json, contents: opts.verbose }),
            ..Self::new(agent, provider)
        }
    }
}

/// What to type for a launch: `agent-run launch PROVIDER --model MODEL AGENT`.
pub fn line(provider: &str, model: Option<&str>, agent: &dyn Agent) -> String {
    let model = model.map_or_else(String::new, |model| format!("--model {} ", quote(model.as_ref())));
    format!("agent-run launch {} {model}{}", quote(provider.as_ref()), agent.name())
}
