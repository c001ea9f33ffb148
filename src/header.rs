//! What the value of a request header may be, once its variables are filled in: the same for every agent.
//!
//! Claude Code sends what follows a line break as a header of its own, Codex drops the whole header and says nothing
//! (seen in 2.1.332 and 0.171.0).

use shims::{Part, Value};

use crate::env::Environment;

/// What is wrong with a value that would be sent.
pub fn fault(value: &[u8]) -> Option<&'static str> {
    if value.iter().any(u8::is_ascii_control) {
        Some("a line break or another control character")
    } else if !value.is_ascii() {
        Some("a character that is not ASCII")
    } else if value.trim_ascii() != value {
        Some("a blank at its beginning or end")
    } else {
        None
    }
}

/// The sentence for a value with a fault, and what to do.
pub fn complaint(name: &str, fault: &str) -> String {
    format!(
        "the value of headers.{name} has {fault} once its variables are filled in\n\
         help: a header's value is one line of plain ASCII; look at its variables with `printf %s \"$NAME\" | od -c`"
    )
}

/// What is wrong with a planned value, as far as this process knows it: the key is judged where it comes from.
pub fn fault_of(value: &Value, env: &Environment) -> Option<&'static str> {
    let mut text = Vec::new();
    for part in value.parts() {
        match part {
            Part::Text(plain) => text.extend(plain.as_encoded_bytes()),
            Part::Key => text.push(b'k'),
            Part::Env(name) => text.extend(env.var(name).unwrap_or_default().as_encoded_bytes()),
        }
    }
    fault(&text)
}
