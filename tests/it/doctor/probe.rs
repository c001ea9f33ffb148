use super::*;

#[test]
fn a_probe_starts_the_agent_with_a_made_up_key_and_leaves_no_trace() {
    let sandbox = sandbox();
    sandbox.write(&sandbox.home(".claude.json"), "{}");
    let before = Tree::of(&sandbox.home(".claude.json"));
    let ran = sandbox.agent_run(&["doctor", "--probe", "claude@mock"]).clean();
    for part in [
        "Probe of claude@mock",
        "host      127.0.0.1:",
        "POST /v1/messages",
        "model     m1",
        "PONG-FROM-MOCK",
        "No other key was sent, though this test set made-up ones in ANTHROPIC_API_KEY and MOCK_KEY",
        "Not covered: traffic that bypasses",
    ] {
        assert!(ran.stdout.contains(part), "no {part} in:\n{}", ran.stdout);
    }
    assert!(!ran.stdout.contains("sk-"), "{}", ran.stdout);
    assert_eq!(Tree::of(&sandbox.home(".claude.json")), before, "nothing is merged");
    assert!(!sandbox.home(".cache").exists(), "a folder that was missing is missing again");
    sandbox.agent_run(&["doctor", "--probe", "asked", "claude"]).clean();
    assert!(!sandbox.home("asked").exists(), "the key command ran");
}

#[test]
fn what_other_programs_ask_of_the_probes_server_does_not_count() {
    let sandbox = sandbox();
    // Without the path of the base URL; with it, as a page in a browser would send it.
    let asks = "root=$(echo $ANTHROPIC_BASE_URL | cut -d/ -f1-3)\n\
                for url in $root $root/0123456789abcdef0123456789abcdef; do curl -s $url/v1/messages \
                -H 'x-api-key: sk-inherited' -d '{\"model\": \"evil\", \"messages\": []}'; done\n\
                curl -s $ANTHROPIC_BASE_URL/v1/messages -H 'Origin: https://evil.example' \
                -H 'x-api-key: sk-inherited' -d '{\"model\": \"evil\", \"messages\": []}'\n\
                curl -s $ANTHROPIC_BASE_URL/v1/messages -H 'Host: evil.example' \
                -H 'x-api-key: sk-inherited' -d '{\"model\": \"evil\", \"messages\": []}'\n";
    sandbox.script("claude", &claude("2.1.197", asks));
    let ran = sandbox.agent_run(&["doctor", "--probe", "claude@mock"]).clean();
    assert!(!ran.stdout.contains("evil"), "{}", ran.stdout);
}

/// What asks for another host comes by the proxy variables, and with their password.
#[test]
fn what_another_program_asks_of_the_probes_proxy_does_not_count() {
    let sandbox = sandbox();
    let port = "$(echo $http_proxy | sed 's/.*@//')";
    for (proxy, code) in [
        (format!("http://{port}"), 0),
        (format!("http://agent-run:x@{port}"), 0),
        ("$http_proxy".to_owned(), 1),
    ] {
        let asks = format!(
            "curl -s -o /dev/null -x {proxy} http://elsewhere.example/ || :\ncurl -s -x {proxy} https://elsewhere.example/ || :\n"
        );
        sandbox.script("claude", &claude("2.1.197", &asks));
        let ran = sandbox.agent_run(&["doctor", "--probe", "claude@mock"]).exits(code);
        assert_eq!(ran.stdout.contains("elsewhere.example:443"), code == 1, "{}", ran.stdout);
        assert_eq!(ran.stdout.contains("http://elsewhere.example/"), code == 1, "{}", ran.stdout);
    }
}

/// Git sends the password of a proxy only when it is asked for.
#[test]
fn what_a_hook_asks_for_with_git_counts() {
    let sandbox = sandbox();
    sandbox
        .script("claude", &claude("2.1.332", "git ls-remote https://elsewhere.example/x 2>/dev/null || :\n"));
    let ran = sandbox.agent_run(&["doctor", "--probe", "claude@mock"]).exits(1);
    assert!(ran.stdout.contains("the agent tried to contact elsewhere.example:443"), "{}", ran.stdout);
}

/// The system says whose a connection is.
#[test]
#[cfg(target_os = "linux")]
#[cfg_attr(not(feature = "as-root"), ignore = "only root can be another user: --features as-root")]
fn what_another_user_asks_of_the_probes_proxy_does_not_count() {
    let sandbox = sandbox();
    for (who, code) in [("setpriv --reuid=65533 --clear-groups", 0), ("", 1)] {
        let asks = format!("{who} curl -s -o /dev/null -x $http_proxy http://elsewhere.example/ || :\n");
        sandbox.script("claude", &claude("2.1.197", &asks));
        let ran = sandbox.agent_run(&["doctor", "--probe", "claude@mock"]).exits(code);
        assert_eq!(ran.stdout.contains("elsewhere"), code == 1, "{}", ran.stdout);
    }
}

#[test]
fn a_probe_fails_when_the_agent_goes_elsewhere() {
    let sandbox = sandbox();
    let curl = "curl -s -o /dev/null";
    let proxied = CONFIG
        .replace("default_model: m1", "default_model: m1\n    extra_env: {http_proxy: 'http://127.0.0.1:9'}");
    sandbox.config(&proxied);
    for (more, part) in [
        (
            format!("{curl} http://elsewhere.example/x || :\n"),
            "the agent tried to contact http://elsewhere.example/x",
        ),
        (
            format!("{curl} \"$ANTHROPIC_BASE_URL/v1/messages\" -H \"x-api-key: $MOCK_KEY\" -d '{{}}'\n"),
            "the value of MOCK_KEY was sent",
        ),
        (
            format!("{curl} \"$ANTHROPIC_BASE_URL/v1/messages\" -d '{{\"model\": \"haiku\"}}'\n"),
            "not chosen: haiku",
        ),
    ] {
        sandbox.script("claude", &claude("2.1.332", &more));
        let ran = sandbox.agent_run(&["doctor", "--probe", "mock", "claude"]).exits(1);
        assert!(ran.stdout.contains(part), "no {part} in:\n{}", ran.stdout);
        assert!(!ran.stdout.contains("sk-mock-key"), "{}", ran.stdout);
    }
}
