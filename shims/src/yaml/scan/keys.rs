//! Keys without a `?`, which are known by the `:` after them, and the indentation of blocks.

use super::{Mark, Scanner, Token, to_indent};
use crate::yaml::Flaw;

/// Characters beyond which libyaml takes nothing for a key without a `?`.
const LONGEST_SIMPLE_KEY: usize = 1024;

/// Where a key without a `?` may have begun.
#[derive(Clone, Copy, Default)]
pub(super) struct SimpleKey {
    pub(super) possible: bool,
    pub(super) required: bool,
    pub(super) number: usize,
    pub(super) at: Mark,
}

impl<'a> Scanner<'a> {
    /// Begins a block collection at `at` if it is further in than the one around it.
    pub(super) fn roll_indent(&mut self, token: Token<'a>, place: usize, at: Mark) {
        let column = to_indent(at.column);
        if self.indent < column {
            self.indents.push(self.indent);
            self.indent = column;
            self.tokens.insert(place, (token, at));
        }
    }

    pub(super) fn unroll_indent(&mut self, column: isize) {
        while !self.in_flow() && self.indent > column {
            self.push(Token::BlockEnd, 0);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    pub(super) fn drop_stale_keys(&mut self) -> Result<(), Flaw> {
        let here = self.at;
        for key in self.keys.iter_mut().filter(|key| key.possible) {
            if key.at.line < here.line || key.at.column + LONGEST_SIMPLE_KEY < here.column {
                if key.required {
                    return Err(here.flaw("a `:` is missing before this"));
                }
                key.possible = false;
            }
        }
        Ok(())
    }

    pub(super) fn save_key(&mut self) -> Result<(), Flaw> {
        if self.key_allowed {
            let required = !self.in_flow() && self.indent == to_indent(self.at.column);
            let number = self.taken + self.tokens.len();
            let key = SimpleKey { possible: true, required, number, at: self.at };
            self.remove_key()?;
            if let Some(last) = self.keys.last_mut() {
                *last = key;
            }
        }
        Ok(())
    }

    pub(super) fn remove_key(&mut self) -> Result<(), Flaw> {
        if self.keys.last().is_some_and(|key| key.possible && key.required) {
            return Err(self.at.flaw("a `:` is missing before this"));
        }
        self.forget_key();
        Ok(())
    }

    pub(super) fn forget_key(&mut self) {
        if let Some(key) = self.keys.last_mut() {
            key.possible = false;
        }
    }
}
