//! The judged lists of `shims/judged/`, which the adapters' tables are made of too.

#[path = "../../shims/judged/read.rs"]
pub mod read;

pub use read::Judgement;

/// The list of an agent.
#[track_caller]
pub fn of(agent: &str) -> Vec<Judgement> {
    let path = format!("{}/shims/judged/{agent}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    read::read(&text).unwrap_or_else(|fault| panic!("{path}: {fault}"))
}

/// Whether a name fits: each `*` stands for any text.
pub fn fits(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(after) = name.strip_prefix(start) else { return false };
    (0..=after.len()).filter(|at| after.is_char_boundary(*at)).any(|at| fits(rest, &after[at..]))
}
