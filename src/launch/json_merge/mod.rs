//! The one change to a file of the user's own: a few keys merged into a JSON object.
//!
//! The file belongs to a program that may be running and rewrites it too. So the merge takes that
//! program's own lock, replaces the file in one step, and looks again whether what it wrote is still there
//! (Claude Code 2.1.197 writes without the lock when it cannot get it). Everything else in the file stays
//! as it was, text for text: numbers, order, and what is not even valid Unicode inside a string.

mod lock;

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use indexmap::IndexMap;
use serde_json::Value as Json;
use serde_json::value::{RawValue, to_raw_value};
use shims::json::{self, JAVASCRIPT};
use shims::{Edit, Merge, Message};

use crate::fs::private_dir::make_own;
use crate::fs::{AtomicFile, nonblocking};
use crate::ui;
use lock::Lock;

/// How often the file is written when someone else keeps writing it too.
const ATTEMPTS: usize = 3;

type RawObject = IndexMap<String, Box<RawValue>>;

/// An edit with its secret filled in.
enum MergeStep<'a> {
    Set(&'static str, &'a Json),
    /// Adds a text to the array at a path.
    Add(&'static [&'static str], &'a str),
}

/// Merges into the file at `path`, unless all of it is there already.
///
/// A file that cannot be written is a warning: the agent starts without it.
///
/// # Errors
/// When the file is there and is no JSON object, or somebody else holds its lock: it is then left as it is.
pub fn merge(path: &Path, merge: &Merge, key: Option<&str>) -> Result<()> {
    let steps: Vec<MergeStep<'_>> = merge.edits.iter().filter_map(|edit| step(edit, path, key)).collect();
    let target = behind_links(path);
    for _ in 0..ATTEMPTS {
        if edited(path, &target, &steps)?.is_none() {
            return Ok(());
        }
        if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
            // Private, as the agent would make it. If it fails, so does writing, which is reported.
            _ = make_own(folder);
        }
        // Other launches wait here, and one alone for the program's own lock.
        let fresh = match AtomicFile::open(&target) {
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                return Err(error).with_context(|| format!("could not change {}", path.display()));
            }
            fresh => fresh,
        };
        let _lock = Lock::take(&merge.lock)?;
        let Some(text) = edited(path, &target, &steps)? else { return Ok(()) };
        if let Err(error) = fresh.and_then(|fresh| replace(fresh, &target, text.as_bytes())) {
            ui::log::warn(format!("could not write {}: {error}", path.display()));
            return Ok(());
        }
    }
    Ok(())
}

fn step<'a>(edit: &'a Edit, path: &Path, key: Option<&'a str>) -> Option<MergeStep<'a>> {
    match edit {
        Edit::Set(name, value) => Some(MergeStep::Set(name, value)),
        Edit::AddKeyTail(place, count) => {
            let key = key?;
            let tail = key.char_indices().rev().nth(count.checked_sub(1)?).filter(|(start, _)| *start > 0);
            if tail.is_none() {
                ui::log::warn(format!(
                    "the key has at most {count} characters, and {} would contain all of it: it is not \
                     written there, and the agent asks whether to use it",
                    path.display()
                ));
            }
            tail.map(|(start, _)| MergeStep::Add(place, &key[start..]))
        }
    }
}

/// What `merge` makes of a file that holds `text`; `None` when it changes nothing.
pub fn merged(text: &str, edits: &[Edit], key: Option<&str>) -> Result<Option<String>> {
    let path = Path::new("f.json");
    let steps: Vec<MergeStep<'_>> = edits.iter().filter_map(|edit| step(edit, path, key)).collect();
    with_steps(path, text, &steps)
}

/// The file that `path` leads to, whether it is there or not: a link is written through, never replaced.
fn behind_links(path: &Path) -> PathBuf {
    let mut target = path.to_owned();
    for _ in 0..40 {
        let Ok(next) = fs::read_link(&target) else { break };
        target = target.parent().unwrap_or(Path::new("/")).join(next);
    }
    target
}

/// The file's text after the steps; `None` when they change nothing, or the file cannot be read.
fn edited(path: &Path, target: &Path, steps: &[MergeStep<'_>]) -> Result<Option<String>> {
    let text = match nonblocking::text(target) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => "{}".to_owned(),
        Err(error) => {
            ui::log::warn(format!("could not read {}: {error}", path.display()));
            return Ok(None);
        }
    };
    with_steps(path, &text, steps)
}

/// The text of the file at `path` after the steps; `None` when they change nothing.
fn with_steps(path: &Path, text: &str, steps: &[MergeStep<'_>]) -> Result<Option<String>> {
    let mut object: RawObject = match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(object) => object,
        // Half a surrogate pair in a key: the agent reads it, and no text of Rust's can hold it.
        Err(error) if matches!(json::parse(text.as_bytes(), JAVASCRIPT), Ok(Json::Object(_))) => {
            ui::log::warn(format!("could not change {}: {error}", path.display()));
            return Ok(None);
        }
        Err(error) => bail!(Message::new(
            format!("could not read {}: {error}", path.display()),
            "fix the file or move it out of the way; it was not changed"
        )),
    };
    let mut changed = false;
    for step in steps {
        changed |= match step {
            MergeStep::Set(name, value) => set(&mut object, name, value)?,
            MergeStep::Add(path, text) => add(&mut object, path, text)?,
        };
    }
    Ok(changed.then(|| serde_json::to_string_pretty(&object)).transpose()?)
}

/// Sets a key, and tells whether that changed anything.
fn set(object: &mut RawObject, name: &str, value: &Json) -> serde_json::Result<bool> {
    let now = object.get(name).and_then(|raw| serde_json::from_str::<Json>(raw.get()).ok());
    if now.as_ref() == Some(value) {
        return Ok(false);
    }
    object.insert(name.to_owned(), to_raw_value(value)?);
    Ok(true)
}

/// Adds `text` to the array at `path`, and tells whether that changed anything.
///
/// What is missing or `null` on the way is made; what has another shape stays as it is.
fn add(object: &mut RawObject, path: &[&str], text: &str) -> serde_json::Result<bool> {
    let [name, rest @ ..] = path else { return Ok(false) };
    let now = object.get(*name).map_or("null", |raw| raw.get());
    let new = if rest.is_empty() {
        let Ok(list) = serde_json::from_str::<Option<Vec<Box<RawValue>>>>(now) else { return Ok(false) };
        let mut list = list.unwrap_or_default();
        if list.iter().any(|raw| serde_json::from_str(raw.get()).is_ok_and(|there: String| there == text)) {
            return Ok(false);
        }
        list.push(to_raw_value(text)?);
        to_raw_value(&list)?
    } else {
        let Ok(inner) = serde_json::from_str::<Option<RawObject>>(now) else { return Ok(false) };
        let mut inner = inner.unwrap_or_default();
        if !add(&mut inner, rest, text)? {
            return Ok(false);
        }
        to_raw_value(&inner)?
    };
    object.insert((*name).to_owned(), new);
    Ok(true)
}

/// Puts `contents` in the file's place in one step, with the mode it had, or 0600 for a new one.
fn replace(mut fresh: AtomicFile, target: &Path, contents: &[u8]) -> io::Result<()> {
    fresh.write_preserving_metadata(contents, fs::metadata(target).ok().as_ref())?;
    fresh.commit()
}

#[cfg(test)]
mod tests;
