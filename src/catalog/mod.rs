//! What models a provider has: asked over the network, put into our terms, and kept on disk.

mod normalize;
mod record;
