//! What models a provider has: asked over the network, put into our terms, and kept on disk.

mod cache;
mod fetch;
mod filter;
mod merge;
mod normalize;
mod record;
mod source;
