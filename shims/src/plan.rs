//! What is planned: everything a launch will do to the machine, as a value.
//!
//! `--dry-run` prints a [`Plan`]; a launch carries out that same value. Maps, not lists: the last word
//! wins, and the order is stable. No key is ever in it ([`Value`] only names it).

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::ops::Not;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::inputs::matches;
use crate::{Inputs, Launch, Message, Value};

/// A symbolic link to keep in place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// Where it points.
    pub target: PathBuf,
    /// A folder of agent-run that stands there and may be moved out of the way. Other real files and
    /// folders are never replaced.
    pub replaces_folder: bool,
}

/// Files to copy to where a launch looks for them: those of an older version, or a session of the user's own.
///
/// Of a folder everything in it is copied; links are passed over, unless it is taken as a whole. A file that is there
/// already stays; only of one that is kept line by line (`.jsonl`, `.rules`) the lines that are missing are added.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Carry {
    /// The file or folder, which stays as it is.
    pub from: PathBuf,
    /// Where the copy goes.
    pub to: PathBuf,
    /// What is replaced in the copies of sessions. Only whole lines of them are copied then.
    pub values: Vec<KeyText>,
    /// Whether the folder is taken over only where nothing is in its place yet, and then as one.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub whole: bool,
    /// Entries of the folder that stay behind, by their names; a `*` at an end stands for any text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
}

impl Carry {
    /// Whether the entry `name` of the folder stays behind.
    pub fn leaves(&self, name: &OsStr) -> bool {
        name.to_str().is_some_and(|name| self.without.iter().any(|pattern| matches(pattern, name)))
    }

    /// A copy as it is.
    pub fn new(from: PathBuf, to: PathBuf) -> Self {
        Self { from, to, ..Self::default() }
    }
}

/// A key of JSON, at whatever depth, whose text is replaced.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct KeyText {
    /// The key.
    pub key: String,
    /// The texts that are replaced; any, where none is named.
    pub was: Vec<String>,
    /// The new text.
    pub text: String,
}

/// One change to a JSON object.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Sets a top-level key.
    Set(&'static str, Json),
    /// Adds the last characters of the key to the array at this path, unless they are there.
    AddKeyTail(&'static [&'static str], usize),
}

/// A read-modify-write of a JSON file of the user's, the one kind of user file a plan may touch.
#[derive(Clone, Debug, PartialEq)]
pub struct Merge {
    /// What changes; everything else stays as it is.
    pub edits: Vec<Edit>,
    /// The folder that serves as lock to those who know it.
    pub lock: PathBuf,
}

/// Something the user should know.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Note {
    /// Shown on every launch: something is not as asked for.
    Warning(Message),
    /// Shown in a dry run only.
    Info(Message),
}

/// Everything one launch does.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The program that is started. In a plan that is only shown, the command to find on `PATH`; one with a `/` in it
    /// is a path.
    pub program: OsString,
    /// Paths to try when `PATH` has no such command.
    pub fallback_programs: Vec<PathBuf>,
    /// The child's arguments.
    pub args: Vec<OsString>,
    /// The child's environment, as a change of the inherited one; `None` unsets.
    pub env: BTreeMap<OsString, Option<Value>>,
    /// Folders of agent-run to create, mode 0700.
    pub dirs: BTreeSet<PathBuf>,
    /// Folders of the user's own that must exist before a link points into them.
    pub user_dirs: BTreeSet<PathBuf>,
    /// What to copy, before files are written.
    pub carry: Vec<Carry>,
    /// Where it is noted what could not be copied yet, for agents with a home.
    pub uncopied: Option<PathBuf>,
    /// Files to write whole, with what they hold: atomically, mode 0600, and only where they differ. No key is in them.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    /// Which of these are copies of a file of the user's, and of which: it may hold secrets, and a plan that is shown
    /// only names it.
    pub copies: BTreeMap<PathBuf, PathBuf>,
    /// Such copies of earlier contents, to remove once no link leads to them, where they hold what a launch wrote.
    pub old_copies: BTreeSet<PathBuf>,
    /// Links to keep; `None` removes a link (and never anything but a link).
    pub links: BTreeMap<PathBuf, Option<Link>>,
    /// Databases to move here once, where nothing is yet: whichever of these was changed last. A link stays in its
    /// place.
    pub adopt: BTreeMap<PathBuf, Vec<PathBuf>>,
    /// Files of the user's to merge into.
    pub merges: BTreeMap<PathBuf, Merge>,
    /// What to tell the user.
    pub notes: Vec<Note>,
    /// The variables of the key that the agent itself listens to, which are removed whoever names them.
    pub own_key_variables: BTreeSet<String>,
}

impl Plan {
    /// The variables that the child gets with something secret in them.
    pub fn secret_variables(&self, launch: &Launch) -> BTreeSet<String> {
        let set = self.env.iter().filter_map(|(name, value)| Some((name.to_str()?, value.as_ref()?)));
        let secret = set.filter(|(_, value)| value.is_secret()).map(|(name, _)| name);
        secret.chain(launch.secret_variables()).map(str::to_owned).collect()
    }

    /// Sets a variable of the child.
    pub fn set(&mut self, name: impl AsRef<OsStr>, value: impl Into<Value>) {
        self.env.insert(name.as_ref().to_owned(), Some(value.into()));
    }

    /// Removes a variable from the child's environment.
    pub fn unset(&mut self, name: impl AsRef<OsStr>) {
        self.env.insert(name.as_ref().to_owned(), None);
    }

    /// Lets the child inherit a variable of the provider's key or headers where a file of the user's own, not of a
    /// project, names it, and says which.
    pub fn keep_key_variable(&mut self, name: &str, named_by: &Path) {
        // What the agent itself listens to would be a second credential.
        if let Some(None) = self.env.get(OsStr::new(name))
            && !self.own_key_variables.contains(name)
        {
            self.env.remove(OsStr::new(name));
            self.info(format!("{name} is kept in the environment, because {} names it", named_by.display()));
        }
    }

    /// Takes over a home of the tool before this one as a whole, where there is none yet. Both must be known.
    pub fn take_over_home(&mut self, from: PathBuf, to: PathBuf, without: &[&str], inputs: &Inputs) {
        // The copying names what cannot be listed, and notes it.
        let is_hidden = inputs.is_unreadable(&from);
        let is_something = is_hidden || !inputs.entries(&from).is_empty();
        if !is_something || !inputs.is_absent(&to) {
            return;
        }
        if !is_hidden {
            self.warn(Message::new(
                format!(
                    "{} was copied to {}, where agent-run keeps it from now on",
                    from.display(),
                    to.display()
                ),
                "nothing to do; the original was not changed",
            ));
        }
        let without = without.iter().map(|&name| name.to_owned()).collect();
        self.carry.push(Carry { whole: true, without, ..Carry::new(from, to) });
    }

    /// Adds an argument.
    pub fn arg(&mut self, arg: impl Into<OsString>) {
        self.args.push(arg.into());
    }

    /// Adds the standing arguments of the config and the user's own words.
    pub fn append_user_args(&mut self, launch: &Launch) {
        self.args.extend(launch.words().map(OsStr::to_owned));
    }

    /// Writes a file of agent-run.
    pub fn write(&mut self, path: impl Into<PathBuf>, contents: impl Into<Vec<u8>>) {
        self.files.insert(path.into(), contents.into());
    }

    /// Writes a copy of a file of the user's.
    pub fn copy(&mut self, from: PathBuf, to: PathBuf, contents: &[u8]) {
        self.write(&to, contents);
        self.copies.insert(to, from);
    }

    /// Keeps a link in place.
    pub fn link(&mut self, path: impl Into<PathBuf>, target: impl AsRef<Path>) {
        let target = target.as_ref().to_owned();
        self.links.insert(path.into(), Some(Link { target, replaces_folder: false }));
    }

    /// Tells the user on every launch.
    pub fn warn(&mut self, message: impl Into<Message>) {
        self.notes.push(Note::Warning(message.into()));
    }

    /// Warns of a project's server that is turned off.
    pub fn warn_of_server(&mut self, path: &Path, name: &str, launch: &Launch) {
        let (path, provider) = (path.display(), &launch.provider);
        self.warn(format!(
            "{path}: the MCP server `{name}` would get the key of provider `{provider}`; it is off in this launch"
        ));
    }

    /// Tells the user in a dry run.
    pub fn info(&mut self, message: impl Into<Message>) {
        self.notes.push(Note::Info(message.into()));
    }
}
