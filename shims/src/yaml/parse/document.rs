//! Where a document begins and ends, and its directives.

use super::{Event, ParseResult, Parser, ParserState, Token};
use crate::yaml::Flaw;

impl<'a> Parser<'a> {
    pub(super) fn document_start(&mut self, implicit: bool) -> ParseResult<'a> {
        while !implicit && matches!(self.peek()?, Token::DocumentEnd) {
            self.skip()?;
        }
        let at = self.here()?;
        match self.peek()? {
            Token::StreamEnd => {
                self.state = ParserState::End;
                return Ok((Event::StreamEnd, at));
            }
            Token::Version(..) | Token::TagDirective(..) | Token::DocumentStart => {}
            _ if implicit => {
                self.directives()?;
                self.states.push(ParserState::DocumentEnd);
                self.state = ParserState::BlockNode;
                return Ok((Event::DocumentStart, at));
            }
            _ => {}
        }
        self.directives()?;
        if !matches!(self.peek()?, Token::DocumentStart) {
            return Err(self.here()?.flaw("expected `---` before a document"));
        }
        self.skip()?;
        self.states.push(ParserState::DocumentEnd);
        self.state = ParserState::DocumentContent;
        Ok((Event::DocumentStart, at))
    }

    fn directives(&mut self) -> Result<(), Flaw> {
        let mut version = false;
        while matches!(self.peek()?, Token::Version(..) | Token::TagDirective(..)) {
            match self.scanner.next()? {
                (Token::Version(1, 1 | 2), _) if !version => version = true,
                (Token::TagDirective(handle, prefix), at) => {
                    if self.handles.iter().any(|(known, _)| *known == handle) {
                        return Err(at.flaw("a second %TAG for one handle"));
                    }
                    self.handles.push((handle, prefix));
                }
                (_, at) => return Err(at.flaw("a second %YAML, or an unknown YAML version")),
            }
        }
        for (handle, prefix) in [("!", "!"), ("!!", "tag:yaml.org,2002:")] {
            if !self.handles.iter().any(|(known, _)| *known == handle) {
                self.handles.push((handle, prefix.to_owned()));
            }
        }
        Ok(())
    }

    pub(super) fn document_content(&mut self) -> ParseResult<'a> {
        match self.peek()? {
            Token::Version(..)
            | Token::TagDirective(..)
            | Token::DocumentStart
            | Token::DocumentEnd
            | Token::StreamEnd => {
                let at = self.here()?;
                self.pop();
                Ok((Self::nothing((None, None), true), at))
            }
            _ => self.node(true, false),
        }
    }

    pub(super) fn document_end(&mut self) -> ParseResult<'a> {
        let at = self.here()?;
        if matches!(self.peek()?, Token::DocumentEnd) {
            self.skip()?;
        }
        self.handles.clear();
        self.state = ParserState::DocumentStart;
        Ok((Event::DocumentEnd, at))
    }
}
