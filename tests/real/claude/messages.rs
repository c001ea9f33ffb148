//! Two sessions at once on two providers: what one writes to the other is not submitted to the other's provider.
//!
//! 2.1.332 has an inbox for each session, a socket, and a tool that writes into those of others. 2.1.197 has neither.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{KEY, Stage, scripted};
use crate::support::tmux::Tmux;
use crate::support::{Sandbox, claude, run};

const TEXT: &str = "hello from another session";

/// A home with a provider to write from and one to write to, each also with messages allowed by the user.
fn stage() -> Stage {
    let send = |name: &str| {
        let arguments = json!({"to": name, "summary": "greeting", "message": TEXT});
        json!({"last_user": format!("send-to-{name}"), "tool": {"name": "SendMessage", "arguments": arguments}})
    };
    let stage = scripted(&json!([send("closed"), send("open"), send("refusing")]).to_string()).unwrap();
    let provider = |name: &str, url: String, more: &str| {
        format!(
            "  {name}: {{protocols: [anthropic], base_urls: {{anthropic: '{url}'}}, key_env: MOCK_KEY, \
             default_model: m-main, models: [{{id: m-main, context_window: 200000}}], model_api_filters: []{more}}}\n"
        )
    };
    let open = ", extra_env: {CLAUDE_CODE_HARBOR_KITE: '1'}";
    let providers = [
        provider("from", stage.chosen.url(""), ""),
        provider("from-open", stage.chosen.url(""), open),
        provider("to", stage.other.url(""), ""),
        provider("to-open", stage.other.url(""), open),
    ];
    stage.sandbox.config(&format!("providers:\n{}", providers.concat()));
    // Or the tool is kept back until it is searched for.
    Stage { sandbox: stage.sandbox.var("ENABLE_TOOL_SEARCH", "false"), ..stage }
}

/// A session on a provider, with a name to write to.
fn session(sandbox: &Sandbox, provider: &str, name: &str) -> Tmux {
    claude::trusted(sandbox, &format!("agent-run launch {provider} claude -- --name {name}")).0
}

impl Stage {
    /// Has a session write, and tells what became of it as the tool says.
    #[track_caller]
    fn write(&self, program: &[&str], name: &str) -> String {
        let prompt = format!("send-to-{name}");
        let mut command = self.sandbox.command(program[0]);
        command.args(&program[1..]).args(["--allowedTools", "SendMessage", "-p", &prompt]);
        command.env("ANTHROPIC_BASE_URL", self.chosen.url("")).env("ANTHROPIC_AUTH_TOKEN", KEY);
        command.env("ANTHROPIC_MODEL", "m-main").env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
        run(&mut command).exits(0);
        let posts = self.chosen.posts();
        let last = &posts.last().unwrap()["body"]["messages"];
        let results = last.as_array().unwrap().iter().flat_map(|message| {
            let parts = message["content"].as_array().into_iter().flatten();
            parts.filter(|part| part["type"] == "tool_result").map(Json::to_string)
        });
        results.last().unwrap_or_default()
    }

    /// Whether the text got to the other provider within a few seconds.
    fn is_delivered(&self) -> bool {
        let heard = || json!(self.other.posts()).to_string().contains(TEXT);
        for _ in 0..20 {
            if heard() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(250));
        }
        false
    }
}

const FROM: &[&str] = &["agent-run", "launch", "from", "claude", "--"];
const FROM_OPEN: &[&str] = &["agent-run", "launch", "from-open", "claude", "--"];
const ALONE: &[&str] = &["claude"];

#[test]
fn no_session_writes_into_a_launch() {
    let stage = stage();
    let _session = session(&stage.sandbox, "to", "closed");
    for program in [FROM, FROM_OPEN, ALONE] {
        let said = stage.write(program, "closed");
        assert!(!said.contains(r#"\"success\":true"#), "{program:?}: {said}");
    }
    assert!(!stage.is_delivered());
}

/// The other direction, and that such a text is delivered where the user allows it.
#[test]
fn a_launch_writes_into_no_session_unless_the_user_allows_it() {
    let stage = stage();
    let _session = session(&stage.sandbox, "to-open", "open");
    let said = stage.write(FROM, "open");
    assert!(!said.contains(r#"\"success\":true"#), "{said}");
    assert!(!stage.is_delivered());
    let said = stage.write(FROM_OPEN, "open");
    assert!(said.contains(r#"\"success\":true"#), "{said}");
    assert!(stage.is_delivered(), "{said}");
}

/// The documented half, alone.
#[test]
fn a_session_that_refuses_messages_submits_none() {
    let stage = stage();
    stage.settings(&json!({"crossSessionInbound": "refuse"}));
    let _session = session(&stage.sandbox, "to-open", "refusing");
    let said = stage.write(FROM_OPEN, "refusing");
    assert!(said.contains(r#"\"success\":true"#), "it did not get as far as the other's inbox: {said}");
    assert!(!stage.is_delivered());
}
