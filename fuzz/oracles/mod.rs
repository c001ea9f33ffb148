//! What must hold whatever bytes are read: one function a fuzz target, for `fuzz/` and for `cargo test` alike.
//!
//! Each takes any bytes, panics when a promise is broken, and tells whether the input was taken rather than
//! refused, so that a test can see that it tested something. What lies in `shims` is reached through its
//! public functions, the plan; what is private to a module has its function there. Nothing here touches the
//! machine, and nothing of it is in the program.

mod catalog;
mod claude;
mod codex;
mod config;
mod crush;
mod dotenv;
mod hermes;
mod json;
pub mod machine;
mod words;

pub use catalog::{cache_file, filters, model_list};
pub use claude::claude_json;
pub use codex::codex_toml;
pub use config::config;
pub use crush::crush_json;
pub use dotenv::dotenv;
pub use hermes::hermes_yaml;
pub use json::json;
pub use words::{opts, shim_name, template};

/// What must hold of any bytes; tells whether they were taken.
pub type Target = fn(&[u8]) -> bool;

/// Every target, by the name of its file in `fuzz/fuzz_targets` and of its folder in `fuzz/corpus`.
pub const TARGETS: [(&str, Target); 13] = [
    ("cache_file", cache_file),
    ("claude_json", claude_json),
    ("codex_toml", codex_toml),
    ("config", config),
    ("crush_json", crush_json),
    ("dotenv", dotenv),
    ("filters", filters),
    ("hermes_yaml", hermes_yaml),
    ("json", json),
    ("model_list", model_list),
    ("opts", opts),
    ("shim_name", shim_name),
    ("template", template),
];

/// A key that seeds and dictionaries hold: longer than any name, so that no message may show it.
pub const PLANTED_KEY: &str = "sk-planted-0123456789abcdefghijklmnopqrstuvwxyz";

/// What divides an input into several files: a line of its own.
const DIVIDER: &[u8] = b"\n%%\n";

/// The files that an input stands for.
pub fn files(data: &[u8]) -> Vec<&[u8]> {
    let mut files = Vec::new();
    let mut rest = data;
    while let Some(at) = rest.windows(DIVIDER.len()).position(|window| window == DIVIDER) {
        files.push(&rest[..at]);
        rest = &rest[at + DIVIDER.len()..];
    }
    files.push(rest);
    files
}

/// Whether the bytes hold the text.
pub fn holds(data: &[u8], text: &str) -> bool {
    data.windows(text.len()).any(|window| window == text.as_bytes())
}
