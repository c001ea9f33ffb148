/// Golden plans, one a pair of agent and protocol.
mod plans;
/// What a launch refuses before anything is started.
mod refused;
/// The page that says where each setting of a launch comes from.
mod why;

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::{AGENT_RUN, Sandbox, run};

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
  chatty:
    protocols: [openai-chat-completions]
    base_urls: {openai: 'http://127.0.0.1:9/v1', anthropic: 'http://127.0.0.1:9'}
    key_env: OTHER_KEY
    default_model: c1
";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new().var("MOCK_KEY", "sk-planted").var("OTHER_KEY", "sk-other");
    sandbox.config(CONFIG);
    sandbox.fake_agent("claude");
    sandbox.shim("claude@mock");
    sandbox
}

#[test]
fn words_reach_the_agent_byte_for_byte_in_both_modes() {
    let sandbox = sandbox();
    let words = ["--help", "", "-p", "two words", "--", "--model", "x"];
    assert_eq!(sandbox.run("claude@mock", &words).clean().own_args(), words);
    let mut launch = vec!["launch", "mock", "claude", "--"];
    launch.extend(words);
    assert_eq!(sandbox.agent_run(&launch).clean().own_args(), words);
    assert_eq!(
        sandbox.agent_run(&["launch", "mock", "claude", "--version"]).clean().own_args(),
        ["--version"]
    );

    sandbox.script("claude", "#!/bin/sh\nshift $(($# - 1)); printf %s \"$1\" | od -An -tx1\n");
    let raw = std::ffi::OsStr::from_bytes(b"a\xffb");
    let ran = run(sandbox.command("claude@mock").arg(raw)).clean();
    assert_eq!(ran.stdout.trim(), "61 ff 62");
}

/// No agent has such an option, and the launch is not the dry run that was meant.
#[test]
fn a_dry_run_behind_the_agents_name_is_warned_about() {
    let sandbox = sandbox();
    let warning = "agent-run: warning: `--dry-run` is after the agent's name, so Claude Code gets it\n\
                   help: for a dry run, type `agent-run launch mock --dry-run claude`\n";
    for words in [&["--dry-run"][..], &["-p", "hi", "--dry-run"]] {
        let ran = sandbox.agent_run(&[&["launch", "mock", "claude"], words].concat()).exits(0);
        assert_eq!((ran.own_args(), ran.stderr.as_str()), (words.to_vec(), warning));
    }
    sandbox.agent_run(&["launch", "mock", "claude", "mcp", "--dry-run"]).clean();
}

#[test]
fn both_modes_give_the_same_plan() {
    let sandbox = sandbox();
    let by_name = sandbox.agent_run(&["launch", "mock", "--dry-run", "claude", "-p", "hi"]).clean();
    let mut shim = sandbox.command("claude@mock");
    let by_link = run(shim.args(["-p", "hi"]).env("AGENT_RUN_OPTS", "--dry-run")).clean();
    assert_eq!(by_name.stdout, by_link.stdout);
    assert!(by_name.stdout.contains("\nexec claude "), "{}", by_name.stdout);

    let options = ["launch", "mock", "--model", "m2", "--dry-run", "--json", "claude"];
    let by_name: serde_json::Value =
        serde_json::from_str(&sandbox.agent_run(&options).clean().stdout).unwrap();
    let mut shim = sandbox.command("claude@mock");
    let by_link = run(shim.env("AGENT_RUN_OPTS", "--model 'm2' --dry-run --json")).clean();
    let by_link: serde_json::Value = serde_json::from_str(&by_link.stdout).unwrap();
    assert_eq!(by_name["plan"], by_link["plan"]);
    assert_eq!(by_name["choices"]["model"]["origin"], "--model");
    assert_eq!(by_link["choices"]["model"]["origin"], "AGENT_RUN_OPTS --model");
}

#[test]
fn a_dry_run_changes_nothing_and_asks_for_no_key() {
    let sandbox = sandbox();
    let marker = sandbox.path("asked");
    let ask = format!("key_command: [touch, {}]", marker.display());
    sandbox.config(&CONFIG.replace("key_env: MOCK_KEY", &ask));
    let before = fs::read_dir(sandbox.home("")).unwrap().count();
    for agent in ["claude", "codex"] {
        let ran = sandbox.agent_run(&["launch", "mock", "--dry-run", "-v", agent]).clean();
        assert!(ran.stdout.contains("<key>") || agent == "codex", "{}", ran.stdout);
    }
    assert!(!marker.exists(), "the key command ran");
    assert_eq!(fs::read_dir(sandbox.home("")).unwrap().count(), before);
}

#[test]
fn only_the_chosen_providers_key_reaches_the_agent_and_never_an_argument() {
    let ran = sandbox().run("claude@mock", &["-p", "hi"]).clean();
    assert_eq!(ran.env("ANTHROPIC_AUTH_TOKEN"), Some("sk-planted"));
    assert_eq!(ran.env("OTHER_KEY"), None);
    assert!(ran.args().iter().all(|arg| !arg.contains("sk-")), "{:?}", ran.args());
}

#[test]
fn exit_codes_are_those_promised() {
    let sandbox = sandbox();
    sandbox.script("claude", "#!/bin/sh\nexit 42\n");
    sandbox.run("claude@mock", &[]).exits(42);
    sandbox.script("claude", "#!/bin/sh\nkill -TERM $$\n");
    sandbox.run("claude@mock", &[]).exits(128 + 15);
    sandbox.shim("claude@nowhere");
    sandbox.run("claude@nowhere", &[]).exits(125).complains(&["no provider `nowhere`", "can use mock"]);
    sandbox.shim("claud@mock");
    sandbox
        .run("claud@mock", &[])
        .exits(125)
        .complains(&["no agent `claud`", "the agents are claude, codex"]);
    fs::set_permissions(sandbox.path("bin/claude"), fs::Permissions::from_mode(0o644)).unwrap();
    let blocked = sandbox.run("claude@mock", &[]);
    blocked.exits(126).complains(&["could not run", "bin/claude", "help: "]);
    fs::remove_file(sandbox.path("bin/claude")).unwrap();
    let sandbox = sandbox.var("PATH", "/nonexistent");
    let missing = run(sandbox
        .command("claude@mock")
        .env("HOME", sandbox.path("empty"))
        .env("AGENT_RUN_CONFIG", sandbox.home(".config/agent-run/config.yaml")));
    missing.exits(127).complains(&["could not find claude", "npm install -g @anthropic-ai/claude-code"]);
    sandbox.agent_run(&["launch", "mock", "--bogus", "claude"]).exits(125);
    sandbox.agent_run(&["launch", "mock", "clade"]).exits(125).complains(&["did you mean claude?"]);
}

#[test]
fn our_own_binary_is_never_taken_for_the_agent_however_it_is_linked() {
    let sandbox = sandbox();
    let first = sandbox.path("first");
    fs::create_dir(&first).unwrap();
    symlink(AGENT_RUN, sandbox.path("one")).unwrap();
    symlink(sandbox.path("one"), sandbox.path("two")).unwrap();
    symlink(sandbox.path("two"), first.join("claude")).unwrap();
    let path = format!("{}:{}:/usr/bin:/bin", first.display(), sandbox.path("bin").display());
    let sandbox = sandbox.var("PATH", path);
    assert_eq!(sandbox.run("claude@mock", &["x"]).clean().own_args(), ["x"]);
}

#[test]
fn a_loop_through_a_wrapper_ends_with_an_error() {
    let sandbox = sandbox();
    sandbox.script("claude", "#!/bin/sh\nMOCK_KEY=k exec claude@mock \"$@\"\n");
    sandbox.run("claude@mock", &[]).exits(125).complains(&["looks like a loop", "AGENT_RUN_DEPTH"]);
}

#[test]
fn neither_an_empty_element_of_path_nor_a_copy_starts_this_program_again() {
    let sandbox = sandbox();
    sandbox.write(&sandbox.path("here/claude"), "#!/bin/sh\necho here\n");
    let copy = sandbox.path("copies/claude");
    sandbox.write(&copy, "");
    fs::copy(AGENT_RUN, &copy).unwrap();
    let shims = sandbox.path("shims");
    fs::create_dir(&shims).unwrap();
    symlink(AGENT_RUN, shims.join("claude@mock")).unwrap();
    symlink(AGENT_RUN, shims.join("claude")).unwrap();
    fs::set_permissions(sandbox.path("here/claude"), fs::Permissions::from_mode(0o755)).unwrap();
    // The empty element comes behind the shim and the copy.
    let path = format!("{}:{}::/usr/bin:/bin", shims.display(), sandbox.path("copies").display());
    let mut command = sandbox.command(shims.join("claude@mock"));
    let ran = run(command.env("PATH", path).current_dir(sandbox.path("here"))).clean();
    assert_eq!(ran.stdout, "here\n");
}

/// A stripped copy, or another version.
#[test]
fn another_build_of_this_program_under_the_agents_name_says_what_it_is() {
    let sandbox = sandbox();
    let other = sandbox.path("bin/claude");
    fs::remove_file(&other).unwrap();
    fs::copy(AGENT_RUN, &other).unwrap();
    let mut bytes = fs::read(&other).unwrap();
    bytes.push(0);
    fs::write(&other, bytes).unwrap();
    for ran in [sandbox.run("claude@mock", &["-p", "hi"]), sandbox.run("claude", &["--version"])] {
        ran.exits(125)
            .complains(&["this is agent-run, started as `claude`", "help: find it with `type -a claude`"]);
    }
}

#[test]
fn the_agent_is_the_same_process_with_signals_as_they_were() {
    let sandbox = sandbox();
    sandbox.script("claude", "#!/bin/sh\necho $$; grep SigIgn /proc/$$/status\n");
    let script = "claude@mock & wait $!; echo $!";
    let ran = run(sandbox.command("sh").args(["-c", script])).clean();
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(lines.first(), lines.last(), "{lines:?}");
    if let Some(ignored) = lines.iter().find_map(|line| line.strip_prefix("SigIgn:")) {
        // The shell ignores SIGINT and SIGQUIT for what it starts in the background; SIGPIPE is bit 12.
        let ignored = u64::from_str_radix(ignored.trim(), 16).unwrap();
        assert_eq!(ignored & (1 << 12), 0, "SIGPIPE is ignored: {ignored:x}");
    }
}

#[test]
fn an_unknown_model_is_refused_with_near_matches() {
    let sandbox = sandbox();
    sandbox.config(&CONFIG.replace("key_env: MOCK_KEY", "key_env: MOCK_KEY\n    model_api_filters: []"));
    let launch = |words: &[&str]| sandbox.agent_run(&[&["launch", "mock"], words, &["claude"]].concat());
    launch(&["--model", "m3"])
        .exits(125)
        .complains(&["no model `m3`", "known models: m1, m2; to use it anyway, add `--force model`"]);
    for force in ["model", "all"] {
        let ran = launch(&["--model", "m3", "--force", force]).clean();
        assert_eq!(ran.env("ANTHROPIC_MODEL"), Some("m3"));
    }
    assert_eq!(launch(&["--model", "m2"]).clean().env("ANTHROPIC_MODEL"), Some("m2"));
    assert_eq!(launch(&[]).clean().env("ANTHROPIC_MODEL"), Some("m1"));
}

#[test]
fn extra_env_has_the_last_word_and_can_name_the_key() {
    let sandbox = sandbox().var("FROM", "outside");
    let extra = "default_model: m1\n    extra_env:\n      ANTHROPIC_MODEL: mine\n      TOKEN: 'Bearer ${context:key}'\n      \
                 GOT: '${env:FROM}/$${x}/${context:agent}'";
    sandbox.config(&CONFIG.replace("default_model: m1", extra));
    let ran = sandbox.run("claude@mock", &[]).clean();
    assert_eq!(ran.env("ANTHROPIC_MODEL"), Some("mine"));
    assert_eq!(ran.env("TOKEN"), Some("Bearer sk-planted"));
    assert_eq!(ran.env("GOT"), Some("outside/${x}/claude"));
    let dry = sandbox.agent_run(&["launch", "mock", "--dry-run", "claude"]).clean();
    assert!(dry.stdout.contains("# note: extra_env replaces ANTHROPIC_MODEL=m1"), "{}", dry.stdout);
    assert!(!dry.stdout.contains("outside"), "an inherited value is not shown:\n{}", dry.stdout);
    let sandbox = sandbox.var("FROM", "");
    assert_eq!(sandbox.run("claude@mock", &[]).clean().env("GOT"), Some("/${x}/claude"));
}

#[test]
fn a_missing_key_is_an_error_of_its_source_and_of_no_other() {
    let sandbox = sandbox().var("MOCK_KEY", "");
    let unset = sandbox.run("claude@mock", &[]).exits(125);
    unset.complains(&[
        "the variable MOCK_KEY (key_env) is not set",
        "help: set a key with `agent-run key set mock`, or run `export MOCK_KEY=",
    ]);
    sandbox.config(&CONFIG.replace("key_env: MOCK_KEY", "key_command: [sh, -c, 'echo asking >&2; exit 7']"));
    let failed = sandbox.run("claude@mock", &[]).exits(125);
    failed.complains(&["asking", "exit code 7", "help: "]);
    sandbox.config(&CONFIG.replace("key_env: MOCK_KEY", "key_file: ~/.key"));
    sandbox.write(&sandbox.home(".key"), "sk-file\n");
    assert_eq!(sandbox.run("claude@mock", &[]).clean().env("ANTHROPIC_AUTH_TOKEN"), Some("sk-file"));
}

/// `[1m]` asks Claude Code for its larger window, and no agent takes it for a part of the id.
#[test]
fn the_suffix_for_a_long_context_is_no_part_of_an_id() {
    let sandbox = Sandbox::new();
    let provider = |name: &str, more: &str| {
        format!(
            "  {name}: {{protocols: [anthropic, openai-responses, openai-chat-completions], model_api_filters: [], \
             base_urls: {{anthropic: 'http://127.0.0.1:9', openai: 'http://127.0.0.1:9/v1'}}, {more}}}\n"
        )
    };
    sandbox.config(&format!(
        "providers:\n{}{}{}",
        provider("listed", "models: [{id: x}]"),
        provider("default", "default_model: 'x[1m]', models: [{id: x, context_window: 900000}]"),
        provider("written", "models: [{id: 'x[1m]'}], tiers: {haiku: 'y[1m]'}"),
    ));
    let launches =
        [&["launch", "listed", "--model", "x[1m]"][..], &["launch", "default"], &["launch", "written"]];
    for words in launches {
        let plan = |agent: &str| {
            sandbox.fake_agent(agent);
            sandbox.agent_run(&[words, &["--dry-run", agent]].concat()).exits(0).stdout
        };
        let claude = plan("claude");
        assert!(claude.contains("set ANTHROPIC_MODEL='x[1m]'"), "{words:?}: {claude}");
        for other in ["codex", "crush", "hermes"] {
            let plan = plan(other);
            let model = plan.lines().find_map(|line| line.strip_prefix("# model "));
            let id = model.and_then(|model| model.split_whitespace().next());
            assert!(id == Some("x") && !plan.to_lowercase().contains("[1m]"), "{words:?}: {plan}");
        }
    }
}
