//! Hermes Agent.

use super::judged::Judged;
use super::{File, Stage};

const SETTINGS: &str = "display: {compact: true}\n";

/// What a folder may hold for it: the home, a project, a parent.
const FOLDER: &[File] = &[
    (".hermes/config.yaml", SETTINGS),
    (".hermes/.env", "A=1\n"),
    (".hermes/plugins/p/plugin.yaml", "name: p\nversion: '1'\n"),
    (".hermes/plugins/p/__init__.py", "def register(context):\n    pass\n"),
    (".hermes/skills/s/SKILL.md", "---\nname: s\ndescription: d\n---\nsay hello\n"),
    (".hermes/hooks/h/HOOK.yaml", "name: h\n"),
    (".hermes.md", "be brief\n"),
    ("HERMES.md", "be brief\n"),
    ("config.yaml", SETTINGS),
    ("cli-config.yaml", SETTINGS),
    (".env", "A=1\n"),
    (".env.local", "A=1\n"),
    ("AGENTS.md", "be brief\n"),
    ("CLAUDE.md", "be brief\n"),
    (".cursorrules", "be brief\n"),
    (".mcp.json", r#"{"mcpServers": {}}"#),
];

const HOME: &[File] = &[
    (".hermes/auth.json", "{}"),
    (".hermes/SOUL.md", "be brief\n"),
    (".hermes/memories/MEMORY.md", "\n"),
    (".hermes/active_profile", "default"),
];

#[test]
fn hermes_opens_no_place_that_nobody_judged() {
    let Some(stage) = Stage::set("hermes", "openai-chat-completions") else { return };
    let judged = Judged::new("hermes");
    let folders = ["home", "top", "top/up", "top/up/project", "top/up/project/sub", "linked", "linked/sub"];
    stage.plant(&folders, FOLDER);
    stage.plant(&["home"], HOME);
    stage.judge(
        "hermes",
        &judged,
        &[
            ("top/up/project", &["chat", "-Q", "-q", "say hello"]),
            ("top/up/project/sub", &["chat", "-Q", "-q", "say hello"]),
            ("linked/sub", &["-z", "say hello"]),
        ],
    );
}
