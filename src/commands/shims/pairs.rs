//! Which shims there can be: an agent, and a provider it can talk to.

use anyhow::{Result, bail};
use shims::Agent;

use crate::cli::shims::Install;
use crate::config::Config;
use crate::env::Environment;
use crate::{exec, inputs, resolve};

/// An agent and what it is launched on: a provider, or a home of its own from an old file.
#[derive(Clone)]
pub struct Pair {
    /// The agent.
    pub agent: &'static dyn Agent,
    /// The provider's name.
    pub provider: String,
}

impl Pair {
    /// The file name of the shim.
    pub fn name(&self) -> String {
        format!("{}@{}", self.agent.name(), self.provider)
    }

    /// What a shim's name says, whether or not it works.
    ///
    /// # Errors
    /// When it is not `<agent>@<provider>`, or there is no such agent.
    pub fn parse(name: &str) -> Result<Self> {
        let Some((agent, provider)) = shims::split_shim_name(name).filter(|_| !name.contains('/')) else {
            bail!("`{name}` is not the name of a shim\nhelp: write AGENT@PROVIDER, as in claude@deepseek")
        };
        Ok(Self { agent: resolve::agent(agent.as_ref())?, provider: provider.to_owned() })
    }

    /// Whether a launch would find that agent and provider fit together.
    ///
    /// # Errors
    /// The very one of the launch.
    pub fn check(&self, config: &Config) -> Result<()> {
        let is_provider = config.providers.contains_key(&self.provider);
        if !is_provider && resolve::home_names(self.agent.name(), config).contains(&self.provider) {
            return Ok(());
        }
        let provider = resolve::provider(self.agent, &self.provider, config)?;
        resolve::negotiate(self.agent, &self.provider, provider).map(|_| ())
    }
}

/// Every pair that works, agents and providers in their own order.
pub fn fitting(config: &Config) -> Vec<Pair> {
    let of_agent = |&agent: &&'static dyn Agent| {
        let fits = config.providers.iter().filter(move |(_, p)| resolve::common(agent, p).is_some());
        let homes = resolve::home_names(agent.name(), config).iter();
        let homes = homes.filter(|home| !config.providers.contains_key(*home));
        let names = fits.map(|(name, _)| name).chain(homes);
        names.map(move |name| Pair { agent, provider: name.clone() }).collect::<Vec<_>>()
    };
    shims::AGENTS.iter().flat_map(of_agent).collect()
}

/// The pairs that were asked for.
///
/// # Errors
/// When a named one cannot work, or an agent or provider that was named does not exist, or none is left.
pub fn chosen(asked: &Install, config: &Config, env: &Environment) -> Result<Vec<Pair>> {
    if !asked.names.is_empty() {
        let checked = |name: &String| Pair::parse(name).and_then(|pair| pair.check(config).map(|()| pair));
        return asked.names.iter().map(checked).collect();
    }
    let agents: Vec<_> =
        asked.agents.iter().map(|name| resolve::agent(name.as_ref())).collect::<Result<_>>()?;
    for name in &asked.providers {
        check_exists(name, config)?;
    }
    let is_wanted = |pair: &Pair| {
        (agents.is_empty() || agents.iter().any(|agent| agent.name() == pair.agent.name()))
            && (asked.providers.is_empty() || asked.providers.contains(&pair.provider))
    };
    let mut pairs = fitting(config);
    pairs.retain(is_wanted);
    if pairs.is_empty() {
        if let ([agent], [provider]) = (agents.as_slice(), asked.providers.as_slice()) {
            Pair { agent: *agent, provider: provider.clone() }.check(config)?;
        }
        bail!("no agent and provider that were asked for fit together\nhelp: see `protocols` in the config");
    }
    if asked.found_only {
        let dirs = env.dirs()?;
        let is_found = |agent: &dyn Agent| {
            exec::find(agent, &env.path(), &agent.fallback_programs(&inputs::bare(&dirs, env))).is_ok()
        };
        let found: Vec<_> =
            shims::AGENTS.iter().filter(|agent| is_found(**agent)).map(|a| a.name()).collect();
        pairs.retain(|pair| found.contains(&pair.agent.name()));
        if pairs.is_empty() {
            bail!("none of the agents is found on PATH\nhelp: install one, or leave --found-only out");
        }
    }
    Ok(pairs)
}

fn check_exists(name: &str, config: &Config) -> Result<()> {
    let is_home = |agent: &&'static dyn Agent| resolve::home_names(agent.name(), config).contains(name);
    if config.providers.contains_key(name) || shims::AGENTS.iter().any(is_home) {
        return Ok(());
    }
    let near = crate::near::nearest(name, config.providers.keys().map(String::as_str));
    bail!("no provider `{name}` in the config\nhelp: it has {}", crate::near::listed(&near, 12))
}
