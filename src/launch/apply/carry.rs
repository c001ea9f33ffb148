//! Copies files to where a launch looks for them: from where an older version kept them, or a session of the user's own.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::Result;
use shims::Carry;

use crate::fs::atomic::{Replacement, beside};
use crate::fs::io_error;
use crate::fs::private_dir::Folders;

/// Copies what `carry` names and is not there yet. Called again after it was cut short, it goes on.
///
/// Returns what stayed behind, because another of its name is there.
///
/// # Errors
/// When a file cannot be read or written. What was copied until then is whole.
pub fn carry(carry: &Carry, folders: &mut Folders<'_>) -> Result<Vec<PathBuf>> {
    let mut left = Vec::new();
    if !carry.whole {
        copy(&carry.from, &carry.to, carry, folders, &mut left)?;
    } else if fs::symlink_metadata(&carry.to).is_err() && carry.from.is_dir() {
        let fresh = beside(&carry.to, "new");
        // A home that the user has put elsewhere, with a link to it.
        let from = fs::canonicalize(&carry.from).map_err(io_error("look at", &carry.from))?;
        copy(&from, &fresh, &Carry { from: from.clone(), ..carry.clone() }, folders, &mut left)?;
        fs::rename(&fresh, &carry.to).map_err(io_error("write", &carry.to))?;
        folders.forget(&fresh);
    }
    Ok(left)
}

fn copy(
    from: &Path,
    to: &Path,
    carry: &Carry,
    folders: &mut Folders<'_>,
    left: &mut Vec<PathBuf>,
) -> Result<()> {
    let there = match fs::symlink_metadata(from) {
        Ok(there) => there,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
        Err(error) => return Err(io_error("look at", from)(error)),
    };
    if there.is_dir() {
        folders.private(to)?;
        for entry in fs::read_dir(from).map_err(io_error("list", from))? {
            let name = entry.map_err(io_error("list", from))?.file_name();
            let stays = carry.without.iter().any(|start| name.as_bytes().starts_with(start.as_bytes()));
            if !(stays && from == carry.from) {
                copy(&from.join(&name), &to.join(&name), carry, folders, left)?;
            }
        }
        return Ok(());
    }
    if there.is_symlink() && carry.whole {
        return copy_link(from, to);
    }
    if !there.is_file() {
        return Ok(());
    }
    let stands = fs::symlink_metadata(to).is_ok();
    let is_root = to == carry.to;
    let by_line = to.extension().is_some_and(|it| it == "rules")
        || is_root && to.extension().is_some_and(|it| it == "jsonl");
    // Only of homes that launches made the user would miss what another has the place of.
    let is_launchs = [&folders.dirs().cache, &folders.dirs().state].iter().any(|base| from.starts_with(base));
    if stands && !by_line && !is_launchs {
        return Ok(());
    }
    let bytes = replaced(fs::read(from).map_err(io_error("read", from))?, &carry.replace);
    let bytes = with_values(bytes, &carry.values);
    let bytes = if stands {
        let now = fs::read(to).map_err(io_error("read", to))?;
        if !by_line {
            // What Codex unpacks itself, it unpacks again.
            if now != bytes && !from.iter().any(|part| part == ".system") {
                left.push(from.to_owned());
            }
            return Ok(());
        }
        let Some(joined) = joined(&now, &bytes) else { return Ok(()) };
        joined
    } else {
        bytes
    };
    if let Some(folder) = to.parent() {
        folders.private(folder)?;
    }
    let mode = if there.permissions().mode() & 0o100 == 0 { 0o600 } else { 0o700 };
    let write = || {
        let mut fresh = Replacement::begin(to)?;
        fresh.fill(&bytes, mode)?;
        fresh.commit()?;
        // The agent sorts sessions by it.
        let modified = there.modified()?;
        File::options().write(true).open(to)?.set_modified(modified)
    };
    write().map_err(io_error("write", to))
}

fn copy_link(from: &Path, to: &Path) -> Result<()> {
    let target = fs::read_link(from).map_err(io_error("read", from))?;
    match symlink(target, to) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made.map_err(io_error("link", to)),
    }
}

/// Every occurrence of each text.
fn replaced(bytes: Vec<u8>, replace: &[(String, String)]) -> Vec<u8> {
    replace.iter().fold(bytes, |bytes, (old, new)| {
        let mut fresh = Vec::with_capacity(bytes.len() + 64);
        let mut rest = &bytes[..];
        let finder = memchr::memmem::Finder::new(old.as_bytes());
        while let Some(at) = finder.find(rest) {
            fresh.extend_from_slice(&rest[..at]);
            fresh.extend_from_slice(new.as_bytes());
            rest = &rest[at + old.len()..];
        }
        fresh.extend_from_slice(rest);
        fresh
    })
}

/// With the text of each of these keys as wanted. Within a text of JSON no key is found: its quotes are escaped there.
fn with_values(bytes: Vec<u8>, values: &[(String, String)]) -> Vec<u8> {
    values.iter().fold(bytes, |bytes, (key, value)| {
        let start = format!("\"{key}\":\"");
        let finder = memchr::memmem::Finder::new(start.as_bytes());
        let mut fresh = Vec::with_capacity(bytes.len() + 64);
        let mut rest = &bytes[..];
        while let Some(at) = finder.find(rest) {
            let (before, text) = rest.split_at(at + start.len());
            fresh.extend_from_slice(before);
            fresh.extend_from_slice(value.as_bytes());
            rest = &text[end_of_text(text)..];
        }
        fresh.extend_from_slice(rest);
        fresh
    })
}

/// Where a text of JSON ends, after its first quote.
fn end_of_text(text: &[u8]) -> usize {
    let mut is_escaped = false;
    let end = text.iter().position(|&byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    });
    end.unwrap_or(text.len())
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
mod tests {
    use shims::Dirs;

    use super::*;

    #[test]
    fn only_the_text_of_a_key_is_replaced() {
        for (old, new) in [
            (r#"{"p":"openai","q":"p","t":"\"p\":\"x\""}"#, r#"{"p":"new","q":"p","t":"\"p\":\"x\""}"#),
            (r#"{"p":"a\"b\\","n":{"p":""}}"#, r#"{"p":"new","n":{"p":"new"}}"#),
            (r#"{"p":1,"p":"cut"#, r#"{"p":1,"p":"new"#),
            ("", ""),
        ] {
            let replaced = with_values(old.into(), &[("p".to_owned(), "new".to_owned())]);
            assert_eq!(String::from_utf8_lossy(&replaced), new, "{old}");
        }
    }

    #[test]
    fn copies_are_whole_and_add_up_and_originals_stay() {
        let root = tempfile::tempdir().expect("a folder");
        let dirs = Dirs {
            cache: root.path().join("cache/agent-run"),
            state: root.path().join("state/agent-run"),
            ..Dirs::default()
        };
        let put = |path: &str, text: &str| {
            let path = dirs.state.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("created");
            fs::write(&path, text).expect("written");
        };
        let get = |path: &str| fs::read_to_string(dirs.state.join(path)).expect(path);
        for provider in ["p", "q"] {
            put(
                &format!("codex/{provider}/sessions/2026/{provider}.jsonl"),
                "{\"id\":\"old\"} old\n{\"id\":\"old\"}\n",
            );
            put(&format!("codex/{provider}/sessions/2026/same.jsonl"), provider);
            put(&format!("codex/{provider}/history.jsonl"), &format!("both\n{provider}\n"));
            put(&format!("codex/{provider}/rules/default.rules"), &format!("{provider}\nboth"));
        }
        symlink("/etc", dirs.state.join("codex/p/sessions/link")).expect("linked");
        let carries: Vec<_> = ["p", "q"]
            .iter()
            .flat_map(|provider| {
                ["sessions", "history.jsonl", "rules", "absent"].map(|name| Carry {
                    from: dirs.state.join("codex").join(provider).join(name),
                    to: dirs.state.join("codex-shared").join(name),
                    replace: vec![("\"id\":\"old\"".to_owned(), "\"id\":\"new-1\"".to_owned())],
                    ..Carry::default()
                })
            })
            .collect();
        for _ in 0..2 {
            let mut folders = Folders::of(&dirs);
            let left: Vec<_> =
                carries.iter().flat_map(|it| carry(it, &mut folders).expect("copied")).collect();
            assert_eq!(left, [dirs.state.join("codex/q/sessions/2026/same.jsonl")], "and it is named");
            for provider in ["p", "q"] {
                let session = get(&format!("codex-shared/sessions/2026/{provider}.jsonl"));
                assert_eq!(session, "{\"id\":\"new-1\"} old\n{\"id\":\"new-1\"}\n");
                assert!(get(&format!("codex/{provider}/sessions/2026/{provider}.jsonl")).contains("\"old\""));
            }
            assert_eq!(get("codex-shared/sessions/2026/same.jsonl"), "p", "a file that is there stays");
            assert_eq!(get("codex-shared/history.jsonl"), "both\np\nq\n");
            assert_eq!(get("codex-shared/rules/default.rules"), "p\nboth\nq\n");
            assert!(!dirs.state.join("codex-shared/sessions/link").exists());
        }
        let modified =
            |path: &str| fs::metadata(dirs.state.join(path)).and_then(|it| it.modified()).expect("a time");
        assert_eq!(modified("codex/p/sessions/2026/p.jsonl"), modified("codex-shared/sessions/2026/p.jsonl"));
    }

    #[test]
    fn a_home_is_taken_over_as_one_and_once() {
        let root = tempfile::tempdir().expect("a folder");
        let dirs = Dirs {
            cache: root.path().join("cache/agent-run"),
            state: root.path().join("state/agent-run"),
            ..Dirs::default()
        };
        let from = dirs.cache.join("codex/work");
        for (name, mode) in [("auth.json", 0o600), ("skills/x/run", 0o755), ("state_5.sqlite", 0o600)] {
            fs::create_dir_all(from.join(name).parent().expect("a folder")).expect("created");
            fs::write(from.join(name), name).expect("written");
            fs::set_permissions(from.join(name), fs::Permissions::from_mode(mode)).expect("a mode");
        }
        symlink("/elsewhere", from.join("link")).expect("linked");
        let to = dirs.state.join("codex/work/home");
        let home = Carry { whole: true, without: &["state_"], ..Carry::of(from.clone(), to.clone()) };
        // Cut short before, and gone on with.
        let fresh = beside(&to, "new");
        Folders::of(&dirs).private(&fresh).expect("created");
        fs::write(fresh.join("auth.json"), "auth.json").expect("written");
        assert!(carry(&home, &mut Folders::of(&dirs)).expect("copied").is_empty());
        assert_eq!(fs::read_link(to.join("link")).expect("a link"), Path::new("/elsewhere"));
        assert!(!to.join("state_5.sqlite").exists() && !fresh.exists());
        let mode = fs::metadata(to.join("skills/x/run")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "it can be run");
        fs::remove_file(to.join("auth.json")).expect("removed");
        carry(&home, &mut Folders::of(&dirs)).expect("nothing to do");
        assert!(!to.join("auth.json").exists() && from.join("auth.json").exists());
    }
}
