//! One more provider in the user's file, as text: comments, order and all else stay as they are.
//!
//! Nothing is written into YAML that is not understood: the text before and the text after are read
//! again, and must differ by the new provider alone.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Result, anyhow, bail};
use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};
use shims::Message;

use super::load::{parse_strict, text};
use super::problem::{SourcePos, Step, dotted};
use super::yaml::{PROVIDERS, Tree};
use crate::fs::private_dir::make_own;
use crate::fs::{AtomicFile, held};

/// How far the first provider of a file is indented.
const INDENT: &str = "  ";

/// Adds the provider `name` at the end of the block-style map `providers` in `text`, the config file's.
///
/// `yaml_block` is the entry as it would be in a file of its own: comments, `NAME:` in the first column,
/// and the keys below, indented. It is indented further here. A text without `providers` gets it. Refused are a
/// provider that is there already, providers that are written in `{…}`, and a block that is not one sound provider of
/// that name.
pub fn append(text: &str, name: &str, yaml_block: &str) -> Result<String> {
    let provider = [PROVIDERS.into(), name.into()];
    let before = tree(text, "the config")?;
    if before.as_ref().is_some_and(|tree| tree.locate(&provider).is_some()) {
        let word = shims::quote(name.as_ref());
        bail!(Message::new(
            format!("the config already has a provider `{name}`"),
            format!(
                "to change it, run `agent-run key set {word}` or `agent-run providers edit {word}`; to add a \
                 second one, use `--name NAME`"
            )
        ));
    }
    let after =
        inserted(text, before.as_ref(), yaml_block).map(|after| with_line_ends_of(text, after)).filter(|after| {
        let (after, block) = (tree(after, ""), tree(yaml_block, ""));
        matches!((after, block), (Ok(Some(after)), Ok(Some(block))) if adds(before.as_ref(), &after, &block, name))
    });
    let Some(after) = after else {
        let shown = indented(yaml_block, INDENT);
        bail!(Message::new(
            format!(
                "could not add `{name}` without changing the rest of the config: its `providers` are not \
                 written one per line"
            ),
            format!("add this below `providers`, with `agent-run config`:\n{shown}")
        ));
    };
    without_problems(after, name, "add")
}

/// Folders whose files are made from something else, and that even root should not change.
const STORES: [&str; 2] = ["/nix/store", "/gnu/store"];

/// Refuses a config that is not to be changed. `block` is what was to be added, for a user who has to add it elsewhere.
pub fn check_writable(path: &Path, block: &str) -> Result<()> {
    let there = path.ancestors().find_map(|above| fs::canonicalize(above).ok());
    // A broken link is no folder to write in.
    let Some(there) = there.filter(|_| !path.is_symlink() || path.exists()) else { return Ok(()) };
    let Some((what, is_own)) = read_only(&there) else { return Ok(()) };
    // What a link leads to is made elsewhere, and would be made again.
    let is_own = is_own && std::path::absolute(path).is_ok_and(|path| path.starts_with(&there));
    let what = what.display();
    let by_hand = match block {
        "" => "change the source of that file".to_owned(),
        block => {
            format!("add this to the source of that file, below `providers`:\n{}", indented(block, INDENT))
        }
    };
    let help =
        if is_own { format!("run `chmod u+w {}`", shims::quote(what.to_string().as_ref())) } else { by_hand };
    bail!(Message::new(format!("the config is read-only and was not changed: {what}"), help));
}

/// What of a file or folder is not to be written, and whether its owner has only to allow it again. A file is replaced,
/// so that its folder counts too.
fn read_only(there: &Path) -> Option<(&Path, bool)> {
    let refused = |path: &Path| {
        matches!(access(path, AccessFlags::W_OK), Err(Errno::EACCES | Errno::EPERM | Errno::EROFS))
    };
    if STORES.iter().any(|store| there.starts_with(store)) {
        return Some((there, false));
    }
    let folder = there.parent().filter(|_| there.is_file());
    [Some(there), folder].into_iter().flatten().find_map(|path| {
        let found = fs::metadata(path).ok()?;
        let is_protected = found.mode() & 0o200 == 0;
        let is_own = is_protected && found.uid() == crate::fs::me().as_raw();
        (is_protected || refused(path)).then_some((path, is_own))
    })
}

/// Changes the config whole or not at all: through a link to the file behind it, keeping the owner and the
/// mode of a file that is there. A new file is for its owner alone, as are folders made for it.
///
/// `change` is given the text as it is by now, and no other process of this program changes it meanwhile. `block` is
/// what it adds, for a user who has to add it elsewhere.
pub fn change_config(path: &Path, block: &str, change: impl FnOnce(&str) -> Result<String>) -> Result<()> {
    let failed = could_not_write("the config", path);
    check_writable(path, block)?;
    let target = if path.is_symlink() { fs::canonicalize(path).map_err(failed)? } else { path.to_owned() };
    make_folder(&target).map_err(failed)?;
    let mut fresh = AtomicFile::open(&target).map_err(failed)?;
    let after = change(&text(path)?)?;
    fresh.write_preserving_metadata(after.as_bytes(), fs::metadata(&target).ok().as_ref()).map_err(failed)?;
    fresh.commit().map_err(failed)
}

/// The error for a config that cannot be written.
pub fn could_not_write<'a>(what: &'a str, path: &'a Path) -> impl Fn(io::Error) -> anyhow::Error + Copy + 'a {
    move |error| {
        let otherwise =
            || "check the permissions of its folder, or set AGENT_RUN_CONFIG to another file".to_owned();
        let help = held(&error).unwrap_or_else(otherwise);
        anyhow!(Message::new(format!("could not write {what}: {}: {error}", path.display()), help))
    }
}

/// Makes the folder of a file that is to be written, for its owner alone.
pub fn make_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    make_own(folder.unwrap_or(Path::new(".")))
}

/// Whether the text has nothing but comments.
pub fn is_blank(text: &str) -> bool {
    text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

/// The tree of `text`; `None` when nothing but comments stands there.
pub fn tree(text: &str, what: &str) -> Result<Option<Tree>> {
    if is_blank(text) {
        return Ok(None);
    }
    Tree::parse(text).map(Some).map_err(|problem| {
        let SourcePos { line, column } = problem.mark;
        anyhow!(Message::new(
            format!("could not read {what}: line {line}, column {column}: {}", problem.message),
            problem.help
        ))
    })
}

/// The text after a change of the provider `name`, which is refused if something is wrong with that provider now; `what`
/// is what was to be done.
pub fn without_problems(after: String, name: &str, what: &str) -> Result<String> {
    let provider = [PROVIDERS.into(), name.into()];
    let problems = parse_strict(&after).err().unwrap_or_default();
    match problems.into_iter().find(|problem| problem.steps.starts_with(&provider)) {
        Some(problem) => bail!(Message::new(
            format!("could not {what} {}: {}", dotted(&problem.steps), problem.message),
            problem.help
        )),
        None => Ok(after),
    }
}

/// Whether `after` is `before` with the one entry of `block` at the end of its providers.
fn adds(before: Option<&Tree>, after: &Tree, block: &Tree, name: &str) -> bool {
    let providers = [PROVIDERS.into()];
    let mut expected = names(before, &providers);
    expected.push(name.to_owned());
    let (map, new) = match before.and_then(|tree| tree.locate(&providers)) {
        Some(_) => (&providers[..], name),
        None => (&[][..], PROVIDERS),
    };
    names(Some(after), &providers) == expected
        && same_but(before, after, map, |key| key == new)
        && names(Some(block), &[]) == [name]
        && after.at(&[PROVIDERS.into(), name.into()]) == block.at(&[name.into()])
}

/// The keys of a map, in their order.
pub fn names(tree: Option<&Tree>, steps: &[Step]) -> Vec<String> {
    tree.map(|tree| tree.keys(steps)).unwrap_or_default().into_iter().map(|(key, _)| key).collect()
}

/// Whether both are the same but for keys of the map at `steps` that `is_changed`.
pub fn same_but(
    before: Option<&Tree>,
    after: &Tree,
    steps: &[Step],
    is_changed: impl Fn(&str) -> bool,
) -> bool {
    let entries = |tree: Option<&Tree>, depth: usize| -> Vec<_> {
        let (above, below) = steps.split_at(depth);
        let mut keys = names(tree, above);
        keys.retain(|key| !below.is_empty() || !is_changed(key));
        // What is in the way there is compared with the next step.
        let value = |key: &Step| {
            tree?.at(&[above, std::slice::from_ref(key)].concat()).filter(|_| below.first() != Some(key))
        };
        keys.into_iter().map(|key| (value(&key.as_str().into()), key)).collect()
    };
    (0..=steps.len()).all(|depth| entries(before, depth) == entries(Some(after), depth))
}

/// The text with the block in it, as far as lines can tell where it belongs.
fn inserted(text: &str, tree: Option<&Tree>, block: &str) -> Option<String> {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let top = tree.map(|tree| tree.keys(&[])).unwrap_or_default();
    let Some((_, providers)) = top.iter().find(|(key, _)| key == PROVIDERS) else {
        let end = if text.is_empty() || text.ends_with("\n\n") {
            ""
        } else if text.ends_with('\n') {
            "\n"
        } else {
            "\n\n"
        };
        return Some(format!("{text}{end}{PROVIDERS}:\n{}", indented(block, INDENT)));
    };
    let next = top.iter().map(|(_, mark)| mark.line - 1).filter(|line| *line >= providers.line).min();
    let ends = |line: &&str| line.starts_with("...") || line.starts_with("---");
    let next =
        next.or_else(|| lines.iter().skip(providers.line).position(ends).map(|at| at + providers.line));
    let next = next.unwrap_or(lines.len());

    let entries = tree.map(|tree| tree.keys(&[PROVIDERS.into()])).unwrap_or_default();
    let empty = lines[providers.line - 1].replacen(" {}", "", 1);
    let (indent, at) = if let Some((_, first)) = entries.first() {
        let indent: String = lines.get(first.line - 1)?.chars().take(first.column - 1).collect();
        (indent, end_of(&lines, providers.line - 1, next))
    } else {
        lines[providers.line - 1] = &empty;
        (INDENT.to_owned(), providers.line)
    };
    if !indent.chars().all(|c| c == ' ') {
        return None;
    }
    let (head, tail) = (lines[..at].concat(), lines[at..].concat());
    let gap = if head.ends_with('\n') { "" } else { "\n" };
    // Entries that are set apart from each other stay so.
    let apart =
        if entries.is_empty() || !lines[providers.line - 1..at].iter().any(|line| line.trim().is_empty()) {
            ""
        } else {
            "\n"
        };
    Some(format!("{head}{gap}{apart}{}{tail}", indented(block, &indent)))
}

/// The line, from 0, after the last that belongs to the entry before `next`: its own, comments that are
/// indented with it, and comments right below that head nothing else.
fn end_of(lines: &[&str], first: usize, next: usize) -> usize {
    let comment = |line: &str| line.trim_start().starts_with('#');
    let own = |line: &str| !line.trim().is_empty() && !line.starts_with('#');
    let last = (first..next).rev().find(|at| own(lines[*at])).unwrap_or(first) + 1;
    let below = (last..next).take_while(|at| comment(lines[*at])).count() + last;
    if below == next && next < lines.len() { last } else { below }
}

fn indented(block: &str, indent: &str) -> String {
    let line =
        |line: &str| if line.trim().is_empty() { "\n".to_owned() } else { format!("{indent}{line}\n") };
    block.lines().map(line).collect()
}

/// The changed text with the line ends of the text before, where all of those are CRLF.
pub fn with_line_ends_of(text: &str, after: String) -> String {
    let is_crlf = text.contains('\n') && text.matches('\n').count() == text.matches("\r\n").count();
    if is_crlf { after.replace("\r\n", "\n").replace('\n', "\r\n") } else { after }
}
