use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::Value as Json;

use crate::support::{MockProvider, Sandbox};

const CONFIG: &str = "\
# mine
providers:
    # the first
    mock:
        protocols: [anthropic, openai-chat-completions]
        base_urls: {anthropic: 'http://127.0.0.1:9', openai: 'http://127.0.0.1:9/v1'}
        key_env: MOCK_KEY
        default_model: m1
        models: [m1, m2]
        model_api_filters: []
    secret:
        protocols: [openai-responses]
        base_urls: {openai: 'http://127.0.0.1:9/v1'}
        key: sk-planted
        # key_env: LATER

# how long
models_ttl: 1h
";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new().var("MOCK_KEY", "sk-planted");
    sandbox.config(CONFIG);
    sandbox
}

fn config_of(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.home(".config/agent-run/config.yaml")).unwrap()
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn the_list_says_whom_each_provider_fits_and_never_a_key() {
    let sandbox = sandbox();
    let rows = sandbox.agent_run(&["providers", "list"]).clean().stdout;
    assert_eq!(
        rows,
        "mock\tanthropic,openai-chat-completions\tclaude,hermes,crush\tm1\t2\tkey_env MOCK_KEY\n\
         secret\topenai-responses\tcodex\t\t0\tkey, in the config itself\n"
    );
    let list = sandbox.agent_run(&["providers", "list", "--json"]).clean().stdout;
    assert!(!list.contains("sk-planted"), "{list}");
    let list = json(&list);
    assert_eq!(list[0]["agents"]["crush"], "openai-chat-completions");
    assert_eq!(list[0]["key"]["is_set"], true);
    assert_eq!(list[1]["key"]["kind"], "key");
}

#[test]
fn one_provider_is_shown_with_where_it_stands() {
    let sandbox = sandbox();
    let shown = sandbox.agent_run(&["providers", "show", "mock"]).clean().stdout;
    for part in ["config.yaml:4)", "agent-run launch mock claude", "key_env MOCK_KEY\n", "2 known"] {
        assert!(shown.contains(part), "{shown}");
    }
    let secret = sandbox.agent_run(&["providers", "show", "secret", "--json"]).clean().stdout;
    assert!(!secret.contains("sk-planted"), "{secret}");
    sandbox
        .agent_run(&["providers", "show", "mokc"])
        .exits(1)
        .complains(&["no provider `mokc` in the config", "did you mean mock? the config has mock, secret"]);
}

#[test]
fn presets_are_found_by_any_part_of_them() {
    let sandbox = Sandbox::new();
    let names = |text: &str| {
        let list = sandbox.agent_run(&["providers", "presets", text, "--json"]).clean().stdout;
        let list = json(&list);
        let name = |preset: &Json| preset["name"].as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(names("api.kimi.com"), ["kimi-coding"]);
    assert_eq!(names("volcengine"), ["ark", "ark-coding"]);
    sandbox.agent_run(&["providers", "presets", "zzz"]).exits(1).complains(&["no preset contains `zzz`"]);
}

#[test]
fn a_preset_is_added_behind_the_others_and_nothing_else_changes() {
    let sandbox = sandbox();
    let ran = sandbox.agent_run(&["providers", "add", "deepseek", "--yes"]).clean();
    assert!(ran.stdout.contains("export DEEPSEEK_API_KEY=…\n"), "{}", ran.stdout);
    let after = config_of(&sandbox);
    let at = after.find("    deepseek:\n").expect("the entry");
    let end = after.find("\n# how long").expect("the rest");
    let without = format!("{}{}", &after[..at].trim_end_matches('\n'), &after[end..]);
    assert_eq!(without.replace("\n\n", "\n"), CONFIG.replace("\n\n", "\n"), "{after}");
    assert!(after[..at].contains("# key_env: LATER\n"), "{after}");
    let list = json(&sandbox.agent_run(&["providers", "list", "--json"]).clean().stdout);
    assert_eq!(list[2]["default_model"], "deepseek-v4-pro");
}

#[test]
fn from_nothing_to_a_launch() {
    let sandbox = Sandbox::new().var("MY_KEY", "sk-planted");
    sandbox.fake_agent("claude");
    sandbox.agent_run(&["providers", "add", "zai", "--name", "glm", "--key-env", "MY_KEY", "-y"]).clean();
    let path = sandbox.home(".config/agent-run/config.yaml");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let ran = sandbox.agent_run(&["launch", "glm", "claude"]).clean();
    assert_eq!(ran.env("ANTHROPIC_AUTH_TOKEN"), Some("sk-planted"));
}

#[test]
fn what_would_be_added_is_shown_first_and_nobody_there_means_no() {
    let sandbox = sandbox();
    let words = ["providers", "add", "azure", "--key-command", "pass show 'my key'", "--model", "gpt"];
    let shown = sandbox.agent_run(&[&words[..], &["--dry-run"]].concat()).clean().stdout;
    for line in ["  azure:\n", "    key_command: [pass, show, my key]\n", "    models: [gpt]\n"] {
        assert!(shown.contains(line), "{shown}");
    }
    let ran = sandbox.agent_run(&words).exits(1);
    assert!(ran.stdout.contains("  azure:\n"), "{}", ran.stdout);
    ran.complains(&["nothing was added", "help: use --yes"]);
    assert_eq!(config_of(&sandbox), CONFIG);
}

#[test]
fn what_cannot_be_added_is_refused_and_nothing_changes() {
    let sandbox = sandbox();
    let add = |words: &[&str]| sandbox.agent_run(&[&["providers", "add"], words, &["--yes"]].concat());
    add(&["ollama", "--name", "mock"])
        .exits(1)
        .complains(&["the config already has a provider `mock`", "help: "]);
    add(&["olama"]).exits(1).complains(&["no preset `olama`", "did you mean ollama"]);
    add(&["ollama", "--name", "a/b"]).exits(1).complains(&["the name contains a `/`"]);
    add(&["claude"]).exits(1).complains(&["name of an agent", "`agent-run providers add anthropic`"]);
    add(&["glm"]).exits(1).complains(&["no preset `glm`", "did you mean zai"]);
    let piped = "pass show x | head -1";
    add(&["zai", "--key-command", piped])
        .exits(1)
        .complains(&["without a shell", "have a shell run it: `sh -c 'pass show x | head -1'`"]);
    add(&["zai", "--key-env", "NOT A NAME"]).exits(1).complains(&["not a variable name"]);
    add(&["zai", "--key-env", "A", "--key-file", "b"]).exits(2);
    assert_eq!(config_of(&sandbox), CONFIG);

    let flow = "providers: {mock: {protocols: [anthropic], base_urls: {anthropic: 'http://127.0.0.1:9'}}}\n";
    sandbox.config(flow);
    add(&["ollama"]).exits(1).complains(&["not written one per line", "help: add this", "ollama:"]);
    assert_eq!(config_of(&sandbox), flow);
}

#[test]
fn a_read_only_config_is_left_and_the_block_is_shown_to_paste() {
    let sandbox =
        sandbox().var("ANTHROPIC_BASE_URL", "https://a.example").var("ANTHROPIC_AUTH_TOKEN", "sk-own");
    let (link, real) = (sandbox.home(".config/agent-run/config.yaml"), sandbox.home("store/config.yaml"));
    fs::create_dir(sandbox.home("store")).unwrap();
    fs::rename(&link, &real).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o444)).unwrap();
    symlink(&real, &link).unwrap();
    for words in [&["providers", "add", "ollama", "--yes"][..], &["import", "env", "--write"]] {
        let ran = sandbox.agent_run(words).exits(1);
        ran.complains(&[
            "the config is read-only and was not changed",
            "store/config.yaml",
            "help: add this",
            "base_urls:",
        ]);
        assert_eq!(config_of(&sandbox), CONFIG);
        assert!(link.is_symlink() && fs::read_dir(sandbox.home("store")).unwrap().count() == 1);
    }
}

#[test]
#[cfg_attr(not(feature = "as-root"), ignore = "root may write everywhere: needs setpriv, --features as-root")]
fn a_config_in_a_folder_that_may_not_be_written_is_left_and_the_block_is_shown() {
    let sandbox =
        sandbox().var("ANTHROPIC_BASE_URL", "https://a.example").var("ANTHROPIC_AUTH_TOKEN", "sk-own");
    let (link, real) = (sandbox.home(".config/agent-run/config.yaml"), sandbox.path("etc/config.yaml"));
    fs::create_dir(sandbox.path("etc")).unwrap();
    fs::rename(&link, &real).unwrap();
    for (path, mode) in [(sandbox.path(""), 0o755), (sandbox.path("bin"), 0o755), (real.clone(), 0o644)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let folder = link.parent().unwrap();
    // A link to the file, to its folder, and to a folder without a config.
    for kind in ["file", "folder", "none"] {
        fs::remove_dir_all(folder).or_else(|_| fs::remove_file(folder)).unwrap();
        if kind == "file" {
            fs::create_dir(folder).unwrap();
            symlink(&real, &link).unwrap();
        } else {
            symlink(sandbox.path("etc"), folder).unwrap();
        }
        if kind == "none" {
            fs::remove_file(&real).unwrap();
        }
        let count = || fs::read_dir(sandbox.path("etc")).unwrap().count();
        let before = count();
        for words in ["providers add ollama --yes", "providers add ollama", "import env --write"] {
            let words = format!("--reuid=65533 --clear-groups agent-run {words}");
            let ran = sandbox.run("setpriv", &words.split(' ').collect::<Vec<_>>()).exits(1);
            ran.complains(&[
                "the config is read-only and was not changed",
                "/etc",
                "help: add this",
                "base_urls:",
            ]);
        }
        assert_eq!(count(), before, "{kind}");
    }
}

#[test]
fn a_config_behind_a_link_stays_behind_it_with_its_mode() {
    let sandbox = sandbox();
    let (link, real) = (sandbox.home(".config/agent-run/config.yaml"), sandbox.home("dotfiles.yaml"));
    fs::rename(&link, &real).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&real, &link).unwrap();
    sandbox.agent_run(&["providers", "add", "ollama", "--yes"]).exits(0);
    assert!(link.is_symlink());
    assert!(fs::read_to_string(&real).unwrap().contains("    ollama:\n"));
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
}

/// A sandbox whose provider `live` is the mock provider.
fn live(script: &str) -> (Sandbox, MockProvider) {
    let sandbox = Sandbox::new().var("MOCK_KEY", "sk-planted").var("HTTP_PROXY", "http://127.0.0.1:1");
    let mock_provider = MockProvider::scripted(&sandbox, "live", script);
    sandbox.config(&format!(
        "\
providers:
  live:
    protocols: [anthropic, openai-responses, openai-chat-completions]
    base_urls: {{anthropic: '{}', openai: '{}'}}
    key_env: MOCK_KEY
    default_model: mock-large
",
        mock_provider.url(""),
        mock_provider.url("/v1")
    ));
    (sandbox, mock_provider)
}

#[test]
fn a_test_asks_for_the_list_and_one_answer_per_protocol() {
    let (sandbox, mock_provider) = live("[]");
    let ran = sandbox.agent_run(&["providers", "test", "live", "--json"]).clean();
    let found = json(&ran.stdout);
    let what: Vec<_> = found.as_array().unwrap().iter().map(|finding| &finding["what"]).collect();
    assert_eq!(what, ["models", "anthropic", "openai-responses", "openai-chat-completions"]);
    assert!(found.as_array().unwrap().iter().all(|finding| finding["works"] == true), "{found:#}");
    assert_eq!(found[1]["status"], 200);
    let posts = mock_provider.posts();
    assert_eq!(posts.len(), 3);
    for post in posts {
        assert_eq!(post["model"], "mock-large");
        assert_eq!(post["headers"]["authorization"], "Bearer sk-planted", "{post:#}");
    }
}

#[test]
fn what_a_provider_refuses_is_said_with_what_to_do() {
    let (sandbox, mock_provider) = live(
        r#"[
        {"path": "/v1/messages", "status": 401, "body": {"error": {"message": "bad key sk-planted"}}},
        {"path": "/responses", "status": 404},
        {"path": "/chat/completions", "contains": "\"max_tokens\"", "status": 400,
         "body": {"error": {"message": "use max_completion_tokens instead"}}}
    ]"#,
    );
    let ran = sandbox.agent_run(&["providers", "test", "live", "--model", "other"]).exits(1);
    for part in [
        "failed  anthropic                the key was refused (401): bad key <key> (",
        "\n        help: check key_env MOCK_KEY, or set another: `agent-run key set live`\n",
        "failed  openai-responses         http://",
        "/responses does not serve this model over openai-responses (404)",
        "or remove openai-responses from `protocols`\n",
        "ok      openai-chat-completions  other answers (",
    ] {
        assert!(ran.stdout.contains(part), "no `{part}` in\n{}", ran.stdout);
    }
    assert!(!ran.stdout.contains("sk-planted"), "{}", ran.stdout);
    assert_eq!(mock_provider.posts().len(), 4, "the longer name of the limit is tried once");
}

#[test]
fn an_error_that_comes_with_status_200_is_an_error() {
    let (sandbox, _mock_provider) = live(
        r#"[
        {"path": "/v1/messages", "body": "<html>welcome</html>"},
        {"path": "/responses", "body": {"error": {"message": "no credit"}}}
    ]"#,
    );
    let ran = sandbox.agent_run(&["providers", "test", "live"]).exits(1);
    for part in ["did not send JSON, so the base URL is probably wrong", "answered with an error: no credit"]
    {
        assert!(ran.stdout.contains(part), "no `{part}` in\n{}", ran.stdout);
    }
}

#[test]
fn what_fails_for_every_protocol_is_said_once() {
    let sandbox = Sandbox::new();
    sandbox.config(
        "providers: {dead: {protocols: [anthropic, openai-responses], default_model: m, base_urls: \
         {anthropic: 'http://127.0.0.1:9', openai: 'http://127.0.0.1:9'}}}\n",
    );
    let ran = sandbox.agent_run(&["providers", "test", "dead"]).exits(1);
    assert_eq!(ran.stdout.matches("connection refused").count(), 1, "{}", ran.stdout);
    assert_eq!(ran.stdout.matches(" same error as models (").count(), 2, "{}", ran.stdout);
}

#[test]
fn a_test_without_a_key_asks_nothing() {
    let (sandbox, mock_provider) = live("[]");
    let sandbox = sandbox.var("MOCK_KEY", "");
    sandbox.agent_run(&["providers", "test", "live"]).exits(1).complains(&["MOCK_KEY (key_env) is not set"]);
    assert_eq!(mock_provider.requests().len(), 0);
}

/// A config may have a name that the command gives to no new provider.
#[test]
fn a_name_that_the_command_takes_is_taken_by_the_config() {
    let long = "x".repeat(129);
    let odd = ["", "..", ".x", "a/b", "-x", "a\nb", "a\u{1b}[31mb", "a\u{202e}b", " a", "a ", &long];
    let old = ["a b", "a@b", "a:b", "a: b", "it's", "#x", "~", "*", "\"q\""];
    let fine = ["null", "12", "\u{6708}", "cafe\u{301}", "a.b_c-d", &long[1..]];
    for (names, is_new, is_fine) in [(&odd[..], false, false), (&old, false, true), (&fine, true, true)] {
        for name in names {
            let sandbox = Sandbox::new();
            let option = format!("--name={name}");
            let ran = sandbox.agent_run(&["providers", "add", "deepseek", "--yes", &option]);
            assert_eq!(ran.code == 0, is_new, "{name:?}: {ran:?}");
            if !is_new {
                let ran = ran.complains(&["--name ", ": the name ", "\nhelp: use letters, digits"]);
                assert!(!ran.stderr.contains(['\u{1b}', '\u{202e}']), "{}", ran.stderr);
            }
            let entry = "{protocols: [anthropic], base_urls: {anthropic: 'http://127.0.0.1:9'}}";
            let quoted = serde_json::to_string(name).unwrap();
            sandbox.config(&format!("providers:\n  {quoted}: {entry}\n"));
            let checked = sandbox.agent_run(&["config", "check"]);
            assert_eq!(checked.code == 0, is_fine, "{name:?}: {checked:?}");
        }
    }
}
