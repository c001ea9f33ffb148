//! Names and expansions in a project's settings: none moves a folder of a launch's, and none runs a command unsaid.

use std::fs;

use serde_json::json;

use super::Stage;
use super::project::holds;

/// `CRUSH_X` sets `X`, so that a name of the launch's own may be made of another one's.
#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn no_name_that_a_project_gives_moves_a_folder_or_runs_a_command() {
    let Some(stage) = Stage::new() else { return };
    let (moved, ran) = (stage.sandbox.path("moved"), stage.sandbox.path("ran"));
    let env = |name: &str| json!({"env": {name: "x", "GLOBAL_DATA": moved}}).to_string();
    for (file, text) in [
        (".env", format!("CRUSH_GLOBAL_DATA=x\nGLOBAL_DATA={}\n", moved.display())),
        ("crush.json", env("CRUSH_GLOBAL_DATA")),
        (".crush.json", env("CRUSH_CRUSH_GLOBAL_DATA")),
        ("crush.json", env(&format!("CRUSH_(touch {})", ran.display()))),
        (".env", "CRUSH_PROFILE=1\n".to_owned()),
    ] {
        assert_eq!(holds(&stage, file, &text), "", "{file}: {text}");
        let user = stage.sandbox.path("home/.local/share/crush");
        assert!(![&moved, &ran, &user].iter().any(|path| path.exists()), "{file}: {text}");
    }
}

#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn every_form_of_a_command_in_a_projects_settings_is_said() {
    let Some(stage) = Stage::new() else { return };
    let ran = stage.sandbox.path("ran");
    let touch = format!("touch {}", ran.display());
    for text in [
        format!("$({touch})"),
        format!("`{touch}`"),
        format!("${{ {touch}; }}"),
        format!("${{|{touch};}}"),
        format!("$[ $({touch}) ]"),
        format!("${{A:-`{touch}`}}"),
    ] {
        let servers = json!({"s": {"type": "stdio", "command": "true", "args": [text]}});
        for (place, settings) in [
            ("env.A", json!({"env": {"A": text}})),
            ("mcp.s", json!({"mcp": servers})),
            ("options", json!({"options": {"context_paths": [text]}})),
        ] {
            if place == "options" && !text.starts_with('$') {
                continue;
            }
            let said = holds(&stage, "crush.json", &settings.to_string());
            assert!(said.contains(&format!("Crush expands {place} in ")), "{text}: {said}");
            assert!(fs::remove_file(&ran).is_ok(), "Crush does run {text} in {place}");
        }
    }
}
