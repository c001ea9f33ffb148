//! One line a provider on stderr while lists are loaded, gone when they are there. Only on a terminal.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;

use crate::ui::sanitize::escaped;

/// The lines; shared by the threads that load.
pub struct Progress {
    lines: Mutex<Vec<String>>,
    shown: bool,
}

impl Progress {
    /// Shows a line for each name, if there is something to wait for and somebody to watch.
    pub fn start(names: &[&str], waits: bool) -> Self {
        let lines: Vec<_> = names.iter().map(|name| format!("{}: loading", escaped(name))).collect();
        let progress = Self { shown: waits && std::io::stderr().is_terminal(), lines: Mutex::new(lines) };
        progress.print(&"\n".repeat(names.len()));
        progress.update(|_| {});
        progress
    }

    /// Says how one of them stands.
    pub fn set(&self, index: usize, state: &str) {
        self.update(|lines| lines[index] = escaped(state).into_owned());
    }

    fn update(&self, change: impl FnOnce(&mut Vec<String>)) {
        let Ok(mut lines) = self.lines.lock() else { return };
        change(&mut lines);
        let above = lines.len();
        self.print(&format!("\x1b[{above}A\r\x1b[K{}\n", lines.join("\n\r\x1b[K")));
    }

    fn print(&self, text: &str) {
        if self.shown {
            _ = std::io::stderr().lock().write_all(text.as_bytes());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let count = self.lines.lock().map_or(0, |lines| lines.len());
        // Up to the first line, and everything below is cleared.
        self.print(&format!("\x1b[{count}A\r\x1b[J"));
    }
}
