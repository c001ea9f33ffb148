//! `agent-run` launches a coding agent on a chosen provider.
//!
//! One binary with two modes; the name it was called by decides:
//!
//! - **shim mode**: `<agent>@<provider>`, a symlink. Every word belongs to the agent; the launcher's own
//!   options come in `AGENT_RUN_OPTS`.
//! - **command-line mode**: any other name. `agent-run launch <provider> <agent>` and the rest.
//!
//! Both end in one `LaunchRequest`, which goes the way of every launch, see `launch`:
//!
//! ```text
//! argv + env → LaunchRequest (parsed) → Launch (resolved) → Plan (planned) → print | exec (executed)
//! ```
//!
//! What an agent needs is known in the crate `shims`, which is pure; reading the machine and changing it
//! happens here, at the two ends.
//!
//! This is a library only so that fuzzing and tests reach what reads hostile bytes (`internals`). It promises nothing
//! else: the program is its one user.

#![allow(
    missing_docs,
    rustdoc::private_intra_doc_links,
    reason = "only tests and fuzzing see what is public here"
)]

mod catalog;
mod cli;
mod commands;
mod compatibility;
mod completion;
mod config;
mod context;
mod dispatch;
mod env;
mod error;
mod fs;
mod header;
mod import;
#[doc(hidden)]
pub mod internals;
mod key;
mod launch;
mod machine_secret;
mod manual;
mod mock_provider;
mod presets;
mod probe;
mod shim_links;
mod signals;
mod suggest;
mod ui;

use std::process::ExitCode;

/// The whole program; returns its exit code.
pub fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let called = args.next().unwrap_or_default();
    let env = env::Environment::read();
    let shim = dispatch::shim_name(&called);
    // Behind a shim every word is the agent's, whatever variable the user exported.
    if let Some(shell) = env.completing().filter(|_| shim.is_none()).map(str::to_owned) {
        return completion::answer(&shell, args, env);
    }
    ui::screen::init(&env);
    ui::log::init();
    match shim {
        Some(name) => dispatch::shim(&name, args.collect(), &env),
        None => dispatch::command_line(&called, &env),
    }
}
