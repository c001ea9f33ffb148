//! Which links were asked for.

use anyhow::{Result, bail};
use shims::{Agent, Message};

use crate::cli::shims::ShimsInstallArgs;
use crate::config::Config;
use crate::env::Environment;
use crate::launch::{lookup, program};
use crate::shim_links::pairs::{ShimTarget, fitting, fitting_of};

/// The pairs that were asked for.
pub fn pairs(asked: &ShimsInstallArgs, config: &Config, env: &Environment) -> Result<Vec<ShimTarget>> {
    if !asked.names.is_empty() {
        let checked =
            |name: &String| ShimTarget::parse(name).and_then(|pair| pair.check(config).map(|()| pair));
        return asked.names.iter().map(checked).collect();
    }
    let agents: Vec<_> =
        asked.agents.iter().map(|name| lookup::agent(name.as_ref())).collect::<Result<_>>()?;
    if let Some(name) = asked.providers.iter().find(|name| !lookup::is_known(name, config)) {
        return Err(lookup::missing(name, None, config));
    }
    let is_named = |agent: &&'static dyn Agent| agents.iter().any(|named| named.name() == agent.name());
    let mut pairs = match agents.as_slice() {
        [] => fitting(config),
        _ => fitting_of(shims::AGENTS.iter().copied().filter(is_named), config),
    };
    pairs.retain(|pair| asked.providers.is_empty() || asked.providers.contains(&pair.provider));
    if pairs.is_empty() {
        if let ([agent], [provider]) = (agents.as_slice(), asked.providers.as_slice()) {
            ShimTarget { agent: *agent, provider: provider.clone() }.check(config)?;
        }
        bail!(Message::new("none of these agents and providers match", "check `protocols` in the config"));
    }
    if asked.found_only {
        let dirs = env.dirs()?;
        let is_found = |agent: &dyn Agent| program::locate(agent, &dirs, env).is_ok();
        let found: Vec<_> =
            shims::AGENTS.iter().filter(|agent| is_found(**agent)).map(|a| a.name()).collect();
        pairs.retain(|pair| found.contains(&pair.agent.name()));
        if pairs.is_empty() {
            bail!(Message::new("no agent found on PATH", "install one, or omit --found-only"));
        }
    }
    Ok(pairs)
}
