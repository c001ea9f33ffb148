use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::{PONG, Stage, last_message, turns};
use crate::support::run;
use crate::support::tmux::Tmux;
use crate::support::tree::Tree;

#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn case_12_a_session_goes_on_in_its_own_project_only() {
    let Some(stage) = Stage::new() else { return };
    stage.pongs();
    let before = stage.mock.posts().len();
    stage.sandbox.run("crush@mock", &["run", "-C", "again"]).exits(0);
    let posts = stage.mock.posts();
    assert_eq!(posts.len(), before + 1, "no second title");
    let messages = posts[before]["body"]["messages"].to_string();
    assert!(messages.contains("say pong") && messages.contains("again"), "{messages}");

    stage.repository("elsewhere");
    let mut elsewhere = stage.sandbox.command("crush@mock");
    let ran =
        run(elsewhere.args(["run", "-C", "again"]).current_dir(stage.sandbox.path("elsewhere"))).exits(1);
    assert!(ran.stderr.to_lowercase().contains("no sessions found to continue"), "{}", ran.stderr);
}

#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn case_13_crushs_own_commands_see_the_launch() {
    let Some(stage) = Stage::new() else { return };
    stage.pongs();
    let sessions = stage.sandbox.run("crush@mock", &["session", "list", "--json"]).exits(0).stdout;
    assert_eq!(serde_json::from_str::<Json>(&sessions).unwrap().as_array().map(Vec::len), Some(1));
    let models = stage.sandbox.run("crush@mock", &["models"]).exits(0).stdout;
    let models: Vec<_> = models.lines().collect();
    let ids: Vec<_> = models.iter().filter_map(|model| model.split_once('/')).collect();
    assert!(ids.iter().all(|(id, _)| id.starts_with("agent-run-mock-") && id == &ids[0].0), "{models:?}");
    assert_eq!(ids.iter().map(|(_, model)| *model).collect::<Vec<_>>(), ["mock-model", "mock-model-small"]);
    let ran = stage.sandbox.run("crush@mock", &["dirs"]).exits(0);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    let wanted = [stage.config(), stage.global()].map(|dir| dir.display().to_string());
    assert!(wanted.iter().all(|dir| said.contains(dir)), "{said}");
}

#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn case_14_a_session_goes_on_at_another_provider_with_the_model_of_that() {
    let Some(stage) = Stage::new() else { return };
    stage.pongs();
    stage.sandbox.run("crush@mock2", &["run", "-C", "x"]).exits(0);
    let there = turns(&stage.silent);
    assert_eq!(there.len(), 1, "the second provider was meant");
    assert!(there[0]["body"]["messages"].to_string().contains("say pong"), "the session went on");
    stage.sandbox.run("crush@mock", &["run", "-C", "y"]).exits(0);
    let here = turns(&stage.mock);
    assert_eq!(here.len(), 2);
    let messages = here[1]["body"]["messages"].to_string();
    assert!(messages.contains("say pong") && messages.contains("PONG-FROM-MOCK"), "{messages}");
    assert_eq!((stage.sessions("crush@mock"), stage.sessions("crush@mock2")), (1, 1));
    assert_ne!(stage.runtime("mock"), stage.runtime("mock2"));
}

#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn a_session_is_taken_up_with_the_launchs_model() {
    let Some(stage) = Stage::new() else { return };
    let words = ["launch", "mock", "--model", "mock-model-small", "crush", "run", "-q", "one"];
    stage.sandbox.agent_run(&words).exits(0);
    stage.sandbox.run("crush@mock", &["run", "-q", "-C", "two"]).exits(0);
    let models: Vec<_> = turns(&stage.mock).iter().map(|turn| turn["model"].clone()).collect();
    assert_eq!(models, ["mock-model-small", "mock-model"]);
}

#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn case_19_piped_text_and_a_dash_dash_reach_crush() {
    let Some(stage) = Stage::new() else { return };
    run(stage.sandbox.command("sh").args(["-c", "printf ctx | crush@mock run q"])).exits(0);
    assert!(
        last_message(&turns(&stage.mock)[0]).contains(r"ctx\n\nq"),
        "{}",
        last_message(&turns(&stage.mock)[0])
    );
    let words = ["launch", "mock", "crush", "--", "run", "-q", "say pong"];
    assert_eq!(stage.sandbox.agent_run(&words).exits(0).stdout, PONG);
}

#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn case_21_a_model_picked_in_crush_is_kept_from_plain_crush_and_the_next_launch() {
    let Some(stage) = Stage::new() else { return };
    let own = stage.sandbox.home(".local/share/crush");
    stage.sandbox.write(&own.join("crush.json"), "{}");
    let before = Tree::of(&own);
    stage.sandbox.write(&stage.sandbox.path("work/AGENTS.md"), "Answer briefly.");
    let tmux = Tmux::start(&stage.sandbox, "crush@mock");
    tmux.wait_for("mock-model");
    tmux.key("C-l");
    tmux.wait_for("mock-model-small");
    tmux.text("small");
    tmux.key("Enter");
    let choices = stage.global().join("crush.json");
    let start = Instant::now();
    while !fs::read_to_string(&choices).is_ok_and(|text| text.contains("mock-model-small")) {
        assert!(start.elapsed() < Duration::from_secs(30), "not picked:\n{}", tmux.screen());
        std::thread::sleep(Duration::from_millis(150));
    }
    drop(tmux);
    assert_eq!(Tree::of(&own), before);
    stage.say_pong().exits(0);
    assert_eq!(turns(&stage.mock)[0]["model"], "mock-model");
}
