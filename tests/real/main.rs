//! The real agents against a mock provider: every acceptance case of every agent. And the real shells.
//!
//! `tests/agents/install` puts the agents in place; the shells are the system's.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

#[path = "../support/mod.rs"]
mod support;

/// Claude Code's acceptance cases.
mod claude;

/// Codex's acceptance cases.
mod codex;

/// A few agents at once in one home.
mod concurrency;

/// Crush's acceptance cases.
mod crush;

/// The demo with each of them.
mod demo;

/// The doctor's probe, in homes that point elsewhere.
mod doctor;

/// Hermes Agent.
mod hermes;

/// The names that each agent's own program knows, against the judged lists.
#[cfg(target_os = "linux")]
mod inventory;

/// The judged lists.
#[cfg(target_os = "linux")]
mod judged;

/// One launch, one identity.
#[cfg(target_os = "linux")]
mod identity;

/// The places that each agent opens.
#[cfg(target_os = "linux")]
mod places;

/// Routing: every agent, and everything that could turn a launch elsewhere.
#[cfg(target_os = "linux")]
mod matrix;

/// The static release for Linux.
#[cfg(target_os = "linux")]
mod release;

/// Every variable that an agent's program knows.
#[cfg(target_os = "linux")]
mod variables;

/// A real TAB in bash, zsh and fish, and the checks that each shell has for its script.
mod shells;
