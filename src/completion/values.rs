//! The values of arguments, known by the argument's name in help texts: what every `PROVIDER` is.
//!
//! They come from the config and from what is on disk. What cannot be read offers nothing.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use clap::{Command, CommandFactory};
use clap_complete::{ArgValueCompleter, CompletionCandidate};
use shims::{Agent, Model, Protocol};

use super::candidate::Candidate;
use super::context::{CompletionContext, name_of};
use super::reply::{MAX_CANDIDATES, offered};
use crate::catalog::Catalog;
use crate::cli::Cli;
use crate::config::{self, Config, Provider};
use crate::env::Environment;
use crate::key::expand_home;
use crate::launch::resolve;
use crate::presets;
use crate::shim_links::pairs::{self, ShimTarget};
use crate::shim_links::{self, Links};
use crate::ui::format;

/// More models than that are offered without a description, which would take a look-up each.
const DESCRIBED: usize = 200;

/// The words after `help`; a `COMMAND` elsewhere is one that prints a key.
const HELP: &str = "COMMAND of help";

/// The values that can be at the cursor.
pub struct Values {
    said: OnceLock<CompletionContext>,
    described: bool,
    env: Environment,
    asked: AtomicBool,
    files: AtomicBool,
    /// What was typed of a value where none begins so, and those that have it elsewhere.
    inside: OnceLock<(String, Vec<Candidate>)>,
}

/// The command with `values` for all its arguments that declare none.
pub fn completed(command: Command, values: &Arc<Values>) -> Command {
    let command = command.mut_subcommands(|below| completed(below, values));
    // These take a launch by its one name too.
    let takes_shim = matches!(command.get_name(), "why" | "doctor" | "launch" | "env");
    let is_help = command.get_name() == "help";
    command.mut_args(|arg| {
        if !arg.get_action().takes_values() || !arg.get_possible_values().is_empty() {
            return arg;
        }
        let name = if is_help && arg.is_positional() { HELP.to_owned() } else { name_of(&arg) };
        let values = Arc::clone(values);
        // A value that is none would end the reading of what follows it.
        let arg = arg.value_parser(clap::value_parser!(OsString));
        arg.add(ArgValueCompleter::new(move |typed: &OsStr| {
            values.candidates(&name, &typed.to_string_lossy(), takes_shim)
        }))
    })
}

impl Values {
    /// Values, `described` if the shell shows descriptions.
    pub fn new(described: bool, env: Environment) -> Self {
        let (asked, files) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { said: OnceLock::new(), described, env, asked, files, inside: OnceLock::new() }
    }

    /// Takes what the words before the cursor have said.
    pub fn see(&self, said: CompletionContext) -> &CompletionContext {
        self.said.get_or_init(|| said)
    }

    /// Whether a value is wanted at the cursor, whatever it is.
    pub fn were_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Whether it is the name of a file, which the shell completes by itself.
    pub fn are_files(&self) -> bool {
        self.files.load(Ordering::Relaxed)
    }

    /// Where no value begins with what was typed, those that have it elsewhere, and what it is.
    pub fn inside(&self) -> Option<(&str, Vec<Candidate>)> {
        self.inside.get().map(|(typed, found)| (typed.as_str(), found.clone()))
    }

    /// The values of the argument that help texts call `name`, those that begin with `typed` among them.
    fn candidates(&self, name: &str, typed: &str, takes_shim: bool) -> Vec<CompletionCandidate> {
        self.asked.store(true, Ordering::Relaxed);
        // Before the engine takes each of thousands in hand.
        let found = offered(self.all(name, typed, takes_shim, MAX_CANDIDATES), typed);
        if found.is_empty() && !typed.is_empty() && !self.are_files() {
            let lower = typed.to_lowercase();
            let mut inside = self.all(name, "", takes_shim, usize::MAX);
            inside.retain(|candidate| candidate.value.to_lowercase().contains(&lower));
            inside.truncate(MAX_CANDIDATES);
            if !inside.is_empty() {
                _ = self.inside.set((typed.to_owned(), inside));
            }
        }
        found.into_iter().map(CompletionCandidate::from).collect()
    }

    /// The values of that argument, at least those that begin with `typed`; more than `many` models in parts.
    fn all(&self, name: &str, typed: &str, takes_shim: bool, many: usize) -> Vec<Candidate> {
        let found = match name {
            "FILE" | "DIR" | "LOG" => {
                self.files.store(true, Ordering::Relaxed);
                None
            }
            "AGENT" => Some(self.agents()),
            HELP => Some(self.commands()),
            "PROVIDER" if takes_shim && !typed.is_empty() => {
                Some(self.providers().into_iter().chain(self.shims()).flatten().collect())
            }
            "PROVIDER" => self.providers(),
            "PROTOCOL" => Some(self.protocols()),
            "MODEL" => self.models(typed, many),
            "PRESET" => known_presets(),
            "SHIM" => self.shims(),
            "LINK" => self.links(),
            "WHAT" => Some(FORCE.map(|(word, about)| Candidate::with(word, about.to_owned())).to_vec()),
            _ => None,
        };
        found.unwrap_or_default()
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.said.get()?.value(name)
    }

    fn config_file(&self) -> Option<PathBuf> {
        // The shell gives the word as it is typed.
        let home = self.env.dirs().map(|dirs| dirs.home).unwrap_or_default();
        let option = self.said.get().and_then(|said| said.config.as_ref());
        let option = option.map(|option| expand_home(Path::new(option), &home));
        self.env.config_file(option.as_deref()).ok()
    }

    fn config(&self) -> Option<Config> {
        let loaded = config::load_sound(&self.config_file()?);
        loaded.inspect_err(|error| log::debug!("{error:#}")).ok().map(|loaded| loaded.config)
    }

    /// Whether the user insists on a protocol that the provider does not declare.
    fn is_forced(&self) -> bool {
        matches!(self.value("WHAT"), Some("protocol" | "all"))
    }

    /// The agents that fit the provider before; all of them where it says nothing.
    fn agents(&self) -> Vec<Candidate> {
        let provider = self.value("PROVIDER");
        let config = provider.and_then(|_| self.config());
        let pair = |agent| Some(ShimTarget { agent, provider: provider?.to_owned() });
        let fits = |agent| pair(agent).zip(config.as_ref()).is_some_and(|(pair, c)| pair.check(c).is_ok());
        let is_any_fit = shims::AGENTS.iter().any(|&agent| fits(agent));
        let offered = shims::AGENTS.iter().filter(|&&agent| !is_any_fit || self.is_forced() || fits(agent));
        let about = |agent: &dyn Agent| {
            let provider =
                provider.zip(config.as_ref()).and_then(|(name, config)| config.providers.get(name));
            match provider.and_then(|provider| resolve::common(agent, provider)) {
                Some(protocol) => format!("{} over {protocol}", agent.title()),
                None => agent.title().to_owned(),
            }
        };
        offered.map(|&agent| Candidate::with(agent.name(), about(agent))).collect()
    }

    fn providers(&self) -> Option<Vec<Candidate>> {
        let config = self.config()?;
        let agent = self.value("AGENT").and_then(shims::by_name);
        let candidate = |(name, provider): (&String, &Provider)| {
            let about = match agent {
                Some(agent) => format!("{} speaks {}", agent.title(), resolve::common(agent, provider)?),
                None => described(provider),
            };
            Some(Candidate::with(name, about))
        };
        let mut found: Vec<_> = config.providers.iter().filter_map(candidate).collect();
        let agents = shims::AGENTS.iter().filter(|a| agent.is_none_or(|agent| agent.name() == a.name()));
        for agent in agents {
            let homes = resolve::home_names(agent.name(), &config).iter();
            for home in homes.filter(|home| !config.providers.contains_key(*home)) {
                found.push(Candidate::with(
                    home,
                    format!("an isolated home of {}, without a provider", agent.title()),
                ));
            }
        }
        Some(found)
    }

    /// The commands below the one that was named last.
    fn commands(&self) -> Vec<Candidate> {
        fn below<'a>(command: &'a Command, name: &str) -> Option<&'a Command> {
            let mut commands = command.get_subcommands();
            commands.find_map(|found| if found.get_name() == name { Some(found) } else { below(found, name) })
        }
        let root = Cli::command();
        let above = match self.value("COMMAND") {
            Some(name) => below(&root, name),
            None => Some(&root),
        };
        let shown = above.into_iter().flat_map(Command::get_subcommands).filter(|found| !found.is_hide_set());
        let about = |found: &Command| found.get_about().map(ToString::to_string).unwrap_or_default();
        shown.map(|found| Candidate::with(found.get_name(), about(found))).collect()
    }

    fn protocols(&self) -> Vec<Candidate> {
        let config = self.config();
        let provider = self.value("PROVIDER").and_then(|name| config.as_ref()?.providers.get(name));
        let is_offered = |protocol: &Protocol| {
            self.is_forced() || provider.is_none_or(|provider| provider.protocols.contains(protocol))
        };
        let speakers = |protocol: Protocol| {
            let agents = shims::AGENTS.iter().filter(|agent| agent.info().protocols.contains(&protocol));
            agents.map(|agent| agent.name()).collect::<Vec<_>>().join(", ")
        };
        let offered = Protocol::ALL.into_iter().filter(is_offered);
        offered.map(|protocol| Candidate::with(protocol.name(), speakers(protocol))).collect()
    }

    /// The models of the provider before: its default first, then the config's, then its own list.
    fn models(&self, typed: &str, many: usize) -> Option<Vec<Candidate>> {
        let (path, config, dirs) =
            (std::path::absolute(self.config_file()?).ok()?, self.config()?, self.env.dirs().ok()?);
        let (name, provider) = config.providers.get_key_value(self.value("PROVIDER")?)?;
        let catalog = Catalog::open(&dirs, &self.env, config.models_ttl);
        let ids = catalog.complete(name, provider, &path, typed, many);
        let known = (self.described && ids.len() <= DESCRIBED).then(|| catalog.known(name, provider));
        let candidate = |id: String| {
            let model = known.as_ref().and_then(|known| known.find(&id));
            let is_default = provider.default_model.as_ref() == Some(&id);
            Candidate { about: about(&model.unwrap_or_default(), is_default), value: id, is_default }
        };
        Some(ids.into_iter().map(candidate).collect())
    }

    fn shims(&self) -> Option<Vec<Candidate>> {
        let config = self.config()?;
        let candidate = |pair: &ShimTarget| {
            let common = config.providers.get(&pair.provider).and_then(|p| resolve::common(pair.agent, p));
            Candidate::with(&pair.name(), common.map_or_else(String::new, |protocol| protocol.to_string()))
        };
        Some(pairs::fitting(&config).iter().map(candidate).collect())
    }

    fn links(&self) -> Option<Vec<Candidate>> {
        let dir = self.value("DIR").map(Path::new);
        let links =
            Links::of(shim_links::folder(dir, self.config().as_ref(), &self.env).ok()?).ours().ok()?;
        let about = |target: &Path| target.display().to_string();
        Some(links.iter().map(|(name, target)| Candidate::with(name, about(target))).collect())
    }
}

fn known_presets() -> Option<Vec<Candidate>> {
    let presets = presets::all().ok()?.into_iter();
    Some(presets.map(|preset| Candidate::with(&preset.name, preset.title)).collect())
}

const FORCE: [(&str, &str); 3] = [
    ("model", "use a model that is in no list"),
    ("protocol", "use a protocol that the provider does not declare"),
    ("all", "both"),
];

/// `anthropic, openai-responses, for claude, codex`: what a provider speaks, and whom it fits.
fn described(provider: &Provider) -> String {
    let protocols: Vec<_> = provider.protocols.iter().map(|protocol| protocol.name()).collect();
    let fitting = shims::coding_agents().filter(|agent| resolve::common(*agent, provider).is_some());
    let agents: Vec<_> = fitting.map(Agent::name).collect();
    let agents = if agents.is_empty() { "no agent" } else { &agents.join(", ") };
    format!("{}, for {agents}", protocols.join(", "))
}

/// `default, 128k context, $3 in, $15 out`: what is known of a model.
fn about(model: &Model, is_default: bool) -> String {
    let price = |price: Option<f64>, way: &str| price.map(|price| format!("${price} {way}"));
    let parts = [
        is_default.then(|| "default".to_owned()),
        model.context_window.map(|tokens| format!("{} context", format::tokens(tokens))),
        price(model.input_cost_per_million, "in"),
        price(model.output_cost_per_million, "out"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_described_by_what_is_known_of_it() {
        let model = Model {
            context_window: Some(131_072),
            input_cost_per_million: Some(0.27),
            output_cost_per_million: Some(3.0),
            ..Model::named("m")
        };
        assert_eq!(about(&model, true), "default, 131k context, $0.27 in, $3 out");
        assert_eq!(about(&Model::default(), true), "default");
        assert_eq!(about(&Model::named("m"), false), "");
    }
}
