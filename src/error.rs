//! Errors: a sentence with its causes, and what to do about it, put together here and printed by [`crate::ui::log`].

use anyhow::Error;
use shims::Message;

use crate::launch::program::ProgramError;

/// An error as it is printed.
pub fn render(error: &Error) -> String {
    message(error).render()
}

/// The chain of an error as one sentence, and the first help in it.
pub fn message(error: &Error) -> Message {
    match error.downcast_ref::<ProgramError>() {
        Some(program) => Message { text: format!("{error:#}"), ..program.message.clone() },
        None => Message::of(error),
    }
}
