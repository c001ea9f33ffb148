//! Our readers of the agents' files beside the agents' own kind of parser, on documents that are made up.

/// `JSON.parse`, which Claude Code reads its files with.
mod javascript;

/// The documents.
mod made_json;

/// python-dotenv, which Hermes reads its `.env` with.
mod python_dotenv;

/// `PyYAML` with its C parser, which Hermes reads its settings with.
mod yaml;
