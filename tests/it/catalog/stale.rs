use super::*;

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
fn completion_runs_no_key_command_unless_said_to() {
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
    // By the whole URL, as curl and the agents ask: companies' proxies open tunnels for https alone.
    assert_eq!(asked.path, "http://openrouter.ai/v1/models");
    assert!(!sandbox.home("ran").exists());

    config("a.provider.example", &through);
    list(&sandbox).clean();
    assert_eq!(proxy.asked()[1].header("x-secret"), ["a sk-1"]);
    assert_eq!(proxy.asked()[1].header("host"), ["a.provider.example"]);

    // Each page too, and with the name and the password in the proxy's URL.
    proxy.now(|asked, stream| {
        let more =
            if asked.path.contains("after") { "" } else { ", \"has_more\": true, \"last_id\": \"m-1\"" };
        let id = if more.is_empty() { 2 } else { 1 };
        let body = format!("{{\"data\": [{{\"id\": \"m-{id}\"}}]{more}}}");
        respond(stream, "200 OK", &[], body.as_bytes());
    });
    config("b.provider.example:81", &format!("http://me:p%40ss@{}", proxy.address));
    assert_eq!(ids(&list(&sandbox).clean()), ["m-1", "m-2"]);
    for asked in &proxy.asked()[2..] {
        assert!(asked.path.starts_with("http://b.provider.example:81/v1/models"), "{}", asked.path);
        assert_eq!(asked.header("proxy-authorization"), ["Basic bWU6cEBzcw=="]);
    }
    let before = proxy.asked().len();

    // This machine is asked directly, whatever the proxy.
    proxy.now_json(TWO);
    config(&proxy.address, "http://127.0.0.1:9");
    list(&sandbox).clean();
    assert_eq!(proxy.asked()[before].header("authorization"), ["Bearer sk-1"]);
}

#[test]
fn what_a_proxy_refuses_is_said_of_the_proxy() {
    let proxy = Lists::json(TWO);
    let sandbox = Sandbox::new();
    let sent = |scheme: &str, status: &'static str, headers: &'static [(&str, &str)], body: &'static str| {
        proxy.now(move |_, stream| respond(stream, status, headers, body.as_bytes()));
        sandbox.config(&format!(
            "providers:\n  mock:\n    protocols: [openai-responses]\n    base_urls: {{openai: \
             '{scheme}://a.provider.example/v1'}}\n    proxy: 'http://me:secret@{}'\n",
            proxy.address
        ));
        let ran = refresh(&sandbox).exits(1);
        assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
        ran
    };
    let refused = |scheme: &str, status: &'static str| {
        sent(scheme, status, &[], "no").complains(&[&format!("the proxy http://{}", proxy.address)])
    };
    // Squid's own answers have a header that shows it, and RFC 9209 has one for all proxies.
    let squid = &[("x-squid-error", "ERR_ACCESS_DENIED 0"), ("via", "1.1 squid")];
    let own = sent("http", "403 Forbidden", squid, "no");
    own.complains(&["did not pass the request on to http://a.provider.example (403)", "proxy: none"]);
    let own = sent("http", "405 Not Allowed", &[("proxy-status", "p; error=http_request_denied")], "no");
    own.complains(&["does not forward http:// requests (405)"]);
    // What was passed on, and what speaks JSON as a provider does, is the provider's.
    for ran in [
        sent("http", "405 Not Allowed", &[("via", "1.1 p")], "no"),
        sent("http", "503 Busy", &[], r#"{"error": {"message": "loading"}}"#),
        sent("http", "403 Forbidden", &[], r#"{"error": {"message": "no"}}"#),
    ] {
        assert!(!ran.stderr.contains("proxy"), "{}", ran.stderr);
    }
    // Else both are possible.
    for (status, text) in [
        ("403 Forbidden", "requires a key (403)"),
        ("502 Bad Gateway", "has an internal error (502)"),
        ("405 No", "no model list (405)"),
    ] {
        refused("http", status).complains(&[text, "or this is the answer of the proxy"]);
    }
    refused("http", "405 Method Not Allowed").complains(&["(405)", "https:// address", "proxy: none"]);
    refused("http", "407 Proxy Authentication Required")
        .complains(&["(407)", "http://NAME:PASSWORD@HOST:PORT"]);
    proxy.opens_no_tunnel("403 Forbidden");
    refused("https", "").complains(&["no tunnel is opened (403)", "no_proxy"]);
    proxy.opens_no_tunnel("407 Proxy Authentication Required");
    refused("https", "").complains(&["a name and a password are needed (407)"]);
}
