//! What could not be read when it was to be copied: noted, and tried again by the launches that follow.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Value as Json, json};
use shims::{Carry, KeyText, Message, Note};

use super::{Left, Stamp, Unread, carry_rest};
use crate::fs::private_dir::Folders;
use crate::fs::{files, io_error};

/// Copies what was noted in `path` and can be read now.
///
/// Returns what still cannot; `None` when nothing was noted. `seconds` gets what has another in its place.
///
/// # Errors
/// As [`super::carry()`].
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
            format!("what could not be copied before can be read now and was:{}", list(copied.iter())),
            "nothing to do; the originals stay",
        )));
    }
    Ok(Some(left.unread))
}

/// What is noted in `path`, for people.
pub fn places(path: &Path) -> Vec<String> {
    read(path).into_iter().flatten().map(|noted| noted.carry.from.display().to_string()).collect()
}

/// Names what could not be read, and notes what is to be tried again, beside what was noted before and `still` is.
///
/// # Errors
/// When it cannot be noted.
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
        let noted = written(&unread);
        if !all.contains(&noted) {
            all.push(noted);
        }
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
        "; the launches that follow try again"
    } else {
        "; a launch that names the session again tries again"
    };
    Some(Note::Warning(Message::new(
        format!("these could not be read, and were not copied:{places}"),
        format!("see why{then}"),
    )))
}

fn list<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> String {
    let line = |path: &PathBuf| format!("\n  {}", path.display());
    paths.map(line).collect()
}

/// `null` where a name is not UTF-8: it is named, and not tried again.
fn written(unread: &Unread) -> Json {
    let carry = &unread.carry;
    let values = carry.values.iter().map(|it| json!({ "key": it.key, "was": it.was, "text": it.text }));
    let mut noted = json!({
        "from": carry.from.to_str(), "to": carry.to.to_str(), "values": values.collect::<Vec<_>>(),
    });
    if carry.whole {
        noted["whole"] = true.into();
    }
    if !carry.without.is_empty() {
        noted["without"] = json!(carry.without);
    }
    if let Some(Stamp(stamp)) = unread.damaged {
        noted["damaged"] = json!(stamp);
    }
    noted
}

/// `None` when nothing is noted. What is not written so is passed over.
fn read(path: &Path) -> Option<Vec<Unread>> {
    let (mut file, _) = files::open(path).ok()?;
    let mut text = String::new();
    std::io::Read::read_to_string(&mut file, &mut text).ok()?;
    let noted: Json = serde_json::from_str(&text).ok()?;
    let text = |at: &Json, key: &str| Some(at.get(key)?.as_str()?.to_owned());
    let texts = |list: &Json| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(|it| Some(it.as_str()?.to_owned())).collect()
    };
    let unread = |noted: &Json| -> Option<Unread> {
        let values = noted.get("values")?.as_array()?.iter().filter_map(|value| {
            Some(KeyText { key: text(value, "key")?, was: texts(&value["was"]), text: text(value, "text")? })
        });
        let from = PathBuf::from(text(noted, "from")?);
        let carry = Carry {
            to: text(noted, "to")?.into(),
            values: values.collect(),
            whole: noted["whole"] == true,
            without: texts(&noted["without"]),
            from: from.clone(),
        };
        let stamp =
            noted["damaged"].as_array().map(|it| it.iter().filter_map(Json::as_i64).collect::<Vec<_>>());
        let damaged = stamp.and_then(|stamp| Some(Stamp(stamp.try_into().ok()?)));
        Some(Unread { carry, place: from, why: String::new(), damaged })
    };
    Some(noted.as_array()?.iter().filter_map(unread).collect())
}
