//! `agent-run config`: what is printed of the file, and what an editor leaves behind.

/// `agent-run config`, which opens an editor.
mod editor;

use serde_json::Value as Json;

use crate::support::Sandbox;

const SOUND: &str = "\
providers:
  deepseek:
    protocols: [anthropic]
    base_urls: {anthropic: https://api.example.com}
    key: sk-literal-0123456789
    tiers: {haiku: small}
    extra_env: {SOME_API_KEY: hunter2-hunter2}
  local:
    protocols: [openai-responses]
    base_urls: {openai: http://localhost:1/v1}
    key_env: LOCAL_KEY
";

const BROKEN: &str = "\
providers:
  a:
    protocols: [antropic]
    base_urls: {anthropic: https://h}
  b:
    protocols: [anthropic]
    base_urls: {anthropic: https://h}
    key: sk-literal
    key_command: [pass, show, b]
colour: blue
";

#[test]
fn an_administrators_config_is_read_where_the_user_has_none() {
    let sandbox = Sandbox::new();
    let (first, second) = (sandbox.path("xdg-a"), sandbox.path("xdg-b"));
    let shared = second.join("agent-run/config.yaml");
    sandbox.write(&shared, SOUND);
    let sandbox = sandbox.var("XDG_CONFIG_DIRS", format!("{}:{}", first.display(), second.display()));
    let path = |sandbox: &Sandbox| sandbox.agent_run(&["config", "path"]).clean().stdout.trim().to_owned();
    assert_eq!(path(&sandbox), shared.display().to_string());
    assert!(sandbox.agent_run(&["providers", "list"]).exits(0).stdout.contains("deepseek"));
    for words in [&["providers", "add", "ollama", "--yes"][..], &["config"], &["import", "env", "--write"]] {
        sandbox
            .agent_run(words)
            .exits(1)
            .complains(&["belongs to the administrator and was not changed", "help: copy it to"]);
    }
    assert_eq!(std::fs::read_to_string(&shared).unwrap(), SOUND);
    // The example goes where the user's own file belongs, and from then on that one counts.
    sandbox.agent_run(&["config", "--bootstrap-config"]).exits(0);
    assert_eq!(path(&sandbox), sandbox.home(".config/agent-run/config.yaml").display().to_string());
    assert_eq!(std::fs::read_to_string(&shared).unwrap(), SOUND);
    let named = sandbox.var("AGENT_RUN_CONFIG", "/no/such/file");
    assert_eq!(path(&named), "/no/such/file");
}

/// A file that its user cannot look at is still the one that is meant.
#[test]
#[cfg_attr(not(feature = "as-root"), ignore = "root can read everything: needs setpriv, --features as-root")]
fn a_config_of_ones_own_that_cannot_be_looked_at_gives_way_to_no_other() {
    let sandbox = Sandbox::new();
    let own = sandbox.config(SOUND);
    sandbox.write(&sandbox.path("xdg/agent-run/config.yaml"), SOUND);
    let folders = [sandbox.path(""), sandbox.path("bin"), sandbox.home(""), sandbox.home(".config")];
    for (folder, mode) in
        folders.iter().map(|folder| (folder.clone(), 0o755)).chain([(own.parent().unwrap().into(), 0)])
    {
        std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    }
    let xdg = sandbox.path("xdg").display().to_string();
    let sandbox = sandbox.var("XDG_CONFIG_DIRS", xdg);
    for words in ["providers list", "launch deepseek claude", "config check", "providers add ollama --yes"] {
        let script = format!("--reuid=65533 --clear-groups agent-run {words}");
        let ran = sandbox.run("setpriv", &script.split(' ').collect::<Vec<_>>());
        assert!(matches!(ran.code, 1 | 125), "{words}: {ran:?}");
        ran.complains(&[&own.display().to_string(), "permission denied", "\nhelp: "]);
    }
}

#[test]
fn path_names_the_file_that_is_read() {
    let sandbox = Sandbox::new();
    let path = sandbox.home(".config/agent-run/config.yaml").display().to_string();
    assert_eq!(sandbox.agent_run(&["config", "path"]).clean().stdout, format!("{path}\n"));
    assert_eq!(sandbox.agent_run(&["--config", "/x/y", "config", "path"]).clean().stdout, "/x/y\n");
}

#[test]
fn check_tells_everything_in_the_files_order() {
    let sandbox = Sandbox::new();
    sandbox.config(BROKEN);
    let ran = sandbox.agent_run(&["config", "check"]).exits(1);
    let expected = "\
[HOME]/.config/agent-run/config.yaml:3:17: error: providers.a.protocols[0]: `antropic` is not known here
  3 |     protocols: …
    |                ^
help: did you mean `anthropic`?
[HOME]/.config/agent-run/config.yaml:5:3: warning: providers.b has both `key` and `key_command`, and the command is used
help: remove `key`
[HOME]/.config/agent-run/config.yaml:10:1: error: colour: unknown key
  10 | colour: …
     | ^
help: indent a provider below `providers:`; known keys: providers, isolated_homes, shims, models_ttl
2 errors, 1 warning
`agent-run config edit` opens the file
";
    assert_eq!(sandbox.redacted(&ran.stdout), expected);

    let json = sandbox.agent_run(&["config", "check", "--json"]).exits(1);
    let json: Json = serde_json::from_str(&json.stdout).expect("JSON");
    let findings = json["findings"].as_array().expect("a list");
    let places: Vec<_> =
        findings.iter().map(|one| (one["severity"].as_str(), one["line"].as_u64())).collect();
    let (error, warning) = (Some("error"), Some("warning"));
    assert_eq!(places, [(error, Some(3)), (warning, Some(5)), (error, Some(10))]);
    assert_eq!(findings[0]["key"], "providers.a.protocols[0]");
}

/// What a key of the config does not do is said where someone asks, and not at each launch.
#[test]
fn check_says_what_has_no_effect_and_a_launch_does_not() {
    let sandbox = Sandbox::new();
    let more = "isolated: true\n    sessions: own\n    headers: {Authorization: Token x}";
    sandbox.config(&SOUND.replace("tiers: {haiku: small}", more));
    sandbox.fake_agent("claude");
    sandbox.fake_agent("hermes");
    let said = sandbox.agent_run(&["config", "check"]).clean().stdout;
    for part in [
        ":7:5: warning: providers.deepseek.sessions has no effect: `isolated: true` implies it\nhelp: remove `sessions`\n",
        ":8:15: warning: providers.deepseek.headers.Authorization would be dropped by Claude Code, so that agent's launch is refused\n",
        "\n2 warnings\n",
    ] {
        assert!(said.contains(part), "no {part} in:\n{said}");
    }
    let refused =
        sandbox.agent_run(&["launch", "deepseek", "--model", "m", "--force", "model", "claude"]).exits(125);
    refused.complains(&["providers.deepseek.headers.Authorization: Claude Code sets", "\nhelp: remove"]);
    let sent = "anthropic_use_api_key: true\n    headers: {authorization: Token x}";
    sandbox.config(&SOUND.replace("tiers: {haiku: small}", sent));
    sandbox.agent_run(&["launch", "deepseek", "--model", "m", "--force", "model", "claude"]).clean();
    assert!(sandbox.agent_run(&["config", "check"]).clean().stdout.contains("valid,"));
    sandbox.config(&SOUND.replace("tiers: {haiku: small}", "isolated: true\n    sessions: own"));
    sandbox.agent_run(&["launch", "deepseek", "--model", "m", "--force", "model", "claude"]).clean();
}

#[test]
fn a_command_that_names_a_provider_warns_of_that_one_alone() {
    let sandbox = Sandbox::new().var("LOCAL_KEY", "sk-local-0123456789");
    sandbox.config(&SOUND.replace("tiers:", "key_command: [echo, sk-x]\n    tiers:"));
    sandbox.fake_agent("codex");
    let warning =
        "warning: [HOME]/.config/agent-run/config.yaml: providers.deepseek has both `key` and `key_command`";
    let said = |words: &str| {
        let ran = sandbox.agent_run(&words.split(' ').collect::<Vec<_>>());
        sandbox.redacted(&ran.stderr)
    };
    for words in [
        "launch local --model m --force model codex",
        "launch local --dry-run --model m --force model codex",
        "providers show local",
        "config show local",
        "models list local",
        "models show local m",
        "models diff local",
        "env local --model m",
        "providers test local",
        "providers add ollama --dry-run",
        "why codex@local",
    ] {
        assert!(!said(words).contains("deepseek"), "{words}: {}", said(words));
    }
    for words in ["providers show deepseek", "config show", "models list deepseek local deepseek"] {
        assert_eq!(said(words).matches(warning).count(), 1, "{words}: {}", said(words));
    }
    let added = said("providers add ollama --yes");
    assert!(!added.contains("deepseek"), "{added}");
}

/// A header that some agents drop, or that two spellings give, is refused with its place by every command.
#[test]
fn a_header_that_an_agent_would_drop_is_refused_with_its_place() {
    let sandbox = Sandbox::new().var("EMPTY", "");
    sandbox.fake_agent("claude");
    for (headers, part) in [
        ("{Host: evil.example}", ":6:15: providers.deepseek.headers.Host: the agent sets this header itself"),
        (
            "{X-A: '1', x-a: '2'}",
            ":6:25: providers.deepseek.headers.x-a: this header is already set, as `X-A`",
        ),
        ("{X-A: ''}", ":6:20: providers.deepseek.headers.X-A: the header's value is empty"),
    ] {
        sandbox.config(&SOUND.replace("tiers: {haiku: small}", &format!("headers: {headers}")));
        for words in [&["launch", "deepseek", "claude"][..], &["providers", "list"]] {
            let ran = sandbox.agent_run(words);
            assert_ne!(ran.code, 0);
            ran.complains(&[part, "\nhelp: "]);
        }
        let checked = sandbox.agent_run(&["config", "check"]).exits(1).stdout.replace(": error:", ":");
        assert!(checked.contains(part), "{checked}");
    }
    sandbox.config(&SOUND.replace("tiers: {haiku: small}", "headers: {X-A: '${env:EMPTY}'}"));
    let words = ["launch", "deepseek", "--model", "m", "--force", "model", "claude"];
    sandbox.agent_run(&words).exits(125).complains(&["headers.X-A has an empty value", "\nhelp: "]);
}

#[test]
fn what_is_wrong_with_a_provider_stops_its_own_launch_in_the_words_of_check() {
    let sandbox = Sandbox::new();
    sandbox.fake_agent("claude");
    let one_wrong = BROKEN.replace("key_command: [pass, show, b]", "default_model: m");
    sandbox.config(&one_wrong.replace("colour: blue\n", ""));
    let expected =
        "3:17: error: providers.a.protocols[0]: `antropic` is not known here\n  3 |     protocols: …\n";
    let check = sandbox.agent_run(&["config", "check"]).exits(1).stdout;
    assert!(check.contains(expected), "{check}");
    for words in [&["launch", "b", "claude"][..], &["env", "b"], &["why", "claude@b"]] {
        sandbox.agent_run(words).exits(0);
    }
    for words in [&["launch", "a", "claude"][..], &["env", "a"], &["why", "claude@a"]] {
        sandbox.agent_run(words).complains(&[&expected.replace(" error:", "")]);
    }
    // Commands on all providers report it.
    for words in [&["providers", "list"][..], &["config", "show"], &["shims", "install"]] {
        sandbox.agent_run(words).exits(1).complains(&[&expected.replace(" error:", "")]);
    }
    // A provider that is not there: those that can be used are named.
    sandbox.agent_run(&["launch", "c", "claude"]).complains(&["no provider `c`", "Claude Code can use b"]);
}

#[test]
fn a_list_that_ends_in_the_first_column_is_the_same_to_every_command() {
    let sandbox = Sandbox::new();
    sandbox.fake_agent("claude");
    let path = sandbox.config(&SOUND.replace("[anthropic]", "[anthropic\n]\n    default_model: m"));
    sandbox.agent_run(&["launch", "deepseek", "claude"]).exits(0);
    assert!(sandbox.agent_run(&["config", "check"]).exits(0).stdout.contains("valid,"));
    let shown = sandbox.agent_run(&["config", "show", "deepseek"]).exits(0).stdout;
    assert!(
        shown.lines().any(|line| line.contains("protocols") && line.ends_with("config.yaml:3")),
        "{shown}"
    );
    sandbox.agent_run(&["providers", "add", "ollama", "--yes"]).exits(0);
    assert!(std::fs::read_to_string(path).unwrap().contains("  ollama:\n"));
}

#[test]
fn warnings_fail_only_when_check_is_strict() {
    let sandbox = Sandbox::new();
    let path = sandbox.config(SOUND);
    let sound = sandbox.agent_run(&["config", "check", "--strict"]).clean();
    assert!(sound.stdout.ends_with("config.yaml: valid, 2 providers\n"), "{}", sound.stdout);
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let open = sandbox.agent_run(&["config", "check"]).clean();
    let warning =
        ":5:5: warning: providers.deepseek.key is in a file that other users can read\nhelp: run `chmod 600 ";
    assert!(open.stdout.contains(warning), "{}", open.stdout);
    sandbox.agent_run(&["config", "check", "--strict"]).exits(1);
}

#[test]
fn check_without_a_file_says_how_to_get_one() {
    let sandbox = Sandbox::new();
    let ran = sandbox.agent_run(&["config", "check"]).exits(1);
    ran.complains(&["there is no config", "help: `agent-run providers add`"]);
}

#[test]
fn show_tells_values_with_their_origin_and_never_a_key() {
    let sandbox = Sandbox::new().var("LOCAL_KEY", "sk-from-the-environment");
    sandbox.config(SOUND);
    let ran = sandbox.agent_run(&["config", "show"]).clean();
    let line =
        |key: &str| ran.stdout.lines().find(|line| line.trim().starts_with(key)).expect(key).to_owned();
    assert!(
        line("models_ttl").contains("12h") && line("models_ttl").ends_with("(default)"),
        "{}",
        ran.stdout
    );
    assert!(line("tiers.haiku").contains("small") && line("tiers.haiku").ends_with("config.yaml:6"));
    assert!(line("tiers.opus").contains("the launched model") && line("tiers.opus").ends_with("(default)"));
    assert!(line("key ").contains("<sha256 ") && line("key ").ends_with("config.yaml:5"), "{}", ran.stdout);
    assert!(line("key_env").contains("$LOCAL_KEY <sha256 "), "{}", ran.stdout);
    assert!(line("extra_env.SOME_API_KEY").contains("<sha256 "), "{}", ran.stdout);
    let json = sandbox.agent_run(&["config", "show", "--json"]).clean();
    for secret in ["sk-literal", "sk-from-the-environment", "hunter2"] {
        assert!(!ran.stdout.contains(secret) && !json.stdout.contains(secret), "{secret}");
    }
}

#[test]
fn show_takes_a_provider_and_gives_data() {
    let sandbox = Sandbox::new();
    sandbox.config(SOUND);
    let json = sandbox.agent_run(&["config", "show", "local", "--json"]).clean();
    let json: Json = serde_json::from_str(&json.stdout).expect("JSON");
    let values = json["values"].as_array().expect("a list");
    assert!(values.iter().all(|value| value["provider"] == "local"), "{json}");
    let row = |key: &str| values.iter().find(|value| value["key"] == key).expect(key);
    assert_eq!(
        (&row("base_urls.openai")["value"], &row("base_urls.openai")["line"]),
        (&"http://localhost:1/v1".into(), &10.into())
    );
    assert_eq!(row("key_env")["value"], "$LOCAL_KEY, which is not set");
    assert_eq!((&row("proxy")["origin"], &row("isolated")["value"]), (&"default".into(), &false.into()));

    let ran = sandbox.agent_run(&["config", "show", "locl"]).exits(1);
    ran.complains(&["no provider `locl`", "did you mean local?"]);
}

#[test]
fn show_runs_no_command() {
    let sandbox = Sandbox::new();
    let ran = sandbox.path("work/ran").display().to_string();
    sandbox.config(&SOUND.replace("key_env: LOCAL_KEY", &format!("key_command: [touch, {ran}]")));
    let shown = sandbox.agent_run(&["config", "show", "local"]).clean();
    assert!(shown.stdout.contains(&format!("`touch {ran}` (not run)")), "{}", shown.stdout);
    assert!(!sandbox.path("work/ran").exists());
}

#[test]
fn schema_is_json_that_the_example_points_to() {
    let sandbox = Sandbox::new();
    let ran = sandbox.agent_run(&["config", "schema"]).clean();
    let schema: Json = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let path = sandbox.agent_run(&["config", "--bootstrap-config"]).clean().stdout;
    let example = std::fs::read_to_string(path.trim_end()).unwrap();
    assert!(example.starts_with("# yaml-language-server: $schema=config.schema.json\n"), "{example}");
}

#[test]
fn without_home_the_systems_list_of_users_says_where_the_config_is() {
    let sandbox = Sandbox::new();
    let me = nix::unistd::User::from_uid(nix::unistd::getuid()).unwrap().unwrap();
    let expected = format!("{}\n", me.dir.join(".config/agent-run/config.yaml").display());
    for home in [None, Some("")] {
        let mut command = sandbox.command("agent-run");
        command.args(["config", "path"]).env_remove("XDG_CONFIG_HOME");
        match home {
            None => command.env_remove("HOME"),
            Some(empty) => command.env("HOME", empty),
        };
        assert_eq!(crate::support::run(&mut command).clean().stdout, expected);
    }
}
