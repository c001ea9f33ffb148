//! What people see: standard output, the log on stderr, questions, and the text that may be shown there.

pub mod format;
pub mod log;
pub mod output;
pub mod pager;
pub mod progress;
pub mod prompt;
pub mod sanitize;
pub mod screen;
pub mod table;
pub mod wrap;

pub use progress::Progress;
pub use sanitize::escaped;
pub use screen::{Ink, Screen};
