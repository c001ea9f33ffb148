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

    /// Whether the path leads to one of them or into it, or to a folder that has one below it. A project that lies in
    /// one, as a worktree that Codex makes in its home, is none itself: it is known by the folders where the agent
    /// `starts`.
    pub fn is_at(&self, path: &Path, is_named: bool, starts: &[PathBuf]) -> bool {
        let Ok(real) = path.canonicalize() else { return false };
        // No file of a project is one of them unless a link or a setting says so, and the config is read once more for
        // them.
        if real == path && !is_named && !real.is_dir() {
            return false;
        }
        let known = self.known.get_or_init(|| self.find());
        let projects = || starts.iter().filter_map(|start| root(start)).filter(|root| real.starts_with(root));
        let is_in = |private: &&PathBuf| {
            real.starts_with(private)
                && !projects().any(|root| root != **private && root.starts_with(private))
        };
        known.iter().any(|private| is_in(&private) || private.starts_with(&real))
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

/// The folder of the project in which the agent starts: the root of the git repository, else the start itself.
fn root(start: &Path) -> Option<PathBuf> {
    let start = start.canonicalize().ok()?;
    let root = start.ancestors().find(|folder| folder.join(".git").exists());
    Some(root.unwrap_or(&start).to_owned())
}
