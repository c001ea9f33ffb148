//! Providers that no preset knows, and names that were meant otherwise.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::{KEY, config_of, key_is_only_in, newcomer};
use crate::support::tmux::Tmux;
use crate::support::{MockProvider, Sandbox, run};

/// A vendor that no preset knows, which speaks chat completions alone.
fn vendor(sandbox: &Sandbox) -> MockProvider {
    MockProvider::scripted(sandbox, "vendor", &vendor_rules())
}

fn vendor_rules() -> String {
    let list = json!({"data": [{"id": "m-embed", "type": "embedding"}, {"id": "m-large"}]});
    let rules = json!([
        {"path": "/v1/models", "body": list},
        {"path": "/messages", "status": 404},
        {"path": "/responses", "status": 404},
        {"path": "/v1/chat/completions", "contains": "pong"},
        {"path": "/v1/chat/completions", "status": 401},
    ]);
    rules.to_string()
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn a_refused_key_is_said_before_a_protocol_is_asked_for_and_another_one_finds_it() {
    assert!(Tmux::is_there());
    let sandbox = newcomer();
    let mut server = MockProvider::scripted(&sandbox, "vendor", r#"[{"status": 401}]"#);
    let url = server.url("/v1");
    let add = format!("agent-run providers add acme --server {url}");
    let tmux = Tmux::start(&sandbox, &add);
    tmux.wait_for("Where is the key of acme?");
    tmux.key("Enter");
    tmux.wait_for("Key (not shown");
    tmux.text("sk-wrong-0123456789abcdef\n");
    let screen = tmux.wait_for("3  stop");
    for part in ["the key was refused (401)", "check the key that you pasted", "1  enter another key"] {
        assert!(screen.contains(part), "no `{part}` on\n{screen}");
    }
    tmux.text("3\n");
    let screen = tmux.wait_for("[exited 1]");
    assert!(
        screen.contains("stopped, and the config was not changed") && !screen.contains("Base URL"),
        "{screen}"
    );
    let tmux = Tmux::start(&sandbox, &add);
    tmux.wait_for("Where is the key of acme?");
    tmux.key("Enter");
    tmux.wait_for("Key (not shown");
    tmux.text("sk-wrong-0123456789abcdef\n");
    tmux.wait_for("3  stop");
    let address = server.url("").replace("http://", "");
    server.stop();
    let _server = MockProvider::scripted_at(&sandbox, "other", &address, &vendor_rules());
    tmux.text("1\n");
    tmux.wait_until("the key again", |screen| screen.matches("Key (not shown").count() == 2);
    tmux.text(&format!("{KEY}\n"));
    let screen = tmux.wait_for("one short request to m-large");
    assert!(!screen.contains("does not say which") && !screen.contains("0 models"), "{screen}");
}

#[test]
fn a_provider_without_a_preset_is_added_by_its_base_url() {
    let sandbox = newcomer().var("ACME_API_KEY", KEY);
    let server = vendor(&sandbox);
    let add = |words: &[&str]| sandbox.agent_run(&[&["providers", "add", "acme", "--yes"], words].concat());
    add(&[]).exits(1).complains(&["no preset `acme`", "agent-run providers add acme --server https://"]);
    add(&["--server", &server.url("")]).exits(0);
    let config = config_of(&sandbox);
    let entry = format!(
        "  acme:\n    protocols: [openai-chat-completions]\n    base_urls:\n      openai: {}\n    key_env: ACME_API_KEY\n",
        server.url("/v1")
    );
    assert!(config.contains(&entry), "{config}");
    assert!(server.requests().iter().all(|request| !format!("{request:?}").contains(KEY)));
    let none = MockProvider::scripted(&sandbox, "none", r#"[{"path": "", "status": 404}]"#);
    add(&["--name", "c", "--server", &none.url("")])
        .exits(1)
        .complains(&["no protocol of an agent works at", "help: "]);
    assert!(!config_of(&sandbox).contains("  c:"));
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn at_a_terminal_the_base_url_of_a_provider_without_a_preset_is_asked_for() {
    assert!(Tmux::is_there());
    let sandbox = newcomer();
    sandbox.script("hermes", "#!/bin/sh\necho STARTED\n");
    let server = vendor(&sandbox);
    let tmux = Tmux::start(&sandbox, "trap : INT; agent-run providers add acme");
    tmux.wait_for("`acme` is not a known provider");
    tmux.text(&format!("{}\n", server.url("/v1")));
    tmux.wait_for("Where is the key of acme?");
    tmux.key("Enter");
    tmux.wait_for("Key (not shown");
    tmux.text(&format!("{KEY}\n"));
    // The one model that is no embedding is taken.
    tmux.wait_for("one short request to m-large");
    tmux.wait_for("Start Hermes");
    tmux.text("n\n");
    tmux.wait_for("[exited 0]");
    assert!(config_of(&sandbox).contains("default_model: m-large\n"), "{}", config_of(&sandbox));
}

#[test]
fn a_dry_run_runs_no_key_command_and_sends_no_key() {
    let sandbox = newcomer().var("ACME_API_KEY", KEY);
    let server = vendor(&sandbox);
    let (url, ran) = (server.url(""), sandbox.path("ran"));
    let command = format!("sh -c 'touch {}; echo {KEY}'", ran.display());
    for source in [["--key-command", &command], ["--key-env", "ACME_API_KEY"]] {
        let words = [&["providers", "add", "acme", "--server", &url, "--dry-run"][..], &source].concat();
        let said = sandbox.agent_run(&words).exits(0).stdout;
        assert!(said.contains("openai-chat-completions"), "{said}");
    }
    assert!(!ran.exists(), "the command ran");
    assert!(!server.requests().is_empty(), "nothing was asked");
    assert!(server.requests().iter().all(|request| !request.to_string().contains(KEY)));
    assert!(!sandbox.home(".config/agent-run/config.yaml").exists());
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn what_is_no_name_and_no_url_is_asked_for_again() {
    assert!(Tmux::is_there());
    let sandbox = newcomer();
    let tmux = Tmux::start(&sandbox, "trap : INT; agent-run providers add");
    tmux.wait_for("Enter stops");
    tmux.text("agent-run demo\n");
    tmux.wait_for("A name has letters, digits");
    tmux.text("acme\n");
    tmux.wait_for("`acme` is not a known provider. To add `acme`, enter its base URL.");
    tmux.text("agent-run demo\n");
    tmux.wait_for("this is no URL");
    tmux.text("a-key.0123456789abcdef0123456789abcdef\n");
    tmux.wait_for("This looks like a key");
    tmux.text("\n");
    let screen = tmux.wait_for("stopped, and the config was not changed");
    assert!(!screen.contains("Asking https://a-key"), "{screen}");
    assert!(!sandbox.home(".config/agent-run/config.yaml").exists());
    // Who says no to a known one means the name.
    let tmux = Tmux::start(&sandbox, "agent-run providers add");
    tmux.wait_for("Enter stops");
    tmux.text("openia\n");
    tmux.wait_for("Did you mean openai? [Y/n]");
    tmux.text("n\n");
    tmux.wait_for("`openia` is not a known provider. To add `openia`, enter its base URL.");
    drop(tmux);
    // A name that is like a known one is no new provider.
    sandbox.fake_agent("claude");
    let tmux = Tmux::start(&sandbox, "agent-run launch deepsek claude");
    tmux.wait_for("did you mean deepseek?");
    tmux.wait_for("[exited 125]");
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn a_key_that_was_kept_is_offered_when_its_provider_is_added_again() {
    assert!(Tmux::is_there());
    let sandbox = newcomer();
    let provider = MockProvider::start(&sandbox, "live");
    let add = format!("providers add litellm --server {}", provider.url(""));
    run(sandbox.command("sh").args(["-c", &format!("agent-run {add} --yes")])).exits(0);
    run(sandbox.command("sh").args(["-c", &format!("printf %s '{KEY}' | agent-run key set litellm")]))
        .clean();
    let added = config_of(&sandbox);
    sandbox.agent_run(&["providers", "remove", "litellm", "--yes"]).exits(0);
    let tmux = Tmux::start(&sandbox, &format!("agent-run {add}"));
    // It may be another config's, so it is not the default.
    tmux.wait_for("1  paste it now; it is stored in ~/.config/agent-run/keys/litellm-2.key");
    tmux.wait_for("2  in ~/.config/agent-run/keys/litellm.key, which is there already");
    tmux.text("2\n");
    tmux.wait_for("Which one is the default?");
    tmux.key("Enter");
    tmux.wait_for("Start Claude Code on litellm now?");
    assert_eq!(config_of(&sandbox).matches("key_file: ~/.config/agent-run/keys/litellm.key\n").count(), 1);
    key_is_only_in(&sandbox, &["./.config/agent-run/keys/litellm.key"]);
    // What another provider reads is not offered.
    sandbox.config(&added.replace("  litellm:", "  other:"));
    let kept = sandbox.home(".config/agent-run/keys/litellm-2.key");
    fs::copy(kept.with_file_name("litellm.key"), &kept).unwrap();
    let tmux = Tmux::start(&sandbox, &format!("agent-run {add}"));
    tmux.wait_for("1  paste it now; it is stored in ~/.config/agent-run/keys/litellm-3.key");
    tmux.wait_for("2  in ~/.config/agent-run/keys/litellm-2.key, which is there already");
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn a_key_is_tested_with_the_one_model_and_what_was_not_tested_is_said() {
    assert!(Tmux::is_there());
    let sandbox = newcomer();
    let provider = MockProvider::start(&sandbox, "live");
    let models = |models: &str| {
        sandbox.config(&format!(
            "providers:\n  loc:\n    protocols: [anthropic]\n    base_urls: {{anthropic: '{}'}}\n    \
             model_api_filters: []\n    models: [{models}]\n    key_env: NOTSET\n",
            provider.url("")
        ));
    };
    let set = || {
        let tmux = Tmux::start(&sandbox, "agent-run key set loc");
        tmux.wait_for("Where is the key of loc?");
        tmux.key("Enter");
        tmux.wait_for("Key (not shown");
        tmux.text(&format!("{KEY}\n"));
        tmux.wait_for("[exited 0]")
    };
    models("one");
    // The variable of the config is not set, and not ours.
    sandbox.agent_run(&["key", "remove", "loc", "--yes"]).exits(1).complains(&["does not store the key"]);
    let screen = set();
    assert!(
        screen.contains("one short request to one") && screen.contains("The provider answered in"),
        "{screen}"
    );
    sandbox.agent_run(&["key", "test", "loc"]).exits(0);
    models("one, two");
    let screen = set();
    assert!(
        screen.contains("the key was not tested: ") && screen.contains("test it with a model"),
        "{screen}"
    );
}

#[test]
fn a_list_that_was_not_loaded_yet_is_loaded_to_test_a_key() {
    let sandbox = newcomer().var("VENDOR_KEY", KEY);
    let vendor = vendor(&sandbox);
    let url = vendor.url("/v1");
    sandbox.config(&format!(
        "providers:\n  v:\n    protocols: [openai-chat-completions]\n    base_urls: {{openai: '{url}'}}\n    \
         key_env: VENDOR_KEY\n"
    ));
    let ran = sandbox.agent_run(&["key", "test", "v"]).exits(0);
    assert!(ran.stderr.contains("one short request to m-large"), "{}", ran.stderr);
}

#[test]
fn what_is_given_wrongly_gets_what_to_type() {
    let sandbox = newcomer();
    let add = |words: &str| {
        sandbox
            .agent_run(&[&["providers", "add", "--yes"][..], &words.split(' ').collect::<Vec<_>>()].concat())
    };
    let address = "`agent-run providers add NAME --server ADDRESS`";
    for typed in ["http://127.0.0.1:9/v1", "127.0.0.1:9"] {
        add(typed).exits(1).complains(&["an address is not the name of a provider", address]);
    }
    add("zhipu").exits(1).complains(&["did you mean bigmodel or bigmodel-coding?"]);
    add("glm").exits(1).complains(&["did you mean zai, bigmodel, zai-coding or bigmodel-coding?"]);
    add("zai --key-command 'x").exits(1).complains(&["`--key-command 'pass show zai'`"]);
    let key = sandbox.home("key");
    fs::write(&key, KEY).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o640)).unwrap();
    let ran = add("zai --key-file ~/key").exits(0);
    assert!(
        ran.stderr.contains("other users can read") && ran.stderr.contains("help: run `chmod 600 "),
        "{}",
        ran.stderr
    );
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    add("bigmodel --key-file ~/key").clean();
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn nothing_is_added_to_a_config_that_no_launch_can_use() {
    assert!(Tmux::is_there());
    let sandbox = newcomer();
    let broken =
        "providers:\n  a: {protocols: [anthropic], base_urls: {anthropic: http://127.0.0.1:9}}\ngroq: {}\n";
    sandbox.config(broken);
    // The line is that of the file as it is.
    let said = ["config.yaml:3:1: groq: unknown key", "indent a provider below `providers:`"];
    let words = ["providers", "add", "mistral", "--key-env", "K", "--yes"];
    sandbox.agent_run(&words).exits(1).complains(&said);
    let tmux = Tmux::start(&sandbox, "agent-run providers add mistral");
    let screen = tmux.wait_for("[exited 1]");
    assert!(screen.contains("groq: unknown key") && !screen.contains("Where is the key"), "{screen}");
    assert_eq!(config_of(&sandbox), broken);
}
