//! What the user reads on stderr: one voice, one prefix, whatever name we were called by.

use std::io::Write;

use shims::{Message, Note};

use crate::ui::sanitize::escaped;

/// Sets up logging: `RUST_LOG`, by default warnings.
///
/// Warnings are part of that log, so that one variable silences both. Nothing ever logs a key or a header: what the
/// libraries trace is left out whatever is asked for, since ureq (seen in 3.5) traces all that it sends.
pub fn init() {
    let env = env_logger::Env::default().default_filter_or("warn");
    let format = |buf: &mut env_logger::fmt::Formatter, record: &log::Record<'_>| {
        let is_ours =
            ["agent_run", "shims"].contains(&record.target().split("::").next().unwrap_or_default());
        if !is_ours && record.level() > log::Level::Info {
            return Ok(());
        }
        let text = record.args().to_string();
        let text = escaped(&text);
        match record.level() {
            log::Level::Warn => writeln!(buf, "agent-run: warning: {text}"),
            level => writeln!(buf, "agent-run: {}: {text}", level.as_str().to_lowercase()),
        }
    };
    env_logger::Builder::from_env(env).format(format).init();
}

/// Something is not as the user asked for.
pub fn warn(message: impl Into<Message>) {
    log::warn!("{}", message.into().render());
}

/// A plan's note, as far as a launch shows it.
pub fn note(note: &Note) {
    match note {
        Note::Warning(message) => warn(message.clone()),
        Note::Info(message) => log::info!("{}", message.render()),
    }
}

/// The end of a command that failed. A broken pipe on stderr is nobody's news.
pub fn error(error: &anyhow::Error) {
    say(&format!("agent-run: {}\n", crate::error::render(error)));
}

/// Text on stderr as it is, but for what would drive the terminal.
pub fn say(text: &str) {
    _ = std::io::stderr().lock().write_all(escaped(text).as_bytes());
}
