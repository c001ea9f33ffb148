//! What the commands do, one file a verb.

use std::panic::resume_unwind;

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

/// What `run` gives for each of the items and its index, all of them at once.
fn at_once<T: Sync, R: Send>(items: &[T], run: impl Fn(usize, &T) -> R + Sync) -> Vec<R> {
    std::thread::scope(|scope| {
        let run = &run;
        let start = |(at, item)| scope.spawn(move || run(at, item));
        let threads: Vec<_> = items.iter().enumerate().map(start).collect();
        let end = |ended: std::thread::Result<R>| ended.unwrap_or_else(|panic| resume_unwind(panic));
        threads.into_iter().map(|thread| end(thread.join())).collect()
    })
}
