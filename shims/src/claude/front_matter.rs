//! Skills, commands and agents of a project: text files whose front matter may name a model, hooks and MCP servers.
//!
//! What they name cannot be overruled from outside, so it is looked for and named. `CLAUDE_CODE_SUBAGENT_MODEL_FORCE`
//! holds the models of agents, not those of skills and commands (2.1.332).

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::paths::{self, Repository};
use super::source::{is_space, spells, unescaped};
use super::{argv, plugins};
use crate::hermes_yaml::{Mapping, Node};
use crate::{Entry, EntryKind, Fact, Inputs, Launch};

/// A project with more files of one kind is read as far as this; [`unread`] tells.
const MOST_FILES: usize = 1000;

/// Claude Code looks for commands and agents in folders of any depth (2.1.197). So many levels of them are read.
const DEEPEST: usize = 8;

pub const CLOSED: &str = "is not readable text";

pub const SKILLS: &str = "skills";
pub const COMMANDS: &str = "commands";
pub const AGENTS: &str = "agents";
const SKILL: &str = "SKILL.md";
pub const KINDS: [&str; 3] = [AGENTS, SKILLS, COMMANDS];

/// A file with front matter.
pub struct Document<'a> {
    pub path: PathBuf,
    kind: &'static str,
    text: Cow<'a, str>,
}

impl Document<'_> {
    /// Whether it is an agent.
    pub fn is_agent(&self) -> bool {
        self.kind == AGENTS
    }

    /// The lines between the two `---`.
    fn front_matter(&self) -> impl Iterator<Item = &str> {
        let mut lines = self.text.trim_start_matches('\u{feff}').lines();
        let is_there = lines.next().is_some_and(|line| line.trim_end_matches(is_space) == "---");
        // No other space: what is taken for the end here must be one for Claude Code too.
        lines.take_while(move |line| is_there && line.trim_end_matches([' ', '\t', '\r']) != "---")
    }

    /// The model that it asks for.
    pub fn model(&self) -> Option<Cow<'_, str>> {
        // Whatever spells the key has its letters, an escape or an alias.
        if !self.text.contains("model") && !self.text.contains(['\\', '*']) {
            return None;
        }
        let Ok(front) = Mapping::parse(&self.whole_front_matter()) else {
            // Claude Code reads front matter that is no YAML too, such as a description with a colon in it.
            let is_key = |line: &&str| line.trim_start_matches([' ', '"', '\'']).starts_with("model");
            return self
                .front_matter()
                .filter(is_key)
                .find_map(|line| values_of_model(line).next())
                .map(Cow::Owned);
        };
        match front.get("model")? {
            Node::Scalar { text, .. } => (!text.is_empty()).then(|| Cow::Owned(text.clone())),
            _ => None,
        }
    }

    /// The models that its hooks ask for.
    pub fn hook_models(&self) -> Vec<String> {
        if !self.text.contains("model") && !self.text.contains(['\\', '*']) {
            return Vec::new();
        }
        let front = self.whole_front_matter();
        let mut models = Vec::new();
        match Mapping::parse(&front) {
            Ok(front) => front.get("hooks").into_iter().for_each(|hooks| collect_models(hooks, &mut models)),
            Err(_) => models.extend(values_of_model(&lines_of_hooks(&front))),
        }
        models
    }

    /// Whether it brings hooks that Claude Code may read otherwise than they are read here: it takes what is no YAML
    /// too, and the first `---` for the end (2.1.332).
    pub fn is_unclear(&self) -> bool {
        let front = self.whole_front_matter();
        let is_sure = || !front.contains("---") && Mapping::parse(&front).is_ok();
        front.lines().any(has_key_hooks) && !is_sure()
    }

    /// Whether it may bring hooks. Without front matter that is seen here, any word for them counts.
    pub fn may_hold_hooks(&self) -> bool {
        let front = self.whole_front_matter();
        let text = if front.is_empty() { &*self.text } else { front.as_str() };
        // Whatever spells the key has its letters or an escape.
        text.contains("hooks") || text.contains('\\')
    }

    fn whole_front_matter(&self) -> String {
        // YAML 1.1 takes these for ends of lines, and Claude Code does not (2.1.332): a comment would end too early.
        let text = self.front_matter().fold(String::new(), |text, line| text + line + "\n");
        text.replace(['\u{85}', '\u{2028}', '\u{2029}'], "\u{a0}")
    }

    /// Whether its front matter names the variable.
    pub fn names(&self, variable: &str) -> bool {
        // As one text: an escaped end of line joins two.
        spells(&self.whole_front_matter(), variable)
    }
}

/// Whether a line has the key `hooks`: at its start, in a flow mapping, or behind an anchor or a tag.
fn has_key_hooks(line: &str) -> bool {
    let line = unescaped(line);
    line.match_indices("hooks").any(|(at, key)| {
        let before = line[..at].trim_end_matches(['"', '\'', ' ', '\t']);
        let word = before.rsplit([' ', '\t']).next().unwrap_or_default();
        let after = line[at + key.len()..].trim_start_matches(['"', '\'', ' ', '\t']);
        // The `:` may be in the next line.
        let is_marked = word == "?" || word.starts_with('!') || word.starts_with('&') && !word.ends_with('&');
        is_marked || after.starts_with(':') && (["", "-"].contains(&word) || word.ends_with(['{', ',']))
    })
}

/// The lines from a key `hooks` on to the next key at the start of a line, in front matter that is no YAML.
fn lines_of_hooks(front: &str) -> String {
    let mut is_hooks = false;
    let lines = front.lines().filter(|line| {
        is_hooks = has_key_hooks(line) || is_hooks && !line.starts_with(|c: char| c.is_ascii_alphabetic());
        is_hooks
    });
    lines.map(|line| unescaped(line) + "\n").collect()
}

/// Whatever follows a key `model`, in any kind of text.
fn values_of_model(text: &str) -> impl Iterator<Item = String> {
    text.match_indices("model").filter_map(|(at, key)| {
        let rest = text[at + key.len()..].trim_start_matches(['"', '\'']);
        let rest = rest.trim_start().strip_prefix(':')?;
        let line = rest.trim_start().lines().next()?;
        let value = match line.strip_prefix(['"', '\'']) {
            Some(quoted) => quoted.split(['"', '\'']).next(),
            None => line.split([',', '}', ']']).next()?.split(" #").next(),
        };
        value.map(str::trim).filter(|id| !id.is_empty() && !id.contains(is_space)).map(str::to_owned)
    })
}

fn collect_models(node: &Node, models: &mut Vec<String>) {
    match node {
        Node::Scalar { .. } => {}
        Node::Sequence(_, items) => items.iter().for_each(|item| collect_models(item, models)),
        Node::Mapping(mapping) => {
            for (key, value) in mapping.entries() {
                match value {
                    Node::Scalar { text, .. } if key == "model" => models.push(text.clone()),
                    _ => collect_models(value, models),
                }
            }
        }
    }
}

/// The `.claude` folders of the project, and of what `--add-dir` adds.
pub fn project_roots(launch: &Launch, inputs: &Inputs, repository: &Repository<'_>) -> Vec<PathBuf> {
    let mut folders = repository.folders(inputs);
    folders.extend(argv::added_folders(launch, inputs));
    let users = paths::config_dirs(launch, inputs);
    folders
        .into_iter()
        .map(|folder| folder.join(".claude"))
        .filter(|folder| !paths::is_users(folder, &users, inputs))
        .collect()
}

/// What has to be read of these folders, the project's or those of plugins.
pub fn files_below(roots: &[PathBuf], inputs: &Inputs) -> Vec<PathBuf> {
    roots.iter().flat_map(|root| files_in(root, inputs)).map(|(_, path)| path).collect()
}

/// The folders of a project's skills.
pub fn skill_folders<'a>(roots: &'a [PathBuf], inputs: &'a Inputs) -> impl Iterator<Item = PathBuf> {
    let folders = roots.iter().map(|root| root.join(SKILLS));
    let skills =
        folders.flat_map(|folder| documents_in(&folder, SKILLS, inputs).into_iter().take(MOST_FILES));
    skills.filter_map(|path| path.parent().map(Path::to_owned))
}

/// The folders of a root that may be there, and what the manifest of a plugin names beside them.
fn places_in(root: &Path, inputs: &Inputs) -> impl Iterator<Item = (&'static str, PathBuf)> {
    // Most folders above a project have none of them.
    let kinds: &[_] = if inputs.is_absent(root) { &[] } else { &KINDS };
    let usual = kinds.iter().filter(|kind| paths::may_hold(root, kind, inputs));
    let usual = usual.map(|&kind| (kind, root.join(kind)));
    let named = kinds.iter().flat_map(|&kind| {
        plugins::named_in_manifest(kind, root, inputs).into_iter().map(move |path| (kind, path))
    });
    usual.chain(named)
}

/// What has to be read of the user's own.
pub fn users_files(inputs: &Inputs) -> Vec<PathBuf> {
    files_below(&paths::inherited_config_dirs(inputs), inputs)
}

fn files_in(root: &Path, inputs: &Inputs) -> Vec<(&'static str, PathBuf)> {
    // The folder of a plugin may be a skill (2.1.332).
    let is_plugin = !root.ends_with(".claude");
    let mut files: Vec<_> = is_plugin.then(|| (SKILLS, root.join(SKILL))).into_iter().collect();
    for (kind, place) in places_in(root, inputs) {
        let levels = levels_in(place, kind, inputs);
        let documents = levels.iter().flatten().flat_map(|folder| documents_in(folder, kind, inputs));
        let places = levels.iter().flatten().take(MOST_FILES).cloned();
        files.extend(documents.take(MOST_FILES).chain(places).map(|path| (kind, path)));
    }
    files
}

/// The folder and those in it, level by level.
fn levels_in(folder: PathBuf, kind: &str, inputs: &Inputs) -> Vec<Vec<PathBuf>> {
    let mut levels = vec![vec![folder]];
    while kind != SKILLS && levels.len() <= DEEPEST {
        let below = levels.last().into_iter().flatten().flat_map(|folder| folders_in(folder, inputs));
        let below: Vec<_> = below.collect();
        if below.is_empty() {
            break;
        }
        levels.push(below);
    }
    levels
}

fn folders_in<'a>(folder: &'a Path, inputs: &'a Inputs) -> impl Iterator<Item = PathBuf> + 'a {
    inputs.folders(folder).map(|name| folder.join(name))
}

/// A document or folder of this kind in the project that Claude Code may read and that was not read here, and why. It
/// may say anything.
pub fn unread(kind: &str, roots: &[PathBuf], inputs: &Inputs) -> Option<(PathBuf, &'static str)> {
    let places = roots.iter().flat_map(|root| places_in(root, inputs)).filter(|(other, _)| *other == kind);
    places.into_iter().find_map(|(_, place)| unread_in(place, kind, inputs))
}

fn unread_in(top: PathBuf, kind: &str, inputs: &Inputs) -> Option<(PathBuf, &'static str)> {
    let is_closed = |path: &Path| matches!(inputs.fact(path), Some(Fact::Stream | Fact::Unreadable(_)));
    if is_closed(&top) {
        return Some((top, CLOSED));
    }
    let levels = levels_in(top, kind, inputs);
    let top = levels.first()?.first()?;
    let below = levels.iter().skip(1).flatten();
    if let Some(folder) = below.clone().find(|folder| !inputs.is_folder(folder)) {
        return Some((folder.clone(), CLOSED));
    }
    if levels.len() > DEEPEST
        && let Some(folder) = levels.last()?.iter().find_map(|folder| folders_in(folder, inputs).next())
    {
        return Some((folder, "is nested too deep to be read"));
    }
    // What a link leads to is not followed here, and Claude Code follows it (2.1.197).
    let mut links = levels.iter().flatten().filter(|_| kind != SKILLS).flat_map(|folder| {
        let links = inputs.entries(folder).iter().filter(|entry| matches!(entry.kind, EntryKind::Link(_)));
        links.filter(|entry| !is_text(entry)).map(|entry| folder.join(&entry.name))
    });
    let was_read = |path: &PathBuf| match inputs.fact(path) {
        Some(Fact::File(bytes)) => !bytes.starts_with(b"\xff\xfe"), // UTF-16
        fact => matches!(fact, Some(Fact::Absent)),
    };
    if let Some(link) = links.find(|path| !was_read(path)) {
        return Some((link, "is a link"));
    }
    let documents = || levels.iter().flatten().flat_map(|folder| documents_in(folder, kind, inputs));
    if documents().count() > MOST_FILES {
        return Some((top.clone(), "holds too many files to be read"));
    }
    documents().find(|path| !was_read(path)).map(|path| (path, CLOSED))
}

fn is_text(entry: &Entry) -> bool {
    entry.name.to_string_lossy().to_ascii_lowercase().ends_with(".md")
}

fn documents_in(folder: &Path, kind: &str, inputs: &Inputs) -> Vec<PathBuf> {
    let entries = inputs.entries(folder).iter();
    let paths = entries.filter_map(|entry| match kind {
        // A place that a manifest names may be a skill itself.
        SKILLS if entry.name == SKILL => Some(folder.join(SKILL)),
        SKILLS if entry.kind != EntryKind::File => Some(folder.join(&entry.name).join(SKILL)),
        SKILLS => None,
        _ => (is_text(entry) && entry.kind != EntryKind::Dir).then(|| folder.join(&entry.name)),
    });
    paths.collect()
}

/// The files below these folders that were read.
pub fn documents<'a>(roots: &[PathBuf], inputs: &'a Inputs) -> Vec<Document<'a>> {
    // A manifest may name the usual folder.
    let mut seen = HashSet::new();
    let files = roots.iter().flat_map(|root| files_in(root, inputs)).filter(|file| seen.insert(file.clone()));
    let documents = files.filter_map(|(kind, path)| match inputs.fact(&path) {
        Some(Fact::File(bytes)) => Some(Document { kind, text: String::from_utf8_lossy(bytes), path }),
        _ => None,
    });
    documents.collect()
}

/// The user's own files that were read.
pub fn users_documents(inputs: &Inputs) -> Vec<Document<'_>> {
    documents(&paths::inherited_config_dirs(inputs), inputs)
}
