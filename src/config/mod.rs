//! The user's one file: its types, and how it is read.
//!
//! Everything that can be wrong with the file is found here, at load, and said with path, line, column
//! and key. What the file means for a launch is decided in `resolve.rs`.

mod append;
mod change;
pub(crate) mod check;
mod file;
pub(crate) mod load;
mod names;
mod problem;
mod read;
mod types;
mod url;
mod values;
mod window;
mod yaml;

#[cfg(test)]
mod tests;

pub use append::{append, change_config, check_writable, could_not_write, is_blank, make_folder};
pub use change::{remove, set_key};
pub use file::none_there;
pub use load::{LintReport, Loaded, Places, lint, load, load_for, load_sound, parse, text};
pub use names::{NAME_HELP, clash, new_name_fault};
pub use problem::{Problem, Problems, dotted};
pub use types::{Args, Config, Filter, HomeNames, KeyCheck, KeySource, Provider, Secret};
pub use url::clean as clean_url;
pub use window::set_window;
pub use yaml::{scalar as yaml_scalar, value as yaml_value};

/// The example that a newcomer starts from: every key once.
pub const DEMO: &str = include_str!("../../config.demo.yaml");

/// The file's JSON Schema (draft 2020-12), for editors. The types decide; a test holds the two together.
pub const SCHEMA: &str = include_str!("schema.json");
