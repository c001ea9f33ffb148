//! A few real agents at once in one home: each gets its answer, and each session is kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::Value as Json;

use crate::support::tree::Tree;
use crate::support::{MockProvider, Sandbox, real, run};

const KEY: &str = "sk-planted-0123456789-ABCDEFGHIJ";

/// A home with a provider that answers, and a repository to work in.
fn stage(agent: &str) -> Option<(Sandbox, MockProvider)> {
    let sandbox = real::sandbox(agent)?
        .var("MOCK_KEY", KEY)
        .var("HERMES_DISABLE_LAZY_INSTALLS", "1")
        .var("TIRITH_ENABLED", "false");
    let mock_provider = MockProvider::start(&sandbox, "p");
    let (anthropic, openai) = (mock_provider.url(""), mock_provider.url("/v1"));
    sandbox.config(&format!(
        "providers:\n  p:\n    protocols: [anthropic, openai-responses, openai-chat-completions]\n    \
         base_urls: {{anthropic: '{anthropic}', openai: '{openai}'}}\n    key_env: MOCK_KEY\n    \
         default_model: m1\n    model_api_filters: []\n    models: [{{id: m1, context_window: 128000}}]\n"
    ));
    run(sandbox.command("git").args(["init", "-q"])).clean();
    Some((sandbox, mock_provider))
}

/// Starts so many at once, and asserts that each got the provider's answer.
#[track_caller]
fn ask_at_once(sandbox: &Sandbox, mock_provider: &MockProvider, count: usize, words: &[&str]) {
    let start = |_| {
        let mut command = sandbox.command("agent-run");
        command.args(["launch", "p"]).args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let children: Vec<Child> = (0..count).map(start).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && out.contains("PONG-FROM-MOCK"), "{}\n{out}\n{err}", output.status);
    }
    assert!(mock_provider.posts().len() >= count);
    let tree = Tree::of(&sandbox.home(""));
    let is_left = |path: &&Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        (name.starts_with(".agent-run-") && name.ends_with("-new")) || name == ".claude.json.lock"
    };
    let left: Vec<_> = tree.entries().map(|(path, _)| path).filter(is_left).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// The sessions below a folder, each a whole number of lines of JSON.
#[track_caller]
fn sessions(folder: &Path) -> Vec<PathBuf> {
    let tree = Tree::of(folder);
    let is_session = |path: &&Path| path.extension().is_some_and(|kind| kind == "jsonl");
    let sessions: Vec<_> =
        tree.entries().map(|(path, _)| path).filter(is_session).map(Path::to_owned).collect();
    for session in &sessions {
        for line in fs::read_to_string(session).unwrap().lines() {
            serde_json::from_str::<Json>(line)
                .unwrap_or_else(|error| panic!("{}: {error}", session.display()));
        }
    }
    sessions
}

#[test]
fn eight_codexes_at_once_in_a_new_home_answer_and_keep_eight_sessions() {
    let Some((sandbox, mock_provider)) = stage("codex") else { return };
    ask_at_once(&sandbox, &mock_provider, 8, &["codex", "exec", "say hello"]);
    assert_eq!(sessions(&sandbox.home(".local/state/agent-run/codex-shared/sessions")).len(), 8);
    let through_the_home =
        sandbox.home(".local/state/agent-run/codex-shared/home/sessions").canonicalize().unwrap();
    assert_eq!(sessions(&through_the_home).len(), 8);
}

#[test]
fn four_hermeses_at_once_in_a_new_home_answer() {
    let Some((sandbox, mock_provider)) = stage("hermes") else { return };
    ask_at_once(&sandbox, &mock_provider, 4, &["hermes", "chat", "-Q", "-q", "say hello"]);
    assert!(sandbox.home(".hermes/state.db").is_file());
}

#[test]
fn four_claude_codes_at_once_in_a_new_home_answer_and_keep_four_sessions() {
    let Some((sandbox, mock_provider)) = stage("claude") else { return };
    ask_at_once(&sandbox, &mock_provider, 4, &["claude", "-p", "say hello"]);
    assert_eq!(sessions(&sandbox.home(".claude/projects")).len(), 4);
    let state: Json = serde_json::from_slice(&fs::read(sandbox.home(".claude.json")).unwrap()).unwrap();
    assert_eq!(state["hasCompletedOnboarding"], true);
}

/// A launch that was killed after it had changed the state file leaves its lock, and the next one has nothing
/// to change, so that it never looks at it.
#[test]
fn claude_code_itself_takes_over_a_lock_that_was_left_behind() {
    let Some((sandbox, mock_provider)) = stage("claude") else { return };
    sandbox.write(&sandbox.home(".claude.json"), r#"{"hasCompletedOnboarding": true}"#);
    let lock = sandbox.home(".claude.json.lock");
    fs::create_dir(&lock).unwrap();
    let long_ago = SystemTime::now() - Duration::from_secs(60);
    fs::File::open(&lock).and_then(|lock| lock.set_modified(long_ago)).unwrap();
    ask_at_once(&sandbox, &mock_provider, 1, &["claude", "-p", "say hello"]);
    assert!(!lock.exists());
}
