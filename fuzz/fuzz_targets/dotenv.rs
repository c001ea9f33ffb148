#![no_main]

use shims::dotenv::{Dialect, names};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    agent_run::fuzzing::dotenv(data);
    // Codex reads its file with dotenvy.
    let ours = names(data, Dialect::Lines);
    for (name, _) in dotenvy::from_read_iter(data).flatten() {
        assert!(ours.contains(&name), "{name:?} is set by dotenvy alone");
    }
});
