//! The variables that could redirect Claude Code, choose its model or carry another login, as families.
//!
//! A list of names would miss what the next version adds: of the 1,380 names in the schema of 2.1.332, 643 were new
//! since 2.1.197. The same families guard the `env` of settings files.

pub use crate::judged::claude::{
    VARIABLE_PINNED as PINNED, VARIABLE_REMOVED as FAMILY, VARIABLE_SPARED as SPARED,
};

use crate::inputs::matches;
use crate::judged::claude::VARIABLE_HELD as HELD;

/// Whether the variable could redirect Claude Code, choose its model or carry another login.
pub fn is_family(name: &str) -> bool {
    super::INFO.removes(name)
}

/// Whether the variable yields to the environment once the provider is managed by the host.
pub fn is_held(name: &str) -> bool {
    HELD.iter().any(|pattern| matches(pattern, name))
}
