//! Links in a project to what is no file of the project's, but of the process that reads them.
//!
//! An agent makes `AGENTS.md` a part of its prompt. If that is a link to `/proc/self/environ`, it sends its own
//! environment, the key among it, and stores it in the session, which another provider may be asked to go on with (seen
//! in Codex 0.171.0, Hermes Agent 0.19.0, Crush 0.90.1 and Claude Code 2.1.197). A clone may hold such a link.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::inputs::without_dots;
use crate::{Agent, EntryKind, Fact, Inputs, Launch, Message};

/// How the names of texts for a model end, in any case of letters.
const ENDS: [&str; 3] = [".md", ".mdc", "rules"];

/// Folders of a project that hold more of them.
const FOLDERS: [&str; 4] = [".claude/rules", ".cursor", ".cursor/rules", ".github"];

/// Below these, a process finds what is its own.
const OF_PROCESSES: [&str; 2] = ["/proc", "/dev/fd"];

/// What [`check`] must know.
pub fn reads(agent: &dyn Agent, launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
    if !agent.info().is_coding_agent {
        return Vec::new();
    }
    let starts = agent.start_folders(launch, inputs);
    let mut paths: Vec<_> =
        starts.iter().flat_map(|start| start.ancestors()).map(|above| above.join(".git")).collect();
    if paths.iter().any(|path| inputs.fact(path).is_none()) {
        // Where the project is decides about the rest.
        return paths;
    }
    let folders = folders(&starts, inputs);
    paths = links(&folders, inputs).map(|(path, _)| path).filter(|path| is_text(path)).collect();
    paths.extend(folders);
    paths
}

/// Refuses a project with such a link.
///
/// # Errors
/// When there is one; the message names it.
pub fn check(agent: &dyn Agent, launch: &Launch, inputs: &Inputs) -> Result<()> {
    if !agent.info().is_coding_agent {
        return Ok(());
    }
    let folders = folders(&agent.start_folders(launch, inputs), inputs);
    let is_of_processes = |path: &Path, target: &Path| {
        let target = without_dots(&path.parent().unwrap_or(path).join(target));
        OF_PROCESSES.iter().any(|place| target.starts_with(place))
    };
    let is_stream = |path: &Path| is_text(path) && inputs.fact(path) == Some(&Fact::Stream);
    let found =
        links(&folders, inputs).find(|(path, target)| is_of_processes(path, target) || is_stream(path));
    let Some((path, target)) = found else { return Ok(()) };
    bail!(Message::new(
        format!(
            "{} is a link to {}, where {} could read the key and send it in a prompt",
            path.display(),
            target.display(),
            agent.title()
        ),
        "remove the link"
    ))
}

/// The folders from where the agent starts up to the root of the git repository, and those in them that hold texts.
fn folders(starts: &[PathBuf], inputs: &Inputs) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for start in starts {
        let is_root = |folder: &&Path| !inputs.is_absent(&folder.join(".git"));
        let root = start.ancestors().find(is_root).unwrap_or(start);
        for folder in start.ancestors().take_while(|folder| folder.starts_with(root)) {
            folders.push(folder.to_owned());
            let has = |name: &str| {
                let first = Path::new(name).iter().next();
                inputs.entries(folder).iter().any(|entry| Some(&*entry.name) == first)
            };
            folders.extend(FOLDERS.iter().filter(|name| has(name)).map(|name| folder.join(name)));
        }
    }
    folders
}

/// The links in these folders, and what they lead to as it is written.
fn links<'a>(folders: &'a [PathBuf], inputs: &'a Inputs) -> impl Iterator<Item = (PathBuf, &'a Path)> {
    folders.iter().flat_map(|folder| {
        inputs.entries(folder).iter().filter_map(|entry| match &entry.kind {
            EntryKind::Link(target) => Some((folder.join(&entry.name), target.as_path())),
            _ => None,
        })
    })
}

fn is_text(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    ENDS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AGENTS, Entry, Protocol};

    fn refusal(links: &[(&str, &str)], leads_to: &[(&str, Fact)], cwd: &str) -> Option<String> {
        let mut inputs = Inputs::default();
        inputs.dirs.cwd = cwd.into();
        let launch = Launch::sample("p", Protocol::OpenaiResponses, "https://p.example", "m");
        let agent = AGENTS.iter().find(|agent| agent.name() == "codex").expect("an agent");
        loop {
            let wanted = reads(*agent, &launch, &inputs);
            let new: Vec<_> = wanted.into_iter().filter(|path| inputs.fact(path).is_none()).collect();
            if new.is_empty() {
                let refused = check(*agent, &launch, &inputs);
                return refused.err().map(|error| Message::of(&error).render());
            }
            for path in new {
                let known = leads_to.iter().find(|(known, _)| path == Path::new(known));
                let here = links.iter().filter(|(link, _)| Path::new(link).parent() == Some(&path));
                let entry = |(link, to): &(&str, &str)| Entry {
                    name: Path::new(link).file_name().expect("a name").to_owned(),
                    kind: if to.is_empty() { EntryKind::Dir } else { EntryKind::Link(to.into()) },
                };
                let entries: Vec<_> = here.map(entry).collect();
                let fact = match known {
                    Some((_, fact)) => fact.clone(),
                    None if entries.is_empty() => Fact::Absent,
                    None => Fact::Dir(entries),
                };
                inputs.facts.insert(path, fact);
            }
        }
    }

    #[test]
    fn a_link_to_what_a_process_finds_of_itself_is_refused() {
        let said = refusal(&[("/w/AGENTS.md", "/proc/self/environ")], &[], "/w").expect("refused");
        assert!(said.starts_with("/w/AGENTS.md is a link to /proc/self/environ, where Codex "), "{said}");
        // By any name, relative, in a folder above up to the root of the repository, and in one of rules.
        let git = [("/w/.git", Fact::Dir(Vec::new()))];
        assert!(refusal(&[("/w/notes", "../proc/thread-self/environ")], &[], "/w").is_some());
        assert!(refusal(&[("/w/AGENTS.md", "/dev/fd/3")], &git, "/w/a/b").is_some());
        let rules =
            [("/w/.cursor", ""), ("/w/.cursor/rules", ""), ("/w/.cursor/rules/a.mdc", "/proc/1/environ")];
        assert!(refusal(&rules, &git, "/w/a").is_some());
        // By another link.
        let further = [("/w/claude.MD", Fact::Stream)];
        assert!(refusal(&[("/w/claude.MD", "docs/x")], &further, "/w").is_some());
        // A socket, a file, and what is above the project.
        let socket = [("/w/s.sock", Fact::Stream), ("/w/CLAUDE.md", Fact::File(b"text".into()))];
        assert_eq!(refusal(&[("/w/s.sock", "/tmp/s"), ("/w/CLAUDE.md", "AGENTS.md")], &socket, "/w"), None);
        assert_eq!(refusal(&[("/AGENTS.md", "/proc/self/environ")], &git, "/w"), None);
    }
}
