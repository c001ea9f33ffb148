//! The real agents against a mock provider: every acceptance case of every agent.
//!
//! `tests/agents/install` puts the agents in place.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

#[path = "../support/mod.rs"]
mod support;

/// Claude Code's acceptance cases.
mod claude;

/// Codex's acceptance cases.
mod codex;

/// Crush's acceptance cases.
mod crush;

/// The demo with each of them.
mod demo;

/// The doctor's probe, in homes that point elsewhere.
mod doctor;

/// Hermes Agent.
mod hermes;
