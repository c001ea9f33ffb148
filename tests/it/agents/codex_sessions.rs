//! Sessions of Codex brought to where launches look for them: odd ones, packed ones, and what cannot be read.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::Sandbox;
use crate::support::tree::Tree;

pub const ID: &str = "01a21c5c-34d3-79f1-b788-fff06e0f8a10";

pub fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let provider =
        "protocols: [openai-responses], base_urls: {openai: 'http://127.0.0.1:9/v1'}, default_model: m";
    sandbox.config(&format!("providers:\n  p: {{{provider}}}\n"));
    sandbox.fake_agent("codex");
    sandbox.shim("codex@p");
    sandbox
}

pub fn rollout(end: &str) -> String {
    format!("sessions/2026/11/27/rollout-2026-11-27T09-35-34-{ID}{end}")
}

pub fn state(sandbox: &Sandbox) -> PathBuf {
    sandbox.home(".local/state/agent-run")
}

/// Where a launch finds it.
pub fn copy(sandbox: &Sandbox) -> PathBuf {
    state(sandbox).join("codex-shared").join(rollout(".jsonl"))
}

/// As Codex packs it.
pub fn packed(text: &str) -> Vec<u8> {
    let mut zstd =
        Command::new("zstd").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("zstd is installed");
    zstd.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    zstd.wait_with_output().unwrap().stdout
}

/// The texts of both keys after a launch that names the plain session, which is as given.
fn copied(text: &str) -> String {
    let sandbox = sandbox();
    let plain = sandbox.home(".codex").join(rollout(".jsonl"));
    sandbox.write(&plain, text);
    sandbox.run("codex@p", &["resume", ID]).exits(0);
    assert_eq!(fs::read_to_string(&plain).unwrap(), text, "the original stays");
    let copied = fs::read_to_string(copy(&sandbox)).unwrap();
    let id = copied.split("agent-run-").nth(1).map(|rest| format!("agent-run-{}", &rest[..8]));
    id.map_or(copied.clone(), |id| copied.replace(&id, "ID"))
}

#[test]
fn a_plain_session_is_copied_with_the_launchs_id_however_it_is_written() {
    for (text, wanted) in [
        ("{\"model_provider\": \"openai\", \"n\": 1.10}\n", "{\"model_provider\": \"ID\", \"n\": 1.10}\n"),
        ("{\"model_provider\"\t:\t\"a\\\"b\"}\n", "{\"model_provider\"\t:\t\"ID\"}\n"),
        ("{\"model\\u005fprovider\":\"openai\"}\n", "{\"model\\u005fprovider\":\"ID\"}\n"),
        (
            "{\"a\":{\"model_provider_id\" :\"openai\"},\"b\":[\"model_provider\",\"openai\"]}\n",
            "{\"a\":{\"model_provider_id\" :\"ID\"},\"b\":[\"model_provider\",\"openai\"]}\n",
        ),
        ("{\"model_provider\":null}\n{\"é\":\"\\\\\"}\n", "{\"model_provider\":null}\n{\"é\":\"\\\\\"}\n"),
    ] {
        assert_eq!(copied(text), wanted, "{text}");
    }
}

/// Another Codex may be writing it.
#[test]
fn only_whole_lines_of_a_session_are_copied() {
    let line = "{\"model_provider\":\"openai\"}\n";
    for (end, kept) in [("{\"said\":\"half", ""), ("{\"said\":\"all\"}", "{\"said\":\"all\"}\n"), ("", "")] {
        assert_eq!(
            copied(&format!("{line}{end}")),
            format!("{{\"model_provider\":\"ID\"}}\n{kept}"),
            "{end}"
        );
    }
    // Not even its first line is written: there is nothing yet to go on with.
    let sandbox = sandbox();
    sandbox.write(&sandbox.home(".codex").join(rollout(".jsonl")), "{\"model_prov");
    let ran = sandbox.run("codex@p", &["resume", ID]).exits(0);
    ran.complains(&[&rollout(".jsonl"), "no complete line"]);
    assert!(!copy(&sandbox).exists());
}

/// As when plain Codex has just made the file. An empty copy, of an older version, keeps the id from no other.
#[test]
fn an_empty_session_is_not_copied_and_an_empty_copy_is_replaced() {
    for end in [".jsonl", ".jsonl.zst"] {
        let sandbox = sandbox();
        let plain = sandbox.home(".codex").join(rollout(end));
        sandbox.write(&plain, "");
        let ran = sandbox.run("codex@p", &["exec", "resume", ID, "more"]).exits(0);
        ran.complains(&[&rollout(end), "no complete line", "help:"]);
        assert!(!copy(&sandbox).exists(), "{end}");
        fs::remove_file(&plain).unwrap();
        sandbox.write(&sandbox.home(".codex").join(rollout(".jsonl")), "{\"model_provider\":\"openai\"}\n");
        for empty in [false, true] {
            if empty {
                sandbox.write(&copy(&sandbox), "");
            }
            sandbox.run("codex@p", &["exec", "resume", ID, "more"]).clean();
            assert!(fs::read_to_string(copy(&sandbox)).unwrap().contains("agent-run-"), "{end} {empty}");
        }
        // One that a launch has gone on with stays.
        sandbox.write(&copy(&sandbox), "{\"more\":1}\n");
        sandbox.run("codex@p", &["exec", "resume", ID, "more"]).clean();
        assert_eq!(fs::read_to_string(copy(&sandbox)).unwrap(), "{\"more\":1}\n");
    }
}

#[test]
fn a_plain_session_that_is_a_link_is_copied_from_where_it_leads() {
    let sandbox = sandbox();
    let (plain, elsewhere) = (sandbox.home(".codex").join(rollout(".jsonl")), sandbox.path("disk/session"));
    sandbox.write(&elsewhere, "{\"model_provider\":\"openai\"}\n");
    fs::create_dir_all(plain.parent().unwrap()).unwrap();
    symlink(&elsewhere, &plain).unwrap();
    sandbox.run("codex@p", &["exec", "resume", ID, "more"]).exits(0);
    let there = fs::symlink_metadata(copy(&sandbox)).unwrap();
    assert!(there.is_file());
    assert!(fs::read_to_string(copy(&sandbox)).unwrap().contains("agent-run-"));
    // A broken link is none.
    fs::remove_file(copy(&sandbox)).unwrap();
    fs::remove_file(elsewhere).unwrap();
    sandbox.run("codex@p", &["exec", "resume", ID, "more"]).exits(0);
    assert!(!copy(&sandbox).exists());
}

#[test]
fn words_that_go_on_with_nothing_copy_nothing() {
    let sandbox = sandbox();
    sandbox.write(&sandbox.home(".codex").join(rollout(".jsonl")), "{}\n");
    for words in [
        &["resume", ID, "--help"][..],
        &["exec", "resume", "-h", ID],
        &["fork", "--version", ID],
        &["exec", "resume", "--last", ID],
        &["mcp", "add", "resume", "--", ID],
    ] {
        sandbox.run("codex@p", words).exits(0);
        assert!(!copy(&sandbox).exists(), "{words:?}");
    }
    sandbox.run("codex@p", &["resume", ID, "what is --help?"]).exits(0);
    assert!(copy(&sandbox).exists());
}

/// Codex packs sessions that nobody went on with for long.
#[test]
#[cfg_attr(not(feature = "system-tools"), ignore = "needs zstd, --features system-tools")]
pub fn packed_sessions_are_unpacked_with_the_launchs_id() {
    let text = "{\"model_provider\":\"agent-run\"}\n{\"said\":\"é\"}\n";
    for old in [".codex", ".local/state/agent-run/codex/p"] {
        let sandbox = sandbox();
        let from = sandbox.home(old).join(rollout(".jsonl.zst"));
        sandbox.write(&from, packed(text));
        let before = Tree::of(&sandbox.home(old));
        sandbox.run("codex@p", &["resume", ID]).exits(0);
        let copied = fs::read_to_string(copy(&sandbox)).unwrap();
        assert!(copied.starts_with("{\"model_provider\":\"agent-run-"), "{copied}");
        assert!(copied.ends_with("\"}\n{\"said\":\"é\"}\n"), "{copied}");
        assert!(!copy(&sandbox).with_extension("jsonl.zst").exists());
        before.is_unharmed(&sandbox.home(old));
    }
}
