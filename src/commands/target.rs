//! A launch as it is named to commands that only look at one: `PROVIDER AGENT`, or `AGENT@PROVIDER`.

use std::ffi::OsStr;

use anyhow::Result;
use shims::Agent;

use crate::launch::lookup::is_swapped;

/// How the name of an agent is looked up.
type Lookup = fn(&OsStr) -> Result<&'static dyn Agent>;

/// What was named.
#[derive(Default)]
pub struct Target {
    /// The provider's name as typed.
    pub provider: Option<String>,
    /// The agent.
    pub agent: Option<&'static dyn Agent>,
}

impl Target {
    /// Understands what was typed; a word alone may be an agent's name, unless a provider is called so.
    pub fn read(
        first: Option<&str>,
        second: Option<&str>,
        is_provider: impl Fn(&str) -> bool,
        agent: Lookup,
    ) -> Result<Self> {
        if let (Some(name), Some(provider)) = (first, second)
            && is_swapped(name, provider)
        {
            return Self::read(Some(provider), Some(name), is_provider, agent);
        }
        let provider = first.map(str::to_owned);
        let (Some(word), None) = (first, second) else {
            return Ok(Self { provider, agent: second.map(|name| agent(name.as_ref())).transpose()? });
        };
        match shims::split_shim_name(word) {
            _ if is_provider(word) => Ok(Self { provider, agent: None }),
            Some((name, provider)) => {
                Ok(Self { provider: Some(provider.to_owned()), agent: Some(agent(name.as_ref())?) })
            }
            None => match shims::by_name(word) {
                Some(_) => Ok(Self { provider: None, agent: Some(agent(word.as_ref())?) }),
                None => Ok(Self { provider, agent: None }),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launch::lookup::{agent, coding_agent};

    #[test]
    fn a_launch_has_several_names() {
        let read = |first, second| {
            let target = Target::read(first, second, |name| name == "ollama", agent).expect("understood");
            (target.provider, target.agent.map(Agent::name))
        };
        let both = (Some("ollama".to_owned()), Some("codex"));
        assert_eq!(read(Some("ollama"), Some("codex")), both);
        assert_eq!(read(Some("codex@ollama"), None), both);
        assert_eq!(read(Some("codex"), Some("ollama")), both);
        assert_eq!(read(Some("codex"), None), (None, Some("codex")));
        assert_eq!(read(Some("ollama"), None), (Some("ollama".to_owned()), None));
        assert_eq!(read(None, None), (None, None));
        for (first, second) in [("ollama", Some("vim")), ("vim@ollama", None)] {
            assert!(Target::read(Some(first), second, |_| false, agent).is_err());
        }
        for (first, second) in [("ollama", Some("shell")), ("shell@ollama", None), ("shell", None)] {
            assert!(Target::read(Some(first), second, |_| false, agent).is_ok());
            assert!(Target::read(Some(first), second, |_| false, coding_agent).is_err());
        }
    }
}
