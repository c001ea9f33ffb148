//! The project a launch is for, and what of its `.crush` folder our session folder must show.
//!
//! Sessions carry no project in Crush's data base, so that each project needs a folder of its own.

use std::iter;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::flags::Flags;
use super::{git, variables};
use crate::mirror::Mirror;
#[cfg(test)]
use crate::{Entry, EntryKind};
use crate::{Fact, Inputs, Launch, Plan, short_hash};

/// The project at a folder: the git work tree around it, else the folder alone.
///
/// Crush asks git for it; this knows a work tree by its `.git`. It is not found by `.crush`, which appears
/// later and would move the sessions.
pub struct Project {
    folder: PathBuf,
    /// Whether git may answer with a folder above it.
    is_unsure: bool,
    /// The working folder as the shell calls it, where a link leads there. Crush goes up from it (0.90.1).
    logical: Option<PathBuf>,
}

/// By these git takes another repository or work tree than the one around the folder.
const REPOSITORY: [&str; 4] = ["GIT_COMMON_DIR", "GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE"];

/// Another name of the working folder, which may be out of date.
fn logical(inputs: &Inputs) -> Option<PathBuf> {
    let name = Path::new(inputs.var("PWD")?);
    (name.is_absolute() && name != inputs.dirs.cwd).then(|| name.to_owned())
}

/// What [`Project::at`] must know.
pub fn reads(start: &Path, inputs: &Inputs) -> impl Iterator<Item = PathBuf> {
    let named = logical(inputs).into_iter().flat_map(|name| [name, inputs.dirs.cwd.clone()]);
    let git = start.ancestors().map(|dir| dir.join(".git"));
    let git = git.flat_map(|git| git::reads(git, inputs));
    git.chain(start.ancestors().flat_map(git::settings_within)).chain(named)
}

/// A short name for a folder that is safe as a file name.
pub fn key(folder: &Path) -> String {
    format!("{:016x}", short_hash(folder.as_os_str().as_bytes()))
}

impl Project {
    /// The project at `start`.
    pub fn at(start: &Path, launch: &Launch, inputs: &Inputs) -> Self {
        let is_root = |dir: &&Path| match inputs.fact(&dir.join(".git")) {
            Some(Fact::File(_)) => true, // of a linked work tree or a submodule
            _ => git::is_repository(&dir.join(".git"), inputs),
        };
        let root = start.ancestors().find(is_root);
        let mut inside = start.ancestors().take_while(|dir| root.is_none_or(|root| dir.starts_with(root)));
        Self {
            folder: root.unwrap_or(start).to_owned(),
            // Where the path leads through links, git answers with another one.
            // A name that is out of date does not count.
            logical: logical(inputs).filter(|name| {
                let listed = inputs.fact(name);
                matches!(listed, Some(Fact::Dir(_))) && listed == inputs.fact(&inputs.dirs.cwd)
            }),
            is_unsure: Flags::read(launch.words()).cwd.is_some()
                || REPOSITORY.iter().any(|name| variables::is_set(name, launch, inputs))
                || inside.any(|dir| {
                    let git = dir.join(".git");
                    git::may_be_passed_over(&git, inputs)
                        || git::may_move_root(&git, inputs)
                        || git::may_be_elsewhere(dir, inputs)
                }),
        }
    }

    /// A short name for the project's folder that is safe as a file name.
    pub fn key(&self) -> String {
        key(&self.folder)
    }

    /// The folders from `start` up to the project's own, in which Crush may look for settings.
    pub fn folders<'a>(&'a self, start: &'a Path) -> impl Iterator<Item = &'a Path> {
        let above = start.ancestors().take_while(|folder| self.is_unsure || folder.starts_with(&self.folder));
        above.chain(self.logical.iter().flat_map(|folder| folder.ancestors()))
    }

    /// The names of the folder that Crush starts in, by which it joins relative paths.
    pub fn starts<'a>(&'a self, start: &'a Path) -> impl Iterator<Item = &'a Path> {
        iter::once(start).chain(self.logical.as_deref())
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

/// The folder of a repository.
#[cfg(test)]
pub fn repository() -> Fact {
    let entry = |(name, kind): (&str, EntryKind)| Entry { name: name.into(), kind };
    let entries = [("HEAD", EntryKind::File), ("objects", EntryKind::Dir), ("refs", EntryKind::Dir)];
    Fact::Dir(entries.map(entry).into())
}

#[cfg(test)]
mod tests {
    use super::super::tests::launch;
    use super::*;

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
        let machine = inputs(&[
            ("/h/.git", repository()),
            ("/h/.git/HEAD", Fact::File("ref: refs/heads/main\n".into())),
            ("/h/a/.git", dir(&[])),
            ("/h/w/.git", Fact::File(vec![])),
        ]);
        let project = |start: &str| Project::at(Path::new(start), &launch(&[]), &machine).folder;
        assert_eq!(project("/h/a/b"), Path::new("/h"), "an empty .git is no repository");
        assert_eq!(project("/h/w/x"), Path::new("/h/w"));
        assert_eq!(project("/other/x"), Path::new("/other/x"));
        assert_eq!(reads(Path::new("/h/a"), &machine).count(), 12);
    }

    #[test]
    fn what_git_passes_over_is_no_project() {
        use EntryKind::{Dir, File, Link};
        let link = |to: &str| Link(to.into());
        let (good, commit) = ("ref:  refs/heads/x", "0123456789abcdef0123456789ABCDEF01234567\n");
        let is_root = |head: &str, entries: &[(&str, EntryKind)]| {
            let mut machine = inputs(&[
                ("/h/.git", dir(entries)),
                ("/h/.git/HEAD", Fact::File(head.into())),
                ("/h/.git/objects", dir(&[])),
                ("/h/.git/refs", Fact::Absent),
            ]);
            machine.facts.insert("/.git".into(), Fact::File(vec![]));
            Project::at(Path::new("/h"), &launch(&[]), &machine).folder == Path::new("/h")
        };
        let with = |head| [("HEAD", head), ("objects", Dir), ("refs", Dir)];
        assert!(is_root(good, &with(File)) && is_root(commit, &with(File)));
        assert!(is_root("", &with(link("refs/heads/x"))));
        for target in ["other", "refs", "./refs/heads/x"] {
            assert!(!is_root(good, &with(link(target))), "{target}");
        }
        let far = format!("ref:{}refs/heads/x", " ".repeat(250));
        for head in ["", "x\n", "ref: x", "ref:\x0crefs/heads/x", "0123", &far] {
            assert!(!is_root(head, &with(File)), "{head}");
        }
        let (head, objects, refs) = (("HEAD", File), ("objects", Dir), ("refs", Dir));
        assert!(!is_root(good, std::slice::from_ref(&head)));
        assert!(!is_root(good, &[head.clone(), objects.clone(), ("refs", File)]));
        assert!(!is_root(good, &[head.clone(), objects.clone(), refs.clone(), ("commondir", File)]));
        assert!(is_root(good, &[head.clone(), ("objects", link("/o")), refs]));
        assert!(!is_root(good, &[head, objects, ("refs", link("/gone"))]), "a dangling link");
    }

    #[test]
    fn every_folder_above_counts_where_variables_say_which_repository_it_is() {
        let files = [("/h/.git", Fact::File(vec![]))];
        let folders = |machine: Inputs, launch: Launch| {
            let start = Path::new("/h/a");
            Project::at(start, &launch, &machine).folders(start).count()
        };
        assert_eq!(folders(inputs(&files), launch(&[])), 2);
        assert_eq!(folders(inputs(&files), launch(&["--cwd", "a"])), 3);
        for name in REPOSITORY {
            let env = [(name.into(), "/x".into())].into();
            assert_eq!(folders(Inputs { env, ..inputs(&files) }, launch(&[])), 3, "{name}");
            let own = Launch { extra_env: [(name.to_owned(), "/x".into())].into(), ..launch(&[]) };
            assert_eq!(folders(inputs(&files), own), 3, "{name}");
        }
    }

    #[test]
    fn every_folder_above_counts_where_settings_of_git_may_name_another_root() {
        let moved = || Fact::File("[core]\n\tWorkTree = ../..".into());
        let folders = |changed: &[(&str, Fact)], entry: &str| {
            let Fact::Dir(mut entries) = repository() else { unreachable!() };
            entries.push(Entry { name: entry.into(), kind: EntryKind::File });
            let mut machine = inputs(&[
                ("/h/.git", Fact::Dir(entries)),
                ("/h/.git/HEAD", Fact::File("ref: refs/heads/x".into())),
                ("/h/.git/config", Fact::File("[core]\n\tbare = false".into())),
            ]);
            machine.facts.extend(changed.iter().map(|(path, fact)| (path.into(), fact.clone())));
            let start = Path::new("/h/a");
            let all: Vec<_> = reads(start, &machine).collect();
            for path in all {
                machine.facts.entry(path).or_insert(Fact::Absent);
            }
            Project::at(start, &launch(&[]), &machine).folders(start).count()
        };
        assert_eq!(folders(&[], "config"), 2);
        assert_eq!(folders(&[], "commondir"), 3);
        for name in ["config", "config.worktree"] {
            assert_eq!(folders(&[(&format!("/h/.git/{name}"), moved())], name), 3, "{name}");
        }
        for folder in ["objects", "refs"] {
            let denied = (
                &*format!("/h/.git/{folder}/HEAD"),
                Fact::Unreadable(std::io::Error::from(std::io::ErrorKind::PermissionDenied).into()),
            );
            assert_eq!(folders(&[denied], "config"), 3, "git looks further up: {folder}");
        }
        assert_eq!(folders(&[("/h/a/config", moved())], "config"), 3, "the folder itself is a repository");
        assert_eq!(folders(&[("/h/a/config", Fact::Dir(vec![]))], "config"), 2);
        assert_eq!(folders(&[("/h/a/commondir", Fact::File("..".into()))], "config"), 3);
        let link = ("/h/.git", Fact::File("gitdir: /r/part\n".into()));
        let common = ("/r/part/commondir", Fact::File("/c\n".into()));
        assert_eq!(folders(&[link.clone(), common.clone()], ""), 2);
        for settings in ["/r/part/config", "/r/part/config.worktree", "/c/config", "/c/config.worktree"] {
            assert_eq!(folders(&[link.clone(), common.clone(), (settings, moved())], ""), 3, "{settings}");
        }
    }

    #[test]
    fn the_name_that_the_shell_has_for_the_folder_counts_while_it_is_one() {
        let list = dir(&[("a", EntryKind::File)]);
        let folders = |other: Fact| {
            let mut machine = inputs(&[("/h/p", list.clone()), ("/l/p", other)]);
            machine.dirs.cwd = "/h/p".into();
            machine.env.insert("PWD".into(), "/l/p".into());
            assert!(reads(Path::new("/h/p"), &machine).any(|path| path == Path::new("/l/p")));
            let project = Project::at(Path::new("/h/p"), &launch(&[]), &machine);
            project.folders(Path::new("/h/p")).map(Path::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(folders(list.clone()), ["/h/p", "/l/p", "/l", "/"].map(PathBuf::from));
        assert_eq!(folders(dir(&[])), ["/h/p"].map(PathBuf::from));
    }

    #[test]
    fn keys_are_short_stable_and_apart() {
        let key = |folder: &str| key(Path::new(folder));
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
        let project = Project { folder: "/p".into(), is_unsure: false, logical: None };
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
