//! All the YAML there is: the one place to change when the parser does.
//!
//! There are two ways through. The fast one reads the types straight out of the text; it knows no merge
//! keys and says little when something is wrong. The other builds a tree with a place for everything; it
//! decides what the file means when the first refuses, when the file has anchors, and when somebody asks
//! where a key stands.

mod de;
mod fault;
mod tree;

use std::rc::Rc;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::problem::{Mark, Problem, Step};
use tree::{Kind, Node};

/// Problems of one file after which the search for more ends.
const MOST_PROBLEMS: usize = 50;

/// Brackets that may stand open before the fast way is not tried: its time grows with the square of their
/// depth (minutes for 100,000), and the tree refuses such a text at once.
const MOST_BRACKETS: usize = 1_000;

/// A text that is no YAML, or none that we take.
#[derive(Debug)]
pub struct Trouble(Problem);

impl Trouble {
    fn new(mark: Mark, message: &str, help: &str) -> Self {
        Self(Problem { mark, steps: Vec::new(), message: message.to_owned(), help: help.to_owned() })
    }

    fn syntax(mark: Mark, info: &str) -> Self {
        let help = "indent with spaces, put one after each `:`, and quote text with `: ` or ` #` in it";
        Self::new(mark, &format!("this is not YAML: {info}"), help)
    }
}

/// Reads the text the fast way; `None` when that cannot be done, for whatever reason.
pub fn quick<T: DeserializeOwned>(text: &str) -> Option<T> {
    // Aliases can stand for far more than the file's size, and only the tree weighs them.
    let anchors = text.contains('*') && text.contains('&');
    if anchors || text.contains("<<") || is_read_in_two_ways(text) || brackets_left_open(text) > MOST_BRACKETS
    {
        return None;
    }
    serde_yaml::from_str(text).ok()
}

/// Whether something stands there that the fast parser reads as YAML 1.1 and the other as 1.2: a `?` that begins
/// something in braces or brackets, or a line break that ASCII does not know.
fn is_read_in_two_ways(text: &str) -> bool {
    let begins = |(at, _): (usize, &str)| text[..at].trim_end().ends_with(['{', '[', ',']);
    text.match_indices('?').any(begins)
        || (!text.is_ascii() && text.contains(['\u{85}', '\u{2028}', '\u{2029}']))
}

/// The most brackets that stand open at once, counted in the plainest way: one in a quoted text counts too.
/// Where there are few at all, their number will do.
fn brackets_left_open(text: &str) -> usize {
    let all = text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if all <= MOST_BRACKETS {
        return all;
    }
    let mut open = 0_usize;
    let mut most = 0;
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => continue,
        }
        most = most.max(open);
    }
    most
}

/// Any YAML as data, aliases bounded as in a config; `None` when it is none.
pub fn value(text: &str) -> Option<serde_json::Value> {
    tree::parse(text).ok()?;
    serde_yaml::from_str(text).ok()
}

/// A plain scalar as a number, if it is one.
fn number(text: &str) -> Option<serde_yaml::Number> {
    serde_yaml::from_str(text).ok()
}

/// The file with a place for everything, or a part of it. Places make no difference to equality.
#[derive(PartialEq)]
pub struct Tree(Rc<Node>);

impl Tree {
    /// Reads the text.
    ///
    /// # Errors
    /// The one problem because of which nothing more can be said of the text.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        match tree::parse(text).map_err(|Trouble(problem)| problem)? {
            Some(root) if !root.is_blank() => Ok(Self(root)),
            _ => {
                let help = "remove it, then `agent-run config --bootstrap-config` writes an example";
                Err(Trouble::new(Mark::START, "the file is empty", help).0)
            }
        }
    }

    /// Where the key stands to which `steps` lead.
    pub fn locate(&self, steps: &[Step]) -> Option<Mark> {
        self.0.locate(steps).map(|slot| slot.at)
    }

    /// What stands where `steps` lead; the whole file for none.
    pub fn at(&self, steps: &[Step]) -> Option<Self> {
        let node = if steps.is_empty() { &self.0 } else { &self.0.locate(steps)?.value };
        Some(Self(Rc::clone(node)))
    }

    /// The keys of the map where `steps` lead, in its order, with their places.
    pub fn keys(&self, steps: &[Step]) -> Vec<(String, Mark)> {
        match self.at(steps).as_ref().map(|tree| &tree.0.kind) {
            Some(Kind::Map(slots)) => slots.iter().map(|slot| (slot.key.clone(), slot.at)).collect(),
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
