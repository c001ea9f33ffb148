//! What a launch adds to Claude Code's settings, beside the user's own `--settings`, and a provider's own folder.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{KEY, Stage, models, stage_in, with_sink};
use crate::support::tmux::Tmux;
use crate::support::{Sandbox, claude, real};

pub type Which = fn(&str) -> Option<Sandbox>;

/// The newest version and the oldest.
pub const BOTH: [Which; 2] = [real::sandbox, real::minimum];

fn tool(word: &str, name: &str, arguments: &Json) -> String {
    json!([{"last_user": word, "tool": {"name": name, "arguments": arguments}}]).to_string()
}

#[test]
fn a_first_start_is_in_no_auto_mode_and_nothing_is_said_of_it() {
    for version in BOTH {
        let Some(sandbox) = version("claude") else { return };
        let script = tool("run-it", "Bash", &json!({"command": "true", "description": "d"}));
        let stage = stage_in(sandbox, &script);
        let (tmux, _) = claude::trusted(&stage.sandbox, "claude@m");
        let screen = tmux.screen().to_lowercase();
        assert!(!screen.contains("auto mode") && !screen.contains("eligible"), "{screen}");
        claude::say(&tmux, "run-it");
        tmux.wait_until("an end", |screen| {
            screen.contains("PONG-FROM-MOCK") || screen.contains("Do you want to")
        });
        let posts = stage.only_the_chosen_heard();
        assert!(!json!(posts).to_string().contains("safeguards"));
        let main = posts.iter().filter(|post| post["model"] == "m-main").count();
        assert!(main <= 2, "{main} requests for one command");
    }
}

/// The control: a mode that the user names is the user's.
#[test]
fn auto_mode_by_the_users_own_word_is_auto_mode() {
    let Some(sandbox) = real::sandbox("claude") else { return };
    let stage = stage_in(sandbox, "[]");
    let (tmux, _) = claude::trusted(&stage.sandbox, "claude@m --permission-mode auto");
    tmux.wait_until("auto mode", |screen| screen.to_lowercase().contains("auto mode"));
}

/// What `CLAUDE_CODE_AUTO_MODE_SERVER=0` is there for, and that it is what does it.
#[test]
fn auto_mode_by_the_users_own_word_asks_the_provider_for_no_safeguards() {
    let script = tool("run-it", "Bash", &json!({"command": "touch made", "description": "d"}));
    let has_safeguards = |more: &str| {
        let stage = stage_in(real::sandbox("claude").unwrap(), &script);
        let url = stage.chosen.url("");
        stage.sandbox.config(&format!(
            "providers:\n  m: {{protocols: [anthropic], base_urls: {{anthropic: '{url}'}}, key_env: MOCK_KEY, \
             default_model: m-main, models: [{{id: m-main, context_window: 200000}}], model_api_filters: []{more}}}\n"
        ));
        let (tmux, _) = claude::trusted(&stage.sandbox, "claude@m --permission-mode auto");
        claude::say(&tmux, "run-it");
        tmux.wait_until("an end", |screen| {
            screen.contains("PONG-FROM-MOCK") || screen.contains("Do you want to")
        });
        json!(stage.chosen.posts()).to_string().contains("safeguards")
    };
    assert!(!has_safeguards(""));
    assert!(has_safeguards(", extra_env: {CLAUDE_CODE_AUTO_MODE_SERVER: '1'}"));
}

/// What `CLAUDE_CODE_ATTRIBUTION_HEADER=0` is there for.
#[test]
fn a_local_server_gets_no_line_that_changes_with_every_version() {
    for version in BOTH {
        let stage = stage_in(version("claude").unwrap(), "[]");
        stage.ask(&["hi"]).clean();
        let has_line = |stage: &Stage| {
            json!(stage.only_the_chosen_heard()).to_string().contains("x-anthropic-billing-header")
        };
        assert!(!has_line(&stage));
        let url = stage.chosen.url("");
        stage.sandbox.config(&format!(
            "providers:\n  m: {{protocols: [anthropic], base_urls: {{anthropic: '{url}'}}, key_env: MOCK_KEY, \
             default_model: m-main, models: [{{id: m-main, context_window: 200000}}], model_api_filters: [], \
             extra_env: {{CLAUDE_CODE_ATTRIBUTION_HEADER: '1'}}}}\n"
        ));
        stage.ask(&["hi"]).clean();
        assert!(has_line(&stage), "the variable makes no difference");
    }
}

/// A provider whose launches set these variables otherwise, on a machine with a saved login.
fn with_env(version: Which, variables: &str) -> Stage {
    let stage = stage_in(version("claude").unwrap(), "[]");
    let url = stage.chosen.url("");
    stage.sandbox.config(&format!(
        "providers:\n  m: {{protocols: [anthropic], base_urls: {{anthropic: '{url}'}}, key_env: MOCK_KEY, \
         default_model: m-main, models: [{{id: m-main, context_window: 200000}}], model_api_filters: [], \
         extra_env: {{{variables}}}}}\n"
    ));
    stage.log_in(true);
    stage
}

/// What `CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC` and `CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL` are there
/// for, and that each is needed beside the other (2.1.332). Of `ENABLE_CLAUDEAI_MCP_SERVERS` no effect is to be seen.
#[test]
fn each_switch_of_traffic_holds_back_something() {
    for (variable, hosts) in [
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", &["api.anthropic.com"][..]),
        ("CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL", &["github.com", "downloads.claude.ai"]),
    ] {
        for (value, is_asked) in [("1", false), ("", true)] {
            let (stage, sink) = with_sink(with_env(real::sandbox, &format!("{variable}: '{value}'")));
            let asked = || {
                let heard = json!(sink.requests()).to_string();
                hosts.iter().any(|host| heard.contains(host))
            };
            let (_tmux, _) = claude::trusted(&stage.sandbox, "claude@m");
            for _ in 0..if is_asked { 120 } else { 30 } {
                if asked() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(500));
            }
            assert_eq!(asked(), is_asked, "{variable}={value}: {:#?}", sink.requests());
        }
    }
}

/// What `CLAUDE_CODE_AUTO_COMPACT_WINDOW` says is the end of the window that is used, and the launch says it.
#[test]
fn a_conversation_is_compacted_at_the_window_that_is_said() {
    for (version, variables, shown) in [
        (BOTH[0], "X: ''", "/ 200k "),
        (BOTH[0], "CLAUDE_CODE_AUTO_COMPACT_WINDOW: '100000'", "/ 100k "),
        (BOTH[1], "X: ''", "/ 200k "),
        (BOTH[1], "CLAUDE_CODE_AUTO_COMPACT_WINDOW: '100000'", "/ 100k "),
    ] {
        let stage = with_env(version, variables);
        let page = stage.ask(&["/context"]).exits(0).stdout;
        let line = page.lines().find(|line| line.contains("**Tokens:**")).unwrap_or_default();
        assert!(line.contains(shown), "{variables}: {page}");
    }
}

#[test]
fn settings_by_argument_count_and_cost_the_launch_nothing() {
    for version in BOTH {
        for is_inline in [false, true] {
            let Some(sandbox) = version("claude") else { return };
            let stage = stage_in(sandbox, "[]");
            let (seen, helped) = (stage.sandbox.path("seen"), stage.sandbox.path("helped"));
            let hook = json!({"type": "command", "command": format!("touch '{}'", seen.display())});
            let own = json!({
                "apiKeyHelper": format!("touch '{}'; echo sk-other", helped.display()),
                "hooks": {"UserPromptSubmit": [{"hooks": [hook]}]}, "model": "m-other",
                "env": {"ANTHROPIC_BASE_URL": stage.other.url(""), "ANTHROPIC_CUSTOM_HEADERS": "X-Left: 1"},
            })
            .to_string();
            stage.sandbox.write(&stage.sandbox.path("work/own.json"), &own);
            let given = if is_inline { own.as_str() } else { "own.json" };
            for words in [
                &["--settings", given, "hi"][..],
                &["--settings", "{}", &format!("--settings={given}"), "hi"],
            ] {
                stage.ask(words).clean();
                assert!(seen.exists(), "the user's hook did not run");
                fs::remove_file(&seen).unwrap();
            }
            assert!(!helped.exists(), "the helper ran");
            let posts = stage.only_the_chosen_heard();
            assert_eq!(models(&posts), ["m-main"]);
            assert!(posts.iter().all(|post| post["headers"]["x-left"].is_null()));
            let folder = stage.sandbox.home(".cache/agent-run/claude");
            let homes: Vec<_> = fs::read_dir(folder).unwrap().map(|home| home.unwrap().path()).collect();
            assert_eq!(homes.len(), 1, "the same settings lie in one place: {homes:?}");
            let mode = fs::metadata(homes[0].join("agent-run-settings.json")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}

#[test]
fn a_page_is_fetched_without_asking_anthropic() {
    for version in BOTH {
        let Some(sandbox) = version("claude") else { return };
        let arguments = json!({"url": "http://page.example/x", "prompt": "p"});
        // Or 2.1.332 keeps the tool's description back until it is searched for.
        let sandbox = sandbox.var("ENABLE_TOOL_SEARCH", "false");
        let (stage, sink) = with_sink(stage_in(sandbox, &tool("fetch-it", "WebFetch", &arguments)));
        stage.ask(&["--allowedTools", "WebFetch", "--", "fetch-it"]).exits(0);
        let asked = json!(sink.requests()).to_string();
        assert!(asked.contains("page.example"), "{asked}");
        assert!(!asked.contains("anthropic.com"), "{asked}");
    }
}

/// A provider with a folder of its own for everything.
fn isolated(stage: &Stage, more: &str) {
    let url = stage.chosen.url("");
    stage.sandbox.config(&format!(
        "providers:\n  m: {{protocols: [anthropic], base_urls: {{anthropic: '{url}'}}, key_env: MOCK_KEY, \
         default_model: m-main, models: [{{id: m-main, context_window: 200000}}], model_api_filters: [], \
         isolated: true{more}}}\n"
    ));
}

#[test]
fn an_isolated_provider_shares_nothing_and_asks_nothing() {
    for version in BOTH {
        let Some(sandbox) = version("claude") else { return };
        let stage = stage_in(sandbox, "[]");
        isolated(&stage, ", anthropic_use_api_key: true");
        stage.log_in(true);
        let seen = stage.sandbox.path("seen");
        let hook = json!({"type": "command", "command": format!("touch '{}'", seen.display())});
        stage.settings(&json!({"hooks": {"UserPromptSubmit": [{"hooks": [hook]}]}}));
        let skill = "---\nname: users-own-skill\ndescription: d\n---\nx\n";
        stage.sandbox.write(&stage.sandbox.home(".claude/skills/users-own-skill/SKILL.md"), skill);
        let before = stage.state();
        stage.ask(&["hi"]).clean();
        let tmux = Tmux::start(&stage.sandbox, "claude@m");
        let first = tmux.wait_for("Yes, I trust this folder");
        assert!(!first.contains("API key") && !first.contains("Let's get started"), "{first}");
        assert!(!seen.exists(), "the user's settings were read");
        assert_eq!(stage.state(), before);
        assert!(!stage.sandbox.home(".claude/projects").exists());
        let posts = json!(stage.chosen.posts()).to_string();
        assert!(posts.contains(KEY) && !posts.contains("sk-ant-") && !posts.contains("users-own-skill"));
        let own = stage.sandbox.home(".local/state/agent-run/claude/m");
        assert!(own.join("projects").is_dir() && own.join(".claude.json").is_file());
        assert_eq!(fs::metadata(&own).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

/// `Read(/secret.txt)` counts from the folder of the settings file, which Claude Code is not given itself.
#[test]
fn a_file_that_the_users_settings_deny_is_not_read() {
    for sandbox in [real::sandbox("claude"), real::minimum("claude")].into_iter().flatten() {
        let secret = sandbox.path("work/secret.txt");
        let read = |word: &str| {
            let arguments = json!({"file_path": secret.to_str().unwrap()});
            json!({"last_user": word, "tool": {"name": "Read", "arguments": arguments}})
        };
        let stage = stage_in(sandbox, &json!([read("read-it"), read("again")]).to_string());
        stage.sandbox.write(&secret, "TOP-SECRET-TEXT\n");
        let own = json!({"permissions": {"deny": ["Read(/secret.txt)"]}});
        stage.sandbox.write(&stage.sandbox.path("work/own.json"), own.to_string());
        let was_read =
            |stage: &Stage| json!(stage.only_the_chosen_heard()).to_string().contains("TOP-SECRET-TEXT");
        stage.ask(&["--settings", "own.json", "read-it"]).exits(0);
        assert!(!was_read(&stage));
        stage.ask(&["again"]).exits(0);
        assert!(was_read(&stage), "without the rule it is read");
    }
}

/// Claude Code sends what these lead to.
#[test]
fn a_text_of_a_project_that_is_a_link_to_a_key_file_is_refused() {
    for sandbox in [real::sandbox("claude"), real::minimum("claude")].into_iter().flatten() {
        let stage = stage_in(sandbox, "[]");
        let key = stage.sandbox.home(".config/agent-run/keys/other.key");
        stage.sandbox.write(&key, "sk-of-another-provider");
        for text in ["CLAUDE.md", "CLAUDE.local.md", ".claude/CLAUDE.md", ".claude/rules/x.md"] {
            let text = stage.sandbox.path("work").join(text);
            fs::create_dir_all(text.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(&key, &text).unwrap();
            let ran = stage.sandbox.run("claude@m", &["-p", "hi"]).exits(125);
            ran.complains(&[" leads to where agent-run keeps keys: ", "\nhelp: remove the link"]);
            fs::remove_file(&text).unwrap();
        }
        let rules = stage.sandbox.home("rules.md");
        stage.sandbox.write(&rules, "RULE-42");
        std::os::unix::fs::symlink(rules, stage.sandbox.path("work/CLAUDE.md")).unwrap();
        stage.ask(&["hi"]).exits(0);
        let heard = json!(stage.only_the_chosen_heard()).to_string();
        assert!(heard.contains("RULE-42"), "it does follow links: {heard}");
    }
}
