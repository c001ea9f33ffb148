//! Questions to the person at the terminal. They are written to stderr, so that stdout stays the agent's, and are read
//! from stdin.
//!
//! Only a command that was started from a terminal asks: see [`is_possible`].

use std::fmt;
use std::io::{IsTerminal, Write, stderr, stdin};
use std::os::fd::AsFd;

use anyhow::{Context, Result, anyhow, bail};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, raise};
use nix::sys::termios::{LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr};
use nix::unistd::read;
use shims::Message;

use super::log::say;
use super::sanitize::escaped;
use crate::env::Environment;
use crate::key::{self, shape};
use crate::signals::CleansUp;

/// How often an answer that is none is asked for again.
const TRIES: usize = 5;
/// What is said of a key that comes where a choice is asked for.
pub const TOO_EARLY: &str =
    "This looks like a key, and was neither used nor shown. Answer this first; the key is asked for later.\n";
/// A dialogue ends before its last answer: until then nothing is written.
pub const STOPPED: Stopped = Stopped("stopped, and the config was not changed");
/// Bytes of a line beyond which the rest is dropped.
const LONGEST: usize = 64 * 1024;

/// The user has stopped a dialogue, and what is said of it.
#[derive(Clone, Copy, Debug)]
pub struct Stopped(&'static str);

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Stopped {}

/// Whether somebody can be asked: stdin and stderr are a terminal, and this is not the session of an agent, which would
/// wait for an answer that nobody gives.
pub fn is_possible(env: &Environment) -> bool {
    env.depth() == 0 && stdin().is_terminal() && stderr().is_terminal()
}

/// Whether a line on stderr is read and disturbs nothing: what asks for a password, or draws a whole screen, has turned the
/// terminal's echo off.
pub fn is_echoing() -> bool {
    tcgetattr(stderr()).is_ok_and(|state| state.local_flags.contains(LocalFlags::ECHO))
}

/// The line that is typed, without the space around it. A key that is pasted here by mistake is not shown. The end of
/// input is an error.
pub fn ask(question: &str) -> Result<String> {
    line(question, SetArg::TCSANOW, STOPPED, |shown, fresh| {
        // A paste is more than one character.
        fresh.chars().nth(1).is_none() || !shape::is_like_key(&format!("{shown}{fresh}"))
    })
}

/// Whether the answer is yes, which an empty one is too.
pub fn agrees(question: &str) -> Result<bool> {
    yes_or_no(question, true, STOPPED)
}

/// The same where the config was changed before; no answer is no.
pub fn agrees_later(question: &str) -> bool {
    yes_or_no(question, true, Stopped("stopped")).unwrap_or(false)
}

/// Whether the answer is yes, where that cannot be undone: an empty one is no.
pub fn insists(question: &str) -> Result<bool> {
    yes_or_no(question, false, STOPPED)
}

/// Whether something may be removed: with `yes`, or as somebody at the terminal says.
pub fn confirms_removal(yes: bool, question: &str, env: &Environment) -> Result<bool> {
    if !yes && !is_possible(env) {
        bail!(Message::new(
            "nothing was removed: no terminal to ask for confirmation",
            "use --yes to remove it without confirmation"
        ));
    }
    Ok(yes || insists(question)?)
}

fn yes_or_no(question: &str, usual: bool, stopped: Stopped) -> Result<bool> {
    let shown = if usual { "[Y/n]" } else { "[y/N]" };
    for _ in 0..TRIES {
        let answer = one_of(&format!("{question} {shown} "), &["yes", "no"], stopped)?;
        match answer.to_lowercase().as_str() {
            "" => return Ok(usual),
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ if shape::is_like_key(&answer) => say(TOO_EARLY),
            _ => say("Type y or n, and Enter.\n"),
        }
    }
    Err(anyhow!(stopped))
}

/// The index of the option that is chosen by its number; an empty answer chooses the first.
///
/// What was typed is not repeated: it may be a key. After five answers that are no number of an option it gives up.
pub fn choose(question: &str, options: &[String]) -> Result<usize> {
    say(&format!("{question}\n"));
    for (index, option) in options.iter().enumerate() {
        say(&format!("  {}  {option}\n", index + 1));
    }
    let numbers: Vec<_> = (1..=options.len()).map(|number| number.to_string()).collect();
    let numbers: Vec<_> = numbers.iter().map(String::as_str).collect();
    for _ in 0..TRIES {
        let answer = one_of("Your choice [1]: ", &numbers, STOPPED)?;
        match numbers.iter().position(|number| *number == answer) {
            _ if answer.is_empty() => return Ok(0),
            Some(index) => return Ok(index),
            None if shape::is_like_key(&answer) => say(TOO_EARLY),
            None => say(&format!("Type a number from 1 to {}, and Enter.\n", options.len())),
        }
    }
    bail!(STOPPED)
}

/// The line that is typed, which the terminal does not show.
pub fn ask_hidden(question: &str) -> Result<String> {
    // What stands behind the line in a paste is not typed into the next question, nor into the shell.
    line(question, SetArg::TCSAFLUSH, STOPPED, |_, _| false)
}

/// One of some answers, or another. What begins none of them is not shown: it may be a key that was pasted too early.
fn one_of(question: &str, answers: &[&str], stopped: Stopped) -> Result<String> {
    line(question, SetArg::TCSANOW, stopped, |shown, fresh| {
        let typed = format!("{shown}{fresh}").to_lowercase();
        answers.iter().any(|answer| answer.starts_with(&typed))
    })
}

/// The line that is typed. It is not the terminal that shows it: `shows` says of what has been shown, and of what came
/// since, whether that is shown too. Where nothing is, `stopped` is said.
fn line(question: &str, end: SetArg, stopped: Stopped, shows: impl Fn(&str, &str) -> bool) -> Result<String> {
    key::keep_out_of_cores();
    say(question);
    let typed = {
        let _quiet = Quiet::begin(end).context("could not turn off the terminal's echo")?;
        read_line(shows)
    };
    say("\n");
    match typed? {
        Typed::Line(line) => Ok(line.trim().to_owned()),
        Typed::End => bail!(stopped),
        Typed::Signal(signal) => {
            super::log::error(&anyhow!(stopped));
            // The terminal is as it was by now, and whoever waits for this program learns how it ended.
            raise(signal)?;
            bail!(stopped)
        }
    }
}

enum Typed {
    Line(String),
    End,
    Signal(Signal),
}

/// A line while it is typed.
#[derive(Default)]
struct TypedLine {
    /// What is on the screen, which is how the line begins.
    shown: String,
    /// What came since, and is not on the screen.
    fresh: Vec<u8>,
    /// Whether it stays so.
    is_hidden: bool,
}

impl TypedLine {
    /// Shows what came since the last time, unless it is to be hidden, or a character of it is not whole yet.
    fn show(&mut self, shows: &impl Fn(&str, &str) -> bool) {
        let Ok(fresh) = std::str::from_utf8(&self.fresh) else { return };
        if self.is_hidden || fresh.is_empty() {
            return;
        }
        if shows(&self.shown, fresh) {
            // As it was typed, or what is erased would be another text.
            _ = stderr().lock().write_all(escaped(fresh).as_bytes());
            self.shown.push_str(fresh);
            self.fresh.clear();
        } else {
            self.is_hidden = true;
        }
    }

    /// Takes the last character back; says whether there was one.
    fn erase(&mut self) -> bool {
        if self.fresh.pop().is_some() {
            while self.fresh.last().is_some_and(|byte| *byte >= 0x80) && self.fresh.pop().is_some() {}
            self.is_hidden &= !self.fresh.is_empty();
            return true;
        }
        let Some(last) = self.shown.pop() else { return false };
        let columns = console::measure_text_width(last.encode_utf8(&mut [0; 4]));
        _ = stderr().lock().write_all("\u{8} \u{8}".repeat(columns).as_bytes());
        true
    }

    fn text(self) -> String {
        self.shown + &String::from_utf8_lossy(&self.fresh)
    }
}

/// Reads byte by byte, since what stands behind the line is not for this question.
fn read_line(shows: impl Fn(&str, &str) -> bool) -> Result<Typed> {
    const INTERRUPT: u8 = 0x03;
    const END: u8 = 0x04;
    const ERASE_LINE: u8 = 0x15;
    const ESCAPE: u8 = 0x1b;
    const QUIT: u8 = 0x1c;
    let mut line = TypedLine::default();
    // What came of the code of a key such as an arrow, or of the mark that a terminal puts around a paste.
    let mut code: Option<Vec<u8>> = None;
    loop {
        // A paste comes at once, and is looked at as a whole.
        if !is_waiting() {
            line.show(&shows);
        }
        let mut byte = [0];
        match read(stdin(), &mut byte) {
            Ok(0) => return Ok(Typed::End),
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(error) => bail!("could not read from the terminal: {}", error.desc()),
        }
        let byte = byte[0];
        if let Some(before) = &mut code {
            let is_inside = match before.as_slice() {
                [] => matches!(byte, b'[' | b'O'),
                _ => !matches!(byte, b'@'..=b'~'),
            };
            let was_code = is_inside || !before.is_empty();
            before.push(byte);
            if !is_inside {
                code = None;
            }
            if was_code {
                continue;
            }
        }
        let is_empty = line.shown.is_empty() && line.fresh.is_empty();
        match byte {
            b'\n' | b'\r' => break,
            INTERRUPT => return Ok(Typed::Signal(Signal::SIGINT)),
            QUIT => return Ok(Typed::Signal(Signal::SIGQUIT)),
            END if is_empty => return Ok(Typed::End),
            END => break,
            ESCAPE => code = Some(Vec::new()),
            ERASE_LINE => while line.erase() {},
            0x08 | 0x7f => _ = line.erase(),
            0..0x20 => {}
            byte if line.fresh.len() < LONGEST => line.fresh.push(byte),
            _ => {}
        }
    }
    line.show(&shows);
    Ok(Typed::Line(line.text()))
}

/// Whether more was typed already.
fn is_waiting() -> bool {
    let input = stdin();
    let mut polled = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
    poll(&mut polled, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}

/// The terminal without echo, until it is dropped, or a signal ends this program. Ctrl-C is read as a byte meanwhile.
struct Quiet {
    before: Termios,
    /// What becomes of what was typed behind the line.
    end: SetArg,
    _cleans: CleansUp,
}

impl Quiet {
    fn begin(end: SetArg) -> Result<Self> {
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
        Ok(Self { before, end, _cleans: cleans })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        _ = tcsetattr(stdin(), self.end, &self.before);
    }
}
