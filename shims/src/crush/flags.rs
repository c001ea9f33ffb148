//! What a Crush command line says of folders and sessions.
//!
//! Read as pflag reads them (Crush 0.90 uses cobra 1.10): flags may stand anywhere before `--`, the last
//! one wins, and short ones may be joined.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What the user's words say.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Flags {
    /// Whether a data folder is named, be it an empty one.
    pub data_dir: bool,
    /// The folder to start in, as written.
    pub cwd: Option<OsString>,
    /// Whether an earlier session is taken up.
    pub resumes: bool,
    /// The command among the words: the first that is no flag.
    pub command: Option<String>,
}

/// Long flags that take the next word. Of a flag not listed here the value is read as a word of its own,
/// which does no harm unless it looks like one of agent-run's.
const LONG: [&[u8]; 7] = [b"data-dir", b"cwd", b"host", b"session", b"model", b"small-model", b"channels"];

/// Short flags with a value, by their long name.
const SHORT: [(u8, &[u8]); 5] =
    [(b'D', b"data-dir"), (b'c', b"cwd"), (b'H', b"host"), (b's', b"session"), (b'm', b"model")];

impl Flags {
    /// Reads the words of a command line.
    pub fn read<'a>(words: impl IntoIterator<Item = &'a OsStr>) -> Self {
        let mut flags = Self::default();
        let mut words = words.into_iter().map(OsStr::as_bytes).take_while(|word| *word != b"--");
        while let Some(word) = words.next() {
            if let Some(long) = word.strip_prefix(b"--") {
                flags.long(long, &mut words);
            } else if let Some(letters) = word.strip_prefix(b"-") {
                flags.short(letters, &mut words);
            } else if flags.command.is_none() {
                flags.command = Some(String::from_utf8_lossy(word).into_owned());
            }
        }
        flags
    }

    fn long<'a>(&mut self, word: &'a [u8], rest: &mut impl Iterator<Item = &'a [u8]>) {
        let mut parts = word.splitn(2, |byte| *byte == b'=');
        let name = parts.next().unwrap_or_default();
        self.resumes |= name == b"continue";
        if LONG.contains(&name)
            && let Some(value) = parts.next().or_else(|| rest.next())
        {
            self.note(name, value);
        }
    }

    fn short<'a>(&mut self, letters: &'a [u8], rest: &mut impl Iterator<Item = &'a [u8]>) {
        for (at, letter) in letters.iter().enumerate() {
            if *letter == b'=' {
                return; // the value of a switch: -d=true
            }
            self.resumes |= *letter == b'C';
            if let Some((_, name)) = SHORT.iter().find(|(short, _)| short == letter) {
                let joined = &letters[at + 1..];
                let joined =
                    if joined.len() > 1 { joined.strip_prefix(b"=").unwrap_or(joined) } else { joined };
                if let Some(value) = Some(joined).filter(|joined| !joined.is_empty()).or_else(|| rest.next())
                {
                    self.note(name, value);
                }
                return;
            }
        }
    }

    fn note(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"data-dir" => self.data_dir = true,
            b"cwd" => self.cwd = Some(OsString::from_vec(value.to_owned())).filter(|dir| !dir.is_empty()),
            b"session" => self.resumes = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Flags {
        Flags::read(line.split(' ').map(OsStr::new))
    }

    #[test]
    fn a_data_folder_is_seen_in_every_spelling() {
        for line in ["-D x", "-Dx", "-D=x", "--data-dir x", "--data-dir=x", "--data-dir=", "run -qdDx hi"] {
            assert!(read(line).data_dir, "{line}");
        }
        for line in ["run hi", "run -- -D x", "-s -D", "--session -D run", "run --data-dirs x", "-d=D x", "-"]
        {
            assert!(!read(line).data_dir, "{line}");
        }
    }

    #[test]
    fn the_last_folder_to_start_in_wins() {
        let cwd = |line| read(line).cwd;
        for line in ["-c x", "-cx", "-c=x", "--cwd x", "--cwd=x", "-dc x run hi", "--cwd y run -c x hi"] {
            assert_eq!(cwd(line).as_deref(), Some(OsStr::new("x")), "{line}");
        }
        for line in ["run cwd", "-C x", "run -- --cwd x", "--cwd x --cwd=", "-m -c x", "--cwd"] {
            assert_eq!(cwd(line), None, "{line}");
        }
    }

    #[test]
    fn the_command_is_the_first_word_that_is_no_flag() {
        for (line, command) in [
            ("-d logout", Some("logout")),
            ("-D x server --host y", Some("server")),
            ("--channels a logout hyper", Some("logout")),
            ("run logout", Some("run")),
            ("-s logout", None),
            ("-- logout", None),
        ] {
            assert_eq!(read(line).command.as_deref(), command, "{line}");
        }
    }

    #[test]
    fn a_session_taken_up_is_seen() {
        for line in ["-C", "run --continue hi", "-s x", "run -qC hi", "--session=x"] {
            assert!(read(line).resumes, "{line}");
        }
        for line in ["run continue", "-c C", "-- -C", "session list"] {
            assert!(!read(line).resumes, "{line}");
        }
    }
}
