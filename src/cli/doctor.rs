//! The words of `agent-run doctor` and `agent-run why`.

use ::shims::Protocol;
use clap::{Args, ValueEnum};

/// `agent-run doctor`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  agent-run doctor                          check all, but run no key_command
  agent-run doctor deepseek                 one provider, and its key
  agent-run doctor --probe deepseek codex   start Codex with a random key
  agent-run doctor --probe=version codex    test the installed Codex only

--probe=launches starts each launch in this folder, with your settings.
--probe=version tests each agent in an empty home, with files that try to
get the key or to change the model. --probe does both.

Exit status: 1 if there is a problem.")]
pub struct DoctorArgs {
    /// Provider to check, with its key; or AGENT@PROVIDER
    pub provider: Option<String>,

    /// Agent to check
    pub agent: Option<String>,

    /// Run the agents on a built-in provider and check them
    #[arg(
        long,
        value_name = "PART",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "all",
        hide_possible_values = true
    )]
    pub probe: Option<ProbePart>,

    /// Also run key commands; they may ask for a password
    #[arg(long)]
    pub keys: bool,

    /// Also print the checks that passed
    #[arg(long, short)]
    pub verbose: bool,

    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

/// What of a probe is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum ProbePart {
    /// Everything
    All,
    /// The launches, as they are configured here
    Launches,
    /// The installed version of each agent, in an empty home
    Version,
}

/// `agent-run why`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  agent-run why claude@deepseek
  agent-run why ollama codex --model qwen3-coder")]
pub struct WhyArgs {
    /// Provider name from your config, or AGENT@PROVIDER alone
    #[arg(value_name = "PROVIDER")]
    pub provider: String,

    /// Agent name
    pub agent: Option<String>,

    /// Model, instead of the provider's default
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,

    /// Protocol, if the provider offers several
    #[arg(long, value_name = "PROTOCOL", value_parser = super::protocol)]
    pub protocol: Option<Protocol>,

    /// Print a JSON object
    #[arg(long)]
    pub json: bool,

    /// Also print the full plan of the launch
    #[arg(long, short, conflicts_with = "json")]
    pub verbose: bool,
}
