//! Errors: a sentence with its causes, and what to do about it, put together here and printed by [`crate::ui::log`].

use anyhow::Error;
use shims::Message;

use crate::catalog::Failure;
use crate::config::Problems;
use crate::launch::program::ProgramError;

/// An error as it is printed.
pub fn render(error: &Error) -> String {
    message(error).render()
}

/// The chain of an error as one sentence, and the first help in it.
pub fn message(error: &Error) -> Message {
    let help = Message::find(error)
        .and_then(|message| message.help.clone())
        .or_else(|| error.downcast_ref::<Problems>().and_then(|problems| problems.first().help))
        .or_else(|| error.downcast_ref::<Failure>().and_then(|failure| failure.message.help.clone()))
        .or_else(|| error.downcast_ref::<ProgramError>().and_then(ProgramError::help));
    Message { text: shims::without_codes(&format!("{error:#}")).into_owned(), help }
}
