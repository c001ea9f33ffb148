/// What a probe of a launch sees and counts.
mod probe;
/// How a probe or a demo ends when it is interrupted.
mod signals;
/// What holds for the version of an agent.
mod trials;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use serde_json::Value as Json;

use crate::support::tree::Tree;
use crate::support::{AGENT_RUN, MockProvider, Sandbox};

const CONFIG: &str = "\
providers:
  mock:
    protocols: [anthropic, openai-responses]
    base_urls: {anthropic: 'https://mock.example', openai: 'https://mock.example/v1'}
    key_env: MOCK_KEY
    default_model: m1
    headers: {X-Team: hush-hush}
  asked:
    protocols: [anthropic]
    base_urls: {anthropic: 'https://asked.example'}
    key_command: [sh, -c, 'touch ~/asked; printf s; echo k-asked-key']
    default_model: a1
";

/// An agent that knows its version, and asks once by the variables of a Claude launch.
pub fn claude(version: &str, more: &str) -> String {
    format!(
        "#!/bin/sh\nif [ \"$1\" = --version ]; then touch ~/version-asked; echo '{version} (Claude Code)'; exit; fi\n\
         curl -s \"$ANTHROPIC_BASE_URL/v1/messages\" -H \"authorization: Bearer $ANTHROPIC_AUTH_TOKEN\" \
         -d \"{{\\\"model\\\": \\\"$ANTHROPIC_MODEL\\\", \\\"messages\\\": []}}\"\n{more}"
    )
}

/// Waits for a condition; ten seconds are a failure.
pub fn until(condition: impl Fn() -> bool, what: &str) {
    for _ in 0..1000 {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("waited in vain for {what}");
}

pub fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new().var("MOCK_KEY", "sk-mock-key").var("ANTHROPIC_API_KEY", "sk-inherited");
    sandbox.config(CONFIG);
    sandbox.script("claude", &claude("2.1.332", ""));
    sandbox
}

#[test]
fn a_healthy_machine_is_well_and_stays_as_it_is() {
    let sandbox = sandbox();
    let before = Tree::of(&sandbox.home(""));
    let brief = sandbox.agent_run(&["doctor"]).clean().stdout;
    assert!(brief.lines().count() <= 10, "{brief}");
    for part in ["Agents           claude 2.1.332", "Keys             mock, asked", "Nothing is wrong."] {
        assert!(brief.contains(part), "no {part} in:\n{brief}");
    }
    let ran = sandbox.agent_run(&["doctor", "-v"]).clean();
    for part in [
        "ok      claude  2.1.332",
        "providers: 2",
        "claude@mock  m1 at https://mock.example",
        "Model lists\n  ok      mock   not loaded yet",
        "Nothing is wrong.",
    ] {
        assert!(ran.stdout.contains(part), "no {part} in:\n{}", ran.stdout);
    }
    assert_eq!(Tree::of(&sandbox.home("")), before, "nothing is written, and no key was asked for");
    assert!(!ran.stdout.contains("sk-"), "{}", ran.stdout);
}

#[test]
fn settings_that_would_hijack_are_said_by_name_alone() {
    let sandbox = sandbox().var("ANTHROPIC_BASE_URL", "https://user:sk-user@evil.example/x?key=sk-query");
    let settings =
        r#"{"env": {"ANTHROPIC_BASE_URL": "https://sk-file.example"}, "apiKeyHelper": "echo sk-helper"}"#;
    sandbox.write(&sandbox.home(".claude/settings.json"), settings);
    sandbox.write(&sandbox.path("work/.claude/settings.local.json"), settings);
    sandbox.script("codex", "#!/bin/sh\necho codex-cli 0.171.0\n");
    sandbox.write(&sandbox.home(".codex/config.toml"), "model_provider = \"sk-evil\"\nmodel = \"m\"\n");
    sandbox.write(&sandbox.path("work/.codex/config.toml"), "model = \"sk-project\"\n");
    let sandbox = sandbox.var("https_proxy", "http://me:sk-pw@proxy.example:3128");
    let ran = sandbox.agent_run(&["doctor", "-v"]).clean();
    for part in [
        "requests go through the proxy proxy.example (https_proxy, inherited)",
        ".claude/settings.json: env.ANTHROPIC_BASE_URL: ignored by Claude Code",
        "work/.claude/settings.local.json: apiKeyHelper: --settings overrides it",
        "ANTHROPIC_API_KEY is removed from the agent's environment",
        "ANTHROPIC_BASE_URL (to evil.example) is replaced in the agent's environment",
        ".codex/config.toml: model, model_provider: omitted from the launch's own config.toml",
        "work/.codex/config.toml: model: set with -c",
    ] {
        assert!(ran.stdout.contains(part), "no {part} in:\n{}", ran.stdout);
    }
    assert!(!ran.stdout.contains("sk-"), "{}", ran.stdout);
}

#[test]
fn a_version_out_of_range_is_said_with_what_to_do() {
    let sandbox = sandbox();
    let said = |version: &str, code| {
        sandbox.script("claude", &claude(version, ""));
        sandbox.agent_run(&["doctor", "claude"]).exits(code).stdout
    };
    let old = said("2.0.9", 1);
    assert!(old.contains("problem claude  2.0.9") && old.contains("help: update it: `npm install"), "{old}");
    let behind = said("2.1.197", 0);
    for part in ["note    claude  2.1.197", "older than 2.1.332", "claude-code@2.1.332"] {
        assert!(behind.contains(part), "no {part} in:\n{behind}");
    }
    let new = said("3.0", 0);
    assert!(new.contains("newer than 2.1.332") && new.contains("doctor --probe claude"), "{new}");
    let mute = said("no number", 0);
    assert!(mute.contains("it printed no version") && mute.contains("--version`"), "{mute}");
    fs::remove_file(sandbox.path("bin/claude")).unwrap();
    let gone = sandbox.agent_run(&["doctor", "claude"]).exits(1).stdout;
    assert!(gone.contains("could not find claude") && gone.contains("help: install it"), "{gone}");
}

#[test]
fn every_error_of_the_config_is_said_and_the_rest_is_looked_at_all_the_same() {
    let sandbox = sandbox();
    sandbox.config("providers:\n  a:\n    protocol: [anthropic]\n  b:\n    protocols: [smoke]\n");
    let ran = sandbox.agent_run(&["doctor", "-v"]).exits(1);
    for part in ["config.yaml:3:", "config.yaml:5:", "ok      claude  2.1.332"] {
        assert!(ran.stdout.contains(part), "no {part} in:\n{}", ran.stdout);
    }
    fs::remove_file(sandbox.home(".config/agent-run/config.yaml")).unwrap();
    let none = sandbox.agent_run(&["doctor"]).exits(1).stdout;
    assert!(none.contains("there is no config") && none.contains("agent-run providers add"), "{none}");
    sandbox.config("providers: {a: {protocols: [anthropic], base_urls: {anthropic: 'https://a.example'}}}");
    let wrong = sandbox.agent_run(&["doctor", "aa"]).exits(1);
    wrong.complains(&["no provider `aa`", "help: did you mean a? the config has a"]);
}

#[test]
fn a_key_command_runs_only_when_asked_for_and_no_key_is_shown() {
    let sandbox = sandbox();
    let ran = sandbox.agent_run(&["doctor", "-v"]).clean();
    assert!(ran.stdout.contains("not run now; `agent-run doctor asked` runs it"), "{}", ran.stdout);
    assert!(!sandbox.home("asked").exists());
    for words in [&["doctor", "asked", "-v"][..], &["doctor", "--keys", "-v"]] {
        let ran = sandbox.agent_run(words).clean();
        assert!(ran.stdout.contains(" ms, <sha256 "), "{}", ran.stdout);
        assert!(!ran.stdout.contains("sk-"), "{}", ran.stdout);
        fs::remove_file(sandbox.home("asked")).expect("the command ran");
    }
    let gone = CONFIG.replace("[sh, -c,", "[/nowhere/sh, -c,");
    assert_ne!(gone, CONFIG);
    sandbox.config(&gone);
    let ran = sandbox.agent_run(&["doctor"]);
    assert!(
        ran.stdout.contains("note    asked") && ran.stdout.contains("/nowhere/sh is no program"),
        "{}",
        ran.stdout
    );
    sandbox.config(&CONFIG.replace("touch ~/asked", "sleep 1.1"));
    let slow = sandbox.agent_run(&["doctor", "asked"]).clean().stdout;
    assert!(slow.contains("note    asked") && slow.contains("help: every launch waits for it"), "{slow}");
    let sandbox = sandbox.var("MOCK_KEY", "");
    assert!(
        sandbox
            .agent_run(&["doctor"])
            .clean()
            .stdout
            .contains("note    mock  no key: the variable MOCK_KEY (key_env) is not set")
    );
    let named = sandbox.agent_run(&["doctor", "mock"]).exits(1).stdout;
    assert!(
        named.contains("problem mock")
            && named.contains("help: set a key with `agent-run key set mock`, or run `export MOCK_KEY="),
        "{named}"
    );
}

#[test]
fn what_stands_in_the_way_on_path_and_in_folders_is_said() {
    let sandbox = sandbox();
    let first = sandbox.path("first");
    fs::create_dir(&first).unwrap();
    symlink(AGENT_RUN, first.join("claude")).unwrap();
    symlink(AGENT_RUN, first.join("claude@mock")).unwrap();
    symlink(AGENT_RUN, first.join("codex@gone")).unwrap();
    symlink("/nowhere/agent-run", first.join("hermes@mock")).unwrap();
    symlink("/nowhere/agent-run", first.join("codex@mock")).unwrap();
    let cache = sandbox.home(".cache/agent-run");
    for folder in ["codex/mock", "codex/gone", "hermes/mock-0123456789ab", "probe-x"] {
        fs::create_dir_all(cache.join(folder)).unwrap();
    }
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}:/usr/bin:/bin", first.display(), sandbox.path("bin").display());
    let said =
        sandbox.var("PATH", path).var("SHELL", "/bin/fish").agent_run(&["doctor", "-v"]).exits(1).stdout;
    for part in [
        "first/claude is agent-run with the agent's own name",
        "ok      on PATH      claude@mock",
        "codex@gone   no provider `gone`",
        "first/hermes@mock is a broken link",
        "no completion file for fish",
        "agent-run completion fish | source",
        "other users can read",
        "help: run `chmod 700",
        "left behind by a provider that is no longer in the config, gone",
        "left behind by an interrupted probe",
    ] {
        assert!(said.contains(part), "no {part} in:\n{said}");
    }
    assert!(said.contains("install codex@mock") && !said.contains("install hermes@mock"), "{said}");
    assert_eq!(said.matches("left behind").count(), 2, "{said}");
}

#[test]
fn the_pairs_that_have_shims_are_looked_at_or_the_one_that_is_named() {
    let sandbox = sandbox().var("MOCK_KEY", "");
    sandbox.script("codex", "#!/bin/sh\necho codex-cli 0.171.0\n");
    sandbox.shim("codex@mock");
    let said = sandbox.agent_run(&["doctor"]).clean().stdout;
    for part in
        ["note    mock  no key: the variable MOCK_KEY (key_env) is not set", "Shims            codex@mock"]
    {
        assert!(said.contains(part), "no {part} in:\n{said}");
    }
    assert!(!said.contains("  Launches"), "no launch works: {said}");
    assert!(!said.contains("asked,") && !said.contains("@asked") && !said.contains("claude@"), "{said}");
    let full = sandbox.agent_run(&["doctor", "-v"]).clean().stdout;
    assert!(full.contains("others  not checked, because they have no shims: asked"), "{full}");
    assert!(full.contains("these launches need the key: codex@mock"), "{full}");
    let named = sandbox.agent_run(&["doctor", "claude@asked"]).clean().stdout;
    assert!(named.contains("Keys             asked") && named.contains("claude@asked"), "{named}");
    sandbox.shim("claude@asked");
    let both = sandbox.agent_run(&["doctor"]).clean().stdout;
    assert!(both.contains("Launches         claude@asked\n"), "{both}");
    let both = sandbox.var("MOCK_KEY", "sk-mock-key").agent_run(&["doctor"]).clean().stdout;
    assert!(both.contains("Launches         claude@asked, codex@mock"), "{both}");
}

#[test]
fn as_json_every_finding_but_the_sound_ones_says_what_to_do() {
    let sandbox = sandbox().var("MOCK_KEY", "");
    let ran = sandbox.agent_run(&["doctor", "mock", "--json"]).exits(1);
    let json: Json = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["well"], false);
    let groups = json["report"]["groups"].as_array().unwrap();
    let findings: Vec<_> = groups.iter().flat_map(|group| group["findings"].as_array().unwrap()).collect();
    assert!(findings.iter().any(|finding| finding["mark"] == "problem" && finding["subject"] == "mock"));
    for finding in findings {
        let is_sound = finding["mark"] == "ok" || finding["mark"] == "known";
        assert_eq!(!is_sound, finding["help"].as_str().is_some_and(|help| !help.is_empty()));
    }
}

#[test]
fn the_known_problems_of_the_version_that_is_here_are_said_and_are_no_findings() {
    let sandbox = sandbox();
    let tls = "obeys `NODE_TLS_REJECT_UNAUTHORIZED` in a project's settings";
    // With a name and without one.
    for words in [&["doctor", "claude"][..], &["doctor"]] {
        let brief = sandbox.agent_run(words).stdout;
        assert!(brief.contains("Known problems of these versions: claude 3"), "{brief}");
        assert!(brief.contains("; `-v` lists them."), "{brief}");
        let said = sandbox.agent_run(&[words, &["-v"]].concat()).stdout;
        assert_eq!(said.matches("known   claude").count(), 3, "{said}");
        assert!(!said.contains(tls), "{said}");
    }
    sandbox.agent_run(&["doctor", "claude"]).clean();
    sandbox.script("claude", &claude("2.1.197", ""));
    let said = sandbox.agent_run(&["doctor", "claude", "-v"]).clean().stdout;
    assert!(said.contains(tls) && said.contains("(seen in 2.1.197, gone in 2.1.332)"), "{said}");
    let json: Json =
        serde_json::from_str(&sandbox.agent_run(&["doctor", "claude", "--json"]).clean().stdout).unwrap();
    let groups = json["report"]["groups"].as_array().unwrap();
    let known = groups.iter().find(|group| group["title"] == "Known problems of these versions").unwrap();
    let texts = known["findings"].as_array().unwrap().iter().map(|finding| finding["text"].as_str().unwrap());
    assert!(texts.into_iter().any(|text| text.starts_with(tls)), "{known}");
}

#[test]
fn no_provider_is_asked_even_where_its_list_would_decide() {
    let sandbox = sandbox();
    let mock_provider = MockProvider::start(&sandbox, "provider");
    let config = CONFIG.replace("https://mock.example", &format!("http://{}", mock_provider.address));
    sandbox.config(&config.replace("    default_model: m1\n", ""));
    let said = sandbox.agent_run(&["doctor", "mock", "claude"]).clean().stdout;
    assert!(said.contains("note    claude@mock") && said.contains("--model"), "{said}");
    sandbox.agent_run(&["why", "claude@mock"]).exits(1).complains(&["help: "]);
    assert!(mock_provider.requests().is_empty(), "{:?}", mock_provider.requests());
}

/// The folders of the usual config's launches are not those of another config.
#[test]
fn another_config_calls_nothing_left_over() {
    let sandbox = sandbox();
    fs::create_dir_all(sandbox.home(".cache/agent-run/codex/mock-0123456789abcdef")).unwrap();
    fs::set_permissions(sandbox.home(".cache/agent-run"), fs::Permissions::from_mode(0o700)).unwrap();
    let other = sandbox.home("other.yaml");
    sandbox.write(&other, CONFIG.replace("  mock:", "  else:"));
    fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
    let other = other.to_str().unwrap();
    let said = sandbox.agent_run(&["--config", other, "doctor"]).clean().stdout;
    assert!(!said.contains("left behind"), "{said}");
    fs::copy(other, sandbox.home(".config/agent-run/config.yaml")).unwrap();
    let said = sandbox.agent_run(&["doctor"]).clean().stdout;
    assert!(said.contains("by a provider that is no longer in the config, mock"), "{said}");
}

#[test]
fn the_folder_of_a_killed_probe_goes_and_that_of_one_that_runs_stays() {
    let sandbox = sandbox();
    let cache = sandbox.home(".cache/agent-run");
    let folders = ["probe-left", "probe-runs"].map(|name| cache.join(name));
    let locks = folders.each_ref().map(|folder| {
        fs::create_dir_all(folder).unwrap();
        fs::File::create(folder.join(".agent-run.lock")).unwrap()
    });
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o700)).unwrap();
    locks[1].try_lock().unwrap();
    let said = sandbox.agent_run(&["doctor"]).clean().stdout;
    assert!(!said.contains("left behind"), "{said}");
    assert_eq!(folders.map(|folder| folder.exists()), [false, true]);
}

#[test]
fn a_part_of_a_probe_may_be_a_word_of_its_own() {
    let sandbox = sandbox();
    let ran = sandbox.agent_run(&["doctor", "--probe", "launches", "mock", "claude"]).clean();
    assert!(
        ran.stdout.contains("Probe of claude@mock") && !ran.stdout.contains("Tests of "),
        "{}",
        ran.stdout
    );
    sandbox.agent_run(&["doctor", "--probe=lunches"]).exits(2).complains(&["lunches", "launches"]);
}

#[test]
fn doctor_says_which_versions_were_run_and_what_held() {
    let said = sandbox().agent_run(&["doctor", "-v", "claude"]).clean().stdout;
    assert!(said.contains(" was tested on 20"), "{said}");
    assert!(said.contains("passed: "), "{said}");
}
