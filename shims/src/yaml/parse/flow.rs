//! Collections in brackets and braces.

use super::{Event, ParseResult, Parser, ParserState, Token};

impl<'a> Parser<'a> {
    fn flow_node(&mut self, next: ParserState) -> ParseResult<'a> {
        self.states.push(next);
        self.node(false, false)
    }

    pub(super) fn flow_sequence_entry(&mut self, first: bool) -> ParseResult<'a> {
        if first {
            self.skip()?;
        }
        if !first && !matches!(self.peek()?, Token::FlowSequenceEnd) {
            if !matches!(self.peek()?, Token::FlowEntry) {
                return Err(self.here()?.flaw("a `,` or a `]` is missing here"));
            }
            self.skip()?;
        }
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
        if matches!(self.peek()?, Token::Value) {
            self.skip()?;
            if !matches!(self.peek()?, Token::FlowEntry | Token::FlowSequenceEnd) {
                return self.flow_node(ParserState::PairEnd);
            }
        }
        let at = self.here()?;
        self.empty(ParserState::PairEnd, at)
    }

    pub(super) fn flow_mapping_key(&mut self, first: bool) -> ParseResult<'a> {
        if first {
            self.skip()?;
        }
        if !first && !matches!(self.peek()?, Token::FlowMappingEnd) {
            if !matches!(self.peek()?, Token::FlowEntry) {
                return Err(self.here()?.flaw("a `,` or a `}` is missing here"));
            }
            self.skip()?;
        }
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
        if matches!(self.peek()?, Token::Value) {
            self.skip()?;
            if !matches!(self.peek()?, Token::FlowEntry | Token::FlowMappingEnd) {
                return self.flow_node(ParserState::FlowMappingKey);
            }
        }
        let at = self.here()?;
        self.empty(ParserState::FlowMappingKey, at)
    }
}
