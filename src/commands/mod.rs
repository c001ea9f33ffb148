//! What the commands do, one file a verb.

pub mod canary;
pub mod config;
pub mod demo;
pub mod dry_run;
pub mod launch;
pub mod models;
pub mod shims;
