//! Where the cursor is: what the words before it have said, and what kind of word comes next.

use clap::{Arg, ArgAction, Command};

use super::Candidate;

/// A place on the command line.
pub struct Place<'a> {
    /// The subcommand whose words these are.
    pub command: &'a Command,
    /// What may stand at the cursor.
    pub wanted: Wanted<'a>,
    /// The arguments before it with their values.
    pub said: Vec<(&'a Arg, String)>,
    used: Vec<&'a str>,
    /// How many words have been said that are no options.
    position: usize,
}

/// What may stand at the cursor.
pub enum Wanted<'a> {
    /// A subcommand, or a value of this positional argument.
    Word(Option<&'a Arg>),
    /// A flag.
    Flag,
    /// A value of an option; in `--model=x` the option stands in the word too.
    Value {
        /// The option.
        arg: &'a Arg,
        /// What of the word is the option and not its value.
        option: &'a str,
    },
    /// A word of another program, whose name is the word of this number, ours being the first.
    Foreign(usize),
}

impl<'a> Place<'a> {
    /// Walks along the words before the cursor.
    pub fn find(root: &'a Command, before: &[String], current: &'a str) -> Self {
        let mut place = Self {
            command: root,
            wanted: Wanted::Word(None),
            said: Vec::new(),
            used: Vec::new(),
            position: 0,
        };
        let (mut pending, mut escaped) = (None, false);
        for (index, word) in before.iter().enumerate() {
            if let Some(arg) = pending.take() {
                place.say(arg, word);
            } else if word == "--" && !escaped {
                escaped = true;
            } else if word.starts_with('-') && word.len() > 1 && !escaped {
                pending = place.take_option(word);
            } else if let Some(command) = place.subcommand(word).filter(|_| place.position == 0) {
                place.command = command;
            } else if let Some(arg) = place.positional(place.position) {
                place.say(arg, word);
                if arg.is_trailing_var_arg_set() {
                    // `shell` is no program, but what stands after it is.
                    let is_prefix = word == "shell" && index + 1 < before.len();
                    place.wanted = Wanted::Foreign(index + 1 + usize::from(is_prefix));
                    return place;
                }
                place.position += usize::from(!is_repeated(arg));
            } else {
                place.position += 1;
            }
        }
        place.wanted = match pending {
            Some(arg) => Wanted::Value { arg, option: "" },
            None if current.starts_with('-') && !escaped => place.option_at(current),
            None => Wanted::Word(place.positional(place.position)),
        };
        place
    }

    /// The last value of arguments that help texts call `name`: `PROVIDER`.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.last(|arg| name_of(arg) == name)
    }

    /// The value of the option `--config`.
    pub fn config(&self) -> Option<&str> {
        self.last(|arg| arg.get_long() == Some("config"))
    }

    fn last(&self, is_wanted: impl Fn(&Arg) -> bool) -> Option<&str> {
        let said = self.said.iter().rev().find(|(arg, _)| is_wanted(arg));
        said.map(|(_, value)| value.as_str())
    }

    /// The subcommands that may stand here.
    pub fn subcommands(&self) -> Vec<Candidate> {
        let visible = self.command.get_subcommands().filter(|command| !command.is_hide_set());
        let visible = visible.filter(|_| self.position == 0);
        visible.map(|command| Candidate::new(command.get_name(), command.get_about())).collect()
    }

    /// The flags that may stand here, but those said already that make no sense twice.
    pub fn flags(&self) -> Vec<Candidate> {
        let is_offered = |arg: &&Arg| !arg.is_hide_set() && !self.used.contains(&arg.get_id().as_str());
        let flags = self.command.get_arguments().filter(is_offered);
        flags
            .filter_map(|arg| Some(Candidate::new(&format!("--{}", arg.get_long()?), arg.get_help())))
            .collect()
    }

    fn subcommand(&self, word: &str) -> Option<&'a Command> {
        self.command.get_subcommands().find(|command| command.get_name() == word)
    }

    fn positional(&self, position: usize) -> Option<&'a Arg> {
        self.command.get_positionals().nth(position)
    }

    fn say(&mut self, arg: &'a Arg, value: &str) {
        self.said.push((arg, value.to_owned()));
    }

    /// Takes an option in; returns it if its value is the next word.
    fn take_option(&mut self, word: &str) -> Option<&'a Arg> {
        let (flag, value) = word.split_once('=').map_or((word, None), |(flag, value)| (flag, Some(value)));
        let arg = self.option(flag)?;
        if !is_repeated(arg) {
            self.used.push(arg.get_id().as_str());
        }
        if !arg.get_action().takes_values() {
            return None;
        }
        match value {
            Some(value) => {
                self.say(arg, value);
                None
            }
            None => Some(arg),
        }
    }

    fn option_at(&self, current: &'a str) -> Wanted<'a> {
        let equals = current.find('=').map(|equals| current.split_at(equals + 1).0);
        let arg = equals.and_then(|option| self.option(option.trim_end_matches('=')));
        match (arg.filter(|arg| arg.get_action().takes_values()), equals) {
            (Some(arg), Some(option)) => Wanted::Value { arg, option },
            _ => Wanted::Flag,
        }
    }

    fn option(&self, flag: &str) -> Option<&'a Arg> {
        let long = flag.strip_prefix("--");
        let short = flag.strip_prefix('-').and_then(|rest| rest.chars().last());
        self.command.get_arguments().find(|arg| match long {
            Some(long) => arg.get_long() == Some(long),
            None => arg.get_short().is_some() && arg.get_short() == short,
        })
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
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    /// What the words before the last lead to, in a line.
    fn at(line: &str) -> String {
        let mut root = Cli::command();
        root.build();
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (current, before) = words.split_last().expect("a word");
        let place = Place::find(&root, before, current);
        let wanted = match &place.wanted {
            Wanted::Word(None) => "word".to_owned(),
            Wanted::Word(Some(arg)) => name_of(arg),
            Wanted::Flag => "flag".to_owned(),
            Wanted::Value { arg, option } => format!("{option}{}", name_of(arg)),
            Wanted::Foreign(index) => format!("foreign {index}"),
        };
        let mut words = vec![place.command.get_name().to_owned(), wanted];
        words.extend(place.said.iter().map(|(arg, value)| format!("{}={value}", name_of(arg))));
        words.join(" ")
    }

    #[test]
    fn every_place_is_known() {
        for (line, expected) in [
            ("", "agent-run word"),
            ("--", "agent-run flag"),
            ("--config x", "agent-run FILE"),
            ("--config=x", "agent-run --config=FILE"),
            ("--config x launch ", "launch PROVIDER FILE=x"),
            ("launch p ", "launch AGENT PROVIDER=p"),
            ("launch --model m p --dry-run ", "launch AGENT MODEL=m PROVIDER=p"),
            ("launch p --model ", "launch MODEL PROVIDER=p"),
            ("launch p --model=m", "launch --model=MODEL PROVIDER=p"),
            ("launch p -v --", "launch flag PROVIDER=p"),
            ("launch p claude ", "launch foreign 3 PROVIDER=p AGENT=claude"),
            ("launch p claude --model x ", "launch foreign 3 PROVIDER=p AGENT=claude"),
            ("launch p shell ls -", "launch foreign 4 PROVIDER=p AGENT=shell"),
            ("launch p -- ", "launch AGENT PROVIDER=p"),
            ("shims ", "shims word"),
            ("shims install codex@p ", "install SHIM SHIM=codex@p"),
            ("shims remove --dir ", "remove DIR"),
            ("shims list x ", "list word"),
        ] {
            assert_eq!(at(line), expected, "{line}");
        }
    }

    #[test]
    fn a_flag_is_offered_once_unless_it_may_be_repeated() {
        let mut root = Cli::command();
        root.build();
        let before = ["launch", "--dry-run", "--force", "model"].map(str::to_owned);
        let flags: Vec<_> = Place::find(&root, &before, "-").flags().into_iter().map(|c| c.value).collect();
        assert!(!flags.contains(&"--dry-run".to_owned()), "{flags:?}");
        for offered in ["--force", "--json", "--config", "--help"] {
            assert!(flags.contains(&offered.to_owned()), "{offered} in {flags:?}");
        }
    }
}
