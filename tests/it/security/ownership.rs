use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::geteuid;

use super::{QUIET, TWO, sandbox};
use crate::support::lists::Lists;
use crate::support::net;
use crate::support::tree::Tree;
use crate::support::{AGENT_RUN, Ran, run};

/// Users that are nobody here.
const SOMEBODY: u32 = 12_345;
const ANOTHER: u32 = 12_346;

/// Only root can give files away; whoever else runs the tests has seen the others.
fn is_root() -> bool {
    geteuid().is_root()
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
#[cfg_attr(not(feature = "as-root"), ignore = "only root can give files away: --features as-root")]
fn folders_of_another_user_are_refused_at_every_level() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, QUIET);
    let levels = [
        ".cache/agent-run",
        ".cache/agent-run/codex",
        ".local/state/agent-run",
        ".local/state/agent-run/codex-shared",
        ".local/state/agent-run/codex-shared/home",
        ".local/state/agent-run/codex-shared/sessions",
    ];
    for level in levels {
        sandbox.agent_run(&["launch", "mock", "codex"]).exits(0);
        let path = sandbox.home(level);
        chown(&path, Some(SOMEBODY), None).unwrap();
        // What is ours below it must not be written either.
        _ = fs::remove_file(sandbox.home(".local/state/agent-run/codex-shared/home/config.toml"));
        let before = Tree::of(&path);
        let ran = sandbox.agent_run(&["launch", "mock", "codex"]).exits(125);
        ran.complains(&["belongs to another user", "help: ", path.to_str().unwrap()]);
        assert_eq!(Tree::of(&path), before, "{level}");
        chown(&path, Some(0), None).unwrap();
    }
    let sandbox = super::sandbox(&lists, "");
    for level in [".cache/agent-run", ".cache/agent-run/models"] {
        let path = sandbox.home(level);
        sandbox.agent_run(&["models", "list", "mock", "--refresh"]).exits(0);
        chown(&path, Some(SOMEBODY), None).unwrap();
        let before = Tree::of(&path);
        lists.now_json(&TWO.replace("m-two", level));
        sandbox.agent_run(&["models", "list", "mock", "--refresh"]).complains(&["belongs to another user"]);
        sandbox.agent_run(&["models", "cache", "clear"]).exits(1).complains(&["belongs to another user"]);
        assert_eq!(Tree::of(&path), before, "{level}");
        chown(&path, Some(0), None).unwrap();
    }
    let path = sandbox.home(".cache/agent-run");
    chown(&path, Some(SOMEBODY), None).unwrap();
    let before = Tree::of(&path);
    sandbox.agent_run(&["doctor", "--probe", "mock", "codex"]).exits(1);
    assert_eq!(Tree::of(&path), before, "a probe");
}

#[test]
#[cfg_attr(not(feature = "as-root"), ignore = "only root can give files away: --features as-root")]
fn a_link_of_another_user_in_our_folders_place_is_refused() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, QUIET);
    let theirs = sandbox.path("theirs");
    fs::create_dir(&theirs).unwrap();
    mode(&theirs, 0o700);
    fs::create_dir(sandbox.home(".cache")).unwrap();
    let link = sandbox.home(".cache/agent-run");
    symlink(&theirs, &link).unwrap();
    std::os::unix::fs::lchown(&link, Some(SOMEBODY), None).unwrap();
    sandbox
        .agent_run(&["launch", "mock", "codex"])
        .exits(125)
        .complains(&["belongs to another user", "help: "]);
    std::os::unix::fs::lchown(&link, Some(0), None).unwrap();
    chown(&theirs, Some(SOMEBODY), None).unwrap();
    sandbox
        .agent_run(&["launch", "mock", "codex"])
        .exits(125)
        .complains(&["belongs to another user", "help: "]);
    assert_eq!(fs::read_dir(&theirs).unwrap().count(), 0);
}

#[test]
fn open_folders_of_ours_are_closed_at_every_level() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, QUIET);
    sandbox.agent_run(&["launch", "mock", "codex"]).exits(0);
    let state = ".local/state/agent-run";
    for path in [
        ".cache/agent-run",
        ".cache/agent-run/codex",
        state,
        &format!("{state}/codex-shared"),
        &format!("{state}/codex-shared/home"),
    ] {
        {
            let path = sandbox.home(path);
            for open in [0o755, 0o770, 0o777, 0o1777, 0o2775] {
                mode(&path, open);
                sandbox.agent_run(&["launch", "mock", "codex"]).exits(0);
                assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700, "{} {open:o}", path.display());
            }
        }
    }
}

#[test]
fn a_folder_in_which_everyone_may_replace_ours_is_refused() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, QUIET);
    let shared = sandbox.path("shared");
    fs::create_dir(&shared).unwrap();
    let sandbox = sandbox.var("XDG_CACHE_HOME", shared.display().to_string());
    let launch = || sandbox.agent_run(&["launch", "mock", "crush"]);
    for (open, is_refused) in [
        (0o777, true),
        (0o757, true),
        (0o702, true),
        (0o1777, false),
        (0o775, false),
        (0o755, false),
        (0o700, false),
    ] {
        _ = fs::remove_dir_all(shared.join("agent-run"));
        mode(&shared, open);
        if is_refused {
            launch().exits(125).complains(&["every user", "help: ", "XDG_CACHE_HOME"]);
            assert!(!shared.join("agent-run").exists(), "{open:o}");
        } else {
            launch().exits(0);
            assert_eq!(fs::metadata(shared.join("agent-run")).unwrap().mode() & 0o777, 0o700, "{open:o}");
        }
    }
}

/// A config in a folder that everyone may look into, and a way to use it as anyone.
struct Shared {
    root: tempfile::TempDir,
    config: PathBuf,
}

impl Shared {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        mode(root.path(), 0o755);
        let config = root.path().join("config.yaml");
        fs::write(&config, "providers: {}\n").unwrap();
        if is_root() {
            // Who is not root has no way into the target folder of root.
            fs::copy(AGENT_RUN, root.path().join("agent-run")).unwrap();
        }
        Self { root, config }
    }

    /// `config check` of that file, as root or as somebody.
    fn check(&self, path: &Path, user: u32) -> Ran {
        let program = if is_root() { self.root.path().join("agent-run") } else { AGENT_RUN.into() };
        let mut command = Command::new(program);
        command.args(["config", "check", "--config"]).arg(path).env_clear().current_dir("/");
        command.env("HOME", self.root.path()).stdin(Stdio::null());
        if is_root() {
            command.uid(user).gid(user);
        }
        run(&mut command)
    }
}

#[test]
fn a_config_that_everyone_may_write_is_refused_and_no_other() {
    let shared = Shared::new();
    let link = shared.root.path().join("link.yaml");
    symlink("config.yaml", &link).unwrap();
    for path in [&shared.config, &link] {
        for (open, is_refused) in [
            (0o666, true),
            (0o602, true),
            (0o646, true),
            (0o664, false),
            (0o660, false),
            (0o644, false),
            (0o600, false),
            (0o444, false),
        ] {
            mode(&shared.config, open);
            let ran = shared.check(path, 0);
            if is_refused {
                ran.exits(1).complains(&[
                    "every user can write to it",
                    "help: run `chmod o-w ",
                    path.to_str().unwrap(),
                ]);
            } else {
                ran.exits(0);
            }
        }
    }
}

#[test]
#[cfg_attr(not(feature = "as-root"), ignore = "only root can give files away: --features as-root")]
fn a_config_is_the_users_own_or_roots_and_root_may_use_any() {
    let shared = Shared::new();
    mode(&shared.config, 0o644);
    for (owner, user, is_refused) in [
        (0, 0, false),
        (SOMEBODY, 0, false),
        (0, SOMEBODY, false),
        (SOMEBODY, SOMEBODY, false),
        (ANOTHER, SOMEBODY, true),
    ] {
        chown(&shared.config, Some(owner), None).unwrap();
        let ran = shared.check(&shared.config, user);
        if is_refused {
            ran.exits(1).complains(&["belongs to another user", "help: "]);
        } else {
            ran.exits(0);
        }
    }
    // The file behind a link counts, and not whose the link is.
    let link = shared.root.path().join("link.yaml");
    symlink("config.yaml", &link).unwrap();
    shared.check(&link, SOMEBODY).exits(1).complains(&["belongs to another user"]);
    std::os::unix::fs::lchown(&link, Some(ANOTHER), None).unwrap();
    chown(&shared.config, Some(SOMEBODY), None).unwrap();
    shared.check(&link, SOMEBODY).exits(0);
}

#[test]
fn every_command_refuses_a_config_that_everyone_may_write() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, "").var("ANTHROPIC_BASE_URL", "https://a.example").var("EDITOR", "true");
    let path = sandbox.home(".config/agent-run/config.yaml");
    mode(&path, 0o666);
    let before = Tree::of(&sandbox.home(""));
    for words in [
        &["launch", "mock", "codex"] as &[&str],
        &["launch", "mock", "--dry-run", "codex"],
        &["why", "codex@mock"],
        &["env", "mock"],
        &["models", "list", "mock"],
        &["providers", "list"],
        &["providers", "test", "mock"],
        &["providers", "add", "deepseek", "--yes"],
        &["import", "env", "--write"],
        &["shims", "install"],
        &["shims", "list"],
        &["config", "check"],
        &["config", "show"],
    ] {
        let ran = sandbox.agent_run(words);
        assert_ne!(ran.code, 0, "{words:?}: {ran:?}");
        ran.complains(&["every user can write to it", "help: run `chmod o-w "]);
    }
    let doctor = sandbox.agent_run(&["doctor"]).exits(1).stdout;
    assert!(doctor.contains("every user can write to it"), "{doctor}");
    let tab = sandbox
        .command("agent-run")
        .args(["agent-run", "launch", ""])
        .env("AGENT_RUN_COMPLETE", "bash")
        .output();
    assert_eq!(String::from_utf8_lossy(&tab.unwrap().stdout), "values\n");
    assert_eq!(Tree::of(&sandbox.home("")), before);
    assert!(lists.asked().is_empty());
}

#[test]
#[cfg_attr(not(feature = "as-root"), ignore = "only root can give files away: --features as-root")]
fn in_a_namespace_without_root_roots_config_is_read_and_one_that_others_may_write_is_not() {
    net::needed();
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, "");
    let path = sandbox.home(".config/agent-run/config.yaml");
    for folder in ["", "home", "home/.config", "home/.config/agent-run", "bin"] {
        mode(&sandbox.path(folder), 0o755);
    }
    // A user of a number of its own, alone in its namespace: root's files belong to the overflow user there.
    let check = |wanted: u32| {
        mode(&path, wanted);
        let shown = path.display();
        let script = format!("unshare -U --map-user=1000 agent-run --config {shown} providers list");
        let words = [&format!("--reuid={SOMEBODY}"), "--clear-groups", "sh", "-c", &script];
        run(sandbox.command("setpriv").args(words))
    };
    check(0o644).clean();
    check(0o664).exits(1).complains(&["belongs to another user"]);
    chown(&path, Some(ANOTHER), None).unwrap();
    check(0o644).clean();
}

#[test]
fn a_config_may_come_from_a_pipe() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, "");
    let script = "agent-run providers list --config <(cat ~/.config/agent-run/config.yaml)";
    let ran = sandbox.run("bash", &["-c", script]).clean();
    assert!(ran.stdout.starts_with("mock\t"), "{}", ran.stdout);
}

#[test]
#[cfg_attr(not(feature = "as-root"), ignore = "only root can give files away: --features as-root")]
fn files_of_the_users_keep_their_owner_and_mode_when_root_changes_them() {
    let lists = Lists::json(TWO);
    let sandbox =
        sandbox(&lists, QUIET).var("ANTHROPIC_BASE_URL", "https://a.example/x").var("ANTHROPIC_API_KEY", "k");
    let (config, claude) = (sandbox.home(".config/agent-run/config.yaml"), sandbox.home(".claude.json"));
    sandbox.write(&claude, "{}");
    for (path, open) in [(&config, 0o640), (&claude, 0o600)] {
        chown(path, Some(SOMEBODY), Some(ANOTHER)).unwrap();
        mode(path, open);
    }
    let owner = |path: &Path| {
        let there = fs::metadata(path).unwrap();
        (there.uid(), there.gid(), there.mode() & 0o7777)
    };
    for words in [
        &["providers", "add", "deepseek", "--yes"] as &[&str],
        &["import", "env", "--write"],
        &["launch", "mock", "claude"],
    ] {
        let text = fs::read(&config).unwrap();
        sandbox.agent_run(words).exits(0);
        let is_changed = fs::read(&config).unwrap() != text;
        assert_eq!(is_changed, words[0] != "launch", "{words:?}");
        assert_eq!(owner(&config), (SOMEBODY, ANOTHER, 0o640), "{words:?}");
    }
    assert!(fs::read_to_string(&claude).unwrap().contains("hasCompletedOnboarding"));
    assert_eq!(owner(&claude), (SOMEBODY, ANOTHER, 0o600));
}
