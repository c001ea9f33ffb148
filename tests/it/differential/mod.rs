//! Our readers of the agents' files beside the agents' own kind of parser, on documents that are made up.

/// `encoding/json`, which Crush reads its settings with.
mod go;
