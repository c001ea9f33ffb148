//! `agent-run` launches a coding agent on a chosen provider.

mod commands;
mod config;

fn main() {}
