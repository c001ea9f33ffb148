use std::fs;
use std::path::Path;

use super::Stage;
use crate::support::{real, run};

/// `p` takes no proxy, `q` whichever there is, and the user's `.env` names one.
fn stage(script: &str) -> Option<Stage> {
    let stage = Stage::scripted(script)?;
    let config = fs::read_to_string(stage.sandbox.home(".config/agent-run/config.yaml")).unwrap();
    stage.sandbox.config(&config.replacen(
        "default_model: model-p",
        "default_model: model-p, proxy: none",
        1,
    ));
    let dotenv = format!("MARK_DOTENV=MARK-VARIABLE\nHTTPS_PROXY={}\n", stage.b.url(""));
    stage.sandbox.write(&stage.sandbox.home(".codex/.env"), dotenv);
    Some(stage)
}

const DANGER: &str = "--dangerously-bypass-approvals-and-sandbox";

#[test]
fn a_launch_that_takes_the_dotenv_brings_it_to_no_session_that_does_not() {
    // The second launch starts while the first one's session runs, and a bare Codex after both.
    let command = "PATH=$PWD/../bin:$AGENTS:$PATH Q_KEY=k codex@q exec --skip-git-repo-check hi >/dev/null 2>&1; echo q=$?; \
        ls -a $CODEX_HOME | grep -cx .env; \
        echo proxy=$HTTPS_PROXY mark=$MARK_DOTENV";
    let call = serde_json::json!([{"tool": {"name": "exec_command",
        "arguments": {"cmd": command, "yield_time_ms": 30000}}}]);
    let Some(stage) = stage(&call.to_string()) else { return };
    let agents = std::env::join_paths(real::folders()).unwrap();
    let mut command = stage.command("codex@p", &["exec", DANGER, "hi"]);
    let ran = run(command.env("AGENTS", agents)).exits(0);
    ran.complains(&["/.codex/.env sets HTTPS_PROXY, which conflicts with this launch"]);
    let last = stage.a.posts().pop().unwrap();
    let items = last["body"]["input"].as_array().unwrap().iter();
    let output: Vec<_> = items.filter(|item| item["type"] == "function_call_output").collect();
    let output = serde_json::json!(output).to_string();
    assert!(output.contains("q=0\\n0\\nproxy= mark=\\n"), "{output}");
    assert_eq!(stage.b.posts().len(), 1, "the second launch asked its own provider");
    assert!(fs::read_to_string(stage.runtime().join(".env")).unwrap().contains("MARK-VARIABLE"));
}

#[test]
fn what_codex_writes_without_the_dotenv_is_there_with_it_and_the_other_way() {
    let Some(stage) = stage("[]") else { return };
    let beside = stage.state().join("home-without-env");
    let listed = |program: &str| stage.run(program, &["mcp", "list"]).exits(0).stdout;
    stage.run("codex@p", &["mcp", "add", "from-p", "--", "true"]).exits(0);
    stage.run("codex@q", &["mcp", "add", "from-q", "--", "true"]).exits(0);
    for program in ["codex@p", "codex@q"] {
        let listed = listed(program);
        assert!(listed.contains("from-p") && listed.contains("from-q"), "{program}: {listed}");
    }
    stage.run("codex@p", &["mcp", "remove", "from-q"]).exits(0);
    assert!(!listed("codex@q").contains("from-q"));
    let is_link = |path: &Path| fs::symlink_metadata(path).unwrap().is_symlink();
    assert!(is_link(&beside.join("config.toml")) && !is_link(&stage.runtime().join("config.toml")));

    stage.run("codex@p", &["mcp", "remove", "from-p"]).exits(0);
    stage.run("codex@p", &["exec", "one"]).exits(0);
    stage.run("codex@q", &["exec", "resume", "--last", "two"]).exits(0);
    stage.run("codex@p", &["exec", "resume", "--last", "three"]).exits(0);
    let said = super::lines(&stage.a.posts().pop().unwrap());
    let said: Vec<_> = said.iter().filter(|line| line.starts_with("user: ")).collect();
    assert_eq!(said, ["user: one", "user: two", "user: three"]);
    let made: Vec<_> = fs::read_dir(&beside)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !is_link(path))
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    let own =
        [".agent-run.json", ".sandbox_migration", "cache", "installation_id", "log", "models_cache.json"];
    let own = |name: &String| {
        own.contains(&name.as_str())
            || name.starts_with(".tmp")
            || ["shell_snapshots", "tmp"].contains(&&**name)
    };
    assert!(made.iter().all(own), "{made:?}");
}
