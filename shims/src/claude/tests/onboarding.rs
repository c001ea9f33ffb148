//! The state file: where it is, and what is merged into it.

use std::path::Path;

use super::{Machine, launch, plan, warnings};
use crate::{Edit, Fact, Merge, Message, Value};

fn merged(machine: Machine) -> Option<(String, Vec<Edit>)> {
    let plan = plan(machine);
    let (path, Merge { edits, lock }) = plan.merges.into_iter().next()?;
    assert_eq!(lock, Path::new(&format!("{}.lock", path.display())));
    Some((path.display().to_string(), edits))
}

#[test]
fn the_flag_goes_into_the_file_that_claude_reads() {
    let flag = || vec![Edit::Set("hasCompletedOnboarding", true.into())];
    let at = |path: &str| Some((path.to_owned(), flag()));
    assert_eq!(merged(Machine::bare()), at("/home/u/.claude.json"));
    assert_eq!(merged(Machine::bare().var("CLAUDE_CONFIG_DIR", "/cc")), at("/cc/.claude.json"));
    assert_eq!(merged(Machine::bare().var("CLAUDE_CONFIG_DIR", "cc")), at("/work/cc/.claude.json"));
    assert_eq!(merged(Machine::bare().var("CLAUDE_CONFIG_DIR", "")), at("/home/u/.claude.json"));
    let custom = Machine::bare().var("CLAUDE_CODE_CUSTOM_OAUTH_URL", "https://x");
    assert_eq!(merged(custom), at("/home/u/.claude-custom-oauth.json"));
    let legacy = Machine::onboarded().file("/home/u/.claude/.config.json", "{}");
    assert_eq!(merged(legacy), at("/home/u/.claude/.config.json"));

    let mut elsewhere = launch();
    elsewhere.extra_env.insert("CLAUDE_CONFIG_DIR".to_owned(), Value::from("/mine"));
    let plan = Machine::onboarded().plan(&elsewhere).expect("a plan");
    assert!(plan.merges.contains_key(Path::new("/mine/.claude.json")), "{plan:?}");
}

#[test]
fn only_a_missing_flag_is_merged() {
    let with = |text: &str| merged(Machine::bare().file("/home/u/.claude.json", text)).is_some();
    assert!(!with(r#"{"a": 1, "hasCompletedOnboarding": true}"#));
    assert!(!with("\u{feff}\n {\"hasCompletedOnboarding\": false, \"hasCompletedOnboarding\": true}"));
    assert!(with(r#"{"hasCompletedOnboarding": false}"#), "what /logout leaves");
    assert!(with(r#"{"projects": {"/w": {"hasCompletedOnboarding": true}}}"#));
}

#[test]
fn a_broken_file_is_refused_with_its_place() {
    for (text, place) in [
        ("", ":1:1: the file is empty"),
        (" \n", ":1:1: the file is empty"),
        ("{\"a\":1,", ":1:8: "),
        ("{\n \"a\": nope}", ":2:7: "),
        ("[]", ":1:1: not a JSON object"),
        ("null", ":1:1: not a JSON object"),
    ] {
        let error = Machine::bare().file("/home/u/.claude.json", text).plan(&launch()).expect_err(text);
        let error = Message::of(&error).render();
        assert!(error.starts_with(&format!("/home/u/.claude.json{place}")), "{text:?}: {error}");
        assert!(error.contains("\nhelp: fix the file"), "{error}");
    }
}

/// 2.1.197 would send a login's key in it to the provider.
#[test]
fn a_state_file_that_only_claude_reads_is_refused() {
    let path = "/home/u/.claude.json";
    for fact in [Fact::Stream, Fact::Unreadable(std::io::Error::other("it is larger than 64 MiB").into())] {
        let error = Machine::bare().fact(path, fact).plan(&launch()).expect_err("refused");
        let error = Message::of(&error).render();
        assert!(error.starts_with("could not read /home/u/.claude.json: it is "), "{error}");
        assert!(error.contains("\nhelp: make it a regular file"), "{error}");
    }
}

#[test]
fn a_state_file_that_claude_starts_with_does_not_stop_a_launch() {
    let path = "/home/u/.claude.json";
    for machine in [
        Machine::bare().fact(path, Fact::Dir(Vec::new())),
        Machine::bare()
            .fact(path, Fact::Unreadable(std::io::Error::from(std::io::ErrorKind::PermissionDenied).into())),
        Machine::bare().file(path, b"{\"a\": \"\xff\"}"),
    ] {
        let plan = plan(machine);
        assert!(plan.merges.is_empty());
        assert!(warnings(&plan)[0].contains(path), "{:?}", plan.notes);
    }
}
