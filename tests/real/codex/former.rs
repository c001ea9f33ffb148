//! Homes of the version before this one and of the tool before that, filled by the real Codex: whatever is in them is
//! counted before the first launch and after it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::{Value as Json, json};

use super::old_homes::{By, Counts, Former};
use super::others::Editor;
use super::sessions::rollouts;
use super::{Stage, lines};
use crate::support::tree::Tree;

/// All sessions that an editor sees, each with its first words.
fn listed(stage: &Stage, shim: &str) -> Vec<String> {
    let mut editor = Editor::start(stage.command(shim, &["app-server"]));
    let kinds = json!({ "limit": 100, "sourceKinds": ["exec", "cli", "vscode", "appServer"] });
    let list = editor.ask("thread/list", &kinds);
    editor.end();
    let first = |thread: &Json| thread["preview"].as_str().unwrap().to_owned();
    let mut listed: Vec<_> = list["data"].as_array().unwrap().iter().map(first).collect();
    listed.sort();
    listed
}

/// From homes of one kind for so many providers to the first launch and the second.
fn everything_is_there(by: By, providers: &[&str]) {
    let Some(stage) = Stage::set() else { return };
    // Something of the user's own, which the homes of the version before linked, and the old tool did not.
    stage.sandbox.write(&stage.sandbox.home(".codex/AGENTS.md"), "Answer briefly.\n");
    let former = Former { stage: &stage, by };
    for provider in providers {
        former.make(provider);
    }
    if by == By::VersionBefore {
        for provider in providers {
            symlink(stage.sandbox.home(".codex/AGENTS.md"), former.cache(provider).join("AGENTS.md"))
                .unwrap();
        }
    }
    let before = former.counts(providers);
    let n = providers.len();
    let live = if by == By::VersionBefore { 2 * n } else { n };
    let names = if by == By::VersionBefore { n } else { 0 };
    assert_eq!(before.sizes(), [live, n, n + 1, names, n + 1, n, n], "{before:?}");
    let originals = providers.iter().map(|provider| (former.cache(provider), former.state(provider)));
    let originals = || -> Vec<Vec<String>> {
        let all = originals.clone().flat_map(|(cache, state)| [rollouts(&cache), rollouts(&state)]);
        all.collect()
    };
    let kept = originals();

    let first = stage.run("codex@p", &["mcp", "list"]).exits(0);
    let first = first.complains(&["copied to", "codex-shared", "the originals were not changed"]);
    assert!(providers.iter().all(|it| first.stderr.contains(&format!("codex/{it}"))), "{}", first.stderr);
    let mut after = Counts::default();
    after.add(&stage.state(), &stage.runtime());
    assert_eq!(after, before);
    assert_eq!(originals(), kept, "the originals were not changed");
    for provider in providers {
        let program = stage.runtime().join(format!("skills/skill-{provider}/run"));
        assert_ne!(fs::metadata(program).unwrap().permissions().mode() & 0o100, 0, "it can be run");
    }

    // The second launch copies nothing, even where something is gone since.
    fs::remove_file(stage.runtime().join("history.jsonl")).unwrap();
    let tree = Tree::of(&stage.state().join("sessions"));
    stage.run("codex@q", &["mcp", "list"]).clean();
    assert!(!stage.runtime().join("history.jsonl").exists());
    assert_eq!(Tree::of(&stage.state().join("sessions")), tree);

    let mut wanted: Vec<_> = providers.iter().map(|it| format!("second at {it}")).collect();
    if by == By::VersionBefore {
        wanted.extend(providers.iter().map(|it| format!("third at {it}")));
    }
    wanted.sort();
    assert_eq!(listed(&stage, "codex@q"), wanted, "Codex lists them all");
    if by == By::VersionBefore {
        the_goals_of_one_go_on(&former, providers);
        // Codex finds a session by the name that it was given.
        let named = format!("named at {}", providers[0]);
        let ran = stage.run("codex@q", &["exec", "resume", &named, "by its name"]).exits(0);
        let said = &stage.b.posts().pop().unwrap();
        assert!(lines(said)[0].contains(&format!("third at {}", providers[0])), "{}", ran.stderr);
    }
    let asked = stage.b.posts().len();
    for (turn, provider) in providers.iter().enumerate() {
        let file = rollouts(&stage.state().join("sessions"))
            .into_iter()
            .find(|it| fs::read_to_string(it).unwrap().contains(&format!("\"second at {provider}\"")));
        let file = file.unwrap();
        let id = &file[file.len() - "01234567-0123-0123-0123-0123456789ab.jsonl".len()..file.len() - 6];
        stage.run("codex@q", &["exec", "resume", id, "more"]).exits(0);
        let post = stage.b.posts().remove(asked + turn);
        assert_eq!(post["model"], "model-q", "with the launch's model");
        let words = [&format!("user: second at {provider}"), "assistant: PONG-FROM-MOCK", "user: more"];
        assert_eq!(lines(&post), words);
    }
}

/// What Codex keeps in a database alone goes on in that of one provider, and those of the others stay.
fn the_goals_of_one_go_on(former: &Former<'_>, providers: &[&str]) {
    let stage = former.stage;
    let databases = stage.state().join("sqlite");
    let of = |provider: &str| former.state(provider).join("sqlite/goals_1.sqlite");
    let used: Vec<_> = providers.iter().filter(|provider| of(provider).is_symlink()).collect();
    assert_eq!(used.len(), 1, "{used:?}");
    assert_eq!(fs::read_link(of(used[0])).unwrap(), databases.join("goals_1.sqlite"));
    assert!(providers.iter().all(|provider| of(provider).is_file()), "the others stay");
    // Codex fills these from the sessions' files, the second when a session is opened.
    assert!(databases.join("state_5.sqlite").is_file());
    for rebuilt in ["state_5.sqlite", "thread_history_1.sqlite"] {
        let stays = |provider: &&str| {
            let original = former.state(provider).join("sqlite").join(rebuilt);
            original.is_file() && !original.is_symlink()
        };
        assert!(providers.iter().all(stays), "{rebuilt}");
    }
    let mut editor = Editor::start(stage.command("codex@q", &["app-server"]));
    let list = editor.ask("thread/list", &json!({ "limit": 100 }));
    for thread in list["data"].as_array().unwrap() {
        let goal = editor.ask("thread/goal/get", &json!({ "threadId": thread["id"] }));
        let wanted = thread["preview"] == format!("third at {}", used[0]);
        let objective = goal["goal"]["objective"].as_str();
        assert_eq!(objective, wanted.then_some(&*format!("goal at {}", used[0])), "{thread}");
    }
    editor.end();
    // Whoever removes what stayed loses nothing that goes on.
    let (kept, aside) = (stage.sandbox.home(".local/state/agent-run/codex"), stage.sandbox.path("aside"));
    fs::rename(&kept, &aside).unwrap();
    let mut editor = Editor::start(stage.command("codex@q", &["app-server"]));
    let all = list["data"].as_array().unwrap().iter();
    let goals = all.filter(|thread| {
        !editor.ask("thread/goal/get", &json!({ "threadId": thread["id"] }))["goal"].is_null()
    });
    assert_eq!(goals.count(), 1);
    editor.end();
    fs::rename(aside, kept).unwrap();
}

#[test]
fn of_the_version_before_with_two_providers() {
    everything_is_there(By::VersionBefore, &["p", "q"]);
}

#[test]
fn of_the_version_before_with_three_providers() {
    everything_is_there(By::VersionBefore, &["p", "q", "r"]);
}

#[test]
fn of_the_old_tool_with_two_providers() {
    everything_is_there(By::OldTool, &["p", "q"]);
}

#[test]
fn of_the_old_tool_with_three_providers() {
    everything_is_there(By::OldTool, &["p", "q", "r"]);
}

/// A home that `isolated_homes` named, with a login in it.
#[test]
fn of_the_old_tool_without_a_provider() {
    let Some(stage) = Stage::set() else { return };
    let former = Former { stage: &stage, by: By::OldTool };
    former.make("work");
    let old = former.cache("work");
    stage
        .sandbox
        .write(&old.join("auth.json"), r#"{"auth_mode": "apikey", "OPENAI_API_KEY": "sk-own-0123456789"}"#);
    let config = fs::read_to_string(old.join("config.toml")).unwrap();
    let bare = config.replace("[model_providers", "cli_auth_credentials_store = 'file'\n[model_providers");
    fs::write(old.join("config.toml"), &bare).unwrap();
    stage.sandbox.config("providers: {}\nisolated_homes: {codex: {work: {}}}\n");
    stage.sandbox.shim("codex@work");
    let tree = Tree::of(&old);
    let status = stage.run("codex@work", &["login", "status"]).exits(0);
    status.complains(&["API key configured", "codex/work was copied to", "the original was not changed"]);
    let home = stage.sandbox.home(".local/state/agent-run/codex/work/home");
    let (mut before, mut after) = (Counts::default(), Counts::default());
    before.add(&old, &old);
    after.add(&home, &home);
    assert_eq!(after, before);
    assert_eq!(Tree::of(&old), tree, "the original stays");
    // Its lists name the files of the new home.
    let mut editor = Editor::start(stage.command("codex@work", &["app-server"]));
    let kinds = json!({ "sourceKinds": ["exec"], "modelProviders": ["work"] });
    let list = editor.ask("thread/list", &kinds);
    editor.end();
    let path = list["data"][0]["path"].as_str().unwrap_or_else(|| panic!("{list}"));
    assert!(Path::new(path).starts_with(&home), "{path}");
    // A login that is given up is not brought back.
    stage.run("codex@work", &["logout"]).exits(0);
    assert_eq!(stage.run("codex@work", &["login", "status"]).code, 1);
}

/// Providers that are isolated: what each had stays its own.
#[test]
fn of_the_version_before_of_isolated_providers() {
    let Some(stage) = Stage::set() else { return };
    let former = Former { stage: &stage, by: By::VersionBefore };
    for provider in ["p", "q", "r"] {
        former.make(provider);
    }
    let url = stage.b.url("/v1");
    let provider = |name: &str, more: &str| {
        format!(
            "  {name}: {{protocols: [openai-responses], base_urls: {{openai: '{url}'}}, key_env: Q_KEY, \
             default_model: model-{name}{more}}}\n"
        )
    };
    let isolated = ", isolated: true";
    let config = ["providers:\n", &provider("p", isolated), &provider("q", isolated), &provider("r", "")];
    stage.sandbox.config(&config.concat());
    stage.sandbox.shim("codex@r");
    stage.run("codex@r", &["mcp", "list"]).exits(0);
    let counted = |state: &Path, home: &Path| {
        let mut counts = Counts::default();
        counts.add(state, home);
        counts
    };
    assert_eq!(counted(&stage.state(), &stage.runtime()), former.counts(&["r"]));
    for provider in ["p", "q"] {
        let shim = format!("codex@{provider}");
        stage.run(&shim, &["mcp", "list"]).exits(0);
        let own = stage.sandbox.home(".local/state/agent-run/codex").join(provider).join("isolated");
        assert_eq!(counted(&own, &own.join("home")), former.counts(&[provider]));
        assert_eq!(listed(&stage, &shim), [format!("second at {provider}"), format!("third at {provider}")]);
        stage.run(&shim, &["mcp", "list"]).clean();
    }
    assert_eq!(listed(&stage, "codex@r"), ["second at r", "third at r"]);
}
