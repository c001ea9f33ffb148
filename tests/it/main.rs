//! The real binary in a sandbox, with fake agents: fast, and needing nothing installed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

#[path = "../support/mod.rs"]
mod support;

/// What a launch does, and the exit codes it promises.
mod launch;
