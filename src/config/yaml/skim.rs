//! The providers that a launch does not use: they are read as YAML, and nothing is made of them.
//!
//! Only the variables of their keys are noted, which an agent on another provider is not to inherit, and whether their
//! sessions are kept apart.

use shims::yaml::Event;
use shims::{Sessions, Template};

use super::tree::{TreeKind, TreeNode};
use crate::config::names::Variable;
use crate::config::values::Validate;

/// The key below which providers stand.
pub const PROVIDERS: &str = "providers";
const KEY_ENV: &str = "key_env";
const HEADERS: &str = "headers";
const ISOLATED: &str = "isolated";
const SESSIONS: &str = "sessions";

/// What a launch has to know of the providers that it does not use.
#[derive(Debug, Default)]
pub struct Others {
    /// The variables of their keys.
    pub key_variables: Vec<String>,
    /// The variables that their headers name.
    pub header_variables: Vec<String>,
    /// Whose the sessions of each are.
    pub sessions: Vec<(String, Sessions)>,
}

impl Others {
    /// Notes a value of the provider that came last. One that is no valid value keeps its sessions apart: nothing of it
    /// is taken over.
    fn note(&mut self, key: &str, text: &str) {
        let is_apart = match normalised(key).as_str() {
            KEY_ENV => {
                // What `config check` refuses may name the variable all the same.
                let text = text.trim().trim_start_matches('$').trim_matches(['{', '}']);
                if let Ok(name) = Variable::check(text.to_owned())
                    && self.key_variables.last() != Some(&name)
                {
                    self.key_variables.push(name);
                }
                false
            }
            ISOLATED => !matches!(text, "false" | "False" | "FALSE"),
            SESSIONS => text != Sessions::Shared.name(),
            _ => false,
        };
        if let Some((_, sessions)) = self.sessions.last_mut().filter(|_| is_apart) {
            *sessions = Sessions::Own;
        }
    }

    /// Notes the variables that a header's value names.
    fn note_header(&mut self, text: &str) {
        // What `config check` refuses names none.
        let Ok(template) = Template::parse(text) else { return };
        self.header_variables.extend(template.variables().map(str::to_owned));
    }
}

/// A key in lower case and with `_` for `-`. Another spelling of a known key is an error, but a secret under it must be
/// known too.
pub fn normalised(key: &str) -> String {
    key.to_lowercase().replace('-', "_")
}

/// Passes over all providers but one.
pub struct Skim<'n> {
    only: &'n str,
    /// What is noted of those passed over.
    pub others: Others,
    /// How many lists and maps are open in what is being passed over.
    depth: usize,
    /// Whether the next text in a provider's own map is a key there, and which key the last was.
    is_key: bool,
    key: String,
}

impl<'n> Skim<'n> {
    /// Keeps the provider called `only`.
    pub fn all_but(only: &'n str) -> Self {
        Self { only, others: Others::default(), depth: 0, is_key: false, key: String::new() }
    }

    /// How far inside of what is being passed over the last event was.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Whether the event is passed over; `provider` is the one whose value comes next.
    pub fn passes(&mut self, provider: Option<&str>, event: &Event<'_>) -> bool {
        // There is nothing that it could stand for.
        if matches!(event, Event::Alias(_)) {
            return false;
        }
        if self.depth == 0 && provider.is_none_or(|name| name == self.only) {
            return false;
        }
        if self.depth == 0
            && let Some(name) = provider
        {
            self.others.sessions.push((name.to_owned(), Sessions::Shared));
        }
        let ends = matches!(event, Event::SequenceEnd | Event::MappingEnd);
        if self.depth == 1 && !ends {
            match event {
                Event::Scalar { text, .. } if self.is_key => text.as_ref().clone_into(&mut self.key),
                Event::Scalar { text, .. } => self.others.note(&self.key, text),
                _ => {}
            }
            self.is_key = !self.is_key;
        }
        if self.depth == 2
            && let Event::Scalar { text, .. } = event
            && text.contains("${")
            && normalised(&self.key) == HEADERS
        {
            self.others.note_header(text);
        }
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                self.depth += 1;
                if self.depth == 1 {
                    self.is_key = matches!(event, Event::MappingStart(..));
                    self.key.clear();
                }
            }
            _ if ends => self.depth -= 1,
            _ => {}
        }
        true
    }

    /// As [`Skim::passes`], in a file whose entries may stand for each other.
    pub fn drop_from(&mut self, root: &TreeNode) {
        let providers = root.locate(&[PROVIDERS.into()]).map(|slot| &slot.value.kind);
        let Some(TreeKind::Map(slots)) = providers else { return };
        let only = self.only;
        for slot in slots.iter().filter(|slot| slot.key != only) {
            slot.dropped.set(true);
            self.others.sessions.push((slot.key.clone(), Sessions::Shared));
            let TreeKind::Map(entries) = &slot.value.kind else { continue };
            for entry in entries {
                match &entry.value.kind {
                    TreeKind::Scalar { text, .. } => self.others.note(&entry.key, text),
                    TreeKind::Map(headers) if normalised(&entry.key) == HEADERS => {
                        for header in headers {
                            if let TreeKind::Scalar { text, .. } = &header.value.kind {
                                self.others.note_header(text);
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}
