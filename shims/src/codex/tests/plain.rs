//! A session of plain Codex, gone on with at a provider.

use super::*;
use crate::KeyText;

const ID: &str = "01a21c5c-34d3-79f1-b788-fff06e0f8a10";

fn planned(launch: &Launch, folders: &[(&str, &str)]) -> Plan {
    let mut machine = machine(&[]);
    for (folder, file) in folders {
        let entry = Entry { name: file.into(), kind: EntryKind::File };
        machine.facts.insert(folder.into(), Fact::Dir(vec![entry]));
    }
    plan(launch, &machine).expect("a plan")
}

fn launch_with(words: &[&str]) -> Launch {
    Launch { args: words.iter().map(Into::into).collect(), ..launch() }
}

#[test]
fn a_session_that_only_plain_codex_has_is_copied_with_our_id() {
    let file = format!("rollout-2026-11-27T09-35-34-{ID}.jsonl");
    let theirs = ("/h/.codex/sessions/2026/11/27", &*file);
    for words in [&["resume", ID][..], &["exec", "resume", ID, "go on"], &["fork", ID]] {
        let plan = planned(&launch_with(words), &[theirs]);
        let [carry] = plan.carry.as_slice() else { panic!("{:?}", plan.carry) };
        assert_eq!(carry.from, Path::new(theirs.0).join(&file));
        assert_eq!(carry.to, Path::new("/s/codex-shared/sessions/2026/11/27").join(&file));
        let id = "agent-run-xxxxxxxx".to_owned();
        let value = |key: &str| KeyText { key: key.to_owned(), was: Vec::new(), text: id.clone() };
        assert_eq!(carry.values, ["model_provider", "model_provider_id"].map(value));
        assert!(warnings(&plan).is_empty());
    }
    // The day where the user was then is another than that of the id.
    let west = planned(&launch_with(&["resume", ID]), &[("/h/.codex/sessions/2026/11/26", &file)]);
    assert_eq!(west.carry.len(), 1);
}

#[test]
fn nothing_is_copied_twice_nor_into_a_home_that_shares_nothing() {
    let file = format!("rollout-2026-11-27T09-35-34-{ID}.jsonl");
    let theirs = ("/h/.codex/sessions/2026/11/27", &*file);
    let ours = ("/s/codex-shared/sessions/2026/11/27", &*file);
    let resumed = launch_with(&["resume", ID]);
    // Whether the one that is there is empty is for the copying to see.
    assert_eq!(planned(&resumed, &[theirs, ours]).carry.len(), 1);
    let elsewhere = format!("rollout-2026-11-27T10-00-00-{ID}.jsonl");
    assert!(planned(&resumed, &[theirs, (ours.0, &elsewhere)]).carry.is_empty());
    let ours_of_another_day = ("/s/codex-shared/sessions/2026/11/28", &*file);
    assert!(planned(&resumed, &[theirs, ours_of_another_day]).carry.is_empty());
    assert!(planned(&Launch { isolated: true, ..resumed.clone() }, &[theirs]).carry.is_empty());
    for words in [&["resume"][..], &["resume", "--last"], &["exec", ID]] {
        assert!(planned(&launch_with(words), &[theirs]).carry.is_empty(), "{words:?}");
    }
    let own = Launch { sessions: Sessions::Own, ..resumed };
    let plan = planned(&own, &[theirs, ours]);
    assert!(plan.carry[0].to.starts_with("/s/codex/p/own/sessions"), "{:?}", plan.carry);
}

#[test]
fn a_packed_session_is_copied_under_the_name_of_an_unpacked_one() {
    let file = format!("rollout-2026-11-27T09-35-34-{ID}.jsonl.zst");
    let plan = planned(&launch_with(&["resume", ID]), &[("/h/.codex/sessions/2026/11/27", &file)]);
    assert!(plan.carry[0].from.ends_with(&file));
    assert!(plan.carry[0].to.ends_with(file.trim_end_matches(".zst")));
    assert!(warnings(&plan).is_empty());
}

#[test]
fn only_the_files_that_codex_reads_are_the_session() {
    let folder = "/h/.codex/sessions/2026/11/27";
    let file = |end: &str| format!("rollout-2026-11-27T09-35-34-{ID}.jsonl{end}");
    let ours = ("/s/codex-shared/sessions/2026/11/27", &*file(".bak"));
    for end in [".bak", ".zst.tmp", ".1"] {
        assert!(planned(&launch_with(&["resume", ID]), &[(folder, &file(end))]).carry.is_empty(), "{end}");
    }
    assert_eq!(planned(&launch_with(&["resume", ID]), &[(folder, &file("")), ours]).carry.len(), 1);
}
