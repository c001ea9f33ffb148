//! `agent-run` launches a coding agent on a chosen provider.

mod config;

fn main() {}
