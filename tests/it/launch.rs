use crate::support::{Sandbox, run};

const CONFIG: &str = "\
providers:
  mock:
    protocols: [anthropic, openai-responses]
    base_urls:
      anthropic: http://127.0.0.1:9
      openai: http://127.0.0.1:9/v1
    key_env: MOCK_KEY
    default_model: m1
    models: [{id: m1}, {id: m2}]
";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new().var("MOCK_KEY", "sk-canary");
    sandbox.config(CONFIG);
    sandbox.fake_agent("claude");
    sandbox.shim("claude@mock");
    sandbox
}

#[test]
fn words_reach_the_agent_byte_for_byte_through_both_doors() {
    use std::os::unix::ffi::OsStrExt;
    let sandbox = sandbox();
    let words = ["--help", "", "-p", "two words", "--", "--model", "x"];
    assert_eq!(sandbox.run("claude@mock", &words).clean().args(), words);
    let mut launch = vec!["launch", "mock", "claude", "--"];
    launch.extend(words);
    assert_eq!(sandbox.agent_run(&launch).clean().args(), words);

    sandbox.script("claude", "#!/bin/sh\nprintf %s \"$1\" | od -An -tx1\n");
    let raw = std::ffi::OsStr::from_bytes(b"a\xffb");
    let ran = run(sandbox.command("claude@mock").arg(raw)).clean();
    assert_eq!(ran.stdout.trim(), "61 ff 62");
}

#[test]
fn both_doors_give_the_same_plan() {
    let sandbox = sandbox();
    let by_name = sandbox.agent_run(&["launch", "mock", "--dry-run", "claude", "-p", "hi"]).clean();
    let mut shim = sandbox.command("claude@mock");
    let by_link = run(shim.args(["-p", "hi"]).env("AGENT_RUN_OPTS", "--dry-run")).clean();
    assert_eq!(by_name.stdout, by_link.stdout);
    assert!(by_name.stdout.contains("\nexec claude "), "{}", by_name.stdout);
}

#[test]
fn the_mock_provider_answers_and_remembers() {
    let sandbox = sandbox();
    let canary = crate::support::Canary::start(&sandbox, "m1");
    let ask = format!("curl -s -d '{{\"model\":\"m\",\"messages\":[]}}' {}", canary.url("/v1/messages"));
    let ran = run(sandbox.command("sh").args(["-c", &ask])).exits(0);
    assert!(ran.stdout.contains("PONG-FROM-MOCK"), "{}", ran.stdout);
    assert_eq!(canary.posts()[0]["model"], "m");
}
