//! A cache that is torn, and a clock that is wrong.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde_json::{Value as Json, json};

use super::{CONFIG, sandbox};
use crate::support::Sandbox;
use crate::support::lists::Lists;

const TWO: &str = r#"{"data": [{"id": "m1", "context_length": 81920}, {"id": "m-two"}]}"#;

/// A sandbox whose `mock` has its list on disk.
fn listed() -> (Sandbox, Lists, PathBuf) {
    let lists = Lists::json(TWO);
    let sandbox = sandbox();
    let url = format!("'http://{}/v1'", lists.address);
    let config = CONFIG.replace("'http://127.0.0.1:9/v1'", &url).replace("    model_api_filters: []\n", "");
    // Of the model, only the list knows anything; and nobody refreshes it in the background.
    let config = config
        .replace("    models: [{id: m1, context_window: 100000}, {id: m2, context_window: 70000}]\n", "");
    sandbox.config(&config);
    sandbox.agent_run(&["models", "list", "mock"]).clean();
    let folder = sandbox.home(".cache/agent-run/models");
    let mut files = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
    let list = files.find(|path| path.extension().is_some_and(|kind| kind == "list")).unwrap();
    (sandbox, lists, list)
}

fn head(bytes: &[u8], change: impl FnOnce(&mut Json)) -> Vec<u8> {
    let text = std::str::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once('\n').unwrap();
    let mut head = serde_json::from_str(head).unwrap();
    change(&mut head);
    format!("{head}\n{body}").into_bytes()
}

#[test]
fn a_torn_list_is_fetched_again_and_stops_no_launch() {
    let (sandbox, lists, list) = listed();
    let good = fs::read(&list).unwrap();
    let mut torn: Vec<Vec<u8>> =
        (0..good.len()).step_by(good.len() / 16).map(|at| good[..at].to_vec()).collect();
    torn.push(vec![0; good.len()]);
    torn.push(b"garbage".repeat(100));
    torn.push([good.as_slice(), b"more"].concat());
    for bytes in [json!(u64::MAX), json!(u64::MAX - 100), json!(0), json!(-1), json!(1e300), json!("x")] {
        torn.push(head(&good, |head| head["bytes"] = bytes));
    }
    for (index, bytes) in torn.iter().enumerate() {
        fs::write(&list, bytes).unwrap();
        let asked = lists.asked().len();
        let shown = sandbox.agent_run(&["models", "list", "mock"]).clean().stdout;
        assert!(shown.starts_with("m1\t81920"), "{index}: {shown}");
        // More than once where the refresher of the launch before is late.
        assert!(lists.asked().len() > asked, "{index}: was not loaded again");
        fs::write(&list, bytes).unwrap();
        sandbox.agent_run(&["models", "complete", "mock", "m"]).clean();
        sandbox.agent_run(&["launch", "mock", "claude"]).clean();
    }
    println!("{} torn lists", torn.len());
}

#[test]
fn a_clock_that_goes_back_or_far_ahead_costs_a_fetch_at_most() {
    let (sandbox, lists, list) = listed();
    let good = fs::read(&list).unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    // From tomorrow, from the end of time, from 1970, and from a time that is none.
    for time in [json!(now + 86_400), json!(u64::MAX), json!(0), json!(-1), json!(1e40)] {
        fs::write(&list, head(&good, |head| head["fetched_at"] = time.clone())).unwrap();
        let asked = lists.asked().len();
        let shown = sandbox.agent_run(&["models", "list", "mock"]).clean().stdout;
        assert!(shown.starts_with("m1\t81920"), "{time}: {shown}");
        assert_eq!(lists.asked().len(), asked + 1, "{time}");
        // What was fetched now is fresh.
        sandbox.agent_run(&["models", "list", "mock"]).clean();
        assert_eq!(lists.asked().len(), asked + 1, "{time}");
    }
    // A failure is minded for a day at most, whatever the clock was when it was written.
    let failed = list.with_extension("failed");
    for until in [json!(now + 7 * 86_400), json!(u64::MAX), json!(0), json!(-1)] {
        fs::write(&list, "").unwrap();
        fs::write(&failed, json!({"message": "no", "until": until}).to_string()).unwrap();
        sandbox.agent_run(&["models", "list", "mock"]).clean();
        assert!(!failed.exists(), "{until}");
    }
}

#[test]
fn files_from_the_future_and_from_1970_are_files_like_any_other() {
    for time in [SystemTime::UNIX_EPOCH, SystemTime::now() + Duration::from_secs(10 * 365 * 86_400)] {
        let sandbox = sandbox();
        super::live_in(&sandbox);
        for agent in super::AGENTS {
            sandbox.agent_run(&["launch", "mock", agent]).exits(0);
        }
        let before = crate::support::tree::Tree::of(&sandbox.home(""));
        let paths: Vec<_> = before.entries().map(|(path, _)| path.to_owned()).collect();
        for path in paths {
            if fs::symlink_metadata(&path).is_ok_and(|there| !there.is_symlink()) {
                fs::File::open(&path).and_then(|file| file.set_modified(time)).unwrap();
            }
        }
        for agent in super::AGENTS {
            sandbox.agent_run(&["launch", "mock", agent]).exits(0);
        }
        before.is_same_as(&crate::support::tree::Tree::of(&sandbox.home("")), "nothing changed but times");
        // A lock from the future is nobody's: the clock went back since it was taken.
        fs::create_dir(sandbox.home(".claude.json.lock")).unwrap();
        fs::File::open(sandbox.home(".claude.json.lock")).and_then(|lock| lock.set_modified(time)).unwrap();
        sandbox.write(&sandbox.home(".claude.json"), "{}");
        sandbox.agent_run(&["launch", "mock", "claude"]).exits(0);
        assert!(!sandbox.home(".claude.json.lock").exists());
    }
}
