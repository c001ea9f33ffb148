//! The real binary in a sandbox, with fake agents: fast, and needing nothing installed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

#[path = "../support/mod.rs"]
mod support;

/// Model lists: good ones, bad ones, old ones, and who is asked for them when.
mod catalog;

/// What a shell that asks is answered.
mod complete;

/// The config opened, checked and explained.
mod codex;
/// Sessions of Codex: of plain Codex, packed, or in homes of older versions.
mod codex_sessions;
mod config;

/// What a launch costs, counted and not timed.
mod syscalls;

/// What Crush finds, with a fake one: settings, sessions, and the user's own files left alone.
mod crush;

/// Our readers beside the parsers of the agents.
mod differential;

/// One launch on a provider inside the binary, and what it tells.
mod demo;

/// What the doctor finds on a sound machine, on a hostile one, and by a probe.
mod doctor;
/// How a probe or a demo ends when it is interrupted.
mod doctor_signals;

/// The variables for other programs, and programs started with them.
mod env;

/// What goes wrong around a launch: ends at any step, full disks, links, floods, signals, crowds.
mod faults;

/// What Hermes finds, with a fake one: links, settings, and the user's own home left alone.
mod hermes;

/// Providers taken over from other tools.
mod import;

/// Keys: where they come from, what is none, and what a key command is given.
mod keys;

/// What a launch does, and the exit codes it promises.
mod launch;

/// What a launch makes of a model list.
mod models;

/// What the Nix files know of the agents.
mod nix;

/// The README's config and commands, and the manual.
mod docs;

/// Golden plans, one a pair of agent and protocol.
mod plans;

/// A dry run says what a launch does: made-up configs, words and machines through the real binary.
#[cfg(target_os = "linux")]
mod properties;

/// The providers of the config, those known without one, and whether one works.
mod providers;

/// Someone else's links, folders, files and texts, and servers that are not what they seem.
mod security;

/// The symlinks: made, listed, removed, and what is not ours left alone.
mod shims;

/// The page that says where each setting of a launch comes from.
mod why;
