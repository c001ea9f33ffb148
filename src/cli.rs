//! The command line: clap declarations, nothing that runs.

#![expect(clippy::doc_markdown, reason = "these comments are help texts, shown as they stand")]

pub mod config;
pub mod doctor;
pub mod env;
pub mod help;
pub mod import;
pub mod key;
pub mod models;
pub mod overview;
pub mod providers;
pub mod shims;
pub mod usage;
pub mod words;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use ::shims::Protocol;
use ::shims::opts::Force;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

pub use self::doctor::{DoctorArgs, ProbePart, WhyArgs};
pub use self::key::KeyCommand;
pub use self::models::ModelsCommand;
pub use self::providers::ProvidersCommand;
pub use self::shims::ShimsCommand;

/// Launch a coding agent on the provider you choose; its settings do not change
#[derive(Debug, Parser)]
#[command(
    name = "agent-run",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  agent-run demo                       try it without a config or a key
  agent-run providers add deepseek     add a provider
  agent-run launch deepseek claude     start Claude Code on it
  agent-run shims install              create a shim for every pair

The shim codex@ollama is shorthand for `agent-run launch ollama codex`:
  codex@ollama resume --last"
)]
pub struct Cli {
    /// Config file, instead of $AGENT_RUN_CONFIG
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads the words of this process; with the pages of help only where one is asked for, which a launch does not.
    /// The first page says what to type `next`, with the config that is given. Help and the version are errors too, as
    /// clap has them.
    pub fn read(next: impl FnOnce(Option<&Path>) -> Option<String>) -> clap::error::Result<Self> {
        let typed = words::of_this_process();
        let is_help = |word: &OsString| ["-h", "--help", "help"].iter().any(|help| word == help);
        let is_bare = typed.is_empty() || words::bare_config(&typed).is_some();
        let wants_help = is_bare || typed.iter().any(is_help);
        let read = |mut command: clap::Command| {
            let typed = typed.iter().filter(|_| !is_bare);
            let words = std::iter::once("agent-run".into()).chain(typed.cloned());
            let matches = command.try_get_matches_from_mut(words)?;
            Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
        };
        if wants_help {
            let of_config = words::command(&typed).unwrap_or(typed.len());
            let is_first_page = typed.len() - of_config <= 1;
            let next = if is_first_page { next(words::config(&typed)) } else { None };
            return read(overview::shown(next.as_deref()));
        }
        // A command without its words is shown its page.
        read(Self::command()).or_else(|_| read(overview::shown(None)))
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Launch an agent on a provider
    Launch(LaunchArgs),
    /// List and inspect a provider's models
    #[command(
        subcommand,
        alias = "model",
        after_help = "\
Examples:
  agent-run models list deepseek
  agent-run models show deepseek deepseek-v4-pro"
    )]
    Models(ModelsCommand),
    /// Try an agent on a built-in provider: no config, no key
    Demo(DemoArgs),
    /// Edit, check or show the config file
    Config(config::ConfigArgs),
    /// Import providers from another tool
    Import(import::ImportArgs),
    /// Check the config, the agents, the keys and other settings
    Doctor(DoctorArgs),
    /// Explain where each setting of a launch comes from
    Why(WhyArgs),
    /// Create, list and remove AGENT@PROVIDER shortcuts
    #[command(
        subcommand,
        alias = "shim",
        after_help = "\
Examples:
  agent-run shims install
  agent-run shims list

A shim is a symlink named AGENT@PROVIDER. The shim codex@ollama is shorthand for
`agent-run launch ollama codex`."
    )]
    Shims(ShimsCommand),
    /// Generate shell completions
    Completion(CompletionArgs),
    /// Set, test or remove a provider's key
    #[command(
        subcommand,
        alias = "keys",
        after_help = "\
Examples:
  agent-run key set deepseek
  agent-run key test deepseek"
    )]
    Key(KeyCommand),
    /// List, show, add, test and remove providers
    #[command(
        subcommand,
        alias = "provider",
        after_help = "\
Examples:
  agent-run providers presets coding
  agent-run providers add deepseek
  agent-run providers test deepseek"
    )]
    Providers(ProvidersCommand),
    /// Print environment variables for a provider
    #[command(alias = "export-env")]
    Env(env::EnvArgs),
    /// Play a provider on loopback and record what it is asked
    #[command(hide = true)]
    MockProvider(MockProviderArgs),
    /// Print the version
    #[command(hide = true)]
    Version,
    /// Show the help of a command, or write the manual
    Help(help::HelpArgs),
}

/// `agent-run launch`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  agent-run launch deepseek claude
  agent-run launch ollama --model qwen3-coder codex resume --last
  agent-run launch deepseek --dry-run claude -p 'say hello'")]
pub struct LaunchArgs {
    /// Provider name from your config
    pub provider: String,

    /// The launcher's own options.
    #[command(flatten)]
    pub opts: LaunchOpts,

    /// Agent (or `shell`), and arguments passed to it unchanged
    #[arg(required = true, trailing_var_arg = true, value_names = ["AGENT", "ARGS"])]
    pub words: Vec<OsString>,
}

/// The launcher's own options; behind a shim they come in `AGENT_RUN_OPTS`.
#[derive(Args, Debug)]
pub struct LaunchOpts {
    /// Model, instead of the provider's default
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,

    /// Protocol, if the provider offers several
    #[arg(long, value_name = "PROTOCOL", value_parser = protocol)]
    pub protocol: Option<Protocol>,

    /// Allow an unlisted `model` or `protocol`, or `all`
    #[arg(long, value_name = "WHAT", value_parser = Force::by_name)]
    pub force: Vec<Force>,

    /// Print what a launch would do, and why
    #[arg(long)]
    pub dry_run: bool,

    /// With --dry-run: print a JSON object
    #[arg(long, requires = "dry_run")]
    pub json: bool,

    /// With --dry-run: the full plan, with file contents
    #[arg(long, short, requires = "dry_run")]
    pub verbose: bool,
}

/// `agent-run demo`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  agent-run demo
  agent-run demo codex")]
pub struct DemoArgs {
    /// Agent to run [default: first one found on PATH]
    pub agent: Option<String>,
}

/// `agent-run completion`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  eval \"$(agent-run completion bash)\"
  agent-run completion fish | source")]
pub struct CompletionArgs {
    /// Shell to complete in
    #[arg(value_enum)]
    pub shell: Shell,
}

/// A shell that completion is made for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Shell {
    /// GNU Bash.
    Bash,
    /// The Z shell.
    Zsh,
    /// fish.
    Fish,
}

/// `agent-run mock-provider`
#[derive(Args, Debug)]
pub struct MockProviderArgs {
    /// Loopback address [default: 127.0.0.1:0, a free port]
    #[arg(long, default_value = "127.0.0.1:0", hide_default_value = true)]
    pub listen: std::net::SocketAddr,

    /// File for one JSON line per request
    #[arg(long)]
    pub log: PathBuf,

    /// JSON array of rules, or a file with one
    #[arg(long)]
    pub script: Option<String>,
}

/// Whether it is a command.
pub fn is_command(name: &str) -> bool {
    Cli::command().find_subcommand(name).is_some()
}

/// The name of a command that has several.
pub fn main_name(name: &str) -> String {
    let command = Cli::command();
    command.find_subcommand(name).map_or(name, clap::Command::get_name).to_owned()
}

/// Whether it is a command that no help shows.
pub fn is_hidden(name: &str) -> bool {
    Cli::command().find_subcommand(name).is_some_and(clap::Command::is_hide_set)
}

fn protocol(word: &str) -> Result<Protocol, String> {
    let known = Protocol::ALL.map(Protocol::name).join(", ");
    Protocol::by_name(word).ok_or_else(|| format!("`{word}` is not one of {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declarations_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_help_ends_with_an_example() {
        fn check(command: &clap::Command) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let name = command.get_name();
            assert!(help.starts_with("Example:\n") || help.starts_with("Examples:\n"), "{name}: {help}");
            assert!(help.lines().nth(1).is_some_and(|line| line.contains("agent-run ")), "{name}: {help}");
            assert!(name == "agent-run" || help.contains(name), "{name}: {help}");
            command.get_subcommands().filter(|below| !below.is_hide_set()).for_each(check);
        }
        check(&Cli::command());
    }

    /// Help is not wrapped to the terminal, so that no text may need more than 80 columns.
    #[test]
    fn every_help_fits_80_columns() {
        fn too_wide(command: &mut clap::Command) -> Vec<String> {
            let helps = [command.render_help(), command.render_long_help()].map(|help| help.to_string());
            let lines = helps.iter().flat_map(|help| help.lines()).map(str::to_owned);
            let mut wide: Vec<_> = lines.filter(|line| line.chars().count() > 80).collect();
            let below = command.get_subcommands_mut().filter(|below| !below.is_hide_set());
            below.for_each(|below| wide.extend(too_wide(below)));
            wide
        }
        let mut root = Cli::command();
        root.build();
        assert_eq!(too_wide(&mut root), Vec::<String>::new());
    }

    #[test]
    fn words_after_the_agent_are_never_ours() {
        let typed =
            ["agent-run", "launch", "p", "--model", "m", "claude", "--model", "x", "--", "-v", "", "--help"];
        let Command::Launch(launch) = Cli::parse_from(typed).command else { panic!("launch") };
        assert_eq!(launch.opts.model.as_deref(), Some("m"));
        assert_eq!(launch.words, ["claude", "--model", "x", "--", "-v", "", "--help"]);
        let typed = ["agent-run", "launch", "p", "claude", "--", "x"];
        let Command::Launch(launch) = Cli::parse_from(typed).command else { panic!("launch") };
        assert_eq!(launch.words, ["claude", "--", "x"]);
    }

    #[test]
    fn force_needs_its_value() {
        assert!(Cli::try_parse_from(["agent-run", "launch", "p", "--force", "claude"]).is_err());
        assert!(Cli::try_parse_from(["agent-run", "launch", "p", "--force", "all", "claude"]).is_ok());
        assert!(Cli::try_parse_from(["agent-run", "launch", "--force=all", "p", "claude"]).is_ok());
    }
}
