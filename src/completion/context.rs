//! What the words before the cursor have said, as clap reads them.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory};

use crate::cli::Cli;

/// The words before the cursor.
#[derive(Debug, Default)]
pub struct CompletionContext {
    /// Values by their names in help texts.
    values: Vec<(String, String)>,
    /// The value of the option `--config`.
    pub config: Option<String>,
    /// The ids of the options that can follow.
    open: Vec<String>,
    /// The number of the word, ours being the first, that names the program whose words these are.
    pub foreign: Option<usize>,
    /// Whether there is no word that means nothing.
    pub is_understood: bool,
}

impl CompletionContext {
    /// Reads them by a command that ignores errors, since a line that is being typed is hardly ever whole.
    pub fn by(root: &mut Command, before: &[String]) -> Self {
        let words = || std::iter::once("agent-run").chain(before.iter().map(String::as_str));
        let matches = root.try_get_matches_from_mut(words()).unwrap_or_default();
        let (mut command, mut matches) = (&*root, &matches);
        while let Some((below, its)) =
            matches.subcommand().and_then(|(name, its)| Some((command.find_subcommand(name)?, its)))
        {
            (command, matches) = (below, its);
        }
        let mut said = Self { is_understood: true, ..Self::default() };
        for arg in command.get_arguments() {
            said.take(arg, matches, before.len());
        }
        // What is ignored may be a word where only commands can be.
        if command.has_subcommands() {
            let error = Cli::command().try_get_matches_from(words()).err().map(|error| error.kind());
            let unknown = [ErrorKind::InvalidSubcommand, ErrorKind::UnknownArgument];
            said.is_understood = !error.is_some_and(|kind| unknown.contains(&kind));
        }
        said
    }

    fn take(&mut self, arg: &Arg, matches: &ArgMatches, words: usize) {
        let id = arg.get_id().as_str();
        let is_said = matches.try_contains_id(id).is_ok_and(|is_there| is_there)
            && matches.value_source(id) == Some(ValueSource::CommandLine);
        if !is_said || is_repeated(arg) {
            self.open.push(id.to_owned());
        }
        if !is_said || !arg.get_action().takes_values() {
            return;
        }
        let values: Vec<_> = matches.get_raw(id).into_iter().flatten().collect();
        let text = |at: usize| values.get(at).map(|value| value.to_string_lossy().into_owned());
        if arg.is_trailing_var_arg_set() {
            // `shell` is no program, but what follows it is.
            let is_prefix = text(0).is_some_and(|word| word == "shell") && values.len() > 1;
            self.foreign = Some(words - values.len() + 1 + usize::from(is_prefix));
        }
        let Some(last) = values.len().checked_sub(1).and_then(text) else { return };
        if arg.get_long() == Some("config") {
            self.config = Some(last.clone());
        }
        self.values.push((name_of(arg), last));
    }

    /// The last value of the argument that help texts call `name`: `PROVIDER`.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.iter().rev().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
    }

    /// Where an option is among those of its command; none for one that makes no sense twice and was said.
    pub fn place_of(&self, id: &str) -> Option<usize> {
        self.open.iter().position(|open| open == id)
    }
}

/// The argument's name in help texts.
pub fn name_of(arg: &Arg) -> String {
    let first = arg.get_value_names().and_then(<[_]>::first);
    first.map_or_else(|| arg.get_id().to_string().to_uppercase(), ToString::to_string)
}

fn is_repeated(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append | ArgAction::Count)
        || arg.get_num_args().is_some_and(|range| range.max_values() > 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::completion::values::{Values, completed};
    use crate::env::Environment;

    fn said(line: &str) -> CompletionContext {
        let before: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let env = Environment::made_of(BTreeMap::new());
        let values = Arc::new(Values::new(false, env));
        CompletionContext::by(&mut completed(Cli::command(), &values).ignore_errors(true), &before)
    }

    #[test]
    fn an_unfinished_line_says_what_it_can() {
        for (line, expected) in [
            ("", ""),
            ("--config", ""),
            ("--config x", "FILE=x"),
            ("--config=x launch", "FILE=x"),
            ("launch p", "PROVIDER=p"),
            ("launch --model m p --dry-run", "PROVIDER=p MODEL=m"),
            ("launch p --config x --model", "PROVIDER=p FILE=x"),
            ("launch p -v", "PROVIDER=p"),
            ("launch p --protocol nonsense --model m", "PROVIDER=p MODEL=m PROTOCOL=nonsense"),
            ("shims install codex@p claude@p", "SHIM=claude@p"),
            ("shims install --agent claude --provider", "AGENT=claude"),
            ("shims remove --dir d", "DIR=d"),
            ("providers show p --json", "PROVIDER=p"),
            ("export-env p --model m", "PROVIDER=p MODEL=m"),
        ] {
            let said = said(line);
            let values: Vec<_> = said.values.iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(values.join(" "), expected, "{line}");
            assert_eq!((said.foreign, said.is_understood), (None, true), "{line}");
        }
        assert_eq!(said("--config x models list").config.as_deref(), Some("x"));
        assert!(!said("nonsense").is_understood);
    }

    #[test]
    fn the_agents_words_are_its_own() {
        for (line, index) in [
            ("launch p claude", 3),
            ("launch p claude --model x", 3),
            ("launch p --dry-run -- claude -- --help", 5),
            ("launch p shell", 3),
            ("launch p shell ls", 4),
            ("launch --model m p codex resume", 5),
        ] {
            assert_eq!(said(line).foreign, Some(index), "{line}");
        }
    }

    #[test]
    fn an_option_is_open_once_unless_it_may_be_repeated() {
        let said = said("launch --dry-run --force model");
        assert_eq!(said.place_of("dry_run"), None);
        for open in ["force", "json", "config", "help"] {
            assert!(said.place_of(open).is_some(), "{open} in {said:?}");
        }
    }
}
