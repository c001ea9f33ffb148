//! All the YAML there is here: what [`shims::yaml`] reads becomes a tree with a place for everything, and the schema's
//! types are read out of that, with a place for everything that is wrong.

mod de;
mod de_error;
mod skim;
mod tree;
mod write;

use std::rc::Rc;

use serde::Deserialize;

use super::problem::{Problem, SourcePos, Step};
use skim::Skim;
pub use skim::{Others, PROVIDERS, normalised};
use tree::{TreeKind, TreeNode};

pub use write::scalar;

/// Problems of one file after which the search for more ends.
const MOST_PROBLEMS: usize = 50;

/// Any YAML as data, bounded as a config is; `None` when it is none.
pub fn value(text: &str) -> Option<serde_json::Value> {
    serde_json::Value::deserialize(&*tree::parse(text, None).ok()??).ok()
}

/// The file with a place for everything, or a part of it. Places make no difference to equality.
#[derive(PartialEq)]
pub struct Tree(Rc<TreeNode>);

impl Tree {
    /// Reads the text. The error is the one problem because of which nothing more can be said of the text.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        Self::read_text(text, None)
    }

    /// Reads the text for a launch on `provider`: of the other providers [`Others`] is known.
    pub fn parse_for(text: &str, provider: &str) -> Result<(Self, Others), Problem> {
        let mut skim = Skim::all_but(provider);
        // What is passed over must not be what something else stands for, or hide `key_env` in a merged map.
        let is_linked = (text.contains('*') && text.contains('&')) || text.contains("<<");
        let tree = Self::read_text(text, if is_linked { None } else { Some(&mut skim) })?;
        if is_linked {
            skim.drop_from(&tree.0);
        }
        Ok((tree, skim.others))
    }

    fn read_text(text: &str, skim: Option<&mut Skim<'_>>) -> Result<Self, Problem> {
        match tree::parse(text, skim)? {
            Some(root) if !root.is_blank() => Ok(Self(root)),
            _ => {
                let help = "add one with `agent-run providers add`";
                Err(Problem::at(SourcePos::START, "the file has no providers yet", help))
            }
        }
    }

    /// Where the key stands to which `steps` lead.
    pub fn locate(&self, steps: &[Step]) -> Option<SourcePos> {
        self.0.locate(steps).map(|slot| slot.at)
    }

    /// What stands where `steps` lead; the whole file for none.
    pub fn at(&self, steps: &[Step]) -> Option<Self> {
        let node = if steps.is_empty() { &self.0 } else { &self.0.locate(steps)?.value };
        Some(Self(Rc::clone(node)))
    }

    /// The keys of the map where `steps` lead, in its order, with their places.
    pub fn keys(&self, steps: &[Step]) -> Vec<(String, SourcePos)> {
        match self.at(steps).as_ref().map(|tree| &tree.0.kind) {
            Some(TreeKind::Map(slots)) => slots.iter().map(|slot| (slot.key.clone(), slot.at)).collect(),
            _ => Vec::new(),
        }
    }

    /// Reads a `T` and lists what is wrong with it.
    ///
    /// Each problem is passed over to find the next. A value that comes with problems is what is left,
    /// and serves only to find more of them.
    pub fn read<T: for<'de> Deserialize<'de>>(&self) -> (Option<T>, Vec<Problem>) {
        let mut problems: Vec<Problem> = Vec::new();
        while problems.len() < MOST_PROBLEMS {
            match T::deserialize(&*self.0) {
                Ok(value) => return (Some(value), problems),
                Err(fault) => {
                    let (missing, stuck) = (fault.missing, fault.mark.is_none());
                    let problem = fault.into_problem();
                    let follows = missing && problems.iter().any(|p| p.steps.starts_with(&problem.steps));
                    if !follows {
                        problems.push(problem);
                    }
                    if stuck {
                        break;
                    }
                }
            }
        }
        (None, problems)
    }
}
