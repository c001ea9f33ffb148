//! What could not be read when it was to be copied: noted, and tried again by the launches that follow.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::Value as Json;
use shims::{Message, Note};

use super::{Left, Stamp, Unread, carry_rest};
use crate::fs::{Folders, files, io_error};

/// Copies what was noted in `path` and can be read now.
///
/// Returns what still cannot; `None` when nothing was noted. `seconds` gets what has another in its place.
pub fn again(
    path: &Path,
    folders: &mut Folders<'_>,
    seconds: &mut Vec<PathBuf>,
    notes: &mut Vec<Note>,
) -> Result<Option<Vec<Unread>>> {
    let Some(noted) = read(path) else { return Ok(None) };
    let mut left = Left::default();
    let mut copied = Vec::new();
    // What the user has a link for by now is the user's to fill.
    for unread in noted.into_iter().filter(|it| !it.carry.to.is_symlink()) {
        if unread.damaged.is_some() && unread.damaged == Stamp::of(&unread.carry.from) {
            left.unread.push(unread);
            continue;
        }
        let (before, noted) = (left.unread.len(), unread.carry);
        carry_rest(&noted, folders, &mut left)?;
        // What is gone since is not waited for.
        let is_second = left.second.contains(&noted.from);
        if left.unread.len() == before && !is_second && fs::symlink_metadata(&noted.from).is_ok() {
            copied.push(noted.from);
        }
    }
    seconds.append(&mut left.second);
    if !copied.is_empty() {
        notes.push(Note::Warning(Message::new(
            format!("copied files that could not be read before:{}", list(copied.iter())),
            "nothing to do; the originals were not changed",
        )));
    }
    Ok(Some(left.unread))
}

/// What is noted in `path`, for people.
pub fn places(path: &Path) -> Vec<String> {
    read(path).into_iter().flatten().map(|noted| noted.carry.from.display().to_string()).collect()
}

/// Names what could not be read, and notes what is to be tried again, beside what was noted before and `still` is.
pub fn note(
    path: &Path,
    still: Option<Vec<Unread>>,
    new: Vec<Unread>,
    folders: &mut Folders<'_>,
    notes: &mut Vec<Note>,
) -> Result<()> {
    if still.is_none() && new.is_empty() {
        return Ok(());
    }
    let dirs = folders.dirs();
    // A session of the user's own is copied when it is named, and only then.
    let is_kept = |it: &Unread| [&dirs.cache, &dirs.state].iter().any(|base| it.carry.from.starts_with(base));
    notes.extend(warning(&new, &is_kept));
    let mut all: Vec<Json> = Vec::new();
    for unread in still.into_iter().flatten().chain(new.into_iter().filter(|it| is_kept(it))) {
        // Not where a name is not UTF-8, which is named, and not tried again.
        all.extend(serde_json::to_value(&unread).ok().filter(|noted| !all.contains(noted)));
    }
    if !all.is_empty() {
        return files::write_in(folders, path, format!("{:#}\n", Json::from(all)).as_bytes());
    }
    match fs::remove_file(path) {
        // Another launch may have removed it.
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io_error("remove", path)(error)),
        _ => Ok(()),
    }
}

fn warning(new: &[Unread], is_kept: &dyn Fn(&Unread) -> bool) -> Option<Note> {
    if new.is_empty() {
        return None;
    }
    let mut places: Vec<(&Path, &str)> = new.iter().map(|it| (&*it.place, &*it.why)).collect();
    places.sort_unstable();
    places.dedup_by_key(|(place, _)| *place);
    let line = |(place, why): &(&Path, &str)| format!("\n  {}: {why}", place.display());
    let places: String = places.iter().map(line).collect();
    let then = if new.iter().any(is_kept) {
        "; later launches try again"
    } else {
        "; the next launch with this session tries again"
    };
    Some(Note::Warning(Message::new(
        format!("these files could not be read, and were not copied:{places}"),
        format!("check their permissions{then}"),
    )))
}

fn list<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> String {
    let line = |path: &PathBuf| format!("\n  {}", path.display());
    paths.map(line).collect()
}

/// `None` when nothing is noted. What is not written so is passed over.
fn read(path: &Path) -> Option<Vec<Unread>> {
    let noted: Vec<Json> = serde_json::from_slice(&files::read(path).ok()?).ok()?;
    Some(noted.into_iter().filter_map(|unread| serde_json::from_value(unread).ok()).collect())
}
