use std::fs;

use super::{Stage, chosen, turns};
use crate::support::run;

#[test]
fn case_05_and_06_sessions_go_on_across_launches_and_without_the_cache() {
    let Some(stage) = Stage::set() else { return };
    let b = stage.b.url("/v1");
    let own = format!(
        "model: {{default: b-model, provider: custom, base_url: '{b}', api_key: sk-mine, context_length: 99000}}\n"
    );
    stage.sandbox.write(&stage.sandbox.home(".hermes/config.yaml"), own);
    let native = run(stage.sandbox.command("hermes").args(["chat", "-Q", "-q", "first"])).exits(0);
    let id = native.stderr.lines().find_map(|line| line.strip_prefix("session_id: ")).expect("a session id");
    assert_eq!(stage.b.posts().len(), 1);

    stage.run(&["chat", "-Q", "--resume", id, "-q", "second"]).exits(0);
    stage.run(&["chat", "-Q", "-c", "-q", "third"]).exits(0);
    let listed = run(stage.sandbox.command("hermes").args(["sessions", "list"])).exits(0).stdout;
    assert!(listed.contains(id), "{listed}");

    fs::remove_dir_all(stage.sandbox.home(".cache/agent-run")).unwrap();
    stage.run(&["chat", "-Q", "-c", "-q", "fourth"]).exits(0);
    let posts = stage.a.posts();
    posts.iter().for_each(chosen);
    assert_eq!(posts.iter().map(turns).collect::<Vec<_>>(), [3, 5, 7]);
    assert_eq!(stage.b.posts().len(), 1);
}

#[test]
fn case_07_a_profile_is_the_home_that_is_mirrored() {
    let Some(stage) = Stage::set() else { return };
    let profile = stage.sandbox.home(".hermes/profiles/coder");
    stage.sandbox.write(&profile.join("config.yaml"), "display: {skin: default}\n");
    stage.sandbox.write(&stage.sandbox.home(".hermes/active_profile"), "other\n");
    stage.run(&["-p", "coder", "-z", "hi"]).exits(0);
    stage.was_asked_once();
    assert!(profile.join("state.db").exists());
    assert!(!stage.sandbox.home(".hermes/state.db").exists());

    let ran = stage.run(&["-p", "nope", "-z", "hi"]).exits(125);
    ran.complains(&["`nope`", "\nhelp: "]);
    stage.run(&["-z", "hi"]).exits(125).complains(&["`other`"]);
    stage.was_asked_once();

    fs::write(stage.sandbox.home(".hermes/active_profile"), "coder\n").unwrap();
    stage.run(&["-z", "hi"]).exits(0);
    assert_eq!(stage.a.posts().len(), 2);
    assert!(!stage.sandbox.home(".hermes/state.db").exists());
}

#[test]
fn case_13_six_first_launches_at_once_each_with_its_own_key() {
    let Some(stage) = Stage::set() else { return };
    let children: Vec<_> = (1..=6)
        .map(|n| {
            let prompt = format!("par{n}");
            let mut command = stage.command(&["-z", &prompt]);
            command.env("LOCAL_KEY", format!("key-{n}"));
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "PONG-FROM-MOCK\n", "{output:?}");
    }
    let posts = stage.a.posts();
    let mut seen: Vec<_> = posts
        .iter()
        .map(|post| {
            format!("{} {}", post["headers"]["authorization"].as_str().unwrap(), super::last_words(post))
        })
        .collect();
    seen.sort();
    let wanted: Vec<_> = (1..=6).map(|n| format!("Bearer key-{n} \"par{n}\"")).collect();
    assert_eq!(seen, wanted);

    let state = stage.sandbox.home(".hermes/state.db").display().to_string();
    let ask = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); \
        print(db.execute('pragma integrity_check').fetchone()[0], db.execute('select count(*) from sessions').fetchone()[0])";
    let said = run(stage.sandbox.command("python").args(["-c", ask, &state])).exits(0).stdout;
    assert_eq!(said, "ok 6\n");
}
