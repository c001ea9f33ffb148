//! Our readers of the agents' files beside the agents' own kind of parser, on documents that are made up: plain, odd
//! and broken.
//!
//! What theirs accepts, ours reads to the same value or refuses. How many it refused is printed.

/// dotenvy, which Codex reads its `.env` with. What godotenv reads is tried on the real Crush.
#[allow(clippy::print_stdout, reason = "counts are what is asked for")]
mod dotenv;

/// `encoding/json`, which Crush reads its settings with.
mod go;

/// `JSON.parse`, which Claude Code reads its files with.
mod javascript;

/// Documents for JSON's parsers.
mod made_json;

/// python-dotenv, which Hermes reads its `.env` with.
mod python_dotenv;

/// `PyYAML`, and what is written into the config.
mod written;

/// `PyYAML` with its C parser, which Hermes reads its settings with.
mod yaml;

/// TOML: the `toml` crate as we use it, Codex's older one, and Python's.
#[allow(clippy::print_stdout, reason = "counts are what is asked for")]
mod toml;

/// Made-up texts, the same ones on every run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        // xorshift64*: good enough to mix pieces of text.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % limit
    }

    pub fn of<'a>(&mut self, pieces: &[&'a str]) -> &'a str {
        pieces[self.below(pieces.len())]
    }
}
