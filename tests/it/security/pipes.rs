use std::fs;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::Path;

use super::links::{act, clear, ours, place};
use super::{AGENTS, QUIET, TWO, sandbox};
use crate::support::Sandbox;
use crate::support::lists::Lists;

#[test]
fn a_pipe_in_the_place_of_a_file_of_ours_holds_nothing_up() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, "");
    act(&sandbox, &lists, "models");
    assert_eq!(pipe_everywhere(&sandbox), 4);
    let sandbox = super::sandbox(&lists, QUIET);
    for agent in AGENTS {
        sandbox.agent_run(&["launch", "mock", agent]).exits(0);
    }
    assert!(pipe_everywhere(&sandbox) > 4);
}

/// Puts a pipe in the place of each file of agent-run in turn, and says how many there were.
#[track_caller]
fn pipe_everywhere(sandbox: &Sandbox) -> usize {
    let files: Vec<_> =
        ours(sandbox).into_iter().filter(|path| !path.is_symlink() && path.is_file()).collect();
    for path in &files {
        let (shown, first) = place(sandbox, path);
        clear(sandbox);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path.parent().unwrap()).unwrap();
        sandbox.run("mkfifo", &[path.to_str().unwrap()]).exits(0);
        let program = sandbox.path("bin/agent-run").display().to_string();
        let limit = ["-k", "1", "20", &program];
        let words: &[&str] = match first.as_str() {
            "models" => &["models", "list", "mock"],
            agent => &["launch", "mock", agent],
        };
        let ran = sandbox.run("timeout", &[&limit, words].concat());
        assert!(ran.code != 124 && (ran.code == 0 || ran.stderr.contains("help: ")), "{shown}: {ran:?}");
    }
    files.len()
}

/// A repository can hold links, and whoever unpacks an archive gets pipes too.
#[test]
fn what_a_project_has_in_the_place_of_its_settings_holds_no_launch_up() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, QUIET);
    let pipe = sandbox.path("pipe");
    sandbox.run("mkfifo", &[pipe.to_str().unwrap()]).exits(0);
    let program = sandbox.path("bin/agent-run").display().to_string();
    let settings =
        [".claude/settings.json", ".claude/settings.local.json", ".mcp.json", "crush.json", ".crush.json"];
    let settings = settings.into_iter().chain([".codex/config.toml", ".env", "AGENTS.md"]);
    for file in settings.map(|file| sandbox.path("work").join(file)) {
        for target in [Path::new("/dev/zero"), &pipe] {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            symlink(target, &file).unwrap();
            for agent in AGENTS {
                // An agent that is left waiting, or filled with zeros, is ended by this.
                let limits = ["-c", "ulimit -v 4000000; exec timeout -k 1 20 \"$@\"", "sh", &program];
                let ran = sandbox.run("sh", &[&limits[..], &["launch", "mock", agent]].concat());
                let is_named = ran.code == 125 && ran.stderr.contains("help: ");
                assert!(ran.code == 0 || is_named, "{} -> {}: {ran:?}", file.display(), target.display());
            }
            fs::remove_file(&file).unwrap();
        }
    }
}

/// What an agent would make a part of its prompt, with its own environment in it.
#[test]
fn a_text_for_the_model_that_links_to_the_process_that_reads_it_is_refused() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, QUIET);
    let work = sandbox.path("work");
    fs::create_dir_all(work.join("docs")).unwrap();
    symlink("/proc/self/environ", work.join("docs/x")).unwrap();
    for target in ["docs/x", "/proc/self/environ", "/proc/thread-self/environ"] {
        symlink(target, work.join("AGENTS.md")).unwrap();
        for agent in ["codex", "hermes", "crush"] {
            let ran = sandbox.agent_run(&["launch", "mock", agent]).exits(125);
            ran.complains(&["/work/AGENTS.md is not a regular file: ", "\nhelp: remove it"]);
        }
        sandbox.agent_run(&["launch", "mock", "shell"]).exits(0);
        fs::remove_file(work.join("AGENTS.md")).unwrap();
    }
}

/// Crush takes all below a folder of rules, and Hermes starts in the root of the repository with `-w`.
#[test]
fn such_a_text_is_refused_wherever_it_is_read() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, QUIET);
    let rules = sandbox.path("work/.cursor/rules");
    let many = |folder: &Path| {
        for at in 0..1006 {
            fs::create_dir_all(folder.join(format!("d{at}"))).unwrap();
        }
        "d1003".into()
    };
    let chain = |folder: &Path| {
        let chain = "d/".repeat(64);
        fs::create_dir_all(folder.join(&chain)).unwrap();
        chain
    };
    for made in [&many as &dyn Fn(&Path) -> String, &chain] {
        let place = rules.join(made(&rules));
        symlink("/proc/self/environ", place.join("x.mdc")).unwrap();
        sandbox
            .agent_run(&["launch", "mock", "crush"])
            .exits(125)
            .complains(&["/work/.cursor/rules", "\nhelp: "]);
        fs::remove_dir_all(&rules).unwrap();
    }
    // As often as there are entries, each link leads to all of them.
    fs::create_dir_all(&rules).unwrap();
    for at in 0..500 {
        symlink(".", rules.join(format!("l{at}"))).unwrap();
    }
    for agent in ["hermes", "crush"] {
        sandbox.agent_run(&["launch", "mock", agent]).exits(0);
    }
    symlink("/proc/self/environ", sandbox.path("work/AGENTS.md")).unwrap();
    fs::create_dir_all(sandbox.path("work/.git")).unwrap();
    fs::create_dir_all(sandbox.path("work/sub")).unwrap();
    let shell = "cd sub && exec agent-run launch mock hermes chat -w -q hi";
    sandbox.run("sh", &["-c", shell]).exits(125).complains(&["/work/AGENTS.md is not a regular file: "]);
}
