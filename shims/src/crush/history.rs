//! Where a project's sessions last, for all providers, and how those of earlier versions get there.
//!
//! The folder that Crush is given (`--data-dir`) also holds what a launch chose, and is one launch's own. Its
//! database, its log and its `init` flag are links to the folder here. `SQLite` follows the link, and keeps its
//! write-ahead log beside the file that the link leads to (seen in 0.90.1).

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::print::quote;
use crate::{EntryKind, Inputs, Plan};

const DATABASE: &str = "crush.db";
/// The folder of Crush's log, `crush.log`.
const LOGS: &str = "logs";
const INIT: &str = "init";

/// The lasting folder of one project.
pub struct History {
    /// The folder itself.
    pub folder: PathBuf,
    /// Where versions before this one kept a folder for each provider, and the project's name in each.
    before: Option<(PathBuf, String)>,
}

impl History {
    /// The history of the project `key`, shared by all providers.
    pub fn shared(state: &Path, key: &str) -> Self {
        Self { folder: state.join("projects").join(key), before: Some((state.join("data"), key.to_owned())) }
    }

    /// The history that only the launches on one provider have.
    pub fn own(folder: PathBuf) -> Self {
        Self { folder, before: None }
    }

    /// What [`History::show_in`] must be told.
    pub fn reads(&self, inputs: &Inputs) -> Vec<PathBuf> {
        let Some((providers, _)) = &self.before else { return Vec::new() };
        // Most machines have none, and are asked no more.
        let mut paths = vec![providers.clone()];
        if !inputs.entries(providers).is_empty() {
            paths.push(self.folder.clone());
            if inputs.fact(&self.folder).is_some() && !self.has(DATABASE, inputs) {
                paths.extend(self.earlier(inputs));
            }
        }
        paths
    }

    /// Links a launch's folder to the lasting one.
    pub fn show_in(&self, session: &Path, initialized: bool, inputs: &Inputs, plan: &mut Plan) {
        plan.dirs.insert(self.folder.clone());
        for name in [DATABASE, INIT] {
            plan.link(session.join(name), self.folder.join(name));
        }
        plan.link(session.join(LOGS), &self.folder);
        if initialized {
            plan.write(self.folder.join(INIT), "");
        }
        if !self.has(DATABASE, inputs) {
            self.take_over(inputs, plan);
        }
    }

    /// Goes on with a database of an earlier version: with the one that was used last, where there are several.
    /// It stays where it is and is linked, so that a Crush which has it open is not disturbed.
    fn take_over(&self, inputs: &Inputs, plan: &mut Plan) {
        let earlier = self.earlier(inputs);
        if earlier.iter().any(|folder| inputs.entries(folder).iter().any(|entry| entry.name == INIT)) {
            plan.write(self.folder.join(INIT), "");
        }
        let databases = earlier.iter().filter(|folder| has_file(folder, DATABASE, inputs));
        let databases: Vec<_> = databases.map(|folder| folder.join(DATABASE)).collect();
        if databases.len() > 1 {
            let shown = databases.iter().map(|database| {
                let mut words = String::from("\n  crush --data-dir=");
                words.push_str(&quote(database.parent().unwrap_or(database).as_os_str()));
                words + " session list"
            });
            let shown: String = shown.collect();
            plan.warn(format!(
                "all providers share one history of this project from now on: the one that was used last. The \
                 others stay where they are\nhelp: to look into each:{shown}"
            ));
        }
        if !databases.is_empty() {
            plan.adopt.insert(self.folder.join(DATABASE), databases);
        }
    }

    /// The folders of this project that earlier versions made, one for each provider.
    fn earlier(&self, inputs: &Inputs) -> Vec<PathBuf> {
        let Some((providers, key)) = &self.before else { return Vec::new() };
        let folders = inputs.entries(providers).iter().filter(|entry| entry.kind == EntryKind::Dir);
        folders.map(|entry| providers.join(&entry.name).join(key)).collect()
    }

    fn has(&self, name: &str, inputs: &Inputs) -> bool {
        inputs.entries(&self.folder).iter().any(|entry| entry.name == OsStr::new(name))
    }
}

fn has_file(folder: &Path, name: &str, inputs: &Inputs) -> bool {
    inputs.entries(folder).iter().any(|entry| entry.name == *name && entry.kind == EntryKind::File)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Entry, Fact, Note};

    fn folder(names: &[(&str, EntryKind)]) -> Fact {
        let entry = |(name, kind): &(&str, EntryKind)| Entry { name: name.into(), kind: kind.clone() };
        Fact::Dir(names.iter().map(entry).collect())
    }

    fn planned(facts: &[(&str, Fact)]) -> Plan {
        let facts = facts.iter().map(|(path, fact)| (path.into(), fact.clone())).collect();
        let (inputs, mut plan) = (Inputs { facts, ..Inputs::default() }, Plan::default());
        History::shared(Path::new("/s"), "key").show_in(Path::new("/c"), false, &inputs, &mut plan);
        plan
    }

    #[test]
    fn a_new_project_has_links_to_an_empty_folder() {
        let plan = planned(&[("/s/projects/key", Fact::Absent)]);
        let target = |name: &str| plan.links[Path::new(name)].as_ref().map(|link| link.target.clone());
        assert_eq!(target("/c/crush.db"), Some("/s/projects/key/crush.db".into()));
        assert_eq!(target("/c/logs"), Some("/s/projects/key".into()));
        assert!(plan.dirs.contains(Path::new("/s/projects/key")));
        assert!(plan.adopt.is_empty() && plan.notes.is_empty());
    }

    #[test]
    fn databases_of_earlier_versions_are_taken_over_once_and_all_are_named() {
        let database = [("crush.db", EntryKind::File), ("init", EntryKind::File)];
        let mut facts = vec![
            ("/s/projects/key", Fact::Absent),
            ("/s/data", folder(&[("m", EntryKind::Dir), ("q", EntryKind::Dir), ("z", EntryKind::Dir)])),
            ("/s/data/m/key", folder(&database)),
            ("/s/data/q/key", folder(&database[..1])),
            ("/s/data/z/key", Fact::Absent),
        ];
        let plan = planned(&facts);
        let wanted: [PathBuf; 2] = ["/s/data/m/key/crush.db".into(), "/s/data/q/key/crush.db".into()];
        assert_eq!(plan.adopt[Path::new("/s/projects/key/crush.db")], wanted);
        assert!(plan.files.contains_key(Path::new("/s/projects/key/init")));
        let [Note::Warning(text)] = &plan.notes[..] else { panic!("{:?}", plan.notes) };
        assert!(text.contains("/s/data/m/key session list") && text.contains("/s/data/q/key session list"));
        facts[0].1 = folder(&[("crush.db", EntryKind::Link("/s/data/m/key/crush.db".into()))]);
        let plan = planned(&facts);
        assert!(plan.adopt.is_empty() && plan.notes.is_empty());
    }
}
