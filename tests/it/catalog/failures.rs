use super::*;

/// Serves TWO until a good list is on disk, and then something bad; the bad must be reported and do no harm.
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
fn every_bad_status_is_said_apart() {
    let key = r#"{"error": {"message": "Incorrect API key provided: sk-planted-key \u001b[31m"}}"#;
    fails_with_status(
        "401 Unauthorized",
        key,
        &["the key was refused (401)", "<key>", "check key_env MOCK_KEY, or set another: `agent-run key set"],
    );
    fails_with_status("402 Payment Required", "{}", &["needs credit (402)"]);
    fails_with_status(
        "403 Forbidden",
        r#"{"error":{"type":"access_terminated_error","message":"access_terminated_error"}}"#,
        &["client not allowed"],
    );
    fails_with_status(
        "403 Forbidden",
        "<!DOCTYPE html><title>Just a moment...</title>",
        &["sent a web page (403)", "blocks automated clients"],
    );
    fails_with_status("404 Not Found", "{}", &["no model list here", "/v1/models"]);
    fails_with_status("410 Gone", "{}", &["no longer exists (410)"]);
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
    fails_with_status("200 OK", "garbage", &["invalid JSON"]);
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
    let took = fails(
        |_, _| std::thread::sleep(Duration::from_secs(30)),
        &["did not send a complete answer within 10 s"],
    );
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
    let took = fails(drip, &["did not send a complete answer within 10 s"]);
    assert!(took < Duration::from_secs(13), "{took:?}");
}

#[test]
fn half_answers_are_none() {
    let half = |_: &Asked, stream: &mut TcpStream| {
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"data\": [");
        _ = stream.shutdown(Shutdown::Write);
    };
    fails(half, &["the connection was closed"]);
    fails(|_, stream| _ = stream.shutdown(Shutdown::Both), &["the connection was closed"]);
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
        &["larger than 8 MiB"],
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
        &["larger than 8 MiB"],
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
    let ran = list(&sandbox).exits(0).complains(&["the list ends after 20 models: it has too many pages"]);
    assert_eq!((ids(&ran).len(), lists.asked().len()), (20, 20));
    lists.now_json(r#"{"data": [{"id": "a"}], "has_more": true, "last_id": "a"}"#);
    refresh(&sandbox).exits(0).complains(&["its pages repeat"]);
    lists.now_json(r#"{"data": [{"id": "a"}], "has_more": true, "last_id": null}"#);
    refresh(&sandbox).exits(0).complains(&["has no address of the next page"]);
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
    let ran = refresh(&sandbox).exits(0).complains(&["only 1 models were read", "the previous list is kept"]);
    assert_eq!(ids(&ran), ["m-two", "m-one"]);
    lists.now_json(r#"{"data": []}"#);
    let ran = refresh(&sandbox).exits(0).complains(&["an empty list"]);
    assert_eq!(ids(&ran), ["m-two", "m-one"]);
    sandbox.agent_run(&["models", "cache", "clear", "mock"]).clean();
    let none =
        list(&sandbox).exits(0).complains(&["no models: neither the config nor the provider lists any"]);
    assert_eq!(ids(&none), [""; 0]);
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
    assert_eq!(
        ran.stderr,
        "agent-run: could not load the models of bad: http://127.0.0.1:9: connection refused\n\
         help: check that the server is running and that base_urls is correct\n"
    );
    let ran = sandbox.agent_run(&["models", "diff", "bad"]).exits(1);
    assert_eq!(ran.stderr.matches("connection refused").count(), 1, "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("help: ").count(), 1, "{}", ran.stderr);
    let ran = sandbox.agent_run(&["models", "show", "bad", "other"]).exits(1);
    assert_eq!(ran.stderr.matches("help: ").count(), 1, "{}", ran.stderr);
    ran.complains(&["`bad` has no model `other`", "connection refused"]);
    let ran = sandbox.agent_run(&["models", "list", "good", "--json"]).clean();
    let rows: Vec<Value> = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&rows[0]["provider"], &rows[0]["context_window"]), (&json!("good"), &json!(8192)));
    assert_eq!(rows[1]["context_window"], Value::Null);
    sandbox.agent_run(&["models", "list", "god"]).exits(1).complains(&["no provider `god`", "good"]);
}
