//! Both doors end here: decide, plan, and print the plan or carry it out.

use std::process::{Command, ExitCode};

use anyhow::Result;
use shims::{Dirs, Launch, Plan};

use crate::commands::dry_run;
use crate::config::{self, Config, KeySource, Provider};
use crate::env::Environment;
use crate::exec::HomeLock;
use crate::request::Request;
use crate::resolve::{self, Known, Undecided};
use crate::{exec, inputs, key, report};

/// Launches, or prints what a launch would do.
///
/// # Errors
/// When nothing was launched; an agent that runs takes this process over.
pub fn run(request: &Request, env: &Environment) -> Result<ExitCode> {
    env.check_depth()?;
    let loaded = config::load(&env.config_file(request.config.as_deref())?)?;
    loaded.warnings.iter().for_each(|warning| report::warn(warning));
    let dirs = env.dirs()?;
    if let Some(show) = request.show {
        let meant = Meant::decide(request, &loaded.config, env)?;
        let plan = meant.plan(request, &dirs, env)?;
        return dry_run::print(request, &loaded, meant.launch(), &plan, show, env);
    }
    match exec::become_agent(Ready::prepare(request, &loaded.config, &dirs, env)?.command)? {}
}

/// What a request comes to: a launch on a provider, or a home of its own without one.
pub enum Meant<'a> {
    /// A launch, and its provider as the config has it.
    Launch(Box<Launch>, &'a Provider),
    /// A home of old files.
    BareHome,
}

impl<'a> Meant<'a> {
    /// Decides, without asking anyone.
    ///
    /// # Errors
    /// When the launch is refused.
    pub fn decide(request: &Request, config: &'a Config, env: &Environment) -> Result<Self> {
        let homes = resolve::home_names(request.agent.name(), config);
        if !config.providers.contains_key(&request.provider) && homes.contains(&request.provider) {
            return Ok(Self::BareHome);
        }
        let provider = resolve::provider(request.agent, &request.provider, config)?;
        match resolve::resolve(request, provider, config, known(provider), env) {
            Ok(launch) => Ok(Self::Launch(Box::new(launch), provider)),
            Err(Undecided::UnknownModel(error) | Undecided::Refused(error)) => Err(error),
        }
    }

    /// Plans, from what is on this machine.
    ///
    /// # Errors
    /// When the adapter refuses.
    pub fn plan(&self, request: &Request, dirs: &Dirs, env: &Environment) -> Result<Plan> {
        match self {
            Self::Launch(launch, _) => {
                Plan::of(request.agent, launch, &inputs::gather(request.agent, launch, dirs, env))
            }
            Self::BareHome => {
                let inputs = inputs::bare(dirs, env);
                Plan::of_bare_home(request.agent, &request.provider, &request.args, &inputs)
            }
        }
    }

    /// The launch and its provider, if there is one.
    pub fn launch(&self) -> Option<(&Launch, &Provider)> {
        match self {
            Self::Launch(launch, provider) => Some((launch, provider)),
            Self::BareHome => None,
        }
    }

    fn key(&self, dirs: &Dirs, env: &Environment) -> Result<Option<String>> {
        let Self::Launch(_, provider) = self else { return Ok(None) };
        provider.key_source().map(|source| key::resolve(source, env, &dirs.home)).transpose()
    }

    fn asks_for_key(&self) -> bool {
        let Self::Launch(_, provider) = self else { return false };
        matches!(provider.key_source(), Some(KeySource::Command(_)))
    }
}

fn known(provider: &Provider) -> Known {
    Known { models: provider.models.iter().map(Into::into).collect(), age: None, could_ask: false }
}

/// A launch that only has to be let go: the command, and the lock on what was prepared for it.
///
/// The lock's descriptor is close-on-exec, so that becoming the agent releases it and nothing earlier does.
pub struct Ready {
    /// The agent with its arguments and environment.
    pub command: Command,
    _lock: Option<HomeLock>,
}

impl Ready {
    /// Decides and prepares a launch.
    ///
    /// A key command may ask for a password. By then all that can be refused has been, and it is not asked
    /// under the lock, where it would hold up other launches.
    ///
    /// # Errors
    /// When the launch is refused, or preparing it failed.
    pub fn prepare(request: &Request, config: &Config, dirs: &Dirs, env: &Environment) -> Result<Self> {
        Self::prepare_but(|_| {}, request, config, dirs, env)
    }

    /// As [`Ready::prepare`], with nothing written into files of the user's own.
    ///
    /// # Errors
    /// As [`Ready::prepare`].
    pub fn rehearse(request: &Request, config: &Config, dirs: &Dirs, env: &Environment) -> Result<Self> {
        Self::prepare_but(|plan| plan.merges.clear(), request, config, dirs, env)
    }

    fn prepare_but(
        change: impl FnOnce(&mut Plan),
        request: &Request,
        config: &Config,
        dirs: &Dirs,
        env: &Environment,
    ) -> Result<Self> {
        let agent = request.agent;
        let meant = Meant::decide(request, config, env)?;
        let program = exec::find(agent, &env.path(), &agent.fallback_programs(&inputs::bare(dirs, env)))?;
        if meant.asks_for_key() {
            meant.plan(request, dirs, env)?;
        }
        let key = meant.key(dirs, env)?;
        let lock =
            agent.has_runtime_home().then(|| exec::lock_home(agent, &request.provider, dirs)).transpose()?;
        let mut plan = meant.plan(request, dirs, env)?;
        change(&mut plan);
        plan.notes.iter().for_each(report::note);
        exec::prepare(&plan, dirs, key.as_deref())?;
        let command = exec::command(&plan, &program, key.as_deref(), env)?;
        Ok(Self { command, _lock: lock })
    }
}
