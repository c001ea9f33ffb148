//! Standard output, for commands that print.

use std::io::{self, BufWriter, ErrorKind, StdoutLock, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};

/// Lets `print` write to stdout, buffered. A reader that left early (`| head`) has what it wanted.
///
/// # Errors
/// When stdout cannot be written for any other reason.
pub fn write(print: impl FnOnce(&mut BufWriter<StdoutLock<'static>>) -> io::Result<()>) -> Result<ExitCode> {
    let mut out = BufWriter::new(io::stdout().lock());
    match print(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        written => written.context("could not write to stdout").map(|()| ExitCode::SUCCESS),
    }
}
