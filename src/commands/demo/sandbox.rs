//! The made-up world of a demo: a provider, a key, an empty home, an environment.

use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::env::Environment;
use crate::mock_provider::{MODELS, MockProvider};
use crate::probe::{Expectations, Scratch, environment, provider_entry, random_key};

/// The provider's name.
pub const PROVIDER: &str = "demo";

/// Left over from another tool, as it were: a launch must send neither.
const STALE: [&str; 2] = ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"];

/// Everything a demo makes up. The folders are removed when it is dropped.
pub struct DemoSandbox {
    folder: Scratch,
    /// Where the provider listens.
    pub addr: SocketAddr,
    /// What its base URLs begin with.
    pub path: String,
    /// The provider as a proxy.
    proxy: String,
    /// The provider's key.
    pub key: String,
    /// The value of the [`STALE`] variables.
    pub stale: String,
}

impl DemoSandbox {
    /// Makes the folders and the keys.
    pub fn set(mock_provider: &MockProvider) -> Result<Self> {
        let folder = Scratch::make("agent-run-demo-", &std::env::temp_dir());
        let folder = folder.context("could not create a folder for the demo")?;
        // Codex 0.169 wants no home below the folder for temporary files, so that is beside it.
        for name in ["home", "tmp", "work"] {
            fs::create_dir(folder.path().join(name)).context("could not create a folder for the demo")?;
        }
        let (addr, path, proxy) =
            (mock_provider.addr(), mock_provider.prefix().to_owned(), mock_provider.proxy());
        Ok(Self { folder, addr, path, proxy, key: random_key("demo"), stale: random_key("stale") })
    }

    /// What a launch here must send, and what it must not.
    pub fn expected(&self) -> Expectations {
        Expectations {
            key: self.key.clone(),
            stale: STALE.map(|name| (name.to_owned(), self.stale.clone())).into(),
            models: vec![MODELS[0].to_owned()],
            hosts: None,
        }
    }

    /// A place below the demo's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The config that a user of this provider would have.
    pub fn config(&self) -> String {
        let Self { addr, path, key, .. } = self;
        let (url, key) = (format!("http://{addr}{path}"), format!("key: {key}"));
        format!("providers:\n{}", provider_entry(PROVIDER, &url, &key, MODELS[0], 200_000))
    }

    /// The agent's environment, before the plan changes it.
    ///
    /// The proxy variables lead to the provider too: it lets nothing pass and remembers who was asked for.
    pub fn environment(&self, user: &Environment, program: &Path) -> Environment {
        let mut vars = environment(self.folder.path(), user, program, &self.proxy);
        vars.extend(STALE.map(|name| (name.into(), OsStr::new(&self.stale).to_owned())));
        Environment::made_of(vars)
    }
}
