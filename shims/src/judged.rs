//! The tables that `build.rs` makes of the lists in `shims/judged/`: what of an agent's own names a launch removes,
//! leaves alone or replaces. A new name is judged there, with its reason.

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
