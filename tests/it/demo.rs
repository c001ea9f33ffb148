use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::support::Sandbox;

/// An agent as small as can be: it asks once, by the variables of a Claude launch.
fn claude(more: &str) -> String {
    format!(
        "#!/bin/sh\ncurl -s \"$ANTHROPIC_BASE_URL/v1/messages\" {more} \
         -H \"authorization: Bearer $ANTHROPIC_AUTH_TOKEN\" \
         -d \"{{\\\"model\\\": \\\"$ANTHROPIC_MODEL\\\", \\\"messages\\\": []}}\"\n"
    )
}

#[test]
fn a_demo_launches_the_agent_it_finds_and_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    sandbox.script("claude", &claude(""));
    let ran = sandbox.agent_run(&["demo"]).clean();
    for part in ["Claude Code", "POST /v1/messages", "anthropic", "Bearer <sha256 ", "PONG-FROM-MOCK"] {
        assert!(ran.stdout.contains(part), "no {part} in:\n{}", ran.stdout);
    }
    assert!(!ran.stdout.contains("sk-"), "{}", ran.stdout);
    for folder in [sandbox.home(""), sandbox.path("tmp"), sandbox.path("work")] {
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "{} is not empty", folder.display());
    }
}

#[test]
fn a_demo_fails_when_the_agent_sends_another_key() {
    let sandbox = Sandbox::new();
    sandbox.script("claude", &claude("-H 'x-api-key: sk-other'"));
    let ran = sandbox.agent_run(&["demo", "claude"]).exits(1);
    assert!(ran.stdout.contains("Failed: a key of another provider was sent"), "{}", ran.stdout);
}

#[test]
fn the_mock_provider_says_what_a_config_needs() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("agent-run");
    command.args(["mock-provider", "--log"]).arg(sandbox.path("log")).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let lines: Vec<_> =
        BufReader::new(child.stdout.take().unwrap()).lines().take(2).map(Result::unwrap).collect();
    child.kill().and_then(|()| child.wait()).unwrap();
    let url = lines[0].replace("listening ", "http://");
    assert_eq!(lines[1], format!("base_urls: {{anthropic: {url}, openai: {url}/v1}}"));
}

#[test]
fn a_demo_without_any_agent_says_so_and_still_shows_the_provider() {
    let sandbox = Sandbox::new();
    let bin = sandbox.path("bin").display().to_string();
    let sandbox = sandbox.var("PATH", bin);
    let ran = sandbox.agent_run(&["demo"]).clean();
    assert!(ran.stdout.contains("No agent is on PATH"), "{}", ran.stdout);
    assert!(ran.stdout.contains("\nNo other key was sent.\n"), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("captured).\nNext: `agent-run providers add`\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("PONG-FROM-MOCK"), "{}", ran.stdout);
    let url = "http://127.0.0.1:9";
    sandbox
        .config(&format!("providers: {{p: {{protocols: [anthropic], base_urls: {{anthropic: '{url}'}}}}}}"));
    let said = sandbox.agent_run(&["demo"]).clean().stdout;
    let next = said.lines().last().unwrap();
    assert!(next.starts_with("Next: `") && next.contains("`, then `agent-run launch p claude`"), "{next}");
    assert!(next.contains("install"), "{next}");
    sandbox.agent_run(&["demo", "claude"]).exits(1).complains(&["could not find claude", "help: install it"]);
}
