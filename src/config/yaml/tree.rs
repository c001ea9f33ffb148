//! The file as a tree in which everything knows its place; aliases and merge keys are resolved.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use shims::yaml::{Event, Flaw, Parser};

use super::skim::{PROVIDERS, Skim};
use crate::config::problem::{Problem, SourcePos, Step};

/// A file's nodes, aliases followed, beyond which it is taken for an alias bomb.
const MOST_EXPANDED: usize = 1_000_000;
/// The schema itself goes six deep; a tree much deeper could not be dropped on a small stack.
const DEEPEST: usize = 64;

/// A value of the file.
pub struct TreeNode {
    pub kind: TreeKind,
    /// How many nodes it stands for once aliases are followed, and how deep they go.
    weight: usize,
    depth: usize,
}

/// What a value is.
pub enum TreeKind {
    Scalar { text: String, plain: bool },
    List(Vec<Rc<Slot>>),
    Map(Vec<Rc<Slot>>),
}

/// An entry of a map or an item of a list.
pub struct Slot {
    /// Empty in a list.
    pub key: String,
    /// Where the key stands, or the item.
    pub at: SourcePos,
    value_at: SourcePos,
    pub value: Rc<TreeNode>,
    /// The key's first place, when it is in the same map twice.
    pub first: Option<SourcePos>,
    /// Set once its problem is known: the next reading passes over it to find the next problem.
    pub dropped: Cell<bool>,
}

impl Slot {
    /// Where to look for a value that is wrong: at itself if it begins in its key's line.
    pub fn place(&self) -> SourcePos {
        if self.value_at.line == self.at.line { self.value_at } else { self.at }
    }
}

/// Values are the same wherever they stand.
impl PartialEq for TreeNode {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: &[Rc<Slot>], b: &[Rc<Slot>]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.key == b.key && a.value == b.value)
        };
        match (&self.kind, &other.kind) {
            (TreeKind::Scalar { text: a, plain: p }, TreeKind::Scalar { text: b, plain: q }) => {
                a == b && p == q
            }
            (TreeKind::List(a), TreeKind::List(b)) | (TreeKind::Map(a), TreeKind::Map(b)) => same(a, b),
            _ => false,
        }
    }
}

impl TreeNode {
    fn new(kind: TreeKind) -> Self {
        let (mut weight, mut depth) = (1_usize, 1);
        if let TreeKind::List(slots) | TreeKind::Map(slots) = &kind {
            for slot in slots {
                weight = weight.saturating_add(slot.value.weight);
                depth = depth.max(1 + slot.value.depth);
            }
        }
        Self { kind, weight, depth }
    }

    /// Whether nothing at all is written.
    pub fn is_blank(&self) -> bool {
        matches!(&self.kind, TreeKind::Scalar { text, plain: true } if text.is_empty())
    }

    /// Where the entry stands to which `steps` lead.
    pub fn locate(&self, steps: &[Step]) -> Option<&Slot> {
        let (step, rest) = steps.split_first()?;
        let slot = match (step, &self.kind) {
            (Step::Index(index), TreeKind::List(slots)) => slots.get(*index)?,
            (Step::Key(index), TreeKind::List(slots)) => slots.get(index.parse::<usize>().ok()?)?,
            (Step::Key(key), TreeKind::Map(slots)) => slots.iter().find(|slot| slot.key == *key)?,
            _ => return None,
        };
        if rest.is_empty() { Some(slot) } else { slot.value.locate(rest) }
    }
}

/// Reads the text; `None` when it holds no value at all. Of the providers, those that `skim` does not keep are read
/// as YAML and no more.
pub fn parse(text: &str, mut skim: Option<&mut Skim<'_>>) -> Result<Option<Rc<TreeNode>>, Problem> {
    let mut parser = Parser::new(text)?;
    let mut builder = Builder::default();
    loop {
        let (event, at) = parser.next()?;
        let at = SourcePos { line: at.line(), column: at.column() };
        if matches!(event, Event::StreamEnd) {
            return Ok(builder.root);
        }
        match &mut skim {
            Some(skim) => {
                if !skim.passes(builder.provider(), &event) {
                    builder.take(event, at)?;
                } else if builder.open.len() + skim.depth() > DEEPEST {
                    return Err(too_deep(at));
                } else if skim.depth() == 0 {
                    builder.forget_key();
                }
            }
            None => builder.take(event, at)?,
        }
    }
}

fn not_yaml(mark: SourcePos, info: &str) -> Problem {
    /// What to do about what the flaw's sentence contains.
    const HELPS: [(&str, &str); 11] = [
        ("a tab ", "replace the tab with spaces"),
        ("quotation mark", "close it; inside single quotes, a `'` is written twice"),
        ("no bracket is open", "remove this bracket, or open it before"),
        ("`,` or", "close the bracket, and put a comma between two items"),
        ("alias", "put text that begins with `*` in quotes"),
        ("cannot start", "put the text in quotes"),
        ("value is not allowed", "put text that contains `: ` in quotes"),
        ("unexpected `:`", "put text that contains `: ` in quotes"),
        ("`:` is missing", "write `key: value`, with a space after the colon"),
        ("a value is missing", "write a value, or close the bracket that is open"),
        ("missing here", "align it: the keys of one map begin in the same column"),
    ];
    let usual = "indent with spaces, put a space after each `:`, and quote text that contains `: ` or ` #`";
    let help = HELPS.iter().find(|(what, _)| info.contains(what)).map_or(usual, |(_, help)| help);
    Problem::at(mark, format!("invalid YAML: {info}"), help)
}

impl From<Flaw> for Problem {
    fn from(Flaw { line, column, what }: Flaw) -> Self {
        not_yaml(SourcePos { line, column }, &what)
    }
}

#[derive(Default)]
struct Builder<'a> {
    documents: usize,
    nodes: usize,
    merged: usize,
    /// What each stands for; nothing while that is not complete.
    anchors: HashMap<&'a str, Option<Rc<TreeNode>>>,
    open: Vec<OpenCollection<'a>>,
    root: Option<Rc<TreeNode>>,
}

/// A list or map whose end has not come yet.
struct OpenCollection<'a> {
    at: SourcePos,
    anchor: Option<&'a str>,
    slots: Vec<Rc<Slot>>,
    map: Option<OpenMap>,
}

#[derive(Default)]
struct OpenMap {
    /// The key whose value comes next, and whether it is plain text.
    key: Option<(String, SourcePos, bool)>,
    seen: HashMap<String, SourcePos>,
    merges: Vec<(SourcePos, Rc<TreeNode>)>,
}

impl<'a> Builder<'a> {
    /// The provider whose value comes next.
    fn provider(&self) -> Option<&str> {
        match &self.open[..] {
            [OpenCollection { map: Some(top), .. }, OpenCollection { map: Some(providers), .. }] => {
                let (name, ..) = providers.key.as_ref()?;
                top.key.as_ref().is_some_and(|(key, ..)| key == PROVIDERS).then_some(name)
            }
            _ => None,
        }
    }

    fn forget_key(&mut self) {
        if let Some(OpenCollection { map: Some(map), .. }) = self.open.last_mut() {
            map.key = None;
        }
    }

    fn take(&mut self, event: Event<'a>, at: SourcePos) -> Result<(), Problem> {
        self.nodes += 1;
        match event {
            Event::DocumentStart => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Problem::at(
                        at,
                        "the file contains more than one YAML document",
                        "remove the line `---`",
                    ));
                }
                Ok(())
            }
            Event::Scalar { text, quoted, anchor, tag, .. } => {
                let is_text = matches!(tag.as_deref(), Some("!" | "tag:yaml.org,2002:str"));
                let kind = TreeKind::Scalar { text: text.into_owned(), plain: !quoted && !is_text };
                self.place(at, anchor, TreeNode::new(kind))
            }
            Event::SequenceStart(anchor, _) => self.open(at, anchor, None),
            Event::MappingStart(anchor, _) => self.open(at, anchor, Some(OpenMap::default())),
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => match self.anchors.get(anchor) {
                Some(Some(node)) => {
                    let node = Rc::clone(node);
                    self.put(at, node)
                }
                Some(None) => {
                    Err(Problem::at(at, "the alias is inside its own anchor", "write the value out"))
                }
                None => Err(not_yaml(at, "an alias without a preceding anchor")),
            },
            Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn open(&mut self, at: SourcePos, anchor: Option<&'a str>, map: Option<OpenMap>) -> Result<(), Problem> {
        if self.open.len() >= DEEPEST {
            return Err(too_deep(at));
        }
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, None);
        }
        self.open.push(OpenCollection { at, anchor, slots: Vec::new(), map });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Problem> {
        let Some(OpenCollection { at, anchor, mut slots, map }) = self.open.pop() else { return Ok(()) };
        let kind = match map {
            None => TreeKind::List(slots),
            Some(map) => {
                self.merge(map, &mut slots)?;
                TreeKind::Map(slots)
            }
        };
        self.place(at, anchor, TreeNode::new(kind))
    }

    /// Adds what `<<` names: the map's own entries win, then the earlier of the merged maps.
    fn merge(&mut self, map: OpenMap, slots: &mut Vec<Rc<Slot>>) -> Result<(), Problem> {
        let mut seen = map.seen;
        for (at, node) in map.merges {
            let sources = match &node.kind {
                TreeKind::List(items) => items.iter().map(|item| &*item.value).collect(),
                _ => vec![&*node],
            };
            for source in sources {
                let TreeKind::Map(entries) = &source.kind else {
                    let help = "write `<<: *anchor` or `<<: [*one, *two]`";
                    return Err(Problem::at(at, "`<<` needs a map or a list of maps", help));
                };
                self.merged += entries.len();
                if self.merged > MOST_EXPANDED {
                    return Err(bomb(at));
                }
                for entry in entries {
                    if seen.insert(entry.key.clone(), entry.at).is_none() {
                        slots.push(Rc::clone(entry));
                    }
                }
            }
        }
        Ok(())
    }

    fn place(&mut self, at: SourcePos, anchor: Option<&'a str>, node: TreeNode) -> Result<(), Problem> {
        let node = Rc::new(node);
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, Some(Rc::clone(&node)));
        }
        self.put(at, node)
    }

    fn put(&mut self, at: SourcePos, value: Rc<TreeNode>) -> Result<(), Problem> {
        if value.weight > MOST_EXPANDED.max(self.nodes) {
            return Err(bomb(at));
        }
        if self.open.len() + value.depth > DEEPEST {
            return Err(too_deep(at));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(value);
            return Ok(());
        };
        let slot = |key, key_at, value, first| {
            Rc::new(Slot { key, at: key_at, value_at: at, value, first, dropped: Cell::new(false) })
        };
        let Some(map) = &mut open.map else {
            open.slots.push(slot(String::new(), at, value, None));
            return Ok(());
        };
        match (map.key.take(), &value.kind) {
            (None, TreeKind::Scalar { text, plain }) => map.key = Some((text.clone(), at, *plain)),
            (None, _) => {
                return Err(Problem::at(at, "expected a key, found a list or map", "write a name and `:`"));
            }
            (Some((key, _, true)), _) if key == "<<" => map.merges.push((at, value)),
            (Some((key, key_at, _)), _) => {
                let first = map.seen.get(&key).copied();
                map.seen.entry(key.clone()).or_insert(key_at);
                open.slots.push(slot(key, key_at, value, first));
            }
        }
        Ok(())
    }
}

fn bomb(at: SourcePos) -> Problem {
    let message = format!("the aliases expand to more than {MOST_EXPANDED} values");
    Problem::at(at, &message, "write out the values instead")
}

fn too_deep(at: SourcePos) -> Problem {
    let message = format!("the values are nested more than {DEEPEST} levels deep");
    Problem::at(at, &message, "compare with the example in `config.demo.yaml`")
}
