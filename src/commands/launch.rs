//! Launches: resolve, plan, and print the plan or execute it.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Result, bail};
use shims::{Dirs, Inputs, Launch, Plan};

use crate::catalog::Catalog;
use crate::commands::dry_run;
use crate::config::{self, Config, Loaded, Provider};
use crate::env::Environment;
use crate::exec::HomeLock;
use crate::exec::folders::Folders;
use crate::exec::homes::InUse;
use crate::key::Key;
use crate::request::Request;
use crate::resolve::{self, ResolveError};
use crate::{exec, inputs, machine_secret, ui};

/// How long a launch waits for a provider's list when nothing else tells whether a model exists.
const PATIENCE: Duration = Duration::from_secs(3);

/// Launches, or prints what a launch would do.
///
/// # Errors
/// When nothing was launched; an agent that runs takes this process over.
pub fn run(request: &Request, env: &Environment) -> Result<ExitCode> {
    env.check_depth()?;
    let loaded = config::load_for(&env.config_file(request.config.as_deref())?, &request.provider)?;
    loaded.warnings_about(&request.provider).for_each(|warning| ui::log::warn(warning));
    let dirs = env.dirs()?;
    if let Some(show) = request.show {
        let meant = LaunchContext::of(request, &loaded.config, &dirs, env)?;
        let launch = meant.decide(&loaded.config, Asking::WithoutCommands)?;
        let plan = meant.plan(launch.as_ref())?;
        return dry_run::print(request, &loaded, launch.as_ref().zip(meant.provider), &plan, show, env);
    }
    let ready = PreparedLaunch::prepare(request, &loaded, &dirs, env)?;
    ready.in_use.hand_over();
    match exec::replace_process(ready.command)? {}
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
    match LaunchContext::new(request, Some(provider), dirs, env).decide(config, Asking::WithoutCommands)? {
        Some(launch) => Ok((launch, provider)),
        None => bail!("`{}` is a home without a provider", request.provider),
    }
}

/// What may be contacted when the model list is needed to resolve the model.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Asking {
    /// The provider, and a key command for it.
    WithCommands,
    /// The provider, but nobody for a password: a dry run.
    WithoutCommands,
    /// Nobody.
    Nobody,
}

/// A request and what it is about: a provider, or a home of its own without one.
pub struct LaunchContext<'a> {
    request: &'a Request,
    provider: Option<&'a Provider>,
    key: Key<'a>,
    dirs: &'a Dirs,
    env: &'a Environment,
    /// Whether the cached model list was fresh.
    fresh: Cell<bool>,
}

impl<'a> LaunchContext<'a> {
    fn new(
        request: &'a Request,
        provider: Option<&'a Provider>,
        dirs: &'a Dirs,
        env: &'a Environment,
    ) -> Self {
        let key = Key::of(provider, env, &dirs.home);
        Self { request, provider, key, dirs, env, fresh: Cell::new(false) }
    }

    /// What the request is about.
    ///
    /// # Errors
    /// When there is no such provider.
    pub fn of(
        request: &'a Request,
        config: &'a Config,
        dirs: &'a Dirs,
        env: &'a Environment,
    ) -> Result<Self> {
        let homes = resolve::home_names(request.agent.name(), config);
        let is_home = !config.providers.contains_key(&request.provider) && homes.contains(&request.provider);
        let provider =
            if is_home { None } else { Some(resolve::provider(request.agent, &request.provider, config)?) };
        Ok(Self::new(request, provider, dirs, env))
    }

    /// Decides the launch; `None` for a home without a provider.
    ///
    /// The provider itself is asked only when its model cannot be decided without it.
    ///
    /// # Errors
    /// When the launch is refused.
    pub fn decide(&self, config: &Config, asking: Asking) -> Result<Option<Launch>> {
        let Some(provider) = self.provider else { return Ok(None) };
        let name = &self.request.provider;
        let catalog = self.catalog(config);
        let known = catalog.known(name, provider);
        self.fresh.set(known.fresh);
        let resolve = |known| resolve::resolve(self.request, provider, config, known, self.env);
        let unknown = match resolve(&known) {
            Err(ResolveError::UnknownModel(unknown)) if !known.fresh && asking != Asking::Nobody => unknown,
            decided => return Ok(Some(decided?)),
        };
        let key = || {
            if self.key.is_asked_for() && asking == Asking::WithoutCommands {
                bail!("a dry run runs no key_command");
            }
            Ok(self.key.get()?.map(str::to_owned))
        };
        match catalog.refresh_within(name, provider, PATIENCE, &key) {
            Ok(refreshed) => {
                refreshed.warnings.iter().for_each(|warning| ui::log::warn(warning));
                Ok(Some(resolve(&catalog.known_after(name, provider, refreshed.list))?))
            }
            Err(failure) => Err(unknown.because(&failure)),
        }
    }

    /// Plans, from what is on this machine.
    ///
    /// # Errors
    /// When the adapter refuses.
    pub fn plan(&self, launch: Option<&Launch>) -> Result<Plan> {
        self.plan_from(launch, inputs::bare(self.dirs, self.env))
    }

    fn plan_from(&self, launch: Option<&Launch>, bare: Inputs) -> Result<Plan> {
        let Request { agent, provider, args, .. } = self.request;
        let Some(launch) = launch else {
            let mut inputs = bare;
            for path in agent.bare_home_reads(provider, &inputs) {
                inputs::read(path, &mut inputs);
            }
            return Plan::of_providerless_home(*agent, provider, args, &inputs);
        };
        // The process is about to become the agent: giving this back piece by piece would only take time.
        let inputs = ManuallyDrop::new(inputs::gather(*agent, launch, bare));
        Plan::of(*agent, launch, &inputs)
    }

    /// Leaves an old list to a process of its own, for the next launch.
    fn refresh_later(&self, loaded: &Loaded, key: Option<&str>) {
        let Some(provider) = self.provider.filter(|_| !self.fresh.get()) else { return };
        let catalog = self.catalog(&loaded.config);
        if let Err(error) = catalog.refresh_detached(&self.request.provider, provider, &loaded.path, key) {
            log::debug!("{error:#}");
        }
    }

    fn catalog(&self, config: &Config) -> Catalog<'a> {
        Catalog::open(self.dirs, self.env, config.models_ttl)
    }
}

/// A prepared launch, ready to exec: the command, and the lock on what was prepared for it.
///
/// The lock's descriptor is close-on-exec, so that becoming the agent releases it and nothing earlier does.
pub struct PreparedLaunch {
    /// The agent with its arguments and environment.
    pub command: Command,
    /// The runtime homes that the agent is about to use.
    in_use: InUse,
    _lock: Option<HomeLock>,
}

impl PreparedLaunch {
    /// Decides and prepares a launch.
    ///
    /// A key command may ask for a password. By then all that can be refused has been, and it is not asked
    /// under the lock, where it would hold up other launches.
    ///
    /// # Errors
    /// When the launch is refused, or preparing it failed.
    pub fn prepare(request: &Request, loaded: &Loaded, dirs: &Dirs, env: &Environment) -> Result<Self> {
        Self::make(request, loaded, dirs, env, false)
    }

    /// As [`PreparedLaunch::prepare`], with nothing written into files of the user's own, and no list refreshed.
    ///
    /// # Errors
    /// As [`PreparedLaunch::prepare`].
    pub fn prepare_without_user_writes(
        request: &Request,
        loaded: &Loaded,
        dirs: &Dirs,
        env: &Environment,
    ) -> Result<Self> {
        Self::make(request, loaded, dirs, env, true)
    }

    fn make(
        request: &Request,
        loaded: &Loaded,
        dirs: &Dirs,
        env: &Environment,
        rehearsal: bool,
    ) -> Result<Self> {
        let agent = request.agent;
        let meant = LaunchContext::of(request, &loaded.config, dirs, env)?;
        let mut bare = inputs::bare(dirs, env);
        if agent.has_runtime_home() {
            bare.secret = machine_secret::obtain(dirs)?;
        }
        let (named, fallbacks) = (agent.program(&request.args, &bare), agent.fallback_programs(&bare));
        let program = exec::find_program(agent, &named, &env.path(), &fallbacks)?;
        let launch = ManuallyDrop::new(meant.decide(&loaded.config, Asking::WithCommands)?);
        if meant.key.is_asked_for() {
            meant.plan(launch.as_ref())?;
        }
        let key = meant.key.get()?;
        if let Some(why) = key.and_then(|key| agent.refused_key(key)) {
            bail!("{why}\nhelp: give provider `{}` another key, or none if it takes none", request.provider);
        }
        let lock =
            agent.has_runtime_home().then(|| exec::lock_home(agent, &request.provider, dirs)).transpose()?;
        // Not dropped, as little as the launch: see `plan_from`.
        let mut plan = ManuallyDrop::new(meant.plan_from(launch.as_ref(), bare)?);
        if rehearsal {
            plan.merges.clear();
        }
        plan.notes.iter().for_each(ui::log::note);
        let mut folders = Folders::of(dirs);
        // Files of a launch in the cache lie in a home too, even where the agent mostly needs none.
        let in_use = if agent.has_runtime_home() || !plan.files.is_empty() {
            exec::homes::hold(&plan, agent, &mut folders)
        } else {
            InUse::default()
        };
        exec::prepare(&plan, &mut folders, key)?;
        let command = exec::command(&plan, &program, key, env)?;
        if !rehearsal {
            meant.refresh_later(loaded, key);
        }
        Ok(Self { command, in_use, _lock: lock })
    }
}
