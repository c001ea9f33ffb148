//! The provider's models in Codex' own picker.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::terminal::Terminal;
use super::{Stage, lines};
use crate::support::lists::Lists;
use crate::support::{MockProvider, real, run};

/// `p` with two models in the config, and a list of its own that is on disk.
fn offer(stage: &Stage) -> Lists {
    let lists = Lists::json(
        r#"{"data": [{"id": "model-p"}, {"id": "vendor/listed", "context_length": 64000,
            "supported_parameters": ["tools"]}]}"#,
    );
    stage.sandbox.config(&format!(
        "providers:\n  p: {{protocols: [openai-responses], base_urls: {{openai: '{}'}}, key_env: P_KEY, \
         models_url: 'http://{}/models', default_model: model-p, models: [{{id: named, reasoning: true}}]}}\n",
        stage.a.url("/v1"),
        lists.address
    ));
    stage.sandbox.agent_run(&["models", "list", "p"]).clean();
    lists
}

/// What Codex itself gives a model: its instructions, wherever they are said, and the tools.
fn given(mock_provider: &MockProvider) -> (String, Json) {
    let post = mock_provider.wait_for_turn(1);
    let body = &post["body"];
    let instructions = body["instructions"].as_str().or(body["input"][0]["content"][0]["text"].as_str());
    // Some describe the models that there are.
    let tools =
        body["tools"].as_array().expect("tools").iter().map(|tool| json!([tool["type"], tool["name"]]));
    (instructions.unwrap_or_default().to_owned(), tools.collect())
}

#[test]
fn a_model_of_the_catalogue_is_given_what_codex_gives_any_model() {
    let Some(stage) = Stage::set() else { return };
    stage.own_config("", "");
    let _lists = offer(&stage);
    let plain = stage.run("codex", &["exec", "hi"]).exits(0);
    assert!(plain.stderr.contains("Model metadata"), "else it proves nothing: {}", plain.stderr);
    let ours = stage.run("codex@p", &["exec", "hi"]).exits(0);
    assert!(!ours.stderr.contains("Model metadata"), "{}", ours.stderr);
    let (plain, ours) = (given(&stage.b), given(&stage.a));
    assert!(ours.0.starts_with("You are a coding agent running in the Codex CLI"), "{}", ours.0);
    assert_eq!(ours.0, plain.0, "instructions.md is that of another version");
    assert_eq!(ours.1, plain.1);
    let body = stage.a.wait_for_turn(1)["body"].clone();
    assert!(body["reasoning"]["effort"].is_null(), "{}", body["reasoning"]);
}

/// A plain Codex sends any effort to a model that it does not know; with a list it takes none that is not in it (0.171).
#[test]
fn a_role_with_an_effort_starts_on_a_model_of_which_nothing_is_known() {
    let script = r#"[{"last_user": "ask for help", "times": 1,
          "tool": {"name": "spawn_agent", "arguments": {"message": "a task", "agent_type": "r"}}},
        {"last_user": "ask for help", "contains": "function_call_output", "delay_ms": 60000,
         "delay_until": ["a task"], "text": "done"}]"#;
    let Some(stage) = Stage::scripted(script) else { return };
    stage.own_config("", "");
    let role = "name = 'r'\ndescription = 'd'\ndeveloper_instructions = 'ROLE-TEXT'\n\
        model_reasoning_effort = 'xhigh'\n";
    stage.sandbox.write(&stage.sandbox.home(".codex/agents/r.toml"), role);
    stage.run("codex@p", &["exec", "ask for help"]).exits(0);
    let posts = stage.a.posts();
    let of_role = posts.iter().find(|post| post["body"].to_string().contains("ROLE-TEXT"));
    let of_role = of_role.unwrap_or_else(|| panic!("no sub-agent: {posts:#?}"));
    assert_eq!(of_role["body"]["reasoning"]["effort"], "xhigh");
}

#[test]
fn the_picker_has_the_providers_models_and_a_pick_is_asked_for() {
    let Some(stage) = Stage::set() else { return };
    let _lists = offer(&stage);
    let Some(terminal) = Terminal::start(&stage, "codex@p") else { return };
    terminal.trust();
    terminal.0.wait_for("model-p @ p");
    terminal.0.text("/model");
    terminal.0.wait_for("› /model");
    // Enter right after a text counts as pasted; it is pressed once, or a model would be picked.
    std::thread::sleep(Duration::from_secs(1));
    terminal.0.key("Enter");
    let screen = terminal.0.wait_for("Select Model");
    for model in ["model-p @ p", "named @ p", "vendor/listed @ p", "64k tokens"] {
        assert!(screen.contains(model), "{model}: {screen}");
    }
    assert!(!screen.contains("gpt-"), "{screen}");
    terminal.0.key("Down");
    terminal.0.wait_for("› 2. named @ p");
    terminal.0.key("Enter");
    terminal.0.wait_for("Select Reasoning Level");
    terminal.0.key("Enter");
    terminal.0.wait_for("Model changed to named medium");
    terminal.say("/status");
    let screen = terminal.0.wait_for("Model provider:");
    assert!(screen.contains("named @ p (reasoning medium"), "{screen}");
    terminal.say("one");
    let post = stage.a.wait_for_turn(1);
    assert_eq!((&post["model"], lines(&post)), (&"named".into(), vec!["user: one".to_owned()]));
    assert_eq!(post["body"]["reasoning"]["effort"], "medium");
    terminal.0.wait_for("PONG-FROM-MOCK");
    terminal.quit();
    drop(terminal);
    // The next launch has its own model again.
    let Some(terminal) = Terminal::start(&stage, "codex@p") else { return };
    terminal.0.wait_for("model-p @ p");
}

#[test]
fn the_oldest_codex_takes_the_catalogue_too() {
    let Some(sandbox) = real::minimum("codex") else { return };
    let stage = Stage::on(sandbox, "[]");
    let _lists = offer(&stage);
    let ran = stage.run("codex@p", &["exec", "hi"]).exits(0);
    assert!(!ran.stderr.contains("Model metadata"), "{}", ran.stderr);
    let post = stage.only_post();
    assert_eq!(post["model"], "model-p");
    let (instructions, _) = given(&stage.a);
    assert!(instructions.starts_with("You are a coding agent running in the Codex CLI"), "{instructions}");
}

#[test]
fn a_trusted_projects_catalogue_is_not_looked_for() {
    let Some(stage) = Stage::set() else { return };
    stage.own_config("", "");
    let project = stage.sandbox.path("work/.codex/config.toml");
    // Else Codex ends at once: there is no such file.
    stage
        .sandbox
        .write(&project, "model_catalog_json = '/nowhere/models.json'\nmodel_context_window = 1000\n");
    let ran = stage.run("codex@p", &["exec", "hi"]).exits(0);
    assert!(!ran.stderr.contains("context budget"), "the project's window counts: {}", ran.stderr);
    assert_eq!(stage.only_post()["model"], "model-p");
}

/// Codex then reads the user's settings again as a project's, above those that were made of them.
#[test]
fn a_home_folder_that_is_a_trusted_project_does_not_undo_the_launch() {
    let Some(stage) = Stage::set() else { return };
    let home = stage.sandbox.home("");
    let top = "model_catalog_json = '/nowhere/models.json'\nmodel_context_window = 1000\nreview_model = 'x'\n\
        model_auto_compact_token_limit = 1\nforced_login_method = 'chatgpt'\nsqlite_home = '/nowhere'";
    let trust = format!("[projects.'{}']\ntrust_level = 'trusted'", home.display());
    stage.own_config(top, &trust);
    let at_home = |program: &str, words: &[&str]| {
        let mut command = stage.command(program, words);
        run(command.current_dir(&home))
    };
    at_home("git", &["init", "-q"]).clean();
    let ran = at_home("codex@p", &["exec", "hi"]).exits(0);
    assert!(
        !ran.stderr.contains("warning: Exceeded") && !ran.stderr.contains("agent-run:"),
        "{}",
        ran.stderr
    );
    let post = stage.only_post();
    assert_eq!((&post["model"], post["path"].as_str()), (&"model-p".into(), Some("/v1/responses")));
}

/// The list is long, and what the config names is always there.
#[test]
fn a_long_list_is_offered_in_part() {
    let Some(stage) = Stage::set() else { return };
    let models: Vec<_> = (0..500).map(|at| format!(r#"{{"id": "m-{at:03}"}}"#)).collect();
    let lists = Lists::json(&format!(r#"{{"data": [{}]}}"#, models.join(",")));
    stage.sandbox.config(&format!(
        "providers:\n  p: {{protocols: [openai-responses], base_urls: {{openai: '{}'}}, key_env: P_KEY, \
         models_url: 'http://{}/models', default_model: m-499, tiers: {{haiku: m-498}}, models: [{{id: mine}}]}}\n",
        stage.a.url("/v1"),
        lists.address
    ));
    stage.sandbox.agent_run(&["models", "list", "p"]).clean();
    stage.run("codex@p", &["exec", "hi"]).exits(0);
    assert_eq!(stage.only_post()["model"], "m-499");
    let shown = stage.run("codex@p", &["debug", "models"]).exits(0).stdout;
    let catalogue: Json = serde_json::from_str(&shown).expect("JSON");
    let slugs: Vec<_> = catalogue["models"].as_array().unwrap().iter().map(|it| it["slug"].clone()).collect();
    assert_eq!(slugs[..4], ["m-499", "m-498", "mine", "m-000"]);
    assert_eq!(slugs.len(), 43);
}
