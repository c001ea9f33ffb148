//! Standard output, for commands that print.

use std::io::{self, BufWriter, ErrorKind, StdoutLock, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::Serialize;

use super::screen::Screen;
use crate::ui::sanitize::SanitizingWriter;

type Stdout = BufWriter<StdoutLock<'static>>;

/// Lets `print` write text to stdout, buffered, and nothing in it drives the terminal. A reader that left early
/// (`| head`) has what it wanted.
pub fn write(print: impl FnOnce(&mut SanitizingWriter<&mut Stdout>) -> io::Result<()>) -> Result<ExitCode> {
    exact(|out| print(&mut SanitizingWriter::new(out)))
}

/// As [`write()`], for text that people read: on a terminal its lines are broken between words, see [`Screen::text`].
pub fn people(print: impl FnOnce(&mut SanitizingWriter<&mut Vec<u8>>) -> io::Result<()>) -> Result<ExitCode> {
    let screen = Screen::stdout();
    exact(|out| {
        let mut text = Vec::new();
        print(&mut SanitizingWriter::new(&mut text))?;
        out.write_all(screen.text(&String::from_utf8_lossy(&text)).as_bytes())
    })
}

/// Prints text that was made safe already, and broken into lines where that is wanted.
pub fn whole(text: &str) -> Result<ExitCode> {
    exact(|out| out.write_all(text.as_bytes()))
}

/// Prints a value as JSON, indented.
pub fn json(value: &impl Serialize) -> Result<ExitCode> {
    write(|out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        writeln!(out)
    })
}

/// As [`write()`], byte for byte: for what a shell evaluates, and for text that was made safe already.
pub fn exact(print: impl FnOnce(&mut Stdout) -> io::Result<()>) -> Result<ExitCode> {
    let mut out = BufWriter::new(io::stdout().lock());
    match print(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        written => written.context("could not write to stdout").map(|()| ExitCode::SUCCESS),
    }
}
