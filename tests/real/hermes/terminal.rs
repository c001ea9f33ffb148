use super::{KEY, Stage, chosen};
use crate::support::run;
use crate::support::tmux::Tmux;
use crate::support::tree::Tree;

/// The requests of a conversation, without those of side tasks.
fn conversation(stage: &Stage) -> Vec<serde_json::Value> {
    let mut posts = stage.a.posts();
    posts.retain(|post| post["body"]["tools"].is_array());
    posts
}

#[track_caller]
fn say(stage: &Stage, tmux: &Tmux, words: &str, count: usize) {
    tmux.text(words);
    tmux.key("Enter");
    tmux.wait_until(words, |_| conversation(stage).len() == count);
}

#[test]
fn case_14_another_launch_does_not_turn_a_running_session() {
    if !Tmux::is_there() {
        return;
    }
    let Some(stage) = Stage::set() else { return };
    let tmux = Tmux::start(&stage.sandbox, "agent-run launch local hermes");
    tmux.wait_for("mock-model");
    say(&stage, &tmux, "one", 1);
    let mut other = stage.sandbox.command("agent-run");
    other.args(["launch", "other", "hermes", "--", "-z", "hi"]).env("OTHER_KEY", "sk-OTHER");
    run(&mut other).exits(0);
    tmux.wait_for("PONG-FROM-MOCK");
    say(&stage, &tmux, "two", 2);
    tmux.wait_until("a side task", |_| stage.a.posts().len() > 2);
    stage.a.posts().iter().for_each(chosen);
    let elsewhere = stage.b.posts();
    assert_eq!(elsewhere.len(), 1, "{elsewhere:#?}");
    assert_eq!(elsewhere[0]["headers"]["authorization"], "Bearer sk-OTHER");
}

#[test]
fn case_16_a_model_chosen_within_a_session_stays_with_the_provider_and_the_session() {
    if !Tmux::is_there() {
        return;
    }
    let Some(stage) = Stage::set() else { return };
    stage.sandbox.write(&stage.sandbox.home(".hermes/config.yaml"), "model: {default: mine}\n");
    let before = Tree::of(&stage.sandbox.home(".hermes"));
    let tmux = Tmux::start(&stage.sandbox, "agent-run launch local hermes");
    tmux.wait_for("mock-model");
    tmux.text("/model other-model --global");
    tmux.key("Enter");
    tmux.wait_for("other-model");
    say(&stage, &tmux, "hi", 1);
    let post = &conversation(&stage)[0];
    assert_eq!(post["model"], "other-model");
    assert_eq!(post["path"], "/v1/chat/completions");
    assert_eq!(post["headers"]["authorization"], format!("Bearer {KEY}"));
    before.is_unharmed(&stage.sandbox.home(".hermes"));

    stage.run(&["-z", "hi"]).exits(0);
    chosen(conversation(&stage).last().unwrap());
}
