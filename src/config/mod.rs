//! The user's one file: its types, and how it is read.
//!
//! Everything that can be wrong with the file is found here, at load, and said with path, line, column
//! and key. What the file means for a launch is decided in `resolve.rs`.

mod load;
mod types;

pub use load::{Loaded, load, parse};
pub use types::{
    Args, BaseUrl, BaseUrls, Codex, Config, Filter, HomeNames, IsolatedHomes, KeySource, ModelEntry,
    Provider, ProxyRule, Secret, Text, TierNames,
};
