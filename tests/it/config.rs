//! `agent-run config`: what is printed of the file, and what an editor leaves behind.

use serde_json::Value as Json;

use crate::support::Sandbox;
use crate::support::tmux::Tmux;

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
            .complains(&["an administrator's and is not changed", "help: copy it to"]);
    }
    assert_eq!(std::fs::read_to_string(&shared).unwrap(), SOUND);
    // The example goes where the user's own file belongs, and from then on that one counts.
    sandbox.agent_run(&["config", "--bootstrap-config"]).exits(0);
    assert_eq!(path(&sandbox), sandbox.home(".config/agent-run/config.yaml").display().to_string());
    assert_eq!(std::fs::read_to_string(&shared).unwrap(), SOUND);
    let named = sandbox.var("AGENT_RUN_CONFIG", "/no/such/file");
    assert_eq!(path(&named), "/no/such/file");
}

#[test]
fn path_names_the_file_that_is_read() {
    let sandbox = Sandbox::new();
    let path = sandbox.home(".config/agent-run/config.yaml").display().to_string();
    assert_eq!(sandbox.agent_run(&["config", "path"]).clean().stdout, format!("{path}\n"));
    let other = sandbox.agent_run(&["--config", "/x/y", "config", "path"]).clean();
    assert_eq!(other.stdout, "/x/y\n");
}

#[test]
fn check_tells_everything_in_the_files_order() {
    let sandbox = Sandbox::new();
    sandbox.config(BROKEN);
    let ran = sandbox.agent_run(&["config", "check"]).exits(1);
    let expected = "\
[HOME]/.config/agent-run/config.yaml:3:17: error: providers.a.protocols[0]: `antropic` is not known here
help: did you mean `anthropic`
[HOME]/.config/agent-run/config.yaml:5:3: warning: providers.b has both `key` and `key_command`, and the command is used
help: remove `key`
[HOME]/.config/agent-run/config.yaml:10:1: error: colour: unknown key
help: known keys: providers, isolated_homes, shims, models_ttl
2 errors, 1 warning
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

#[test]
fn warnings_fail_only_when_check_is_strict() {
    let sandbox = Sandbox::new();
    let path = sandbox.config(SOUND);
    let sound = sandbox.agent_run(&["config", "check", "--strict"]).clean();
    assert!(sound.stdout.ends_with("config.yaml: nothing wrong, 2 providers\n"), "{}", sound.stdout);

    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let open = sandbox.agent_run(&["config", "check"]).clean();
    let warning =
        ":5:5: warning: providers.deepseek.key stands in a file that others can read\nhelp: chmod 600 ";
    assert!(open.stdout.contains(warning), "{}", open.stdout);
    sandbox.agent_run(&["config", "check", "--strict"]).exits(1);
}

#[test]
fn check_without_a_file_says_how_to_get_one() {
    let sandbox = Sandbox::new();
    sandbox.agent_run(&["config", "check"]).exits(1).complains(&["no such file", "--bootstrap-config"]);
}

#[test]
fn show_tells_values_with_their_origin_and_never_a_key() {
    let sandbox = Sandbox::new().var("LOCAL_KEY", "sk-from-the-environment");
    sandbox.config(SOUND);
    let ran = sandbox.agent_run(&["config", "show"]).clean();
    let line =
        |key: &str| ran.stdout.lines().find(|line| line.trim().starts_with(key)).expect(key).to_owned();
    assert!(line("models_ttl").contains("12h") && line("models_ttl").ends_with("default"), "{}", ran.stdout);
    assert!(line("tiers.haiku").contains("small") && line("tiers.haiku").ends_with("config.yaml:6"));
    assert!(line("tiers.opus").contains("the launched model") && line("tiers.opus").ends_with("default"));
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
    ran.complains(&["no provider `locl`", "did you mean `local`"]);
}

#[test]
fn show_runs_no_command() {
    let sandbox = Sandbox::new();
    let ran = sandbox.path("work/ran").display().to_string();
    sandbox.config(&SOUND.replace("key_env: LOCAL_KEY", &format!("key_command: [touch, {ran}]")));
    let shown = sandbox.agent_run(&["config", "show", "local"]).clean();
    assert!(shown.stdout.contains(&format!("`touch {ran}`, not run here")), "{}", shown.stdout);
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
#[cfg_attr(not(feature = "system-tools"), ignore = "needs tmux: --features system-tools")]
fn an_editor_that_leaves_an_error_is_offered_again() {
    let sandbox = Sandbox::new();
    let path = sandbox.config(SOUND);
    // The first time it breaks the file, the second time it mends it.
    let script = format!(
        "#!/bin/sh\nif grep -q colour \"$1\"; then cp {sound} \"$1\"; else echo 'colour: blue' >>\"$1\"; fi\n",
        sound = sandbox.path("sound").display()
    );
    sandbox.write(&sandbox.path("sound"), SOUND);
    let editor = sandbox.script("editor", &script).display().to_string();
    let sandbox = sandbox.var("EDITOR", editor);

    let tmux = Tmux::start(&sandbox, "agent-run config");
    let screen = tmux.wait_for("Open it again? [Y/n]");
    assert!(screen.contains("error: colour: unknown key"), "{screen}");
    tmux.text("y");
    tmux.key("Enter");
    tmux.wait_for("[exited 0]");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), SOUND);
    drop(tmux);

    let tmux = Tmux::start(&sandbox, "agent-run config");
    tmux.wait_for("Open it again? [Y/n]");
    tmux.text("n");
    tmux.key("Enter");
    let screen = tmux.wait_for("[exited 1]");
    assert!(screen.contains("help: `agent-run config check`"), "{screen}");
}
