use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value as Json, json};

use crate::support::tree::{Tree, files_holding};
use crate::support::{Ran, Sandbox, run};

const CONFIG: &str = "\
providers:
  mock:
    protocols: [openai-chat-completions, anthropic]
    base_urls:
      openai: http://127.0.0.1:9/v1
      anthropic: http://127.0.0.1:9
    key_env: MOCK_KEY
    default_model: m1
    model_api_filters: []
    models: [{id: m1, context_window: 1000, max_output_tokens: 100, reasoning: true}, {id: m2}]
    tiers: {haiku: m2}
    headers: {X-Plain: a$b, X-Secret: \"k=${context:key}\"}
  other:
    protocols: [openai-chat-completions]
    base_urls: {openai: http://127.0.0.1:9/v1}
    default_model: m1
    model_api_filters: []
    models: [{id: m1}]
";

/// A home with settings of the user's own, and a repository to work in.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new().var("MOCK_KEY", "sk-canary");
    sandbox.config(CONFIG);
    sandbox.fake_agent("crush");
    sandbox.shim("crush@mock");
    sandbox.shim("crush@other");
    let own = r#"{"providers": {"openai": {"api_key": "sk-own"}}, "models": {"large": {"model": "x"}},
        "mcp": {"files": {"type": "stdio", "command": "serve"}}, "options": {"disable_notifications": true}}"#;
    sandbox.write(&sandbox.home(".config/crush/crush.json"), own);
    sandbox.write(&sandbox.home(".config/crush/crushrc"), "model large x\n");
    sandbox.write(&sandbox.home(".config/crush/CRUSH.md"), "RULE-42");
    let chosen = r#"{"models": {"large": {"model": "y"}}, "options": {"tui": {"compact_mode": true}}}"#;
    sandbox.write(&sandbox.home(".local/share/crush/crush.json"), chosen);
    sandbox.write(&sandbox.path("work/.git/HEAD"), "ref: refs/heads/main\n");
    sandbox
}

fn json(path: &Path) -> Json {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

#[track_caller]
fn session(ran: &Ran) -> PathBuf {
    ran.args()[0].strip_prefix("--data-dir=").expect("the session folder").into()
}

fn config(sandbox: &Sandbox) -> PathBuf {
    sandbox.home(".cache/agent-run/crush/mock/config")
}

#[test]
fn crush_finds_the_choice_in_files_of_ours() {
    let sandbox = sandbox();
    let ran = sandbox.run("crush@mock", &["run", "-q", "two words"]).clean();
    assert_eq!(ran.args()[1..], ["run", "-q", "two words"]);
    assert_eq!(ran.env("CRUSH_GLOBAL_CONFIG"), config(&sandbox).to_str());
    assert_eq!(ran.env("CRUSH_GLOBAL_DATA"), sandbox.home(".local/state/agent-run/crush/global").to_str());
    assert_eq!(ran.env("AGENT_RUN_API_KEY"), Some("sk-canary"));
    assert_eq!(ran.env("AGENT_RUN_HEADER_2"), Some("k=sk-canary"));

    let global = json(&config(&sandbox).join("crush.json"));
    let provider = &global["providers"]["agent-run-mock"];
    assert_eq!(provider["base_url"], "http://127.0.0.1:9/v1");
    assert_eq!(provider["models"][0]["default_max_tokens"], 100);
    assert_eq!(
        provider["extra_headers"],
        json!({"X-Plain": "$AGENT_RUN_HEADER_1", "X-Secret": "$AGENT_RUN_HEADER_2"})
    );
    assert_eq!(global["models"]["small"]["model"], "m2");
    let session = json(&session(&ran).join("crush.json"));
    assert_eq!(session["models"]["large"]["model"], "m1");
    assert_eq!(session["providers"]["agent-run-mock"]["api_key"], "$AGENT_RUN_API_KEY");
}

#[test]
fn the_other_protocol_is_another_type_of_provider() {
    let sandbox = sandbox();
    let ran =
        sandbox.agent_run(&["launch", "mock", "--protocol", "anthropic", "crush", "--", "run", "x"]).clean();
    assert_eq!(ran.args()[1..], ["run", "x"]);
    let provider = &json(&session(&ran).join("crush.json"))["providers"]["agent-run-mock"];
    assert_eq!(
        (&provider["type"], &provider["api_key"]),
        (&json!("anthropic"), &json!("Bearer $AGENT_RUN_API_KEY"))
    );
    assert_eq!((ran.env("ANTHROPIC_AUTH_TOKEN"), ran.env("ANTHROPIC_CUSTOM_HEADERS")), (Some(""), Some("")));
}

#[test]
fn the_users_own_files_are_carried_over_and_left_as_they_were() {
    let sandbox = sandbox();
    let before = Tree::of(&sandbox.home(""));
    let ran = sandbox.run("crush@mock", &[]).clean();
    before.is_unharmed(&sandbox.home(""));
    let global = json(&config(&sandbox).join("crush.json"));
    assert_eq!(global["mcp"]["files"]["command"], "serve");
    assert_eq!(
        (&global["options"]["notifications"], &global["options"]["tui"]),
        (&json!("disabled"), &json!({"compact_mode": true}))
    );
    assert_eq!(fs::read_to_string(config(&sandbox).join("CRUSH.md")).unwrap(), "RULE-42");
    let wrapper = fs::read_to_string(config(&sandbox).join("crushrc")).unwrap();
    assert!(
        wrapper.ends_with(&format!("source {}\n", sandbox.home(".config/crush/crushrc").display())),
        "{wrapper}"
    );
    for secret in ["sk-canary", "sk-own"] {
        for ours in [".cache", ".local/state"] {
            assert_eq!(files_holding(&sandbox.home(ours), secret), Vec::<PathBuf>::new(), "{secret}");
        }
        assert!(!ran.args().iter().any(|arg| arg.contains(secret)));
    }
}

#[test]
fn a_script_of_the_users_runs_without_choosing_a_model() {
    let sandbox = sandbox();
    let script = "provider add evil; model large evil; . ./more; option debug true\n";
    sandbox.write(&sandbox.home(".config/crush/crushrc"), script);
    sandbox.write(&sandbox.home(".config/crush/more"), "option progress false\n");
    sandbox.run("crush@mock", &[]).clean();
    let wrapper = config(&sandbox).join("crushrc");
    let shell = "option() { echo option \"$@\"; }; . \"$0\"";
    let ran = run(sandbox.command("bash").args(["-c", shell]).arg(&wrapper)).clean();
    assert_eq!(ran.stdout, "option progress false\noption debug true\n");
    fs::remove_file(sandbox.home(".config/crush/crushrc")).unwrap();
    sandbox.run("crush@mock", &[]).clean();
    assert_eq!(fs::read_to_string(wrapper).unwrap(), "", "Crush skips an empty one");
}

#[test]
fn sessions_are_kept_by_provider_and_project() {
    let sandbox = sandbox();
    let in_folder = |shim: &str, folder: &str, words: &[&str]| {
        fs::create_dir_all(sandbox.path(folder)).unwrap();
        session(&run(sandbox.command(shim).current_dir(sandbox.path(folder)).args(words)).clean())
    };
    let here = in_folder("crush@mock", "work", &[]);
    assert!(here.is_dir() && here.starts_with(sandbox.home(".local/state/agent-run/crush/data/mock")));
    assert_eq!(in_folder("crush@mock", "work/deep/er", &[]), here, "a repository is one project");
    assert_eq!(in_folder("crush@mock", "other", &["--cwd", "../work"]), here);
    assert_ne!(in_folder("crush@mock", "other", &[]), here);
    assert_ne!(in_folder("crush@other", "work", &[]), here);
}

#[test]
fn the_projects_commands_are_shown_while_they_are_there() {
    let sandbox = sandbox();
    let commands = sandbox.path("work/.crush/commands");
    sandbox.write(&commands.join("a.md"), "A");
    sandbox.write(&commands.join("deep/b.md"), "B");
    sandbox.write(&sandbox.path("work/.crush/init"), "");
    let before = Tree::of(&sandbox.path("work"));
    let session = session(&sandbox.run("crush@mock", &[]).clean());
    assert_eq!(fs::read_to_string(session.join("commands/a.md")).unwrap(), "A");
    assert_eq!(fs::read_to_string(session.join("commands/deep/b.md")).unwrap(), "B");
    assert!(fs::symlink_metadata(session.join("commands/deep")).unwrap().is_dir(), "a folder, not a link");
    assert!(session.join("init").exists());
    before.is_unharmed(&sandbox.path("work"));
    fs::remove_dir_all(commands.join("deep")).unwrap();
    sandbox.run("crush@mock", &[]).clean();
    assert!(fs::symlink_metadata(session.join("commands/deep/b.md")).is_err(), "no dead link");
    assert!(session.join("commands/a.md").exists());
}

#[test]
fn settings_that_crush_refuses_stop_the_launch() {
    let sandbox = sandbox();
    let path = sandbox.home(".config/crush/crush.json");
    sandbox.write(&path, "{\n  // comment\n}\n");
    let place = format!("{}:2:3: ", path.display());
    let ran = sandbox.run("crush@mock", &["run", "x"]).exits(125).complains(&[&place, "\nhelp: "]);
    assert_eq!(ran.stdout, "", "Crush was not started");
    assert!(!config(&sandbox).exists(), "and nothing was prepared");
}

#[test]
fn a_folder_of_the_users_own_is_used_with_a_warning() {
    let sandbox = sandbox();
    let ran = sandbox.run("crush@mock", &["-D", "mine"]).exits(0).complains(&["--data-dir", "help: "]);
    assert_eq!(ran.args(), ["-D", "mine"]);
    assert!(!sandbox.home(".local/state/agent-run/crush/data").exists());
}

#[test]
fn a_launch_within_a_launch_finds_the_users_own_settings() {
    let sandbox = sandbox().var("CRUSH_GLOBAL_CONFIG", "own");
    sandbox.write(&sandbox.path("work/own/crush.json"), r#"{"lsp": {"here": {"command": "x"}}}"#);
    let outer = "#!/bin/sh\n[ \"$AGENT_RUN_DEPTH\" = 1 ] && exec crush@other\nenv\n";
    sandbox.script("crush", outer);
    let ran = sandbox.run("crush@mock", &[]).clean();
    assert_eq!(ran.env("AGENT_RUN_ORIG_CRUSH_GLOBAL_CONFIG"), Some("own"));
    assert_eq!(ran.env("AGENT_RUN_ORIG_CRUSH_GLOBAL_DATA"), Some(""));
    assert_eq!(ran.env("AGENT_RUN_API_KEY"), None, "the outer key stays outside");
    let inner = json(&sandbox.home(".cache/agent-run/crush/other/config/crush.json"));
    assert_eq!(inner["lsp"]["here"]["command"], "x");
    assert_eq!(
        inner["options"]["tui"]["compact_mode"], true,
        "the user's own choices, not the outer launch's"
    );
}

#[test]
fn a_project_cannot_slip_a_proxy_in() {
    let sandbox = sandbox();
    let ran = sandbox.run("crush@mock", &[]).clean();
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "https_proxy", "OPENAI_CUSTOM_HEADERS"] {
        assert_eq!(ran.env(name), Some(""), "a .env sets only what is not set: {name}");
        let pins = &json(&session(&ran).join("crush.json"))["env"];
        assert_eq!(pins[name], format!("${name}"));
    }
}

#[test]
fn launches_at_once_and_without_a_cache_leave_whole_files() {
    let sandbox = sandbox();
    for _ in 0..5 {
        let mut both: Vec<_> =
            (0..2).map(|_| sandbox.command("crush@mock").stdout(Stdio::null()).spawn().unwrap()).collect();
        for child in &mut both {
            assert!(child.wait().unwrap().success());
        }
        assert!(json(&config(&sandbox).join("crush.json"))["providers"]["agent-run-mock"].is_object());
        fs::remove_dir_all(sandbox.home(".cache")).unwrap();
    }
}
