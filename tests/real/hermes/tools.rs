use std::fs;

use super::{KEY, Stage};

#[test]
fn case_11_a_command_of_the_model_does_not_see_the_key() {
    let script = r#"[{"tool": {"name": "terminal", "arguments": {"command": "env > seen"}}}]"#;
    let Some(stage) = Stage::scripted(script) else { return };
    stage.run(&["-z", "run"]).exits(0);
    let seen = fs::read_to_string(stage.sandbox.path("work/seen")).unwrap();
    assert!(seen.contains("HERMES_HOME="), "{seen}");
    assert!(!seen.contains(KEY), "{seen}");
}

#[test]
fn case_12_memories_and_skills_are_the_users() {
    let script = r#"[
        {"last_user": "remember", "tool": {"name": "memory", "arguments":
            {"action": "add", "target": "memory", "content": "the sky is green"}}},
        {"last_user": "learn", "tool": {"name": "skill_manage", "arguments":
            {"action": "create", "name": "whistle", "content":
            "---\nname: whistle\ndescription: whistles\n---\n\n# Whistle\n\nWhistle.\n"}}}]"#;
    let Some(stage) = Stage::scripted(script) else { return };
    stage.run(&["-z", "remember"]).exits(0);
    stage.run(&["-z", "learn"]).exits(0);
    let memory = fs::read_to_string(stage.sandbox.home(".hermes/memories/MEMORY.md")).unwrap();
    assert!(memory.contains("the sky is green"), "{memory}");
    assert!(stage.sandbox.home(".hermes/skills/whistle/SKILL.md").exists());
    let entries = fs::read_dir(stage.sandbox.home(".cache/agent-run/hermes")).unwrap().flatten();
    // Its lock lies beside the home.
    let runtime = entries.map(|entry| entry.path()).find(|path| path.is_dir()).unwrap();
    for name in ["memories", "skills", "state.db", "SOUL.md"] {
        let link = runtime.join(name);
        assert!(link.is_symlink() && link.exists(), "{}", link.display());
    }
}
