//! The real binary in a sandbox, with fake agents: fast, and needing nothing installed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

#[path = "../support/mod.rs"]
mod support;

/// Model lists: good ones, bad ones, old ones, and who is asked for them when.
mod catalog;
/// What Crush finds, with a fake one: settings, sessions, and the user's own files left alone.
mod crush;

/// One launch on a provider inside the binary, and what it tells.
mod demo;

/// What Hermes finds, with a fake one: links, settings, and the user's own home left alone.
mod hermes;

/// What a launch does, and the exit codes it promises.
mod launch;
/// What the Nix files know of the agents.
mod nix;

/// The README's config and commands.
mod papers;

/// What a launch makes of a model list.
mod models;

/// Golden plans, one a pair of agent and protocol.
mod plans;

/// What a shell that asks is answered.
mod complete;

/// The symlinks: made, listed, removed, and what is not ours left alone.
mod shims;
