//! Texts for the model in a project that are no files of it, but links to what a process finds of itself.
//!
//! An agent makes `AGENTS.md` a part of its prompt. If that is a link to `/proc/self/environ`, it sends its own
//! environment, the key among it, and stores it in the session, which another provider may be asked to go on with (seen
//! in Codex 0.171.0, Hermes Agent 0.19.0 and Crush 0.90.1). A clone may hold such a link.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::{Agent, EntryKind, Fact, Inputs, Launch, Message};

/// So many texts of a folder of rules are looked at.
const MOST: usize = 1000;

/// What [`check`] must know.
pub fn reads(agent: &dyn Agent, launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
    let starts = agent.start_folders(launch, inputs);
    let above =
        starts.iter().filter(|_| !agent.info().texts_above.is_empty()).flat_map(|start| start.ancestors());
    let roots: Vec<_> = above.map(|above| above.join(".git")).collect();
    if roots.iter().any(|path| inputs.fact(path).is_none()) {
        // Where the project is decides about the rest.
        return roots;
    }
    texts(agent, launch, inputs)
}

/// Refuses a project with such a text.
///
/// # Errors
/// When there is one; the message names it.
pub fn check(agent: &dyn Agent, launch: &Launch, inputs: &Inputs) -> Result<()> {
    let texts = texts(agent, launch, inputs);
    let Some(text) = texts.iter().find(|path| inputs.fact(path) == Some(&Fact::Stream)) else {
        return Ok(());
    };
    bail!(Message::new(
        format!(
            "{} is not a regular file: {} would send what it reads there, which may be its environment with the key",
            text.display(),
            agent.title()
        ),
        "remove it"
    ))
}

/// Where the texts may be, and all in folders of them.
fn texts(agent: &dyn Agent, launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
    let starts = agent.start_folders(launch, inputs);
    let mut texts: Vec<PathBuf> = Vec::new();
    for start in &starts {
        let is_root = |folder: &&Path| !inputs.is_absent(&folder.join(".git"));
        let root = start.ancestors().find(is_root).unwrap_or(start);
        let folders = start.ancestors().take_while(|folder| folder.starts_with(root));
        texts
            .extend(folders.flat_map(|folder| agent.info().texts_above.iter().map(|name| folder.join(name))));
        texts.extend(agent.info().texts.iter().map(|name| start.join(name)));
    }
    let mut at = 0;
    while let Some(folder) = texts.get(at).filter(|_| at < MOST).cloned() {
        let entries = inputs.entries(&folder).iter();
        // A link to a folder could lead round in a circle.
        let within = entries.filter(|entry| entry.kind != EntryKind::File);
        texts.extend(within.map(|entry| folder.join(&entry.name)).filter(|path| path.iter().count() < 64));
        at += 1;
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AGENTS, Entry, Protocol};

    fn refusal(agent: &str, machine: &[(&str, Fact)], cwd: &str) -> Option<String> {
        let mut inputs = Inputs::default();
        inputs.dirs.cwd = cwd.into();
        let launch = Launch::sample("p", Protocol::OpenaiChatCompletions, "https://p.example", "m");
        let agent = AGENTS.iter().find(|known| known.name() == agent).expect("an agent");
        loop {
            let wanted = reads(*agent, &launch, &inputs);
            let new: Vec<_> = wanted.into_iter().filter(|path| inputs.fact(path).is_none()).collect();
            if new.is_empty() {
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
        for agent in ["claude", "shell"] {
            assert_eq!(refusal(agent, &agents, "/w"), None);
        }
        // In a folder above up to the root of the repository, and no further.
        let git = ("/w/.git", Fact::Dir(Vec::new()));
        assert!(refusal("codex", &[agents[0].clone(), git.clone()], "/w/a/b").is_some());
        assert_eq!(refusal("codex", &[("/AGENTS.md", Fact::Stream), git.clone()], "/w/a"), None);
        // In a folder of rules.
        let folder = |name: &str, kind| Fact::Dir(vec![Entry { name: name.into(), kind }]);
        let rules = [
            git,
            ("/w/.cursor/rules", folder("s", EntryKind::Dir)),
            ("/w/.cursor/rules/s", folder("x.mdc", EntryKind::Link("../../../y".into()))),
            ("/w/.cursor/rules/s/x.mdc", Fact::Stream),
        ];
        assert!(refusal("crush", &rules, "/w").is_some());
        assert_eq!(refusal("crush", &rules, "/w/a"), None, "it takes those of its own folder alone (0.90.1)");
        let file = [("/w/AGENTS.md", Fact::File(b"text".into())), ("/w/notes", Fact::Stream)];
        assert_eq!(refusal("codex", &file, "/w"), None);
    }
}
