//! `agent-run import`: shows what of another tool's providers ours could be, and adds them if asked to.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::ValueEnum;
use serde_json::json;
use shims::Message;

use crate::cli::import::ImportArgs;
use crate::config::{Provider, append, change_config, load, set_key, yaml_scalar, yaml_value};
use crate::env::Environment;
use crate::import::{ImportScan, Keys, Named, find, find_all, name, yaml};
use crate::key;
use crate::presets::ENTRY_WIDTH;
use crate::suggest::join_limited;
use crate::ui::screen::{tilde, with_config};
use crate::ui::wrap::comments;
use crate::ui::{Screen, escaped, output};

/// Prints the providers of another tool as entries of a config, and adds them to the config at `path` if
/// `words` say so.
pub fn run(words: &ImportArgs, path: &Path, env: &Environment) -> Result<ExitCode> {
    let mut found = match words.tool {
        Some(tool) => find(tool, words.file.as_deref(), env)?,
        None => find_all(env),
    };
    let keys = if words.with_keys { Keys::Copy } else { Keys::Leave };
    let (entries, set) = entries(words, &mut found, keys, path, env);
    let ImportScan { looked_at, skipped, .. } = &found;
    if entries.is_empty() && set.is_empty() && skipped.is_empty() {
        let help =
            "`agent-run providers add` adds a known provider (`agent-run providers presets` lists them)";
        bail!(Message::new(format!("no providers found in {}", looked_at.join(", ")), help));
    }
    if words.write && (!entries.is_empty() || !set.is_empty()) {
        if !set.is_empty() || (words.with_keys && entries.iter().any(|entry| entry.yaml != entry.keyless)) {
            check_private(path)?;
        }
        write(&entries, &set, path)?;
    }
    if words.json {
        return output::write(|out| out.write_all(data(words, &entries, &set, skipped, path).as_bytes()));
    }
    let screen = Screen::stdout();
    // What is no terminal may be a file.
    let shown: fn(&str) -> String = if screen.is_terminal() { str::to_owned } else { in_a_file };
    let mut page = page(words, &entries, &set, skipped, path, shown);
    if words.write {
        next_steps(&entries, path, env, &mut page);
    }
    output::whole(&screen.comments(&with_config(&escaped(&page))))
}

/// Refuses a config that others can read, where keys are about to be written into it. A new one is private.
fn check_private(path: &Path) -> Result<()> {
    if path.metadata().is_ok_and(|there| there.permissions().mode() & 0o077 != 0) {
        bail!(Message::new(
            format!("other users can read {}, and --with-keys would write keys to it", path.display()),
            format!("run `chmod 600 {}`", shims::quote(path.as_os_str()))
        ));
    }
    Ok(())
}

/// A provider under its name here, as text.
struct NewEntry {
    name: String,
    from: String,
    yaml: String,
    /// The same without its key.
    keyless: String,
}

/// An entry as it is read in a file, its comments broken into lines.
fn in_a_file(entry: &str) -> String {
    comments(entry, ENTRY_WIDTH, tilde)
}

/// A provider that the config has without its key, and the line that gives it one.
struct KeyLine {
    name: String,
    from: String,
    line: String,
    /// What stands beside the key's line while there is none.
    comments: Vec<String>,
}

impl KeyLine {
    /// The text without what was only true of a provider without its key.
    fn without_comments(&self, text: &str) -> String {
        let lines: Vec<_> = text.split_inclusive('\n').collect();
        // A comment behind the former key is kept there.
        let is_key = |line: &&str| {
            let rest = line.trim().strip_prefix(&self.line);
            rest.is_some_and(|rest| {
                rest.is_empty() || rest.trim_start().starts_with('#') && !rest.starts_with('#')
            })
        };
        let Some(at) = lines.iter().position(is_key) else { return text.to_owned() };
        let is_old =
            |line: &&&str| line.trim().starts_with('#') && self.comments.iter().any(|it| it == line.trim());
        let first = at - lines[..at].iter().rev().take_while(is_old).count();
        let after = at + 1 + lines[at + 1..].iter().take_while(is_old).count();
        [&lines[..first], &lines[at..=at], &lines[after..]].concat().concat()
    }
}

/// What can be in the config, and the keys that providers there lack; what cannot is listed with what was skipped.
fn entries(
    words: &ImportArgs,
    found: &mut ImportScan,
    keys: Keys,
    path: &Path,
    env: &Environment,
) -> (Vec<NewEntry>, Vec<KeyLine>) {
    let config = load(path).ok().map(|loaded| loaded.config);
    let home = env.dirs().map(|dirs| dirs.home).unwrap_or_default();
    let lacks_key = |name: &str| {
        let source = config.as_ref().and_then(|config| config.providers.get(name)).map(Provider::key_source);
        source.is_some_and(|source| source.is_none_or(|source| key::is_missing(source, env, &home)))
    };
    let mut set: Vec<KeyLine> = Vec::new();
    let mut taken: Vec<String> = Vec::new();
    let mut entries = Vec::new();
    for draft in &found.drafts {
        let from = &draft.from;
        let name = match name(draft, config.as_ref(), &taken) {
            Named::New(name) => name,
            Named::There(name) => {
                let key = draft.copied_key().filter(|_| lacks_key(&name));
                let there = config.as_ref().and_then(|config| config.providers.get(&name));
                let missing = there.map_or_else(Vec::new, |there| draft.missing_in(there));
                let hint = match key {
                    None if missing.is_empty() => String::new(),
                    None => format!(
                        "; not there: {}; to add it, run `agent-run providers edit {}`",
                        join_limited(&missing, 5),
                        shims::quote(name.as_ref())
                    ),
                    Some(key) if words.write && words.with_keys => {
                        let line = format!("key: {}", yaml_scalar(key));
                        let (left, copied) =
                            (yaml(draft, &name, Keys::Leave), yaml(draft, &name, Keys::Copy));
                        // Of before too, when comments were not broken into lines, or named the home.
                        let before = |text: &str| comments(text, ENTRY_WIDTH, Cow::Borrowed);
                        let left = left.clone() + &before(&left) + &in_a_file(&left);
                        let copied = copied.clone() + &before(&copied) + &in_a_file(&copied);
                        let comments = left.lines().filter(|line| !copied.contains(line));
                        let comments = comments.map(|line| line.trim().to_owned()).collect();
                        set.push(KeyLine { name, from: from.clone(), line, comments });
                        continue;
                    }
                    Some(_) => {
                        format!("; it has no key there: `{} --write --with-keys` adds it", again(words))
                    }
                };
                found.skipped.push(format!("{from}: already in the config, as {name}{hint}"));
                continue;
            }
        };
        let text = yaml(draft, &name, keys);
        match append("", &name, &text) {
            Ok(_) => {
                taken.push(name.clone());
                let keyless = yaml(draft, &name, Keys::Leave);
                entries.push(NewEntry { name, from: from.clone(), yaml: text, keyless });
            }
            Err(error) => {
                found.skipped.push(format!("{from}: {}", crate::error::render(&error).replace('\n', "; ")));
            }
        }
    }
    (entries, set)
}

fn write(entries: &[NewEntry], set: &[KeyLine], path: &Path) -> Result<()> {
    let blocks: Vec<_> = entries.iter().map(|entry| in_a_file(&entry.keyless)).collect();
    change_config(path, &blocks.join("\n"), |now| {
        let added = |text: String, entry: &NewEntry| append(&text, &entry.name, &in_a_file(&entry.yaml));
        let keyed = |text: String, it: &KeyLine| {
            set_key(&text, &it.name, Some(&it.line), path).map(|text| it.without_comments(&text))
        };
        set.iter().try_fold(entries.iter().try_fold(now.to_owned(), added)?, keyed)
    })
}

/// The command again, without its options.
fn again(words: &ImportArgs) -> String {
    let mut again = "agent-run import".to_owned();
    if let Some(tool) = tool(words) {
        _ = write!(again, " {tool}");
    }
    if let Some(file) = &words.file {
        _ = write!(again, " {}", shims::quote(file.as_os_str()));
    }
    again
}

fn page(
    words: &ImportArgs,
    entries: &[NewEntry],
    set: &[KeyLine],
    skipped: &[String],
    path: &Path,
    as_shown: fn(&str) -> String,
) -> String {
    let mut page = String::new();
    let file = path.display();
    // Keys that are written need not be in the terminal's history too.
    let shown = if words.write && words.with_keys { &[][..] } else { entries };
    if !shown.is_empty() {
        page.push_str("providers:\n");
    }
    for (index, entry) in shown.iter().enumerate() {
        page.push_str(if index > 0 { "\n" } else { "" });
        as_shown(&entry.yaml).lines().for_each(|line| _ = writeln!(page, "  {line}"));
    }
    if !shown.is_empty() {
        page.push('\n');
    }
    for skipped in skipped {
        _ = writeln!(page, "# Not imported: {skipped}");
    }
    for key in set {
        _ = writeln!(page, "# Added to {file}: the key of {}, from {}", key.name, key.from);
    }
    let names: Vec<_> = entries.iter().map(|entry| entry.name.as_str()).collect();
    _ = match (names.is_empty(), words.write) {
        (true, _) if !set.is_empty() => Ok(()),
        (true, _) => writeln!(page, "# Nothing to add to {file}"),
        (_, true) => writeln!(page, "# Added to {file}: {}", names.join(", ")),
        (_, false) => {
            let keys = if words.with_keys { " --with-keys" } else { "" };
            writeln!(page, "# `{} --write{keys}` adds this to {file}", again(words))
        }
    };
    for entry in entries.iter().filter(|entry| entry.yaml.contains("\n  key: ")) {
        let name = shims::quote(entry.name.as_ref());
        _ = writeln!(page, "# The key of {} is in its entry. To paste it into a private file:", entry.name);
        _ = writeln!(page, "#   agent-run key set {name}");
    }
    page
}

/// What to type for what was added: a key where there is none, and a test.
fn next_steps(entries: &[NewEntry], path: &Path, env: &Environment, page: &mut String) {
    let (Ok(loaded), Ok(dirs)) = (load(path), env.dirs()) else { return };
    let mut title = "# Next:\n";
    for entry in entries {
        let source = loaded.config.providers.get(&entry.name).and_then(Provider::key_source);
        let is_missing = source.is_some_and(|source| key::is_missing(source, env, &dirs.home));
        let command = if is_missing { "key set" } else { "providers test" };
        _ = writeln!(page, "{title}#   agent-run {command} {}", shims::quote(entry.name.as_ref()));
        title = "";
    }
}

fn data(
    words: &ImportArgs,
    entries: &[NewEntry],
    set: &[KeyLine],
    skipped: &[String],
    path: &Path,
) -> String {
    let entry = |entry: &NewEntry| {
        let text = if words.write { &entry.keyless } else { &entry.yaml };
        let config = yaml_value(text).map(|value| value[&entry.name].clone());
        json!({ "name": entry.name, "from": entry.from, "config": config })
    };
    let providers: Vec<_> = entries.iter().map(entry).collect();
    let data = json!({
        "tool": tool(words),
        "config": path.to_string_lossy(),
        "written": words.write && !(entries.is_empty() && set.is_empty()),
        "providers": providers,
        "skipped": skipped,
    });
    format!("{data:#}\n")
}

/// The tool that was named.
fn tool(words: &ImportArgs) -> Option<String> {
    words.tool?.to_possible_value().map(|value| value.get_name().to_owned())
}
