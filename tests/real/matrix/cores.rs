//! Core files: what crashes while it holds the key leaves none of it.

use std::fs;
use std::path::PathBuf;

use super::claude::CLAUDE;
use super::{KEY, Machine, needles};
use crate::support::{net, real, run};

/// A machine whose kernel puts core files beside what crashes.
#[track_caller]
fn machine() -> Option<Machine> {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    // The kernel's, and not a container's to choose.
    if pattern.starts_with(['|', '/']) || pattern.trim().is_empty() {
        real::missing("a kernel.core_pattern without a slash", "leave out the feature core-files");
    }
    (real::sandbox("claude").is_some() && real::tools(&["strace"]) && net::is_inside())
        .then(|| Machine::set(&CLAUDE))
}

/// Crashes a command at a call of its, and gives the core files. Not by SIGSEGV, which Rust's runtime looks
/// at first and lets go when it is no stack overflow.
#[track_caller]
fn crashed(machine: &Machine, at: &str, words: &str) -> Vec<PathBuf> {
    let folder = machine.sandbox.path("cores");
    fs::create_dir_all(&folder).unwrap();
    let script = format!(
        "ulimit -c unlimited; exec strace -f -qq -o strace.log -e trace={at} -e inject={at}:error=EPERM:signal=ABRT{words}"
    );
    let mut shell = machine.sandbox.command("sh");
    // What is found must be what was resolved, and no variable of the user's.
    let ran = run(shell.args(["-c", &script]).current_dir(&folder).env_remove("CHOSEN_KEY"));
    let log = fs::read_to_string(folder.join("strace.log")).unwrap();
    assert!(log.contains("+++ killed by SIGABRT"), "nothing crashed: {ran:?}\n{log}");
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| !path.ends_with("strace.log")).collect()
}

#[test]
#[cfg_attr(
    not(feature = "core-files"),
    ignore = "needs a kernel.core_pattern without a slash: --features core-files"
)]
fn a_launcher_that_crashes_with_the_key_leaves_no_core_file() {
    let Some(machine) = machine() else { return };
    let kept = machine.sandbox.path("kept");
    machine.sandbox.write(&kept, format!("{KEY}\n"));
    machine.configure(&format!("key_file: '{}'", kept.display()));
    // A program that leaves one, so that none is not for want of looking.
    let cores = crashed(&machine, "execve", ":when=1 sh -c 'exec true'");
    assert_eq!(cores.len(), 1, "this machine writes no core files: {cores:?}");
    fs::remove_file(&cores[0]).unwrap();

    let cores = crashed(&machine, "execve", ":when=1 agent-run launch m claude -p hi");
    for core in &cores {
        needles::absent(&fs::read(core).unwrap(), "a core file of the launcher");
    }
    assert_eq!(cores, Vec::<PathBuf>::new());
}

#[test]
#[cfg_attr(
    not(feature = "core-files"),
    ignore = "needs a kernel.core_pattern without a slash: --features core-files"
)]
fn an_agent_that_crashes_leaves_the_core_file_it_always_left() {
    let Some(machine) = machine() else { return };
    machine.sandbox.script("claude", "#!/bin/sh\nkill -ABRT $$\n");
    let launch = "ulimit -c unlimited; exec agent-run launch m claude";
    run(machine.sandbox.command("sh").args(["-c", launch])).exits(128 + 6);
    let names = fs::read_dir(machine.sandbox.path("work")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().any(|name| name.to_string_lossy().starts_with("core")), "no core file");
}

#[test]
#[cfg_attr(
    not(feature = "core-files"),
    ignore = "needs a kernel.core_pattern without a slash: --features core-files"
)]
fn a_refresher_that_crashes_with_the_key_leaves_no_core_file() {
    let Some(machine) = machine() else { return };
    let config = machine.sandbox.home(".config/agent-run/config.yaml");
    let text = fs::read_to_string(&config).unwrap();
    machine.sandbox.config(&text.replace(", model_api_filters: []", ""));
    machine.sandbox.write(&machine.sandbox.path("kept"), KEY);
    let refresher = " agent-run models refresh-detached --key-on-stdin --in-session -- m <../kept";
    let cores = crashed(&machine, "connect", refresher);
    for core in &cores {
        needles::absent(&fs::read(core).unwrap(), "a core file of the refresher");
    }
    assert_eq!(cores, Vec::<PathBuf>::new());
}
