//! What `agent-run --help` says: the commands in groups, on one page, made of the declarations. And the words of
//! `agent-run help`.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::builder::Styles;
use clap::{Args, Command, CommandFactory};

use super::Cli;

/// The commands by what they are for.
const GROUPS: [(&str, &[&str]); 3] = [
    ("Launch", &["launch", "demo", "env"]),
    ("Set up", &["providers", "shims", "import", "config", "completion"]),
    ("Inspect", &["models", "why", "doctor", "help"]),
];

const END: &str = "\
Every command takes --help, and --config FILE instead of $AGENT_RUN_CONFIG.
`agent-run --version` prints the version.

First: agent-run demo, or agent-run providers add deepseek";

/// `agent-run help`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  agent-run help models list
  agent-run help --man && man agent-run")]
pub struct HelpArgs {
    /// Command, such as `models list` [default: agent-run itself]
    #[arg(value_name = "COMMAND", conflicts_with = "man")]
    pub command: Vec<String>,

    /// Write the manual to DIR [default: ~/.local/share/man]
    #[arg(long, value_name = "DIR", num_args = 0..=1)]
    #[expect(clippy::option_option, reason = "the option, and its value")]
    pub man: Option<Option<PathBuf>>,
}

/// The declarations with their help as it is shown: the option that all commands have is in the first page alone.
pub fn shown() -> Command {
    let root = Cli::command().mut_arg("config", |arg| arg.hide(true));
    let help = page(&root);
    root.override_help(help)
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
    text + "\n" + END + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_page_fits_a_terminal_and_has_every_command_once() {
        let help = shown().render_help().to_string();
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
        let mut root = shown();
        root.build();
        let launch = root.find_subcommand_mut("launch").expect("a command").render_help().to_string();
        assert!(!launch.contains("--config") && launch.contains("--model"), "{launch}");
        assert!(root.render_help().to_string().contains("--config FILE"));
    }
}
