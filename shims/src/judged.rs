//! The tables that `build.rs` makes of the lists in `shims/judged/`: what of an agent's own names a launch removes,
//! leaves alone or replaces. A new name is judged there, with its reason.
#![allow(dead_code, missing_docs, reason = "each list has all tables, and a name says what is in one")]

/// The tables of Claude Code.
pub mod claude {
    include!(concat!(env!("OUT_DIR"), "/claude.rs"));
}

/// The tables of Codex.
pub mod codex {
    include!(concat!(env!("OUT_DIR"), "/codex.rs"));
}

/// The tables of Crush.
pub mod crush {
    include!(concat!(env!("OUT_DIR"), "/crush.rs"));
}

/// The tables of Hermes Agent.
pub mod hermes {
    include!(concat!(env!("OUT_DIR"), "/hermes.rs"));
}

#[cfg(test)]
#[path = "../judged/read.rs"]
mod read;

#[cfg(test)]
mod tests {
    use super::read::read;

    #[test]
    fn a_text_that_no_launch_would_look_for_is_no_judgement() {
        for action in ["text", "text-above"] {
            let row = |name: &str| format!("place | {name} | other | {action} | 1.0 | text for the model");
            assert!(read(&row("**/AGENTS.md")).is_ok());
            assert!(read(&row("{project}/AGENTS.md")).is_err_and(|error| error.contains("in any folder")));
        }
    }
}
