//! Where a key comes from, what is no key, and what a key command is given.

use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Sandbox, run};

/// A provider with these lines, and a fake Claude Code that says what it got.
fn sandbox(lines: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    configure(&sandbox, lines);
    sandbox.script("claude", "#!/bin/sh\necho \"key: $ANTHROPIC_AUTH_TOKEN\"\necho \"stdin: $(cat)\"\n");
    sandbox
}

fn configure(sandbox: &Sandbox, lines: &str) {
    let lines = lines.replace('\n', "\n    ");
    sandbox.config(&format!(
        "providers:\n  p:\n    protocols: [anthropic, openai-responses]\n    base_urls: {{anthropic: \
         'http://127.0.0.1:9', openai: 'http://127.0.0.1:9/v1'}}\n    default_model: m\n    \
         model_api_filters: []\n    {lines}\n"
    ));
}

#[test]
fn a_key_command_does_not_read_what_is_meant_for_the_agent() {
    let sandbox = sandbox("key_command: [sh, -c, 'cat >~/read; echo sk-1']");
    let mut command = sandbox.command("agent-run");
    command.args(["launch", "p", "claude", "-p"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"the prompt").unwrap();
    let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(said, "key: sk-1\nstdin: the prompt\n");
    assert_eq!(fs::read_to_string(sandbox.home("read")).unwrap(), "");
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs util-linux' script: --features system-tools")]
fn a_slow_key_command_is_named_on_a_terminal_that_nobody_types_a_password_into() {
    let sandbox = sandbox("key_command: [sh, -c, 'sleep 1.5; echo sk-1']");
    let on_terminal = || {
        let mut command = sandbox.command("script");
        run(command.args(["-qefc", "agent-run launch p claude </dev/null", "/dev/null"])).exits(0).stdout
    };
    let said = "Waiting for key_command `sh`";
    assert_eq!(on_terminal().matches(said).count(), 1);
    configure(
        &sandbox,
        "key_command: [sh, -c, 'stty -echo </dev/tty; sleep 1.5; stty echo </dev/tty; echo sk-1']",
    );
    assert!(!on_terminal().contains("Waiting"));
    configure(&sandbox, "key_command: [echo, sk-1]");
    assert!(!on_terminal().contains("Waiting"));
    configure(&sandbox, "key_command: [sh, -c, 'sleep 1.5; echo sk-1']");
    assert_eq!(sandbox.agent_run(&["launch", "p", "claude"]).exits(0).stderr, "");
}

#[test]
fn a_key_command_that_asks_for_the_key_again_ends() {
    let sandbox = sandbox("key_command: [sh, -c, 'echo started >>~/started; agent-run env p --with-key']");
    for words in [&["launch", "p", "claude"][..], &["env", "p", "--with-key"], &["providers", "test", "p"]] {
        _ = fs::remove_file(sandbox.home("started"));
        let ran = run(sandbox.command("timeout").args(["60", "agent-run"]).args(words));
        assert!(ran.code == 1 || ran.code == 125, "{ran:?}");
        ran.complains(&["started 8 times inside itself", "key_command", "\nhelp: "]);
        let count = fs::read_to_string(sandbox.home("started")).unwrap().lines().count();
        assert_eq!(count, 8, "{words:?}");
    }
    for words in [&["providers", "list"][..], &["models", "list", "p"], &["doctor"], &["config", "check"]] {
        let ran = run(sandbox.command("agent-run").args(words).env("AGENT_RUN_DEPTH", "8")).exits(1);
        ran.complains(&["started 8 times inside itself"]);
    }
}

#[test]
fn what_is_no_key_is_refused_with_what_was_meant_and_the_config_can_insist() {
    for (key, help) in [
        ("${P_KEY}", "key_env: P_KEY"),
        ("op://vault/item/field", "op, read"),
        ("null", "jq -er"),
        ("P_KEY=sk-planted", "the part after the `=`"),
        ("\"sk-planted\"", "quotation marks"),
        ("Enter the passphrase:", "print only the key"),
    ] {
        let sandbox = sandbox("").var("K", key);
        sandbox.write(&sandbox.home("key"), format!("{key}\n"));
        for source in
            ["key_env: K", "key_file: ~/key", "key_command: [cat, '~/key']", &format!("key: '{key}'")]
        {
            let source = source.replace("'~/key'", &sandbox.home("key").display().to_string());
            configure(&sandbox, &source);
            let ran = sandbox.agent_run(&["launch", "p", "claude"]).exits(125);
            let ran = ran.complains(&["could not use the key from key", help, "`key_check: off`"]);
            assert!(!ran.stderr.contains("sk-planted"), "{}", ran.stderr);
            let doctor = sandbox.agent_run(&["doctor", "p"]).stdout;
            assert!(doctor.contains(help) && !doctor.contains("sk-planted"), "{doctor}");
            configure(&sandbox, &format!("{source}\nkey_check: off"));
            let ran = sandbox.agent_run(&["launch", "p", "claude"]).exits(0);
            assert!(ran.stdout.contains(&format!("key: {key}\n")), "{}", ran.stdout);
        }
        configure(&sandbox, &format!("key: '{key}'"));
        let checked = sandbox.agent_run(&["config", "check", "--strict"]);
        assert!(checked.code == 1 && format!("{checked:?}").contains("key_check: off"), "{checked:?}");
    }
}

#[test]
fn a_header_that_its_variable_would_break_is_refused_for_every_agent() {
    for (value, fault) in [
        ("a\nX-Smuggled: b", "a line break or another control character"),
        ("a\tb", "control character"),
        ("ké", "not ASCII"),
        (" a", "a space"),
        ("a ", "a space"),
    ] {
        let sandbox = sandbox("key: sk-1\nheaders: {X-Team: '${env:TEAM}'}").var("TEAM", value);
        for agent in ["claude", "codex"] {
            sandbox.fake_agent(agent);
            for words in [&["launch", "p", agent][..], &["launch", "p", "--dry-run", agent]] {
                let ran = sandbox.agent_run(words).exits(125);
                ran.complains(&["headers.X-Team has ", fault, "\nhelp: a header's value is one line"]);
            }
        }
    }
}

#[test]
fn within_an_agents_session_a_missing_key_is_explained_and_keep_env_keeps_it() {
    let nested = "#!/bin/sh\nagent-run env p --with-key >/dev/null 2>~/said && echo kept\n";
    let sandbox = sandbox("key_env: MY_KEY").var("MY_KEY", "sk-1");
    sandbox.script("claude", nested);
    let ran = sandbox.agent_run(&["launch", "p", "claude"]);
    assert!(!ran.stdout.contains("kept"), "{ran:?}");
    let said = fs::read_to_string(sandbox.home("said")).unwrap();
    for part in [
        "the variable MY_KEY (key_env) is not set: this runs inside an agent",
        "key_command",
        "keep_env: [MY_KEY]",
    ] {
        assert!(said.contains(part), "no {part} in {said}");
    }
    configure(&sandbox, "key_env: MY_KEY\nkeep_env: [MY_KEY]");
    assert_eq!(sandbox.agent_run(&["launch", "p", "claude"]).exits(0).stdout, "kept\n");
}

#[test]
fn a_credential_in_a_header_is_no_more_in_the_environment_than_one_of_key_env() {
    let lines = "headers: {api-key: '${env:AZURE}', X-User: '${env:USER}'}";
    let sandbox = sandbox(lines).var("AZURE", "az-1").var("OTHER_AZURE", "az-2").var("USER", "u");
    let config = fs::read_to_string(sandbox.home(".config/agent-run/config.yaml")).unwrap();
    let other = "  q: {headers: {api-key: 'Bearer ${env:OTHER_AZURE}'}}\n";
    for agent in ["claude", "codex"] {
        sandbox.script(agent, "#!/bin/sh\nenv\n");
    }
    let launched = |lines: &str, agent: &str| {
        sandbox.config(&format!("{config}{lines}{other}"));
        let said = sandbox.agent_run(&["launch", "p", agent]).exits(0).stdout;
        assert!(said.contains("az-1"), "the header: {said}");
        ["AZURE=", "OTHER_AZURE=", "USER="].map(|name| said.lines().any(|line| line.starts_with(name)))
    };
    for agent in ["claude", "codex"] {
        assert_eq!(launched("", agent), [false, false, true], "{agent}");
        assert_eq!(launched("    keep_env: [AZURE]\n", agent), [true, false, true], "{agent}");
    }
}

#[test]
fn a_home_in_extra_env_is_refused_and_the_check_says_so() {
    let sandbox = sandbox("key: sk-1\nextra_env: {HOME: /other}");
    sandbox
        .agent_run(&["launch", "p", "claude"])
        .exits(125)
        .complains(&["providers.p.extra_env.HOME", "isolated"]);
    let ran = sandbox.agent_run(&["config", "check"]);
    assert!(
        format!("{}{}", ran.stdout, ran.stderr).contains("providers.p.extra_env.HOME makes Claude Code"),
        "{ran:?}"
    );
}

#[test]
fn a_lock_that_somebody_holds_is_waited_for_said_and_given_up() {
    let sandbox = sandbox("key: sk-1");
    sandbox.fake_agent("codex");
    sandbox.agent_run(&["launch", "p", "codex"]).exits(0);
    let files =
        fs::read_dir(sandbox.home(".cache/agent-run/codex")).unwrap().flatten().map(|entry| entry.path());
    let mut locks = files.filter(|path| path.extension().is_some_and(|end| end == "lock"));
    let lock = locks.next().expect("the lock of the home");
    let held = fs::File::open(&lock).unwrap();
    held.lock().unwrap();
    let start = Instant::now();
    let ran = sandbox.agent_run(&["launch", "p", "codex"]).exits(125);
    assert!((10..20).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    let path = lock.display().to_string();
    ran.complains(&["waiting up to 9 s for the lock", &path, "has held the lock", "\nhelp: wait for it"]);

    // Let go in time, it is taken; before a second is over nothing is said.
    for (pause, is_said) in [(300, false), (1_500, true)] {
        held.lock().unwrap();
        let mut command = sandbox.command("agent-run");
        command.args(["launch", "p", "codex"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        held.unlock().unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && said.contains("waiting") == is_said, "{said}");
    }
}

/// Variables are not expanded in a path, and the launch says so in the words of `config check`.
#[test]
fn a_key_file_behind_a_variable_is_an_error() {
    let sandbox = Sandbox::new().var("XDG_RUNTIME_DIR", "/run/user/1000");
    sandbox.fake_agent("claude");
    sandbox.config(
        "providers:\n  p:\n    protocols: [anthropic]\n    base_urls: {anthropic: 'https://p.example'}\n    \
         default_model: m\n    key_file: ${XDG_RUNTIME_DIR}/agenix/p\n",
    );
    let error = "config.yaml:6:15: providers.p.key_file: the path starts with `$`, and variables are not expanded here\n  \
                 6 |     key_file: …\n    |               ^\nhelp: write an absolute path, or one that starts with `~/`";
    sandbox.agent_run(&["launch", "p", "claude"]).exits(125).complains(&[error]);
    let error = error.replace("6:15: ", "6:15: error: ");
    let check = sandbox.agent_run(&["config", "check"]).exits(1);
    assert!(format!("{}{}", check.stdout, check.stderr).contains(&error), "{}{}", check.stdout, check.stderr);
}

#[test]
fn what_looks_like_a_key_in_its_command_or_is_only_printed_is_in_no_message() {
    let (key, plain) = ("gsk_0123456789abcdef", "hunter2");
    for (command, key) in [
        (format!("[sh, -c, 'echo {key} >&2; exit 3']"), key),
        (format!("[echo, '{key} x']"), key),
        (format!("[/nowhere/print, --key={key}]"), key),
        (format!("[echo, '{plain} x']"), plain),
        (format!("[sh, -c, 'exec echo {plain} x']"), plain),
    ] {
        let sandbox = sandbox(&format!("key_command: {command}"));
        for words in [
            &["launch", "p", "claude"][..],
            &["launch", "p", "--dry-run", "claude"],
            &["key", "test", "p"],
            &["key", "remove", "p", "--yes"],
            &["providers", "test", "p"],
            &["providers", "show", "p"],
            &["providers", "list"],
            &["providers", "remove", "p", "--yes", "--with-key"],
            &["doctor"],
            &["doctor", "p"],
            &["why", "claude@p"],
            &["why", "claude@p", "--json"],
            &["config", "show"],
        ] {
            let mut command = sandbox.command("agent-run");
            let ran = run(command.args(words).stderr(Stdio::piped()));
            let own = ran.stderr.lines().filter(|line| *line != key).collect::<String>();
            assert!(!ran.stdout.contains(key) && !own.contains(key), "{words:?}: {ran:?}");
        }
    }
    // Another command's words may be anything, such as the name of an entry.
    let sandbox = sandbox(&format!("key_command: [cat, {plain}]"));
    let shown = sandbox.agent_run(&["providers", "show", "p"]).exits(0).stdout;
    assert!(shown.contains(&format!("key_command `cat {plain}`")), "{shown}");
}
