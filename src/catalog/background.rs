//! Refreshes a list in a process of its own, so that neither a launch nor a completion waits for a provider.
//!
//! The refresher is this program again, in a session without a terminal, and an orphan from its first
//! moment: the agent that this process becomes must not find a child that it never started. The lock on the
//! list is taken *before* the refresher starts and handed to it as its standard output, which nobody
//! prints on; so of twenty completions at once one starts a refresher, and however that one ends, the lock
//! ends with it. A key that the launch has resolved anyway goes through a pipe, and is nowhere else.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{close, getpgrp, getsid, setsid};

use super::fetch::RetryPolicy;
use super::source::Source;
use super::{Catalog, KeyLookup, ModelIndex};
use crate::config::Provider;
use crate::env::COMPLETE;

/// When a refresher that hangs, and whatever it started, is ended.
const LIFETIME: Duration = Duration::from_secs(14);
/// The longest that a completion waits for the first list of a provider.
const FIRST_LIST: Duration = Duration::from_secs(1);
/// A key is a header value.
const LONGEST_KEY: u64 = 64 * 1024;

/// The hidden command that is the refresher: `agent-run models <SUBCOMMAND> PROVIDER`.
pub const SUBCOMMAND: &str = "refresh-detached";
/// Its option that says that the key comes on stdin.
pub const KEY_ON_STDIN: &str = "--key-on-stdin";
/// Its option that says that it has its own session already.
pub const IN_SESSION: &str = "--in-session";

impl Catalog<'_> {
    /// Starts a refresher if the provider's list is old and nobody refreshes it yet.
    ///
    /// `key` is the key if it is known already. Without it, a list that needs one from a key command is
    /// left alone, unless the provider says `completion_key: true`. An error may be ignored.
    pub fn refresh_detached(
        &self,
        name: &str,
        provider: &Provider,
        config: &Path,
        key: Option<&str>,
    ) -> Result<()> {
        let source = Source::new(name, provider);
        let may_ask = key.is_some() || provider.completion_key || !source.runs_a_command();
        let is_needed = || {
            let fresh = self.cache.open(&source).is_some_and(|list| list.is_fresh(self.ttl));
            !fresh && self.cache.failure(&source).is_none()
        };
        if !provider.loads_models() || !may_ask || !is_needed() {
            return Ok(());
        }
        let Some(lock) = self.cache.lock(&source)? else { return Ok(()) };
        // Another refresher may have come and gone since.
        if is_needed() { start(name, config, key, lock) } else { Ok(()) }
    }

    /// The ids that a completion of `prefix` offers, from disk; it waits a moment for a first list.
    ///
    /// Of more than `many`, only their parts up to the next `/`.
    pub fn complete(
        &self,
        name: &str,
        provider: &Provider,
        config: &Path,
        prefix: &str,
        many: usize,
    ) -> Vec<String> {
        let known = self.known(name, provider);
        if known.fresh || self.env.completion_refresh_is_off() {
            return known.in_parts(prefix, many);
        }
        if let Err(error) = self.refresh_detached(name, provider, config, None) {
            log::debug!("no refresher: {error:#}");
        }
        let known = if known.list().is_some() { known } else { self.wait_for_list(name, provider) };
        known.in_parts(prefix, many)
    }

    fn wait_for_list<'p>(&self, name: &'p str, provider: &'p Provider) -> ModelIndex<'p> {
        let source = Source::new(name, provider);
        let deadline = Instant::now() + FIRST_LIST;
        loop {
            let known = self.known(name, provider);
            // Free to lock means that no refresher runs: there is nothing to wait for.
            let is_over = known.list().is_some()
                || Instant::now() >= deadline
                || self.cache.lock(&source).is_ok_and(|lock| lock.is_some());
            if is_over {
                // The refresher may have ended between the two looks.
                return if known.list().is_some() { known } else { self.known(name, provider) };
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What the refresher does: loads the list, within its lifetime.
    pub fn run_detached(&self, name: &str, provider: &Provider, key: &KeyLookup<'_>) {
        if provider.loads_models() {
            let outcome = self.load(Source::new(name, provider), RetryPolicy::BACKGROUND, key);
            log::debug!("refreshed {name}: {:?}", outcome.err());
        }
    }
}

fn start(name: &str, config: &Path, key: Option<&str>, lock: File) -> Result<()> {
    let could_not = "could not start the background refresh";
    let mut command = refresher(name, config, &[], key.is_some())?;
    command
        .stdin(if key.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(lock)
        .stderr(Stdio::null());
    let mut child = command.spawn().context(could_not)?;
    if let (Some(mut stdin), Some(key)) = (child.stdin.take(), key) {
        stdin.write_all(key.as_bytes()).context(could_not)?;
    }
    // It starts the refresher proper and ends at once.
    child.wait().context(could_not)?;
    Ok(())
}

fn refresher(name: &str, config: &Path, options: &[&str], key_on_stdin: bool) -> Result<Command> {
    let program = std::env::current_exe().context("could not find this program")?;
    let mut command = Command::new(program);
    command.arg0("agent-run").arg("--config").arg(config).args(["models", SUBCOMMAND]).args(options);
    command.args(key_on_stdin.then_some(KEY_ON_STDIN)).args(["--", name]);
    // Behind a TAB it would take itself for one that is asked to complete.
    command.env_remove(COMPLETE);
    Ok(command)
}

/// The first of the two processes: makes the session, and leaves the second in it as an orphan.
pub fn detach(name: &str, config: &Path, key_on_stdin: bool) -> Result<()> {
    // It fails only if this is a session of its own already.
    _ = setsid();
    close_inherited();
    refresher(name, config, &[IN_SESSION], key_on_stdin)?
        .spawn()
        .context("could not start the background refresh")?;
    Ok(())
}

/// Closes what a shell or a script has left open for the programs it starts: a lock, or the end of a pipe on which
/// someone waits. The agent is to have it; who works on alone behind its back must hold nothing of it.
fn close_inherited() {
    // On Linux a link to the process's own folder in /proc, on macOS the folder itself.
    let Ok(open) = std::fs::read_dir("/dev/fd") else { return };
    let names = open.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    // All of them first: the folder is read through one of them.
    let inherited: Vec<_> = names.filter(|number| *number > 2).collect();
    for number in inherited {
        // Nothing here has opened one yet, but for the folder, whose is closed already.
        _ = close(number);
    }
}

/// The key that the launcher sent; empty if it sent none.
pub fn key_from_stdin() -> Result<String> {
    crate::key::keep_out_of_cores();
    let mut key = String::new();
    std::io::stdin().lock().take(LONGEST_KEY).read_to_string(&mut key)?;
    Ok(key)
}

/// Ends this process and all it started when its time is up, whatever they are doing.
pub fn limit_lifetime() {
    std::thread::spawn(|| {
        std::thread::sleep(LIFETIME);
        if getsid(None) == Ok(getpgrp()) {
            _ = killpg(getpgrp(), Signal::SIGKILL);
        }
        // Started by hand: the group is not ours to end.
        std::process::exit(1);
    });
}
