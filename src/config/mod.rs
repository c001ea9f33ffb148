//! The user's one file: its types, and how it is read.
//!
//! Everything that can be wrong with the file is found here, at load, and said with path, line, column
//! and key. What the file means for a launch is decided in `resolve.rs`.

mod check;
mod load;
mod names;
mod problem;
mod read;
mod types;
mod url;
mod values;
mod yaml;

#[cfg(test)]
mod tests;

pub use load::{Loaded, load, parse};
pub use problem::Problems;
pub use types::{Args, Config, Filter, HomeNames, KeySource, ModelEntry, Provider, Secret};

/// The example that a newcomer starts from: every key once.
pub const DEMO: &str = include_str!("../../config.demo.yaml");
