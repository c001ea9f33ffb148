//! What people see: standard output, the log on stderr, and the text that may be shown there.

pub mod format;
pub mod log;
pub mod output;
pub mod progress;
pub mod prompt;
pub mod sanitize;
pub mod table;
