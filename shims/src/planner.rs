//! Makes the plan of a launch: what every agent needs alike, around what the agent's own adapter adds.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::{Agent, Dirs, Inputs, Launch, Message, Part, Plan, project_texts, proxy};

/// The variable that counts launchers within launchers.
pub const DEPTH: &str = "AGENT_RUN_DEPTH";

/// Where it is noted what could not be copied into the homes of an agent, if it has any.
pub fn uncopied(agent: &dyn Agent, dirs: &Dirs) -> Option<PathBuf> {
    agent.info().has_runtime_home.then(|| dirs.state.join(format!("{}-not-copied.json", agent.name())))
}

/// Refuses an `extra_env` that gives a coding agent other files than those that the launch looked at.
fn check_homes(agent: &dyn Agent, launch: &Launch, inputs: &Inputs) -> Result<()> {
    if !agent.info().is_coding_agent {
        return Ok(());
    }
    for &name in agent.info().home_variables {
        let Some(value) = launch.extra_env.get(name) else { continue };
        let is_inherited = match (value.parts(), inputs.var(name)) {
            ([Part::Env(inherited)], _) => inherited == name,
            (_, Some(inherited)) => value.plain().is_some_and(|value| value == inherited),
            (_, None) => false,
        };
        if !is_inherited {
            bail!(Message::new(
                format!(
                    "providers.{}.extra_env.{name} would make {} use settings that this launch has not checked",
                    launch.provider,
                    agent.title()
                ),
                format!("remove {name}; `isolated: true` gives a provider its own settings and sessions")
            ));
        }
    }
    Ok(())
}

impl Plan {
    /// Plans a whole launch: clear the environment, then set it, then the user's last word.
    ///
    /// # Errors
    /// As [`Agent::plan`].
    pub fn of(agent: &dyn Agent, launch: &Launch, inputs: &Inputs) -> Result<Self> {
        check_homes(agent, launch, inputs)?;
        project_texts::check(agent, launch, inputs)?;
        let mut plan = Self {
            program: inputs.program_or(|| agent.program(&launch.args, inputs)),
            fallback_programs: agent.fallback_programs(inputs),
            uncopied: uncopied(agent, &inputs.dirs),
            ..Self::default()
        };
        plan.clear_env(agent, launch, inputs);
        proxy::apply(launch, inputs, &mut plan);
        plan.set_depth(inputs);
        agent.plan(launch, inputs, &mut plan)?;
        if agent.info().is_coding_agent {
            launch.small_window().into_iter().for_each(|warning| plan.warn(warning));
        }
        plan.apply_extra_env(launch);
        Ok(plan)
    }

    /// Plans a launch in a home without a provider: nothing is cleansed, since nothing is chosen.
    ///
    /// # Errors
    /// As [`Agent::plan_providerless_home`].
    pub fn of_providerless_home(
        agent: &dyn Agent,
        name: &str,
        args: &[OsString],
        inputs: &Inputs,
    ) -> Result<Self> {
        let mut plan = Self {
            program: inputs.program_or(|| agent.name().into()),
            fallback_programs: agent.fallback_programs(inputs),
            uncopied: uncopied(agent, &inputs.dirs),
            ..Self::default()
        };
        plan.set_depth(inputs);
        plan.unset(crate::opts::VARIABLE);
        agent.plan_providerless_home(name, inputs, &mut plan)?;
        plan.args.extend(args.iter().cloned());
        Ok(plan)
    }

    fn set_depth(&mut self, inputs: &Inputs) {
        let depth = inputs.var(DEPTH).and_then(OsStr::to_str).and_then(|depth| depth.parse().ok());
        self.set(DEPTH, (depth.unwrap_or(0_u32) + 1).to_string());
    }

    fn clear_env(&mut self, agent: &dyn Agent, launch: &Launch, inputs: &Inputs) {
        for &pattern in agent.info().managed_env_vars {
            if pattern.contains('*') {
                let is_removed = |name: &&OsStr| name.to_str().is_some_and(|name| agent.info().removes(name));
                inputs.matching(pattern).filter(is_removed).for_each(|name| self.unset(name));
            } else {
                self.unset(pattern);
            }
        }
        let listens = |name: &String| agent.info().removes(name);
        self.own_key_variables = launch.key_variables.iter().filter(|name| listens(name)).cloned().collect();
        for name in launch.keep_env.iter().filter(|name| listens(name)) {
            self.warn(format!(
                "keep_env: {name} is removed anyway, because {} itself reads it",
                agent.title()
            ));
        }
        let own = launch.key_variables.iter().filter(|_| agent.info().is_coding_agent);
        for name in launch.foreign_keys.iter().chain(own).filter(|name| !launch.keep_env.contains(*name)) {
            self.unset(name);
        }
        self.unset(crate::opts::VARIABLE);
    }

    fn apply_extra_env(&mut self, launch: &Launch) {
        for (name, value) in &launch.extra_env {
            if let Some(Some(ours)) = self.env.get(OsStr::new(name))
                && ours != value
            {
                self.info(format!("extra_env replaces {name}={ours}"));
            }
            self.env.insert(name.into(), Some(value.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Protocol, Value, coding_agents};

    #[test]
    fn extra_env_moves_no_home_from_under_a_launch() {
        let mut inputs = Inputs::default();
        inputs.env.insert("HOME".into(), "/home/u".into());
        for agent in coding_agents() {
            let launch = |name: &str, value: Value| Launch {
                extra_env: [(name.to_owned(), value)].into(),
                ..Launch::sample("p", Protocol::Anthropic, "https://p.example", "m")
            };
            for name in agent.info().home_variables {
                let error = Plan::of(agent, &launch(name, "/other".into()), &inputs).expect_err(name);
                assert!(error.to_string().contains(&format!("extra_env.{name}")), "{error}");
            }
            assert!(check_homes(agent, &launch("HOME", "/home/u".into()), &inputs).is_ok());
        }
    }
}
