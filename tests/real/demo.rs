use crate::support::real;

/// The demo is a launch through the very same code; its own verdict is the exit code.
#[track_caller]
fn is_as_promised(agent: &str, protocol: &str) {
    let Some(sandbox) = real::sandbox(agent) else { return };
    let ran = sandbox.agent_run(&["demo", agent]).clean();
    for part in [protocol, "mock-model", "<sha256 ", "PONG-FROM-MOCK", "No other key was sent"] {
        assert!(ran.stdout.contains(part), "no {part} in:\n{}", ran.stdout);
    }
    let home = sandbox.home("");
    assert_eq!(std::fs::read_dir(&home).unwrap().count(), 0, "{} is not empty", home.display());
}

#[test]
fn a_demo_of_claude_is_as_promised() {
    is_as_promised("claude", "anthropic");
}

#[test]
fn a_demo_of_codex_is_as_promised() {
    is_as_promised("codex", "openai-responses");
}

#[test]
fn a_demo_of_hermes_is_as_promised() {
    is_as_promised("hermes", "openai-chat-completions");
}

#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn a_demo_of_crush_is_as_promised() {
    is_as_promised("crush", "openai-chat-completions");
}
