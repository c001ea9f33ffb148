use super::*;

/// The keychain's program, which keeps the key in a file outside the home and writes down its arguments.
fn keychain(sandbox: &Sandbox) -> PathBuf {
    let kept = sandbox.path("tmp/keychain");
    let log = sandbox.path("tmp/arguments");
    let script = format!(
        "#!/bin/sh\necho \"$*\" >>{log}\ncase $1 in\n  store) cat >{kept}; grep SigBlk /proc/self/status >>{log} ;;\n  lookup) test -f {kept} && cat {kept} ;;\n  clear) rm -f {kept} ;;\nesac\n",
        log = log.display(),
        kept = kept.display()
    );
    sandbox.script("secret-tool", &script);
    kept
}

const CONFIG: &str = "\
# mine
providers:
  live:
    protocols: [anthropic]
    base_urls: {anthropic: 'URL'}
    key_env: MOCK_KEY
    default_model: mock-model
    # last
  other:
    protocols: [anthropic]
    base_urls: {anthropic: 'http://127.0.0.1:9'}
";

pub fn live() -> (Sandbox, MockProvider, String) {
    let sandbox = newcomer();
    let provider = MockProvider::start(&sandbox, "live");
    let config = CONFIG.replace("URL", &provider.url(""));
    sandbox.config(&config);
    (sandbox, provider, config)
}

pub fn set_key(sandbox: &Sandbox, key: &str) -> Ran {
    let script = format!("printf %s '{key}' | agent-run key set live");
    run(sandbox.command("sh").args(["-c", &script]))
}

#[test]
fn a_key_that_is_piped_in_is_kept_tested_and_removed() {
    let (sandbox, _provider, config) = live();
    set_key(&sandbox, KEY).clean();
    let moved = config.replace("key_env: MOCK_KEY", "key_file: ~/.config/agent-run/keys/live.key");
    assert_eq!(config_of(&sandbox), moved);
    key_is_only_in(&sandbox, &["./.config/agent-run/keys/live.key"]);
    let ran = sandbox.agent_run(&["launch", "live", "claude"]).clean();
    assert!(ran.stdout.contains(KEY), "{}", ran.stdout);
    let ran = sandbox.agent_run(&["key", "test", "live"]).exits(0);
    assert!(ran.stderr.contains("The provider answered in"), "{}", ran.stderr);
    // What is no key, or none at all, changes nothing.
    set_key(&sandbox, "${DEEPSEEK_API_KEY}").exits(1);
    set_key(&sandbox, "").exits(1).complains(&["there is no key on stdin"]);
    assert_eq!(config_of(&sandbox), moved);
    let ran = sandbox.agent_run(&["key", "remove", "live", "--yes"]).clean();
    assert!(ran.stdout.contains("removed the key of live"), "{}", ran.stdout);
    assert_eq!(config_of(&sandbox), config.replace("    key_env: MOCK_KEY\n", ""));
    key_is_only_in(&sandbox, &[]);
    let folder = sandbox.home(".config/agent-run/keys");
    assert!(!folder.exists());
    // What the user wrote there stays.
    set_key(&sandbox, KEY).clean();
    sandbox.write(&folder.join(".gitignore"), "*\n!README\n");
    sandbox.agent_run(&["key", "remove", "live", "--yes"]).clean();
    assert_eq!(fs::read_to_string(folder.join(".gitignore")).unwrap(), "*\n!README\n");
    sandbox.agent_run(&["key", "remove", "live"]).exits(1).complains(&["has no key"]);
    sandbox.agent_run(&["key", "set", "nobody"]).exits(1).complains(&["no provider `nobody`"]);
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn a_key_that_is_set_elsewhere_does_not_stay_unnamed() {
    assert!(Tmux::is_there());
    let (sandbox, _provider, config) = live();
    set_key(&sandbox, KEY).clean();
    let file = sandbox.home(".config/agent-run/keys/live.key");
    let kept = keychain(&sandbox);
    let set = |number: &str, last: &str| {
        let tmux = Tmux::start(&sandbox, "agent-run key set live");
        tmux.wait_for("Where is the key of live?");
        tmux.text(&format!("{number}\n"));
        tmux.wait_for(last);
        tmux.text(if number == "2" { KEY } else { "gsk_0123456789abcdef" });
        tmux.key("Enter");
        tmux
    };
    // A key is refused as a name; of a variable that is not set it is asked, and the file is kept until it is.
    let tmux = set("3", "Variable");
    let screen = tmux.wait_for("this is not a variable name");
    assert!(!screen.contains("gsk_"), "{screen}");
    for answer in ["\n", "y\n"] {
        tmux.text("3\n");
        tmux.text("MY_KEY\n");
        tmux.wait_for("MY_KEY is not set here. Use it all the same? [y/N]");
        assert!(config_of(&sandbox).contains("key_file: "), "{}", config_of(&sandbox));
        tmux.text(answer);
    }
    let screen = tmux.wait_for("[exited 0]").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(screen.contains("live.key; remove it once MY_KEY is set") && file.exists(), "{screen}");
    assert_eq!(config_of(&sandbox), config.replace("MOCK_KEY", "MY_KEY"));
    drop(tmux);
    fs::remove_file(&file).unwrap();
    set_key(&sandbox, KEY).clean();
    let screen = set("2", "Key (not shown").wait_for("[exited 0]");
    assert!(screen.contains("removed the previous key from ~/.config/agent-run/keys/live.key"), "{screen}");
    assert!(kept.exists() && !file.exists());
    let ran = set_key(&sandbox, KEY).exits(0);
    assert!(ran.stdout.contains("removed the previous key from the system's keychain"), "{}", ran.stdout);
    assert!(!kept.exists() && file.exists());
}

#[test]
fn the_failed_list_is_shown_where_no_model_is_known() {
    let sandbox = newcomer();
    sandbox.config(
        "providers:\n  dead: {protocols: [anthropic], base_urls: {anthropic: 'http://127.0.0.1:9'}}\n",
    );
    let ran = sandbox.agent_run(&["providers", "test", "dead"]).exits(1);
    assert!(ran.stdout.contains("failed  models"), "{}", ran.stdout);
    assert!(
        ran.stderr.contains("could not load the models") && !ran.stderr.contains("lists no models"),
        "{}",
        ran.stderr
    );
    // That it failed is remembered, and is no list.
    sandbox.agent_run(&["models", "list", "dead"]).exits(1);
    assert_eq!(fs::read_dir(sandbox.home(".cache/agent-run/models")).unwrap().count(), 1);
    let ran = sandbox.agent_run(&["providers", "remove", "dead", "--yes"]).clean();
    assert!(!ran.stdout.contains("model list"), "{}", ran.stdout);
    assert_eq!(fs::read_dir(sandbox.home(".cache/agent-run/models")).unwrap().count(), 0);
}

#[test]
fn what_fails_behind_the_removal_of_a_provider_is_said_with_what_was_done() {
    let (sandbox, _provider, _) = live();
    set_key(&sandbox, KEY).clean();
    let file = sandbox.home(".config/agent-run/keys/live.key");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let ran = sandbox.agent_run(&["providers", "remove", "live", "--yes", "--with-key"]).exits(1);
    assert!(ran.stdout.contains("removed live from"), "{}", ran.stdout);
    assert!(ran.stderr.contains("could not remove"), "{}", ran.stderr);
}

#[test]
fn a_key_whose_config_cannot_be_changed_is_taken_away_again() {
    let (sandbox, provider, _) = live();
    let flow = format!(
        "providers: {{live: {{protocols: [anthropic], base_urls: {{anthropic: '{}'}}, key_env: K}}}}\n",
        provider.url("")
    );
    sandbox.config(&flow);
    set_key(&sandbox, KEY).exits(1).complains(&["agent-run providers edit live"]);
    assert_eq!(config_of(&sandbox), flow);
    key_is_only_in(&sandbox, &[]);
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn a_key_in_the_keychain_is_in_no_argument_and_no_file() {
    assert!(Tmux::is_there());
    let (sandbox, _provider, _) = live();
    let kept = keychain(&sandbox);
    let tmux = Tmux::start(&sandbox, "agent-run key set live");
    tmux.wait_for("2  paste it now; it is stored in the system's keychain");
    tmux.text("2\n");
    tmux.wait_for("Key (not shown");
    tmux.text(KEY);
    tmux.key("Enter");
    let screen = tmux.wait_for("[exited 0]");
    assert!(screen.contains("The provider answered in") && !screen.contains(KEY), "{screen}");
    assert_eq!(fs::read_to_string(&kept).unwrap(), KEY);
    let arguments = fs::read_to_string(sandbox.path("tmp/arguments")).unwrap();
    assert!(arguments.contains("store --label agent-run live") && !arguments.contains(KEY), "{arguments}");
    assert!(arguments.contains("SigBlk:\t0000000000000000"), "Ctrl-C does not end it\n{arguments}");
    assert!(
        config_of(&sandbox)
            .contains("key_command: [secret-tool, lookup, service, agent-run, provider, live]")
    );
    key_is_only_in(&sandbox, &[]);
    let ran = sandbox.agent_run(&["launch", "live", "claude"]).clean();
    assert!(ran.stdout.contains(KEY), "{}", ran.stdout);
    sandbox.agent_run(&["key", "remove", "live", "--yes"]).clean();
    assert!(!kept.exists());
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn a_key_that_cannot_be_read_is_not_replaced() {
    assert!(Tmux::is_there());
    let lost = "clear) rm -f KEPT ;;\nesac\n";
    for (lookup, search) in [("echo locked >&2; exit 1", "exit 0"), ("exit 1", "echo [/1]")] {
        let (sandbox, _provider, config) = live();
        let kept = keychain(&sandbox);
        fs::write(&kept, "the old key").unwrap();
        let ends = lost.replace("KEPT", &kept.display().to_string());
        let script = format!(
            "#!/bin/sh\ncase $1 in\n  lookup) {lookup} ;;\n  search) {search} ;;\n  store) exit 1 ;;\n  {ends}"
        );
        sandbox.script("secret-tool", &script);
        let tmux = Tmux::start(&sandbox, "agent-run key set live");
        tmux.wait_for("Where is the key of live?");
        tmux.text("2\n");
        tmux.wait_for("Key (not shown");
        tmux.text(KEY);
        tmux.key("Enter");
        let screen = tmux.wait_for("[exited 1]");
        assert!(
            screen.contains("could not check whether the system's keychain already has a key"),
            "{screen}"
        );
        assert_eq!(fs::read_to_string(&kept).unwrap(), "the old key");
        assert_eq!(config_of(&sandbox), config);
    }
}

#[test]
fn a_provider_goes_with_its_shims_its_list_and_its_key() {
    let (sandbox, _provider, config) = live();
    set_key(&sandbox, KEY).clean();
    sandbox.agent_run(&["shims", "install"]).exits(0);
    sandbox.agent_run(&["models", "list", "live"]).exits(0);
    let lists = || fs::read_dir(sandbox.home(".cache/agent-run/models")).unwrap().count();
    assert!(sandbox.home(".local/bin/claude@live").is_symlink() && lists() > 0);
    let words = ["providers", "remove", "live"];
    sandbox.agent_run(&words).exits(1).complains(&["nothing was removed", "--yes"]);
    let ran = sandbox.agent_run(&[&words[..], &["--yes", "--with-key"]].concat()).clean();
    for line in ["removed live from", "removed the shim claude@live", "model list", "removed its key from"] {
        assert!(ran.stdout.contains(line), "no `{line}` in\n{}", ran.stdout);
    }
    let (head, rest) = config.split_once("  live:\n").unwrap();
    let (_, tail) = rest.split_once("    # last\n").unwrap();
    assert_eq!(config_of(&sandbox).replace("    # last\n", ""), format!("{head}{tail}"));
    assert!(!sandbox.home(".local/bin/claude@live").is_symlink() && lists() == 0);
    assert!(sandbox.home(".local/bin/claude@other").is_symlink(), "only its own shims go");
    key_is_only_in(&sandbox, &[]);
    sandbox.agent_run(&[&words[..], &["--yes"]].concat()).exits(1).complains(&["no provider `live`"]);
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn the_editor_opens_at_the_provider() {
    assert!(Tmux::is_there());
    let (sandbox, _provider, _) = live();
    sandbox.script("nano", "#!/bin/sh\necho \"EDITOR $*\"\n");
    let sandbox = sandbox.var("EDITOR", "nano -l");
    let tmux = Tmux::start(&sandbox, "agent-run providers edit other");
    let screen = tmux.wait_for("[exited 0]");
    assert!(screen.contains("EDITOR -l +9 /"), "{screen}");
    sandbox.agent_run(&["providers", "edit", "othr"]).exits(1).complains(&["did you mean other?"]);
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn a_signal_at_a_hidden_question_ends_it_with_the_echo_back() {
    assert!(Tmux::is_there());
    for (signal, code) in [("TERM", 143), ("HUP", 129)] {
        let (sandbox, _provider, _) = live();
        let pid = sandbox.path("tmp/pid");
        let line = format!(
            "sh -c 'echo $$ >{}; exec agent-run key set live'; echo \"[code $?]\"; stty -a",
            pid.display()
        );
        let tmux = Tmux::start(&sandbox, &line);
        tmux.wait_for("Where is the key of live?");
        tmux.key("Enter");
        tmux.wait_for("Key (not shown");
        let kill = format!("kill -{signal} $(cat {})", pid.display());
        run(sandbox.command("sh").args(["-c", &kill])).clean();
        let screen = tmux.wait_for("[exited 0]");
        assert!(screen.contains(&format!("[code {code}]")), "{screen}");
        let flags: Vec<_> = screen.split_whitespace().collect();
        assert!(flags.contains(&"echo") && flags.contains(&"icanon") && flags.contains(&"isig"), "{screen}");
    }
}

/// Two configs beside each other may have providers of one name, and two providers may name one file.
#[test]
fn a_key_file_that_something_else_uses_is_not_replaced_nor_removed() {
    let (sandbox, _provider, config) = live();
    set_key(&sandbox, KEY).clean();
    let folder = sandbox.home(".config/agent-run");
    let work = folder.join("work.yaml");
    sandbox.write(&work, config.clone());
    let script =
        format!("printf %s 'sk-work-9876543210fedcba' | agent-run --config {} key set live", work.display());
    run(sandbox.command("sh").args(["-c", &script])).clean();
    let read = |name: &str| fs::read_to_string(folder.join("keys").join(name)).unwrap();
    assert_eq!(read("live.key"), format!("{KEY}\n"));
    assert_eq!(read("live-2.key"), "sk-work-9876543210fedcba\n");
    assert_eq!(read(".gitignore"), "*\n");
    // By another path, by a link, and where the other entry has a fault, it is the same file.
    let stored = config_of(&sandbox);
    std::os::unix::fs::symlink("keys/live.key", folder.join("link")).unwrap();
    for path in ["keys/live.key", "keys/../keys/live.key", "link", "keys/live.key\n    bogus: 1"] {
        let line = format!("  other:\n    key_file: ~/.config/agent-run/{path}\n");
        for words in
            [&["key", "remove", "live", "--yes"][..], &["providers", "remove", "live", "--with-key", "--yes"]]
        {
            sandbox.config(&stored.replace("  other:\n", &line));
            let ran = sandbox.agent_run(words).exits(0);
            assert!(ran.stdout.contains("because `other` uses it"), "{path}: {}", ran.stdout);
            assert_eq!(read("live.key"), format!("{KEY}\n"));
        }
    }
}

#[test]
fn a_link_that_is_the_users_stays_and_an_empty_key_file_is_nobodys() {
    let (sandbox, _provider, config) = live();
    let (file, behind) = (sandbox.home(".config/agent-run/keys/live.key"), sandbox.home("secrets/live"));
    sandbox.write(&file, "");
    set_key(&sandbox, KEY).clean();
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{KEY}\n"));
    let moved = config_of(&sandbox);
    assert_ne!(moved, config);
    sandbox.write(&behind, "the old key\n");
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(&behind, &file).unwrap();
    set_key(&sandbox, KEY).clean();
    assert!(file.is_symlink() && config_of(&sandbox) == moved);
    assert_eq!(fs::read_to_string(&behind).unwrap(), format!("{KEY}\n"));
    sandbox.agent_run(&["key", "remove", "live", "--yes"]).exits(1).complains(&["does not store the key"]);
    sandbox.agent_run(&["providers", "remove", "live", "--yes", "--with-key"]).exits(0);
    assert!(file.is_symlink() && behind.exists());
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn the_question_names_the_key_that_goes_with_a_provider() {
    assert!(Tmux::is_there());
    let (sandbox, _provider, _) = live();
    set_key(&sandbox, KEY).clean();
    let tmux = Tmux::start(&sandbox, "agent-run providers remove live --with-key");
    let screen = tmux.wait_for("[y/N]").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(screen.contains("and its key from ~/.config/agent-run/keys/live.key? [y/N]"), "{screen}");
    drop(tmux);
    sandbox.config(
        &config_of(&sandbox).replace("key_file: ~/.config/agent-run/keys/live.key", "key_env: MOCK_KEY"),
    );
    let ran = sandbox.agent_run(&["providers", "remove", "live", "--with-key", "--yes"]).exits(0);
    assert!(
        ran.stdout.contains("its key was not removed, because agent-run does not store it: key_env MOCK_KEY"),
        "{}",
        ran.stdout
    );
}
