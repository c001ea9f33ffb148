//! One session at two providers at once.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;

use serde_json::Value as Json;

use super::sessions::{rollouts, session_id};
use super::terminal::Terminal;
use super::{Stage, lines};

/// The only session's records, each a whole line and with a number of its own.
#[track_caller]
fn records(stage: &Stage) -> Vec<Json> {
    let files = rollouts(&stage.state().join("sessions"));
    assert_eq!(files.len(), 1, "{files:?}");
    let text = fs::read_to_string(&files[0]).unwrap();
    let records: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let numbers: BTreeSet<_> = records.iter().filter_map(|record| record["ordinal"].as_u64()).collect();
    assert_eq!(numbers.len(), records.len(), "{text}");
    records
}

#[test]
fn a_session_that_is_open_at_one_provider_is_not_written_by_another() {
    let Some(stage) = Stage::set() else { return };
    let Some(terminal) = Terminal::start(&stage, "codex@p") else { return };
    terminal.trust();
    terminal.say("one");
    terminal.0.wait_for("PONG-FROM-MOCK");
    let files = rollouts(&stage.state().join("sessions"));
    let id =
        &files[0][files[0].len() - "01234567-0123-0123-0123-0123456789ab.jsonl".len()..files[0].len() - 6];
    let refused = stage.run("codex@q", &["exec", "resume", id, "two"]).exits(1);
    refused.complains(&["already has an active writer"]);
    assert!(stage.b.posts().is_empty());
    terminal.say("three");
    assert_eq!(lines(&stage.a.wait_for_turn(2)).last().unwrap(), "user: three");
    terminal.0.wait_until("an answer", |screen| screen.matches("PONG-FROM-MOCK").count() == 2);
    terminal.quit();
    records(&stage);
    stage.run("codex@q", &["exec", "resume", id, "four"]).exits(0);
    let said = lines(&stage.b.wait_for_turn(1));
    assert_eq!([&*said[0], &*said[2], &*said[4]], ["user: one", "user: three", "user: four"]);
}

#[test]
fn one_session_resumed_at_two_providers_at_once_is_whole() {
    let Some(stage) = Stage::set() else { return };
    let first = stage.run("codex@p", &["exec", "one"]).exits(0);
    let id = session_id(&first.stderr);
    let mut taken = 1;
    for round in 0..4 {
        let start = |shim: &str| {
            let prompt = format!("{shim} in round {round}");
            let mut command = stage.command(shim, &["exec", "resume", id, &prompt]);
            (prompt, command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        };
        let mut done = 0;
        for (prompt, child) in [start("codex@p"), start("codex@q")] {
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let is_kept = records(&stage).iter().any(|record| record.to_string().contains(&prompt));
            assert_eq!(output.status.success(), is_kept, "{said}");
            assert!(is_kept || said.contains("already has an active writer"), "{said}");
            done += usize::from(is_kept);
        }
        assert!(done > 0, "one of the two had it");
        taken += done;
    }
    stage.run("codex@q", &["exec", "resume", id, "last"]).exits(0);
    let said = lines(stage.b.posts().last().unwrap());
    assert_eq!(said.iter().filter(|line| line.starts_with("user: ")).count(), taken + 1, "{said:?}");
}
