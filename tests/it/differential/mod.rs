//! Our readers of the agents' files beside the agents' own kind of parser, on documents that are made up.

/// `JSON.parse`, which Claude Code reads its files with.
mod javascript;

/// The documents.
mod made_json;

/// `encoding/json`, which Crush reads its settings with.
mod go;
