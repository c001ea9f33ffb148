//! The words of `agent-run env`.

use clap::{Args, ValueEnum};

/// `agent-run env`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  eval \"$(agent-run env deepseek)\"
  agent-run env deepseek --format fish | source
  agent-run env deepseek --format dotenv --with-key > .env

Without --with-key the output refers to the key, as in \"${DEEPSEEK_API_KEY}\".
To run one program with these variables:
  agent-run launch deepseek shell PROGRAM")]
pub struct EnvArgs {
    /// Provider name from your config
    pub provider: String,

    /// Model, instead of the provider's default
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,

    /// Output format
    #[arg(long, value_enum, default_value_t = EnvFormat::Sh, hide_default_value = true)]
    pub format: EnvFormat,

    /// Print the key, and the values of `${env:NAME}`
    #[arg(long)]
    pub with_key: bool,
}

/// How variables are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum EnvFormat {
    /// For sh, bash and zsh, the default: `export NAME='value'`
    Sh,
    /// For fish: `set -gx NAME 'value'`
    Fish,
    /// A JSON object
    Json,
    /// For .env files: `NAME=value`
    Dotenv,
}
