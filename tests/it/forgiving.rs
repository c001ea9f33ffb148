//! Words that are meant otherwise than they are written: pairs, their order, parts of ids, and commands of old.

use crate::support::lists::Lists;
use crate::support::tmux::Tmux;
use crate::support::{Sandbox, run};

const CONFIG: &str = "\
providers:
  mock:
    protocols: [anthropic, openai-responses]
    base_urls: {anthropic: 'http://127.0.0.1:9', openai: 'http://127.0.0.1:9/v1'}
    default_model: m1
    disable_model_loading_from_api: true
    models: [m1, vendor/m2-pro, vendor/m2-mini]
";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.config(CONFIG);
    sandbox.fake_agent("claude");
    sandbox.fake_agent("codex");
    sandbox
}

#[test]
fn a_launch_may_be_named_by_its_pair_or_with_its_words_swapped() {
    let sandbox = sandbox();
    let plain = sandbox.agent_run(&["launch", "mock", "claude", "-p", "hi"]).clean();
    assert_eq!(plain.own_args(), ["-p", "hi"]);
    for words in [
        &["launch", "claude@mock", "-p", "hi"][..],
        &["launch", "claude", "mock", "-p", "hi"],
        &["claude@mock", "-p", "hi"],
    ] {
        assert_eq!(sandbox.agent_run(words).clean().stdout, plain.stdout, "{words:?}");
    }
    let model =
        sandbox.agent_run(&["launch", "--model", "vendor/m2-pro", "claude@mock", "--model", "x"]).clean();
    assert_eq!(model.env("ANTHROPIC_MODEL"), Some("vendor/m2-pro"));
    assert_eq!(model.own_args(), ["--model", "x"]);
    sandbox.agent_run(&["claude@nowhere"]).exits(125).complains(&["no provider `nowhere`", "help: "]);

    let why = sandbox.agent_run(&["why", "claude@mock"]).clean().stdout;
    assert_eq!(sandbox.agent_run(&["why", "claude", "mock"]).clean().stdout, why);
    let env = sandbox.agent_run(&["env", "mock"]).clean().stdout;
    assert_eq!(sandbox.agent_run(&["env", "claude@mock"]).clean().stdout, env);
    assert_eq!(sandbox.agent_run(&["export-env", "mock"]).clean().stdout, env);
    let doctor = sandbox.agent_run(&["doctor", "claude", "mock"]).stdout;
    assert_eq!(sandbox.agent_run(&["doctor", "claude@mock"]).stdout, doctor);
    let install = sandbox.agent_run(&["shims", "install", "mock@claude"]).exits(1);
    install.complains(&["begins with the provider", "did you mean `claude@mock`?"]);
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs util-linux' script: --features system-tools")]
fn commands_of_the_earlier_launcher_do_no_harm() {
    let sandbox = sandbox();
    let version = sandbox.agent_run(&["version"]).clean().stdout;
    assert_eq!(version, sandbox.agent_run(&["--version"]).clean().stdout);
    for words in [&["statusline"][..], &["statusline", "--color"], &["claude-code-hook", "stop", "-x"]] {
        assert_eq!(sandbox.agent_run(words).clean().stdout, "", "{words:?}");
    }
    let on_terminal = |words: &str| {
        let mut command = sandbox.command("script");
        run(command.args(["-qefc", words, "/dev/null"])).exits(0).stdout
    };
    let said = on_terminal("agent-run statusline").replace('\r', "");
    assert!(said.contains("`statusline` was a command of the earlier launcher"), "{said}");
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn a_part_of_one_models_id_is_enough_on_a_terminal() {
    assert!(Tmux::is_there());
    let lists = Lists::json(r#"{"data": [{"id": "m1"}, {"id": "vendor/m2-pro"}, {"id": "vendor/m2-mini"}]}"#);
    let config = |more: &str| {
        let url = &lists.address;
        format!(
            "providers:\n  mock:\n    protocols: [anthropic, openai-responses]\n    base_urls: {{anthropic: 'http://{url}', \
             openai: 'http://{url}/v1'}}\n    default_model: m1\n{more}"
        )
    };
    let sandbox = sandbox();
    sandbox.config(&config(""));
    // It is just loaded, then fresh.
    for _ in 0..2 {
        let tmux = Tmux::start(&sandbox, "agent-run launch mock --model PRO claude | grep ANTHROPIC_MODEL=");
        let screen = tmux.wait_for("[exited ");
        assert!(screen.contains("ANTHROPIC_MODEL=vendor/m2-pro"), "{screen}");
        assert!(screen.contains("--model PRO: using vendor/m2-pro"), "{screen}");
    }
    let tmux = Tmux::start(&sandbox, "agent-run launch mock --model m2 claude");
    let screen = tmux.wait_for("[exited 125]");
    assert!(screen.contains("did you mean vendor/m2-pro or vendor/m2-mini?"), "{screen}");
    // A script names a model by its whole id.
    let refused = sandbox.agent_run(&["launch", "mock", "--model", "pro", "claude"]).exits(125);
    refused.complains(&["has no model `pro`", "did you mean vendor/m2-pro"]);
    // What the config names or keeps may be a part of what the provider has.
    let refuses = |why: &str| {
        let tmux = Tmux::start(&sandbox, "agent-run launch mock --model m2-pro claude");
        let screen = tmux.wait_for("[exited 125]");
        assert!(screen.contains("has no model `m2-pro`") && screen.contains(why), "{screen}");
    };
    for more in [
        "    model_api_filters: [{filter: pro}]\n",
        "    disable_model_loading_from_api: true\n    models: [vendor/m2-pro]\n",
    ] {
        sandbox.config(&config(more));
        refuses("to use it anyway, add `--force model`");
    }
    sandbox.config(&config("").replace(&lists.address, "127.0.0.1:9"));
    refuses("could not be loaded");
}

/// The name of a provider or an agent as the command is a launch that was meant.
#[test]
fn a_provider_or_an_agent_alone_is_named_with_the_launch() {
    let sandbox = sandbox();
    for (typed, what, launch) in [
        ("mock", "a provider", "mock claude"),
        ("mock codex -v", "a provider", "mock codex"),
        ("codex", "an agent", "mock codex"),
        ("hermes", "an agent", "PROVIDER hermes"),
        ("codex mock", "an agent", "mock codex"),
    ] {
        let words: Vec<_> = typed.split(' ').collect();
        sandbox.agent_run(&words).exits(2).complains(&[&format!(
            "no command `{word}`\nhelp: {word} is {what}; to launch it: `agent-run launch {launch}`\n",
            word = words[0]
        )]);
    }
}

#[test]
fn only_what_is_near_is_offered_and_an_error_shows_an_example() {
    let sandbox = sandbox();
    let far = sandbox.agent_run(&["launch", "mock", "--model", "zzz", "claude"]).exits(125);
    assert!(!far.stderr.contains("did you mean"), "{}", far.stderr);
    far.complains(&["known models: m1, vendor/m2-pro, vendor/m2-mini; to use it anyway, add `--force"]);
    sandbox
        .agent_run(&["launch", "mock"])
        .exits(125)
        .complains(&["missing: <AGENT>\nhelp: for example `agent-run launch mock claude`; see"]);
    sandbox
        .agent_run(&["models", "show", "mock"])
        .exits(2)
        .complains(&["help: for example `agent-run models show mock MODEL`; see"]);
    for (typed, code, error) in [
        ("lauch", 2, "no command `lauch`\nhelp: did you mean `launch`? see `agent-run --help`"),
        (
            "refresh-detach",
            2,
            "no command `refresh-detach`\nhelp: for example `agent-run demo`; see `agent-run --help`",
        ),
        ("models lst", 2, "no command `lst`\nhelp: did you mean `list`? see `agent-run models --help`"),
        (
            "codx@mock",
            2,
            "`codx@mock` does not begin with an agent; the agents are claude, codex, hermes, crush, shell\n\
             help: did you mean `codex@mock`? see `agent-run --help`",
        ),
        (
            "launch --modl x mock claude",
            125,
            "no option `--modl`\n\
             help: did you mean `--model`? see `agent-run launch --help`",
        ),
        (
            "launch --model",
            125,
            "--model <MODEL> needs a value\n\
             help: for example `agent-run launch mock claude`; see `agent-run launch --help`",
        ),
        (
            "launch -v mock claude",
            125,
            "missing: --dry-run\n\
             help: add it, or leave out the option that needs it; see `agent-run launch --help`",
        ),
        ("mock-provider", 2, "missing: --log <LOG>\nhelp: add it; see `agent-run mock-provider --help`"),
        (
            "launch --model a --model b mock claude",
            125,
            "--model <MODEL> is given twice\n\
             help: for example `agent-run launch mock claude`; see `agent-run launch --help`",
        ),
        (
            "why mock --protocol x",
            2,
            "--protocol <PROTOCOL>: `x` is not one of anthropic, openai-responses, \
             openai-chat-completions\nhelp: for example `agent-run why claude@mock`; see `agent-run why --help`",
        ),
        (
            "env mock --format jsn",
            2,
            "--format <FORMAT>: `jsn` is not one of sh, fish, json, dotenv\n\
             help: did you mean `json`? see `agent-run env --help`",
        ),
        (
            "why mock --json -v",
            2,
            "--json cannot be used with --verbose\n\
             help: for example `agent-run why claude@mock`; see `agent-run why --help`",
        ),
        (
            "launch mock --protocol openai claude",
            125,
            "--protocol <PROTOCOL>: `openai` is not one of anthropic, openai-responses, \
             openai-chat-completions\n\
             help: did you mean `openai-responses` or `openai-chat-completions`? see `agent-run launch --help`",
        ),
        ("version x", 2, "unexpected argument `x`\nhelp: see `agent-run version --help`"),
    ] {
        let ran = sandbox.agent_run(&typed.split(' ').collect::<Vec<_>>()).exits(code);
        assert_eq!(ran.stderr, format!("agent-run: {error}\n"));
    }
    // A command without its words is shown the page of its --help.
    let page = sandbox.agent_run(&["models", "--help"]).clean().stdout;
    assert_eq!(sandbox.agent_run(&["models"]).exits(2).stderr, page);
    sandbox.shim("claude@mock");
    let ran = run(sandbox.command("claude@mock").env("AGENT_RUN_OPTS", "--modle m1")).exits(125);
    ran.complains(&["help: did you mean --model? AGENT_RUN_OPTS takes"]);
    let none = sandbox.agent_run(&["models", "cache", "clear", "nope"]).exits(1);
    none.complains(&["no list of `nope` is cached", "help: "]);
}

/// The provider may have the name of an agent within its own.
#[test]
fn an_example_is_of_the_own_provider_and_an_agent_that_can_use_it() {
    let sandbox = sandbox();
    sandbox.config(&CONFIG.replace("mock:", "claude-relay:").replace("[anthropic, ", "["));
    for (typed, example) in [
        ("launch claude-relay", "launch claude-relay codex"),
        ("shims remove --nope", "shims remove codex@claude-relay"),
        ("models diff --nope", "models diff claude-relay --refresh"),
        ("models list --nope", "models list claude-relay --search 'claude sonnet'"),
        ("env --nope", "eval \"$(agent-run env claude-relay)\""),
    ] {
        let ran = sandbox.agent_run(&typed.split(' ').collect::<Vec<_>>());
        ran.complains(&[&format!("{example}`; see")]);
    }
}

#[test]
fn a_name_that_is_nearly_a_known_one_is_asked_back_by_every_command() {
    let sandbox = Sandbox::new();
    sandbox.fake_agent("claude");
    for near in ["deepsek", "deepseek2"] {
        for words in [
            &["launch", near, "claude"][..],
            &["why", near, "claude"],
            &["doctor", near],
            &["env", near],
            &["models", "list", near],
            &["providers", "add", near],
            &["providers", "test", near],
            &["providers", "remove", near],
            &["key", "set", near],
        ] {
            let ran = sandbox.agent_run(words);
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(ran.code != 0 && said.contains("help: did you mean deepseek? "), "{words:?}\n{said}");
        }
    }
}

#[test]
fn a_config_that_cannot_be_read_is_named_with_its_place_and_what_it_has() {
    let sandbox = Sandbox::new();
    sandbox.fake_agent("claude");
    // What is no YAML is named with its place, by whatever command.
    let broken = "providers:\n  mock:\n    protocols: [anthropic]]\n";
    sandbox.config(broken);
    sandbox.write(
        &sandbox.home(".claude/settings.json"),
        "{\"env\": {\"ANTHROPIC_BASE_URL\": \"https://a.example\"}}",
    );
    for words in [
        &["providers", "add", "ollama", "--yes"][..],
        &["import", "claude", "--write"],
        &["key", "set", "mock"],
    ] {
        let place =
            "/.config/agent-run/config.yaml:3:27: invalid YAML: no bracket is open that this one closes\n";
        sandbox.agent_run(words).exits(1).complains(&[place, "help: remove this bracket, or open it before"]);
    }
    assert_eq!(std::fs::read_to_string(sandbox.home(".config/agent-run/config.yaml")).unwrap(), broken);
    // Where nothing can be used, that is said, and not that nothing is there.
    sandbox.config(
        "providers:\n  mock:\n    protocols: [antropic]\n    base_urls: {anthropic: 'http://127.0.0.1:9'}\n",
    );
    for words in
        [&["launch", "zzz", "claude"][..], &["env", "zzz"], &["why", "claude@zzz"], &["key", "set", "zzz"]]
    {
        let help = "help: the config has errors: see `agent-run config check`; it has mock";
        sandbox.agent_run(words).complains(&["no provider `zzz` in the config", help]);
    }
    let place = "config.yaml:3:17: providers.mock.protocols[0]: ";
    for words in [
        &["providers", "list"][..],
        &["key", "set", "mock"],
        &["key", "remove", "mock"],
        &["env", "mock"],
        &["why", "claude@mock"],
    ] {
        sandbox.agent_run(words).exits(1).complains(&[place]);
    }
}
