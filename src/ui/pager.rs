//! Long text for a terminal goes through the user's pager, as git's does.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};

use anyhow::Result;
use console::{Term, measure_text_width};

use super::output;
use super::screen::Screen;
use crate::env::Environment;

/// Prints text that was made safe and broken into lines already, and ends this process by it: through `$PAGER` where it
/// is longer than the terminal, or where `always` is asked for.
pub fn show(text: &str, always: bool, env: &Environment) -> Result<ExitCode> {
    if let Some(pager) = pager(env)
        && (always || !fits(text))
        && let Ok(stdin) = file(text)
    {
        // This process is replaced, so that Ctrl-C reaches the pager alone. It may hold arguments, as in `less -R`; of
        // one that is not there or cannot be run the text is shown all the same.
        let script = format!("{pager}\ncase $? in 126|127) exec cat ;; esac");
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).stdin(Stdio::from(stdin));
        if env.var("LESS").is_none() {
            // Ends by itself where it all fits, shows colours, and leaves the text on the screen: git's choice.
            command.env("LESS", "FRX");
        }
        _ = command.exec();
    }
    output::whole(text)
}

/// The pager; none where there is no terminal to page on, or it is `cat` or set to nothing.
fn pager(env: &Environment) -> Option<String> {
    if !Screen::stdout().is_terminal() || env.var("TERM").is_none_or(|term| term == "dumb") {
        return None;
    }
    let pager = env.all().get(OsStr::new("PAGER")).map_or(Some("less"), |pager| pager.to_str())?;
    (!matches!(pager.trim(), "" | "cat")).then(|| pager.to_owned())
}

fn fits(text: &str) -> bool {
    let (rows, columns) = Term::stdout().size();
    let lines =
        text.lines().map(|line| measure_text_width(line).div_ceil(usize::from(columns).max(1)).max(1));
    lines.sum::<usize>() < usize::from(rows)
}

fn file(text: &str) -> std::io::Result<File> {
    let mut file = tempfile::tempfile()?;
    file.write_all(text.as_bytes())?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}
