use crate::support::{Sandbox, real};

/// The demo is a launch through the very same code; its own verdict is the exit code.
#[track_caller]
fn is_as_promised(agent: &str, protocol: &str) {
    keeps_its_promise(&real::sandbox(agent).unwrap(), agent, protocol);
}

#[track_caller]
fn keeps_its_promise(sandbox: &Sandbox, agent: &str, protocol: &str) {
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

#[test]
fn the_oldest_supported_claude_keeps_the_promise_too() {
    let asked = real::minimum("claude").unwrap();
    assert!(asked.run("claude", &["--version"]).stdout.starts_with("2.1.197 "));
    keeps_its_promise(&real::minimum("claude").unwrap(), "claude", "anthropic");
}

#[test]
fn the_oldest_supported_codex_keeps_the_promise_too() {
    // Codex writes into its home whatever it is asked.
    let asked = real::minimum("codex").unwrap();
    assert!(asked.run("codex", &["--version"]).stdout.contains("0.158.0"));
    keeps_its_promise(&real::minimum("codex").unwrap(), "codex", "openai-responses");
}
