//! A machine that fails: what a launch does then, and that nothing is lost by it. Here belongs what needs strace,
//! namespaces, full disks or a crowd of processes.
//!
//! No hook in the program serves these tests: system calls are made to fail by `strace`, disks are full
//! because they are small, and everything is the binary that users run.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]
#![allow(clippy::print_stdout, reason = "how many steps there were, for `--nocapture`")]

#[allow(unused_imports, reason = "of the support, a mock provider is not used")]
#[path = "../support/mod.rs"]
mod support;

/// Disks that are full, cannot be written, or fail.
mod disk;

/// A hundred launches at once.
mod concurrency;

/// Signals: handed on, and arriving.
mod signals;

/// Key commands that misbehave.
mod keys;

/// Something else where a file or a folder belongs.
mod special_files;

/// A cache that is torn, and a clock that is wrong.
mod corrupt_cache;

/// One system call of a run made to fail, each in turn.
mod inject;

/// A file system without locks.
mod locks;

/// What a launch costs, counted and not timed.
mod syscalls;

/// `kill -9` before every system call that changes the disk.
mod kill;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::Sandbox;

/// Providers whose launches ask nobody; `other` is there for crowds.
const CONFIG: &str = "\
providers:
  mock: &mock
    protocols: [anthropic, openai-responses, openai-chat-completions]
    base_urls: {anthropic: 'http://127.0.0.1:9', openai: 'http://127.0.0.1:9/v1'}
    key_env: MOCK_KEY
    default_model: m1
    model_api_filters: []
    models: [{id: m1, context_window: 100000}, {id: m2, context_window: 70000}]
  other:
    <<: *mock
    models: [{id: m1, context_window: 100000}]
";

const AGENTS: [&str; 4] = ["claude", "codex", "hermes", "crush"];

/// A key long enough that Claude Code's approval of it would be written.
const KEY: &str = "sk-planted-0123456789-ABCDEFGHIJ";

/// Fake agents and a config; the home is empty otherwise.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new().var("MOCK_KEY", KEY);
    sandbox.config(CONFIG);
    sandbox.known_secret();
    for agent in AGENTS {
        sandbox.fake_agent(agent);
    }
    sandbox
}

/// What a user of all agents has in the home, odd things among it.
fn live_in(sandbox: &Sandbox) {
    let state = "{\n  \"numStartups\": 7,\n  \"big\": 123456789012345678901234567890.10,\n  \
                 \"half\": \"\\ud83d\",\n  \"projects\": {\"/w\": {\"b\": 1, \"a\": 1e2}}\n}";
    for (path, text) in [
        (".claude.json", state),
        (".claude/settings.json", r#"{"env": {"EDITOR": "vi"}, "apiKeyHelper": "cat key"}"#),
        (".claude/projects/-w/1.jsonl", "{\"type\":\"user\"}\n"),
        (".claude/.credentials.json", "{}"),
        (".codex/config.toml", "model = 'mine'\n[projects.'/w']\ntrust_level = 'trusted'\n"),
        (".codex/auth.json", "{\"OPENAI_API_KEY\": \"sk-own\"}"),
        (".codex/history.jsonl", "{\"text\":\"hi\"}\n"),
        (".codex/sessions/2026/11/rollout.jsonl", "{\"id\":1}\n"),
        (".codex/skills/mine/SKILL.md", "skill"),
        (".codex/AGENTS.md", "RULE-42"),
        (".hermes/config.yaml", "approvals: {mode: off} # mine\nmodel: mine\n"),
        (".hermes/.env", "OPENAI_API_KEY=sk-own\n"),
        (".hermes/memories/MEMORY.md", "RULE-42"),
        (".hermes/state.db", "SQLite format 3\0"),
        (".config/crush/crush.json", r#"{"models": {"large": {"model": "x"}}, "mcp": {}}"#),
        (".config/crush/crushrc", "model large x\n"),
        (".local/share/crush/crush.json", r#"{"options": {"tui": {"compact_mode": true}}}"#),
        ("dotfiles/bashrc", "alias ll='ls -l'\n"),
    ] {
        sandbox.write(&sandbox.home(path), text);
    }
    fs::set_permissions(sandbox.home(".claude.json"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("dotfiles/bashrc", sandbox.home(".bashrc")).unwrap();
    symlink("nowhere", sandbox.home(".hermes/dangling")).unwrap();
    symlink("loop", sandbox.home(".codex/loop")).unwrap();
    sandbox.repository(&sandbox.path("work"));
    sandbox.write(&sandbox.path("work/.crush/commands/review.md"), "review");
}
