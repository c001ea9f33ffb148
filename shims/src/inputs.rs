//! All that an adapter is given of the user's machine.
//!
//! `agent-run` fills an [`Inputs`] with the inherited environment, the folders, and the files that the
//! adapter declared. A path nobody declared was not read, and asking for it is an error of the adapter.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::ops::Bound;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use crate::{Facts, MachineSecret, Suffix};

/// The folders of a launch.
#[derive(Clone, Debug, Default)]
pub struct Dirs {
    /// The user's home.
    pub home: PathBuf,
    /// The folder the agent starts in.
    pub cwd: PathBuf,
    /// `$XDG_CONFIG_HOME`, else `~/.config`: the user's, never written to.
    pub config: PathBuf,
    /// `$XDG_DATA_HOME`, else `~/.local/share`: the user's, never written to.
    pub data: PathBuf,
    /// `$XDG_CACHE_HOME/agent-run`: what can be made again.
    pub cache: PathBuf,
    /// `$XDG_STATE_HOME/agent-run`: what is the user's and must last.
    pub state: PathBuf,
}

/// What stands at a path, following links.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fact {
    /// Nothing, or a dangling link.
    Absent,
    /// A file, with its bytes.
    File(Vec<u8>),
    /// A folder, with what is in it, by name.
    Dir(Vec<Entry>),
    /// A pipe, a device or a socket. It is not read: that could wait for ever, or take from the agent what it
    /// is there for.
    Stream,
    /// It is there and could not be read.
    Unreadable(ReadError),
}

/// Why something could not be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReadError {
    /// The system's words.
    pub why: String,
    /// Whether this user may not read it, nor may an agent.
    pub is_denied: bool,
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self { why: error.to_string(), is_denied: error.kind() == ErrorKind::PermissionDenied }
    }
}

/// One entry of a folder, not followed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Its name.
    pub name: OsString,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry is, not followed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EntryKind {
    /// A folder.
    Dir,
    /// A link, with its target as written.
    Link(PathBuf),
    /// A file or anything else.
    File,
}

/// The machine as far as one adapter asked for it.
#[derive(Clone, Default)]
pub struct Inputs {
    /// The folders of this launch.
    pub dirs: Dirs,
    /// The inherited environment. It holds secrets, so this type has no `Debug`.
    pub env: BTreeMap<OsString, OsString>,
    /// Where the agent's program was found. A plan that is only shown names the command instead.
    pub program: Option<PathBuf>,
    /// From which names are made that no project can guess.
    pub secret: MachineSecret,
    /// What was read, by the path that was declared.
    pub facts: Facts,
    /// Those texts of a project that lead to where this program keeps keys, or to a folder above.
    pub private: BTreeSet<PathBuf>,
    /// The user's own folders, those where the agent starts, and those above them, where a link or `..` is in the
    /// path: what each of them is.
    pub real: BTreeMap<PathBuf, PathBuf>,
}

impl Inputs {
    /// The program that was found, else the command to look for.
    pub(crate) fn program_or(&self, command: impl FnOnce() -> OsString) -> OsString {
        self.program.clone().map_or_else(command, PathBuf::into_os_string)
    }

    /// The inherited variable `name`; one that is set but empty counts as unset.
    pub fn var(&self, name: &str) -> Option<&OsStr> {
        self.env.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// A variable's name that no project can guess: `start`, an underscore and eight hex digits.
    pub fn secret_variable(&self, start: &str) -> String {
        format!("{start}_{}", self.secret.suffix(Suffix::Variable))
    }

    /// A provider id that no project can guess: `start`, a hyphen and eight hex digits.
    pub fn secret_id(&self, start: &str) -> String {
        format!("{start}-{}", self.secret.suffix(Suffix::ProviderId))
    }

    /// What stands at a declared path, if it was read already.
    pub fn fact(&self, path: &Path) -> Option<&Fact> {
        self.facts.get(path)
    }

    /// The bytes of a declared file; `None` when there is no such file yet.
    ///
    /// # Errors
    /// When the path was not declared, is a folder, or cannot be read.
    pub fn file(&self, path: &Path) -> Result<Option<&[u8]>> {
        match self.fact(path) {
            Some(Fact::File(bytes)) => Ok(Some(bytes)),
            Some(Fact::Absent) => Ok(None),
            Some(Fact::Dir(_)) => bail!("could not read {}: it is a folder", path.display()),
            Some(Fact::Stream) => bail!("could not read {}: it is not a regular file", path.display()),
            Some(Fact::Unreadable(error)) => {
                Err(anyhow!("{}", error.why)).with_context(|| format!("could not read {}", path.display()))
            }
            None => bail!("{} was not declared in reads()", path.display()),
        }
    }

    /// The text of a declared file, without a byte order mark.
    ///
    /// # Errors
    /// As [`Inputs::file`], and when the file is not UTF-8.
    pub fn text(&self, path: &Path) -> Result<Option<&str>> {
        let Some(bytes) = self.file(path)? else { return Ok(None) };
        let text = std::str::from_utf8(bytes)
            .with_context(|| format!("could not read {}: not UTF-8", path.display()))?;
        Ok(Some(text.strip_prefix('\u{feff}').unwrap_or(text)))
    }

    /// The text of a declared file, if there is one that can be read.
    pub fn readable(&self, path: &Path) -> Option<&str> {
        self.text(path).ok().flatten()
    }

    /// Why what is at a declared path cannot be read.
    pub fn unreadable(&self, path: &Path) -> Option<&str> {
        match self.fact(path) {
            Some(Fact::Unreadable(error)) => Some(&error.why),
            _ => None,
        }
    }

    /// Whether there is something at a declared path that cannot be read.
    pub fn is_unreadable(&self, path: &Path) -> bool {
        self.unreadable(path).is_some()
    }

    /// Whether there is known to be nothing at a path.
    pub fn is_absent(&self, path: &Path) -> bool {
        matches!(self.fact(path), Some(Fact::Absent))
    }

    /// The path without links and `..` in its folders, as far as [`Inputs::real`] knows them.
    pub fn real(&self, path: &Path) -> PathBuf {
        let known = path.ancestors().find_map(|above| Some((self.real.get(above)?, above)));
        let Some((real, above)) = known else { return path.to_owned() };
        let below = path.components().skip(above.components().count());
        real.components().chain(below).collect()
    }

    /// Whether `path` is `own` or another name of it.
    pub fn is_same(&self, path: &Path, own: &Path) -> bool {
        path == own || self.real(path) == self.real(own)
    }

    /// Whether there is a folder at a declared path.
    pub fn is_folder(&self, path: &Path) -> bool {
        matches!(self.fact(path), Some(Fact::Dir(_)))
    }

    /// The entry of a declared folder that has this name.
    pub fn entry(&self, folder: &Path, name: impl AsRef<OsStr>) -> Option<&Entry> {
        self.entries(folder).iter().find(|entry| entry.name == name.as_ref())
    }

    /// The names of the folders in a declared folder.
    pub fn folders(&self, path: &Path) -> impl Iterator<Item = &OsStr> {
        self.entries(path).iter().filter(|entry| entry.kind == EntryKind::Dir).map(|entry| &*entry.name)
    }

    /// The entries of a declared folder; none when there is no such folder.
    pub fn entries(&self, path: &Path) -> &[Entry] {
        match self.fact(path) {
            Some(Fact::Dir(entries)) => entries,
            _ => &[],
        }
    }

    /// The inherited variables that `pattern` names; each `*` in it stands for any text.
    pub fn matching<'a>(&'a self, pattern: &'a str) -> impl Iterator<Item = &'a OsStr> {
        // What begins alike stands together, so that not every name is looked at for every pattern.
        let start = pattern.split_once('*').map_or(pattern, |(start, _)| start);
        let from = (Bound::Included(OsStr::new(start)), Bound::Unbounded);
        let names = self.env.range::<OsStr, _>(from).map(|(name, _)| name.as_os_str());
        let alike = names.take_while(|name| name.as_encoded_bytes().starts_with(start.as_bytes()));
        alike.filter(|name| name.to_str().is_some_and(|name| matches(pattern, name)))
    }
}

/// The path without `.` and `..`, as a shell reads it: no link is followed.
pub fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => _ = plain.pop(),
            other => plain.push(other),
        }
    }
    plain
}

/// Whether `pattern` names the variable `name`; each `*` in it stands for any text.
pub fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return name == pattern };
    let Some(mut name) = name.strip_prefix(start) else { return false };
    let mut parts = rest.split('*');
    let end = parts.next_back().unwrap_or_default();
    for part in parts {
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    name.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_whole_variables() {
        let names = ["CLAUDE_CODE_SKIP_X_AUTH", "CLAUDE_CODE_SKIP_AUTH", "CLAUDECODE", "XCLAUDECODE"];
        let inputs =
            Inputs { env: names.iter().map(|name| (name.into(), "1".into())).collect(), ..Inputs::default() };
        let matching = |pattern| inputs.matching(pattern).collect::<Vec<_>>();
        assert_eq!(matching("CLAUDECODE"), ["CLAUDECODE"]);
        assert_eq!(matching("CLAUDE_CODE_SKIP_*_AUTH"), ["CLAUDE_CODE_SKIP_X_AUTH"]);
        assert_eq!(matching("CLAUDE_*").len(), 2);
        assert!(matching("CLAUDE").is_empty());
        for (pattern, name, is_named) in [
            ("A_*B*", "A_B", true),
            ("A_*B*", "A_xBy", true),
            ("A_*B*", "A_xy", false),
            ("A_*B*C", "A_BC", true),
            ("A_*B*C", "A_CB", false),
            ("A_*_A", "A_A", false),
        ] {
            assert_eq!(matches(pattern, name), is_named, "{pattern} {name}");
        }
    }

    #[test]
    fn an_undeclared_path_is_an_error_and_a_missing_file_is_none() {
        let path = Path::new("/x");
        let mut inputs = Inputs::default();
        assert!(inputs.file(path).is_err());
        inputs.facts.insert(path.into(), Fact::Absent);
        assert!(inputs.file(path).expect("declared").is_none());
        inputs.facts.insert(path.into(), Fact::File("\u{feff}{}".into()));
        assert_eq!(inputs.text(path).expect("declared"), Some("{}"));
    }

    #[test]
    fn paths_lose_their_dots_and_stay_as_written_otherwise() {
        for (path, expected) in [("/h/a/", "/h/a"), ("/h/a/./b/../../c/", "/h/c"), ("/../x/y/..", "/x")] {
            assert_eq!(without_dots(Path::new(path)), Path::new(expected), "{path}");
        }
    }
}
