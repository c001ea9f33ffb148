//! Where a project's sessions last, for all providers, and how those of earlier versions get there.
//!
//! The folder that Crush is given (`--data-dir`) also holds what a launch chose, and is one launch's own. Its
//! database, its log and its `init` flag are links to the folder here. `SQLite` follows the link, and keeps its
//! write-ahead log beside the file that the link leads to (seen in 0.90.1).

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::print::quote;
use crate::{Entry, EntryKind, Inputs, Launch, Message, Plan, Sessions};

const DATABASE: &str = "crush.db";
/// The folder of Crush's log, `crush.log`.
const LOGS: &str = "logs";
const INIT: &str = "init";

/// The folder of the providers' folders of earlier versions, in that of the state.
const EARLIER: &str = "data";

/// The lasting folder of one project.
pub struct History<'a> {
    /// The folder itself.
    pub folder: PathBuf,
    /// Where versions before this one kept a folder for each provider.
    before: Option<Before<'a>>,
}

struct Before<'a> {
    /// See [`earlier`].
    data: PathBuf,
    /// The project's name in each.
    key: String,
    launch: &'a Launch,
}

/// The folder in which earlier versions kept one for each provider, to be read first of all. An isolated provider goes
/// on with its own.
pub fn earlier(launch: &Launch, inputs: &Inputs) -> Option<PathBuf> {
    (!launch.isolated).then(|| inputs.dirs.state.join("crush").join(EARLIER))
}

impl<'a> History<'a> {
    /// The history of a launch in the project `key`, below the folder `state`; that of an isolated provider is where it
    /// always was.
    pub fn of(launch: &'a Launch, state: &Path, key: String) -> Self {
        let folder = match launch.sessions {
            _ if launch.isolated => state.join("isolated").join(&launch.provider).join("data").join(&key),
            Sessions::Own => state.join("own").join(&launch.provider).join(&key),
            Sessions::Shared => state.join("projects").join(&key),
        };
        let before = (!launch.isolated).then(|| Before { data: state.join(EARLIER), key, launch });
        Self { folder, before }
    }

    /// What [`History::show_in`] must know, once what is in [`earlier`] is known.
    pub fn reads(&self, inputs: &Inputs) -> Vec<PathBuf> {
        let Some(before) = &self.before else { return Vec::new() };
        let mut paths = Vec::new();
        // Most machines have none, and are asked no more.
        if inputs.is_unreadable(&before.data) || !inputs.entries(&before.data).is_empty() {
            paths.push(self.folder.clone());
            if inputs.fact(&self.folder).is_some() && !self.has(DATABASE, inputs) {
                paths.extend(before.folders(inputs));
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
    /// A link stays in its place. One that is a link already is another history's.
    fn take_over(&self, inputs: &Inputs, plan: &mut Plan) {
        let Some(before) = &self.before else { return };
        let earlier = before.folders(inputs);
        before.warn_of_unreadable(&earlier, inputs, plan);
        if earlier.iter().any(|folder| inputs.entry(folder, INIT).is_some()) {
            plan.write(self.folder.join(INIT), "");
        }
        let is_file = |entry: &Entry| entry.kind == EntryKind::File;
        let databases = earlier.iter().filter(|folder| inputs.entry(folder, DATABASE).is_some_and(is_file));
        let databases: Vec<_> = databases.map(|folder| folder.join(DATABASE)).collect();
        if databases.len() > 1 {
            let shown = databases.iter().filter_map(|database| database.parent()).map(session_list);
            let line = |command| format!("\n  {command}");
            let shown: String = shown.map(line).collect();
            let text = "all providers now share one history of this project: the one used last. The \
                        others were not changed";
            plan.warn(Message::new(text, format!("to list the sessions in each:{shown}")));
        }
        if !databases.is_empty() {
            plan.adopt.insert(self.folder.join(DATABASE), databases);
        }
    }

    fn has(&self, name: &str, inputs: &Inputs) -> bool {
        inputs.entry(&self.folder, name).is_some()
    }
}

impl Before<'_> {
    /// The folders of this project that earlier versions made, one for each provider.
    fn folders(&self, inputs: &Inputs) -> Vec<PathBuf> {
        let sessions = |name: &OsStr| self.launch.others.get(name.to_str()?);
        let is_meant = |name: &OsStr| match self.launch.sessions {
            Sessions::Own => name == &*self.launch.provider,
            Sessions::Shared => sessions(name) != Some(&Sessions::Own),
        };
        let meant = inputs.folders(&self.data).filter(|name| is_meant(name));
        meant.map(|name| self.data.join(name).join(&self.key)).collect()
    }

    /// One history has one database, so that what is hidden now cannot be brought in once Crush has made another.
    fn warn_of_unreadable(&self, folders: &[PathBuf], inputs: &Inputs, plan: &mut Plan) {
        let places = folders.iter().chain([&self.data]);
        let hidden: Vec<_> = places.filter_map(|place| Some((place, inputs.unreadable(place)?))).collect();
        let Some((first, _)) = hidden.first() else { return };
        let line = |(place, why): &(&PathBuf, &str)| format!("\n  {}: {why}", place.display());
        let lines: String = hidden.iter().map(line).collect();
        let folder =
            if *first == &self.data { first.join("PROVIDER").join(&self.key) } else { (*first).clone() };
        plan.warn(Message::new(
            format!("these files may hold sessions of earlier versions, and could not be read:{lines}"),
            format!(
                "make it readable before the first session of this project to continue it; later, {} \
                 lists it",
                session_list(&folder)
            ),
        ));
    }
}

/// The command that lists the sessions of one folder.
fn session_list(folder: &Path) -> String {
    format!("crush --data-dir={} session list", quote(folder.as_os_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fact, Note};

    fn folder(names: &[(&str, EntryKind)]) -> Fact {
        let entry = |(name, kind): &(&str, EntryKind)| Entry { name: name.into(), kind: kind.clone() };
        Fact::Dir(names.iter().map(entry).collect())
    }

    fn planned(facts: &[(&str, Fact)]) -> Plan {
        let facts = facts.iter().map(|(path, fact)| (path.into(), fact.clone())).collect();
        let (inputs, mut plan) = (Inputs { facts, ..Inputs::default() }, Plan::default());
        let launch = super::super::tests::launch(&[]);
        History::of(&launch, Path::new("/s"), "key".into()).show_in(
            Path::new("/c"),
            false,
            &inputs,
            &mut plan,
        );
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
        assert!(
            text.render().contains("/s/data/m/key session list")
                && text.render().contains("/s/data/q/key session list")
        );
        facts[0].1 = folder(&[("crush.db", EntryKind::Link("/s/data/m/key/crush.db".into()))]);
        let plan = planned(&facts);
        assert!(plan.adopt.is_empty() && plan.notes.is_empty());
    }

    #[test]
    fn a_folder_of_earlier_sessions_that_cannot_be_read_is_named_until_there_is_a_session() {
        let denied = || Fact::Unreadable(std::io::Error::from(std::io::ErrorKind::PermissionDenied).into());
        let warned = |facts: &[(&str, Fact)]| -> Vec<String> {
            let notes = planned(facts).notes;
            notes
                .iter()
                .map(|note| if let Note::Warning(text) = note { text.render() } else { String::new() })
                .collect()
        };
        let mut facts = vec![
            ("/s/projects/key", Fact::Absent),
            ("/s/data", folder(&[("m", EntryKind::Dir), ("q", EntryKind::Dir)])),
            ("/s/data/m/key", folder(&[("crush.db", EntryKind::File)])),
            ("/s/data/q/key", denied()),
        ];
        let one = warned(&facts);
        assert!(one.len() == 1 && one[0].contains("/s/data/q/key: permission denied"), "{one:?}");
        assert!(one[0].contains("crush --data-dir=/s/data/q/key session list"), "{one:?}");
        assert!(planned(&facts).adopt.contains_key(Path::new("/s/projects/key/crush.db")));
        let all = warned(&[("/s/projects/key", Fact::Absent), ("/s/data", denied())]);
        assert!(all.len() == 1 && all[0].contains("/s/data/PROVIDER/key"), "{all:?}");
        facts[0].1 = folder(&[("crush.db", EntryKind::File)]);
        assert!(warned(&facts).is_empty());
    }

    #[test]
    fn a_provider_that_keeps_its_sessions_apart_goes_on_with_its_own_and_no_other_does() {
        let database = folder(&[("crush.db", EntryKind::File)]);
        let mut facts = vec![
            ("/s/data", folder(&[("kimi", EntryKind::Dir), ("own", EntryKind::Dir)])),
            ("/s/data/kimi/key", database.clone()),
            ("/s/data/own/key", database),
        ];
        let adopted = |launch: &Launch, facts: &[(&str, Fact)]| -> Vec<PathBuf> {
            let facts = facts.iter().map(|(path, fact)| (path.into(), fact.clone())).collect();
            let (inputs, mut plan) = (Inputs { facts, ..Inputs::default() }, Plan::default());
            History::of(launch, Path::new("/s"), "key".into()).show_in(
                Path::new("/c"),
                false,
                &inputs,
                &mut plan,
            );
            plan.adopt.into_values().flatten().collect()
        };
        let shared = super::super::tests::launch(&[]);
        let others = [("own".to_owned(), Sessions::Own)].into();
        let shared = Launch { others, ..shared };
        let own = Launch { sessions: Sessions::Own, ..shared.clone() };
        assert_eq!(adopted(&shared, &facts), [PathBuf::from("/s/data/kimi/key/crush.db")]);
        assert_eq!(adopted(&own, &facts), [PathBuf::from("/s/data/kimi/key/crush.db")]);
        facts[1].1 = folder(&[("crush.db", EntryKind::Link("/s/projects/key/crush.db".into()))]);
        assert!(adopted(&own, &facts).is_empty(), "all providers go on with it already");
        assert!(adopted(&shared, &facts).is_empty());
    }
}
