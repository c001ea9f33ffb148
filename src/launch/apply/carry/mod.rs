//! Copies files to where a launch looks for them: from where an older version kept them, or a session of the user's own.
//!
//! What cannot be read stops no launch: it is named, and the next launches try it again.

pub mod pending;
mod rollout;

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use shims::{Carry, KeyText};

use crate::fs::atomic::beside;
use crate::fs::{AtomicFile, Folders, io_error};
use rollout::CopyError;

/// What was not copied.
#[derive(Debug, Default)]
pub struct Left {
    /// Because another of its name is there.
    pub second: Vec<PathBuf>,
    /// Because it cannot be read.
    pub unread: Vec<Unread>,
}

/// A file or folder that could not be read.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Unread {
    /// What is to be copied, where to, and how.
    #[serde(flatten)]
    pub carry: Carry,
    /// What the system refused: `carry.from`, or a folder above it.
    #[serde(skip)]
    pub place: PathBuf,
    /// The system's reason.
    #[serde(skip)]
    pub why: String,
    /// What the file was like, where its content is at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damaged: Option<Stamp>,
}

/// The length of a file, and when it was written last, in seconds and nanoseconds.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Stamp(pub [i64; 3]);

impl Stamp {
    /// That of the file at `path`, if it can be known.
    pub fn of(path: &Path) -> Option<Self> {
        let there = fs::metadata(path).ok()?;
        Some(Self([i64::try_from(there.len()).ok()?, there.mtime(), there.mtime_nsec()]))
    }
}

/// Copies what `carry` names and is not there yet. Called again after it was cut short, it goes on.
///
/// # Errors
/// When a copy cannot be written. What was copied until then is whole.
pub fn carry(carry: &Carry, folders: &mut Folders<'_>, left: &mut Left) -> Result<()> {
    if !carry.whole {
        return Copying { carry, root: &carry.from, fresh: None, folders, left }.copy(&carry.from, &carry.to);
    }
    if fs::symlink_metadata(&carry.to).is_ok() {
        return Ok(());
    }
    let fresh = beside(&carry.to, "new");
    // A home that the user has put elsewhere, with a link to it.
    let root = fs::canonicalize(&carry.from).and_then(|root| Ok((fs::metadata(&root)?.is_dir(), root)));
    let (root, error) = match root {
        Ok((true, root)) => (root, None),
        Err(error) if !is_absence(&error) => (carry.from.clone(), Some(error)),
        _ => return Ok(()),
    };
    let mut copying = Copying { carry, root: &root, fresh: Some(&fresh), folders, left };
    if let Some(error) = error {
        copying.unread(&root, &fresh, &error);
        return Ok(());
    }
    copying.copy(&root, &fresh)?;
    match fs::rename(&fresh, &carry.to) {
        // The folder could not be listed.
        Err(error) if is_absence(&error) => return Ok(()),
        renamed => renamed.map_err(io_error("write", &carry.to))?,
    }
    folders.forget(&fresh);
    Ok(())
}

/// Copies what an earlier launch could not read of what `carry` names, also into a folder that is there by now.
pub fn carry_rest(carry: &Carry, folders: &mut Folders<'_>, left: &mut Left) -> Result<()> {
    if carry.whole && fs::symlink_metadata(&carry.to).is_err() && carry.from.is_dir() {
        return self::carry(carry, folders, left);
    }
    Copying { carry, root: &carry.from, fresh: None, folders, left }.copy(&carry.from, &carry.to)
}

struct Copying<'a, 'b> {
    carry: &'a Carry,
    /// Where `carry.from` leads.
    root: &'a Path,
    /// The folder that gets the name `carry.to` at the end.
    fresh: Option<&'a Path>,
    folders: &'a mut Folders<'b>,
    left: &'a mut Left,
}

impl Copying<'_, '_> {
    fn copy(&mut self, from: &Path, to: &Path) -> Result<()> {
        let is_packed = !self.carry.values.is_empty() && is_session(from) && has_end(from, "zst");
        let unpacked = to.with_extension("");
        let to = if is_packed && has_end(to, "zst") { &*unpacked } else { to };
        match self.try_copy(from, to) {
            Err(CopyError::Read(error)) => {
                self.unread(from, to, &error);
                Ok(())
            }
            Err(CopyError::Write(error)) => Err(io_error("write", to)(error)),
            Err(CopyError::Other(error)) => Err(error),
            Ok(()) => Ok(()),
        }
    }

    fn try_copy(&mut self, from: &Path, to: &Path) -> Result<(), CopyError> {
        let there = match fs::symlink_metadata(from) {
            Err(error) if is_absence(&error) => return Ok(()),
            there => there.map_err(CopyError::Read)?,
        };
        if there.is_dir() {
            return self.copy_folder(from, to);
        }
        if there.is_symlink() && self.carry.whole {
            return copy_link(from, to).map_err(CopyError::Other);
        }
        if there.is_symlink() && is_session(from) {
            // Of a user who keeps sessions on another disk.
            return match fs::metadata(from) {
                Ok(behind) if behind.is_file() => self.copy_file(from, to, &behind),
                Err(error) if !is_absence(&error) => Err(CopyError::Read(error)),
                _ => Ok(()),
            };
        }
        if there.is_file() { self.copy_file(from, to, &there) } else { Ok(()) }
    }

    fn copy_folder(&mut self, from: &Path, to: &Path) -> Result<(), CopyError> {
        let names = fs::read_dir(from).and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<io::Result<Vec<_>>>()
        });
        let names = names.map_err(CopyError::Read)?;
        self.folders.private(to).map_err(CopyError::Other)?;
        for name in names {
            if !(from == self.root && self.carry.leaves(&name)) {
                self.copy(&from.join(&name), &to.join(&name)).map_err(CopyError::Other)?;
            }
        }
        Ok(())
    }

    fn copy_file(&mut self, from: &Path, to: &Path, there: &Metadata) -> Result<(), CopyError> {
        // An empty session is none, and would keep its id from the one that is not.
        let is_empty = |file: &Metadata| file.is_file() && file.len() == 0 && is_session(from);
        let stands = fs::symlink_metadata(to).is_ok_and(|file| !is_empty(&file));
        if is_empty(there) && self.is_launchs(from) {
            // What no launch wrote to is nothing to wait for.
            return Ok(());
        }
        let by_line = has_end(to, "rules") || from == self.root && has_end(to, "jsonl") && !is_session(from);
        // Only of homes that launches made the user would miss what another has the place of.
        if stands && !by_line && !self.is_launchs(from) {
            return Ok(());
        }
        if !stands {
            self.write(from, to, there, |out| contents(from, &self.carry.values, out))
        } else if by_line {
            self.add_lines(from, to, there)
        } else {
            self.compare(from, to)
        }
    }

    /// Writes the copy in one step. What cannot be read to its end leaves nothing.
    fn write(
        &mut self,
        from: &Path,
        to: &Path,
        there: &Metadata,
        content: impl FnOnce(&mut File) -> Result<(), CopyError>,
    ) -> Result<(), CopyError> {
        // First: where nothing can be read no folder is made, which may be one that the user has moved away.
        drop(File::open(from).map_err(CopyError::Read)?);
        if let Some(folder) = to.parent() {
            self.folders.private(folder).map_err(CopyError::Other)?;
        }
        let mode = if there.permissions().mode() & 0o100 == 0 { 0o600 } else { 0o700 };
        let mut fresh = AtomicFile::open(to).map_err(CopyError::Write)?;
        content(fresh.file())?;
        let finish = || {
            fresh.write(&[], mode)?;
            fresh.commit()?;
            // The agent sorts sessions by it.
            let modified = there.modified()?;
            File::options().write(true).open(to)?.set_modified(modified)
        };
        finish().map_err(CopyError::Write)
    }

    /// Adds the lines that are missing in what is there.
    fn add_lines(&mut self, from: &Path, to: &Path, there: &Metadata) -> Result<(), CopyError> {
        let more = fs::read(from).map_err(CopyError::Read)?;
        let now = fs::read(to).map_err(CopyError::Write)?;
        match joined(&now, &more) {
            Some(joined) => {
                self.write(from, to, there, |out| out.write_all(&joined).map_err(CopyError::Write))
            }
            None => Ok(()),
        }
    }

    /// Says when what is there is another.
    fn compare(&mut self, from: &Path, to: &Path) -> Result<(), CopyError> {
        // What Codex unpacks itself, it unpacks again.
        if from.iter().any(|part| part == ".system") {
            return Ok(());
        }
        let mut now = Same { file: BufReader::new(File::open(to).map_err(CopyError::Write)?), is_same: true };
        contents(from, &self.carry.values, &mut now)?;
        let is_at_end = now.file.read(&mut [0]).map_err(CopyError::Write)? == 0;
        if !(now.is_same && is_at_end) {
            self.left.second.push(from.to_owned());
        }
        Ok(())
    }

    fn is_launchs(&self, from: &Path) -> bool {
        [&self.folders.dirs().cache, &self.folders.dirs().state].iter().any(|base| from.starts_with(base))
    }

    fn unread(&mut self, from: &Path, to: &Path, error: &io::Error) {
        let to = match self.fresh.and_then(|fresh| to.strip_prefix(fresh).ok()) {
            Some(below) if below.as_os_str().is_empty() => self.carry.to.clone(),
            Some(below) => self.carry.to.join(below),
            None => to.to_owned(),
        };
        // A file below a folder that cannot be entered: the folder is what the user has to look at.
        let is_seen = |path: &&Path| fs::symlink_metadata(path).is_ok();
        let place = from.ancestors().find(is_seen).unwrap_or(from).to_owned();
        let without = if from == self.root { self.carry.without.clone() } else { Vec::new() };
        let (values, whole) = (self.carry.values.clone(), self.carry.whole);
        let carry = Carry { values, whole, without, ..Carry::new(from.to_owned(), to) };
        // What is wrong is in the file: it stays so until somebody writes to it.
        let is_damaged = matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof);
        let damaged = if is_damaged { Stamp::of(from) } else { None };
        self.left.unread.push(Unread { carry, place, why: error.to_string(), damaged });
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Whether it has the name of a session of Codex, packed or not.
fn is_session(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_bytes().starts_with(b"rollout-"))
}

fn has_end(path: &Path, end: &str) -> bool {
    path.extension().is_some_and(|it| it == end)
}

/// Writes what the copy of a file holds.
fn contents(from: &Path, values: &[KeyText], out: &mut impl Write) -> Result<(), CopyError> {
    let file = BufReader::with_capacity(1 << 16, File::open(from).map_err(CopyError::Read)?);
    if values.is_empty() || !is_session(from) {
        rollout::copy_bytes(file, out)
    } else if has_end(from, "zst") {
        rollout::copy_lines(rollout::unpacked(file).map_err(CopyError::Read)?, values, out)
    } else {
        rollout::copy_lines(file, values, out)
    }
}

/// Compares what is written with a file.
struct Same {
    file: BufReader<File>,
    is_same: bool,
}

impl Write for Same {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut now = vec![0; bytes.len()];
        match self.file.read_exact(&mut now) {
            Ok(()) => self.is_same &= now == bytes,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => self.is_same = false,
            Err(error) => return Err(error),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn copy_link(from: &Path, to: &Path) -> Result<()> {
    let target = fs::read_link(from).map_err(io_error("read", from))?;
    match symlink(target, to) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made.map_err(io_error("link", to)),
    }
}

/// The lines of `now`, then those of `more` that are not among them; `None` when there are none.
fn joined(now: &[u8], more: &[u8]) -> Option<Vec<u8>> {
    let known: HashSet<&[u8]> = now.split(|&byte| byte == b'\n').collect();
    let mut joined = now.to_vec();
    for line in more.split(|&byte| byte == b'\n').filter(|line| !line.is_empty() && !known.contains(line)) {
        if joined.last().is_some_and(|&byte| byte != b'\n') {
            joined.push(b'\n');
        }
        joined.extend_from_slice(line);
        joined.push(b'\n');
    }
    (joined.len() > now.len()).then_some(joined)
}

#[cfg(test)]
mod tests;
