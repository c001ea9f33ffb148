//! What models a provider has: asked over the network, put into our terms, and kept on disk.
//!
//! ```text
//! fetch → normalize → filter → cache → merge with the config → known
//! ```
//!
//! A launch and a completion are answered from disk, by reading one file at most; a list that has grown old
//! is refreshed by a process of its own ([`background`]) for the next time. Nothing that goes wrong here is
//! ever the end of a launch that the config can decide.

pub mod background;
pub(crate) mod cache;
pub(crate) mod fetch;
pub(crate) mod filter;
mod known;
pub mod local;
mod merge;
pub(crate) mod normalize;
pub(crate) mod record;
mod refresh;
mod served;
pub(crate) mod source;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use shims::Dirs;

use self::cache::Cache;
use self::source::Source;
use crate::config::Provider;
use crate::env::Environment;

pub use cache::CachedList;
pub use fetch::detect::{Detected, detect};
pub use fetch::{Failure, FailureKind, OR_OF_PROXY, Probe};
pub use known::ModelIndex;
pub use merge::CONFIG;
pub use normalize::day;
pub use record::{Modality, ModelRecord};
pub use served::ServedModel;
pub use source::origin;

/// Gives a provider's key; called only where the key is really needed, since it may ask for a password.
pub type KeyLookup<'a> = dyn Fn() -> Result<Option<String>> + 'a;

/// The model lists of all providers.
#[derive(Clone, Copy)]
pub struct Catalog<'a> {
    cache: Cache<'a>,
    env: &'a Environment,
    ttl: Duration,
}

impl<'a> Catalog<'a> {
    /// The catalog below the folders of a launch, whose lists are fresh for `ttl`. It opens nothing yet.
    pub fn open(dirs: &'a Dirs, env: &'a Environment, ttl: Duration) -> Self {
        Self { cache: Cache::new(dirs), env, ttl }
    }

    /// What is known of a provider's models without asking it.
    pub fn known<'p>(&self, name: &'p str, provider: &'p Provider) -> ModelIndex<'p> {
        let source = Source::new(name, provider);
        let list = provider.loads_models().then(|| self.cache.open(&source)).flatten();
        ModelIndex::new(source, list, self.ttl)
    }

    /// The same after a refresh, even if its outcome could not be written.
    pub fn known_after<'p>(&self, name: &'p str, provider: &'p Provider, list: CachedList) -> ModelIndex<'p> {
        ModelIndex::new(Source::new(name, provider), Some(list), self.ttl)
    }

    /// Why the last refresh failed, as long as that is minded.
    pub fn failure(&self, name: &str, provider: &Provider) -> Option<Failure> {
        self.cache.failure(&Source::new(name, provider))
    }

    /// Forgets it.
    pub fn forget_failure(&self, name: &str, provider: &Provider) {
        _ = std::fs::remove_file(self.cache.path(&Source::new(name, provider), "failed"));
    }

    /// The list before the present one that differed from it.
    pub fn before(&self, name: &str, provider: &Provider) -> Option<CachedList> {
        self.cache.open_previous(&Source::new(name, provider))
    }
}

/// Where the lists are.
pub fn folder(dirs: &Dirs) -> PathBuf {
    Cache::new(dirs).folder()
}

/// Forgets the lists of one provider, or all; returns the files that were removed.
pub fn clear(dirs: &Dirs, provider: Option<&str>) -> Result<Vec<PathBuf>> {
    Cache::new(dirs).clear(provider)
}

/// A provider for tests: these lines of the config.
#[cfg(test)]
fn provider(lines: &str) -> Provider {
    let text = format!("providers:\n  p:\n    {}\n", lines.replace('\n', "\n    "));
    let loaded = crate::config::parse(text.clone(), std::path::Path::new("c.yaml"));
    let mut config = loaded.unwrap_or_else(|problems| panic!("{problems}\n{text}")).config;
    config.providers.swap_remove("p").unwrap()
}
