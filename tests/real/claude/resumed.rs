//! Sessions that are gone on with: with the launch's model, at another provider, and at two at once.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use super::{Stage, models, stage_in};
use crate::support::tree::Tree;
use crate::support::{claude, real, run};

fn command(stage: &Stage, provider: &str, words: &[&str], prompt: &str) -> Command {
    let mut command = stage.sandbox.command("agent-run");
    command.args(["launch", provider]).args(words).args([prompt]);
    command
}

/// Begins a session with another model, and gives its id.
#[track_caller]
fn begun(stage: &Stage) -> String {
    let words = ["--model", "m-first", "--force", "model", "claude", "-p", "--output-format", "json"];
    let ran = run(&mut command(stage, "m", &words, "first")).exits(0);
    let answer: Json = serde_json::from_str(&ran.stdout).unwrap();
    answer["session_id"].as_str().unwrap().to_owned()
}

/// What the user said in a request.
fn said(post: &Json) -> String {
    post["body"]["messages"].to_string()
}

#[test]
fn a_session_goes_on_with_the_launchs_model_at_any_provider() {
    for sandbox in [real::sandbox("claude"), real::minimum("claude")].into_iter().flatten() {
        let stage = stage_in(sandbox, "[]");
        let id = begun(&stage);
        assert!(models(&stage.chosen.posts()).contains(&"m-first"));
        let before = stage.chosen.posts().len();
        for (provider, prompt) in [("m", "second"), ("slashed", "third")] {
            let ran = run(&mut command(&stage, provider, &["claude", "-p", "--resume", &id], prompt));
            claude::without_unrecognized_model(ran).clean();
        }
        let posts = stage.chosen.posts().split_off(before);
        assert_eq!(models(&posts), ["m-main"]);
        let last = said(posts.last().unwrap());
        assert!(["first", "second", "third"].iter().all(|word| last.contains(word)), "{last}");
    }
}

#[test]
fn one_session_resumed_at_two_providers_at_once_is_whole() {
    let Some(sandbox) = real::sandbox("claude") else { return };
    let stage = stage_in(sandbox, "[]");
    let id = begun(&stage);
    for round in 0..2 {
        let children = ["m", "slashed"].map(|provider| {
            let prompt = format!("{provider} in round {round}");
            let mut command = command(&stage, provider, &["claude", "-p", "--resume", &id], &prompt);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        });
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(String::from_utf8_lossy(&output.stdout).contains("PONG-FROM-MOCK"), "{output:?}");
        }
    }
    let tree = Tree::of(&stage.sandbox.home(".claude/projects"));
    let kept = tree
        .entries()
        .map(|(path, _)| path)
        .find(|path| path.to_string_lossy().ends_with(&format!("{id}.jsonl")));
    let text = fs::read_to_string(stage.sandbox.home(".claude/projects").join(kept.unwrap())).unwrap();
    assert!(text.lines().all(|line| serde_json::from_str::<Json>(line).is_ok()), "{text}");
    for provider in ["m", "slashed"] {
        for round in 0..2 {
            assert!(text.contains(&format!("{provider} in round {round}")), "{text}");
        }
    }
    run(&mut command(&stage, "m", &["claude", "-p", "--resume", &id], "last")).exits(0);
    assert!(said(stage.chosen.posts().last().unwrap()).contains("first"));
}

/// `claude --resume ID`, as it is printed, finds no session of an isolated provider; with the launch before it does.
#[test]
fn a_session_of_an_isolated_provider_is_found_by_the_line_that_why_gives() {
    let Some(sandbox) = real::sandbox("claude") else { return };
    let stage = stage_in(sandbox, "[]");
    let config = stage.sandbox.home(".config/agent-run/config.yaml");
    let text = fs::read_to_string(&config)
        .unwrap()
        .replace("model_api_filters: []", "model_api_filters: [], isolated: true");
    stage.sandbox.config(&text);
    let id = begun(&stage);
    let asked = stage.chosen.posts().len();
    let mut plain = stage.sandbox.command("claude");
    plain.env("ANTHROPIC_BASE_URL", stage.other.url("")).env("ANTHROPIC_API_KEY", "sk-other");
    let plain = run(plain.args(["-p", "--resume", &id, "x"]));
    assert!(plain.code != 0 && stage.chosen.posts().len() == asked, "{}", plain.stdout);
    let why = stage.sandbox.agent_run(&["why", "claude@m"]).exits(0).stdout;
    assert!(why.contains("claude@m --resume ID"), "{why}");
    let ran = stage.sandbox.run("claude@m", &["-p", "--resume", &id, "second"]).exits(0);
    assert!(ran.stdout.contains("PONG-FROM-MOCK"));
    assert!(said(stage.chosen.posts().last().unwrap()).contains("first"));
}
