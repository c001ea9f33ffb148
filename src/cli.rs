//! The words of the command-line door: clap declarations, and nothing that runs.

#![expect(clippy::doc_markdown, reason = "these comments are help texts, shown as they stand")]

pub mod models;
pub mod shims;

use std::ffi::OsString;
use std::path::PathBuf;

use ::shims::Protocol;
use ::shims::opts::Force;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::models::Models;
pub use self::shims::Shims;

/// Launch a coding agent on a chosen provider, without touching the agent's own settings
#[derive(Debug, Parser)]
#[command(
    name = "agent-run",
    version,
    arg_required_else_help = true,
    after_help = "A symlink named <agent>@<provider> does the same without a word: codex@ollama resume --last"
)]
pub struct Cli {
    /// The config file, instead of $AGENT_RUN_CONFIG or ~/.config/agent-run/config.yaml
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Become an agent that talks to a provider
    Launch(Launch),
    /// Look into providers' model lists
    #[command(subcommand)]
    Models(Models),
    /// Launch an agent on a provider inside this program, and show what it sends: no config, no key
    Demo(Demo),
    /// Put symlinks named AGENT@PROVIDER in place, list and remove them
    #[command(subcommand)]
    Shims(Shims),
    /// Print what makes a shell complete agent-run's words: `source <(agent-run completion bash)`
    Completion(Completion),
    /// Open the config file in your editor
    Config(Config),
    /// Play a provider on loopback and record what it is asked
    #[command(hide = true)]
    Canary(Canary),
}

/// `agent-run launch`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  agent-run launch deepseek claude
  agent-run launch ollama --model qwen3-coder codex resume --last
  agent-run launch deepseek --dry-run claude -p 'say hello'")]
pub struct Launch {
    /// The provider, as the config calls it
    pub provider: String,

    /// The launcher's own options.
    #[command(flatten)]
    pub said: Said,

    /// The agent, then its own words, all of them passed on as they are
    #[arg(required = true, trailing_var_arg = true, value_names = ["AGENT", "ARGS"])]
    pub words: Vec<OsString>,
}

/// The launcher's own options; behind a shim they come in `AGENT_RUN_OPTS`.
#[derive(Args, Debug)]
pub struct Said {
    /// The model to start with, instead of the provider's default
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,

    /// The protocol to speak, where the provider offers several
    #[arg(long, value_name = "PROTOCOL", value_parser = protocol)]
    pub protocol: Option<Protocol>,

    /// Override a refusal: `model` (no list knows it), `protocol` (not declared), or `all`
    #[arg(long, value_name = "WHAT", value_parser = Force::by_name)]
    pub force: Vec<Force>,

    /// Print what would be done, with where each choice came from, and do nothing
    #[arg(long)]
    pub dry_run: bool,

    /// With --dry-run: print it as JSON
    #[arg(long, requires = "dry_run")]
    pub json: bool,

    /// With --dry-run: print the contents of files too
    #[arg(long, short, requires = "dry_run")]
    pub verbose: bool,
}

/// `agent-run demo`
#[derive(Args, Debug)]
pub struct Demo {
    /// The agent; the first one found on PATH without it
    pub agent: Option<String>,
}

/// `agent-run completion`
#[derive(Args, Debug)]
pub struct Completion {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// A shell that completion is made for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Shell {
    /// GNU Bash.
    Bash,
    /// The Z shell.
    Zsh,
    /// fish.
    Fish,
}

/// `agent-run config`
#[derive(Args, Debug)]
pub struct Config {
    /// Write a commented sample first if there is no config yet
    #[arg(long)]
    pub bootstrap_config: bool,
}

/// `agent-run canary`
#[derive(Args, Debug)]
pub struct Canary {
    /// A loopback address; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: std::net::SocketAddr,

    /// The file that gets one JSON line a request
    #[arg(long)]
    pub log: PathBuf,

    /// How to answer: a JSON array of rules, or a file that holds one
    #[arg(long)]
    pub script: Option<String>,
}

fn protocol(word: &str) -> Result<Protocol, String> {
    let known = Protocol::ALL.map(Protocol::name).join(", ");
    Protocol::by_name(word).ok_or_else(|| format!("the protocols are {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_declarations_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn words_after_the_agent_are_never_ours() {
        let typed =
            ["agent-run", "launch", "p", "--model", "m", "claude", "--model", "x", "--", "-v", "", "--help"];
        let Command::Launch(launch) = Cli::parse_from(typed).command else { panic!("launch") };
        assert_eq!(launch.said.model.as_deref(), Some("m"));
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
