//! The words of the command line before clap reads them: a launch may be named `AGENT@PROVIDER`, as its shim is.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The options of `launch` that take a value, which may be the next word.
const WITH_VALUE: [&str; 4] = ["--config", "--force", "--model", "--protocol"];

/// The words after our own name.
pub fn of_this_process() -> Vec<OsString> {
    spread(std::env::args_os().skip(1).collect())
}

/// With `PROVIDER AGENT` for `AGENT@PROVIDER`, after `launch` or as the command itself. What follows is the agent's, as
/// behind a shim.
pub fn spread(mut words: Vec<OsString>) -> Vec<OsString> {
    let Some(at) = command(&words) else { return words };
    if let Some((agent, provider)) = pair(&words[at]) {
        words.splice(at..=at, ["launch".into(), provider, agent]);
    } else if words[at] == "doctor" {
        join_probe(&mut words);
    } else if words[at] == "launch"
        && let Some(first) = positional(&words, at + 1)
        && let Some((agent, provider)) = pair(&words[first])
        // A provider may be called like a shim.
        && !words.get(first + 1).is_some_and(|next| is_agent(next))
    {
        words.splice(first..=first, [provider, agent]);
    }
    words
}

/// `--probe PART` for `--probe=PART`. A provider that is called so is meant by `=` or behind another word.
fn join_probe(words: &mut Vec<OsString>) {
    let is_part = |word: &OsString| ["all", "launches", "version"].iter().any(|part| word == part);
    let at = words.windows(2).position(|pair| pair[0] == "--probe" && is_part(&pair[1]));
    if let Some(at) = at {
        let part = words.remove(at + 1);
        words[at].push("=");
        words[at].push(part);
    }
}

/// The place of the command among the words: behind the options that stand before it.
pub fn command(words: &[OsString]) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        match word.to_str() {
            Some("--config") => at += 2,
            Some(option) if option.starts_with("--config=") => at += 1,
            _ => return Some(at),
        }
    }
    None
}

/// The file that `--config` names.
pub fn config(words: &[OsString]) -> Option<&Path> {
    let at = words.iter().position(|word| word.to_str().is_some_and(|word| word.starts_with("--config")))?;
    match words[at].to_str()?.strip_prefix("--config=") {
        Some(path) => Some(Path::new(path)),
        None => words.get(at + 1).map(Path::new),
    }
}

/// The file that `--config` names, where there are no other words.
pub fn bare_config(words: &[OsString]) -> Option<&Path> {
    let is_alone = words.len() <= 2 && command(words).is_none();
    config(words).filter(|_| is_alone)
}

/// The first word from `at` on that belongs to no option of `launch`.
fn positional(words: &[OsString], mut at: usize) -> Option<usize> {
    while let Some(word) = words.get(at) {
        match word.to_str() {
            Some(option) if WITH_VALUE.contains(&option) => at += 2,
            Some(option) if option.starts_with('-') => at += 1,
            _ => return Some(at),
        }
    }
    None
}

fn is_agent(word: &OsStr) -> bool {
    word.to_str().is_some_and(|word| shims::by_name(word).is_some())
}

fn pair(word: &OsStr) -> Option<(OsString, OsString)> {
    let (agent, provider) = shims::split_shim_name(word.to_str()?)?;
    is_agent(agent.as_ref()).then(|| (agent.into(), provider.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clap reads the words only after they are spread, so its options are listed by hand.
    #[test]
    fn the_options_of_a_launch_are_those_that_clap_has() {
        let mut command = <crate::cli::Cli as clap::CommandFactory>::command();
        command.build();
        let launch = command.find_subcommand("launch").expect("launch");
        let is_any = |_: &&clap::Arg| true;
        let takes_value = |arg: &&clap::Arg| arg.get_action().takes_values();
        let long = |wanted: &dyn Fn(&&clap::Arg) -> bool| {
            let args = launch.get_arguments().filter(|arg| wanted(arg));
            let mut long: Vec<_> = args.filter_map(|arg| Some(format!("--{}", arg.get_long()?))).collect();
            long.sort();
            long
        };
        assert_eq!(long(&takes_value), WITH_VALUE);
        let mut behind_shims: Vec<_> =
            shims::opts::OPTIONS.into_iter().chain(["--help", "--verbose"]).collect();
        behind_shims.sort_unstable();
        assert_eq!(long(&is_any), behind_shims);
    }

    #[test]
    fn a_launch_may_be_named_as_its_shim_is() {
        let spread = |line: &str| {
            let words = spread(line.split_whitespace().map(OsString::from).collect());
            words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
        };
        for (typed, read) in [
            ("launch claude@p", "launch p claude"),
            ("launch --model m --dry-run claude@p -p hi", "launch --model m --dry-run p claude -p hi"),
            ("launch --model=m codex@me@work resume", "launch --model=m me@work codex resume"),
            ("claude@p -p hi", "launch p claude -p hi"),
            ("--config c claude@p", "--config c launch p claude"),
            ("--config=c launch claude@p", "--config=c launch p claude"),
            ("doctor --probe launches p codex", "doctor --probe=launches p codex"),
            ("doctor codex --probe version", "doctor codex --probe=version"),
        ] {
            assert_eq!(spread(typed), read);
        }
        for other in [
            "",
            "launch",
            "launch p claude x@y",
            "launch me@work claude",
            "launch claude@p codex",
            "why claude@p",
            "doctor --probe p codex",
            "doctor --probe=all p",
            "vim@p",
        ] {
            assert_eq!(spread(other), other);
        }
    }
}
