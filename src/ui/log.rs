//! What the user reads on stderr: one voice, one prefix, whatever name we were called by.

use std::io::Write;

use shims::{Message, Note};

use crate::ui::{Ink, Screen, escaped};

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
        let (ink, prefix) = match record.level() {
            log::Level::Error => (Ink::Error, "agent-run: error: ".to_owned()),
            log::Level::Warn => (Ink::Warning, "agent-run: warning: ".to_owned()),
            level => (Ink::Faint, format!("agent-run: {}: ", level.as_str().to_lowercase())),
        };
        writeln!(buf, "{}", Screen::stderr().message(ink, &prefix, &text))
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
    let text = crate::error::render(error);
    let shown = Screen::stderr().message(Ink::Error, "agent-run: ", &escaped(&text));
    _ = writeln!(std::io::stderr().lock(), "{shown}");
}

/// Text on stderr, its lines broken as on any terminal, but without what would drive it.
pub fn say(text: &str) {
    let shown = Screen::stderr().text(&escaped(text));
    _ = std::io::stderr().lock().write_all(shown.as_bytes());
}
