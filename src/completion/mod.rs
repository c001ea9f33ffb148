//! What TAB offers: the answer to a shell that asks through `AGENT_RUN_COMPLETE`.
//!
//! ```text
//! words before → CompletionContext (by clap) → candidates (the engine's, and values that see it) → a reply
//! ```
//!
//! It knows the words from clap's declarations, and the values from the config and the model lists on disk.
//! It waits for a provider only for its first list, never asks for a key, and prints nothing but the reply: whatever
//! goes wrong, the shell gets no candidates and the user no noise.
//!
//! `clap_complete`'s engine (4.6) knows the grammar: which subcommands, options and values can be at the cursor. What
//! is done here: values that depend on the words before, fewer candidates than it has where they would only be in the
//! way, long lists in parts, and "from here on, ask the agent's own completion", which it has no word for.

mod candidate;
mod context;
mod reply;
mod values;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use clap::CommandFactory;
use clap_complete::CompletionCandidate;
use clap_complete::engine::complete;

use self::candidate::Candidate;
use self::context::CompletionContext;
use self::reply::Reply;
use self::values::Values;
use crate::cli::{Cli, Shell, words};
use crate::env::Environment;
use crate::ui::{self, output};

/// The script that makes a shell ask; the shims' completion as well.
pub fn script(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => include_str!("agent-run.bash"),
        Shell::Zsh => include_str!("agent-run.zsh"),
        Shell::Fish => include_str!("agent-run.fish"),
    }
}

/// Answers the shell called `shell`; `words` are those after our own name, the last of them the one at the cursor.
pub fn answer(shell: &str, words: impl Iterator<Item = OsString>, env: Environment) -> ExitCode {
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

fn reply(before: &[String], current: &str, shell: Shell, env: Environment) -> Reply {
    let typed = before.len();
    // `launch claude@deepseek` is `launch deepseek claude` here too.
    let before = words::spread(before.iter().map(OsString::from).collect());
    let before: Vec<_> = before.into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let values = Arc::new(Values::new(!matches!(shell, Shell::Bash), env));
    let mut root = values::completed(Cli::command(), &values).ignore_errors(true);
    // All of it: what is read alone builds no `help COMMAND`.
    root.build();
    let said = values.see(CompletionContext::by(&mut root, &before));
    if let Some(index) = said.foreign {
        return Reply::Command(index - (before.len() - typed));
    }
    // Of an option that begins with `-` it offers the short form alone.
    let asked = if current == "-" { "--" } else { current };
    let words = ["agent-run"].into_iter().chain(before.iter().map(String::as_str)).chain([asked]);
    let found = complete(&mut root, words.map(OsString::from).collect(), before.len() + 1, None);
    let found: Vec<_> = found.unwrap_or_default().into_iter().filter(|found| !found.is_hide_set()).collect();
    if values.are_files() {
        return Reply::Files;
    }
    let id = |found: &CompletionCandidate, kind: &str| {
        found.get_id().and_then(|id| id.strip_prefix(kind)).map(str::to_owned)
    };
    let mut flags = Vec::new();
    let mut others = Vec::new();
    for found in found {
        if let Some(flag) = id(&found, "arg::") {
            let is_long = found.get_value().to_string_lossy().starts_with("--");
            flags.extend(
                said.place_of(&flag).filter(|_| is_long).map(|place| (place, Candidate::from(found))),
            );
        } else if id(&found, "command::").is_none() || said.is_understood {
            others.push(Candidate::from(found));
        }
    }
    // Where no word is wanted, the flags are all there is to say.
    if current.starts_with('-') || (others.is_empty() && !values.were_asked()) {
        flags.sort_by_key(|(place, _)| *place);
        others.extend(flags.into_iter().map(|(_, flag)| flag));
    }
    if let Some((typed, inside)) = values.inside().filter(|_| others.is_empty()) {
        let option = &current[..current.len().saturating_sub(typed.len())];
        return Reply::inside(inside, option, typed, shell);
    }
    Reply::candidates(others, current)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// macOS has bash 3.2. tests/real presses TAB in one, where there is one.
    #[test]
    fn bash_3_2_reads_the_script() {
        let script = script(Shell::Bash);
        let (_, function) = script.split_once("\n_agent_run() {\n").expect("the function");
        let (before, _) = function.split_once("IFS=").expect("a variable");
        assert!(before.contains("_agent_run_split\n"), "a slice without a blank in IFS is one word there");
        let code = script.lines().filter(|line| !line.trim_start().starts_with('#'));
        let later =
            ["mapfile", "readarray", "declare -A", "declare -g", "local -n", ",,}", "^^}", "|&", "&>>", "<("];
        for line in code {
            assert!(!later.iter().any(|word| line.contains(word)), "not in bash 3.2: {line}");
        }
    }

    #[test]
    fn every_script_knows_the_shims_of_every_coding_agent() {
        // `shell` has no completion of its own to hand over to.
        let names: Vec<_> = shims::coding_agents().map(shims::Agent::name).collect();
        let pattern = format!("({})@*", names.join("|"));
        assert_eq!(script(Shell::Zsh).lines().next(), Some(&*format!("#compdef agent-run -P {pattern}")));
        assert_eq!(script(Shell::Zsh).matches(&pattern).count(), 2);
        let bash = names.iter().map(|name| format!("{name}@*")).collect::<Vec<_>>().join(" | ");
        assert!(script(Shell::Bash).contains(&format!(" in {bash}) ")));
        assert!(script(Shell::Fish).contains(&format!("'^({})@.*'", names.join("|"))));
    }
}
