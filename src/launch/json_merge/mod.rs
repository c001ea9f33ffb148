//! The one change to a file of the user's own: a few keys merged into a JSON object.
//!
//! The file belongs to a program that may be running and rewrites it too. So the merge takes that
//! program's own lock, replaces the file in one step, and looks again whether what it wrote is still there
//! (Claude Code 2.1.197 writes without the lock when it cannot get it). Everything else in the file stays
//! as it was, text for text: numbers, order, and what is not even valid Unicode inside a string.

mod lock;

use std::fs;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use indexmap::IndexMap;
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use shims::json::{Dialect, parse};
use shims::{Edit, Merge, Message};

use crate::fs::private_dir::make_own;
use crate::fs::{AtomicFile, nonblocking};
use crate::ui;
use lock::Lock;

/// How often the file is written when someone else keeps writing it too.
const ATTEMPTS: usize = 3;

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
    let object = text.trim_start_matches('\u{feff}');
    let mut changed: Option<String> = None;
    for step in steps {
        let now = changed.as_deref().unwrap_or(object);
        let new = match step {
            MergeStep::Set(name, value) => with_member(now, name, |now| set(now, value)),
            MergeStep::Add(path, text) => add(now, path, text),
        };
        match new {
            Ok(new) => changed = new.or(changed),
            // Half a surrogate pair in a key: the agent reads it, and no text of Rust's can hold it.
            Err(error) if matches!(parse(text.as_bytes(), Dialect::JavaScript), Ok(Json::Object(_))) => {
                ui::log::warn(format!("could not change {}: {error}", path.display()));
                return Ok(None);
            }
            Err(error) => bail!(Message::new(
                format!("could not read {}: {error}", path.display()),
                "fix the file or move it out of the way; it was not changed"
            )),
        }
    }
    let mark = &text[..text.len() - object.len()];
    Ok(changed.map(|changed| format!("{mark}{changed}")))
}

/// The text of an object with one member changed or added, and every other byte as it was.
fn with_member(
    object: &str,
    name: &str,
    change: impl FnOnce(Option<&str>) -> Option<String>,
) -> serde_json::Result<Option<String>> {
    let members: IndexMap<String, &RawValue> = serde_json::from_str(object)?;
    let range = |value| range_in(object, value);
    let now = members.get(name).map(|value| value.get());
    let Some(value) = change(now) else { return Ok(None) };
    let mut text = object.to_owned();
    let member = format!("{}: {value}", Json::from(name));
    match (now, members.values().map(|value| range(value.get()).end).max()) {
        (Some(now), _) => text.replace_range(range(now), &value),
        (None, Some(end)) => {
            // As the first member stands after the `{`.
            let inside = object.trim_start()[1..].split('"').next().unwrap_or_default();
            text.insert_str(end, &format!(",{inside}{member}"));
        }
        (None, None) => {
            let inside = object.find('{').map_or(0, |at| at + 1)..object.rfind('}').unwrap_or(object.len());
            text.replace_range(inside, &format!("\n  {member}\n"));
        }
    }
    Ok(Some(text))
}

/// Where a part of a text is in it.
fn range_in(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr() - text.as_ptr().addr();
    start..start + part.len()
}

/// The new text of a value that is to be another.
fn set(now: Option<&str>, value: &Json) -> Option<String> {
    let now = now.and_then(|now| serde_json::from_str::<Json>(now).ok());
    (now.as_ref() != Some(value)).then(|| value.to_string())
}

/// The text of an object with `text` added to the array at `path`.
///
/// What is missing or `null` on the way is made; what has another shape stays as it is.
fn add(object: &str, path: &[&str], text: &str) -> serde_json::Result<Option<String>> {
    let [name, rest @ ..] = path else { return Ok(None) };
    with_member(object, name, |now| {
        let Some(now) = now.filter(|now| *now != "null") else {
            return Some(
                rest.iter().rev().fold(json!([text]), |value, name| json!({*name: value})).to_string(),
            );
        };
        if !rest.is_empty() {
            return add(now, rest, text).ok()?;
        }
        let items: Vec<&RawValue> = serde_json::from_str(now).ok()?;
        let (end, comma) = items.last().map_or((1, ""), |last| (range_in(now, last.get()).end, ", "));
        let is_text =
            |raw: &&RawValue| serde_json::from_str(raw.get()).is_ok_and(|there: String| there == text);
        let (start, rest) = now.split_at_checked(end)?;
        (!items.iter().any(is_text)).then(|| format!("{start}{comma}{}{rest}", Json::from(text)))
    })
}

/// Puts `contents` in the file's place in one step, with the mode it had, or 0600 for a new one.
fn replace(mut fresh: AtomicFile, target: &Path, contents: &[u8]) -> io::Result<()> {
    fresh.write_preserving_metadata(contents, fs::metadata(target).ok().as_ref())?;
    fresh.commit()
}

#[cfg(test)]
mod tests;
