//! What the commands do, one file a verb.

pub mod config;
pub mod demo;
pub mod doctor;
pub mod env;
pub mod help;
pub mod import;
pub mod key;
pub mod launch;
pub mod mock_provider;
pub mod models;
pub mod providers;
pub mod shims;
mod target;
pub mod why;
