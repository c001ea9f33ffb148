//! Questions to the person at the terminal. They are written to stderr, so that stdout stays the agent's, and are read
//! from stdin.
//!
//! Only a command that was started from a terminal asks: see [`is_possible`].

use std::io::{IsTerminal, stderr, stdin};

use anyhow::{Context, Result, anyhow, bail};
use nix::errno::Errno;
use nix::sys::signal::{Signal, raise};
use nix::sys::termios::{LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr};
use nix::unistd::read;

use super::log::say;
use crate::env::Environment;
use crate::signals::CleansUp;

/// How often an answer that is none is asked for again.
const TRIES: usize = 5;
/// Bytes of a hidden line beyond which the rest is dropped.
const LONGEST: usize = 64 * 1024;

/// Whether somebody can be asked: stdin and stderr are a terminal, and this is not the session of an agent, which would
/// wait for an answer that nobody gives.
pub fn is_possible(env: &Environment) -> bool {
    env.depth() == 0 && stdin().is_terminal() && stderr().is_terminal()
}

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
    yes_or_no(question, true)
}

/// Whether the answer is yes, where that cannot be undone: an empty one is no.
///
/// # Errors
/// As [`ask`].
pub fn insists(question: &str) -> Result<bool> {
    yes_or_no(question, false)
}

fn yes_or_no(question: &str, usual: bool) -> Result<bool> {
    let shown = if usual { "[Y/n]" } else { "[y/N]" };
    for _ in 0..TRIES {
        match ask(&format!("{question} {shown} "))?.to_lowercase().as_str() {
            "" => return Ok(usual),
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => {}
        }
    }
    Err(stopped())
}

/// The index of the option that is chosen by its number; an empty answer chooses the first.
///
/// What was typed is not repeated: it may be a key.
///
/// # Errors
/// As [`ask`], and after five answers that are no number of an option.
pub fn choose(question: &str, options: &[String]) -> Result<usize> {
    say(&format!("{question}\n"));
    for (index, option) in options.iter().enumerate() {
        say(&format!("  {}  {option}\n", index + 1));
    }
    for _ in 0..TRIES {
        let answer = ask("[1] ")?;
        match answer.parse::<usize>() {
            _ if answer.is_empty() => return Ok(0),
            Ok(number) if (1..=options.len()).contains(&number) => return Ok(number - 1),
            _ => say(&format!("Type a number from 1 to {}, and Enter.\n", options.len())),
        }
    }
    Err(stopped())
}

/// The line that is typed, which the terminal does not show.
///
/// # Errors
/// As [`ask`], and when the terminal cannot hide it.
pub fn ask_hidden(question: &str) -> Result<String> {
    say(question);
    let typed = {
        let _quiet = Quiet::begin().context("could not turn off the terminal's echo")?;
        read_hidden()
    };
    say("\n");
    match typed? {
        Typed::Line(line) => {
            // What a terminal puts around pasted text where a program left that mode on.
            let line = line.replace("\u{1b}[200~", "").replace("\u{1b}[201~", "");
            Ok(line.trim().to_owned())
        }
        Typed::End => Err(stopped()),
        Typed::Interrupt => {
            // The terminal is as it was by now, and whoever waits for this program learns how it ended.
            raise(Signal::SIGINT)?;
            Err(stopped())
        }
    }
}

fn stopped() -> anyhow::Error {
    anyhow!("stopped without an answer")
}

enum Typed {
    Line(String),
    End,
    Interrupt,
}

/// Reads byte by byte, since nothing behind the line is this program's.
fn read_hidden() -> Result<Typed> {
    const INTERRUPT: u8 = 0x03;
    const END: u8 = 0x04;
    const ERASE_LINE: u8 = 0x15;
    let mut line = Vec::new();
    loop {
        let mut byte = [0];
        match read(stdin(), &mut byte) {
            Ok(0) => return Ok(Typed::End),
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(error) => bail!("could not read from the terminal: {}", error.desc()),
        }
        match byte[0] {
            b'\n' | b'\r' => break,
            INTERRUPT => return Ok(Typed::Interrupt),
            END if line.is_empty() => return Ok(Typed::End),
            END => break,
            ERASE_LINE => line.clear(),
            0x08 | 0x7f => _ = line.pop(),
            byte if line.len() < LONGEST => line.push(byte),
            _ => {}
        }
    }
    Ok(Typed::Line(String::from_utf8_lossy(&line).into_owned()))
}

/// The terminal without echo, until it is dropped, or a signal ends this program. Ctrl-C is read as a byte meanwhile.
struct Quiet {
    before: Termios,
    _cleans: CleansUp,
}

impl Quiet {
    fn begin() -> Result<Self> {
        let before = tcgetattr(stdin())?;
        let restored = before.clone();
        let cleans = CleansUp::with(move || {
            _ = tcsetattr(stdin(), SetArg::TCSANOW, &restored);
            say("\n");
        })?;
        let mut quiet = before.clone();
        quiet
            .local_flags
            .remove(LocalFlags::ECHO | LocalFlags::ECHONL | LocalFlags::ICANON | LocalFlags::ISIG);
        quiet.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        quiet.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        // What was typed ahead stays.
        tcsetattr(stdin(), SetArg::TCSANOW, &quiet)?;
        Ok(Self { before, _cleans: cleans })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // What stands behind the line in a paste is not typed into the next question, nor into the shell.
        _ = tcsetattr(stdin(), SetArg::TCSAFLUSH, &self.before);
    }
}
