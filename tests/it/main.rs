//! The real binary in a sandbox, with fake agents: fast, and needing nothing installed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

#[path = "../support/mod.rs"]
mod support;

/// One launch on a provider inside the binary, and what it tells.
mod demo;
/// What a launch does, and the exit codes it promises.
mod launch;
/// What the Nix files know of the agents.
mod nix;

/// Golden plans, one a pair of agent and protocol.
mod plans;
