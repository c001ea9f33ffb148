//! What models a provider has: asked over the network, put into our terms, and kept on disk.

mod filter;
mod normalize;
mod record;
