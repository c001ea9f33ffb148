//! What people do wrong at the questions and commands for keys and providers.

use super::keys::{live, set_key};
use super::*;
use crate::support::lists::{Lists, respond};

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn a_key_that_is_pasted_at_another_question_is_not_shown() {
    assert!(Tmux::is_there());
    let sandbox = newcomer();
    let tmux = Tmux::start(&sandbox, "agent-run");
    tmux.wait_for("Which provider?");
    tmux.text("sk-typed/0123456789+abcdef/x");
    tmux.key("Enter");
    let screen = tmux.wait_for("looks like a key, and was neither used nor shown");
    assert!(!screen.contains("sk-typed"), "{screen}");
    for question in ["Which provider?", "Where is the key of deepseek?"] {
        tmux.wait_for(question);
        tmux.text(KEY);
        tmux.key("Enter");
        tmux.wait_for("looks like a key, and was neither used nor shown");
        if question.starts_with("Which") {
            tmux.text("deepseek");
            tmux.key("Enter");
        }
    }
    let screen = tmux.wait_until("both refusals", |screen| screen.matches("neither used").count() == 3);
    assert!(!screen.contains(&KEY[..6]), "{screen}");
    // What is typed is shown, and can be taken back.
    tmux.text("4");
    tmux.wait_for("choice [1]: 4");
    tmux.text("x");
    tmux.key("BSpace");
    tmux.key("BSpace");
    tmux.wait_until("it gone", |screen| !screen.contains("choice [1]: 4"));
    tmux.text("2\n");
    tmux.wait_for("Variable [DEEPSEEK_API_KEY]:");
    tmux.text(KEY);
    tmux.key("Enter");
    let screen = tmux.wait_for("this is not a variable name");
    assert!(!screen.contains(&KEY[..6]), "{screen}");
    tmux.text("2\n");
    tmux.wait_until("it again", |screen| screen.matches("Variable [DEEPSEEK_API_KEY]:").count() == 2);
    tmux.text("${MY_OWN}\n");
    tmux.wait_for("MY_OWN is not set here.");
    assert_eq!(files(&sandbox), [] as [&str; 0]);
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn ctrl_backslash_at_a_hidden_question_ends_it_with_the_echo_back() {
    assert!(Tmux::is_there());
    let (sandbox, _provider, config) = live();
    let tmux = Tmux::start(&sandbox, "trap : QUIT; agent-run key set live; echo \"[code $?]\"; stty -a");
    tmux.wait_for("Where is the key of live?");
    tmux.key("Enter");
    tmux.wait_for("Key (not shown");
    tmux.text(KEY);
    tmux.key("C-\\");
    let screen = tmux.wait_for("[exited 0]");
    assert!(screen.contains("[code 131]") && !screen.contains(KEY), "{screen}");
    let flags: Vec<_> = screen.split_whitespace().collect();
    assert!(flags.contains(&"echo") && flags.contains(&"icanon") && flags.contains(&"isig"), "{screen}");
    assert_eq!(config_of(&sandbox), config);
    key_is_only_in(&sandbox, &[]);
}

#[test]
fn a_key_of_which_a_part_is_hidden_is_none() {
    let (sandbox, _provider, config) = live();
    for masked in ["sk-***", "sk-ab12********cdef", "sk-ab12...cdef"] {
        set_key(&sandbox, masked)
            .exits(1)
            .complains(&["a key of which a part is hidden", "help: paste the key"]);
        let settings = format!(
            "{{\"env\": {{\"ANTHROPIC_BASE_URL\": \"https://a.example\", \"ANTHROPIC_AUTH_TOKEN\": \"{masked}\"}}}}"
        );
        sandbox.write(&sandbox.home(".claude/settings.json"), settings);
        let ran = sandbox.agent_run(&["import", "claude", "--with-keys"]).clean();
        let comments = ran.stdout.replace("\n    # ", " ");
        assert!(comments.contains("a key of which a part is hidden, and was omitted"), "{comments}");
        assert!(ran.stdout.contains("key_env: ") && !ran.stdout.contains(masked), "{}", ran.stdout);
    }
    set_key(&sandbox, "Password:")
        .exits(1)
        .complains(&["text such as a prompt or a message", "help: paste the key alone"]);
    assert_eq!(config_of(&sandbox), config);
}

#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn a_key_is_removed_only_when_somebody_says_so() {
    assert!(Tmux::is_there());
    let (sandbox, _provider, _) = live();
    set_key(&sandbox, KEY).clean();
    let config = config_of(&sandbox);
    sandbox.agent_run(&["key", "remove", "live"]).exits(1).complains(&["nothing was removed", "--yes"]);
    let tmux = Tmux::start(&sandbox, "agent-run key remove live");
    tmux.wait_for("Remove the key of live from ~/.config/agent-run/keys/live.key? [y/N]");
    tmux.key("Enter");
    tmux.wait_for("nothing was removed");
    assert_eq!(config_of(&sandbox), config);
    key_is_only_in(&sandbox, &["./.config/agent-run/keys/live.key"]);
    drop(tmux);
    let tmux = Tmux::start(&sandbox, "agent-run key remove live");
    tmux.wait_for("[y/N]");
    // Words are no key.
    tmux.text("what does it do with my task-list?\n");
    let screen = tmux.wait_for("Type y or n, and Enter.");
    assert!(!screen.contains("looks like a key"), "{screen}");
    tmux.text("y\n");
    tmux.wait_for("removed the key of live from ~/.config/agent-run/keys/live.key");
    key_is_only_in(&sandbox, &[]);
}

#[test]
fn a_read_only_config_is_left_with_its_keys_and_what_to_type_is_said() {
    let (sandbox, _provider, _) = live();
    set_key(&sandbox, KEY).clean();
    let config = config_of(&sandbox);
    let (file, folder) = (config_path(&sandbox), sandbox.home(".config/agent-run"));
    let other = "sk-other-0123456789abcdef";
    for (path, closed, open) in [(&file, 0o400, 0o600), (&folder, 0o500, 0o700)] {
        mode(path, closed);
        let help = format!("help: run `chmod u+w {}`\n", path.display());
        for ran in [
            set_key(&sandbox, other),
            sandbox.agent_run(&["key", "remove", "live", "--yes"]),
            sandbox.agent_run(&["providers", "add", "deepseek", "--yes"]),
            sandbox.agent_run(&["providers", "remove", "live", "--yes", "--with-key"]),
        ] {
            ran.exits(1).complains(&["the config is read-only and was not changed: ", &help]);
        }
        mode(path, open);
        assert_eq!(config_of(&sandbox), config);
        key_is_only_in(&sandbox, &["./.config/agent-run/keys/live.key"]);
    }
    // Elsewhere it is for the user to add, and the line is shown where it belongs.
    let store = sandbox.home("store.yaml");
    fs::rename(&file, &store).unwrap();
    std::os::unix::fs::symlink(&store, &file).unwrap();
    mode(&store, 0o444);
    set_key(&sandbox, other).exits(1).complains(&[
        "help: add this to the source of that file, below `providers`:\n  live:\n    key_file: ~/",
    ]);
}

#[test]
#[cfg_attr(not(feature = "as-root"), ignore = "root may write everywhere: needs setpriv, --features as-root")]
fn a_key_that_could_not_be_removed_stays_with_its_entry() {
    let (sandbox, _provider, _) = live();
    set_key(&sandbox, KEY).clean();
    let config = config_of(&sandbox);
    run(sandbox.command("chown").args(["-R", "65533"]).arg(sandbox.home(""))).clean();
    for folder in ["", "bin", "home", "work"] {
        mode(&sandbox.path(folder), 0o755);
    }
    mode(&sandbox.home(".config/agent-run/keys"), 0o500);
    for words in ["key remove live --yes", "providers remove live --yes --with-key"] {
        let words = format!("--reuid=65533 --clear-groups agent-run {words}");
        let ran = sandbox.run("setpriv", &words.split(' ').collect::<Vec<_>>()).exits(1);
        ran.complains(&["the key cannot be removed: ", "help: run `chmod u+w "]);
        assert_eq!(config_of(&sandbox), config);
    }
}

#[test]
fn the_folder_of_keys_is_closed_to_others_and_an_open_one_is_named() {
    let (sandbox, _provider, _) = live();
    let folder = sandbox.home(".config/agent-run/keys");
    fs::create_dir(&folder).unwrap();
    mode(&folder, 0o777);
    set_key(&sandbox, KEY).clean();
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    mode(&folder, 0o777);
    let ran = sandbox.agent_run(&["doctor", "live"]).exits(1);
    let help = format!("run `chmod go-w {}`", folder.display());
    assert!(ran.stdout.contains("everyone can replace") && ran.stdout.contains(&help), "{}", ran.stdout);
}

#[test]
fn a_name_that_would_be_mistaken_is_refused_for_a_new_provider_and_works_for_an_old_one() {
    let (sandbox, _provider, config) = live();
    for (name, what) in
        [("claude", "an agent"), ("shell", "an agent"), ("claude@x", "as a shim is"), ("doctor", "a command")]
    {
        let words = ["providers", "add", "deepseek", "--yes", "--name", name];
        sandbox.agent_run(&words).exits(1).complains(&[what, "--name my-deepseek"]);
        assert_eq!(config_of(&sandbox), config);
    }
    for (name, fault, like) in [
        ("my lab", "white space", "; for example `--name my-lab`\n"),
        ("a@b", "contains `@`", "; for example `--name a-b`\n"),
        ("$(x)", "contains `$`", "; for example `--name x`\n"),
        ("-x", "starts with `-`", "; for example `--name x`\n"),
        // What would be refused next is not proposed.
        ("@claude", "contains `@`", "part of file names\n"),
        ("why?", "contains `?`", "part of file names\n"),
    ] {
        let name = format!("--name={name}");
        sandbox.agent_run(&["providers", "add", "ollama", &name, "--yes"]).exits(1).complains(&[fault, like]);
    }
    assert_eq!(config_of(&sandbox), config);
    let sandbox = sandbox.var("MOCK_KEY", KEY);
    for name in ["claude", "claude@x", "my lab"] {
        sandbox.config(&config.replace("  live:", &format!("  {name}:")));
        sandbox.agent_run(&["launch", name, "claude"]).clean();
        let ran = sandbox.agent_run(&["config", "check"]).exits(0);
        assert!(
            name == "my lab"
                || ran.stdout.contains("warning: ") && ran.stdout.contains("give it another name"),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn an_entry_that_others_use_is_named_with_its_place() {
    let sandbox = newcomer();
    let entry = "protocols: [anthropic]\n    base_urls: {anthropic: 'http://127.0.0.1:9'}";
    sandbox
        .config(&format!("providers:\n  one: &a\n    {entry}\n  two:\n    <<: *a\n    default_model: m\n"));
    let ran = sandbox.agent_run(&["providers", "remove", "one", "--yes"]).exits(1);
    ran.complains(&[
        "config.yaml:2: could not remove `one`",
        "line 6 uses it",
        "help: edit it with `agent-run providers edit one`",
    ]);
    // What is shown to be added is what was asked for.
    sandbox.config(
        "providers: {live: {protocols: [anthropic], base_urls: {anthropic: 'http://127.0.0.1:9'}}}\n",
    );
    let words =
        ["providers", "add", "deepseek", "--yes", "--name", "ds", "--key-env", "MY_KEY", "--model", "m1"];
    let ran = sandbox.agent_run(&words).exits(1);
    ran.complains(&[
        "help: add this below `providers`",
        "  ds:\n",
        "key_env: MY_KEY\n",
        "default_model: m1\n",
    ]);
}

#[test]
fn the_words_that_people_type_are_understood() {
    let (sandbox, _provider, config) = live();
    for words in [&["provider", "list"][..], &["keys", "--help"], &["model", "--help"], &["shim", "list"]] {
        sandbox.agent_run(words).exits(0);
    }
    let ran = sandbox.agent_run(&["mock-provide"]).exits(2);
    assert!(!ran.stderr.contains("mock-provider"), "{}", ran.stderr);
    for (typed, meant) in [
        (&["porviders"][..], "did you mean `providers`?"),
        (&["modles"], "did you mean `models`?"),
        (&["config", "chekc"], "did you mean `check`?"),
    ] {
        sandbox.agent_run(typed).exits(2).complains(&[meant]);
    }
    // Clap finds something near to the last two; nothing is near enough to be meant.
    for far in ["zzz", "remote", "shellx"] {
        let ran = sandbox.agent_run(&[far]).exits(2);
        assert!(!ran.stderr.contains("did you mean"), "{}", ran.stderr);
    }
    let other = sandbox.home("other.yaml");
    sandbox.write(&other, "providers: 3\n");
    let ran = sandbox.agent_run(&["config", "check", &other.display().to_string()]).exits(1);
    assert!(ran.stdout.contains("other.yaml:1:"), "{}", ran.stdout);
    let path = format!("{}\n", config_path(&sandbox).display());
    assert_eq!(sandbox.agent_run(&["config", "edit"]).clean().stdout, path);
    let ran = sandbox.agent_run(&["config", "--bootstrap-config"]).exits(0);
    assert_eq!(ran.complains(&["there is a config already, and it was not changed"]).stdout, path);
    assert_eq!(config_of(&sandbox), config);
}

#[test]
fn a_refused_key_is_a_problem_until_another_one_is_set() {
    let lists = Lists::json("{}");
    lists.now(|_, stream| respond(stream, "401 Unauthorized", &[], b"{}"));
    let sandbox = newcomer().var("MOCK_KEY", KEY);
    sandbox.config(&format!(
        "providers:\n  live:\n    protocols: [openai-responses]\n    base_urls: {{openai: 'http://{}/v1'}}\n    \
         key_env: MOCK_KEY\n    default_model: m\n",
        lists.address
    ));
    sandbox.agent_run(&["models", "list", "live"]).exits(1);
    for words in [&["doctor", "live"][..], &["doctor"]] {
        let said = sandbox.agent_run(words).exits(1).stdout;
        let problem = "the key was refused (401)\n          help: check key_env MOCK_KEY, or set another: `agent-run key set live`\n";
        assert!(said.contains("problem live ") && said.contains(problem), "{said}");
    }
    set_key(&sandbox, KEY).clean();
    let said = sandbox.agent_run(&["doctor", "live"]).stdout;
    assert!(!said.contains("refused"), "the other key was not tried yet\n{said}");
}

#[test]
fn where_a_key_was_removed_everything_says_so_and_names_the_one_command() {
    let sandbox = newcomer();
    let lines = "\n    protocols: [anthropic]\n    base_urls: {anthropic: 'https://far.example'}\n    \
                 model_api_filters: []\n    default_model: m\n";
    sandbox.config(&format!(
        "providers:\n  live:{lines}    key_env: K\n  deepseek:{lines}    key: sk-0123456789\n"
    ));
    set_key(&sandbox, KEY).clean();
    for name in ["live", "deepseek"] {
        let set = format!("agent-run key set {name}");
        let pair = format!("claude@{name}");
        for (words, code) in [
            (&["key", "remove", name, "--yes"][..], 0),
            (&["key", "remove", name, "--yes"], 1),
            (&["key", "test", name], 1),
            (&["doctor", name], 1),
            (&["why", &pair], 0),
            (&["launch", name, "claude"], 125),
            (&["providers", "test", name], 1),
        ] {
            let ran = sandbox.agent_run(words).exits(code);
            // A preset's variable is the user's, set or not.
            if name == "deepseek" && words[1] == "remove" && code == 1 {
                ran.complains(&["does not store the key"]);
                continue;
            }
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(said.contains(&set), "{words:?}\n{said}");
            assert!(
                ["has no key", "no key: ", "none: "].iter().any(|none| said.contains(none)),
                "{words:?}\n{said}"
            );
        }
    }
    key_is_only_in(&sandbox, &[]);
    // A server on this machine needs none, but has none to test.
    let (sandbox, _provider, _) = live();
    set_key(&sandbox, KEY).clean();
    sandbox.agent_run(&["key", "remove", "live", "--yes"]).clean();
    sandbox
        .agent_run(&["key", "test", "live"])
        .exits(1)
        .complains(&["`live` has no key", "agent-run key set live"]);
    let said = sandbox.agent_run(&["doctor", "live", "-v"]).exits(0).stdout;
    assert!(said.contains("no key, as for a local server; `agent-run key set live` sets one"), "{said}");
}
