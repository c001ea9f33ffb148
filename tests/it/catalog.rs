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
    let sandbox = Sandbox::new().var("MOCK_KEY", "sk-canary-key").var("AGENT_RUN_TEST", "1");
    sandbox.config(&format!(
        "providers:\n  mock:\n    protocols: [openai-responses]\n    base_urls: {{openai: 'http://{}/v1'}}\n{more}",
        lists.address
    ));
    sandbox
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
    assert_eq!(asked[0].header("authorization"), ["Bearer sk-canary-key"]);
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
        let sandbox = Sandbox::new().var("MOCK_KEY", "sk-canary-key");
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

/// Serves TWO until a good list is on disk, and then something bad; the bad must be told and do no harm.
#[track_caller]
fn fails(answer: impl Fn(&Asked, &mut TcpStream) + Send + Sync + 'static, texts: &[&str]) -> Duration {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, KEYED);
    list(&sandbox).clean();
    let before = fs::read(cached(&sandbox, "list")).unwrap();
    lists.now(answer);
    let start = Instant::now();
    let ran = refresh(&sandbox).exits(1).complains(texts);
    let took = start.elapsed();
    assert!(ran.stderr.contains("help: ") && !ran.stderr.contains("sk-"), "{}", ran.stderr);
    assert!(!ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
    assert_eq!(ids(&ran), ["m-two", "m-one"], "the list from before is shown");
    assert_eq!(fs::read(cached(&sandbox, "list")).unwrap(), before, "the list on disk is as it was");
    took
}

#[track_caller]
fn fails_with_status(status: &'static str, body: &'static str, texts: &[&str]) {
    fails(move |_, stream| respond(stream, status, &[], body.as_bytes()), texts);
}

#[test]
fn every_bad_status_is_told_apart() {
    let key = r#"{"error": {"message": "Incorrect API key provided: sk-canary-key \u001b[31m"}}"#;
    fails_with_status(
        "401 Unauthorized",
        key,
        &["the key was refused (401)", "<key>", "check key_env MOCK_KEY"],
    );
    fails_with_status("402 Payment Required", "{}", &["needs credit (402)"]);
    fails_with_status(
        "403 Forbidden",
        r#"{"error":{"type":"access_terminated_error","message":"access_terminated_error"}}"#,
        &["client not allowed"],
    );
    fails_with_status("404 Not Found", "{}", &["no model list here", "/v1/models"]);
    fails_with_status("410 Gone", "{}", &["is gone (410)"]);
    fails_with_status("429 Too Many Requests", "slow down", &["too many requests (429): slow down"]);
    fails_with_status(
        "503 Service Unavailable",
        r#"{"error": {"message": "Loading model"}}"#,
        &["(503): Loading model"],
    );
    fails_with_status(
        "200 OK",
        "<!doctype html><title>Sign in</title>",
        &["a web page", "base URL is probably wrong"],
    );
    fails_with_status("200 OK", r#"{"success": false, "message": "bad account"}"#, &["bad account"]);
    fails_with_status("200 OK", r#"{"data": null}"#, &["no model array"]);
    fails_with_status("200 OK", "garbage", &["no JSON"]);
    fails_with_status("200 OK", r#"{"data": [1, 2, {}]}"#, &["no model array"]);
}

#[test]
fn no_redirect_is_followed_and_no_key_goes_along() {
    let thief = Lists::json(TWO);
    let target = format!("http://{}/v1/models?k=v", thief.address);
    let origin = format!("redirects to http://{}", thief.address);
    fails(move |_, stream| respond(stream, "302 Found", &[("location", &target)], b""), &[&origin]);
    assert!(thief.asked().is_empty());
}

#[test]
fn silence_ends_in_time() {
    let took =
        fails(|_, _| std::thread::sleep(Duration::from_secs(30)), &["did not answer in full within 10 s"]);
    assert!(took < Duration::from_secs(13), "{took:?}");
}

#[test]
fn drips_end_in_time() {
    let drip = |_: &Asked, stream: &mut TcpStream| {
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n");
        while stream.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let took = fails(drip, &["did not answer in full within 10 s"]);
    assert!(took < Duration::from_secs(13), "{took:?}");
}

#[test]
fn half_answers_are_none() {
    let half = |_: &Asked, stream: &mut TcpStream| {
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"data\": [");
        _ = stream.shutdown(Shutdown::Write);
    };
    fails(half, &["the connection broke off"]);
    fails(|_, stream| _ = stream.shutdown(Shutdown::Both), &["the connection broke off"]);
}

#[test]
fn bombs_and_floods_are_cut_off() {
    use std::process::Command;
    fails(
        |_, stream| {
            _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            let chunk = vec![b' '; 65_536];
            for _ in 0..800 {
                if stream.write_all(&chunk).is_err() {
                    return;
                }
            }
        },
        &["more than 8 MiB"],
    );
    let mut gzip = Command::new("gzip").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = gzip.stdin.take().unwrap();
    let writer =
        std::thread::spawn(move || (0..50).for_each(|_| stdin.write_all(&vec![b' '; 1 << 20]).unwrap()));
    let bomb = gzip.wait_with_output().unwrap().stdout;
    writer.join().unwrap();
    assert!(bomb.len() < 100_000);
    fails(
        move |_, stream| respond(stream, "200 OK", &[("content-encoding", "gzip")], &bomb),
        &["more than 8 MiB"],
    );
}

#[test]
fn pages_without_end_stop() {
    let lists = Lists::start(|asked, stream| {
        let after = asked.path.rsplit('=').next().unwrap().parse().unwrap_or(0);
        let next = after + 1;
        let page =
            json!({"data": [{"id": format!("m{next}")}], "has_more": true, "last_id": next.to_string()});
        respond(stream, "200 OK", &[], page.to_string().as_bytes());
    });
    let sandbox = sandbox(&lists, "");
    let ran = list(&sandbox).exits(0).complains(&["cut after 20 models: it has too many pages"]);
    assert_eq!((ids(&ran).len(), lists.asked().len()), (20, 20));
    lists.now_json(r#"{"data": [{"id": "a"}], "has_more": true, "last_id": "a"}"#);
    refresh(&sandbox).exits(0).complains(&["its pages repeat themselves"]);
    lists.now_json(r#"{"data": [{"id": "a"}], "has_more": true, "last_id": null}"#);
    refresh(&sandbox).exits(0).complains(&["does not say where it goes on"]);
}

#[test]
fn a_part_of_a_list_or_an_empty_one_replaces_nothing() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, "");
    list(&sandbox).clean();
    lists.now(|asked, stream| {
        if asked.path.contains("after_id") {
            return respond(stream, "500 Oops", &[], b"");
        }
        let page = br#"{"data": [{"id": "new"}], "has_more": true, "last_id": "new"}"#;
        respond(stream, "200 OK", &[], page);
    });
    let ran =
        refresh(&sandbox).exits(0).complains(&["only 1 models were read", "the list from before is kept"]);
    assert_eq!(ids(&ran), ["m-two", "m-one"]);
    lists.now_json(r#"{"data": []}"#);
    let ran = refresh(&sandbox).exits(0).complains(&["an empty list"]);
    assert_eq!(ids(&ran), ["m-two", "m-one"]);
    sandbox.agent_run(&["models", "cache", "clear", "mock"]).clean();
    assert_eq!(ids(&list(&sandbox).clean()), [""; 0]);
}

#[test]
fn passing_trouble_is_tried_once_more_only_when_asked_for() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, "");
    let answer_second = |status: &'static str| {
        let is_first = AtomicBool::new(true);
        move |_: &Asked, stream: &mut TcpStream| {
            if is_first.swap(false, Ordering::SeqCst) {
                return respond(stream, status, &[("retry-after", "1")], b"");
            }
            respond(stream, "200 OK", &[], TWO.as_bytes());
        }
    };
    for status in ["500 Oops", "429 Too Many Requests"] {
        lists.now(answer_second(status));
        refresh(&sandbox).clean();
        sandbox.agent_run(&["models", "cache", "clear"]).clean();
        lists.now(answer_second(status));
        let before = lists.asked().len();
        list(&sandbox).exits(1);
        assert_eq!(lists.asked().len(), before + 1);
        // The failure is minded: nobody is asked again at once.
        list(&sandbox).exits(1);
        assert_eq!(lists.asked().len(), before + 1);
    }
}

#[test]
fn one_providers_failure_hides_no_other() {
    let lists = Lists::json(TWO);
    let sandbox = Sandbox::new();
    sandbox.config(&format!(
        "providers:\n  good:\n    protocols: [openai-responses]\n    base_urls: {{openai: 'http://{}/v1'}}\n  bad:\n    \
         protocols: [openai-responses]\n    base_urls: {{openai: 'http://127.0.0.1:9/v1'}}\n    models: [{{id: own}}]\n",
        lists.address
    ));
    let ran = sandbox.agent_run(&["models", "list", "--all"]).exits(1);
    assert_eq!(ids(&ran), ["m-two", "m-one", "own"]);
    assert!(ran.stderr.contains("models of bad: http://127.0.0.1:9: connection refused"), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("the list of bad could not be loaded\nhelp: the warnings above say why\n"));
    let ran = sandbox.agent_run(&["models", "list", "good", "--json"]).clean();
    let rows: Vec<Value> = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&rows[0]["provider"], &rows[0]["context_window"]), (&json!("good"), &json!(8192)));
    assert_eq!(rows[1]["context_window"], Value::Null);
    sandbox.agent_run(&["models", "list", "god"]).exits(1).complains(&["no provider `god`", "good"]);
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
}

#[test]
fn a_default_model_that_vanished_is_a_suggestion() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, "    default_model: m-on\n");
    let ran = list(&sandbox)
        .exits(0)
        .complains(&["`m-on` is not in the provider's list\nhelp: the nearest is m-one"]);
    assert_eq!(ids(&ran), ["m-on", "m-two", "m-one"]);
    // One that only our own filters drop has not vanished.
    let filtered = "    default_model: m-one\n    model_api_filters: [{filter: two}]\n";
    let ran = list(&self::sandbox(&lists, filtered)).clean();
    assert_eq!(ids(&ran), ["m-one", "m-two"]);
}

#[test]
fn what_changed_is_told() {
    let lists = Lists::json(r#"{"data": [{"id": "a", "pricing": {"prompt": "0.000001"}}, {"id": "b"}]}"#);
    let sandbox = sandbox(&lists, "");
    let diff =
        |words: &[&str]| sandbox.agent_run(&[&["models", "diff", "mock"], words].concat()).clean().stdout;
    assert_eq!(diff(&[]), "no list before this one differed from it\n");
    lists.now_json(r#"{"data": [{"id": "a", "pricing": {"prompt": "0.000002"}}, {"id": "c"}]}"#);
    let changes = diff(&["--refresh"]);
    let (_, changes) = changes.split_once('\n').unwrap();
    assert_eq!(changes, "new\tc\ngone\tb\nrepriced\ta\tinput $1 -> $2, output unknown -> unknown\n");
    let changes: Value = serde_json::from_str(&diff(&["--json"])).unwrap();
    assert_eq!((&changes["new"], &changes["repriced"][0]["input"]), (&json!(["c"]), &json!(2.0)));
}

fn complete(sandbox: &Sandbox, prefix: &str) -> Ran {
    sandbox.agent_run(&["models", "complete", "mock", prefix])
}

/// The processes that refresh a list of this sandbox, as `ppid sid tty`.
fn refreshers(sandbox: &Sandbox) -> Vec<String> {
    let ran = run(sandbox.command("ps").args(["-ewwo", "ppid=,sid=,tty=,args="])).exits(0);
    let root = sandbox.home("").display().to_string();
    let ours = ran.stdout.lines().filter(|line| line.contains("--in-session") && line.contains(&root));
    ours.map(|line| line.split_whitespace().take(3).collect::<Vec<_>>().join(" ")).collect()
}

fn fetched_at(sandbox: &Sandbox) -> u64 {
    let text = fs::read_to_string(cached(sandbox, "list")).unwrap();
    serde_json::from_str::<Value>(text.lines().next().unwrap()).unwrap()["fetched_at"].as_u64().unwrap()
}

#[test]
fn completion_answers_from_an_old_list_and_twenty_refresh_it_once() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, KEYED);
    list(&sandbox).clean();
    lists.now(|_, stream| {
        std::thread::sleep(Duration::from_millis(700));
        respond(stream, "200 OK", &[], br#"{"data": [{"id": "m-new"}]}"#);
    });
    age_list(&sandbox, 13 * 60 * 60);
    let old = fetched_at(&sandbox);
    let press = || {
        sandbox
            .command("agent-run")
            .args(["models", "complete", "mock"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let completions: Vec<_> = (0..20).map(|_| press()).collect();
    for mut completion in completions {
        assert!(completion.wait().unwrap().success());
    }
    eventually("the new list", || fetched_at(&sandbox) > old);
    assert_eq!(ids(&complete(&sandbox, "m-").clean()), ["m-new"]);
    eventually("the refresher's end", || refreshers(&sandbox).is_empty());
    assert_eq!(lists.asked().len(), 2);
}

#[test]
fn a_completion_waits_a_second_for_a_first_list_and_leaves_no_child() {
    let lists = Lists::start(|_, _| std::thread::sleep(Duration::from_secs(30)));
    let sandbox = sandbox(&lists, "    models: [{id: m-own}]\n");
    let start = Instant::now();
    assert_eq!(ids(&complete(&sandbox, "").clean()), ["m-own"]);
    assert!((950..3000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    let running = refreshers(&sandbox);
    let [running] = running.as_slice() else { panic!("{running:?}") };
    assert!(running.ends_with(" ?"), "no terminal: {running}");
    let own = run(sandbox.command("ps").args(["-o", "sid=", "-p", &std::process::id().to_string()])).exits(0);
    assert_ne!(running.split(' ').nth(1).unwrap(), own.stdout.trim());
    eventually("the refresher's end", || refreshers(&sandbox).is_empty());
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    // What failed is not tried again by the next key press.
    let start = Instant::now();
    complete(&sandbox, "").clean();
    assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
    assert_eq!(lists.asked().len(), 1);

    let quick = Lists::json(TWO);
    let sandbox = self::sandbox(&quick, "");
    assert_eq!(ids(&complete(&sandbox, "m-t").clean()), ["m-two"]);
}

#[test]
fn completion_runs_no_key_command_unless_told_to() {
    let lists = Lists::json(TWO);
    let command = "    key_command: [sh, -c, 'echo x >> ~/ran; echo sk-1']\n";
    let sandbox = sandbox(&lists, command);
    assert_eq!(ids(&complete(&sandbox, "").clean()), [""; 0]);
    assert!(!sandbox.home("ran").exists());
    let sandbox = self::sandbox(&lists, &format!("{command}    completion_key: true\n"));
    assert_eq!(ids(&complete(&sandbox, "").clean()), ["m-one", "m-two"]);
    assert_eq!(fs::read_to_string(sandbox.home("ran")).unwrap(), "x\n");
    assert_eq!(lists.asked()[0].header("authorization"), ["Bearer sk-1"]);
    let sandbox = self::sandbox(&lists, "").var("AGENT_RUN_DISABLE_MODEL_COMPLETION_REFRESH", "Yes");
    assert_eq!(ids(&complete(&sandbox, "").clean()), [""; 0]);
    assert_eq!(lists.asked().len(), 1);
}

#[test]
fn the_refresher_takes_the_key_of_the_launch_from_a_pipe() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, "    key_command: ['false']\n");
    let mut command = sandbox.command("agent-run");
    command.args(["models", "refresh-detached", "--key-on-stdin", "mock"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"sk-piped").unwrap();
    assert!(child.wait().unwrap().success());
    eventually("the request", || !lists.asked().is_empty());
    assert_eq!(lists.asked()[0].header("authorization"), ["Bearer sk-piped"]);
    eventually("the refresher's end", || refreshers(&sandbox).is_empty());
    assert_eq!(ids(&list(&sandbox).clean()), ["m-two", "m-one"]);
}

#[test]
fn a_public_list_gets_no_key_and_the_proxy_is_the_providers() {
    let proxy = Lists::json(TWO);
    let sandbox = Sandbox::new().var("http_proxy", "http://127.0.0.1:9");
    let config = |host: &str, rule: &str| {
        sandbox.config(&format!(
            "providers:\n  mock:\n    protocols: [openai-responses]\n    base_urls: {{openai: 'http://{host}/v1'}}\n    \
             key_command: [sh, -c, 'echo x >> ~/ran; echo sk-1']\n    proxy: '{rule}'\n    \
             headers: {{x-plain: one, x-secret: 'a ${{context:key}}'}}\n",
        ))
    };
    let through = format!("http://{}", proxy.address);
    config("openrouter.ai", &through);
    list(&sandbox).clean();
    let asked = &proxy.asked()[0];
    assert_eq!((asked.header("authorization").len(), asked.header("x-secret").len()), (0, 0));
    assert_eq!(asked.header("x-plain"), ["one"]);
    assert!(!sandbox.home("ran").exists());

    config("a.provider.example", &through);
    list(&sandbox).clean();
    assert_eq!(proxy.asked()[1].header("x-secret"), ["a sk-1"]);
    assert_eq!(proxy.asked()[1].header("host"), ["a.provider.example"]);

    // This machine is asked directly, whatever the proxy.
    config(&proxy.address, "http://127.0.0.1:9");
    list(&sandbox).clean();
    assert_eq!(proxy.asked()[2].header("authorization"), ["Bearer sk-1"]);
}
