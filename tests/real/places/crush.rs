//! Crush.

use super::judged::Judged;
use super::{File, Stage};

const SETTINGS: &str = r#"{"mcp": {"s": {"type": "stdio", "command": "true"}}, "hooks": {}}"#;

/// What a folder may hold for it: the home, a project, a parent.
const FOLDER: &[File] = &[
    ("crush.json", SETTINGS),
    (".crush.json", SETTINGS),
    ("crushrc", "true\n"),
    (".crushrc", "true\n"),
    (".crush/crush.json", "{}"),
    (".crush/commands/c.md", "say hello\n"),
    (".crush/skills/s/SKILL.md", "---\nname: s\ndescription: d\n---\nsay hello\n"),
    (".agents/skills/s/SKILL.md", "---\nname: s\ndescription: d\n---\nsay hello\n"),
    (".claude/skills/s/SKILL.md", "---\nname: s\ndescription: d\n---\nsay hello\n"),
    (".cursor/skills/s/SKILL.md", "---\nname: s\ndescription: d\n---\nsay hello\n"),
    (".env", "A=1\n"),
    (".env.local", "A=1\n"),
    ("CRUSH.md", "be brief\n"),
    ("AGENTS.md", "be brief\n"),
    ("CLAUDE.md", "be brief\n"),
    (".crushignore", "\n"),
];

const HOME: &[File] = &[
    (".config/crush/crush.json", SETTINGS),
    (".config/crush/crushrc", "true\n"),
    (".config/crush/.env", "A=1\n"),
    (".config/crush/CRUSH.md", "be brief\n"),
    (".config/crush/commands/c.md", "say hello\n"),
    (".config/crush/skills/s/SKILL.md", "---\nname: s\ndescription: d\n---\nsay hello\n"),
    (".config/agents/skills/s/SKILL.md", "---\nname: s\ndescription: d\n---\nsay hello\n"),
    (".config/AGENTS.md", "be brief\n"),
    (".local/share/crush/crush.json", "{}"),
    (".local/share/crush/providers.json", "[]"),
];

#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn crush_opens_no_place_that_nobody_judged() {
    let Some(stage) = Stage::set("crush", "openai-chat-completions") else { return };
    let judged = Judged::new("crush");
    stage.plant(
        &["home", "top", "top/up", "top/up/project", "top/up/project/sub", "linked", "linked/sub", "added"],
        FOLDER,
    );
    stage.plant(&["home"], HOME);
    stage.judge(
        "crush",
        &judged,
        &[
            ("top/up/project", &["run", "-q", "say hello"]),
            ("top/up/project/sub", &["run", "-q", "say hello"]),
            ("linked/sub", &["run", "-q", "say hello"]),
            ("top/up/project", &["run", "--cwd", "{root}/added", "-q", "say hello"]),
        ],
    );
}
