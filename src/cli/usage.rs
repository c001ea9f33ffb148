//! What clap says about words that it does not know, in the form of every other error.

use std::error::Error as _;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use shims::{Agent, Message, Protocol};

use super::{is_hidden, main_name, overview};
use crate::config::Config;
use crate::launch::resolve::common;
use crate::launch::{lookup, request};
use crate::suggest;

/// The message for an error about the words of the command line; none for a page of help and the version.
///
/// Its examples are about a provider of the `config`, where that has one.
pub fn message(
    error: &Error,
    words: &[OsString],
    config: impl FnOnce() -> Option<Config>,
) -> Option<Message> {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return None;
    }
    let (command, mut example) = overview::command_and_example(words);
    if let Some(config) = config() {
        if let Some(launch) = launch(error, words, &config) {
            return Some(Message::new(text(error), launch));
        }
        example = example.map(|example| own(&command, &example, &config));
    }
    let mut text = text(error);
    let last = words.last().and_then(|word| word.to_str());
    if text == "missing: <AGENT>" && last.and_then(shims::by_name).is_some() {
        "missing: <PROVIDER>".clone_into(&mut text);
    }
    let page = format!("see `{command} --help`");
    let next = match (meant(error), example) {
        (Some(meant), _) => format!("did you mean {meant}? "),
        // An option that another one needs.
        (None, _) if is_option_missing(error) => {
            let is_other = words.iter().skip(1).any(|word| word.as_encoded_bytes().starts_with(b"-"));
            if is_other { "add it, or leave out the option that needs it; " } else { "add it; " }.to_owned()
        }
        (None, Some(example)) => format!("for example `{example}`; "),
        (None, None) => String::new(),
    };
    Some(Message::new(text, next + &page))
}

fn text(error: &Error) -> String {
    let value = |kind| strings(error, kind).join(", ");
    let (typed, option) = (value(ContextKind::InvalidValue), value(ContextKind::InvalidArg));
    match error.kind() {
        ErrorKind::MissingRequiredArgument => format!("missing: {}", option.replace(" [ARGS]...", "")),
        ErrorKind::UnknownArgument if option.starts_with('-') => format!("no option `{option}`"),
        ErrorKind::UnknownArgument => format!("unexpected argument `{option}`"),
        ErrorKind::InvalidSubcommand => match value(ContextKind::InvalidSubcommand) {
            word if shims::split_shim_name(&word).is_some() => {
                format!("`{word}` does not begin with an agent; the agents are {}", shims::names())
            }
            word => format!("no command `{word}`"),
        },
        ErrorKind::InvalidValue if typed.is_empty() => format!("{option} needs a value"),
        ErrorKind::InvalidValue => {
            format!("{option}: `{typed}` is not one of {}", value(ContextKind::ValidValue))
        }
        ErrorKind::ValueValidation => {
            format!("{option}: {}", error.source().map(ToString::to_string).unwrap_or_default())
        }
        ErrorKind::ArgumentConflict if option == value(ContextKind::PriorArg) => {
            format!("{option} is given twice")
        }
        ErrorKind::ArgumentConflict => {
            format!("{option} cannot be used with {}", value(ContextKind::PriorArg))
        }
        // The first paragraph, without the word in front.
        _ => {
            let text = error.render().to_string();
            let first = text.split("\n\n").next().unwrap_or_default();
            first.strip_prefix("error: ").unwrap_or(first).trim_end().to_owned()
        }
    }
}

/// The example with a provider of the config, and an agent that can use it.
fn own(command: &str, example: &str, config: &Config) -> String {
    let Some((name, agent)) =
        lookup::example(config, |_| true).filter(|_| command != "agent-run providers add")
    else {
        return example.to_owned();
    };
    let name = shims::quote(name.as_ref());
    let is_end = [' ', '@', ')', '"'];
    let words = example.split_inclusive(is_end).map(|piece| {
        let word = piece.trim_end_matches(is_end);
        let own = match word {
            "deepseek-v4-pro" => "MODEL",
            "deepseek" | "ollama" | "openrouter" => &name,
            "claude" | "codex" => agent.name(),
            _ => word,
        };
        own.to_owned() + &piece[word.len()..]
    });
    words.collect()
}

/// The launch that was meant, where the command is the name of a provider or of an agent.
fn launch(error: &Error, words: &[OsString], config: &Config) -> Option<String> {
    let typed = *strings(error, ContextKind::InvalidSubcommand).first()?;
    let at = words.iter().position(|word| word == typed)?;
    let next = words.get(at + 1).and_then(|word| word.to_str());
    let (provider, agent) = match (config.providers.get(typed), shims::by_name(typed)) {
        (Some(provider), _) => (typed, {
            let fits = |agent: &&dyn Agent| common(*agent, provider).is_some();
            next.and_then(shims::by_name).or_else(|| shims::coding_agents().find(fits))?
        }),
        (None, Some(agent)) => match next.filter(|next| config.providers.contains_key(*next)) {
            Some(next) => (next, agent),
            None => {
                (lookup::example(config, |it| it.name() == agent.name()).map_or("PROVIDER", |it| it.0), agent)
            }
        },
        (None, None) => return None,
    };
    let what = if provider == typed { "a provider" } else { "an agent" };
    Some(format!("{typed} is {what}; to launch it: `{}`", request::line(provider, None, agent)))
}

fn is_option_missing(error: &Error) -> bool {
    let is_option = |missing: &&str| missing.starts_with('-');
    error.kind() == ErrorKind::MissingRequiredArgument
        && strings(error, ContextKind::InvalidArg).iter().any(is_option)
}

/// What is near, but for what is hidden, each in backquotes.
fn meant(error: &Error) -> Option<String> {
    if strings(error, ContextKind::InvalidArg).concat().starts_with("--protocol") {
        let typed = strings(error, ContextKind::InvalidValue).concat();
        let names = Protocol::ALL.map(Protocol::name).into_iter();
        let near: Vec<_> =
            names.filter(|name| name.starts_with(&typed)).map(|name| format!("`{name}`")).collect();
        return Some(near.join(" or ")).filter(|near| !near.is_empty() && !typed.is_empty());
    }
    near(error).map(|near| format!("`{near}`"))
}

fn near(error: &Error) -> Option<String> {
    let typed = strings(error, ContextKind::InvalidSubcommand).join("");
    if let Some((agent, provider)) = shims::split_shim_name(&typed) {
        let agents = shims::AGENTS.iter().map(|agent| agent.name());
        return suggest::closest(agent, agents).map(|agent| format!("{agent}@{provider}"));
    }
    let commands = strings(error, ContextKind::SuggestedSubcommand);
    let shown: Vec<_> = commands.into_iter().filter(|name| !is_hidden(name)).map(main_name).collect();
    let near = suggest::closest(&typed, shown.iter().map(String::as_str)).map(str::to_owned);
    let other = || {
        let near = [ContextKind::SuggestedArg, ContextKind::SuggestedValue];
        near.into_iter().find_map(|kind| Some((*strings(error, kind).first()?).to_owned()))
    };
    near.or_else(other)
}

fn strings(error: &Error, kind: ContextKind) -> Vec<&str> {
    match error.get(kind) {
        Some(ContextValue::String(one)) => vec![one],
        Some(ContextValue::Strings(all)) => all.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}
