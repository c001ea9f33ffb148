//! Skills, commands and agents of a project: text files whose front matter may name a model, hooks and MCP servers.
//!
//! What they name cannot be overruled from outside, so it is looked for and named. `CLAUDE_CODE_SUBAGENT_MODEL_FORCE`
//! holds the models of agents, not those of skills and commands (2.1.332).

use std::path::{Path, PathBuf};

use super::source::names;
use super::{places, words};
use crate::{EntryKind, Fact, Inputs, Launch};

/// A project with more files of one kind is read as far as this.
const MOST_FILES: usize = 200;

const SKILLS: &str = "skills";
const COMMANDS: &str = "commands";
const AGENTS: &str = "agents";

/// A file with front matter.
pub struct Document<'a> {
    pub path: PathBuf,
    /// Whether it is an agent.
    pub is_agent: bool,
    text: std::borrow::Cow<'a, str>,
}

impl Document<'_> {
    /// The lines between the two `---`.
    fn front_matter(&self) -> impl Iterator<Item = &str> {
        let mut lines = self.text.trim_start_matches('\u{feff}').lines();
        let is_there = lines.next().is_some_and(|line| line.trim_end() == "---");
        lines.take_while(move |line| is_there && line.trim_end() != "---")
    }

    /// The model that it asks for.
    pub fn model(&self) -> Option<&str> {
        self.front_matter().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
            (key.trim().trim_matches(['"', '\'']) == "model" && !value.is_empty()).then_some(value)
        })
    }

    /// Whether its front matter names the variable.
    pub fn names(&self, variable: &str) -> bool {
        self.front_matter().any(|line| names(line, variable))
    }
}

/// The `.claude` folders of the project, and of what `--add-dir` adds.
pub fn project_roots(launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
    let mut folders = places::project_folders(inputs);
    folders.extend(words::added_folders(launch, inputs));
    let users = places::config_dirs(launch, inputs);
    folders
        .into_iter()
        .map(|folder| folder.join(".claude"))
        .filter(|folder| !users.contains(folder))
        .collect()
}

/// What has to be read of the project.
pub fn files_below(roots: &[PathBuf], inputs: &Inputs) -> Vec<PathBuf> {
    roots.iter().flat_map(|root| files_in(root, inputs)).collect()
}

/// The folders of a root that may be there.
fn folders_in(root: &Path, inputs: &Inputs) -> impl Iterator<Item = (&'static str, PathBuf)> {
    // Most folders above a project have none of them.
    let kinds: &[_] =
        if let Some(Fact::Absent) = inputs.fact(root) { &[] } else { &[SKILLS, COMMANDS, AGENTS] };
    let folders = kinds.iter().map(|&kind| (kind, root.join(kind)));
    folders.filter(|(_, folder)| places::may_be_there(folder, inputs))
}

/// What has to be read of the user's own.
pub fn users_files(inputs: &Inputs) -> Vec<PathBuf> {
    places::inherited_config_dirs(inputs).iter().flat_map(|root| files_in(root, inputs)).collect()
}

fn files_in(root: &Path, inputs: &Inputs) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for (kind, folder) in folders_in(root, inputs) {
        let documents = documents_in(&folder, kind, inputs);
        // Commands and agents may lie in one more folder.
        let below =
            inputs.entries(&folder).iter().filter(|entry| kind != SKILLS && entry.kind == EntryKind::Dir);
        let below: Vec<_> = below.map(|entry| folder.join(&entry.name)).collect();
        let inner: Vec<_> = below.iter().flat_map(|folder| documents_in(folder, kind, inputs)).collect();
        files.extend(documents.into_iter().chain(inner).take(MOST_FILES));
        files.extend(below.into_iter().take(MOST_FILES));
        files.push(folder);
    }
    files
}

fn documents_in(folder: &Path, kind: &str, inputs: &Inputs) -> Vec<PathBuf> {
    let entries = inputs.entries(folder).iter();
    let paths = entries.filter_map(|entry| {
        let is_text = entry.name.to_string_lossy().to_ascii_lowercase().ends_with(".md");
        match kind {
            SKILLS if entry.kind != EntryKind::File => Some(folder.join(&entry.name).join("SKILL.md")),
            SKILLS => None,
            _ => (is_text && entry.kind != EntryKind::Dir).then(|| folder.join(&entry.name)),
        }
    });
    paths.collect()
}

/// The project's files that were read.
pub fn documents<'a>(roots: &[PathBuf], inputs: &'a Inputs) -> Vec<Document<'a>> {
    read(files_below(roots, inputs), inputs)
}

/// The user's own files that were read.
pub fn users_documents(inputs: &Inputs) -> Vec<Document<'_>> {
    read(users_files(inputs), inputs)
}

fn read(files: Vec<PathBuf>, inputs: &Inputs) -> Vec<Document<'_>> {
    let document = |path: PathBuf| match inputs.fact(&path) {
        Some(Fact::File(bytes)) => {
            let is_agent = path.components().any(|part| part.as_os_str() == AGENTS);
            Some(Document { is_agent, text: String::from_utf8_lossy(bytes), path })
        }
        _ => None,
    };
    files.into_iter().filter_map(document).collect()
}

/// Whether the project has a folder in which hooks may stand that nobody has seen.
pub fn may_hold_hooks(roots: &[PathBuf], inputs: &Inputs) -> bool {
    roots.iter().flat_map(|root| folders_in(root, inputs)).any(|(_, folder)| {
        !matches!(inputs.fact(&folder), None | Some(Fact::Absent)) && !is_empty(&folder, inputs)
    })
}

fn is_empty(folder: &Path, inputs: &Inputs) -> bool {
    matches!(inputs.fact(folder), Some(Fact::Dir(entries)) if entries.is_empty())
}
