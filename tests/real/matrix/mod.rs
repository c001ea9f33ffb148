//! Routing, as a matrix: every agent × everything that could turn a launch elsewhere.
//!
//! A cell is one test with a machine of its own, on a network where a sink plays every other host. Its
//! function plants the hijack, and launches if one plain launch is not what it is about. Then it is judged
//! the same way everywhere ([`scene::Scene::judge`]): the chosen provider alone saw requests, with the
//! right key and model.

/// Claude Code's settings, policies and modes.
mod claude;
/// Codex's.
mod codex;
/// Core files.
mod cores;
/// Crush's.
mod crush;
/// Hermes Agent's.
mod hermes;
/// Variables to plant.
mod hostile;
/// Where the key is looked for.
mod leaks;
/// What is looked for.
pub mod needles;
/// A launch by one agent's tool within a launch of another's.
mod nested;
/// Traffic of the agents' own, within TLS.
mod own_traffic;
/// The machine of a cell, and how it is judged.
mod scene;

use crate::support::{net, real};
pub use scene::{Scene, Subject};

/// The key of the chosen provider: long enough that Claude Code's approval holds only its end.
pub const KEY: &str = "sk-planted-7Hq2vX9mKp4RwT6yBn3sLd8f";

/// What every planted setting has for a key. The chosen provider must not see it either.
pub const STRAY: &str = "sk-stray-0123456789-KLMNOPQRSTUVWXYZ";

/// Where every planted setting leads.
pub const HIJACK: &str = "http://hijack.example";

/// A collector of telemetry that the user chose.
pub const COLLECTOR: &str = "http://collector.example:4318";

/// A proxy that nobody chose.
pub const PROXY: &str = "http://proxy.example:3128";

/// Runs one cell.
#[track_caller]
pub fn cell(subject: &'static Subject, plant: fn(&mut Scene)) {
    if real::sandbox(subject.agent).is_none() || !net::is_inside() {
        return;
    }
    let mut scene = Scene::set(subject);
    plant(&mut scene);
    if scene.launches() == 0 {
        scene.asks(subject.words);
    }
    scene.judge();
}

/// A test for each cell of an agent, with an attribute for all of them.
macro_rules! cells {
    (@ $attribute:meta, $subject:expr, $($name:ident)*) => {
        $(#[test]
        #[$attribute]
        fn $name() {
            $crate::matrix::cell(&$subject, plant::$name);
        })*
    };
    ([$attribute:meta] $subject:expr, $($name:ident)*) => {
        $($crate::matrix::cells! { @ $attribute, $subject, $name })*
    };
    ($subject:expr, $($name:ident)*) => {
        $(#[test]
        fn $name() {
            $crate::matrix::cell(&$subject, plant::$name);
        })*
    };
}
use cells;
