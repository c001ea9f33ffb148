//! The providers that a launch does not use: they are read as YAML, and nothing is made of them.
//!
//! Only the variables of their keys are noted, which an agent on another provider is not to inherit.

use std::rc::Rc;

use shims::yaml::Event;

use super::tree::{Kind, Node};
use crate::config::names::Variable;
use crate::config::values::Rule;

/// The key below which providers stand.
pub const PROVIDERS: &str = "providers";
const KEY_ENV: &str = "key_env";

/// Passes over all providers but one.
pub struct Skim<'n> {
    only: &'n str,
    /// The variables that hold the keys of those passed over.
    pub key_variables: Vec<String>,
    /// How many lists and maps are open in what is being passed over.
    depth: usize,
    /// Whether the next text in a provider's own map is a key there, and whether the last was `key_env`.
    is_key: bool,
    names_key: bool,
}

impl<'n> Skim<'n> {
    /// Keeps the provider called `only`.
    pub fn all_but(only: &'n str) -> Self {
        Self { only, key_variables: Vec::new(), depth: 0, is_key: false, names_key: false }
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
        let ends = matches!(event, Event::SequenceEnd | Event::MappingEnd);
        if self.depth == 1 && !ends {
            match event {
                Event::Scalar { text, .. } if self.is_key => self.names_key = text == KEY_ENV,
                Event::Scalar { text, .. } if self.names_key => self.note(text),
                _ => {}
            }
            self.is_key = !self.is_key;
        }
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                self.depth += 1;
                if self.depth == 1 {
                    self.is_key = matches!(event, Event::MappingStart(..));
                    self.names_key = false;
                }
            }
            _ if ends => self.depth -= 1,
            _ => {}
        }
        true
    }

    fn note(&mut self, text: &str) {
        if let Ok(name) = Variable::check(text.to_owned())
            && self.key_variables.last() != Some(&name)
        {
            self.key_variables.push(name);
        }
    }

    /// As [`Skim::passes`], in a file whose entries may stand for each other.
    pub fn drop_from(&mut self, root: &Node) {
        let providers = root.locate(&[PROVIDERS.into()]).map(|slot| &slot.value.kind);
        let Some(Kind::Map(slots)) = providers else { return };
        let only = self.only;
        for slot in slots.iter().filter(|slot| slot.key != only) {
            slot.dropped.set(true);
            let key = slot.value.locate(&[KEY_ENV.into()]).map(|slot| Rc::clone(&slot.value));
            if let Some(Kind::Scalar { text, .. }) = key.as_deref().map(|node| &node.kind) {
                self.note(text);
            }
        }
    }
}
