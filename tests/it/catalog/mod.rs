/// What goes wrong at a provider, and what is said and kept then.
mod failures;

/// The models of a short list, and of a long one.
mod few;

/// What a launch makes of a list.
mod launch;

/// Lists that grow old: who refreshes them, when, and with which key.
mod stale;

use std::fs;
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::lists::{Asked, Lists, respond};
use crate::support::{Ran, Sandbox, run};

const TWO: &str = r#"{"data": [{"id": "m-two", "context_length": 8192}, {"id": "m-one"}]}"#;

/// A sandbox whose provider `mock` is this server.
fn sandbox(lists: &Lists, more: &str) -> Sandbox {
    let sandbox = Sandbox::new().var("MOCK_KEY", "sk-planted-key").var("AGENT_RUN_TEST", "1");
    sandbox.config(&config(lists, more));
    sandbox
}

fn config(lists: &Lists, more: &str) -> String {
    format!(
        "providers:\n  mock:\n    protocols: [openai-responses]\n    base_urls: {{openai: 'http://{}/v1'}}\n{more}",
        lists.address
    )
}

const KEYED: &str = "    key_env: MOCK_KEY\n";

fn list(sandbox: &Sandbox) -> Ran {
    sandbox.agent_run(&["models", "list", "mock"])
}

fn refresh(sandbox: &Sandbox) -> Ran {
    sandbox.agent_run(&["models", "list", "mock", "--refresh"])
}

fn ids(ran: &Ran) -> Vec<&str> {
    ran.stdout.lines().map(|line| line.split('\t').next().unwrap()).collect()
}

fn cached(sandbox: &Sandbox, kind: &str) -> PathBuf {
    let folder = sandbox.home(".cache/agent-run/models");
    let files = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
    let mut files = files.filter(|path| path.extension().is_some_and(|found| found == kind));
    files.next().unwrap_or_else(|| panic!("no .{kind} file"))
}

/// Makes the list on disk as old as that.
fn age_list(sandbox: &Sandbox, seconds: u64) {
    let path = cached(sandbox, "list");
    let text = fs::read_to_string(&path).unwrap();
    let (head, body) = text.split_once('\n').unwrap();
    let mut head: Value = serde_json::from_str(head).unwrap();
    head["fetched_at"] = json!(head["fetched_at"].as_u64().unwrap() - seconds);
    fs::write(&path, format!("{head}\n{body}")).unwrap();
}

#[track_caller]
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what} never came");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_list_is_asked_for_once_and_then_read_from_disk() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, KEYED);
    assert_eq!(ids(&list(&sandbox).clean()), ["m-two", "m-one"]);
    assert_eq!(ids(&list(&sandbox).clean()), ["m-two", "m-one"]);
    let asked = lists.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].path, "/v1/models");
    assert_eq!(asked[0].header("authorization"), ["Bearer sk-planted-key"]);
    assert!(asked[0].header("x-api-key").is_empty());
    assert_eq!(asked[0].header("user-agent"), [concat!("agent-run/", env!("CARGO_PKG_VERSION"))]);
    assert!(asked[0].header("accept-encoding")[0].contains("gzip"));
    refresh(&sandbox).clean();
    assert_eq!(lists.asked().len(), 2);
    let row = list(&sandbox).clean().stdout;
    assert!(row.starts_with("m-two\t8192\t\t\t\t\t\tlist\t"), "{row}");
}

#[test]
fn the_anthropic_side_gets_one_key_header_and_its_pages_are_followed() {
    let lists = Lists::start(|asked, stream| {
        let page = match asked.path.as_str() {
            "/v1/models?limit=1000" => r#"{"data": [{"id": "a/1"}], "has_more": true, "last_id": "a/1"}"#,
            "/v1/models?limit=1000&after_id=a%2F1" => r#"{"data": [{"id": "b"}], "has_more": false}"#,
            _ => "{}",
        };
        respond(stream, "200 OK", &[], page.as_bytes());
    });
    for (x_api_key, sent, absent) in
        [(true, "x-api-key", "authorization"), (false, "authorization", "x-api-key")]
    {
        let sandbox = Sandbox::new().var("MOCK_KEY", "sk-planted-key");
        sandbox.config(&format!(
            "providers:\n  mock:\n    protocols: [anthropic]\n    base_urls: {{anthropic: 'http://{}'}}\n    \
             key_env: MOCK_KEY\n    anthropic_use_api_key: {x_api_key}\n",
            lists.address
        ));
        assert_eq!(ids(&list(&sandbox).clean()), ["a/1", "b"]);
        let asked = lists.asked().pop().unwrap();
        assert_eq!((asked.header(sent).len(), asked.header(absent).len()), (1, 0));
        assert_eq!(asked.header("anthropic-version"), ["2023-06-01"]);
    }
}

#[test]
fn places_are_tried_in_order_only_while_there_is_nothing() {
    let lists = Lists::start(|asked, stream| match asked.path.as_str() {
        "/v1/models" => respond(stream, "200 OK", &[], TWO.as_bytes()),
        _ => respond(stream, "404 Not Found", &[], b"{}"),
    });
    let sandbox = Sandbox::new();
    sandbox.config(&format!(
        "providers:\n  mock:\n    protocols: [anthropic]\n    base_urls: {{anthropic: 'http://{}/api/anthropic'}}\n",
        lists.address
    ));
    assert_eq!(ids(&list(&sandbox).clean()), ["m-two", "m-one"]);
    let paths: Vec<_> = lists.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths, ["/api/anthropic/v1/models?limit=1000", "/v1/models"]);
}

#[test]
fn lists_can_be_searched_and_a_reader_may_leave_early() {
    let many: Vec<_> =
        (0..3000).map(|n| json!({"id": format!("vendor/model-{n}"), "name": "Big One"})).collect();
    let lists = Lists::json(&json!({"data": many}).to_string());
    let sandbox = sandbox(&lists, "");
    let ran = sandbox.agent_run(&["models", "list", "mock", "--search", "BIG model-299"]).clean();
    assert_eq!(ids(&ran).len(), 11);
    let piped = sandbox.path("bin/agent-run").display().to_string() + " models list mock | head -1";
    let ran = run(sandbox.command("bash").args(["-o", "pipefail", "-c", &piped])).clean();
    assert!(ran.stdout.starts_with("vendor/model-0\t"), "{}", ran.stdout);
}

#[test]
fn a_damaged_list_is_fetched_again() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, "");
    list(&sandbox).clean();
    let path = cached(&sandbox, "list");
    let whole = fs::read(&path).unwrap();
    for damaged in [&b""[..], b"garbage", &whole[..whole.len() - 3]] {
        fs::write(&path, damaged).unwrap();
        assert_eq!(ids(&list(&sandbox).clean()), ["m-two", "m-one"]);
    }
    assert_eq!(lists.asked().len(), 4);
}

#[test]
fn a_model_is_shown_with_who_said_what() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, "    models: [{id: m-two, reasoning: true}]\n");
    let ran = sandbox.agent_run(&["models", "show", "mock", "m-two"]).clean();
    let source = format!("context_window\t8192\thttp://{}/v1/models, ", lists.address);
    assert!(ran.stdout.contains("reasoning\ttrue\tconfig\n"), "{}", ran.stdout);
    sandbox.agent_run(&["models", "list", "mock"]).clean();
    let ran = sandbox.agent_run(&["models", "show", "mock", "m-two"]).clean();
    assert!(ran.stdout.contains(&source), "{}", ran.stdout);
    assert!(ran.stdout.contains("tools\tunknown\t\n"), "{}", ran.stdout);
    sandbox.agent_run(&["models", "show", "mock", "m-twoo"]).exits(1).complains(&["did you mean m-two"]);
    // That a list lacks the default model does not make it unknown.
    let sandbox = self::sandbox(&lists, "    default_model: mine\n");
    let show = || sandbox.agent_run(&["models", "show", "mock", "mine"]);
    assert!(show().clean().stdout.contains("mine"));
    sandbox.config(&config(&lists, "    models: [m-tow]\n"));
    sandbox.agent_run(&["models", "list", "mock"]).clean();
    sandbox
        .agent_run(&["models", "show", "mock", "m-tow"])
        .exits(0)
        .complains(&["mock: model `m-tow` is not in the provider's list", "help: did you mean m-two?"]);
}

#[test]
fn a_default_model_that_vanished_is_a_suggestion() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, "    default_model: m-on\n");
    let ran = list(&sandbox)
        .exits(0)
        .complains(&["`m-on` is not in the provider's list\nhelp: did you mean m-one?"]);
    assert_eq!(ids(&ran), ["m-on", "m-two", "m-one"]);
    // One that only our own filters drop has not vanished.
    let filtered = "    default_model: m-one\n    model_api_filters: [{filter: two}]\n";
    let ran = list(&self::sandbox(&lists, filtered)).clean();
    assert_eq!(ids(&ran), ["m-one", "m-two"]);
}

#[test]
fn what_changed_is_said() {
    let lists = Lists::json(r#"{"data": [{"id": "a", "pricing": {"prompt": "0.000001"}}, {"id": "b"}]}"#);
    let sandbox = sandbox(&lists, "");
    let diff =
        |words: &[&str]| sandbox.agent_run(&[&["models", "diff", "mock"], words].concat()).clean().stdout;
    assert_eq!(diff(&[]), "No changes since the first download\n");
    lists.now_json(r#"{"data": [{"id": "a", "pricing": {"prompt": "0.000002"}}, {"id": "c"}]}"#);
    let changes = diff(&["--refresh"]);
    let (_, changes) = changes.split_once('\n').unwrap();
    assert_eq!(changes, "new\tc\ngone\tb\nrepriced\ta\tinput $1 -> $2, output unknown -> unknown\n");
    let changes: Value = serde_json::from_str(&diff(&["--json"])).unwrap();
    assert_eq!((&changes["new"], &changes["repriced"][0]["input"]), (&json!(["c"]), &json!(2.0)));
}
