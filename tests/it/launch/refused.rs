use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use super::sandbox;
use crate::support::{AGENT_RUN, Sandbox, run};

/// A variable that is not set, as in `--model "$MODEL"`: Claude Code would ask for a model of its own.
#[test]
fn what_is_no_models_id_is_refused_whatever_is_forced() {
    let sandbox = sandbox();
    for model in ["", " ", "[1m]", " m2", "m\n2"] {
        let options = ["launch", "mock", "--force", "all", "--model", model, "claude"];
        let ran = sandbox.agent_run(&options).exits(125);
        ran.complains(&["--model: this is not a model id", "\nhelp: write the id as"]);
    }
}

/// On a machine without a config the help is the command that adds the provider.
#[test]
fn without_a_config_the_help_is_to_add_the_provider() {
    let sandbox = Sandbox::new();
    sandbox.fake_agent("claude");
    fs::remove_file(sandbox.home(".config/agent-run/config.yaml")).ok();
    let known = "help: deepseek is a known provider: add it with `agent-run providers add deepseek`";
    for words in [&["launch", "deepseek", "claude"], &["launch", "deepseek", "codex"]] {
        sandbox.agent_run(words).exits(125).complains(&["there is no config", known]);
    }
    let other = sandbox.agent_run(&["launch", "mine", "claude"]).exits(125);
    other.complains(&["there is no config", "help: `agent-run providers add` creates it"]);
    let add = "help: `agent-run providers add` creates it\n";
    for (words, help) in [
        (&["why", "deepseek", "claude"][..], known),
        (&["why", "claude@deepseek"], known),
        (&["why", "claude@mine"], add),
        (&["key", "set", "deepseek"], known),
        (&["key", "test", "deepseek"], known),
        (&["key", "remove", "mine"], add),
        (&["providers", "test", "deepseek"], known),
        (&["providers", "show", "mine"], add),
        (&["providers", "edit", "deepseek"], known),
        (&["config", "edit"], add),
        (&["config", "check"], add),
        (&["models", "list"], add),
    ] {
        let ran = sandbox.agent_run(words).exits(1).complains(&["there is no config: ", help]);
        assert_eq!(ran.stderr.lines().count(), 2, "{words:?}: {}", ran.stderr);
    }
    let ran = sandbox.agent_run(&["config", "check", "nosuch.yaml"]).exits(1);
    ran.complains(&[
        "there is no file nosuch.yaml\nhelp: `agent-run config check` alone checks your config\n",
    ]);
    sandbox.config("providers: {}\n");
    sandbox
        .agent_run(&["launch", "deepseek", "claude"])
        .exits(125)
        .complains(&["no provider `deepseek` in the config", known]);
    for words in [
        &["doctor", "zzz"][..],
        &["models", "list", "zzz"],
        &["providers", "show", "zzz"],
        &["config", "show", "zzz"],
    ] {
        sandbox.agent_run(words).exits(1).complains(&[
            "no provider `zzz` in the config",
            "help: the config has no providers yet; add one with `agent-run providers add`",
        ]);
    }
}

/// 2 could be the agent's own.
#[test]
fn words_that_a_launch_does_not_know_end_with_the_code_of_a_launch_and_others_with_2() {
    let sandbox = sandbox();
    for words in
        ["launch", "launch mock", "launch mock --bogus claude", "--config x launch mock --force what claude"]
    {
        let ran = sandbox.agent_run(&words.split(' ').collect::<Vec<_>>()).exits(125);
        assert!(ran.stdout.is_empty() && ran.stderr.starts_with("agent-run: "), "{words}: {ran:?}");
    }
    for words in ["models list --bogus", "bogus", "--config launch bogus", "providers test"] {
        sandbox.agent_run(&words.split(' ').collect::<Vec<_>>()).exits(2);
    }
    sandbox.agent_run(&["launch", "--help"]).clean();
    sandbox.agent_run(&["help", "launch"]).clean();
}

#[test]
fn a_provider_without_a_common_protocol_is_refused_with_a_way_out() {
    let sandbox = sandbox();
    let refused = sandbox.agent_run(&["launch", "chatty", "claude"]).exits(125);
    refused.complains(&["Claude Code speaks anthropic", "openai-chat-completions", "--force protocol"]);
    let forced = sandbox.agent_run(&["launch", "chatty", "--force", "protocol", "claude"]).clean();
    assert_eq!(forced.env("ANTHROPIC_BASE_URL"), Some("http://127.0.0.1:9"));
    let wrong = sandbox.agent_run(&["launch", "mock", "--protocol", "openai-responses", "claude"]);
    wrong.exits(125).complains(&["does not speak openai-responses"]);
}

#[test]
fn a_working_folder_that_is_gone_stops_a_launch_alone() {
    let sandbox = Sandbox::new();
    sandbox.config(
        "providers:\n  p: {protocols: [anthropic], base_urls: {anthropic: 'http://127.0.0.1:9'}, default_model: m, \
         model_api_filters: []}\n",
    );
    sandbox.fake_agent("claude");
    let in_a_gone_folder = |words: &str| {
        let mut shell = sandbox.command("sh");
        run(shell.args(["-c", &format!("mkdir gone && cd gone && rmdir ../gone && agent-run {words}")]))
    };
    for words in ["providers list", "models list p", "config check", "shims list", "completion bash"] {
        in_a_gone_folder(words).exits(0);
    }
    in_a_gone_folder("launch p claude")
        .exits(125)
        .complains(&["working folder", "cd to a folder that exists"]);
}

#[test]
fn what_names_no_agent_is_said_to_be_what_it_is() {
    let sandbox = Sandbox::new();
    sandbox.fake_agent("claude");
    let program = sandbox.path("bin/claude").display().to_string();
    sandbox.agent_run(&["launch", "p", &program]).exits(125).complains(&["say `claude`", "PATH="]);
    let link = sandbox.path("bin").join(OsStr::from_bytes(b"claude@p\xff"));
    symlink(AGENT_RUN, &link).unwrap();
    run(sandbox.command("sh").arg("-c").arg("\"$0\" hi").arg(&link))
        .exits(125)
        .complains(&["is not UTF-8", "help: "]);
}

/// Where the home's name is not UTF-8, an agent starts, or one error says what to set; nothing panics.
#[test]
fn a_home_that_is_not_utf_8_ends_in_an_agent_or_in_one_error() {
    let sandbox = Sandbox::new();
    let config = sandbox.path("config.yaml");
    sandbox.write(
        &config,
        "providers:\n  p: {protocols: [anthropic, openai-responses, openai-chat-completions], default_model: m, \
         base_urls: {anthropic: 'http://127.0.0.1:9', openai: 'http://127.0.0.1:9/v1'}, model_api_filters: []}\n",
    );
    let odd = sandbox.path("").join(OsStr::from_bytes(b"h\xff"));
    let run_with = |variable: &str, words: &[&str]| {
        let mut command = sandbox.command(AGENT_RUN);
        for name in ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"] {
            command.env_remove(name);
        }
        let ran = run(command.args(words).env("AGENT_RUN_CONFIG", &config).env(variable, &odd));
        assert!(!ran.stderr.contains("panicked") && ran.code != 134, "{variable} {words:?}: {}", ran.stderr);
        ran
    };
    for agent in shims::coding_agents() {
        let name = agent.name();
        sandbox.fake_agent(name);
        for variable in agent.info().home_variables {
            for words in [
                &["launch", "p", name, "hi"][..],
                &["launch", "p", "--dry-run", name, "hi"],
                &["launch", "p", "--dry-run", "--json", name, "hi"],
                &["why", &format!("{name}@p")],
                &["why", &format!("{name}@p"), "--json"],
                &["doctor", name, "p"],
                &["doctor", name, "p", "--json"],
                &["doctor", "--json"],
            ] {
                let ran = run_with(variable, words);
                let is_launch = words[0] == "launch";
                // Claude Code would read another home.
                assert!(!is_launch || ran.code != 0 || name != "claude", "{name} {variable}: {}", ran.stdout);
                if words.contains(&"--json") && (words[0] == "doctor" || ran.code == 0) {
                    json(&ran.stdout);
                }
                if is_launch && ran.code != 0 {
                    assert_eq!(ran.stderr.matches("agent-run: ").count(), 1, "{}", ran.stderr);
                    ran.complains(&["not UTF-8", "\nhelp: set "]);
                }
            }
        }
    }
    for words in
        [&["config", "check", "--json"][..], &["config", "show", "--json"], &["shims", "list", "--json"]]
    {
        json(&run_with("HOME", words).exits(0).stdout);
    }
    // The config's own path is not UTF-8 either.
    let settings = r#"{"env": {"ANTHROPIC_BASE_URL": "https://a.example", "ANTHROPIC_AUTH_TOKEN": "t"}}"#;
    sandbox.write(&odd.join(".claude/settings.json"), settings);
    for words in [&["import", "claude", "--json"][..], &["import", "claude", "--write", "--json"]] {
        let mut command = sandbox.command(AGENT_RUN);
        command.env_remove("XDG_CONFIG_HOME").env_remove("AGENT_RUN_CONFIG").env("HOME", &odd);
        let found = json(&run(command.args(words)).exits(0).stdout);
        assert!(found["config"].as_str().unwrap().contains("h\u{fffd}"), "{found}");
        assert_eq!(found["written"], words.contains(&"--write"), "{found}");
    }
}

#[track_caller]
fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}
