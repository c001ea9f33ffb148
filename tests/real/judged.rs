//! The judged lists of `shims/judged/`, which the adapters' tables are made of too.

#[path = "../../shims/judged/read.rs"]
pub mod read;

pub use read::Judgement;
pub use shims::inputs::matches as fits;

/// The list of an agent.
#[track_caller]
pub fn of(agent: &str) -> Vec<Judgement> {
    let path = format!("{}/shims/judged/{agent}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    read::read(&text).unwrap_or_else(|fault| panic!("{path}: {fault}"))
}
