use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};
use shims::{Agent, coding_agents};

/// Nix makes the symlinks without running the binary, so it has the list in a file.
#[test]
fn nix_knows_what_the_agents_speak() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("nix/agents.json");
    let spoken = |agent: &'static dyn Agent| {
        let protocols: Vec<_> = agent.info().protocols.iter().map(|protocol| protocol.name()).collect();
        (agent.name().to_owned(), json!(protocols))
    };
    let list = Value::Object(coding_agents().map(spoken).collect::<Map<_, _>>());
    let list = serde_json::to_string_pretty(&list).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, &list).unwrap();
    }
    assert_eq!(fs::read_to_string(&file).unwrap_or_default(), list, "UPDATE=1 rewrites it");
}
