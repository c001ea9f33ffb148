//! What clap says about words that it does not know, in the form of every other error.

use std::error::Error as _;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use shims::Message;

use super::{is_hidden, main_name, overview};
use crate::suggest;

/// The message for an error about the words of the command line; none for a page of help and the version.
pub fn message(error: &Error, words: &[OsString]) -> Option<Message> {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return None;
    }
    let (command, example) = overview::command_and_example(words);
    let page = format!("see `{command} --help`");
    let next = match (meant(error), example) {
        (Some(meant), _) => format!("did you mean `{meant}`? "),
        // An option that another one needs.
        (None, _) if is_option_missing(error) => {
            let is_other = words.iter().skip(1).any(|word| word.as_encoded_bytes().starts_with(b"-"));
            if is_other { "add it, or leave out the option that needs it; " } else { "add it; " }.to_owned()
        }
        (None, Some(example)) => format!("for example `{example}`; "),
        (None, None) => String::new(),
    };
    Some(Message::new(text(error), next + &page))
}

fn text(error: &Error) -> String {
    let value = |kind| strings(error, kind).join(", ");
    let (typed, option) = (value(ContextKind::InvalidValue), value(ContextKind::InvalidArg));
    match error.kind() {
        ErrorKind::MissingRequiredArgument => format!("missing: {option}"),
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

fn is_option_missing(error: &Error) -> bool {
    let is_option = |missing: &&str| missing.starts_with('-');
    error.kind() == ErrorKind::MissingRequiredArgument
        && strings(error, ContextKind::InvalidArg).iter().any(is_option)
}

/// What is near, but for what is hidden.
fn meant(error: &Error) -> Option<String> {
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
