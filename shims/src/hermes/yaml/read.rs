//! From a text to its nodes, as `PyYAML` composes them (6.0.3: `_yaml.pyx`, `constructor.py`).

use std::collections::HashMap;

use super::{Kind, Mapping, Node};
use crate::yaml::resolve::{Type, implicit, is_a_float, is_base64, is_valid};
use crate::yaml::{Event, Flaw, Mark, Parser};

/// What a file may hold with its aliases expanded: a few lines of aliases to aliases can stand for billions.
const MOST_NODES: usize = 200_000;

const TOO_MUCH: &str = "too large for a settings file";

/// How deep Hermes 0.19 can go: it fills in `${…}` by a recursion of two calls a level, and Python ends at 1,000.
const DEEPEST: usize = 450;

const CORE: &str = "tag:yaml.org,2002:";

impl Mapping {
    /// Reads a text of one document that is a mapping; an empty document is an empty mapping.
    pub fn parse(text: &str) -> Result<Self, Flaw> {
        let mut parser = Parser::new(text)?;
        let mut reader = NodeReader { anchors: HashMap::new(), open: Vec::new(), nodes: 0, kept: 0 };
        let (mut root, mut begin) = (None, None);
        loop {
            let (event, at) = parser.next()?;
            let done = match event {
                Event::DocumentEnd => continue,
                Event::StreamEnd => break,
                Event::DocumentStart if root.is_none() => continue,
                Event::DocumentStart => return Err(at.flaw("a second document starts here")),
                event => {
                    begin.get_or_insert(at);
                    reader.take(event, at)?
                }
            };
            if let Some(node) = done {
                root = Some(match node {
                    Node::Mapping(mapping) if mapping.kind == Kind::Plain => mapping,
                    node if is_nothing(&node) => Self::default(),
                    _ => return Err(begin.unwrap_or(at).flaw("the file is not a mapping of keys to values")),
                });
            }
        }
        Ok(root.unwrap_or_default())
    }
}

/// What Python takes for nothing, and Hermes then for no settings.
fn is_nothing(node: &Node) -> bool {
    match node {
        Node::Scalar { kind: Kind::Plain, text } => match implicit(text) {
            Type::Null => true,
            Type::Bool => ["no", "off", "false"].contains(&text.to_ascii_lowercase().as_str()),
            _ => text == "0",
        },
        Node::Scalar { text, .. } => text.is_empty(),
        Node::Sequence(_, items) => items.is_empty(),
        Node::Mapping(mapping) => mapping.entries.is_empty(),
    }
}

/// A collection that is not complete yet.
struct OpenNode<'a> {
    at: Mark,
    anchor: Option<&'a str>,
    kind: Kind,
    content: NodeContent,
}

enum NodeContent {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<(Node, Node)>, merged: Vec<(Node, Node)>, key: Option<PendingKey> },
}

/// A key whose value comes next.
enum PendingKey {
    Merge,
    Node(Node),
}

struct NodeReader<'a> {
    /// What an anchor stands for; nothing within that itself.
    anchors: HashMap<&'a str, Option<Node>>,
    open: Vec<OpenNode<'a>>,
    nodes: usize,
    /// What the copies kept for aliases add up to: anchors within anchors are copied once each.
    kept: usize,
}

impl<'a> NodeReader<'a> {
    /// Takes one event, and gives the root when it is complete.
    fn take(&mut self, event: Event<'a>, at: Mark) -> Result<Option<Node>, Flaw> {
        match event {
            Event::Alias(anchor) => {
                let node = match self.anchors.get(anchor) {
                    // Nothing is copied before it is known to be small enough.
                    Some(Some(node)) if self.nodes + node.size() > MOST_NODES => {
                        return Err(at.flaw(TOO_MUCH));
                    }
                    Some(Some(node)) => node.clone(),
                    Some(None) => return Err(at.flaw("an alias inside its own value")),
                    None => return Err(at.flaw("an alias without a preceding anchor")),
                };
                self.count(node.size(), at)?;
                if self.open.len() + node.depth() > DEEPEST {
                    return Err(at.flaw("nested too deeply"));
                }
                self.put(node, at)
            }
            Event::Scalar { anchor, tag, text, plain, .. } => {
                self.count(1, at)?;
                let tag = tag.filter(|tag| tag != "!");
                let (kind, text) = match tag {
                    Some(tag) => explicit(&tag, text.into_owned()).ok_or_else(|| unfit(&tag, at))?,
                    None if plain => (self.plain(&text, at)?, text.into_owned()),
                    None => (Kind::Text, text.into_owned()),
                };
                if kind == Kind::Merge {
                    if !self.expects_key() {
                        return Err(at.flaw(format!("`{text}` is no value")));
                    }
                    return Ok(self.merge_key());
                }
                let node = Node::Scalar { text, kind };
                if let Some(anchor) = anchor {
                    self.declare(anchor, at)?;
                    self.keep(anchor, &node, at)?;
                }
                self.put(node, at)
            }
            Event::SequenceStart(anchor, tag) => {
                let kind = match core(tag.as_deref()) {
                    None | Some("!" | "seq") => Kind::Plain,
                    Some("omap") => Kind::Tagged("omap"),
                    Some("pairs") => Kind::Tagged("pairs"),
                    Some(tag) => return Err(unfit(tag, at)),
                };
                self.begin(at, anchor, kind, NodeContent::Sequence(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                let kind = match core(tag.as_deref()) {
                    None | Some("!" | "map") => Kind::Plain,
                    Some("set") => Kind::Tagged("set"),
                    Some(tag) => return Err(unfit(tag, at)),
                };
                let content = NodeContent::Mapping { entries: Vec::new(), merged: Vec::new(), key: None };
                self.begin(at, anchor, kind, content)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(OpenNode { at, anchor, kind, content }) = self.open.pop() else { return Ok(None) };
                let node = closed(kind, content, at)?;
                if let Some(anchor) = anchor {
                    self.keep(anchor, &node, at)?;
                }
                self.put(node, at)
            }
            _ => Err(at.flaw("a value is missing here")),
        }
    }

    fn begin(
        &mut self,
        at: Mark,
        anchor: Option<&'a str>,
        kind: Kind,
        content: NodeContent,
    ) -> Result<Option<Node>, Flaw> {
        self.count(1, at)?;
        if self.open.len() >= DEEPEST {
            return Err(at.flaw("nested too deeply"));
        }
        if let Some(anchor) = anchor {
            self.declare(anchor, at)?;
        }
        self.open.push(OpenNode { at, anchor, kind, content });
        Ok(None)
    }

    fn keep(&mut self, anchor: &'a str, node: &Node, at: Mark) -> Result<(), Flaw> {
        self.kept += node.size();
        if self.kept > MOST_NODES {
            return Err(at.flaw(TOO_MUCH));
        }
        self.anchors.insert(anchor, Some(node.clone()));
        Ok(())
    }

    fn declare(&mut self, anchor: &'a str, at: Mark) -> Result<(), Flaw> {
        match self.anchors.insert(anchor, None) {
            None => Ok(()),
            Some(_) => Err(at.flaw("the anchor's name is already in use")),
        }
    }

    /// Whether a key is expected next.
    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(OpenNode { content: NodeContent::Mapping { key: None, .. }, .. }))
    }

    /// What an untagged scalar without quotes is.
    fn plain(&self, text: &str, at: Mark) -> Result<Kind, Flaw> {
        let kind = implicit(text);
        match kind {
            Type::Text if is_a_word(text) => Ok(Kind::Word),
            Type::Text => Ok(Kind::Text),
            Type::Merge => Ok(Kind::Merge),
            Type::Default if self.expects_key() => Ok(Kind::Text),
            Type::Default => Err(at.flaw(format!("`{text}` is no value"))),
            _ if is_valid(text, kind) => Ok(Kind::Plain),
            _ => Err(at.flaw("not a valid date or number")),
        }
    }

    fn merge_key(&mut self) -> Option<Node> {
        if let Some(OpenNode { content: NodeContent::Mapping { key, .. }, .. }) = self.open.last_mut() {
            *key = Some(PendingKey::Merge);
        }
        None
    }

    /// Puts a complete node where it belongs; the root belongs nowhere.
    fn put(&mut self, node: Node, at: Mark) -> Result<Option<Node>, Flaw> {
        let Some(open) = self.open.last_mut() else { return Ok(Some(node)) };
        match &mut open.content {
            NodeContent::Sequence(items) => items.push(node),
            NodeContent::Mapping { entries, merged, key } => match key.take() {
                None if matches!(node, Node::Scalar { .. }) => *key = Some(PendingKey::Node(node)),
                None => return Err(at.flaw("a key is a list or a mapping")),
                Some(PendingKey::Node(name)) => entries.push((name, node)),
                Some(PendingKey::Merge) => merge(node, merged).map_err(|what| at.flaw(what))?,
            },
        }
        Ok(None)
    }

    fn count(&mut self, more: usize, at: Mark) -> Result<(), Flaw> {
        self.nodes += more;
        if self.nodes > MOST_NODES { Err(at.flaw(TOO_MUCH)) } else { Ok(()) }
    }
}

/// Adds what a key `<<` brings in. Of several mappings in one list the first wins, so it comes last; of several
/// keys `<<` the last wins.
fn merge(node: Node, merged: &mut Vec<(Node, Node)>) -> Result<(), &'static str> {
    const WRONG: &str = "`<<` needs a mapping or a list of mappings";
    let entries = |node| match node {
        Node::Mapping(Mapping { entries, .. }) => Ok(entries),
        _ => Err(WRONG),
    };
    match node {
        Node::Sequence(_, items) => {
            for item in items.into_iter().rev() {
                merged.extend(entries(item)?);
            }
        }
        node => merged.extend(entries(node)?),
    }
    Ok(())
}

/// Whether a text of that type needs no quotes, wherever it stands.
fn is_a_word(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(inner)
}

fn closed(kind: Kind, content: NodeContent, at: Mark) -> Result<Node, Flaw> {
    match content {
        NodeContent::Sequence(items) => {
            let is_pair = |item: &Node| matches!(item, Node::Mapping(mapping) if mapping.entries.len() == 1);
            if kind != Kind::Plain && !items.iter().all(is_pair) {
                return Err(at.flaw("a list of pairs needs mappings of one key each"));
            }
            Ok(Node::Sequence(kind, items))
        }
        NodeContent::Mapping { entries, merged: mut all, .. } => {
            all.extend(entries);
            Ok(Node::Mapping(Mapping { kind, entries: each_once(all) }))
        }
    }
}

/// The entries, with each text once as a key: where it was first, with what was said last. Which numbers are the
/// same key is for Python to know.
fn each_once(entries: Vec<(Node, Node)>) -> Vec<(Node, Node)> {
    let mut places = HashMap::with_capacity(entries.len());
    let mut all: Vec<(Node, Node)> = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let place = key.text().map(|text| *places.entry(text.to_owned()).or_insert(all.len()));
        match place.and_then(|place| all.get_mut(place)) {
            Some((_, old)) => *old = value,
            None => all.push((key, value)),
        }
    }
    all
}

/// The name of a tag of YAML's own, or the tag itself.
fn core(tag: Option<&str>) -> Option<&str> {
    tag.map(|tag| tag.strip_prefix(CORE).unwrap_or(tag))
}

/// What a tag makes of a scalar, and its text; nothing where Python would end the reading, or might.
fn explicit(tag: &str, text: String) -> Option<(Kind, String)> {
    // Python takes blanks after a number.
    let trimmed = text.trim_end_matches([' ', '\t', '\n']);
    let is = |kind| implicit(trimmed) == kind && is_valid(trimmed, kind);
    let kind = match tag.strip_prefix(CORE)? {
        "str" => Kind::Text,
        "null" => return Some((Kind::Plain, "null".to_owned())),
        "bool" => {
            let constant = match text.to_lowercase().as_str() {
                "yes" | "true" | "on" => "true",
                "no" | "false" | "off" => "false",
                _ => return None,
            };
            return Some((Kind::Plain, constant.to_owned()));
        }
        "int" if is(Type::Int) => return Some((Kind::Plain, trimmed.to_owned())),
        "timestamp" if is(Type::Timestamp) && trimmed == text => Kind::Plain,
        "float" if is(Type::Float) => return Some((Kind::Plain, trimmed.to_owned())),
        "float" if is_a_float(trimmed) => return Some((Kind::Tagged("float"), trimmed.to_owned())),
        "binary" if is_base64(&text) => Kind::Tagged("binary"),
        "merge" => Kind::Merge,
        _ => return None,
    };
    Some((kind, text))
}

/// `PyYAML` fails on tags it does not know, and Hermes would then go on without any settings.
fn unfit(tag: &str, at: Mark) -> Flaw {
    let tag = tag.strip_prefix(CORE).map_or_else(|| tag.to_owned(), |name| format!("!!{name}"));
    at.flaw(format!("the tag `{tag}` does not fit here"))
}

#[cfg(test)]
mod tests;
