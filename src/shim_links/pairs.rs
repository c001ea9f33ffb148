//! Which links there can be: an agent, and a provider it can talk to.

use anyhow::{Result, bail};
use shims::{Agent, Message};

use crate::config::Config;
use crate::launch::{lookup, resolve};

/// An agent and what it is launched on: a provider, or a home of its own from an old file.
#[derive(Clone)]
pub struct ShimTarget {
    /// The agent.
    pub agent: &'static dyn Agent,
    /// The provider's name.
    pub provider: String,
}

impl ShimTarget {
    /// The file name of the shim.
    pub fn name(&self) -> String {
        format!("{}@{}", self.agent.name(), self.provider)
    }

    /// What a shim's name says, whether or not it works.
    pub fn parse(name: &str) -> Result<Self> {
        let Some((agent, provider)) = shims::split_shim_name(name).filter(|_| !name.contains('/')) else {
            bail!(Message::new(
                format!("`{name}` is not a shim name"),
                format!("write AGENT@PROVIDER; the agents are {}", shims::names())
            ))
        };
        if lookup::is_swapped(provider, agent) {
            let help = format!("did you mean `{provider}@{agent}`?");
            bail!(Message::new(format!("`{name}` begins with the provider"), help));
        }
        Ok(Self { agent: lookup::agent(agent.as_ref())?, provider: provider.to_owned() })
    }

    /// Whether a launch would find that agent and provider fit together. The error is the very one of the launch.
    pub fn check(&self, config: &Config) -> Result<()> {
        let is_provider = config.providers.contains_key(&self.provider);
        if !is_provider && resolve::home_names(self.agent.name(), config).contains(&self.provider) {
            return Ok(());
        }
        let provider = lookup::provider_for(self.agent, &self.provider, config)?;
        resolve::negotiate(self.agent, &self.provider, provider).map(|_| ())
    }
}

/// Every pair of a coding agent and a provider that works, in their own order. `shell` fits every provider, so
/// a link for it is made only when it is named.
pub fn fitting(config: &Config) -> Vec<ShimTarget> {
    fitting_of(shims::coding_agents(), config)
}

/// As [`fitting`], of these agents.
pub fn fitting_of(agents: impl Iterator<Item = &'static dyn Agent>, config: &Config) -> Vec<ShimTarget> {
    let of_agent = |agent: &'static dyn Agent| {
        let fits = config.providers.iter().filter(move |(_, p)| resolve::common(agent, p).is_some());
        let homes = resolve::home_names(agent.name(), config).iter();
        let homes = homes.filter(|home| !config.providers.contains_key(*home));
        let names = fits.map(|(name, _)| name).chain(homes);
        names.map(move |name| ShimTarget { agent, provider: name.clone() }).collect::<Vec<_>>()
    };
    agents.flat_map(of_agent).collect()
}
