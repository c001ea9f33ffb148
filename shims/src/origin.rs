//! Where a choice came from.

use std::fmt;

/// Where a choice came from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// A word of the command line: `--model`.
    Option(&'static str),
    /// A word of `AGENT_RUN_OPTS`: `--model`.
    Opts(&'static str),
    /// A key of the config file: its path from the top.
    Config(Vec<String>),
    /// Nobody said anything; the text says what decided.
    Default(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(name) => write!(f, "{name}"),
            Self::Opts(name) => write!(f, "AGENT_RUN_OPTS {name}"),
            Self::Config(key) => f.write_str(&key.join(".")),
            Self::Default(why) => write!(f, "{why}"),
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug)]
pub struct Sourced<T> {
    /// The value itself.
    pub value: T,
    /// Who chose it.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    /// `value`, chosen by `origin`.
    pub const fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}
