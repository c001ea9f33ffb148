//! What `agent-run --help` says: the commands in groups, on one page, made of the declarations.

use std::ffi::OsString;
use std::fmt::Write as _;

use clap::builder::Styles;
use clap::{Command, CommandFactory};

use super::Cli;

/// The commands by what they are for.
const GROUPS: [(&str, &[&str]); 3] = [
    ("Launch", &["launch", "demo", "env"]),
    ("Set up", &["providers", "key", "shims", "import", "config", "completion"]),
    ("Inspect", &["models", "why", "doctor", "help"]),
];

const END: &str = "\
Options: --help and --config FILE (with every command), --version
";

/// What to type next, where there is no provider yet.
const FIRST: &str = "First: `agent-run demo`, or `agent-run providers add deepseek`";

/// The declarations with their help as it is shown: the option that all commands have is in the first page alone.
///
/// Its last line says what to type `next`.
pub fn shown(next: Option<&str>) -> Command {
    let next = next.unwrap_or(FIRST);
    let root = Cli::command().mut_arg("config", |arg| arg.hide(true));
    let help = format!("{}\n{END}\n{next}\n", page(&root));
    root.override_help(help)
}

/// The command that these words are for, as it is typed, and the first of its examples.
pub fn command_and_example(words: &[OsString]) -> (String, Option<String>) {
    let root = Cli::command();
    let (mut command, mut typed) = (&root, root.get_name().to_owned());
    for word in super::words::command(words).and_then(|at| words.get(at..)).unwrap_or_default() {
        match word.to_str().and_then(|word| command.find_subcommand(word)) {
            Some(below) => command = below,
            None => break,
        }
        typed = format!("{typed} {}", command.get_name());
    }
    (typed, example(command))
}

fn example(command: &Command) -> Option<String> {
    let after = command.get_after_help().map(ToString::to_string)?;
    let line = after.lines().find(|line| line.starts_with("  ") && line.contains("agent-run "))?.trim();
    // What stands behind is what it does.
    Some(line.split_once("   ").map_or(line, |(example, _)| example).to_owned())
}

fn page(root: &Command) -> String {
    let style = *Styles::styled().get_header();
    let about = root.get_about().map(ToString::to_string).unwrap_or_default();
    let mut text = format!("{about}\n\n{style}Usage:{style:#} agent-run COMMAND [OPTIONS]\n\n");
    for (title, names) in GROUPS {
        _ = writeln!(text, "{style}{title}:{style:#}");
        for command in names.iter().filter_map(|name| root.find_subcommand(name)) {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            _ = writeln!(text, "  {:<11} {about}", command.get_name());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_page_fits_a_terminal_and_has_every_command_once() {
        let help = shown(None).render_help().to_string();
        assert!(help.lines().count() <= 24, "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
        let root = Cli::command();
        let all = root.get_subcommands().filter(|command| !command.is_hide_set());
        for name in all.map(Command::get_name) {
            assert_eq!(help.matches(&format!("\n  {name} ")).count(), 1, "{name} in\n{help}");
        }
    }

    #[test]
    fn what_all_commands_share_is_shown_once() {
        let mut root = shown(None);
        root.build();
        let launch = root.find_subcommand_mut("launch").expect("a command").render_help().to_string();
        assert!(!launch.contains("--config") && launch.contains("--model"), "{launch}");
        assert!(root.render_help().to_string().contains("--config FILE"));
    }
}
