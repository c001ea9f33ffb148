//! Where this program keeps keys. What a project has an agent read must not lead there: the agent would send it.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::env::CONFIG;
use crate::key::{self, file};

/// The files and folders with keys, found when they are asked for.
pub struct Private<'a> {
    context: &'a Context<'a>,
    known: OnceCell<Vec<PathBuf>>,
}

impl<'a> Private<'a> {
    /// Those of a launch.
    pub const fn of(context: &'a Context<'a>) -> Self {
        Self { context, known: OnceCell::new() }
    }

    /// Whether the path leads to one of them or into it, or to a folder that has one below it.
    pub fn is_at(&self, path: &Path, is_named: bool) -> bool {
        let Ok(real) = path.canonicalize() else { return false };
        // No file of a project is one of them unless a link or a setting says so, and the config is read once more for
        // them.
        if real == path && !is_named && !real.is_dir() {
            return false;
        }
        let known = self.known.get_or_init(|| self.find());
        known.iter().any(|private| real.starts_with(private) || private.starts_with(&real))
    }

    fn find(&self) -> Vec<PathBuf> {
        let Context { dirs, loaded, .. } = self.context;
        let mut configs = vec![loaded.path.clone(), dirs.config.join(CONFIG)];
        configs.dedup();
        let mut all: Vec<_> =
            configs.into_iter().flat_map(|config| [file::folder(&config), config]).collect();
        all.extend([dirs.state.clone(), dirs.cache.clone()]);
        all.extend(loaded.key_files().iter().map(|(_, file)| key::expand_home(file, &dirs.home)));
        all.iter().filter_map(|path| path.canonicalize().ok()).collect()
    }
}
