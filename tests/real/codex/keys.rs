use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::{Stage, header};
use crate::support::tree::files_holding;

/// Shows the environment, then waits until it is let go.
const SHOW: &str = r#"[{"tool": {"name": "exec_command", "arguments": {"cmd":
    "env; touch started; until [ -e go ]; do sleep 0.1; done", "yield_time_ms": 20000}}}]"#;

const EXEC: [&str; 3] = ["exec", "--dangerously-bypass-approvals-and-sandbox", "hi"];

#[track_caller]
fn wait_for(path: &Path) {
    let start = Instant::now();
    while !path.exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "{} never came", path.display());
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn started(mut command: Command, work: &Path) -> Child {
    let child =
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    wait_for(&work.join("started"));
    child
}

impl Stage {
    #[track_caller]
    fn key_is_nowhere(&self) {
        for place in [self.runtime(), self.state(), self.sandbox.home(".codex"), self.sandbox.path("tmp")] {
            assert_eq!(files_holding(&place, "sk-planted-p"), Vec::<std::path::PathBuf>::new());
        }
    }

    /// What the commands of the last turn printed.
    #[track_caller]
    fn tool_output(&self) -> String {
        let posts = self.a.posts();
        let input = posts.last().unwrap()["body"]["input"].as_array().unwrap().clone();
        let outputs = input.iter().filter(|item| item["type"] == "function_call_output");
        let text: String = outputs.map(|item| item["output"].to_string()).collect();
        assert!(text.contains("CODEX_HOME="), "{text}");
        text
    }
}

#[test]
fn case_14_commands_and_files_never_hold_the_key() {
    for stage in Stage::of_both(SHOW) {
        let work = stage.sandbox.path("work");
        let mut child = started(stage.command("codex@p", &EXEC), &work);
        stage.key_is_nowhere();
        stage.sandbox.write(&work.join("go"), "");
        assert!(child.wait().unwrap().success());
        stage.key_is_nowhere();
        assert_eq!(header(&stage.a.posts()[0], "authorization"), Some("Bearer sk-planted-p"));
        assert!(!stage.tool_output().contains("sk-planted-p"), "{}", stage.tool_output());

        std::fs::remove_file(work.join("go")).unwrap();
        std::fs::remove_file(work.join("started")).unwrap();
        let mut child = started(stage.command("codex@p", &EXEC), &work);
        crate::support::run(stage.sandbox.command("kill").args(["-TERM", &child.id().to_string()])).clean();
        // The oldest one ends with 0 (0.158, 0.165).
        child.wait().unwrap();
        stage.sandbox.write(&work.join("go"), "");
        stage.key_is_nowhere();
    }
}

#[test]
fn no_form_of_filter_shows_the_key_to_commands() {
    let script = r#"[{"tool": {"name": "exec_command", "arguments": {"cmd": "env"}}}]"#;
    let Some(stage) = Stage::scripted(script) else { return };
    let project = stage.sandbox.path("work");
    let exclude = "[shell_environment_policy]\nexclude = ['X']";
    let filters = "[shell_environment_policy]\nfilters = { X = 'exclude' }";
    let set = "[shell_environment_policy]\nset = { X = 'x' }\ninherit = 'all'";
    for (own, projects) in [(exclude, filters), (filters, exclude), (exclude, exclude), (filters, set)] {
        stage.own_config("", own);
        stage.sandbox.write(&project.join(".codex/config.toml"), projects);
        stage.run("codex@p", &EXEC).exits(0);
        let output = stage.tool_output();
        assert!(!output.contains("sk-planted-p"), "{own}, {projects}: {output}");
    }
    // The user's own variable with the key stays for a server that names it, and for no command.
    stage.own_config("", &format!("{exclude}\n[mcp_servers.mine]\ncommand = 'true'\nenv_vars = ['P_KEY']\n"));
    stage.run("codex@p", &EXEC).exits(0);
    assert!(!stage.tool_output().contains("sk-planted-p"), "{}", stage.tool_output());
    let mut words = vec!["-c", "shell_environment_policy={inherit='all'}"];
    words.extend(EXEC);
    stage.run("codex@p", &words).exits(0);
    assert!(!stage.tool_output().contains("sk-planted-p"), "a table of the user's on the command line");
}

#[test]
fn headers_arrive_and_are_nowhere_else() {
    let Some(stage) = Stage::scripted(r#"[{"tool": {"name": "exec_command", "arguments": {"cmd": "env"}}}]"#)
    else {
        return;
    };
    let url = stage.a.url("/v1");
    stage.sandbox.config(&format!(
        "providers:\n  p:\n    protocols: [openai-responses]\n    base_urls: {{openai: '{url}'}}\n    \
         key_env: P_KEY\n    default_model: m\n    headers: {{X-Team: a b, X-Token: 't-${{context:key}}'}}\n"
    ));
    stage.run("codex@p", &EXEC).exits(0);
    let post = stage.a.posts().remove(0);
    assert_eq!(header(&post, "x-team"), Some("a b"));
    assert_eq!(header(&post, "x-token"), Some("t-sk-planted-p"));
    assert!(!stage.tool_output().contains("sk-planted-p"), "{}", stage.tool_output());
    stage.key_is_nowhere();
}
