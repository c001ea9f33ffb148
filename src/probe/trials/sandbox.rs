//! The made-up machine of a trial: a home, a project, a config with two providers, an environment.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use shims::inputs::matches;
use shims::trial::{KEY_VARIABLE, MODEL, Trial, TrialPlaces, WINDOW};
use shims::{Agent, Dirs};

use crate::config::{self, Loaded};
use crate::context::Context;
use crate::env::Environment;
use crate::launch::{self, LaunchRequest, PreparedLaunch, UserFiles};
use crate::mock_provider::MockProvider;
use crate::probe::{environment, provider_entry, random_key};

/// The provider of a trial's launch.
pub const PROVIDER: &str = "trial";

/// The provider of a second launch at once: the server that is elsewhere.
pub const BESIDE: &str = "beside";

/// The model of that launch.
pub const BESIDE_MODEL: &str = "beside-model";

/// The variable with the key of that provider. No launch on another provider hands it on.
const BESIDE_KEY: &str = "BESIDE_KEY";

/// Left over from another tool, as it were, where the agent would listen to them: a launch must send none.
const STALE: [&str; 3] = ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY"];

/// One trial's machine.
pub struct TrialSandbox {
    folder: PathBuf,
    /// The server that is not the provider.
    pub elsewhere: MockProvider,
    elsewhere_url: String,
    elsewhere_proxy: String,
    /// The provider's key, and that of the second one.
    pub keys: [String; 2],
    /// The value of the variables that other tools have left.
    pub stale: String,
}

/// What a launch in the sandbox starts from.
pub struct TrialContext {
    env: Environment,
    dirs: Dirs,
    config: String,
}

impl TrialSandbox {
    /// Makes the folders; they are removed with the folder above.
    pub fn make(folder: &Path, elsewhere: MockProvider) -> Result<Self> {
        // Codex 0.169 wants no home below the folder for temporary files, so that is beside it.
        for name in ["home", "tmp", "work", "first", "second"] {
            fs::create_dir_all(folder.join(name)).context("could not create a folder for a trial")?;
        }
        // A repository, so that agents look for the project's files no further up.
        for name in ["objects", "refs/heads"] {
            fs::create_dir_all(folder.join("work/.git").join(name))?;
        }
        fs::write(folder.join("work/.git/HEAD"), "ref: refs/heads/main\n")?;
        let (elsewhere_url, elsewhere_proxy) = (elsewhere.url(), elsewhere.proxy());
        Ok(Self {
            folder: folder.to_owned(),
            elsewhere,
            elsewhere_url,
            elsewhere_proxy,
            keys: ["trial", "beside"].map(random_key),
            stale: random_key("stale"),
        })
    }

    /// Where planted files may point to.
    pub fn places(&self) -> TrialPlaces<'_> {
        let folder = self.folder.to_str().unwrap_or_default();
        let (elsewhere, proxy) = (&self.elsewhere_url, &self.elsewhere_proxy);
        TrialPlaces { elsewhere, proxy, folder, stale: &self.stale }
    }

    /// A place below the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a file and the folders above it.
    pub fn plant(&self, path: &str, text: &str) -> io::Result<()> {
        let path = self.path(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, text)
    }

    /// What launches on this provider start from.
    pub fn context(
        &self,
        agent: &dyn Agent,
        user: &Environment,
        program: &Path,
        provider: &MockProvider,
        trial: &Trial,
    ) -> Result<TrialContext> {
        let entry = |name: &str, url: &str, variable: &str, model: &str| {
            provider_entry(name, url, &format!("key_env: {variable}"), model, WINDOW)
        };
        let first = entry(PROVIDER, &provider.url(), KEY_VARIABLE, MODEL);
        let second = entry(BESIDE, &self.elsewhere_url, BESIDE_KEY, BESIDE_MODEL);
        let mut vars = environment(&self.folder, user, program, &provider.proxy());
        let listens = |name: &&str| {
            agent.info().managed_env_vars.iter().any(|pattern| matches(pattern, name))
                && !agent.info().env_spared.iter().any(|(spared, _)| matches(spared, name))
        };
        let stale = STALE.into_iter().filter(listens);
        vars.extend(stale.map(|name| (name.into(), OsString::from(&self.stale))));
        vars.extend(trial.vars.iter().map(|(name, value)| (name.into(), value.into())));
        for (name, key) in [KEY_VARIABLE, BESIDE_KEY].iter().zip(&self.keys) {
            vars.insert(name.into(), OsString::from(key));
        }
        let env = Environment::made_of(vars);
        let dirs = Dirs { cwd: self.path("work"), ..env.dirs()? };
        Ok(TrialContext { env, dirs, config: format!("providers:\n{first}{second}") })
    }
}

impl TrialContext {
    /// Makes the trial's launch on a provider ready. What it warns of is what was planted.
    pub fn prepare(
        &self,
        agent: &'static dyn Agent,
        trial: &Trial,
        provider: &str,
    ) -> Result<PreparedLaunch> {
        let request = LaunchRequest { args: trial.words.clone(), ..LaunchRequest::new(agent, provider) };
        launch::prepare(&request, &self.as_context()?, UserFiles::Merge, &mut Vec::new())
    }

    fn as_context(&self) -> Result<Context<'_>> {
        let loaded: Loaded = config::parse(self.config.clone(), "the config of a trial".as_ref())?;
        Ok(Context { env: &self.env, dirs: self.dirs.clone(), loaded })
    }
}
