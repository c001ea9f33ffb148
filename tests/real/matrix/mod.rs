//! Routing, as a matrix: every agent × everything that could turn a launch elsewhere.
//!
//! A case is one test with a machine of its own, on a network where a sink plays every other host. Its
//! function plants the hijack, and launches if one plain launch is not what it is about. Then it is judged
//! the same way everywhere ([`machine::Machine::judge`]): the chosen provider alone saw requests, with the
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
/// The machine of a case, and how it is judged.
mod machine;
/// What is looked for.
pub mod needles;
/// A launch by one agent's tool within a launch of another's.
mod nested;
/// Traffic of the agents' own, within TLS.
mod own_traffic;

use crate::support::{net, real};
pub use machine::{Machine, Subject};

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

/// Runs one case.
#[track_caller]
pub fn case(subject: &'static Subject, plant: fn(&mut Machine)) {
    if real::sandbox(subject.agent).is_none() || !net::is_inside() {
        return;
    }
    let mut machine = Machine::set(subject);
    plant(&mut machine);
    if machine.launches() == 0 {
        machine.asks(subject.words);
    }
    machine.judge();
}

/// A test for each case of an agent, with an attribute for all of them.
macro_rules! cases {
    (@ $attribute:meta, $subject:expr, $($name:ident)*) => {
        $(#[test]
        #[$attribute]
        fn $name() {
            $crate::matrix::case(&$subject, plant::$name);
        })*
    };
    ([$attribute:meta] $subject:expr, $($name:ident)*) => {
        $($crate::matrix::cases! { @ $attribute, $subject, $name })*
    };
    ($subject:expr, $($name:ident)*) => {
        $(#[test]
        fn $name() {
            $crate::matrix::case(&$subject, plant::$name);
        })*
    };
}
use cases;
