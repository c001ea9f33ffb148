//! What begins a token, and where one may stand.

use super::chars::{is_blank, is_blank_or_end};
use super::keys::SimpleKey;
use super::{Scanner, Token, to_indent};
use crate::yaml::Flaw;

impl<'a> Scanner<'a> {
    /// Finds the next token, or several.
    pub(super) fn fetch(&mut self) -> Result<(), Flaw> {
        self.scan_to_next_token();
        self.drop_stale_keys()?;
        self.unroll_indent(to_indent(self.at.column));
        let (c, next) = (self.char(0), self.char(1));
        let flow = self.in_flow();
        match c {
            '\0' => {
                // What was begun on the last line and may be a key is none.
                if self.at.column != 0 {
                    self.at.column = 0;
                    self.at.line += 1;
                }
                self.unroll_indent(-1);
                self.remove_key()?;
                self.key_allowed = false;
                self.push(Token::StreamEnd, 0);
            }
            '%' if self.at.column == 0 => {
                self.begin_document_part()?;
                self.scan_directive()?;
            }
            '-' | '.' if self.at_document_mark() => {
                self.begin_document_part()?;
                self.push(if c == '-' { Token::DocumentStart } else { Token::DocumentEnd }, 3);
            }
            '[' | '{' => {
                self.save_key()?;
                self.keys.push(SimpleKey::default());
                self.key_allowed = true;
                self.push(if c == '[' { Token::FlowSequenceStart } else { Token::FlowMappingStart }, 1);
            }
            ']' | '}' => {
                self.remove_key()?;
                if flow {
                    self.keys.pop();
                }
                self.key_allowed = false;
                self.push(if c == ']' { Token::FlowSequenceEnd } else { Token::FlowMappingEnd }, 1);
            }
            ',' => {
                self.remove_key()?;
                self.key_allowed = true;
                self.push(Token::FlowEntry, 1);
            }
            '-' if is_blank_or_end(next) => {
                self.begin_block(Token::BlockSequenceStart, "a list item is not allowed here")?;
                self.remove_key()?;
                self.key_allowed = true;
                self.push(Token::BlockEntry, 1);
            }
            '?' if flow || is_blank_or_end(next) => {
                self.begin_block(Token::BlockMappingStart, "a key is not allowed here")?;
                self.remove_key()?;
                self.key_allowed = !flow;
                self.push(Token::Key, 1);
            }
            ':' if flow || is_blank_or_end(next) => self.fetch_value()?,
            '*' | '&' => {
                self.begin_simple()?;
                self.scan_anchor(c == '*')?;
            }
            '!' => {
                self.begin_simple()?;
                self.scan_tag()?;
            }
            '|' | '>' if !flow => {
                self.remove_key()?;
                self.key_allowed = true;
                self.scan_block_scalar(c == '|')?;
            }
            '\'' | '"' => {
                self.begin_simple()?;
                self.scan_quoted(c == '"')?;
            }
            '-' if !is_blank(next) => self.fetch_plain()?,
            '?' | ':' if !flow && !is_blank_or_end(next) => self.fetch_plain()?,
            '\t' => return Err(self.at.flaw("a tab in the indentation, which needs spaces")),
            '#' | '%' | '@' | '`' | '|' | '>' => {
                return Err(self.at.flaw(format!("`{}` cannot start a value", c.escape_default())));
            }
            _ => self.fetch_plain()?,
        }
        Ok(())
    }

    fn begin_document_part(&mut self) -> Result<(), Flaw> {
        self.unroll_indent(-1);
        self.remove_key()?;
        self.key_allowed = false;
        Ok(())
    }

    fn begin_simple(&mut self) -> Result<(), Flaw> {
        self.save_key()?;
        self.key_allowed = false;
        Ok(())
    }

    fn fetch_plain(&mut self) -> Result<(), Flaw> {
        self.begin_simple()?;
        self.scan_plain()
    }

    fn begin_block(&mut self, token: Token<'a>, forbidden: &str) -> Result<(), Flaw> {
        if self.in_flow() {
            return Ok(());
        }
        if !self.key_allowed {
            return Err(self.at.flaw(forbidden));
        }
        self.roll_indent(token, self.tokens.len(), self.at);
        Ok(())
    }

    fn fetch_value(&mut self) -> Result<(), Flaw> {
        let key = self.keys.last().copied().unwrap_or_default();
        if key.possible {
            let place = key.number.saturating_sub(self.taken).min(self.tokens.len());
            self.tokens.insert(place, (Token::Key, key.at));
            self.forget_key();
            if !self.in_flow() {
                self.roll_indent(Token::BlockMappingStart, place, key.at);
            }
            self.key_allowed = false;
        } else {
            self.begin_block(Token::BlockMappingStart, "a value is not allowed here")?;
            self.key_allowed = !self.in_flow();
        }
        self.push(Token::Value, 1);
        Ok(())
    }
}
