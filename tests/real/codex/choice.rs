use std::fs;

use super::{Stage, header};
use crate::support::tree::Tree;

#[test]
fn case_01_a_first_launch_on_an_empty_home() {
    let Some(stage) = Stage::set() else { return };
    let ran = stage.run("codex@p", &["exec", "hi"]).exits(0);
    assert_eq!(ran.stdout, "PONG-FROM-MOCK\n");
    assert!(!ran.stderr.contains("agent-run:"), "{}", ran.stderr);
    let post = stage.only_post();
    assert_eq!(post["path"], "/v1/responses");
    assert_eq!(post["model"], "model-p");
    assert_eq!(header(&post, "authorization"), Some("Bearer sk-planted-p"));
    assert!(!stage.sandbox.home(".codex").exists());
}

#[test]
fn case_02_the_users_own_provider_is_neither_asked_nor_its_config_touched() {
    let Some(stage) = Stage::set() else { return };
    let config = stage.own_config("", "");
    let (before, home) = (fs::metadata(&config).unwrap(), Tree::of(&stage.sandbox.home(".codex")));
    stage.run("codex@p", &["exec", "hi"]).exits(0);
    assert_eq!(stage.only_post()["model"], "model-p");
    assert_eq!(fs::metadata(&config).unwrap().modified().unwrap(), before.modified().unwrap());
    home.is_unharmed(&stage.sandbox.home(".codex"));
}

#[test]
fn case_03_a_keyless_provider_gets_no_key_of_anyones() {
    for stage in Stage::of_both("[]") {
        let url = stage.a.url("/v1");
        stage.sandbox.config(&format!(
            "providers:\n  p: {{protocols: [openai-responses], base_urls: {{openai: '{url}'}}, default_model: m}}\n"
        ));
        // As `codex@p login --with-api-key` leaves it.
        let login = r#"{"auth_mode": "apikey", "OPENAI_API_KEY": "sk-own-0123456789"}"#;
        stage.sandbox.write(&stage.runtime().join("auth.json"), login);
        let mut command = stage.command("codex@p", &["exec", "hi"]);
        command.env("OPENAI_API_KEY", "sk-openai").env("CODEX_API_KEY", "sk-codex");
        crate::support::run(&mut command).exits(0);
        assert_eq!(header(&stage.only_post(), "authorization"), None);
        stage.run("codex@p", &["login", "status"]).exits(0).complains(&["API key"]);
    }
}

#[test]
fn case_04_a_trailing_slash_is_no_part_of_the_path() {
    let Some(stage) = Stage::set() else { return };
    stage.serve_p_at(&stage.a.url("/v1/"));
    stage.run("codex@p", &["exec", "hi"]).exits(0);
    assert_eq!(stage.only_post()["path"], "/v1/responses");
}

#[test]
fn case_16_a_config_that_codex_itself_refuses() {
    let Some(stage) = Stage::set() else { return };
    let own = "\u{feff}profile = 'x'\r\nfeatures = { goals = false }\r\n\
        tui = { theme = 'grün' }\r\n[profiles.x]\r\nmodel = 'y'\r\n\
        [model_providers]\r\nopenai = { name = 'o', base_url = 'http://127.0.0.1:9' }\r\n\
        old = { name = 'ö', base_url = 'http://127.0.0.1:9', wire_api = 'chat' }\r\n";
    stage.sandbox.write(&stage.sandbox.home(".codex/config.toml"), own);
    assert_ne!(stage.run("codex", &["exec", "hi"]).code, 0, "else the case proves nothing");
    let ran = stage.run("codex@p", &["exec", "hi"]).exits(0);
    let ran = ran.complains(&["agent-run: warning: ignored in ", "`profile`", "openai]", "old]"]);
    assert_eq!(ran.stdout, "PONG-FROM-MOCK\n");
    assert_eq!(stage.only_post()["model"], "model-p");
}

#[test]
fn case_17_a_broken_config_is_named_and_nothing_is_started() {
    let Some(stage) = Stage::set() else { return };
    let config = stage.sandbox.home(".codex/config.toml");
    stage.sandbox.write(&config, "model = 'x'\n\n[tui\n");
    let ran = stage.run("codex@p", &["exec", "hi"]).exits(125);
    ran.complains(&[&format!("agent-run: could not read {}:3:5: ", config.display()), "\nhelp: "]);
    assert!(stage.a.requests().is_empty());
    assert!(!stage.runtime().exists() && !stage.state().exists());
}

#[test]
fn case_18_a_profile_of_the_users_does_not_change_the_provider() {
    let Some(stage) = Stage::set() else { return };
    stage.own_config("", "");
    let work = stage.sandbox.home(".codex/work.config.toml");
    stage.sandbox.write(&work, "model = 'model-work'\nmodel_provider = 'plain'\n");
    stage.run("codex@p", &["-p", "work", "exec", "hi"]).exits(0);
    assert_eq!(stage.only_post()["model"], "model-p");
}

#[test]
fn case_19_ignoring_the_users_config_does_not_lose_the_provider() {
    let Some(stage) = Stage::set() else { return };
    stage.run("codex@p", &["exec", "--ignore-user-config", "hi"]).exits(0);
    assert_eq!(stage.only_post()["model"], "model-p");
    assert!(stage.state().join("sqlite/state_5.sqlite").exists(), "the database is where it always is");
}

#[test]
fn case_21_the_users_own_model_option_wins() {
    let Some(stage) = Stage::set() else { return };
    stage.run("codex@p", &["exec", "-m", "other", "hi"]).exits(0);
    assert_eq!(stage.only_post()["model"], "other");
}

#[test]
fn case_23_the_users_instructions_skills_and_variables_are_there() {
    let script = r#"[{"tool": {"name": "exec_command", "arguments": {"cmd": "echo dotenv=$MARK_DOTENV"}}}]"#;
    let Some(stage) = Stage::scripted(script) else { return };
    stage.own_config("model_instructions_file = 'instr.md'\n[agents.r]\nconfig_file = 'agents/r.toml'\ndescription = 'MARK-AGENT'", "");
    for (name, text) in [
        ("AGENTS.md", "MARK-INSTRUCTIONS"),
        ("instr.md", "MARK-MODEL-INSTRUCTIONS"),
        (".env", "MARK_DOTENV=MARK-VARIABLE\n"),
        ("agents/r.toml", "developer_instructions = 'be brief'\n"),
        ("skills/x/SKILL.md", "---\nname: x\ndescription: MARK-SKILL\n---\nbody\n"),
    ] {
        stage.sandbox.write(&stage.sandbox.home(".codex").join(name), text);
    }
    let words = ["exec", "--dangerously-bypass-approvals-and-sandbox", "hi"];
    stage.run("codex@p", &words).exits(0);
    let posts = stage.a.posts();
    let (first, last) = (posts[0]["body"].to_string(), posts.last().unwrap()["body"].to_string());
    for mark in ["MARK-INSTRUCTIONS", "MARK-MODEL-INSTRUCTIONS", "MARK-SKILL", "MARK-AGENT"] {
        assert!(first.contains(mark), "{mark} in {first}");
    }
    assert!(last.contains("dotenv=MARK-VARIABLE"), "{last}");
    assert!(stage.b.requests().is_empty());
}

#[test]
fn case_25_a_proxy_never_sees_a_provider_on_this_machine() {
    let Some(stage) = Stage::set() else { return };
    let mut command = stage.command("codex@p", &["exec", "hi"]);
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, stage.b.url(""));
    }
    crate::support::run(command.env("NO_PROXY", "corp")).exits(0);
    assert_eq!(stage.a.posts().len(), 1);
    let through = |request: &serde_json::Value| request.to_string().contains(&stage.a.address);
    assert!(!stage.b.requests().iter().any(through), "{:#?}", stage.b.requests());
}

#[test]
fn a_dotenv_of_the_users_does_not_undo_the_launch() {
    let Some(stage) = Stage::set() else { return };
    let dotenv = format!("HTTP_PROXY={0}\nhttp_proxy={0}\nNO_PROXY=corp\nno_proxy=corp\n", stage.b.url(""));
    stage.sandbox.write(&stage.sandbox.home(".codex/.env"), dotenv);
    let ran = stage.run("codex@p", &["exec", "hi"]).exits(0);
    ran.complains(&["/.codex/.env sets NO_PROXY, which conflicts with this launch"]);
    assert_eq!(stage.a.posts().len(), 1);
    assert!(stage.b.posts().is_empty());
}

#[test]
fn a_trusted_projects_settings_do_not_undo_the_launch() {
    let Some(stage) = Stage::set() else { return };
    let project = stage.sandbox.path("work");
    stage.own_config("", "");
    let text = "model = 'model-project'\nmodel_provider = 'plain'\nsqlite_home = '/nowhere'\n";
    stage.sandbox.write(&project.join(".codex/config.toml"), text);
    stage.run("codex@p", &["exec", "hi"]).exits(0);
    assert_eq!(stage.only_post()["model"], "model-p");
}

#[test]
fn an_isolated_home_has_nothing_of_the_users() {
    let Some(stage) = Stage::set() else { return };
    let url = stage.a.url("/v1");
    stage.sandbox.config(&format!(
        "providers:\n  p: {{protocols: [openai-responses], base_urls: {{openai: '{url}'}}, key_env: P_KEY, \
         default_model: m, isolated: true}}\n"
    ));
    stage.own_config("developer_instructions = 'MARK-CONFIG'", "");
    stage.sandbox.write(&stage.sandbox.home(".codex/AGENTS.md"), "MARK-INSTRUCTIONS");
    stage.run("codex@p", &["exec", "hi"]).exits(0);
    let body = stage.only_post()["body"].to_string();
    assert!(!body.contains("MARK-"), "{body}");
}

#[test]
fn minimal_tools_are_functions_for_every_model() {
    let Some(stage) = Stage::set() else { return };
    let url = stage.a.url("/v1");
    stage.sandbox.config(&format!(
        "providers:\n  p: {{protocols: [openai-responses], base_urls: {{openai: '{url}'}}, key_env: P_KEY, \
         default_model: m, codex: {{tools: minimal}}}}\n"
    ));
    stage.own_config("web_search = 'live'", "[mcp_servers.mine]\nurl = 'http://127.0.0.1:9/x'");
    for model in ["m", "openai/gpt-5.5", "gpt-6-astra"] {
        stage.run("codex@p", &["exec", "-m", model, "hi"]).exits(0);
        let post = stage.a.posts().pop().unwrap();
        assert_eq!(post["model"], model);
        let tools = post["body"]["tools"].as_array().expect("tools");
        assert!(tools.len() > 1 && tools.iter().all(|tool| tool["type"] == "function"), "{tools:#?}");
        assert_eq!(post["body"]["reasoning"], serde_json::json!({}));
    }
}
