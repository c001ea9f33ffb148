use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::inject::Victim;
use super::{AGENTS, KEY, live_in, sandbox};
use crate::support::real::tools;
use crate::support::tree::{Tree, files_holding};
use crate::support::{Ran, Sandbox, run};

/// Fails a launch at each step, on an empty home and in a full one.
#[track_caller]
fn fail_launches_of(agent: &str) {
    let first = sandbox();
    let steps = Victim::launch(&first, &[agent, "hi"]).fails_at_every_step(&["ENOSPC"]);
    println!("{agent}, disk full: {steps} steps");

    let full = sandbox();
    live_in(&full);
    let steps = Victim::launch(&full, &[agent, "hi"]).fails_at_every_step(&["EIO", "EROFS", "EDQUOT"]);
    println!("{agent}, disk failing: {steps} steps");
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs strace: --features system-tools")]
fn a_launch_of_claude_code_goes_on_or_says_what_the_disk_refused() {
    fail_launches_of("claude");
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs strace: --features system-tools")]
fn a_launch_of_codex_goes_on_or_says_what_the_disk_refused() {
    fail_launches_of("codex");
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs strace: --features system-tools")]
fn a_launch_of_hermes_goes_on_or_says_what_the_disk_refused() {
    fail_launches_of("hermes");
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs strace: --features system-tools")]
fn a_launch_of_crush_goes_on_or_says_what_the_disk_refused() {
    fail_launches_of("crush");
}

/// A launch after `setup` in a mount namespace of its own, where it is root only in name.
fn launch_after(sandbox: &Sandbox, setup: &str, agent: &str) -> Ran {
    crate::support::net::needed();
    let script = format!("set -e; {setup}; exec agent-run launch mock {agent} hi");
    run(sandbox.command("unshare").args(["-rm", "sh", "-c", &script]))
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs unshare -rnmpf: --features system-tools")]
fn on_a_disk_that_is_really_full_a_launch_goes_on_or_says_so_and_leaves_no_part_of_a_file() {
    for agent in AGENTS {
        let sandbox = sandbox();
        live_in(&sandbox);
        let before = Tree::of(&sandbox.home(""));
        let cache = sandbox.home(".cache");
        fs::create_dir(&cache).unwrap();
        // The folder fits, and no byte of a file.
        let full = format!(
            "cd {0}; mount -t tmpfs -o size=64k tmpfs {0}; head -c 70000 /dev/zero >{0}/fill 2>/dev/null || true; \
             cd ../../work",
            cache.display()
        );
        let look = format!("trap 'find {} -type f -size +0 ! -name fill >&2' EXIT", cache.display());
        let script = format!("{look}; {full}; agent-run launch mock {agent} hi");
        let ran = run(sandbox.command("unshare").args(["-rm", "sh", "-c", &script]));
        if agent == "claude" {
            ran.clean();
        } else {
            let ran = ran.exits(125).complains(&[
                "agent-run: could not write ",
                "No space left",
                "\nhelp: free some space",
            ]);
            assert_eq!(ran.stderr.lines().count(), 2, "a file is left, or more was said: {}", ran.stderr);
            before.is_unharmed(&sandbox.home(""));
            // What was prepared before is enough. Codex's home lies in the state folder, beside the list of its models.
            if agent == "codex" {
                sandbox.agent_run(&["launch", "mock", agent, "hi"]).exits(0);
                let fill = "head -c 1G /dev/zero >fill 2>/dev/null || true";
                let full = format!(
                    "cp -a {0} ../kept; mount -t tmpfs -o size=256k tmpfs {0}; cp -a ../kept/. {0}; \
                    cd {0}; {fill}; cd ../../work",
                    cache.display()
                );
                launch_after(&sandbox, &full, agent).clean();
            }
        }
    }
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs unshare -rnmpf: --features system-tools")]
fn with_a_cache_that_cannot_be_written_a_launch_goes_on_or_says_so() {
    for agent in AGENTS {
        let sandbox = sandbox();
        live_in(&sandbox);
        let cache = sandbox.home(".cache");
        fs::create_dir(&cache).unwrap();
        let shown = cache.display();
        let read_only = format!("mount --bind {shown} {shown}; mount -o remount,bind,ro {shown}");
        let ran = launch_after(&sandbox, &read_only, agent);
        if agent == "claude" {
            ran.clean();
        } else {
            let help = "or set XDG_CACHE_HOME";
            ran.exits(125).complains(&["could not create ", "Read-only file system", "\nhelp: ", help]);
        }
        assert_eq!(fs::read_dir(&cache).unwrap().count(), 0);
        // What was prepared before is enough where nothing has changed.
        sandbox.agent_run(&["launch", "mock", agent, "hi"]).exits(0);
        if agent == "crush" || agent == "claude" {
            launch_after(&sandbox, &read_only, agent).clean();
        }
    }
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs unshare -rnmpf: --features system-tools")]
fn in_a_home_that_cannot_be_written_claude_code_starts_with_a_warning_and_the_rest_says_why_not() {
    for agent in AGENTS {
        let sandbox = sandbox();
        live_in(&sandbox);
        let before = Tree::of(&sandbox.home(""));
        let home = sandbox.home("");
        let shown = home.display();
        let ran = launch_after(
            &sandbox,
            &format!("mount --bind {shown} {shown}; mount -o remount,bind,ro {shown}"),
            agent,
        );
        if agent == "claude" {
            ran.exits(0).complains(&["warning: could not write ", ".claude.json: Read-only file system"]);
        } else {
            ran.exits(125).complains(&["could not create ", "Read-only file system", "\nhelp: "]);
        }
        before.is_same_as(&Tree::of(&home), agent);
    }
}

/// As the user `nobody`, who must have a way into the sandbox's folder.
#[track_caller]
fn as_nobody(sandbox: &Sandbox, words: &[&str]) -> Ran {
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    tools(&["setpriv"]);
    let entered = Command::new("setpriv").args(nobody).arg("ls").arg(sandbox.path("")).output().unwrap();
    assert!(entered.status.success(), "let TMPDIR and the folders above it be open to other users");
    run(sandbox.command("setpriv").args(nobody).arg("agent-run").args(words))
}

#[test]
#[cfg_attr(not(feature = "as-root"), ignore = "only root becomes another user: --features as-root")]
fn another_users_folders_are_refused_and_their_files_left() {
    let sandbox = sandbox();
    live_in(&sandbox);
    fs::set_permissions(sandbox.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(sandbox.home(".config/agent-run/config.yaml"), fs::Permissions::from_mode(0o644))
        .unwrap();
    let before = Tree::of(&sandbox.home(""));
    for agent in AGENTS {
        let words = ["launch", "mock", agent, "hi"];
        let ran = as_nobody(&sandbox, &words);
        if agent == "claude" {
            ran.exits(0).complains(&["warning: could not ", ".claude.json", "Permission denied"]);
        } else {
            ran.exits(125).complains(&["could not ", "Permission denied", "\nhelp: check its permissions"]);
        }
        before.is_same_as(&Tree::of(&sandbox.home("")), agent);
    }
    for folder in [".local", ".local/state"] {
        fs::set_permissions(sandbox.home(folder), fs::Permissions::from_mode(0o755)).unwrap();
    }
    // The cache is there, and someone else's.
    sandbox.agent_run(&["launch", "mock", "codex"]).exits(0);
    fs::set_permissions(sandbox.home(".cache"), fs::Permissions::from_mode(0o755)).unwrap();
    let ran = as_nobody(&sandbox, &["launch", "mock", "codex", "hi"]);
    ran.exits(125).complains(&["belongs to another user", "\nhelp: "]);
}

#[test]
fn wrong_modes_are_put_right_in_our_folders_and_kept_in_the_users() {
    for mode in [0o000, 0o500, 0o777, 0o2775] {
        let sandbox = sandbox();
        live_in(&sandbox);
        sandbox.agent_run(&["launch", "mock", "codex", "hi"]).exits(0);
        let home = sandbox.home(".local/state/agent-run/codex-shared/home");
        let set = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        set(&home.join("config.toml"));
        set(&sandbox.home(".claude.json"));
        if mode & 0o700 == 0o700 {
            set(&sandbox.home(".local/state/agent-run"));
            set(&home);
        }
        let is_root = nix::unistd::geteuid().is_root();
        let ran = sandbox.agent_run(&["launch", "mock", "codex", "hi"]);
        ran.exits(0);
        let mode_of = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode_of(&home.join("config.toml")), 0o600);
        assert_eq!(mode_of(&home) & 0o777, 0o700);
        let ran = sandbox.agent_run(&["launch", "mock", "claude", "hi"]).exits(0);
        assert!(is_root || mode != 0 || ran.stderr.contains("could not read"), "{}", ran.stderr);
        assert_eq!(mode_of(&sandbox.home(".claude.json")), mode, "the user's own mode is kept");
        assert_eq!(files_holding(&sandbox.home(".cache"), KEY), Vec::<std::path::PathBuf>::new());
    }
}

#[test]
#[cfg_attr(
    not(feature = "as-root"),
    ignore = "root reads everything, and becomes another user: --features as-root"
)]
fn earlier_sessions_and_homes_that_cannot_be_read_are_named_by_a_launch_and_by_doctor() {
    let sandbox = sandbox();
    let sessions = sandbox.home(".local/state/agent-run/crush/data/mock");
    let codex = sandbox.home(".cache/agent-run/codex/mock");
    for folder in [&sessions, &codex] {
        fs::create_dir_all(folder).unwrap();
    }
    let chown = Command::new("chown").args(["-R", "65534:65534"]).arg(sandbox.path("")).status().unwrap();
    assert!(chown.success());
    for folder in [&sessions, &codex] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o000)).unwrap();
    }
    let says = |words: &[&str], path: &Path| {
        let ran = as_nobody(&sandbox, words);
        let shown = format!("{}{}", ran.stdout, ran.stderr);
        assert!(shown.contains(&path.display().to_string()) && shown.contains("ermission denied"), "{shown}");
        ran.code
    };
    assert_eq!(says(&["launch", "mock", "crush", "hi"], &sessions), 0);
    assert_eq!(says(&["launch", "mock", "codex", "hi"], &codex), 0);
    for folder in [&sessions, &codex] {
        assert_eq!(says(&["doctor"], folder), 1, "{folder:?}");
    }
    for folder in [&sessions, &codex] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    }
    let doctor = as_nobody(&sandbox, &["doctor"]);
    assert!(!doctor.stdout.contains("ermission denied"), "{}", doctor.stdout);
}
