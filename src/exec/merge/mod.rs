//! The one change to a file of the user's own: a few keys merged into a JSON object.
//!
//! The file belongs to a program that may be running and rewrites it too. So the merge takes that
//! program's own lock, replaces the file in one step, and looks again whether what it wrote is still there
//! (Claude Code 2.1.197 writes without the lock when it cannot get it). Everything else in the file stays
//! as it was, text for text: numbers, order, and what is not even valid Unicode inside a string.

mod lock;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use indexmap::IndexMap;
use serde_json::Value as Json;
use serde_json::value::{RawValue, to_raw_value};
use shims::{Edit, Merge};

use super::users;
use crate::report;
use lock::Lock;

/// How often the file is written when someone else keeps writing it too.
const ATTEMPTS: usize = 3;

type Object = IndexMap<String, Box<RawValue>>;

/// An edit with its secret filled in.
enum Step<'a> {
    Set(&'static str, &'a Json),
    /// Adds a text to the array at a path.
    Add(&'static [&'static str], &'a str),
}

/// Merges into the file at `path`, unless all of it is there already.
///
/// A file that cannot be written is a warning: the agent starts without it.
///
/// # Errors
/// When the file is there and is no JSON object: it is then left as it is.
pub fn merge(path: &Path, merge: &Merge, key: Option<&str>) -> Result<()> {
    let steps: Vec<Step<'_>> = merge.edits.iter().filter_map(|edit| step(edit, path, key)).collect();
    let target = behind_links(path);
    for _ in 0..ATTEMPTS {
        if edited(path, &target, &steps)?.is_none() {
            return Ok(());
        }
        let _lock = Lock::take(&merge.lock);
        let Some(text) = edited(path, &target, &steps)? else { return Ok(()) };
        if let Err(error) = users::replace(&target, text.as_bytes()) {
            report::warn(&format!("could not write {}: {error}", path.display()));
            return Ok(());
        }
    }
    Ok(())
}

fn step<'a>(edit: &'a Edit, path: &Path, key: Option<&'a str>) -> Option<Step<'a>> {
    match edit {
        Edit::Set(name, value) => Some(Step::Set(name, value)),
        Edit::AddKeyTail(place, count) => {
            let key = key?;
            let tail = key.char_indices().rev().nth(count.checked_sub(1)?).filter(|(start, _)| *start > 0);
            if tail.is_none() {
                report::warn(&format!(
                    "the key has no more than {count} characters, and {} would hold all of it: \
                     it is not written there, and the agent will ask whether to use it",
                    path.display()
                ));
            }
            tail.map(|(start, _)| Step::Add(place, &key[start..]))
        }
    }
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
fn edited(path: &Path, target: &Path, steps: &[Step<'_>]) -> Result<Option<String>> {
    let text = match fs::read_to_string(target) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => "{}".to_owned(),
        Err(error) => {
            report::warn(&format!("could not read {}: {error}", path.display()));
            return Ok(None);
        }
    };
    let mut object: Object = match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(object) => object,
        Err(error) => bail!(
            "could not read {}: {error}\nhelp: mend the file or move it away; it was left as it is",
            path.display()
        ),
    };
    let mut changed = false;
    for step in steps {
        changed |= match step {
            Step::Set(name, value) => set(&mut object, name, value)?,
            Step::Add(path, text) => add(&mut object, path, text)?,
        };
    }
    Ok(changed.then(|| serde_json::to_string_pretty(&object)).transpose()?)
}

/// Sets a key, and tells whether that changed anything.
fn set(object: &mut Object, name: &str, value: &Json) -> serde_json::Result<bool> {
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
fn add(object: &mut Object, path: &[&str], text: &str) -> serde_json::Result<bool> {
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
        let Ok(inner) = serde_json::from_str::<Option<Object>>(now) else { return Ok(false) };
        let mut inner = inner.unwrap_or_default();
        if !add(&mut inner, rest, text)? {
            return Ok(false);
        }
        to_raw_value(&inner)?
    };
    object.insert((*name).to_owned(), new);
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    const KEY: &str = "sk-0123456789-abcdefghijKLMNOP";
    const TAIL: &str = "3456789-abcdefghijKLMNOP";

    struct Home(tempfile::TempDir);

    impl Home {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a folder"))
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn with(text: &str) -> Self {
            let home = Self::new();
            fs::write(home.path("f.json"), text).expect("written");
            home
        }

        fn merge(&self, edits: Vec<Edit>, key: Option<&str>) -> Result<()> {
            merge(&self.path("f.json"), &Merge { edits, lock: self.path("f.json.lock") }, key)
        }

        fn text(&self) -> String {
            fs::read_to_string(self.path("f.json")).expect("there")
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(self.0.path()).expect("a folder");
            let mut names: Vec<_> =
                entries.map(|entry| entry.expect("one").file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            names
        }
    }

    fn flag() -> Vec<Edit> {
        vec![Edit::Set("done", true.into())]
    }

    fn approve() -> Vec<Edit> {
        vec![Edit::AddKeyTail(&["keys", "approved"], 24)]
    }

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).expect("there").permissions().mode() & 0o777
    }

    #[test]
    fn a_missing_file_is_made_private_and_nothing_else_is_left() {
        let home = Home::new();
        home.merge(flag(), None).expect("merged");
        assert_eq!(home.text(), "{\n  \"done\": true\n}");
        assert_eq!((mode(&home.path("f.json")), home.names()), (0o600, vec!["f.json".to_owned()]));
    }

    #[test]
    fn everything_else_stays_text_for_text() {
        let odd = r#"{
  "big": 123456789012345678901234567890.10,
  "half": "\ud83d",
  "projects": {
    "/w": {"b": 1, "a": 1e2}
  },
  "done": false
}"#;
        let home = Home::with(odd);
        fs::set_permissions(home.path("f.json"), Permissions::from_mode(0o640)).expect("set");
        home.merge(flag(), None).expect("merged");
        assert_eq!(home.text(), odd.replace("false", "true"));
        assert_eq!(mode(&home.path("f.json")), 0o640);
    }

    #[test]
    fn nothing_is_written_when_nothing_changes() {
        use std::os::unix::fs::MetadataExt;
        let home = Home::with(&format!(r#"{{"done":true,"keys":{{"approved":["{TAIL}"]}}}}"#));
        let before = fs::metadata(home.path("f.json")).expect("there").ino();
        home.merge([flag(), approve()].concat(), Some(KEY)).expect("merged");
        assert_eq!(fs::metadata(home.path("f.json")).expect("there").ino(), before);
    }

    #[test]
    fn the_end_of_a_key_is_added_once() {
        for (before, after) in [
            ("{}", vec![TAIL]),
            (r#"{"keys": null}"#, vec![TAIL]),
            (r#"{"keys": {"approved": ["x"], "rejected": []}}"#, vec!["x", TAIL]),
        ] {
            let home = Home::with(before);
            for _ in 0..2 {
                home.merge(approve(), Some(KEY)).expect("merged");
            }
            let json: Json = serde_json::from_str(&home.text()).expect("JSON");
            assert_eq!(json["keys"]["approved"], Json::from(after), "{before}");
        }
    }

    #[test]
    fn a_short_key_is_never_stored_and_a_strange_shape_stays() {
        for (text, key) in [("{}", TAIL), (r#"{"keys": "x"}"#, KEY), (r#"{"keys": {"approved": 1}}"#, KEY)] {
            let home = Home::with(text);
            home.merge(approve(), Some(key)).expect("merged");
            assert_eq!(home.text(), text);
        }
    }

    #[test]
    fn a_broken_file_is_refused_and_left() {
        for text in ["", "{\"a\":1,", "[]", "null"] {
            let home = Home::with(text);
            let error = home.merge(flag(), None).expect_err(text).to_string();
            assert!(
                error.contains("f.json") && error.contains(" line 1 ") && error.contains("\nhelp: "),
                "{error}"
            );
            assert_eq!((home.text().as_str(), home.names().len()), (text, 1));
        }
    }

    #[test]
    fn links_are_written_through() {
        let home = Home::new();
        fs::create_dir(home.path("real")).expect("created");
        symlink("middle", home.path("f.json")).expect("linked");
        symlink("real/file.json", home.path("middle")).expect("linked");
        home.merge(flag(), None).expect("merged through a dangling link");
        home.merge(vec![Edit::Set("more", 1.into())], None).expect("merged");
        let json: Json = serde_json::from_str(&home.text()).expect("JSON");
        assert_eq!((&json["done"], &json["more"]), (&Json::Bool(true), &Json::from(1)));
        assert_eq!(fs::read_link(home.path("f.json")).expect("a link"), Path::new("middle"));
        assert_eq!(home.names(), ["f.json", "middle", "real"]);
    }

    #[test]
    fn what_cannot_be_written_does_not_stop_the_launch() {
        let home = Home::new();
        symlink("gone/file.json", home.path("f.json")).expect("linked");
        home.merge(flag(), None).expect("a warning");
        assert_eq!(home.names(), ["f.json"]);
    }

    #[test]
    fn a_missing_folder_is_made_private() {
        let home = Home::new();
        let path = home.path("cc/f.json");
        merge(&path, &Merge { edits: flag(), lock: home.path("cc/f.json.lock") }, None).expect("merged");
        assert_eq!((mode(&home.path("cc")), mode(&path)), (0o700, 0o600));
    }

    #[test]
    fn merges_at_once_lose_nothing() {
        const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let home = Home::new();
        std::thread::scope(|scope| {
            for name in NAMES {
                let home = &home;
                scope.spawn(move || home.merge(vec![Edit::Set(name, true.into())], None).expect("merged"));
            }
        });
        let json: Object = serde_json::from_str(&home.text()).expect("JSON");
        assert_eq!(json.len(), NAMES.len(), "{}", home.text());
        assert_eq!(home.names(), ["f.json"]);
    }
}
