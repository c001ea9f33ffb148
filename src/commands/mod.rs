//! What the commands do, one file a verb.

pub mod canary;
pub mod config;
pub mod demo;
pub mod dry_run;
pub mod env;
pub mod import;
pub mod launch;
pub mod models;
pub mod providers;
pub mod shims;
