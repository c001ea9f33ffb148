//! The reader of the agents' JSON files, held against `serde_json`, which is stricter.

use serde_json::Value as Json;
use shims::json::{Dialect, parse};

/// Any bytes as a JSON file of Claude Code or Crush.
pub fn json(data: &[u8]) -> bool {
    let (javascript, go) = (parse(data, Dialect::JavaScript), parse(data, Dialect::Go));
    // What is read here and not by the agent would only be refused too often. The reverse hides a file.
    if let Ok(strict) = serde_json::from_slice::<Json>(data) {
        assert_eq!(javascript.as_ref(), Ok(&strict), "not what serde_json reads");
        assert_eq!(go.as_ref(), Ok(&strict), "not what serde_json reads");
    }
    match (&go, &javascript) {
        // They differ in how many U+FFFD a character becomes that is cut off.
        (Ok(go), Ok(javascript)) => {
            assert!(go == javascript || std::str::from_utf8(data).is_err(), "{go} {javascript}");
        }
        (Ok(_), Err(fault)) => panic!("JavaScript reads all that Go reads, but {fault}"),
        (Err(fault), _) => {
            let lines = data.split(|byte| *byte == b'\n').count();
            assert!(fault.line >= 1 && fault.line <= lines && fault.column >= 1, "{fault} is no place");
        }
    }
    go.is_ok()
}
