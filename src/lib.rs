//! `agent-run` launches a coding agent on a chosen provider.
//!
//! One binary with two modes; the name it was called by decides:
//!
//! - **shim mode**: `<agent>@<provider>`, a symlink. Every word belongs to the agent; the launcher's own
//!   options come in `AGENT_RUN_OPTS`.
//! - **command-line mode**: any other name. `agent-run launch <provider> <agent>` and the rest.
//!
//! Both end in one `Request`, which goes the way of every launch:
//!
//! ```text
//! argv + env → Request (said) → resolve → Launch (meant) → Plan (planned) → print | exec (done)
//! ```
//!
//! What an agent needs is known in the crate `shims`, which is pure; reading the machine and changing it
//! happens here, at the two ends.
//!
//! This is a library only so that the fuzz targets reach what reads hostile bytes (`fuzzing`, which exists for
//! them alone). It promises nothing else: the program is its one user.

// The targets leave most of the program out, or building them would take longer than running them.
#![cfg_attr(fuzzing, allow(dead_code, unused_imports))]

mod catalog;
mod cli;
mod commands;
mod complete;
mod config;
mod context;
mod dispatch;
mod env;
mod error;
mod fs;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod header;
mod import;
mod key;
mod launch;
mod machine_secret;
mod mock_provider;
mod output;
mod presets;
mod printable;
mod report;
mod shim_links;
mod suggest;
mod user;

#[cfg(not(fuzzing))]
use std::process::ExitCode;

/// The whole program; returns its exit code.
#[cfg(not(fuzzing))]
pub fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let called = args.next().unwrap_or_default();
    let env = env::Environment::read();
    let shim = dispatch::shim_name(&called);
    // Behind a shim every word is the agent's, whatever variable the user exported.
    if let Some(shell) = env.completing().filter(|_| shim.is_none()) {
        return complete::answer(shell, args, &env);
    }
    report::init();
    match shim {
        Some(name) => dispatch::shim(&name, args.collect(), &env),
        None => dispatch::command_line(&called, &env),
    }
}
