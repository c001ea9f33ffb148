//! One line for each thing that is waited for, on stderr, gone when all of them are there. Only on a terminal.
//!
//! Not by indicatif: it estimates how long something will take, which asks for `pow` of the C library (seen in
//! 0.18.6). For that the default build loads libm at every start, which is 10 system calls and some 55 µs of each
//! launch, although hardly one shows progress.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use console::{Term, truncate_str};

use super::sanitize::escaped;
use super::screen::Screen;

/// Whether lines are on the terminal, which others would tear apart.
static IS_SHOWN: AtomicBool = AtomicBool::new(false);

/// The lines; shared by the threads that load.
pub struct Progress {
    lines: Mutex<Vec<String>>,
    /// The terminal, if there is something to wait for and somebody to watch.
    terminal: Option<Term>,
}

impl Progress {
    /// Shows a line for each name, if there `is_waiting`, and stderr is a terminal that can move its cursor and holds them
    /// all. One called `dumb` cannot, and who asks for no colours by `NO_COLOR` mostly wants no other sequences.
    pub fn start(names: &[&str], is_waiting: bool) -> Self {
        Self::with(names, "loading", is_waiting)
    }

    /// As [`Progress::start`], with how all of them stand first.
    pub fn with(names: &[&str], state: &str, is_waiting: bool) -> Self {
        let lines: Vec<_> = names.iter().map(|name| format!("{}: {state}", escaped(name))).collect();
        let is_fit =
            |terminal: &Term| Screen::stderr().has_colour() && names.len() < usize::from(terminal.size().0);
        let terminal = is_waiting.then(Term::buffered_stderr).filter(is_fit);
        IS_SHOWN.store(terminal.is_some(), Ordering::Relaxed);
        let progress = Self { lines: Mutex::new(lines), terminal };
        progress.update(|_| 0);
        progress
    }

    /// Whether lines are on the terminal.
    pub fn is_any_shown() -> bool {
        IS_SHOWN.load(Ordering::Relaxed)
    }

    /// Whether anybody sees it.
    pub fn is_shown(&self) -> bool {
        self.terminal.is_some()
    }

    /// Says how one of them stands.
    pub fn set(&self, index: usize, state: &str) {
        self.update(|lines| {
            lines[index] = escaped(state).into_owned();
            lines.len()
        });
    }

    /// Draws the lines after a change, which says how many of them are on the terminal.
    fn update(&self, change: impl FnOnce(&mut Vec<String>) -> usize) {
        let (Ok(mut lines), Some(terminal)) = (self.lines.lock(), &self.terminal) else { return };
        let above = change(&mut lines);
        // A line that went on in a second one would be left behind when they are cleared.
        let width = usize::from(terminal.size().1);
        let text: Vec<_> = lines.iter().map(|line| truncate_str(line, width, "…")).collect();
        // A terminal that is gone shows nothing.
        _ = terminal.clear_last_lines(above);
        _ = terminal.write_line(&text.join("\n"));
        _ = terminal.flush();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let (Ok(lines), Some(terminal)) = (self.lines.lock(), &self.terminal) {
            _ = terminal.clear_last_lines(lines.len());
            _ = terminal.flush();
        }
        IS_SHOWN.store(false, Ordering::Relaxed);
    }
}
