//! From a text to its pieces, by the parser's events: they still tell what was quoted.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::{Flaw, Mapping, Node};

/// What a file may hold once its aliases are expanded, in scalars and collections: a few lines of
/// aliases to aliases can stand for billions.
const MOST_NODES: usize = 200_000;
const DEEPEST: usize = 100;

impl Mapping {
    /// Reads a text of one document that is a mapping; an empty document is an empty mapping.
    pub fn parse(text: &str) -> Result<Self, Flaw> {
        let mut reader = Reader { parser: Parser::new_from_str(text), anchors: HashMap::new(), nodes: 0 };
        reader.document()
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Mapping, Flaw> {
        let mut root = None;
        while let Some(event) = self.parser.next() {
            let (event, span) = event?;
            match event {
                Event::Nothing | Event::StreamStart | Event::DocumentEnd | Event::StreamEnd => {}
                Event::DocumentStart(_) if root.is_none() => {
                    let (event, span) = self.next()?;
                    root = Some(match self.node(event, span, 0)? {
                        Node::Mapping(mapping) => mapping,
                        Node::Scalar { text, plain: true } if ["", "~", "null"].contains(&text.as_str()) => {
                            Mapping::default()
                        }
                        _ => return Err(flaw(span, "the file is not a mapping of keys to values")),
                    });
                }
                _ => return Err(flaw(span, "a second document begins here")),
            }
        }
        Ok(root.unwrap_or_default())
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Flaw> {
        match self.parser.next() {
            Some(event) => Ok(event?),
            None => Err(Flaw { line: 1, column: 1, what: "the file ends too early".into() }),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Flaw> {
        self.count(1, span)?;
        if depth > DEEPEST {
            return Err(flaw(span, "nested too deeply"));
        }
        let (anchor, node) = match event {
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                let node = node.ok_or_else(|| flaw(span, "an alias within what it stands for"))?;
                self.count(node.size(), span)?;
                return Ok(node);
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = match tag.as_deref() {
                    None => style == ScalarStyle::Plain,
                    Some(tag) if is_text(tag) => false,
                    Some(tag) => return Err(unknown(tag, span)),
                };
                (anchor, Node::Scalar { text: text.into_owned(), plain })
            }
            Event::SequenceStart(_, Some(tag)) | Event::MappingStart(_, Some(tag)) => {
                return Err(unknown(&tag, span));
            }
            Event::SequenceStart(anchor, None) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        (event, span) => items.push(self.node(event, span, depth + 1)?),
                    }
                }
                (anchor, Node::Sequence(items))
            }
            Event::MappingStart(anchor, None) => (anchor, Node::Mapping(self.mapping(depth)?)),
            _ => return Err(flaw(span, "a value is missing here")),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    /// Reads a mapping; a key `<<` brings in what the mapping itself does not say.
    fn mapping(&mut self, depth: usize) -> Result<Mapping, Flaw> {
        let (mut mapping, mut merged) = (Mapping::default(), Vec::new());
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let key = self.node(event, span, depth + 1)?;
            if key.text().is_none() {
                return Err(flaw(span, "a key is a list or a mapping"));
            }
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            if !matches!(&key, Node::Scalar { text, plain: true } if text == "<<") {
                mapping.put(key, value);
                continue;
            }
            match value {
                Node::Mapping(other) => merged.push(other),
                Node::Sequence(others) if others.iter().all(|other| other.mapping().is_some()) => {
                    merged.extend(others.into_iter().filter_map(|other| other.mapping().cloned()));
                }
                _ => return Err(flaw(span, "`<<` takes a mapping or a list of mappings")),
            }
        }
        for (key, value) in merged.into_iter().flat_map(|other| other.0) {
            if !mapping.0.iter().any(|(name, _)| *name == key) {
                mapping.0.push((key, value));
            }
        }
        Ok(mapping)
    }

    fn count(&mut self, more: usize, span: Span) -> Result<(), Flaw> {
        self.nodes += more;
        if self.nodes > MOST_NODES { Err(flaw(span, "too much for a settings file")) } else { Ok(()) }
    }
}

/// Whether a tag makes text of a scalar: `!!str`, or a bare `!`.
fn is_text(tag: &Tag) -> bool {
    (tag.is_yaml_core_schema() && tag.suffix == "str") || (tag.handle.is_empty() && tag.suffix == "!")
}

/// `PyYAML` fails on tags it does not know, and Hermes would then go on without any settings.
fn unknown(tag: &Tag, span: Span) -> Flaw {
    flaw(span, &format!("the tag `{}{}` has no place in settings", tag.handle, tag.suffix))
}

fn flaw(span: Span, what: &str) -> Flaw {
    Flaw { line: span.start.line(), column: span.start.col() + 1, what: what.to_owned() }
}

impl From<ScanError> for Flaw {
    fn from(error: ScanError) -> Self {
        let at = error.marker();
        Self { line: at.line(), column: at.col() + 1, what: error.info().to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn again(text: &str) -> String {
        Mapping::parse(text).expect(text).lines()
    }

    #[test]
    fn aliases_and_merges_are_expanded_and_the_last_key_wins() {
        assert_eq!(again("a: &x {m: 1, n: 2}\nb: {<<: *x, n: 3}\n"), "a: {m: 1, n: 2}\nb: {n: 3, m: 1}\n");
        assert_eq!(again("a: 1\nb: 2\na: 3\n"), "a: 3\nb: 2\n");
    }

    #[test]
    fn nothing_is_an_empty_mapping() {
        for text in ["", "# only a comment\n", "---\n", "~\n", "null\n"] {
            assert_eq!(again(text), "", "{text}");
        }
    }

    #[test]
    fn flaws_are_told_with_line_and_column() {
        for (text, line) in [
            ("a: 1\nb: [1, 2\n", 3),
            ("a: 1\nb: @x\n", 2),
            ("- a\n", 1),
            ("a: 1\n---\nb: 2\n", 2),
            ("a: &x [*x]\n", 1),
            ("a: 1\n<<: 3\n", 2),
            ("a: 1\nb: !thing 3\n", 2),
            ("[a]: 1\n", 1),
        ] {
            let flaw = Mapping::parse(text).expect_err(text);
            assert_eq!(flaw.line, line, "{text}: {flaw:?}");
            assert!(flaw.column > 0 && !flaw.what.is_empty(), "{flaw:?}");
        }
    }

    #[test]
    fn a_few_aliases_cannot_fill_the_memory() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..20 {
            let before = format!("*a{}", level - 1);
            _ = writeln!(text, "a{level}: &a{level} [{}]", [before.as_str(); 10].join(", "));
        }
        assert!(Mapping::parse(&text).is_err());
    }
}
