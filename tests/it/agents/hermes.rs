use std::fs;
use std::path::PathBuf;

use crate::support::tree::{Tree, files_holding};
use crate::support::{Ran, Sandbox, run};

const CONFIG: &str = "\
providers:
  mock:
    protocols: [openai-chat-completions]
    base_urls: {openai: http://127.0.0.1:9/v1}
    key_env: MOCK_KEY
    default_model: m1
    model_api_filters: []
    models: [{id: m1, context_window: 100000}]
  apart:
    protocols: [openai-chat-completions]
    base_urls: {openai: http://127.0.0.1:9/v1}
    default_model: m1
    model_api_filters: []
    models: [{id: m1}]
isolated_homes: {hermes: {apart: {}, bare: {}}}
";

/// A home with settings of the user's own.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new().var("MOCK_KEY", "sk-planted");
    sandbox.config(CONFIG);
    sandbox.fake_agent("hermes");
    for shim in ["hermes@mock", "hermes@apart", "hermes@bare"] {
        sandbox.shim(shim);
    }
    let own = sandbox.home(".hermes");
    sandbox.write(&own.join("config.yaml"), "approvals: {mode: off, deny: ['rm *']} # mine\nmodel: mine\n");
    sandbox.write(&own.join(".env"), "OPENAI_API_KEY=sk-own\n");
    sandbox.known_secret();
    sandbox.write(&own.join("auth.json"), "{}");
    sandbox.write(&own.join("memories/MEMORY.md"), "RULE-42");
    sandbox
}

/// What the variable holds that carries the key, whose name ends in digits of the machine's secret.
fn key<'a>(ran: &'a Ran, provider: &str) -> Option<&'a str> {
    let secret =
        shims::MachineSecret::new(*b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f");
    let suffix = secret.suffix(shims::Suffix::Variable);
    ran.env(&format!("AUXILIARY_AGENT_RUN_{provider}_{suffix}_API_KEY"))
}

#[track_caller]
fn home(ran: &Ran) -> PathBuf {
    ran.env("HERMES_HOME").expect("a home").into()
}

#[test]
fn the_runtime_home_links_to_the_users_and_harms_nothing() {
    let sandbox = sandbox();
    let own = sandbox.home(".hermes");
    let before = Tree::of(&own);
    let ran = sandbox.run("hermes@mock", &["-z", "two words"]).clean();
    assert_eq!(ran.args(), ["-z", "two words"]);
    assert_eq!(key(&ran, "MOCK"), Some("sk-planted"));
    assert_eq!(ran.env("MOCK_KEY"), None);
    let home = home(&ran);
    assert_eq!(fs::read_to_string(home.join("memories/MEMORY.md")).unwrap(), "RULE-42");
    assert_eq!(fs::read_link(home.join("state.db")).unwrap(), own.join("state.db"));
    assert!(!home.join("auth.json").exists());
    let settings = fs::read_to_string(home.join("config.yaml")).unwrap();
    assert!(settings.contains("approvals: {mode: off, deny: [\"rm *\"]}\n"), "{settings}");
    assert_eq!(files_holding(&sandbox.home(""), "sk-planted"), Vec::<PathBuf>::new());
    before.is_unharmed(&own);
}

#[test]
fn a_second_launch_writes_nothing() {
    let sandbox = sandbox();
    let home = home(&sandbox.run("hermes@mock", &[]).clean());
    let before = Tree::of(&sandbox.home(""));
    let changed = |name: &str| fs::symlink_metadata(home.join(name)).unwrap().modified().unwrap();
    let times = ["config.yaml", "managed/.env", ".env"].map(changed);
    sandbox.run("hermes@mock", &[]).clean();
    assert_eq!(before, Tree::of(&sandbox.home("")));
    assert_eq!(times, ["config.yaml", "managed/.env", ".env"].map(changed));
}

#[test]
fn a_launch_within_a_launch_has_the_users_home_behind_it() {
    let sandbox = sandbox();
    let outer = sandbox.run("hermes@mock", &[]).clean();
    let mut within = sandbox.command("hermes@mock");
    for name in ["HERMES_HOME", "HERMES_MANAGED_DIR"] {
        within.env(name, outer.env(name).unwrap());
    }
    assert_eq!(home(&run(&mut within).clean()), home(&outer), "the same launch has the same home");
    assert_eq!(fs::read_link(home(&outer).join("memories")).unwrap(), sandbox.home(".hermes/memories"));
}

#[test]
fn settings_that_do_not_parse_are_refused_and_nothing_is_done() {
    let sandbox = sandbox();
    let own = sandbox.home(".hermes/config.yaml");
    sandbox.write(&own, "approvals:\n  deny: [rm\nmodel: x\n");
    let before = Tree::of(&sandbox.home(".hermes"));
    let ran = sandbox.run("hermes@mock", &["-z", "hi"]).exits(125);
    let ran = ran.complains(&[&format!("agent-run: could not read {}:3:", own.display()), "\nhelp: "]);
    assert_eq!(ran.stdout, "", "not started");
    assert_eq!(before, Tree::of(&sandbox.home(".hermes")));
}

#[test]
fn an_isolated_provider_and_the_bare_home_of_its_name_share_one_home_and_nothing_of_the_users() {
    let sandbox = sandbox();
    let apart = sandbox.run("hermes@apart", &[]).clean();
    let state = sandbox.home(".local/state/agent-run/hermes");
    assert_eq!(fs::read_link(home(&apart).join("memories")).unwrap(), state.join("apart/memories"));
    assert_eq!(key(&apart, "APART"), Some("agent-run"), "a placeholder");
    assert!(!home(&apart).join("memories/MEMORY.md").exists());
    let bare = sandbox.run("hermes@bare", &["setup"]).clean();
    assert_eq!((bare.args(), home(&bare)), (vec!["setup"], state.join("bare")));
}

#[test]
fn a_model_id_that_hermes_would_fill_in_is_refused_before_anything_is_done() {
    let sandbox = sandbox();
    sandbox.config(
        "providers:
  mock:
    protocols: [openai-chat-completions]
    base_urls: {openai: http://127.0.0.1:9/v1}
    key_env: MOCK_KEY
    model_api_filters: []
    models: [{id: '${OPENROUTER_API_KEY}'}]
",
    );
    let ran = sandbox.run("hermes@mock", &["-z", "hi"]).exits(125);
    ran.complains(&["${OPENROUTER_API_KEY}", "cannot be passed to Hermes", "\nhelp: "]);
    assert!(!sandbox.home(".hermes/sessions").exists(), "nothing was done");
}

#[test]
fn a_key_that_hermes_would_not_send_is_refused_without_being_shown() {
    let sandbox = sandbox();
    for key in ["k3y", "changeme"] {
        let mut command = sandbox.command("hermes@mock");
        let ran = run(command.env("MOCK_KEY", key)).exits(125);
        let ran = ran.complains(&["Hermes", "\nhelp: ", "provider `mock`"]);
        assert!(!ran.stderr.contains(key), "{}", ran.stderr);
    }
}

#[test]
fn what_would_not_act_on_the_users_home_is_refused_before_anything_is_done() {
    let sandbox = sandbox();
    let before = Tree::of(&sandbox.home(".hermes"));
    for words in [
        &["auth", "remove", "openrouter", "1"][..],
        &["config", "set", "OPENROUTER_API_KEY", "sk-typed"],
        &["backup", "-o", "b.zip"],
        &["profile", "create", "pp"],
        &["-m", "m1", "setup"],
    ] {
        let ran = sandbox.run("hermes@mock", words).exits(125);
        let ran = ran.complains(&["would ", "\nhelp: run plain `hermes "]);
        assert!(!ran.stderr.contains("sk-typed") && ran.stdout.is_empty(), "{}", ran.stderr);
    }
    assert_eq!(before, Tree::of(&sandbox.home(".hermes")));
    sandbox.run("hermes@mock", &["mcp", "list"]).clean();
    let shown = sandbox.run("hermes@mock", &["config", "show"]).exits(0);
    shown.complains(&["`hermes config` shows the home of this launch, not your own"]);
}
