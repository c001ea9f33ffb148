//! What must hold of things that nobody wrote down: made-up ones, and those of the fuzz targets' corpus.

#[cfg(target_os = "linux")]
mod case;
mod corpus;
/// A dry run prints what a launch does: made-up configs, words and machines through the real binary.
#[cfg(target_os = "linux")]
mod dry_run;
mod formats;
mod made_up;
#[path = "../../../fuzz/oracles/mod.rs"]
mod oracles;
mod regressions;
