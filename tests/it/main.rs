//! The real binary in a sandbox, with fake agents: fast, and needing nothing installed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

#[path = "../support/mod.rs"]
mod support;

/// The project's card, by name.
mod card;

/// Model lists: good ones, bad ones, old ones, and who is asked for them when.
mod catalog;

/// What a shell that asks is answered.
mod complete;

/// What each agent finds, with a fake one: settings, sessions, and the user's own files left alone.
mod agents;

/// The config opened, checked and explained.
mod config;

/// Lists on a terminal of 80 columns, and for a pipe.
mod tables;

/// Our readers beside the parsers of the agents.
mod differential;

/// One launch on a provider inside the binary, and what it tells.
mod demo;

/// What the doctor finds on a sound machine, on a hostile one, and by a probe.
mod doctor;

/// A newcomer's dialogue, keys, and providers changed later.
mod first;

/// Servers on this machine, and the window they serve.
mod local_servers;

/// The variables for other programs, and programs started with them.
mod env;

/// Providers taken over from other tools.
mod import;

/// The shape of `--json`.
mod json;

/// Keys: where they come from, what is none, and what a key command is given.
mod keys;

/// What a launch does, what it prints instead, and the exit codes it promises.
mod launch;

/// What the Nix files know of the agents.
mod nix;

/// The README's config and commands, and how the manual is installed.
mod docs;

/// The manual's pages, and the generator that writes them.
mod manual;

/// Words that are meant otherwise than they are written.
mod forgiving;

/// The commands, config forms and variables of the launcher that had this name before.
mod old_readme;
mod pages;

/// What must hold of anything: made up, or found by fuzzing.
mod properties;

/// The providers of the config, those known without one, and whether one works.
mod providers;

/// Someone else's links, folders, files and texts, and servers that are not what they seem.
mod security;

/// The window and the list of a server on this machine, beside what else goes wrong there.
mod served_windows;

/// The symlinks: made, listed, removed, and what is not ours left alone.
mod shims;
