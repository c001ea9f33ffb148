//! Questions to whoever sits at the terminal: which answers there are, and what an end of input means.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _, stdin, stdout};

use anyhow::{Context, Result};

use super::output;

/// Whether somebody can be asked: both the question and the answer need a terminal.
pub fn is_possible() -> bool {
    stdin().is_terminal() && stdout().is_terminal()
}

/// The answer without blanks around it. The end of input is no answer.
pub fn line(question: &str) -> Result<Option<String>> {
    output::write(|out| out.write_all(question.as_bytes()))?;
    let mut answer = String::new();
    let read = stdin().read_line(&mut answer).context("could not read the answer")?;
    Ok((read > 0).then(|| answer.trim().to_owned()))
}

/// Asks until the answer is yes, as an empty one is, or no, as the end of input is.
pub fn agrees(question: &str) -> Result<bool> {
    let agreed = answer(&format!("{question} [Y/n] "), |answer| match answer {
        "" | "y" | "yes" => Some(true),
        "n" | "no" => Some(false),
        _ => None,
    });
    Ok(agreed?.unwrap_or(false))
}

/// Asks until the answer is the number of one of `ways`, which are counted from 1, and gives its index. An empty answer is
/// the first, and the end of input is `None`.
pub fn choice(question: &str, ways: &[String]) -> Result<Option<usize>> {
    let list = ways.iter().enumerate().fold(question.to_owned(), |mut text, (index, way)| {
        _ = write!(text, "\n  {}  {way}", index + 1);
        text
    });
    answer(&format!("{list}\n[1] "), |answer| match answer.parse::<usize>() {
        _ if answer.is_empty() => Some(0),
        Ok(number) if (1..=ways.len()).contains(&number) => Some(number - 1),
        _ => None,
    })
}

/// Asks until `understood` makes something of the answer in lower case.
fn answer<T>(question: &str, understood: impl Fn(&str) -> Option<T>) -> Result<Option<T>> {
    while let Some(answer) = line(question)? {
        if let Some(answer) = understood(&answer.to_lowercase()) {
            return Ok(Some(answer));
        }
    }
    Ok(None)
}
