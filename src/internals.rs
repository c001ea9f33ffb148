//! What the oracles in `fuzz/oracles` ask of the program, beside what `shims` gives to everyone. They run outside of
//! it, in the fuzz targets and in `tests/it/properties`; so do the tests that make the manual. Nothing here is promised
//! to anybody else.

use clap::CommandFactory;

pub use crate::catalog::cache::{CachedList, Completeness, Header, RankedRecord};
pub use crate::catalog::fetch::pages;
pub use crate::catalog::normalize::{MAX_ROWS, ModelList, error_text};
pub use crate::catalog::record::ModelRecord;
pub use crate::config::check::findings;
pub use crate::config::load::parse_for;
pub use crate::config::{Config, Filter, Loaded, SCHEMA, append, parse, yaml_value};
pub use crate::dispatch::shim_name;
pub use crate::env::Environment;
pub use crate::launch::apply::command;
pub use crate::launch::json_merge::merged;
pub use crate::ui::sanitize::is_unsafe_to_print;

/// Every command and option, as `--help` prints them.
pub fn command_line() -> clap::Command {
    let mut root = crate::cli::Cli::command();
    root.build();
    root
}

/// The order and the choice of a list's models.
pub mod filter {
    pub use crate::catalog::filter::{apply, fingerprint, natural};
}
