//! One file for each verb of the command line: what it does, once its words are parsed.

pub mod config;
