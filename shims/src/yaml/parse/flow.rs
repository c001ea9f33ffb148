//! Collections in brackets and braces.

use super::{Event, Flaw, ParseResult, Parser, ParserState, Token};

impl<'a> Parser<'a> {
    fn flow_node(&mut self, next: ParserState) -> ParseResult<'a> {
        self.states.push(next);
        self.node(false, false)
    }

    /// Takes the bracket before the first entry, or the comma before any other, unless the collection ends.
    fn before_entry(&mut self, first: bool, ends: fn(&Token<'a>) -> bool, missing: &str) -> Result<(), Flaw> {
        if !first && ends(self.peek()?) {
            return Ok(());
        }
        if !first && !matches!(self.peek()?, Token::FlowEntry) {
            return Err(self.here()?.flaw(missing));
        }
        self.skip().map(drop)
    }

    /// A value behind its `:`, or nothing where there is none.
    fn value_or_nothing(&mut self, next: ParserState, ends: fn(&Token<'a>) -> bool) -> ParseResult<'a> {
        if matches!(self.peek()?, Token::Value) {
            self.skip()?;
            if !matches!(self.peek()?, Token::FlowEntry) && !ends(self.peek()?) {
                return self.flow_node(next);
            }
        }
        let at = self.here()?;
        self.empty(next, at)
    }

    pub(super) fn flow_sequence_entry(&mut self, first: bool) -> ParseResult<'a> {
        self.before_entry(first, ends_sequence, "a `,` or a `]` is missing here")?;
        match self.peek()? {
            Token::FlowSequenceEnd => {
                self.pop();
                Ok((Event::SequenceEnd, self.skip()?))
            }
            Token::Key => {
                self.state = ParserState::PairKey;
                Ok((Event::MappingStart(None, None), self.skip()?))
            }
            _ => self.flow_node(ParserState::FlowSequenceEntry),
        }
    }

    pub(super) fn pair_key(&mut self) -> ParseResult<'a> {
        match self.peek()? {
            // libyaml skips what it finds, even an end.
            Token::Value | Token::FlowEntry | Token::FlowSequenceEnd => {
                let at = self.skip()?;
                self.empty(ParserState::PairValue, at)
            }
            _ => self.flow_node(ParserState::PairValue),
        }
    }

    pub(super) fn pair_value(&mut self) -> ParseResult<'a> {
        self.value_or_nothing(ParserState::PairEnd, ends_sequence)
    }

    pub(super) fn flow_mapping_key(&mut self, first: bool) -> ParseResult<'a> {
        self.before_entry(first, ends_mapping, "a `,` or a `}` is missing here")?;
        match self.peek()? {
            Token::FlowMappingEnd => {
                self.pop();
                Ok((Event::MappingEnd, self.skip()?))
            }
            Token::Key => {
                self.skip()?;
                if matches!(self.peek()?, Token::Value | Token::FlowEntry | Token::FlowMappingEnd) {
                    let at = self.here()?;
                    return self.empty(ParserState::FlowMappingValue, at);
                }
                self.flow_node(ParserState::FlowMappingValue)
            }
            _ => self.flow_node(ParserState::FlowMappingEmptyValue),
        }
    }

    pub(super) fn flow_mapping_value(&mut self) -> ParseResult<'a> {
        self.value_or_nothing(ParserState::FlowMappingKey, ends_mapping)
    }
}

fn ends_sequence(token: &Token<'_>) -> bool {
    matches!(token, Token::FlowSequenceEnd)
}

fn ends_mapping(token: &Token<'_>) -> bool {
    matches!(token, Token::FlowMappingEnd)
}
