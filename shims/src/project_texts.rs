//! Files of a project that an agent makes a part of its prompt, and that are no files.
//!
//! If `AGENTS.md` is a link to `/proc/self/environ`, the agent sends its own environment, the key among it, and stores
//! it in the session, which another provider may be asked to go on with (seen in Codex 0.171.0, Hermes Agent 0.19.0,
//! Crush 0.90.1 and, for `CLAUDE.md`, Claude Code 2.1.197). If it is a link to a file in which this program keeps a key,
//! the agent sends that (all of these, and Claude Code 2.1.332). A clone may hold such links.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::{Agent, EntryKind, Fact, Inputs, Launch, Message};

/// With more folders and links than this in the place of texts, a launch is refused.
const MOST: usize = 1000;

/// And with a longer path within one of them: the system has a limit too, by which a path is not looked at.
const LONGEST: usize = 1024;

/// A text that settings name.
pub struct NamedText {
    /// Where it is.
    pub path: PathBuf,
    /// The setting, and where that stands.
    pub by: String,
}

/// The texts of a launch, as far as the machine is known; none where there are too many, which [`check`] says.
pub fn find(agent: &dyn Agent, launch: &Launch, inputs: &Inputs) -> Texts {
    let starts = agent.start_folders(launch, inputs);
    let texts_above = agent.info().texts_above;
    let above = starts.iter().filter(|_| !texts_above.is_empty()).flat_map(|start| start.ancestors());
    // In a folder that is not there, nothing is looked for.
    let mut folders: Vec<_> = texts_above.iter().filter_map(|text| Some(text.split_once('/')?.0)).collect();
    folders.dedup();
    folders.push(".git");
    let first: Vec<_> = above.flat_map(|above| folders.iter().map(|name| above.join(name))).collect();
    if first.iter().any(|path| inputs.fact(path).is_none()) {
        // Where the project is decides about the rest.
        return Texts { places: first, ..Texts::default() };
    }
    Texts::find(agent, launch, inputs).unwrap_or_default()
}

/// Refuses a project with such a text, and one that may have one where nobody looks.
///
/// # Errors
/// When there is one; the message names it.
pub fn check(agent: &dyn Agent, launch: &Launch, inputs: &Inputs) -> Result<()> {
    let texts = Texts::find(agent, launch, inputs)?;
    for text in texts.places.iter().chain(&texts.links) {
        let (what, read, help) = if inputs.fact(text) == Some(&Fact::Stream) {
            ("is not a regular file", "which may be its environment with the key", "remove it")
        } else if inputs.private.contains(text) {
            let read = "which may be a key of any provider";
            ("leads to where agent-run keeps keys", read, "remove the link that leads there")
        } else {
            continue;
        };
        let named = texts.named.iter().find(|named| named.path == *text);
        let (by, help) = named.map_or_else(
            || (String::new(), help.to_owned()),
            |NamedText { by, .. }| (format!(", because of {by}"), format!("{help}, or take it out of {by}")),
        );
        let (path, title) = (text.display(), agent.title());
        bail!(Message::new(
            format!("{path} {what}: {title} would send what it reads there, {read}{by}"),
            help
        ));
    }
    Ok(())
}

/// What becomes a part of the prompt.
#[derive(Default)]
pub struct Texts {
    /// Where the texts may be, and the folders in the place of one. [`check`] must know them.
    pub places: Vec<PathBuf>,
    /// The links in these folders, where the agent follows none to a folder: Crush 0.90.1 walks as `WalkDir` of Go
    /// does, and Hermes 0.19.0 looks into one folder alone. Of these [`check`] must know whether they lead to a
    /// [`Fact::Stream`], or to [`Inputs::private`], and nothing else.
    pub links: Vec<PathBuf>,
    /// Those of the places that settings name.
    named: Vec<NamedText>,
}

impl Texts {
    /// Whether settings name the text at `path`, be it where it may.
    pub fn is_named(&self, path: &Path) -> bool {
        self.named.iter().any(|named| named.path == path)
    }

    /// Finds them as far as the machine is known.
    ///
    /// # Errors
    /// When there is more than a launch looks at.
    fn find(agent: &dyn Agent, launch: &Launch, inputs: &Inputs) -> Result<Self> {
        let info = agent.info();
        let mut found = Self { named: agent.named_texts(launch, inputs), ..Self::default() };
        for start in &agent.start_folders(launch, inputs) {
            let is_root = |folder: &&Path| !inputs.is_absent(&folder.join(".git"));
            let root = start.ancestors().find(is_root).unwrap_or(start);
            let folders =
                start.ancestors().take_while(|folder| info.texts_above_root || folder.starts_with(root));
            let above = folders.flat_map(|folder| info.texts_above.iter().map(move |name| (folder, name)));
            // Above a root there is the home too, whose folders of settings are the user's own.
            let is_own = |folder: &Path, name: &str| {
                info.texts_above_root && name.contains('/') && inputs.is_same(folder, &inputs.dirs.home)
            };
            let above = above.filter(|(folder, name)| !is_own(folder, name));
            let above = above.map(|(folder, name)| folder.join(name));
            found.places.extend(above.chain(info.texts.iter().map(|name| start.join(name))));
        }
        found.places.extend(found.named.iter().map(|named| named.path.clone()));
        let texts = found.places.clone();
        let mut at = 0;
        while let Some(folder) = found.places.get(at) {
            at += 1;
            let entries = inputs.entries(folder);
            if entries.is_empty() {
                continue;
            }
            let folder = folder.clone();
            let text = texts.iter().find(|text| folder.starts_with(text)).unwrap_or(&folder);
            for entry in entries {
                let into = match entry.kind {
                    EntryKind::Link(_) if !info.texts_linked => &mut found.links,
                    EntryKind::Link(_) => &mut found.places,
                    EntryKind::Dir if info.texts_below => &mut found.places,
                    EntryKind::Dir | EntryKind::File => continue,
                };
                let path = folder.join(&entry.name);
                let is_long = path.as_os_str().len() - text.as_os_str().len() > LONGEST;
                into.push(path);
                if is_long || found.places.len() + found.links.len() > texts.len() + MOST {
                    bail!(Message::new(
                        format!(
                            "{} has too many folders and links to look at each of them, and {} would send what it \
                             reads through a link, such as its environment with the key",
                            text.display(),
                            agent.title()
                        ),
                        "remove folders and links from it"
                    ));
                }
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AGENTS, Entry, Protocol};

    fn refusal(agent: &str, machine: &[(&str, Fact)], cwd: &str) -> Option<String> {
        refused(agent, &[], machine, cwd)
    }

    fn refused(agent: &str, args: &[&str], machine: &[(&str, Fact)], cwd: &str) -> Option<String> {
        let mut inputs = Inputs::default();
        (inputs.dirs.cwd, inputs.dirs.home) = (cwd.into(), "/h".into());
        let args = args.iter().map(Into::into).collect();
        let sample = Launch::sample("p", Protocol::OpenaiChatCompletions, "https://p.example", "m");
        let launch = Launch { args, ..sample };
        let agent = AGENTS.iter().find(|known| known.name() == agent).expect("an agent");
        loop {
            let mut wanted = agent.required_files(&launch, &inputs);
            wanted.extend(find(*agent, &launch, &inputs).places);
            let new: Vec<_> = wanted.into_iter().filter(|path| inputs.fact(path).is_none()).collect();
            if new.is_empty() {
                for path in find(*agent, &launch, &inputs).links {
                    let known = machine.iter().find(|(known, _)| path == Path::new(known));
                    inputs.facts.insert(path, known.map_or(Fact::Absent, |(_, fact)| fact.clone()));
                }
                let refused = check(*agent, &launch, &inputs);
                return refused.err().map(|error| Message::of(&error).render());
            }
            for path in new {
                let known = machine.iter().find(|(known, _)| path == Path::new(known));
                inputs.facts.insert(path, known.map_or(Fact::Absent, |(_, fact)| fact.clone()));
            }
        }
    }

    #[test]
    fn a_text_for_the_model_that_is_no_file_is_refused() {
        let agents = [("/w/AGENTS.md", Fact::Stream)];
        for agent in ["codex", "hermes", "crush"] {
            let said = refusal(agent, &agents, "/w").expect("refused");
            assert!(said.starts_with("/w/AGENTS.md is not a regular file: "), "{said}");
        }
        assert_eq!(refusal("shell", &agents, "/w"), None);
        let dir = |name: &str, kind| Fact::Dir(vec![Entry { name: name.into(), kind }]);
        for text in [
            "/w/CLAUDE.md",
            "/w/CLAUDE.local.md",
            "/w/.claude/CLAUDE.md",
            "/w/AGENTS.md",
            "/w/.claude/AGENTS.md",
            "/w/.claude/output-styles/a.md",
            "/w/.claude/commands/a.md",
        ] {
            let (folder, name) = text.rsplit_once('/').expect("a path");
            let link = (folder, dir(name, EntryKind::Link("/x".into())));
            let git = ("/w/sub/.git", Fact::File(b"gitdir: /g".into()));
            // It looks above a root, such as a submodule's, too.
            let machine = [(text, Fact::Stream), link, git];
            assert!(refusal("claude", &machine, "/w/sub").is_some(), "{text}");
        }
        assert_eq!(
            refusal("claude", &[("/h/.claude/CLAUDE.md", Fact::Stream)], "/h/w"),
            None,
            "the user's own"
        );
        // In a folder above up to the root of the repository, and no further.
        let git = ("/w/.git", Fact::Dir(Vec::new()));
        assert!(refusal("codex", &[agents[0].clone(), git.clone()], "/w/a/b").is_some());
        assert_eq!(refusal("codex", &[("/AGENTS.md", Fact::Stream), git.clone()], "/w/a"), None);
        // In the root alone where Hermes starts in a copy of it.
        for (args, settings, is_refused) in [
            (&["-w"][..], "", true),
            (&["chat", "--work"], "", true),
            (&["chat", "-Qwq", "hi"], "", true),
            (&[], "worktree: true\n", true),
            (&["chat", "-q", "hi", "--toolsets", "web"], "model: m\n", false),
        ] {
            let settings = ("/h/.hermes/config.yaml", Fact::File(settings.into()));
            let machine = [agents[0].clone(), git.clone(), settings];
            assert_eq!(refused("hermes", args, &machine, "/w/a").is_some(), is_refused, "{args:?}");
        }
        assert_eq!(refused("hermes", &["-w"], &agents, "/w/a"), None);
        // In a folder of rules.
        let folder = |name: &str, kind| Fact::Dir(vec![Entry { name: name.into(), kind }]);
        let roles = [
            ("/w/.codex/agents", folder("r.toml", EntryKind::Link("/x".into()))),
            ("/w/.codex/agents/r.toml", Fact::Stream),
        ];
        assert!(refusal("codex", &roles, "/w").is_some());
        let rules = [
            git,
            ("/w/.cursor/rules", folder("s", EntryKind::Dir)),
            ("/w/.cursor/rules/s", folder("x.mdc", EntryKind::Link("../../../y".into()))),
            ("/w/.cursor/rules/s/x.mdc", Fact::Stream),
        ];
        assert!(refusal("crush", &rules, "/w").is_some());
        assert_eq!(refusal("hermes", &rules, "/w"), None, "it looks into one folder alone");
        assert_eq!(refusal("crush", &rules, "/w/a"), None, "it takes those of its own folder alone (0.90.1)");
        let file = [("/w/AGENTS.md", Fact::File(b"text".into())), ("/w/notes", Fact::Stream)];
        assert_eq!(refusal("codex", &file, "/w"), None);
    }

    #[test]
    fn a_launch_is_refused_where_a_text_may_be_that_nobody_looks_at() {
        let dir = |names: &[String], kind: &EntryKind| {
            Fact::Dir(names.iter().map(|name| Entry { name: name.into(), kind: kind.clone() }).collect())
        };
        let many = |kind: EntryKind, count: usize| {
            let names: Vec<_> = (0..count).map(|number| format!("d{number}")).collect();
            [("/w/.cursor/rules", dir(&names, &kind))]
        };
        for kind in [EntryKind::Dir, EntryKind::Link("../x".into())] {
            assert_eq!(refusal("crush", &many(kind.clone(), MOST), "/w"), None, "{kind:?}");
            let said = refusal("crush", &many(kind, MOST + 1), "/w").expect("refused");
            assert!(said.starts_with("/w/.cursor/rules has too many folders and links "), "{said}");
        }
        assert_eq!(refusal("crush", &many(EntryKind::File, 5000), "/w"), None);
        assert_eq!(refusal("hermes", &many(EntryKind::Dir, 5000), "/w"), None);
        // Deep, but for the last folder within what is looked at.
        let chain = |depth: usize| {
            let paths: Vec<_> = (0..depth).map(|at| format!("/w/.cursor/rules{}", "/d".repeat(at))).collect();
            let folders: Vec<_> =
                paths.iter().map(|path| (&**path, dir(&["d".to_owned()], &EntryKind::Dir))).collect();
            refusal("crush", &folders, "/w")
        };
        assert_eq!(chain(LONGEST / 2), None);
        assert!(chain(LONGEST / 2 + 1).is_some());
    }

    #[test]
    fn a_link_to_a_folder_is_not_followed() {
        let entry = |name: &str, kind| Entry { name: name.into(), kind };
        let machine = [
            ("/w/.cursor/rules", Fact::Dir(vec![entry("l", EntryKind::Link(".".into()))])),
            (
                "/w/.cursor/rules/l",
                Fact::Dir(vec![entry("x.mdc", EntryKind::Link("/proc/self/environ".into()))]),
            ),
            ("/w/.cursor/rules/l/x.mdc", Fact::Stream),
        ];
        for agent in ["crush", "hermes"] {
            assert_eq!(refusal(agent, &machine, "/w"), None, "{agent}");
        }
    }
}
