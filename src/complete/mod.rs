//! What TAB offers: the answer to a shell that asks through `AGENT_RUN_COMPLETE`.
//!
//! ```text
//! words → Place (where the cursor is) → candidates (what could stand there) → a reply for the shell
//! ```
//!
//! It knows the words from clap's declarations, and the values from the config and the model lists on disk.
//! It never waits for a provider, never asks for a key, and prints nothing but the reply: whatever goes wrong,
//! the shell gets no candidates and the user no noise.
//!
//! `clap_complete`'s engine would do the first half (seen in 4.6). Its completers see the current word alone,
//! though, while here agents depend on the provider before them; and it has no word for "from here on, ask the
//! agent's own completion".

mod place;
mod reply;
mod values;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::CommandFactory;

use self::place::{Place, Wanted};
use self::reply::Reply;
use self::values::{Candidate, Values};
use crate::cli::{Cli, Shell};
use crate::env::Environment;
use crate::ui;
use crate::ui::output;

/// The script that makes a shell ask; the shims' completion as well.
pub fn script(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => include_str!("agent-run.bash"),
        Shell::Zsh => include_str!("agent-run.zsh"),
        Shell::Fish => include_str!("agent-run.fish"),
    }
}

/// Answers `shell`; `words` stand after our own name, the last of them being the one at the cursor.
pub fn answer(shell: &str, words: impl Iterator<Item = OsString>, env: &Environment) -> ExitCode {
    if env.wants_log() {
        ui::log::init();
    }
    // The scripts pass on the whole line, and its first word is how we were called.
    let words: Vec<String> = words.skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let shell = <Shell as clap::ValueEnum>::from_str(shell, false);
    if let (Ok(shell), Some((current, before))) = (shell, words.split_last()) {
        let reply = reply(before, current, shell, env);
        _ = output::write(|out| out.write_all(reply.text(shell).as_bytes()));
    }
    ExitCode::SUCCESS
}

fn reply(before: &[String], current: &str, shell: Shell, env: &Environment) -> Reply {
    let mut root = Cli::command();
    root.build();
    let place = Place::find(&root, before, current);
    let values = Values::new(&place, !matches!(shell, Shell::Bash), env);
    match &place.wanted {
        Wanted::Foreign(index) => Reply::Command(*index),
        Wanted::Value { arg, option } => {
            let typed = &current[option.len()..];
            match values.of(arg, typed) {
                Some(found) => Reply::candidates(found, typed).behind(option),
                None => Reply::Files,
            }
        }
        Wanted::Flag => Reply::candidates(place.flags(), current),
        Wanted::Word(positional) => {
            let mut found = place.subcommands();
            if let Some(arg) = positional {
                match values.of(arg, current) {
                    Some(more) => found.extend(more),
                    None if found.is_empty() => return Reply::Files,
                    None => {}
                }
            }
            // Where no word is wanted, the flags are all there is to say.
            let nothing_else = positional.is_none() && found.is_empty();
            Reply::candidates(if nothing_else { place.flags() } else { found }, current)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zsh_knows_the_shims_of_every_coding_agent() {
        // `shell` has no completion of its own to hand over to.
        let names: Vec<_> = shims::coding_agents().map(shims::Agent::name).collect();
        let pattern = format!("({})@*", names.join("|"));
        assert_eq!(script(Shell::Zsh).lines().next(), Some(&*format!("#compdef agent-run -P {pattern}")));
        assert_eq!(script(Shell::Zsh).matches(&pattern).count(), 2);
    }
}
