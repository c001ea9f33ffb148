//! A runtime home that mirrors the user's own by links.
//!
//! Agents that keep settings, sessions and skills in one home folder get a home of agent-run instead, in which
//! the generated settings are ours and everything else is a link to the user's. Nothing real that stands
//! in the runtime home is ever replaced: it may be the user's work.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::{EntryKind, Inputs, Link, Message, Plan};

/// What to mirror where.
pub struct Mirror<'a> {
    /// The user's own home. It is only read.
    pub real: &'a Path,
    /// The runtime home.
    pub runtime: &'a Path,
    /// Whether an entry of this name is the runtime home's own, never a link.
    pub owns: &'a dyn Fn(&str) -> bool,
    /// Entries to link even while the user's home lacks them, because the agent creates them through
    /// the link.
    pub always: &'a [&'a str],
    /// Entries for which a real file in the runtime home is no news.
    pub quiet: &'a [&'a str],
    /// Folders that the agent creates in the runtime home before the user's home has one; a folder of
    /// that name holding only these entries gives way to the link.
    pub yielding: &'a [(&'a str, &'a [&'a str])],
}

impl Mirror<'_> {
    /// What [`Mirror::plan`] must know.
    pub fn reads(&self) -> Vec<PathBuf> {
        let folders = self.yielding.iter().map(|(name, _)| self.runtime.join(name));
        [self.real.to_owned(), self.runtime.to_owned()].into_iter().chain(folders).collect()
    }

    /// Plans the links: right ones stay, wrong ones are retargeted, dead ones go.
    pub fn plan(&self, inputs: &Inputs, plan: &mut Plan) {
        let here = inputs.entries(self.runtime);
        // By name, and only then by path: comparing paths is slow.
        let mut links: BTreeMap<&OsStr, Option<Link>> = BTreeMap::new();
        let theirs = inputs.entries(self.real).iter().map(|entry| entry.name.as_os_str());
        for name in theirs.chain(self.always.iter().map(|name| OsStr::new(*name))) {
            if links.contains_key(name) || name.to_str().is_some_and(|name| (self.owns)(name)) {
                continue;
            }
            let stands = here.iter().find(|entry| entry.name == name).map(|entry| &entry.kind);
            let replaces_folder = matches!(stands, Some(EntryKind::Dir)) && self.yields(name, inputs);
            if !replaces_folder && !matches!(stands, None | Some(EntryKind::Link(_))) {
                self.keep(name, plan);
                continue;
            }
            links.insert(name, Some(Link { target: self.real.join(name), replaces_folder }));
        }
        for entry in here {
            if let EntryKind::Link(target) = &entry.kind
                && !links.contains_key(entry.name.as_os_str())
                && target.parent() == Some(self.real)
                && !plan.links.contains_key(&self.runtime.join(&entry.name))
            {
                links.insert(&entry.name, None);
            }
        }
        let mut links = links.into_iter().map(|(name, link)| (self.runtime.join(name), link)).collect();
        plan.links.append(&mut links);
    }

    fn yields(&self, name: &OsStr, inputs: &Inputs) -> bool {
        self.yielding.iter().any(|(folder, only)| {
            let entries = inputs.entries(&self.runtime.join(folder));
            name == *folder && entries.iter().all(|entry| only.iter().any(|only| entry.name == *only))
        })
    }

    fn keep(&self, name: &OsStr, plan: &mut Plan) {
        if self.quiet.iter().any(|quiet| name == *quiet) {
            return;
        }
        plan.warn(Message::new(
            format!(
                "{} already exists, so it was not replaced by a link to {}",
                self.runtime.join(name).display(),
                self.real.join(name).display()
            ),
            "move it out of the way to use your own again",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Entry, Fact, Note};

    fn folder(entries: &[(&str, EntryKind)]) -> Fact {
        let entry = |(name, kind): &(&str, EntryKind)| Entry { name: name.into(), kind: kind.clone() };
        Fact::Dir(entries.iter().map(entry).collect())
    }

    #[test]
    fn links_follow_the_users_home_and_real_files_stay() {
        let (real, runtime) = (Path::new("/real"), Path::new("/run"));
        let link = |to: &str| EntryKind::Link(to.into());
        let mut inputs = Inputs::default();
        let theirs = [
            ("a", EntryKind::File),
            ("b", EntryKind::Dir),
            ("own", EntryKind::File),
            ("mine", EntryKind::File),
            ("history", EntryKind::File),
            ("skills", EntryKind::Dir),
        ];
        inputs.facts.insert(real.into(), folder(&theirs));
        let ours = [
            ("a", link("/elsewhere")),
            ("gone", link("/real/gone")),
            ("other", link("/x/y")),
            ("mine", EntryKind::File),
            ("history", EntryKind::File),
            ("skills", EntryKind::Dir),
        ];
        inputs.facts.insert(runtime.into(), folder(&ours));
        inputs.facts.insert("/run/skills".into(), folder(&[(".system", EntryKind::Dir)]));
        let mirror = Mirror {
            real,
            runtime,
            owns: &|name| name == "own",
            always: &["state.db"],
            quiet: &["history"],
            yielding: &[("skills", &[".system"])],
        };
        let mut plan = Plan::default();
        mirror.plan(&inputs, &mut plan);
        let planned: Vec<_> = plan
            .links
            .iter()
            .map(|(path, link)| {
                (path.to_str().expect("UTF-8"), link.as_ref().map(|link| link.target.clone()))
            })
            .collect();
        let to = |path: &str| Some(PathBuf::from(path));
        assert_eq!(
            planned,
            [
                ("/run/a", to("/real/a")),
                ("/run/b", to("/real/b")),
                ("/run/gone", None),
                ("/run/skills", to("/real/skills")),
                ("/run/state.db", to("/real/state.db")),
            ]
        );
        assert_eq!(plan.notes.len(), 1, "only `mine` is news");
        assert!(matches!(&plan.notes[0], Note::Warning(text) if text.render().contains("/run/mine")));
    }
}
