//! How a plan reads: shell-quoted lines for people, JSON for programs. Both are stable.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde_json::{Map, Value as Json, json};

use crate::{Edit, Merge, Message, Note, Plan, Value};

/// `text` as one word of a shell; bytes that are not UTF-8 appear as `$'\xff'`.
pub fn quote(text: &OsStr) -> String {
    match text.to_str() {
        Some(text) if !text.chars().any(char::is_control) => {
            shlex::try_quote(text).map_or_else(|_| escaped(text.as_bytes()), std::borrow::Cow::into_owned)
        }
        _ => escaped(text.as_bytes()),
    }
}

/// The words as a shell takes them.
pub fn quoted<T: AsRef<OsStr>>(words: impl IntoIterator<Item = T>) -> String {
    words.into_iter().map(|word| quote(word.as_ref())).collect::<Vec<_>>().join(" ")
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = String::from("$'");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\'' | '\\' => text.extend(['\\', c]),
                '\n' => text.push_str("\\n"),
                '\t' => text.push_str("\\t"),
                c if c.is_ascii_control() => _ = write!(text, "\\x{:02x}", u32::from(c)),
                c if c.is_control() => _ = write!(text, "\\u{:04x}", u32::from(c)),
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            _ = write!(text, "\\x{byte:02x}");
        }
    }
    text + "'"
}

fn quoted_value(value: &Value) -> String {
    match value.plain() {
        Some(plain) => quote(&plain),
        // A secret's place is shown bare, as `<key>`: nobody pastes it, and it must stand out.
        None if value.parts().len() == 1 => value.to_string(),
        None => quote(OsStr::new(&value.to_string())),
    }
}

fn note(level: &str, message: &Message) -> Json {
    let mut note = json!({ "level": level, "text": message.text });
    if let Some(help) = &message.help {
        note["help"] = json!(help);
    }
    note
}

impl Merge {
    /// Its changes in one line.
    pub fn summary(&self) -> String {
        self.said().join("; ")
    }

    fn said(&self) -> Vec<String> {
        let said = self.edits.iter().map(|edit| match edit {
            Edit::Set(key, value) => format!("{key} = {value}"),
            Edit::AddKeyTail(path, count) => {
                format!("{} += last {count} characters of <key>", path.join("."))
            }
        });
        said.collect()
    }
}

impl Plan {
    /// What is copied, and where to.
    fn copied(&self) -> impl Iterator<Item = (&Path, &Path)> {
        let carried = self.carry.iter().map(|carry| (carry.from.as_path(), carry.to.as_path()));
        carried.chain(self.copies.iter().map(|(to, from)| (from.as_path(), to.as_path())))
    }

    /// The plan as shell-quoted lines, one an effect, in the order in which they happen; `contents` shows what the files
    /// hold.
    pub fn lines(&self, contents: bool) -> String {
        let at = |path: &Path| quote(path.as_os_str());
        let mut lines: Vec<String> = Vec::new();
        lines.extend(self.notes.iter().map(|note| match note {
            Note::Warning(message) => format!("# warning: {}", comment(message)),
            Note::Info(message) => format!("# note: {}", comment(message)),
        }));
        let unset = self.env.iter().filter(|(_, value)| value.is_none());
        lines.extend(unset.map(|(name, _)| format!("unset {}", quote(name))));
        let set = self.env.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        lines.extend(set.map(|(name, value)| format!("set {}={}", quote(name), quoted_value(value))));
        lines.extend(self.dirs.iter().chain(&self.user_dirs).map(|dir| format!("dir {}", at(dir))));
        lines.extend(self.copied().map(|(from, to)| format!("copy {} -> {}", at(from), at(to))));
        for (path, file) in self.files.iter().filter(|(path, _)| !self.copies.contains_key(*path)) {
            lines.push(format!("write {}", at(path)));
            if contents {
                let file = String::from_utf8_lossy(file);
                lines.extend(file.lines().map(|line| format!("  | {}", shortened(line))));
            }
        }
        lines.extend(self.links.iter().map(|(path, link)| match link {
            Some(link) => format!("link {} -> {}", at(path), at(&link.target)),
            None => format!("unlink {}", at(path)),
        }));
        lines.extend(self.adopt.iter().map(|(path, files)| {
            let files: Vec<_> = files.iter().map(|file| at(file)).collect();
            format!("link {} -> newest of {}", at(path), files.join(", "))
        }));
        lines.extend(self.old_copies.iter().map(|path| format!("remove {}", at(path))));
        lines.extend(
            self.merges.iter().map(|(path, merge)| format!("merge {}: {}", at(path), merge.summary())),
        );
        lines.push(format!("exec {}\n", quoted([&self.program].into_iter().chain(&self.args))));
        lines.join("\n")
    }

    /// The plan as data.
    pub fn json(&self) -> Json {
        let path = |path: &Path| Json::from(path.to_string_lossy());
        let word = |word: &OsStr| match word.to_str() {
            Some(text) => Json::from(text),
            None => json!({ "bytes": word.as_bytes() }),
        };
        let paths = |paths: &std::collections::BTreeSet<std::path::PathBuf>| -> Json {
            paths.iter().map(|dir| path(dir)).collect()
        };
        let set: Map<String, Json> = self
            .env
            .iter()
            .filter_map(|(name, value)| {
                Some((name.to_string_lossy().into_owned(), value.as_ref()?.to_string().into()))
            })
            .collect();
        json!({
            "program": word(&self.program),
            "args": self.args.iter().map(|arg| word(arg)).collect::<Json>(),
            "unset": self.env.iter().filter(|(_, value)| value.is_none())
                .map(|(name, _)| word(name)).collect::<Json>(),
            "set": set,
            "dirs": paths(&self.dirs),
            "user_dirs": paths(&self.user_dirs),
            "files": self.files.iter().filter(|(at, _)| !self.copies.contains_key(*at)).map(|(at, file)| json!({
                "path": path(at), "mode": "0600", "contents": String::from_utf8_lossy(file),
            })).collect::<Json>(),
            "links": self.links.iter().map(|(at, link)| json!({
                "path": path(at), "target": link.as_ref().map(|link| path(&link.target)),
            })).collect::<Json>(),
            "adopt": self.adopt.iter().map(|(at, files)| json!({
                "path": path(at), "newest_of": files.iter().map(|file| path(file)).collect::<Json>(),
            })).collect::<Json>(),
            "carry": self.copied().map(|(from, to)| json!({ "from": path(from), "to": path(to) })).collect::<Json>(),
            "remove": paths(&self.old_copies),
            "merges": self.merges.iter().map(|(at, merge)| json!({
                "path": path(at), "edits": merge.said(),
            })).collect::<Json>(),
            "notes": self.notes.iter().map(|it| match it {
                Note::Warning(message) => note("warning", message),
                Note::Info(message) => note("info", message),
            }).collect::<Json>(),
        })
    }
}

/// A message of which each line is a comment, so that a shell ignores all of it.
fn comment(message: &Message) -> String {
    message.render().replace('\n', "\n# ")
}

/// A line as far as anybody reads it: the texts that go to a model are pages long.
fn shortened(line: &str) -> Cow<'_, str> {
    const LONGEST: usize = 1500;
    if line.len() <= LONGEST {
        return line.into();
    }
    let boundary =
        |from: usize| (from..=line.len()).find(|&at| line.is_char_boundary(at)).unwrap_or(line.len());
    let (start, end) = (boundary(1000), boundary(line.len() - 100));
    format!("{} […{} bytes more…] {}", &line[..start], end - start, &line[end..]).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quote(OsStr::new("plain")), "plain");
        assert_eq!(quote(OsStr::new("")), "''");
        assert_eq!(quote(OsStr::new("two words")), "'two words'");
        assert_eq!(quote(OsStr::new("a\nb\x1b")), "$'a\\nb\\x1b'");
        assert_eq!(quote(OsStr::from_bytes(b"a\xff'b")), "$'a\\xff\\'b'");
    }

    #[test]
    fn a_long_line_is_shown_by_its_beginning_and_its_end() {
        assert_eq!(shortened("short"), "short");
        let line = format!("a{}z", "ü".repeat(2000));
        let shown = shortened(&line);
        assert!(
            shown.starts_with("aü") && shown.ends_with("üz") && shown.contains("[…2902 bytes more…]"),
            "{shown}"
        );
        assert!(shown.len() < 1300);
    }

    #[test]
    fn a_key_is_only_named() {
        let mut plan = Plan { program: "agent".into(), ..Plan::default() };
        plan.set("TOKEN", Value::key());
        plan.set("HEADER", Value::from("Bearer ").then(Value::key()));
        plan.unset("GONE");
        plan.arg("hello world");
        let lines = plan.lines(false);
        assert_eq!(
            lines,
            "unset GONE\nset HEADER='Bearer <key>'\nset TOKEN=<key>\nexec agent 'hello world'\n"
        );
        assert_eq!(plan.json()["set"]["TOKEN"], "<key>");
    }
}
