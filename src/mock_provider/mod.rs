//! The embedded provider: a loopback server that speaks all three protocols and remembers what it was
//! sent.
//!
//! `demo` and `doctor --probe` run it inside the binary, `agent-run mock-provider` runs it for tests. It answers
//! every question with one fixed text unless a [`Script`] says otherwise, and it must satisfy the real
//! agents: streams are whole, tool calls have the shape each agent expects, errors look like the
//! provider's own.
//!
//! It must never listen on anything but loopback, and never ask anyone else for an answer. What it is
//! sent holds keys, so it keeps that in memory or in a file of mode 0600, and logs none of it.

mod answer;
mod anthropic;
mod chat;
mod dialect;
mod http;
mod password;
mod peer;
mod record;
mod responses;
mod route;
mod script;
mod server;

pub use record::{Log, RequestRecord};
pub use script::Script;
pub use server::MockProvider;

/// What the mock provider says when no script tells it otherwise.
pub const TEXT: &str = "PONG-FROM-MOCK";

/// The models the mock provider lists; it answers for any other as well.
pub const MODELS: [&str; 2] = ["mock-model", "mock-model-small"];
