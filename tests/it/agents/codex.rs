//! What a launch leaves for Codex on disk: the models of its picker, and a copy of a plain session.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::support::Sandbox;
use crate::support::lists::Lists;
use crate::support::tree::Tree;

fn sandbox(lists: &Lists) -> Sandbox {
    let sandbox = Sandbox::new().var("MOCK_KEY", "sk-planted");
    sandbox.config(&format!(
        "providers:\n  p: &it\n    protocols: [openai-responses]\n    base_urls: {{openai: 'http://{0}/v1'}}\n    \
         models_url: http://{0}/models\n    key_env: MOCK_KEY\n    default_model: m-1\n    \
         models: [{{id: mine, context_window: 64000}}]\n  q: *it\n",
        lists.address
    ));
    sandbox.fake_agent("codex");
    sandbox.shim("codex@p");
    sandbox.shim("codex@q");
    sandbox.agent_run(&["models", "list", "p"]).clean();
    sandbox
}

/// The files of models that launches made.
fn catalogues(sandbox: &Sandbox) -> Vec<PathBuf> {
    let entries = fs::read_dir(sandbox.home(".cache/agent-run/codex")).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.path().join("agent-run-models.json")).collect();
    files.retain(|file| file.exists());
    files.sort();
    files
}

fn slugs(file: &Path) -> Vec<String> {
    let catalogue: Json = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let models = catalogue["models"].as_array().unwrap().iter();
    models.map(|model| model["slug"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_models_of_a_launch_are_written_once_for_each_list_and_provider() {
    let lists = Lists::json(r#"{"data": [{"id": "m-1"}, {"id": "m-2"}]}"#);
    let sandbox = sandbox(&lists);
    sandbox.run("codex@p", &[]).exits(0);
    let [first] = &catalogues(&sandbox)[..] else { panic!("{:?}", catalogues(&sandbox)) };
    assert_eq!(slugs(first), ["m-1", "mine", "m-2"]);
    let there = fs::metadata(first).unwrap();
    assert_eq!(
        (there.mode() & 0o777, first.parent().unwrap().metadata().unwrap().mode() & 0o777),
        (0o600, 0o700)
    );
    sandbox.run("codex@p", &["exec", "again"]).exits(0);
    assert_eq!(fs::metadata(first).unwrap().ino(), there.ino(), "written again");
    sandbox.run("codex@q", &[]).exits(0);
    assert_eq!(catalogues(&sandbox).len(), 2, "each provider has its own");
    lists.now_json(r#"{"data": [{"id": "m-1"}, {"id": "m-3"}]}"#);
    sandbox.agent_run(&["models", "list", "p", "--refresh"]).clean();
    sandbox.run("codex@p", &[]).exits(0);
    let now = catalogues(&sandbox);
    assert_eq!(now.len(), 3, "a running session keeps its file: {now:?}");
    let fresh = now.iter().find(|file| slugs(file).contains(&"m-3".to_owned())).expect("the new list");
    assert_eq!(slugs(fresh), ["m-1", "mine", "m-3"]);
    // A file that somebody took away, or of which a loss of power left a part, is there again.
    let text = fs::read(fresh).unwrap();
    fs::remove_file(fresh).unwrap();
    for part in [&b""[..], &text[..1], &text[..text.len() / 2], &text[..text.len() - 1], &vec![0; text.len()]]
    {
        sandbox.run("codex@p", &[]).exits(0);
        assert!(fs::read(fresh).unwrap() == text, "as it was");
        fs::write(fresh, part).unwrap();
    }
    // Nor is a link followed.
    fs::remove_file(fresh).unwrap();
    std::os::unix::fs::symlink(first, fresh).unwrap();
    sandbox.run("codex@p", &[]).exits(0);
    assert!(!fresh.is_symlink() && fs::read(fresh).unwrap() == text, "as it was");
}

#[test]
fn a_plain_session_is_copied_when_it_is_named_and_only_then() {
    let lists = Lists::json(r#"{"data": [{"id": "m-1"}]}"#);
    let sandbox = sandbox(&lists);
    let id = "01a21c5c-34d3-79f1-b788-fff06e0f8a10";
    let name = format!("2026/11/27/rollout-2026-11-27T09-35-34-{id}.jsonl");
    let text = "{\"id\":\"x\",\"model_provider\":\"openai\"}\n{\"said\":\"\\\"model_provider\\\":\\\"openai\\\"\"}\n";
    let plain = sandbox.home(".codex/sessions").join(&name);
    sandbox.write(&plain, text);
    let before = Tree::of(&sandbox.home(".codex"));
    let copy = sandbox.home(".local/state/agent-run/codex-shared/sessions").join(&name);
    for words in [&["resume"][..], &["resume", "--last"], &["exec", "hello"]] {
        sandbox.run("codex@p", words).exits(0);
        assert!(!copy.exists(), "{words:?}");
    }
    sandbox.run("codex@p", &["resume", id]).exits(0);
    let copied = fs::read_to_string(&copy).unwrap();
    assert!(copied.starts_with("{\"id\":\"x\",\"model_provider\":\"agent-run-"), "{copied}");
    assert!(copied.ends_with("{\"said\":\"\\\"model_provider\\\":\\\"openai\\\"\"}\n"), "{copied}");
    assert_eq!(fs::metadata(&copy).unwrap().mode() & 0o777, 0o600);
    // What was said in the copy since stays.
    fs::write(&copy, "longer").unwrap();
    sandbox.run("codex@q", &["exec", "resume", id, "more"]).exits(0);
    assert_eq!(fs::read_to_string(&copy).unwrap(), "longer");
    assert_eq!(Tree::of(&sandbox.home(".codex")), before);
}

#[test]
fn a_role_of_the_users_own_that_asks_for_a_foreign_model_is_named() {
    let lists = Lists::json(r#"{"data": [{"id": "m-1"}, {"id": "listed"}]}"#);
    let sandbox = sandbox(&lists);
    let roles = sandbox.home(".codex/agents");
    sandbox.write(&roles.join("deep/r.toml"), "model = 'gpt-6-sol'\n");
    sandbox.write(&roles.join("fine.toml"), "model = 'listed'\n");
    let ran = sandbox.run("codex@p", &[]).exits(0);
    let said =
        "deep/r.toml: a sub-agent of this role requests the model \"gpt-6-sol\" from provider `p`\nhelp: ";
    assert!(ran.stderr.contains(said) && !ran.stderr.contains("fine.toml"), "{}", ran.stderr);
    assert!(sandbox.agent_run(&["why", "codex@p"]).exits(0).stdout.contains("deep/r.toml: "));
}

/// Sessions that an older version kept for `q`, which the config keeps apart, stay there when `p` is launched.
#[test]
fn what_another_provider_keeps_apart_is_not_taken_over() {
    let kept = |words: &str| {
        let sandbox = Sandbox::new();
        sandbox.fake_agent("codex");
        let provider =
            "protocols: [openai-responses], base_urls: {openai: 'http://127.0.0.1:9/v1'}, default_model: m";
        sandbox.config(&format!("providers:\n  p: {{{provider}}}\n  q: {{{provider}{words}}}\n"));
        let rollout =
            "sessions/2026/01/01/rollout-2026-01-01T00-00-00-01a21cc3-0d98-78a0-9a4e-27a55252533b.jsonl";
        let state = sandbox.home(".local/state/agent-run");
        sandbox.write(&state.join("codex/q").join(rollout), "{}\n");
        sandbox.agent_run(&["launch", "p", "codex"]).exits(0);
        !state.join("codex-shared").join(rollout).exists()
    };
    assert!(!kept(""), "shared ones are");
    assert!(kept(", sessions: own") && kept(", isolated: true"));
}

#[test]
fn what_would_leave_a_server_with_the_key_is_refused() {
    let sandbox = sandbox(&Lists::json(r#"{"data": [{"id": "m-1"}]}"#));
    for words in
        [&["app-server", "daemon", "start"][..], &["-c", "a=1", "remote-control", "start"], &["agents"]]
    {
        let ran = sandbox.run("codex@p", words).exits(125);
        let command = format!("`codex {}`", words.join(" ").trim_start_matches("-c a=1 "));
        ran.complains(&[
            &format!("{command} starts a server that would keep the provider's key after the launch"),
            &format!("\nhelp: run plain {command}, without agent-run"),
        ]);
    }
    for words in [&["app-server"][..], &["agents", "--no-daemon"], &["exec", "remote-control"]] {
        sandbox.run("codex@p", words).exits(0);
    }
}
