//! Questions to the person at the terminal. They are written to stderr, so that stdout stays the agent's, and are read
//! from stdin.

use std::io::stdin;

use anyhow::{Context, Result, anyhow};

use super::log::say;

/// How often an answer that is none is asked for again.
const TRIES: usize = 5;

/// The line that is typed, without the space around it.
///
/// # Errors
/// At the end of input.
pub fn ask(question: &str) -> Result<String> {
    say(question);
    let mut answer = String::new();
    let count = stdin().read_line(&mut answer).context("could not read the answer")?;
    if count == 0 {
        say("\n");
        return Err(stopped());
    }
    Ok(answer.trim().to_owned())
}

/// Whether the answer is yes, which an empty one is too.
///
/// # Errors
/// As [`ask`].
pub fn agrees(question: &str) -> Result<bool> {
    for _ in 0..TRIES {
        match ask(&format!("{question} [Y/n] "))?.to_lowercase().as_str() {
            "" | "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => {}
        }
    }
    Err(stopped())
}

fn stopped() -> anyhow::Error {
    anyhow!("stopped without an answer, and nothing was changed")
}
