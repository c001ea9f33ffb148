//! Claude Code.

use super::judged::Judged;
use super::{File, Stage};

const SETTINGS: &str = r#"{"permissions": {"allow": ["Bash(true)"]}, "hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": "true"}]}]}}"#;

/// What a folder may hold for it: a project's, a parent's, an added one.
const FOLDER: &[File] = &[
    (".claude/settings.json", SETTINGS),
    (".claude/settings.local.json", SETTINGS),
    (".claude/agents/a.md", "---\nname: a\ndescription: d\n---\nyou\n"),
    (".claude/commands/c.md", "---\ndescription: d\n---\nsay hello\n"),
    (".claude/skills/s/SKILL.md", "---\nname: s\ndescription: d\n---\nsay hello\n"),
    (".claude/output-styles/o.md", "---\nname: o\ndescription: d\n---\nbe brief\n"),
    (".claude/rules/r.md", "be brief\n"),
    (".claude/workflows/w.js", "export default {}\n"),
    (".claude/hooks/hooks.json", "{}"),
    (".claude/plugins/config.json", "{}"),
    (".claude/.env", "A=1\n"),
    (".claude/.mcp.json", r#"{"mcpServers": {}}"#),
    (".mcp.json", r#"{"mcpServers": {"s": {"command": "true"}}}"#),
    (".claude-plugin/plugin.json", r#"{"name": "p", "version": "1.0.0"}"#),
    (".claude-plugin/marketplace.json", r#"{"name": "k", "owner": {"name": "o"}, "plugins": []}"#),
    (".env", "A=1\n"),
    (".env.local", "A=1\n"),
    ("bunfig.toml", "[run]\nsilent = true\n"),
    ("CLAUDE.md", "be brief\n"),
    ("CLAUDE.local.md", "be brief\n"),
    ("AGENTS.md", "be brief\n"),
    (".worktreeinclude", "\n"),
];

const HOME: &[File] = &[
    (".claude/keybindings.json", "{}"),
    (".claude/remote-settings.json", "{}"),
    (".claude/config.json", "{}"),
    (".claude/.credentials.json", "{}"),
    (".claude/plugins/installed_plugins.json", r#"{"version": 2, "plugins": {}}"#),
    (".claude/plugins/known_marketplaces.json", "{}"),
    (".claude.json", r#"{"hasCompletedOnboarding": true, "mcpServers": {}}"#),
];

const PLUGIN: &[File] = &[
    ("agents/a.md", "---\nname: a\ndescription: d\n---\nyou\n"),
    ("commands/c.md", "---\ndescription: d\n---\nsay hello\n"),
    ("skills/s/SKILL.md", "---\nname: s\ndescription: d\n---\nsay hello\n"),
    ("hooks/hooks.json", r#"{"hooks": {}}"#),
    ("settings.json", "{}"),
];

#[test]
fn claude_opens_no_place_that_nobody_judged() {
    let Some(stage) = Stage::set("claude", "anthropic") else { return };
    let judged = Judged::new("claude");
    stage.plant(
        &[
            "home",
            "top",
            "top/up",
            "top/up/project",
            "top/up/project/sub",
            "linked",
            "linked/sub",
            "added",
            "plugin",
        ],
        FOLDER,
    );
    stage.plant(&["home"], HOME);
    stage.plant(&["plugin"], PLUGIN);
    stage.judge(
        "claude",
        &judged,
        &[
            ("top/up/project", &["-p", "say hello"]),
            ("top/up/project/sub", &["-p", "say hello"]),
            ("linked/sub", &["-p", "say hello"]),
            (
                "top/up/project",
                &["--add-dir", "{root}/added", "--plugin-dir", "{root}/plugin", "-p", "say hello"],
            ),
        ],
    );
}
