use std::fs;

use super::{Stage, turns};
use crate::support::tree::{Tree, files_holding};

#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn a_probe_is_well_in_an_empty_home_and_in_a_used_one() {
    let Some(stage) = Stage::new() else { return };
    for used in [false, true] {
        if used {
            stage.pongs();
            let settings = r#"{"providers": {"openai": {"api_key": "sk-own"}}, "options": {"debug": false}}"#;
            stage.sandbox.write(&stage.sandbox.home(".config/crush/crush.json"), settings);
        }
        let before = Tree::of(&stage.sandbox.home(""));
        let ran = stage.sandbox.agent_run(&["doctor", "--probe=launches", "mock", "crush"]).clean();
        for part in
            ["host      127.0.0.1:", "model     mock-model", "PONG-FROM-MOCK", "No other key was sent"]
        {
            assert!(ran.stdout.contains(part), "no {part} in:\n{}", ran.stdout);
        }
        before.is_unharmed(&stage.sandbox.home(""));
    }
    assert_eq!(files_holding(&stage.sandbox.home(""), "sk-e2e"), Vec::<std::path::PathBuf>::new());
}

#[test]
#[cfg_attr(
    not(feature = "real-crush"),
    ignore = "needs crush: tests/agents/install crush, then --features real-crush"
)]
fn no_server_is_left_behind_with_the_key() {
    let Some(stage) = Stage::new() else { return };
    for words in [&["logout"][..], &["server"], &["-d", "signout", "hyper"]] {
        stage.sandbox.run("crush@mock", words).exits(125).complains(&["server", "\nhelp: "]);
    }
    // It would write to the user's own data, which no variable of a launch moves.
    let ran = stage.sandbox.run("crush@mock", &["-d", "update-providers", "embedded"]).exits(125);
    ran.complains(&[
        "your own list of providers",
        "\nhelp: run plain `crush update-providers`, without agent-run",
    ]);
    assert!(!stage.sandbox.home(".local/share/crush/providers.json").exists());
    let sockets = fs::read_dir(stage.sandbox.path("tmp")).unwrap();
    assert!(!sockets.flatten().any(|entry| entry.path().extension().is_some_and(|ext| ext == "sock")));
    assert!(turns(&stage.mock).is_empty());
}
