//! The homes that older versions made, one for each provider, and which of them are whose.

use std::path::{Path, PathBuf};

use toml::Table;

use super::config::table;
use super::home::{CodexHome, MARKER, owns};
use super::settings::FORMER_ID;
use crate::judged::codex::ENTRY_KEPT;
use crate::{EntryKind, Fact, Inputs, Launch, Sessions};

/// What Codex itself writes into its settings.
const WRITTEN: [&str; 5] = ["hooks", "mcp_servers", "notice", "projects", "tui"];

/// A provider's folders of older versions.
pub struct Former {
    name: PathBuf,
    /// Sessions and databases.
    pub state: PathBuf,
    /// The home in the cache.
    pub runtime: PathBuf,
    /// What the config says of the provider, if it is in there.
    sessions: Option<Sessions>,
}

/// Every provider's whose sessions are shared, or its own provider's for a launch that keeps its sessions apart.
pub fn all(launch: &Launch, home: &CodexHome, inputs: &Inputs) -> Vec<Former> {
    let (state, cache) = (inputs.dirs.state.join("codex"), inputs.dirs.cache.join("codex"));
    let at = |name: PathBuf, sessions| Former {
        state: state.join(&name),
        runtime: cache.join(&name),
        name,
        sessions,
    };
    let this = PathBuf::from(&launch.provider);
    if home.isolated || launch.sessions == Sessions::Own {
        return vec![at(this, Some(Sessions::Shared))];
    }
    let mut all: Vec<Former> = Vec::new();
    for folder in [&state, &cache] {
        let mut names: Vec<_> = inputs.folders(folder).map(PathBuf::from).collect();
        if inputs.is_unreadable(folder) {
            names.extend(launch.others.keys().chain([&launch.provider]).map(PathBuf::from));
        }
        for name in names {
            let sessions = if name == this {
                Some(Sessions::Shared)
            } else {
                name.to_str().and_then(|name| launch.others.get(name)).copied()
            };
            if sessions != Some(Sessions::Own) && !all.iter().any(|former| former.name == name) {
                all.push(at(name, sessions));
            }
        }
    }
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

impl Former {
    /// What must be read for the rest.
    pub fn reads(&self, inputs: &Inputs) -> Vec<PathBuf> {
        let files = [
            self.state.join("base.toml"),
            self.state.join("last.toml"),
            self.runtime.join("config.toml"),
            self.state.join("sqlite"),
            self.runtime.clone(),
            self.state.clone(),
        ];
        let folders =
            inputs.folders(&self.runtime).filter(|folder| ENTRY_KEPT.iter().any(|name| folder == name));
        files.into_iter().chain(folders.map(|name| self.runtime.join(name))).collect()
    }

    /// What Codex and its user keep in the home, beside sessions and settings.
    pub fn kept<'a>(&'a self, inputs: &'a Inputs) -> impl Iterator<Item = &'static str> + 'a {
        let is_something = |name: &str| match inputs.fact(&self.runtime.join(name)) {
            // Codex unpacks skills of its own into each home.
            Some(Fact::Dir(entries)) => entries.iter().any(|entry| entry.name != ".system"),
            _ => true,
        };
        ENTRY_KEPT.iter().copied().filter(move |name| has(&self.runtime, name, inputs) && is_something(name))
    }

    /// The name, as it can be noted.
    pub fn name(&self) -> Option<&str> {
        self.name.to_str()
    }

    /// Whether it cannot be known yet who made the home, or whether it shares anything.
    pub fn is_hidden(&self, inputs: &Inputs) -> bool {
        inputs.is_unreadable(&self.runtime)
            || self.sessions.is_none()
                && self.is_old_tools(inputs)
                && inputs.is_unreadable(&self.runtime.join("config.toml"))
    }

    /// A file of its settings that is there and cannot be read.
    pub fn hidden_settings(&self, inputs: &Inputs) -> Option<PathBuf> {
        let files = [self.runtime.join("config.toml"), self.state.join("base.toml")];
        files.into_iter().find(|file| inputs.is_unreadable(file))
    }

    /// Whether the tool before this one made it, which marked no home and kept nothing in the state folder.
    fn is_old_tools(&self, inputs: &Inputs) -> bool {
        !inputs.entries(&self.runtime).is_empty()
            && !has(&self.runtime, MARKER, inputs)
            && !has(&self.state, "base.toml", inputs)
    }

    /// What was generated for the provider last, and what Codex made of it.
    pub fn settings(&self, inputs: &Inputs) -> Option<(Table, Table)> {
        let current = table(&self.runtime.join("config.toml"), inputs);
        if self.is_old_tools(inputs) {
            let mut current = current?;
            current.retain(|key, _| WRITTEN.contains(&key));
            return Some((Table::new(), current));
        }
        // Codex wrote into the home in the cache, which may be gone.
        let current = current.or_else(|| table(&self.state.join("last.toml"), inputs))?;
        Some((table(&self.state.join("base.toml"), inputs)?, current))
    }

    /// Whether it shares nothing, as far as anybody can say that of one that the config does not name any more.
    pub fn is_apart(&self, home: &CodexHome, inputs: &Inputs) -> bool {
        if self.sessions.is_some() {
            return false;
        }
        if self.is_old_tools(inputs) {
            // The old tool linked nothing for anyone, but said so of a home without a provider.
            let settings = table(&self.runtime.join("config.toml"), inputs);
            return settings.is_some_and(|it| it.contains_key("cli_auth_credentials_store"));
        }
        // Then its home linked nothing of the user's, although there was something.
        let here = inputs.entries(&self.runtime);
        let linked =
            |kind: &EntryKind| matches!(kind, EntryKind::Link(to) if to.parent() == Some(&home.real));
        let any = inputs.entries(&home.real).iter().any(|entry| !entry.name.to_str().is_some_and(owns));
        any && !here.is_empty() && !here.iter().any(|entry| linked(&entry.kind))
    }

    /// Whether there are sessions in it.
    pub fn holds_sessions(&self, inputs: &Inputs) -> bool {
        [&self.state, &self.runtime].into_iter().any(|folder| has(folder, "sessions", inputs))
    }

    /// The ids that its sessions are recorded under. The old tool called each provider by its name.
    pub fn ids(&self, inputs: &Inputs) -> Vec<&str> {
        let name = self.name.to_str().filter(|_| self.is_old_tools(inputs));
        name.into_iter().chain([FORMER_ID]).collect()
    }

    /// The databases in its folders.
    pub fn databases<'a>(&'a self, inputs: &'a Inputs) -> impl Iterator<Item = PathBuf> + 'a {
        let folder = self.state.join("sqlite");
        let files = inputs.entries(&folder).iter().filter(|entry| entry.kind == EntryKind::File);
        files
            .map(|entry| &entry.name)
            .filter(|name| name.to_string_lossy().ends_with(".sqlite"))
            .map(move |name| folder.join(name))
    }
}

/// Whether something other than a link is there.
pub fn has(folder: &Path, name: &str, inputs: &Inputs) -> bool {
    inputs.entry(folder, name).is_some_and(|entry| !matches!(entry.kind, EntryKind::Link(_)))
}
