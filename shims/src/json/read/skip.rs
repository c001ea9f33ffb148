//! Values of any depth, checked and not kept.

use super::{JsonReader, Read};

impl JsonReader<'_> {
    /// Checks a value of any depth and keeps nothing of it.
    pub(super) fn skip_value(&mut self) -> Read<()> {
        let mut ends: Vec<u8> = Vec::new();
        loop {
            self.skip_space();
            let end = match self.peek() {
                Some(b'[') => Some(b']'),
                Some(b'{') => Some(b'}'),
                _ => None,
            };
            match end {
                None => drop(self.scalar()?),
                Some(end) => {
                    self.at += 1;
                    if !self.closes(end) {
                        if end == b'}' {
                            self.key()?;
                        }
                        ends.push(end);
                        continue;
                    }
                }
            }
            loop {
                let Some(&end) = ends.last() else { return Ok(()) };
                if self.goes_on(end)? {
                    if end == b'}' {
                        self.key()?;
                    }
                    break;
                }
                ends.pop();
            }
        }
    }
}
