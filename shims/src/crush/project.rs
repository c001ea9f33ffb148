//! The project a launch is for, and what of its `.crush` folder our session folder must show.
//!
//! Sessions carry no project in Crush's data base, so that each project needs a folder of its own.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::mirror::Mirror;
use crate::{Fact, Inputs, Plan, short_hash};

/// The project at a folder: the git work tree around it, else the folder alone.
///
/// Crush asks git for it; this knows a work tree by its `.git`. It is not found by `.crush`, which appears
/// later and would move the sessions.
pub struct Project {
    folder: PathBuf,
}

/// What [`Project::at`] must know.
pub fn reads(start: &Path) -> impl Iterator<Item = PathBuf> {
    start.ancestors().map(|dir| dir.join(".git"))
}

/// A short name for a folder that is safe as a file name.
pub fn key(folder: &Path) -> String {
    format!("{:016x}", short_hash(folder.as_os_str().as_bytes()))
}

impl Project {
    /// The project at `start`.
    pub fn at(start: &Path, inputs: &Inputs) -> Self {
        let is_root = |dir: &&Path| match inputs.fact(&dir.join(".git")) {
            Some(Fact::File(_)) => true, // of a linked work tree or a submodule
            Some(Fact::Dir(entries)) => entries.iter().any(|entry| entry.name == "HEAD"),
            _ => false,
        };
        Self { folder: start.ancestors().find(is_root).unwrap_or(start).to_owned() }
    }

    /// A short name for the project's folder that is safe as a file name.
    pub fn key(&self) -> String {
        key(&self.folder)
    }

    /// The folders from `start` up to the project's own, which Crush looks for settings.
    pub fn folders<'a>(&'a self, start: &'a Path) -> impl Iterator<Item = &'a Path> {
        start.ancestors().take_while(|folder| folder.starts_with(&self.folder))
    }

    /// Whether the project was initialised in plain Crush.
    pub fn is_initialized(&self, inputs: &Inputs) -> bool {
        matches!(inputs.fact(&self.init_flag()), Some(Fact::File(_)))
    }

    fn own_data(&self) -> PathBuf {
        self.folder.join(".crush")
    }

    fn init_flag(&self) -> PathBuf {
        self.own_data().join("init")
    }

    /// What [`Project::show_in`] must know.
    pub fn reads(&self, session: &Path, inputs: &Inputs) -> Vec<PathBuf> {
        let folders = self.command_folders(session, inputs);
        let mut paths: Vec<_> = folders.into_iter().flat_map(|(real, ours)| [real, ours]).collect();
        paths.push(self.init_flag());
        paths
    }

    /// Shows the project's own commands in the session folder.
    ///
    /// Crush walks its command folders without following links to folders (seen in 0.90), so that the
    /// folders are real and only the files are links.
    pub fn show_in(&self, session: &Path, inputs: &Inputs, plan: &mut Plan) {
        for (real, ours) in self.command_folders(session, inputs) {
            if inputs.is_folder(&real) {
                plan.dirs.insert(ours.clone());
            }
            let is_command = |name: &str| {
                name.to_ascii_lowercase().ends_with(".md")
                    && !inputs.folders(&real).any(|folder| folder == name)
            };
            let owns = |name: &str| !is_command(name);
            Mirror { real: &real, runtime: &ours, owns: &owns, always: &[], quiet: &[], yielding: &[] }
                .plan(inputs, plan);
        }
    }

    /// The project's command folders and those beside them that agent-run made for what the project has or had.
    fn command_folders(&self, session: &Path, inputs: &Inputs) -> Vec<(PathBuf, PathBuf)> {
        let mut pairs = vec![(self.own_data().join("commands"), session.join("commands"))];
        let mut at = 0;
        while let Some((real, ours)) = pairs.get(at).cloned() {
            let here = inputs.folders(&real).chain(inputs.folders(&ours));
            for pair in here.map(|name| (real.join(name), ours.join(name))) {
                if !pairs.contains(&pair) {
                    pairs.push(pair);
                }
            }
            at += 1;
        }
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Entry, EntryKind};

    fn dir(entries: &[(&str, EntryKind)]) -> Fact {
        let entry = |(name, kind): &(&str, EntryKind)| Entry { name: name.into(), kind: kind.clone() };
        Fact::Dir(entries.iter().map(entry).collect())
    }

    fn inputs(facts: &[(&str, Fact)]) -> Inputs {
        let facts = facts.iter().map(|(path, fact)| (path.into(), fact.clone())).collect();
        Inputs { facts, ..Inputs::default() }
    }

    #[test]
    fn the_project_is_the_nearest_work_tree_or_the_folder_alone() {
        let repo = dir(&[("HEAD", EntryKind::File)]);
        let machine =
            inputs(&[("/h/.git", repo), ("/h/a/.git", dir(&[])), ("/h/w/.git", Fact::File(vec![]))]);
        let project = |start: &str| Project::at(Path::new(start), &machine).folder;
        assert_eq!(project("/h/a/b"), Path::new("/h"), "an empty .git is no repository");
        assert_eq!(project("/h/w/x"), Path::new("/h/w"));
        assert_eq!(project("/other/x"), Path::new("/other/x"));
        assert_eq!(reads(Path::new("/h/a")).count(), 3);
    }

    #[test]
    fn keys_are_short_stable_and_apart() {
        let key = |folder: &str| Project { folder: folder.into() }.key();
        assert_eq!(key("/h/a"), "8ceca28c76466a78");
        assert_ne!(key("/h/a"), key("/h/b"));
    }

    #[test]
    fn commands_are_linked_one_by_one_and_dead_links_go() {
        let (real, ours) = ("/p/.crush/commands", "/s/commands");
        let link = |to: &str| EntryKind::Link(to.into());
        let theirs = [("a.md", EntryKind::File), ("b.MD", link("/x")), ("c.txt", EntryKind::File)];
        let machine = inputs(&[
            (real, dir(&[&theirs[..], &[("sub", EntryKind::Dir), ("d.md", EntryKind::Dir)]].concat())),
            ("/p/.crush/commands/sub", dir(&[("e.md", EntryKind::File)])),
            ("/p/.crush/init", Fact::File(vec![])),
            (ours, dir(&[("gone.md", link("/p/.crush/commands/gone.md")), ("old", EntryKind::Dir)])),
            ("/s/commands/old", dir(&[("f.md", link("/p/.crush/commands/old/f.md"))])),
        ]);
        let project = Project { folder: "/p".into() };
        let mut plan = Plan::default();
        project.show_in(Path::new("/s"), &machine, &mut plan);
        let links: Vec<_> =
            plan.links.iter().map(|(path, link)| (path.to_str().expect("UTF-8"), link.is_some())).collect();
        assert_eq!(
            links,
            [
                ("/s/commands/a.md", true),
                ("/s/commands/b.MD", true),
                ("/s/commands/gone.md", false),
                ("/s/commands/old/f.md", false),
                ("/s/commands/sub/e.md", true),
            ]
        );
        let folders: Vec<_> = plan.dirs.iter().map(|dir| dir.to_str().expect("UTF-8")).collect();
        assert_eq!(folders, ["/s/commands", "/s/commands/sub"]);
        assert!(project.is_initialized(&machine));
        let wanted = project.reads(Path::new("/s"), &machine);
        assert!(wanted.contains(&"/p/.crush/commands/old".into()), "{wanted:?}");
    }
}
