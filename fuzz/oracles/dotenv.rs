//! The readers of the agents' dotenv files, held against each other.

use shims::dotenv::{DotenvDialect, names};
use shims::hermes_variables;

/// Any bytes as the `.env` of Codex, Crush or Hermes.
pub fn dotenv(data: &[u8]) -> bool {
    let words = hermes_variables::words(data);
    let lines = names(data, DotenvDialect::Lines);
    let go = names(data, DotenvDialect::Go);
    for name in lines.iter().chain(&go) {
        assert!(!name.is_empty() && !name.contains(['\n', '=', '#']), "{name:?} is no name");
    }
    // Codex reads its file with dotenvy, which takes `export = 1` for a variable of that name.
    for (name, _) in dotenvy::from_read_iter(data).flatten().filter(|(name, _)| name != "export") {
        assert!(lines.contains(&name), "{name:?} is set by dotenvy alone");
    }
    // Hermes takes every word outside of comments for a name that may be set.
    let is_word = |name: &&String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    for name in lines.iter().filter(is_word) {
        assert!(words.contains(name), "{name:?} is set for one agent and unknown to another");
    }
    // What stands before does not hide what comes after.
    let before = [b"BEFORE=1\n", data].concat();
    assert_eq!(names(&before, DotenvDialect::Lines).first().map(String::as_str), Some("BEFORE"));
    let after = [data, b"\nAFTER=1\n"].concat();
    assert!(names(&after, DotenvDialect::Lines).iter().any(|name| name == "AFTER"), "a line was lost");
    assert!(names(&after, DotenvDialect::Go).iter().any(|name| name == "AFTER"), "a line was lost");
    !lines.is_empty()
}
