use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{TWO, sandbox};
use crate::support::Sandbox;
use crate::support::lists::{Asked, Lists, respond};

fn with_base(url: &str, more: &str) -> Sandbox {
    let sandbox = Sandbox::new().var("MOCK_KEY", "sk-planted-key");
    sandbox.config(&format!(
        "providers:\n  mock:\n    protocols: [openai-responses]\n    base_urls: {{openai: \"{url}\"}}\n    \
         key_env: MOCK_KEY\n    default_model: m-one\n{more}"
    ));
    sandbox
}

#[test]
fn a_key_smuggles_no_header_in() {
    let lists = Lists::json(TWO);
    let smuggler = "sk-x\r\nX-Evil: 1";
    for (key, var) in [
        ("    key_env: OTHER\n", smuggler),
        ("    key_file: ~/key\n", ""),
        ("    key_command: [printf, 'sk-x\\r\\nX-Evil: 1']\n", ""),
        ("    key: \"sk-x\\r\\nX-Evil: 1\"\n", ""),
        ("    key_env: OTHER\n", "sk-x\nX-Evil: 1"),
        ("    key_env: OTHER\n", "sk-x\u{85}X-Evil: 1"),
    ] {
        let sandbox = sandbox(&lists, "").var("OTHER", var);
        sandbox.config(&super::config(&lists, key).replace("    key_env: MOCK_KEY\n", ""));
        sandbox.write(&sandbox.home("key"), smuggler);
        for words in [
            &["models", "list", "mock", "--refresh"] as &[&str],
            &["providers", "test", "mock"],
            &["launch", "mock", "codex"],
            &["launch", "mock", "claude"],
        ] {
            let ran = sandbox.agent_run(words);
            assert!(ran.code != 0, "{key}: {words:?}: {ran:?}");
            let said = ran.stdout + &ran.stderr;
            assert!(said.contains("help: ") && !said.contains("X-Evil: 1\n"), "{key}: {words:?}: {said}");
        }
    }
    assert!(lists.asked().is_empty(), "{:?}", lists.asked());
}

#[test]
fn a_headers_value_smuggles_no_header_in() {
    let lists = Lists::json(TWO);
    for (value, var) in [
        ("\"a\\r\\nX-Evil: 1\"", ""),
        ("\"a\\nX-Evil: 1\"", ""),
        ("\"a\\0b\"", ""),
        ("'${env:OTHER}'", "a\r\nX-Evil: 1"),
        ("'${env:OTHER}'", "a\nX-Evil: 1"),
    ] {
        let sandbox = sandbox(&lists, &format!("    headers: {{X-Mine: {value}}}\n")).var("OTHER", var);
        for words in [&["models", "list", "mock", "--refresh"] as &[&str], &["providers", "test", "mock"]] {
            let ran = sandbox.agent_run(words);
            assert!(ran.code != 0, "{value}: {words:?}: {ran:?}");
            assert!((ran.stdout + &ran.stderr).contains("help: "), "{value}: {words:?}");
        }
    }
    assert!(lists.asked().is_empty(), "{:?}", lists.asked());
}

#[test]
fn a_url_that_is_not_what_it_seems_is_refused() {
    let thief = Lists::json(TWO);
    let evil = &thief.address;
    let urls = [
        format!("http://good.example@{evil}/v1"),
        format!("http://good.example:pw@{evil}/v1"),
        format!("http://good.example%40{evil}/v1"),
        format!("http://{evil}\\\\@good.example/v1"),
        format!("http://{evil}#@good.example/v1"),
        format!("http://{evil}?@good.example/v1"),
        format!("http:/{evil}/v1"),
        format!("http:{evil}/v1"),
        format!("//{evil}/v1"),
        format!("{evil}/v1"),
        format!("ftp://{evil}/v1"),
        "file:///etc/passwd".to_owned(),
        "javascript://x/v1".to_owned(),
        format!("http://{evil}\\tx/v1"),
        format!("http://{evil}\\r\\nX-Evil:1/v1"),
        format!("http://{evil} /v1"),
        "http://g\u{43e}od.example/v1".to_owned(),
        "http://good.example\u{ff0f}evil.example/v1".to_owned(),
        "http://good.example:0/v1".to_owned(),
        "http://good.example:99999/v1".to_owned(),
        "http://good.example:/v1".to_owned(),
        "http://:80/v1".to_owned(),
        "http:///v1".to_owned(),
        "http://[fe80::1%25eth0]:80/v1".to_owned(),
        "http://[::1/v1".to_owned(),
        "http://::1/v1".to_owned(),
        "http://[127.0.0.1]/v1".to_owned(),
    ];
    for url in urls {
        let sandbox = with_base(&url, "");
        for words in [
            &["models", "list", "mock", "--refresh"] as &[&str],
            &["providers", "test", "mock"],
            &["launch", "mock", "codex"],
        ] {
            let ran = sandbox.agent_run(words);
            assert!(ran.code != 0 && ran.stderr.contains("help: "), "{url}: {words:?}: {ran:?}");
            assert!(ran.stderr.contains("base_urls"), "refused for what it is: {url}: {ran:?}");
        }
    }
    assert!(thief.asked().is_empty(), "{:?}", thief.asked());
}

#[test]
fn a_key_goes_to_the_base_urls_server_alone() {
    let (lists, thief) = (Lists::json(TWO), Lists::json(TWO));
    // The address of a list on another server, and a next page there.
    let elsewhere = format!("    models_url: 'http://{}/models'\n", thief.address);
    let sandbox = with_base(&format!("http://{}/v1", lists.address), &elsewhere);
    sandbox.agent_run(&["models", "list", "mock", "--refresh"]).clean();
    let asked = thief.asked();
    assert_eq!((asked.len(), asked[0].header("authorization").len()), (1, 0));
    assert!(lists.asked().is_empty());

    let sandbox = with_base(&format!("http://{}/v1", lists.address), "");
    for next in [
        "http://THIEF/v1/models?p=2",
        "//THIEF/models",
        "http://LISTS@THIEF/v1/models",
        "http://THIEF#LISTS/",
    ] {
        let next = next.replace("THIEF", &thief.address).replace("LISTS", &lists.address);
        lists.now_json(
            &serde_json::json!({"data": [{"id": "m-one"}], "next": next, "has_more": true}).to_string(),
        );
        sandbox.agent_run(&["models", "list", "mock", "--refresh"]).exits(0);
    }
    assert_eq!(thief.asked().len(), 1, "{:?}", thief.asked());
}

#[test]
fn no_kind_of_redirect_is_followed() {
    let (lists, thief) = (Lists::json(TWO), Lists::json(TWO));
    let sandbox = with_base(&format!("http://{}/v1", lists.address), "");
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary",
        "308 Permanent",
        "300 Choices",
        "304 Same",
    ] {
        let targets = [format!("http://{}/v1/models", thief.address), format!("//{}/x", thief.address)];
        for target in targets {
            lists.now(move |_, stream| respond(stream, status, &[("location", &target)], b""));
            for words in [&["models", "list", "mock", "--refresh"] as &[&str], &["providers", "test", "mock"]]
            {
                let ran = sandbox.agent_run(words).exits(1);
                assert!((ran.stdout + &ran.stderr).contains("follows no redirect"), "{status}: {words:?}");
            }
        }
    }
    assert!(thief.asked().is_empty(), "{:?}", thief.asked());
}

/// Headers, not bodies, without an end: bodies are with the other failures of lists.
#[test]
fn headers_without_end_end_in_time() {
    type Flood = fn(&Asked, &mut TcpStream);
    let many: Flood = |_, stream| {
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"x-more: of this\r\n").is_ok() {}
    };
    let long: Flood = |_, stream| {
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx-long: ");
        while stream.write_all(&[b'a'; 4096]).is_ok() {}
    };
    let drip: Flood = |_, stream| {
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"x: y\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let informing: Flood =
        |_, stream| while stream.write_all(b"HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n").is_ok() {};
    let status: Flood = |_, stream| {
        _ = stream.write_all(b"HTTP/1.1 200 ");
        while stream.write_all(&[b'a'; 4096]).is_ok() {}
    };
    let chunk: Flood = |_, stream| {
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;");
        while stream.write_all(&[b'a'; 4096]).is_ok() {}
    };
    let trailer: Flood = |_, stream| {
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n");
        while stream.write_all(b"x-more: of this\r\n").is_ok() {}
    };
    for (what, flood) in [
        ("many", many),
        ("long", long),
        ("drip", drip),
        ("informing", informing),
        ("status", status),
        ("chunk", chunk),
        ("trailer", trailer),
    ] {
        let lists = Lists::start(flood);
        let sandbox = with_base(&format!("http://{}/v1", lists.address), "");
        let start = Instant::now();
        // Half a gigabyte would hold what ten seconds of it bring.
        let limits = ["-c", "ulimit -v 1000000; exec timeout -k 1 30 \"$0\" models list mock --refresh"];
        let program = sandbox.path("bin/agent-run");
        let ran = sandbox.run("sh", &[&limits[..], &[program.to_str().unwrap()]].concat());
        assert!(ran.stderr.contains("help: ") && ran.code == 1, "{what}: {ran:?}");
        assert!(start.elapsed() < Duration::from_secs(25), "{what}: {:?}", start.elapsed());
    }
}
