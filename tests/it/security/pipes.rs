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

/// What would send the key of any provider.
#[test]
fn a_text_for_the_model_that_leads_to_keys_is_refused() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, QUIET);
    let work = sandbox.path("work");
    let keys = sandbox.home(".config/agent-run/keys");
    fs::create_dir_all(&keys).unwrap();
    sandbox.write(&keys.join("other.key"), "sk-other");
    let elsewhere = sandbox.home("secrets/third");
    sandbox.write(&elsewhere, "sk-third");
    let config = sandbox.home(".config/agent-run/config.yaml");
    let third = "  third: {protocols: [anthropic], base_urls: {anthropic: 'http://x.example'}, \
                 key_file: ~/secrets/third}\n";
    sandbox.write(&config, fs::read_to_string(&config).unwrap() + third);
    sandbox.write(&sandbox.home(".local/state/agent-run/secret"), format!("{}\n", "0".repeat(32)));
    let refused = |agent: &str, said: &[&str]| {
        let ran = sandbox.agent_run(&["launch", "mock", agent]).exits(125);
        ran.complains(&[said, &[" leads to where agent-run keeps keys: ", "\nhelp: "]].concat());
        sandbox.agent_run(&["launch", "mock", agent, "--dry-run"]).exits(125);
    };
    let others = sandbox.path("others");
    sandbox.write(&others.join("rules.md"), "rules");
    symlink(&keys, work.join("linked")).unwrap();
    for target in ["linked/other.key", "linked", config.to_str().unwrap(), elsewhere.to_str().unwrap()]
        .into_iter()
        .chain([sandbox.home(".local/state/agent-run/secret").to_str().unwrap()])
    {
        for (text, agents) in [("AGENTS.md", &["codex", "hermes", "crush"][..]), ("CLAUDE.md", &["claude"])] {
            symlink(target, work.join(text)).unwrap();
            for agent in agents {
                refused(agent, &[&format!("/work/{text} ")]);
            }
            sandbox.agent_run(&["launch", "mock", "shell"]).exits(0);
            fs::remove_file(work.join(text)).unwrap();
        }
    }
    symlink(others.join("rules.md"), work.join("AGENTS.md")).unwrap();
    for rules in [".cursor/rules", ".claude/rules"] {
        fs::create_dir_all(work.join(rules)).unwrap();
        symlink("../../linked/other.key", work.join(rules).join("x.mdc")).unwrap();
        let agent = if rules.contains("claude") { "claude" } else { "crush" };
        refused(agent, &["/x.mdc "]);
        fs::remove_dir_all(work.join(rules)).unwrap();
    }
    let settings = work.join("crush.json");
    let home = sandbox.home("").display().to_string();
    let file = keys.join("other.key").display().to_string();
    let beside = ["$HOME/.config/agent-run/keys/other.key", "~/.config/agent-run/config.yaml", &file];
    let folders = ["~", "~/.config", "$HOME/.config/agent-run", "linked/other.key", "docs", &home, "../home"];
    for path in folders.into_iter().chain(beside) {
        fs::create_dir_all(work.join("docs/more")).unwrap();
        _ = symlink("../../linked/other.key", work.join("docs/more/k"));
        for list in ["context_paths", "global_context_paths"] {
            sandbox.write(&settings, format!("{{\"options\": {{\"{list}\": [\"a.md\", \"{path}\"]}}}}"));
            let said: &[&str] = if path == "docs" { &["docs/more/k "] } else { &[list, "/work/crush.json"] };
            refused("crush", said);
        }
    }
    // So may a project of Codex, with a file that is none of its own.
    fs::create_dir_all(work.join(".codex")).unwrap();
    for path in ["~/.config/agent-run/keys/other.key", &file, "../linked/other.key"] {
        sandbox.write(&work.join(".codex/config.toml"), format!("model_instructions_file = '{path}'\n"));
        refused("codex", &["model_instructions_file", ".codex/config.toml"]);
    }
    // The user's own list, and a link in its place.
    fs::remove_file(&settings).unwrap();
    let own = sandbox.home(".config/crush/crush.json");
    sandbox.write(&own, r#"{"options": {"context_paths": ["notes/ai.md", "~/.config/crush"]}}"#);
    fs::create_dir_all(work.join("notes")).unwrap();
    sandbox.write(&work.join("notes/ai.md"), "notes");
    sandbox.agent_run(&["launch", "mock", "crush"]).exits(0);
    fs::remove_file(work.join("notes/ai.md")).unwrap();
    symlink("../linked/other.key", work.join("notes/ai.md")).unwrap();
    refused("crush", &["/work/notes/ai.md ", ".config/crush/crush.json"]);
}

/// A worktree that Codex makes lies in its home, which is where agent-run keeps keys too.
#[test]
fn what_lies_in_the_project_is_no_key_wherever_the_project_is() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, QUIET);
    let state = sandbox.home(".local/state/agent-run");
    let work = state.join("codex-shared/home/worktrees/a/work");
    for (path, text) in [
        (".git", "gitdir: /elsewhere"),
        ("CLAUDE.md", "text"),
        (".cursor/rules/r.mdc", "rules"),
        (".codex/agents/r.toml", "name = 'r'\ndescription = 'd'\ndeveloper_instructions = 'x'\n"),
        ("sub/x", ""),
    ] {
        sandbox.write(&work.join(path), text);
    }
    sandbox.write(&state.join("codex-shared/home/other"), "sk-other");
    for (target, code) in [("CLAUDE.md", 0), ("../../../other", 125), ("../../../../../secret", 125)] {
        symlink(target, work.join("AGENTS.md")).unwrap();
        for (agent, folder) in [("codex", "sub"), ("hermes", "."), ("crush", ".")] {
            let folder = work.join(folder);
            let shell = format!("cd '{}' && exec agent-run launch mock {agent}", folder.display());
            sandbox.run("sh", &["-c", &shell]).exits(code);
        }
        fs::remove_file(work.join("AGENTS.md")).unwrap();
    }
}
