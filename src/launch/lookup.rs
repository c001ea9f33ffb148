//! Names that were typed, looked up: an agent, a provider of the config. One wording for each that does not exist.

use anyhow::{Result, anyhow};
use shims::{Agent, Message};
use std::ffi::OsStr;
use std::path::Path;

use super::resolve::{common, home_names, spoken};
use crate::config::{Config, Provider};
use crate::presets::{self, Preset};
use crate::suggest;

/// How many providers a message names.
const MOST: usize = 12;

/// The agent that was typed.
pub fn agent(typed: &OsStr) -> Result<&'static dyn Agent> {
    if let Some(agent) = typed.to_str().and_then(shims::by_name) {
        return Ok(agent);
    }
    let (path, typed) = (Path::new(typed), typed.to_string_lossy());
    // A program's path: which one is run is said by PATH.
    if let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(OsStr::to_str))
        && typed.contains('/')
        && shims::by_name(name).is_some()
    {
        let folder = shims::quote(folder.as_os_str());
        let help =
            format!("say `{name}`, and put its folder first: PATH={folder}:\"$PATH\" agent-run launch …");
        return Err(anyhow!(Message::new(format!("an agent is named, not its program `{typed}`"), help)));
    }
    Err(none_of(&typed, "no agent", shims::AGENTS.iter().map(|agent| agent.name())))
}

/// The same for a command that runs coding agents alone.
pub fn coding_agent(typed: &OsStr) -> Result<&'static dyn Agent> {
    let named = typed.to_string_lossy();
    match shims::by_name(&named) {
        Some(agent) if agent.info().is_coding_agent => Ok(agent),
        None if named.contains('/') => agent(typed),
        _ => Err(none_of(&named, "no coding agent", shims::coding_agents().map(Agent::name))),
    }
}

fn none_of(typed: &str, what: &str, agents: impl Iterator<Item = &'static str>) -> anyhow::Error {
    let names: Vec<_> = agents.collect();
    let meant = did_you_mean(typed, names.iter().copied());
    let help = format!("{meant}the agents are {}", names.join(", "));
    anyhow!(Message::new(format!("{what} `{typed}`"), help))
}

/// Whether the two words of a launch, PROVIDER and AGENT, were typed the other way round.
pub fn is_swapped(first: &str, second: &str) -> bool {
    shims::by_name(first).is_some() && shims::by_name(second).is_none()
}

/// The provider called `name`, with its name as the config has it.
pub fn provider<'a>(name: &str, config: &'a Config) -> Result<(&'a str, &'a Provider)> {
    let found = config.providers.get_key_value(name).map(|(name, provider)| (name.as_str(), provider));
    found.ok_or_else(|| missing(name, None, config))
}

/// The provider called `name`, for `agent`.
pub fn provider_for<'a>(agent: &dyn Agent, name: &str, config: &'a Config) -> Result<&'a Provider> {
    config.providers.get(name).ok_or_else(|| missing(name, Some(agent), config))
}

/// The error for a provider that the config does not have. Its help names the preset to add, also one that was mistyped, or else those that
/// the agent can use, the nearest first.
pub fn missing(name: &str, agent: Option<&dyn Agent>, config: &Config) -> anyhow::Error {
    let refused: Vec<_> = config.refused.iter().map(String::as_str).collect();
    let check = "has errors: see `agent-run config check`";
    if refused.contains(&name) {
        return anyhow!(Message::new(
            format!("provider `{name}` of the config cannot be used"),
            format!("it {check}")
        ));
    }
    let fits = |provider: &Provider| agent.is_none_or(|agent| common(agent, provider).is_some());
    let fitting = config.providers.iter().filter(|(_, provider)| fits(provider));
    let names = suggest::rank(name, fitting.map(|(name, _)| name.as_str()));
    let known = presets::all().unwrap_or_default();
    let mut vendors = presets::serving(name, &known).into_iter().map(Preset::name);
    let vendor = || vendors.find(|vendor| names.contains(vendor));
    let meant = match suggest::typo(name, names.iter().copied()).or_else(vendor) {
        Some(meant) => format!("did you mean {meant}? "),
        None => did_you_mean(name, names.iter().copied()),
    };
    let listed = match agent {
        Some(agent) => format!("{} can use {}", agent.title(), suggest::join_limited(&names, MOST)),
        None => format!("the config has {}", suggest::join_limited(&names, MOST)),
    };
    let may_be_meant =
        |preset: &Preset| !config.providers.contains_key(&preset.name) && fits(&preset.provider);
    let help = match (names.is_empty(), adding(name, may_be_meant)) {
        (false, Some(add)) if meant.is_empty() => format!("{add}; {listed}"),
        (false, _) if !meant.is_empty() => format!("{meant}{listed}"),
        (false, _) => format!("{listed}; add another with `agent-run providers add`"),
        (true, Some(add)) => add,
        (true, None) if config.providers.is_empty() && !refused.is_empty() => {
            format!("the config {check}; it has {}", suggest::join_limited(&refused, MOST))
        }
        (true, None) => {
            let none = match agent {
                Some(agent) if !config.providers.is_empty() => {
                    format!("{} needs a provider that speaks {}", agent.title(), spoken(agent))
                }
                _ => "the config has no providers yet".to_owned(),
            };
            format!(
                "{none}; add one with `agent-run providers add` (`agent-run providers presets` lists the \
                 known ones)"
            )
        }
    };
    anyhow!(Message::new(format!("no provider `{name}` in the config"), help))
}

/// A launch that the config makes possible, with an agent that `fits`.
pub fn example(config: &Config, fits: impl Fn(&dyn Agent) -> bool) -> Option<(&str, &'static dyn Agent)> {
    config.providers.iter().find_map(|(name, provider)| {
        let mut agents = shims::coding_agents().filter(|agent| common(*agent, provider).is_some());
        Some((name.as_str(), agents.find(|agent| fits(*agent))?))
    })
}

/// What to type to add the provider, where its name is that of a preset, or of the models of one that `may_be_meant`, or
/// one of those with typing errors.
pub fn adding(name: &str, may_be_meant: impl Fn(&Preset) -> bool) -> Option<String> {
    if presets::is_known(name) {
        return Some(format!("{name} is a known provider: add it with `agent-run providers add {name}`"));
    }
    let known = presets::all().ok()?;
    let fitting = || known.iter().filter(|preset| may_be_meant(preset));
    let typo = || suggest::typo(name, fitting().map(Preset::name));
    let near = presets::serving(name, fitting()).first().map(|preset| preset.name()).or_else(typo)?;
    Some(format!("did you mean {near}? add it with `agent-run providers add {near}`"))
}

fn did_you_mean<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    suggest::closest(typed, names).map_or_else(String::new, |near| format!("did you mean {near}? "))
}

/// Whether it is the name of a provider, or of an agent's home in an old file.
pub fn is_known(name: &str, config: &Config) -> bool {
    let is_home = |agent: &&dyn Agent| home_names(agent.name(), config).contains(name);
    config.providers.contains_key(name) || shims::AGENTS.iter().any(is_home)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use std::path::Path;

    fn refusal(name: &str, agent: Option<&str>, text: &str) -> String {
        let loaded = config::parse(text.to_owned(), Path::new("c.yaml")).expect("a config");
        crate::error::render(&missing(name, agent.and_then(shims::by_name), &loaded.config))
    }

    #[test]
    fn a_provider_that_does_not_exist_has_one_error() {
        const NONE: &str = "providers: {}\n";
        const ONE: &str =
            "providers: {local: {protocols: [anthropic], base_urls: {anthropic: http://127.0.0.1:1}}}\n";
        const OPENAI: &str =
            "providers: {openai: {protocols: [openai-responses], base_urls: {openai: http://127.0.0.1:1}}}\n";
        const GPT: &str = "providers:\n  openai: &p {protocols: [openai-responses], base_urls: {openai: http://127.0.0.1:1}}\n  \
                           gpt-work: *p\n";
        let no = |name: &str| format!("no provider `{name}` in the config\nhelp: ");
        let add = "deepseek is a known provider: add it with `agent-run providers add deepseek`";
        for (name, agent, text, help) in [
            ("deepseek", None, NONE, add.to_owned()),
            ("deepseek", Some("claude"), NONE, add.to_owned()),
            ("deepseek", Some("claude"), ONE, format!("{add}; Claude Code can use local")),
            ("locl", None, ONE, "did you mean local? the config has local".to_owned()),
            ("locl", Some("claude"), ONE, "did you mean local? Claude Code can use local".to_owned()),
            (
                "deepsek",
                None,
                ONE,
                "did you mean deepseek? add it with `agent-run providers add deepseek`; the config has local"
                    .to_owned(),
            ),
            ("zzz", None, ONE, "the config has local; add another with `agent-run providers add`".to_owned()),
            ("chatgpt", None, OPENAI, "did you mean openai? the config has openai".to_owned()),
            ("gpt-wrok", None, GPT, "did you mean gpt-work? the config has gpt-work, openai".to_owned()),
            (
                "zzz",
                None,
                NONE,
                "the config has no providers yet; add one with `agent-run providers add` (`agent-run \
                 providers presets` lists the known ones)"
                    .to_owned(),
            ),
            (
                "zzz",
                Some("codex"),
                ONE,
                "Codex needs a provider that speaks openai-responses; add one with `agent-run providers \
                 add` (`agent-run providers presets` lists the known ones)"
                    .to_owned(),
            ),
        ] {
            assert_eq!(refusal(name, agent, text), no(name) + &help);
        }
    }

    #[test]
    fn an_agent_that_does_not_exist_has_one_error() {
        let error = crate::error::render(&agent("cluade".as_ref()).err().expect("no agent"));
        assert_eq!(
            error,
            format!("no agent `cluade`\nhelp: did you mean claude? the agents are {}", shims::names())
        );
    }
}
