//! From tokens to events, as libyaml 0.2.5 finds them (`parser.c`).

mod document;
mod flow;

use std::borrow::Cow;

use super::Flaw;
use super::scan::{Mark, Scanner, Token};

/// What a node has before its value: an anchor, and a tag.
type Properties<'a> = (Option<&'a str>, Option<String>);

/// A step of a document.
#[derive(Debug)]
pub enum Event<'a> {
    /// The end; nothing follows.
    StreamEnd,
    /// A document begins.
    DocumentStart,
    /// A document ends.
    DocumentEnd,
    /// What an anchor of that name stands for.
    Alias(&'a str),
    /// A text, a number, a truth value or nothing.
    Scalar {
        /// Its anchor.
        anchor: Option<&'a str>,
        /// Its tag.
        tag: Option<String>,
        /// Its text, unquoted.
        text: Cow<'a, str>,
        /// Whether its type is to be read out of the text.
        plain: bool,
        /// Whether it is written in quotes or as a block.
        quoted: bool,
    },
    /// A list begins.
    SequenceStart(Option<&'a str>, Option<String>),
    /// A list ends.
    SequenceEnd,
    /// A map begins.
    MappingStart(Option<&'a str>, Option<String>),
    /// A map ends.
    MappingEnd,
}

#[derive(Clone, Copy)]
enum ParserState {
    ImplicitDocumentStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceEntry,
    IndentlessSequenceEntry,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirstEntry,
    FlowSequenceEntry,
    PairKey,
    PairValue,
    PairEnd,
    FlowMappingFirstKey,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
    End,
}

/// Reads events, one after another.
pub struct Parser<'a> {
    scanner: Scanner<'a>,
    state: ParserState,
    states: Vec<ParserState>,
    /// Handles of tags, and what they stand for.
    handles: Vec<(&'a str, String)>,
}

type ParseResult<'a> = Result<(Event<'a>, Mark), Flaw>;

impl<'a> Parser<'a> {
    /// Reads `text`.
    ///
    /// # Errors
    /// When there is a character in it that YAML does not allow.
    pub fn new(text: &'a str) -> Result<Self, Flaw> {
        let scanner = Scanner::new(text)?;
        Ok(Self {
            scanner,
            state: ParserState::ImplicitDocumentStart,
            states: Vec::new(),
            handles: Vec::new(),
        })
    }

    /// The next event and where it begins; after the last one it stays the end of the stream.
    ///
    /// # Errors
    /// Where the text is no YAML.
    #[expect(clippy::should_implement_trait, reason = "it fails, and has no end")]
    pub fn next(&mut self) -> ParseResult<'a> {
        match self.state {
            ParserState::ImplicitDocumentStart => self.document_start(true),
            ParserState::DocumentStart => self.document_start(false),
            ParserState::DocumentContent => self.document_content(),
            ParserState::DocumentEnd => self.document_end(),
            ParserState::BlockNode => self.node(true, false),
            ParserState::BlockSequenceEntry => self.block_sequence_entry(),
            ParserState::IndentlessSequenceEntry => self.indentless_sequence_entry(),
            ParserState::BlockMappingKey => self.block_mapping_key(),
            ParserState::BlockMappingValue => self.block_mapping_value(),
            ParserState::FlowSequenceFirstEntry => self.flow_sequence_entry(true),
            ParserState::FlowSequenceEntry => self.flow_sequence_entry(false),
            ParserState::PairKey => self.pair_key(),
            ParserState::PairValue => self.pair_value(),
            ParserState::PairEnd => {
                self.state = ParserState::FlowSequenceEntry;
                Ok((Event::MappingEnd, self.here()?))
            }
            ParserState::FlowMappingFirstKey => self.flow_mapping_key(true),
            ParserState::FlowMappingKey => self.flow_mapping_key(false),
            ParserState::FlowMappingValue => self.flow_mapping_value(),
            ParserState::FlowMappingEmptyValue => {
                let at = self.here()?;
                self.empty(ParserState::FlowMappingKey, at)
            }
            ParserState::End => Ok((Event::StreamEnd, Mark::default())),
        }
    }

    fn peek(&mut self) -> Result<&Token<'a>, Flaw> {
        self.scanner.peek().map(|(token, _)| token)
    }

    fn here(&mut self) -> Result<Mark, Flaw> {
        self.scanner.peek().map(|(_, at)| *at)
    }

    fn skip(&mut self) -> Result<Mark, Flaw> {
        self.scanner.next().map(|(_, at)| at)
    }

    fn pop(&mut self) {
        self.state = self.states.pop().unwrap_or(ParserState::End);
    }

    fn nothing((anchor, tag): Properties<'a>, plain: bool) -> Event<'a> {
        Event::Scalar { anchor, tag, text: Cow::Borrowed(""), plain, quoted: false }
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is a step like the others")]
    fn empty(&mut self, next: ParserState, at: Mark) -> ParseResult<'a> {
        self.state = next;
        Ok((Self::nothing((None, None), true), at))
    }

    fn node(&mut self, block: bool, indentless: bool) -> ParseResult<'a> {
        let start = self.here()?;
        let (mut anchor, mut tag) = (None, None);
        for _ in 0..2 {
            match self.peek()? {
                Token::Alias(name) if anchor.is_none() && tag.is_none() => {
                    let name = *name;
                    self.skip()?;
                    self.pop();
                    return Ok((Event::Alias(name), start));
                }
                Token::Anchor(name) if anchor.is_none() => anchor = Some(*name),
                Token::Tag(handle, suffix) if tag.is_none() => tag = Some((*handle, suffix.clone())),
                _ => break,
            }
            self.skip()?;
        }
        let tag = match tag {
            None => None,
            Some(("", suffix)) => Some(suffix),
            Some((handle, suffix)) => {
                let prefix = self.handles.iter().find(|(known, _)| *known == handle);
                let (_, prefix) = prefix.ok_or_else(|| start.flaw("the tag's handle is not declared"))?;
                Some(format!("{prefix}{suffix}"))
            }
        };
        let state = match self.peek()? {
            Token::BlockEntry if indentless => ParserState::IndentlessSequenceEntry,
            Token::Scalar(..) => {
                let (Token::Scalar(text, bare), _) = self.scanner.next()? else {
                    return Err(start.flaw("a value is missing here"));
                };
                self.pop();
                let plain = (bare && tag.is_none()) || tag.as_deref() == Some("!");
                return Ok((Event::Scalar { anchor, tag, text, plain, quoted: !bare }, start));
            }
            Token::FlowSequenceStart => ParserState::FlowSequenceFirstEntry,
            Token::FlowMappingStart => ParserState::FlowMappingFirstKey,
            Token::BlockSequenceStart if block => ParserState::BlockSequenceEntry,
            Token::BlockMappingStart if block => ParserState::BlockMappingKey,
            _ if anchor.is_some() || tag.is_some() => {
                self.pop();
                let plain = tag.is_none();
                return Ok((Self::nothing((anchor, tag), plain), start));
            }
            _ => return Err(self.here()?.flaw("a value is missing here")),
        };
        self.state = state;
        if matches!(state, ParserState::BlockSequenceEntry | ParserState::BlockMappingKey) {
            self.skip()?;
        }
        Ok(match state {
            ParserState::FlowMappingFirstKey | ParserState::BlockMappingKey => {
                (Event::MappingStart(anchor, tag), start)
            }
            _ => (Event::SequenceStart(anchor, tag), start),
        })
    }

    /// A node, after which `next` follows, or nothing where one of `ends` stands.
    fn node_unless(
        &mut self,
        next: ParserState,
        indentless: bool,
        ends: fn(&Token<'a>) -> bool,
        at: Mark,
    ) -> ParseResult<'a> {
        if ends(self.peek()?) {
            return self.empty(next, at);
        }
        self.states.push(next);
        self.node(true, indentless)
    }

    fn block_sequence_entry(&mut self) -> ParseResult<'a> {
        match self.peek()? {
            Token::BlockEntry => {
                let at = self.skip()?;
                let ends = |token: &Token<'a>| matches!(token, Token::BlockEntry | Token::BlockEnd);
                self.node_unless(ParserState::BlockSequenceEntry, false, ends, at)
            }
            Token::BlockEnd => {
                self.pop();
                Ok((Event::SequenceEnd, self.skip()?))
            }
            _ => self.unexpected("expected `-` for the next list item"),
        }
    }

    /// The flaw of what cannot be next in a block: a bracket too many, or else `what`.
    fn unexpected(&mut self, what: &'static str) -> ParseResult<'a> {
        let is_bracket = matches!(self.peek()?, Token::FlowSequenceEnd | Token::FlowMappingEnd);
        Err(self.here()?.flaw(if is_bracket { "no bracket is open that this one closes" } else { what }))
    }

    fn indentless_sequence_entry(&mut self) -> ParseResult<'a> {
        if !matches!(self.peek()?, Token::BlockEntry) {
            self.pop();
            return Ok((Event::SequenceEnd, self.here()?));
        }
        let at = self.skip()?;
        let ends = |token: &Token<'a>| {
            matches!(token, Token::BlockEntry | Token::Key | Token::Value | Token::BlockEnd)
        };
        self.node_unless(ParserState::IndentlessSequenceEntry, false, ends, at)
    }

    fn block_mapping_key(&mut self) -> ParseResult<'a> {
        match self.peek()? {
            Token::Key => {
                let at = self.skip()?;
                let ends = |token: &Token<'a>| matches!(token, Token::Key | Token::Value | Token::BlockEnd);
                self.node_unless(ParserState::BlockMappingValue, true, ends, at)
            }
            Token::BlockEnd => {
                self.pop();
                Ok((Event::MappingEnd, self.skip()?))
            }
            _ => self.unexpected("a key is missing here"),
        }
    }

    fn block_mapping_value(&mut self) -> ParseResult<'a> {
        let at = self.here()?;
        if !matches!(self.peek()?, Token::Value) {
            return self.empty(ParserState::BlockMappingKey, at);
        }
        self.skip()?;
        let ends = |token: &Token<'a>| matches!(token, Token::Key | Token::Value | Token::BlockEnd);
        self.node_unless(ParserState::BlockMappingKey, true, ends, at)
    }
}
