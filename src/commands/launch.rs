//! Both doors end here: decide, plan, and print the plan or carry it out.

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Result, bail};
use shims::{Dirs, Launch, Plan};

use crate::catalog::Catalog;
use crate::commands::dry_run;
use crate::config::{self, Config, Loaded, Provider};
use crate::env::Environment;
use crate::exec::HomeLock;
use crate::key::Key;
use crate::request::Request;
use crate::resolve::{self, Undecided};
use crate::{exec, inputs, report};

/// How long a launch waits for a provider's list when nothing else tells whether a model exists.
const PATIENCE: Duration = Duration::from_secs(3);

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
        let meant = Meant::of(request, &loaded.config, &dirs, env)?;
        let launch = meant.decide(&loaded.config, Asking::WithoutCommands)?;
        let plan = meant.plan(launch.as_ref())?;
        return dry_run::print(request, &loaded, launch.as_ref().zip(meant.provider), &plan, show, env);
    }
    match exec::become_agent(Ready::prepare(request, &loaded, &dirs, env)?.command)? {}
}

/// Decides a launch on a provider, with nothing planned yet.
///
/// # Errors
/// When there is no such provider, or the launch is refused.
pub fn decide<'a>(
    request: &Request,
    config: &'a Config,
    dirs: &Dirs,
    env: &Environment,
) -> Result<(Launch, &'a Provider)> {
    let provider = resolve::provider(request.agent, &request.provider, config)?;
    let meant =
        Meant { request, provider: Some(provider), key: Key::of(Some(provider), env, &dirs.home), dirs, env };
    match meant.decide(config, Asking::WithoutCommands)? {
        Some(launch) => Ok((launch, provider)),
        None => bail!("`{}` is a home without a provider", request.provider),
    }
}

/// Whether a key command may run for the provider's list. A dry run asks nobody for a password.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Asking {
    WithCommands,
    WithoutCommands,
}

/// A request and what it is about: a provider, or a home of its own without one.
struct Meant<'a> {
    request: &'a Request,
    provider: Option<&'a Provider>,
    key: Key<'a>,
    dirs: &'a Dirs,
    env: &'a Environment,
}

impl<'a> Meant<'a> {
    fn of(request: &'a Request, config: &'a Config, dirs: &'a Dirs, env: &'a Environment) -> Result<Self> {
        let homes = resolve::home_names(request.agent.name(), config);
        let is_home = !config.providers.contains_key(&request.provider) && homes.contains(&request.provider);
        let provider = match is_home {
            true => None,
            false => Some(resolve::provider(request.agent, &request.provider, config)?),
        };
        Ok(Self { request, provider, key: Key::of(provider, env, &dirs.home), dirs, env })
    }

    /// Decides the launch; `None` for a home without a provider.
    ///
    /// The provider itself is asked only when its model cannot be decided without it.
    fn decide(&self, config: &Config, asking: Asking) -> Result<Option<Launch>> {
        let Some(provider) = self.provider else { return Ok(None) };
        let name = &self.request.provider;
        let catalog = self.catalog(config);
        let known = catalog.known(name, provider);
        let resolve = |known| resolve::resolve(self.request, provider, config, known, self.env);
        let unknown = match resolve(&known) {
            Err(Undecided::Model(unknown)) if !known.fresh => unknown,
            decided => return Ok(Some(decided?)),
        };
        let key = || match self.key.is_asked_for() && asking == Asking::WithoutCommands {
            true => bail!("a dry run runs no key_command"),
            false => Ok(self.key.get()?.map(str::to_owned)),
        };
        match catalog.refresh_within(name, provider, PATIENCE, &key) {
            Ok(refreshed) => {
                refreshed.warnings.iter().for_each(|warning| report::warn(warning));
                Ok(Some(resolve(&catalog.known_after(name, provider, refreshed.list))?))
            }
            Err(failure) => Err(unknown.because(&failure)),
        }
    }

    fn plan(&self, launch: Option<&Launch>) -> Result<Plan> {
        let Request { agent, provider, args, .. } = self.request;
        match launch {
            Some(launch) => Plan::of(*agent, launch, &inputs::gather(*agent, launch, self.dirs, self.env)),
            None => Plan::of_bare_home(*agent, provider, args, &inputs::bare(self.dirs, self.env)),
        }
    }

    /// Leaves an old list to a process of its own, for the next launch.
    fn refresh_later(&self, loaded: &Loaded, key: Option<&str>) {
        let Some(provider) = self.provider else { return };
        let catalog = self.catalog(&loaded.config);
        if let Err(error) = catalog.refresh_detached(&self.request.provider, provider, &loaded.path, key) {
            log::debug!("{error:#}");
        }
    }

    fn catalog(&self, config: &Config) -> Catalog<'a> {
        Catalog::open(self.dirs, self.env, config.models_ttl)
    }
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
    pub fn prepare(request: &Request, loaded: &Loaded, dirs: &Dirs, env: &Environment) -> Result<Self> {
        let agent = request.agent;
        let meant = Meant::of(request, &loaded.config, dirs, env)?;
        let program = exec::find(agent, &env.path(), &agent.fallback_programs(&inputs::bare(dirs, env)))?;
        let launch = meant.decide(&loaded.config, Asking::WithCommands)?;
        if meant.key.is_asked_for() {
            meant.plan(launch.as_ref())?;
        }
        let key = meant.key.get()?;
        let lock =
            agent.has_runtime_home().then(|| exec::lock_home(agent, &request.provider, dirs)).transpose()?;
        let plan = meant.plan(launch.as_ref())?;
        plan.notes.iter().for_each(report::note);
        exec::prepare(&plan, dirs, key)?;
        let command = exec::command(&plan, &program, key, env)?;
        meant.refresh_later(loaded, key);
        Ok(Self { command, _lock: lock })
    }
}
