//! Codex.

use super::judged::Judged;
use super::{File, Stage};

const CONFIG: &str = "[mcp_servers.s]\ncommand = \"true\"\n";

/// What a folder may hold for it: a project's, a parent's, an added one.
const FOLDER: &[File] = &[
    (".codex/config.toml", CONFIG),
    (".codex/hooks.json", r#"{"hooks": {}}"#),
    (".codex/agents/a.toml", "name = \"a\"\ndescription = \"d\"\ndeveloper_instructions = \"you\"\n"),
    (".codex/skills/s/SKILL.md", "---\nname: s\ndescription: d\n---\nsay hello\n"),
    (".codex/rules/r.rules", "\n"),
    (".codex/environments/environment.toml", "\n"),
    (".codex/.env", "A=1\n"),
    (".agents/skills/s/SKILL.md", "---\nname: s\ndescription: d\n---\nsay hello\n"),
    (".agents/plugins/marketplace.json", r#"{"name": "k", "plugins": []}"#),
    (".codex-plugin/plugin.json", r#"{"name": "p", "version": "1.0.0"}"#),
    (".mcp.json", r#"{"mcpServers": {}}"#),
    (".env", "A=1\n"),
    ("AGENTS.md", "be brief\n"),
    ("AGENTS.override.md", "be brief\n"),
];

const HOME: &[File] = &[
    (".codex/work.config.toml", "\n"),
    (".codex/environments.toml", "\n"),
    (".codex/AGENTS.md", "be brief\n"),
    (".codex/auth.json", "{}"),
    (".codex/prompts/p.md", "say hello\n"),
    (".codex/version.json", r#"{"latest_version": "0.1.0", "last_checked_at": "2100-01-01T00:00:00Z"}"#),
];

#[test]
fn codex_opens_no_place_that_nobody_judged() {
    let Some(stage) = Stage::set("codex", "openai-responses") else { return };
    let judged = Judged::new("codex");
    let folders =
        ["home", "top", "top/up", "top/up/project", "top/up/project/sub", "linked", "linked/sub", "added"];
    stage.plant(&folders, FOLDER);
    stage.plant(&["home"], HOME);
    // A project that is trusted, so that what it holds counts.
    let trusted = ["top/up/project", "linked", "added"].map(|folder| {
        format!("[projects.\"{}\"]\ntrust_level = \"trusted\"\n", stage.sandbox.path(folder).display())
    });
    let config = stage.sandbox.home(".codex/config.toml");
    stage.sandbox.write(&config, format!("{CONFIG}{}", trusted.concat()));
    stage.judge(
        "codex",
        &judged,
        &[
            ("top/up/project", &["exec", "say hello"]),
            ("top/up/project/sub", &["exec", "say hello"]),
            ("linked/sub", &["exec", "say hello"]),
            ("top/up/project", &["-C", "{root}/added", "exec", "--skip-git-repo-check", "say hello"]),
            ("top/up/project", &["exec", "--add-dir", "{root}/added", "-p", "work", "say hello"]),
        ],
    );
}
