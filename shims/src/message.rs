//! What a person is shown: a sentence, and what to do about it. An error of either crate and a plan's note are one.

use std::borrow::Cow;
use std::{fmt, io};

use anyhow::Error;
use serde::{Deserialize, Serialize};

/// A sentence, and what to type or do next. As an error it is found anywhere in the chain of an [`anyhow::Error`].
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Message {
    /// What is wrong and where, lower case, no full stop. It never holds a key. Files have it as `message`.
    #[serde(rename = "message")]
    pub text: String,
    /// What to do, where something can be done.
    #[serde(default)]
    pub help: Option<String>,
}

impl Message {
    /// A message with something to do.
    pub fn new(text: impl Into<String>, help: impl Into<String>) -> Self {
        Self { text: text.into(), help: Some(help.into()) }
    }

    /// Refuses a command that leaves a process behind, since what it inherits would outlive the launch.
    pub fn leaves_server(command: &str) -> Self {
        Self::new(
            format!("`{command}` starts a server that would keep the provider's key after the launch"),
            format!("run plain `{command}`, without agent-run"),
        )
    }

    /// An error with something to do.
    pub fn helped(error: &Error, help: impl Into<String>) -> Error {
        Error::new(Self::new(format!("{error:#}"), help))
    }

    /// The same with its subject in front.
    #[must_use]
    pub fn about(self, subject: &str) -> Self {
        Self { text: format!("{subject}: {}", self.text), ..self }
    }

    /// The one form in which a message and its help are printed. A line break before anything but a space came from
    /// outside, as part of a name, and is shown as `\n`: no name makes a line that looks like ours.
    pub fn render(&self) -> String {
        let text = with_own_lines(&without_codes(&self.text));
        match &self.help {
            Some(help) => format!("{text}\nhelp: {}", with_own_lines(help)),
            None => text,
        }
    }

    /// The chain of an error as one sentence, and the first help in it.
    pub fn of(error: &Error) -> Self {
        let help = Self::find(error).and_then(|message| message.help.clone());
        Self { text: without_codes(&format!("{error:#}")).into_owned(), help }
    }

    /// The first message in the chain of an error, also as what an [`io::Error`] holds.
    pub fn find(error: &Error) -> Option<&Self> {
        let held = || error.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref();
        error.downcast_ref().or_else(held)
    }
}

fn with_own_lines(text: &str) -> String {
    let mut lines = text.split('\n');
    let first = lines.next().unwrap_or_default().to_owned();
    let is_own = |line: &str| line.is_empty() || line.starts_with(' ');
    lines.fold(first, |text, line| text + if is_own(line) { "\n" } else { "\\n" } + line)
}

/// Without the number that Rust adds to what the system says of an error: "permission denied (os error 13)".
pub fn without_codes(text: &str) -> Cow<'_, str> {
    let mut parts = text.split(" (os error ");
    let mut said = Cow::Borrowed(parts.next().unwrap_or_default());
    for part in parts {
        match part.split_once(')') {
            Some((code, rest)) if code.bytes().all(|byte| byte.is_ascii_digit()) => *said.to_mut() += rest,
            _ => said.to_mut().extend([" (os error ", part]),
        }
    }
    said
}

/// `{}` is the text. `{:#}` is the help, or the text if there is none: serde hands an error on as [`fmt::Display`] alone,
/// and the help would be lost.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.help.as_ref().filter(|_| f.alternate()).unwrap_or(&self.text))
    }
}

impl std::error::Error for Message {}

impl From<&Self> for Message {
    fn from(message: &Self) -> Self {
        message.clone()
    }
}

impl<T: Into<String>> From<T> for Message {
    fn from(text: T) -> Self {
        Self { text: text.into(), help: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_in_a_message_makes_a_line_of_its_own() {
        let name = "x\nagent-run: error: the key expired\nhelp: y";
        let shown = Message::new(format!("`{name}` is odd:\n  a command"), format!("run {name}")).render();
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines[1..2], ["  a command"], "{shown}");
        assert_eq!(lines.len(), 3, "{shown}");
        assert!(lines[0].contains("x\\nagent-run: error"), "{shown}");
        assert!(lines[2].starts_with("help: run x\\n"), "{shown}");
    }
}
