//! What the user is told on stderr: one voice, one prefix, whatever name we were called by.

use std::io::Write;

use shims::Note;

/// Sets up logging: `RUST_LOG`, by default warnings.
///
/// Warnings are part of that log, so that one variable silences both. Nothing ever logs a key or a header.
pub fn init() {
    let env = env_logger::Env::default().default_filter_or("warn");
    let format = |buf: &mut env_logger::fmt::Formatter, record: &log::Record<'_>| match record.level() {
        log::Level::Warn => writeln!(buf, "agent-run: warning: {}", record.args()),
        level => writeln!(buf, "agent-run: {}: {}", level.as_str().to_lowercase(), record.args()),
    };
    env_logger::Builder::from_env(env).format(format).init();
}

/// Something is not as the user asked for.
pub fn warn(text: &str) {
    log::warn!("{text}");
}

/// A plan's note, as far as a launch shows it.
pub fn note(note: &Note) {
    match note {
        Note::Warning(text) => warn(text),
        Note::Info(text) => log::info!("{text}"),
    }
}

/// The end of a command that failed. A broken pipe on stderr is nobody's news.
pub fn error(error: &anyhow::Error) {
    _ = writeln!(std::io::stderr().lock(), "agent-run: {error:#}");
}
