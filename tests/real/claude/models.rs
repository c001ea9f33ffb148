//! Every way to another model leads to one of the provider's.

use serde_json::{Value as Json, json};

use super::{models, scripted};

/// A turn in which the model starts a sub-agent, named by the prompt.
fn script() -> String {
    let task = |word: &str, mut arguments: Json| {
        arguments["description"] = "a task".into();
        arguments["prompt"] = "x".into();
        json!({"last_user": word, "tool": {"name": "Agent", "prefer": ["Task"], "arguments": arguments}})
    };
    let with_model = |model: &str| json!({"subagent_type": "general-purpose", "model": model});
    let rules = [
        task("start-explore", json!({"subagent_type": "Explore"})),
        task("start-pinned", json!({"subagent_type": "pinned"})),
        task("start-opus", with_model("opus")),
        task("start-sonnet", with_model("sonnet")),
        task("start-haiku", with_model("haiku")),
        task("start-fable", with_model("fable")),
    ];
    json!(rules).to_string()
}

#[test]
fn case_15_subagents_ask_for_the_providers_models() {
    let Some(stage) = scripted(&script()) else { return };
    let agent = "---\nname: pinned\ndescription: d\nmodel: claude-sonnet-4-5-20250929\n---\nyou\n";
    stage.sandbox.write(&stage.sandbox.home(".claude/agents/pinned.md"), agent);
    for (index, prompt) in
        ["start-explore", "start-pinned", "start-opus", "start-sonnet", "start-haiku", "start-fable"]
            .into_iter()
            .enumerate()
    {
        stage.ask(&[prompt]).exits(0);
        let posts = stage.only_the_chosen_heard();
        assert!(posts.len() >= 3 * (index + 1), "{prompt} started no sub-agent: {} posts", posts.len());
    }
    assert_eq!(models(&stage.only_the_chosen_heard()), ["m-main"], "sub-agents are flattened by default");

    stage.sandbox.shim("claude@inherits");
    for prompt in ["start-explore", "start-opus", "start-sonnet", "start-haiku", "start-fable"] {
        stage.sandbox.run("claude@inherits", &["-p", prompt]).exits(0);
    }
    assert_eq!(models(&stage.only_the_chosen_heard()), ["m-haiku", "m-main", "m-opus", "m-sonnet"]);
}
