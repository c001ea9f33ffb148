//! The real binary in a sandbox, with fake agents: fast, and needing nothing installed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

#[path = "../support/mod.rs"]
mod support;

/// Model lists: good ones, bad ones, old ones, and who is asked for them when.
mod catalog;
/// What a launch does, and the exit codes it promises.
mod launch;
