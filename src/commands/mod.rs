//! What the commands do, one file a verb.

pub mod canary;
mod choices;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod dry_run;
pub mod env;
pub mod import;
pub mod launch;
pub mod man;
pub mod models;
mod overruled;
pub mod providers;
pub mod shims;
mod target;
pub mod trial;
pub mod why;
