//! Databases of the version before this one: a folder for each provider and project, with `agent-run-<provider>` for the
//! provider's id. Crush itself lists what is in each, before the first launch and after it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::{PONG, Stage, turns};
use crate::support::run;

/// The name of the project's folder, as the launches call it.
fn key(stage: &Stage) -> String {
    stage.pongs();
    let database = fs::read_link(stage.session("mock").join("crush.db")).unwrap();
    let history = database.parent().unwrap();
    let key = history.file_name().unwrap().to_str().unwrap().to_owned();
    fs::remove_dir_all(history).unwrap();
    key
}

/// Has Crush make a database with so many sessions, as the version before had it.
fn make(stage: &Stage, folder: &Path, provider: &str, sessions: usize) {
    let chosen = json!({"provider": format!("agent-run-{provider}"), "model": "mock-model-small"});
    let models = json!([{"id": "mock-model-small", "name": "m"}]);
    let settings = json!({
        "providers": {format!("agent-run-{provider}"): {"type": "openai-compat", "base_url": stage.mock.url("/v1"),
            "api_key": "x", "models": models}},
        "models": {"large": chosen, "small": chosen},
    });
    stage.sandbox.write(&folder.join("crush.json"), settings.to_string());
    for at in 0..sessions {
        let mut plain = stage.sandbox.command("crush");
        plain.env("CRUSH_DISABLE_DEFAULT_PROVIDERS", "1").arg(format!("--data-dir={}", folder.display()));
        run(plain.args(["run", "-q", &format!("{provider} {at}")])).exits(0);
    }
    assert_eq!(listed(stage, folder).len(), sessions);
}

fn ids(list: &str) -> Vec<String> {
    let list: Json = serde_json::from_str(list).unwrap();
    let sessions = list.as_array().into_iter().flatten();
    let mut ids: Vec<_> =
        sessions.map(|it| it["uuid"].as_str().unwrap_or_else(|| panic!("{it}")).to_owned()).collect();
    ids.sort();
    ids
}

/// The sessions in a folder, by plain Crush.
fn listed(stage: &Stage, folder: &Path) -> Vec<String> {
    let mut plain = stage.sandbox.command("crush");
    let flag = format!("--data-dir={}", folder.display());
    ids(&run(plain.args([&flag, "session", "list", "--json"])).exits(0).stdout)
}

/// The sessions that a launch sees.
fn seen(stage: &Stage, shim: &str) -> Vec<String> {
    ids(&stage.sandbox.run(shim, &["session", "list", "--json"]).exits(0).stdout)
}

fn data(stage: &Stage, provider: &str, key: &str) -> PathBuf {
    stage.sandbox.home(".local/state/agent-run/crush/data").join(provider).join(key)
}

fn everything_is_there(providers: &[&str]) {
    let Some(stage) = Stage::new() else { return };
    let key = key(&stage);
    for (at, provider) in providers.iter().enumerate() {
        make(&stage, &data(&stage, provider, &key), provider, at + 1);
    }
    let before: Vec<_> = providers.iter().map(|it| listed(&stage, &data(&stage, it, &key))).collect();
    let sizes: Vec<_> = before.iter().map(Vec::len).collect();
    assert_eq!(sizes, (1..=providers.len()).collect::<Vec<_>>());

    let first = stage.sandbox.run("crush@mock", &["session", "list", "--json"]).exits(0);
    let first = first.complains(&["one history", "The others were not changed", "help: "]);
    assert_eq!(ids(&first.stdout), before[providers.len() - 1], "those of the one that was used last");
    // Each line that is printed opens one.
    let lines: Vec<_> = first.stderr.lines().filter(|line| line.contains(" session list")).collect();
    let opened = lines.iter().map(|line| {
        let ran = run(stage.sandbox.command("sh").args(["-c", &format!("{} --json", line.trim())])).exits(0);
        ids(&ran.stdout)
    });
    let mut opened: Vec<_> = opened.collect();
    opened.sort_by_key(Vec::len);
    assert_eq!(opened, before);

    let second = stage.sandbox.run("crush@mock2", &["session", "list", "--json"]).clean();
    assert_eq!(ids(&second.stdout), before[providers.len() - 1], "named once");
    let asked = turns(&stage.mock).len();
    assert_eq!(stage.sandbox.run("crush@mock", &["run", "-q", "-C", "again"]).clean().stdout, PONG);
    let turn = &turns(&stage.mock)[asked];
    assert_eq!(turn["model"], "mock-model", "with the launch's model");
    let last = providers[providers.len() - 1];
    assert!(turn["body"]["messages"].to_string().contains(&format!("{last} ")), "{turn}");
    let after: Vec<_> = providers.iter().map(|it| listed(&stage, &data(&stage, it, &key))).collect();
    assert_eq!(after, before, "none is lost, and none doubled");
    // Whoever removes what stayed loses nothing that goes on.
    fs::remove_dir_all(stage.sandbox.home(".local/state/agent-run/crush/data")).unwrap();
    stage.say_pong().clean();
    assert_eq!(seen(&stage, "crush@mock").len(), before[providers.len() - 1].len() + 1);
}

#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn of_two_providers() {
    everything_is_there(&["mock", "mock2"]);
}

#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn of_three_providers() {
    everything_is_there(&["mock2", "gone", "mock"]);
}

/// `sessions: own` is new: what the provider had is its own, and no other's.
#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn of_a_provider_that_keeps_its_sessions_apart() {
    for first in ["crush@mock", "crush@mock2"] {
        let Some(stage) = Stage::new() else { return };
        let key = key(&stage);
        stage.configure("    sessions: own\n");
        make(&stage, &data(&stage, "mock2", &key), "mock2", 1);
        make(&stage, &data(&stage, "mock", &key), "mock", 2);
        let [own, other] = ["mock", "mock2"].map(|it| listed(&stage, &data(&stage, it, &key)));
        stage.sandbox.run(first, &["session", "list"]).clean();
        for _ in 0..2 {
            assert_eq!(seen(&stage, "crush@mock"), own);
            assert_eq!(seen(&stage, "crush@mock2"), other);
        }
    }
}
