//! Every path that a launch reads or writes, with something there that is no file: it never hangs, follows no
//! link of others, and says what is wrong.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use nix::sys::stat::Mode;
use nix::unistd::{geteuid, mkfifo};

use super::{CONFIG, KEY, live_in, sandbox};
use crate::support::tree::Tree;
use crate::support::{Ran, Sandbox, run};

/// What may stand where a file belongs.
const KINDS: [&str; 9] =
    ["pipe", "socket", "folder", "dangling", "loop", "endless", "null", "closed", "file"];

/// Puts it at `path`, in place of what is there.
fn plant(sandbox: &Sandbox, kind: &str, path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    _ = fs::remove_file(path).or_else(|_| fs::remove_dir_all(path));
    match kind {
        "pipe" => mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR).unwrap(),
        "socket" => {
            // Where its path is short enough.
            let short = sandbox.path("tmp/s");
            UnixListener::bind(&short).unwrap();
            fs::rename(short, path).unwrap();
        }
        "folder" => fs::create_dir(path).unwrap(),
        "file" => fs::write(path, "").unwrap(),
        "dangling" => symlink("nowhere/at/all", path).unwrap(),
        "loop" => symlink(path.file_name().unwrap(), path).unwrap(),
        "endless" => symlink("/dev/zero", path).unwrap(),
        "null" => symlink("/dev/null", path).unwrap(),
        _ => {
            fs::write(path, "").unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
        }
    }
}

/// Runs `agent-run`, which is ended with exit code 124 if it hangs.
#[track_caller]
fn in_time(sandbox: &Sandbox, words: &[&str]) -> Ran {
    let ran = run(sandbox.command("timeout").args(["--kill-after=1", "60", "agent-run"]).args(words));
    assert!(ran.code != 124 && ran.code != 137, "it hangs: {words:?}");
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    if ran.code != 0 {
        let has_help = ran.stderr.contains("\nhelp: ") || ran.stdout.contains("help: ");
        assert!(has_help, "{words:?}: {} {}", ran.stdout, ran.stderr);
    }
    ran
}

#[test]
fn whatever_stands_where_a_file_of_the_users_belongs_is_left_and_holds_up_no_launch() {
    let mut cases = 0;
    for (agent, path) in [
        ("claude", "home/.claude.json"),
        ("claude", "home/.claude/.config.json"),
        ("claude", "home/.claude/settings.json"),
        ("claude", "work/.claude/settings.json"),
        ("claude", "work/.claude/settings.local.json"),
        ("codex", "home/.codex/config.toml"),
        ("codex", "home/.codex/.env"),
        ("codex", "home/.codex"),
        ("hermes", "home/.hermes/config.yaml"),
        ("hermes", "home/.hermes/.env"),
        ("hermes", "home/.hermes/active_profile"),
        ("hermes", "home/.hermes/sessions"),
        ("crush", "home/.config/crush/crush.json"),
        ("crush", "home/.config/crush/crushrc"),
        ("crush", "home/.local/share/crush/crush.json"),
        ("crush", "work/.git"),
        ("crush", "work/.crush/init"),
        ("crush", "work/.crush/commands"),
        ("crush", "work/crush.json"),
    ] {
        let sandbox = sandbox();
        live_in(&sandbox);
        sandbox.write(&sandbox.home(".claude.json"), r#"{"hasCompletedOnboarding": true}"#);
        let lived_in = Tree::of(&sandbox.path(""));
        for kind in KINDS {
            lived_in.restore(&sandbox.path(""));
            plant(&sandbox, kind, &sandbox.path(path));
            let before = Tree::of(&sandbox.path(""));
            let ran = in_time(&sandbox, &["launch", "mock", agent, "hi"]);
            assert!([0, 125].contains(&ran.code), "{kind} at {path}: {} {}", ran.code, ran.stderr);
            before.is_unharmed(&sandbox.path(""));
            cases += 1;
        }
    }
    println!("{cases} cases");
}

#[test]
fn a_pipe_that_could_undo_the_launch_is_left_out_or_named() {
    for (agent, path, link) in [
        ("codex", ".codex/.env", Some(".local/state/agent-run/codex-shared/home/.env")),
        ("hermes", ".hermes/.env", None),
        ("claude", ".claude/settings.json", None),
    ] {
        let sandbox = sandbox();
        live_in(&sandbox);
        // It is linked first, as a file.
        sandbox.write(&sandbox.home(path), "");
        sandbox.agent_run(&["launch", "mock", agent]).exits(0);
        plant(&sandbox, "pipe", &sandbox.home(path));
        let ran = in_time(&sandbox, &["launch", "mock", agent]).exits(0);
        let ran = ran.complains(&[path, "is not a regular file", "\nhelp: replace it with a regular file"]);
        if let Some(link) = link {
            assert!(fs::symlink_metadata(sandbox.home(link)).is_err());
        }
        if let Some(home) = ran.env("HERMES_HOME") {
            assert!(fs::symlink_metadata(Path::new(home).join(".env")).is_err());
        }
    }
}

/// The path below a folder; a `*` in it stands for the end of the name of the one folder that begins so.
fn found(root: &Path, path: &str) -> PathBuf {
    let Some((start, rest)) = path.split_once("*/") else { return root.join(path) };
    let start = root.join(start);
    let begins = |entry: &fs::DirEntry| {
        entry.path().as_os_str().as_encoded_bytes().starts_with(start.as_os_str().as_encoded_bytes())
    };
    let mut folders = fs::read_dir(start.parent().unwrap()).unwrap().map(Result::unwrap).filter(begins);
    folders.next().unwrap().path().join(rest)
}

#[test]
fn whatever_stands_where_a_file_of_ours_belongs_is_replaced_or_refused_and_never_written_through() {
    let mut cases = 0;
    for (agent, path) in [
        ("codex", ".local/state/agent-run/codex-shared/home/config.toml"),
        ("codex", ".local/state/agent-run/codex-shared/home/.agent-run.json"),
        ("codex", ".local/state/agent-run/codex-shared/home"),
        ("codex", ".local/state/agent-run/codex-shared"),
        ("codex", ".cache/agent-run/codex/.all.lock"),
        ("codex", ".cache/agent-run/codex"),
        ("crush", ".cache/agent-run/crush/mock-*/config/crush.json"),
        ("crush", ".cache/agent-run/crush/.mock.lock"),
        ("hermes", ".cache/agent-run/hermes/.mock.lock"),
    ] {
        let sandbox = sandbox();
        sandbox.agent_run(&["launch", "mock", agent]).exits(0);
        let good = Tree::of(&sandbox.path(""));
        let victim = sandbox.path("victim");
        for kind in KINDS.into_iter().chain(["planted"]) {
            good.restore(&sandbox.path(""));
            let path = found(&sandbox.home(""), path);
            if kind == "planted" {
                fs::write(&victim, "untouched").unwrap();
                plant(&sandbox, "dangling", &path);
                fs::remove_file(&path).unwrap();
                symlink(&victim, &path).unwrap();
            } else {
                plant(&sandbox, kind, &path);
            }
            let what = format!("{kind} at {}", path.display());
            let ran = in_time(&sandbox, &["launch", "mock", agent]);
            assert!([0, 125].contains(&ran.code), "{what}: {} {}", ran.code, ran.stderr);
            assert!(!path.with_file_name("nowhere").exists(), "{what}");
            if kind == "planted" {
                assert_eq!(fs::read(&victim).unwrap(), b"untouched", "{what}");
                fs::remove_file(&victim).unwrap();
            }
            // A file is put right; in a folder's place nothing of the user's could have been.
            let is_lock = path.extension().is_some_and(|kind| kind == "lock");
            if is_lock && ["planted", "dangling", "loop", "endless", "null"].contains(&kind) {
                assert_eq!(ran.code, 125, "{what}: the link was followed");
            }
            let is_file = path.extension().is_some() && !is_lock;
            if is_file && kind != "folder" {
                assert_eq!(ran.code, 0, "{what}: {}", ran.stderr);
                good.is_same_as(&Tree::of(&sandbox.path("")), &what);
            }
            cases += 1;
        }
    }
    println!("{cases} cases");
}

#[test]
fn model_lists_that_are_no_files_are_no_lists() {
    let sandbox = sandbox();
    sandbox.config(&CONFIG.replace("    model_api_filters: []\n", ""));
    // Nobody is there to be asked; the failure is kept, and the names of the files are known by it.
    sandbox.agent_run(&["models", "list", "mock", "--refresh"]);
    let folder = sandbox.home(".cache/agent-run/models");
    let stem = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path().with_extension("");
    for extension in ["list", "before", "failed", "lock"] {
        for kind in KINDS {
            let path = stem.with_extension(extension);
            plant(&sandbox, kind, &path);
            in_time(&sandbox, &["launch", "mock", "claude"]).exits(0);
            in_time(&sandbox, &["models", "complete", "mock", ""]).exits(0);
            in_time(&sandbox, &["models", "list", "mock"]);
            _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
        }
    }
}

#[test]
#[cfg_attr(not(feature = "as-root"), ignore = "only root can give files away: --features as-root")]
fn what_another_user_planted_in_our_cache_is_refused_or_replaced_and_their_own_file_stays_theirs() {
    let sandbox = sandbox();
    sandbox.agent_run(&["launch", "mock", "codex"]).exits(0);
    let cache = sandbox.home(".cache/agent-run");
    let config = sandbox.home(".local/state/agent-run/codex-shared/home/config.toml");
    // The right content and mode, and a file that its owner can change later.
    chown(&config, Some(65534), Some(65534)).unwrap();
    sandbox.agent_run(&["launch", "mock", "codex"]).exits(0);
    assert_eq!(fs::metadata(&config).unwrap().uid(), 0);

    // A half-written file of theirs, under the name that we would write to.
    fs::remove_file(&config).unwrap();
    let fresh = config.with_file_name(".agent-run-config.toml-new");
    let mut theirs = fs::File::create(&fresh).unwrap();
    chown(&fresh, Some(65534), Some(65534)).unwrap();
    sandbox.agent_run(&["launch", "mock", "codex"]).exits(0);
    let written = fs::read(&config).unwrap();
    theirs.write_all(b"evil").unwrap();
    assert_eq!(fs::read(&config).unwrap(), written, "they held it open");

    // Root that adds to a user's own file leaves it to the user.
    sandbox.write(&sandbox.home(".claude.json"), "{}");
    chown(sandbox.home(".claude.json"), Some(65534), Some(65534)).unwrap();
    sandbox.agent_run(&["launch", "mock", "claude"]).exits(0);
    let state = fs::metadata(sandbox.home(".claude.json")).unwrap();
    assert_eq!((state.uid(), state.gid(), state.len() > 2), (65534, 65534, true));

    // A link to a folder of agent-run, and the same of theirs.
    fs::rename(cache.join("codex"), sandbox.path("elsewhere")).unwrap();
    symlink(sandbox.path("elsewhere"), cache.join("codex")).unwrap();
    let ran = sandbox.agent_run(&["launch", "mock", "codex"]).exits(125);
    ran.complains(&["is a symlink", "\nhelp: remove the symlink"]);
    lchown(cache.join("codex"), Some(65534), Some(65534)).unwrap();
    let ran = sandbox.agent_run(&["launch", "mock", "codex"]).exits(125);
    ran.complains(&["belongs to another user", "\nhelp: remove it"]);
}

#[test]
fn a_config_may_be_a_pipe_with_a_writer_and_without_one_it_is_said() {
    let sandbox = sandbox();
    let config = sandbox.home(".config/agent-run/config.yaml");
    let script = format!("agent-run --config <(sleep 0.3; cat {}) providers list", config.display());
    let ran = run(sandbox.command("timeout").args(["60", "bash", "-c", &script])).clean();
    assert!(ran.stdout.starts_with("mock\t"), "{}", ran.stdout);
    let script = format!("cat {} | agent-run --config /dev/stdin providers list", config.display());
    run(sandbox.command("timeout").args(["60", "bash", "-c", &script])).clean();

    plant(&sandbox, "pipe", &config);
    let ran = in_time(&sandbox, &["launch", "mock", "claude"]).exits(125);
    ran.complains(&["could not read the config", "a pipe without a writer", "\nhelp: "]);
    let ran = in_time(&sandbox, &["providers", "add", "deepseek", "--yes"]).exits(1);
    ran.complains(&["it is not a regular file", "\nhelp: "]);
    assert!(!fs::symlink_metadata(&config).unwrap().is_file(), "it still stands");
    for kind in KINDS.into_iter().filter(|kind| *kind != "closed" || !geteuid().is_root()) {
        plant(&sandbox, kind, &config);
        in_time(&sandbox, &["launch", "mock", "claude"]).exits(125);
        in_time(&sandbox, &["config", "check"]);
    }
}

#[test]
fn a_key_file_may_be_a_pipe_with_a_writer_and_without_one_it_is_said() {
    let sandbox = sandbox();
    let key = sandbox.home("key");
    sandbox.config(&CONFIG.replace("key_env: MOCK_KEY", "key_file: ~/key"));
    plant(&sandbox, "pipe", &key);
    let ran = in_time(&sandbox, &["launch", "mock", "claude"]).exits(125);
    ran.complains(&["could not read key_file", "a pipe without a writer", "\nhelp: "]);
    // Its writer waits for a reader, as those of password managers do.
    let mut writer = sandbox.command("timeout");
    let writer = writer.args(["60", "sh", "-c", &format!("printf '{KEY}\\n' >{}", key.display())]);
    let mut writer = writer.spawn().unwrap();
    let ran = in_time(&sandbox, &["launch", "mock", "claude"]).exits(0);
    assert_eq!(ran.env("ANTHROPIC_AUTH_TOKEN"), Some(KEY));
    assert!(writer.wait().unwrap().success());
    for kind in KINDS.into_iter().filter(|kind| *kind != "pipe") {
        plant(&sandbox, kind, &key);
        in_time(&sandbox, &["launch", "mock", "claude"]).exits(125);
    }
}
