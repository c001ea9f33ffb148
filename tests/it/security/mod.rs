//! What someone else could do: plant links, own our folders, leave files in a project, drive the terminal, and
//! answer as no provider should.

/// What a launch listens to: the user, and no file or agent that he did not name.
mod choice;

/// Links planted in every place that we write to or remove from, and links that the user made himself.
mod links;

/// Servers that want more than they should have, and URLs and headers that are not what they seem.
mod network;

/// Folders and config files of others, or open to others.
mod ownership;

/// Pipes and devices where files should be.
mod pipes;

/// The process that refreshes a list: no terminal, no descriptors, nobody's child.
mod refresher;

/// Texts of providers, files and command lines that would drive the terminal.
mod terminal;

use std::path::PathBuf;

use crate::support::Sandbox;
use crate::support::lists::Lists;
use crate::support::tree::Tree;

/// A list of two models.
const TWO: &str = r#"{"data": [{"id": "m-two", "context_length": 8192}, {"id": "m-one"}]}"#;

/// With it a launch leaves no process behind that refreshes the list.
const QUIET: &str = "    model_api_filters: []\n";

/// The agents that one provider can serve.
const AGENTS: [&str; 5] = ["claude", "codex", "hermes", "crush", "shell"];

/// A provider that speaks everything, at this server.
fn config(lists: &Lists, more: &str) -> String {
    format!(
        "providers:\n  mock:\n    protocols: [anthropic, openai-responses, openai-chat-completions]\n    \
         base_urls: {{anthropic: 'http://{0}', openai: 'http://{0}/v1'}}\n    key_env: MOCK_KEY\n    \
         default_model: m-one\n{more}",
        lists.address
    )
}

/// A sandbox with that provider as `mock`, and a fake for each agent.
fn sandbox(lists: &Lists, more: &str) -> Sandbox {
    let sandbox = Sandbox::new().var("MOCK_KEY", "sk-planted-key").var("SHELL", "/bin/sh");
    sandbox.config(&config(lists, more));
    for agent in AGENTS {
        sandbox.fake_agent(agent);
    }
    sandbox
}

/// A folder outside of everything ours, and what it was like.
struct Victim {
    folder: PathBuf,
    before: Tree,
}

impl Victim {
    fn of(sandbox: &Sandbox) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let folder = sandbox.path("victim");
        sandbox.write(&folder.join("file"), "untouched");
        sandbox.write(&folder.join("folder/file"), "untouched");
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.join("folder"), open).unwrap();
        Self { before: Tree::of(&folder), folder }
    }

    /// What a link may lead to: a file, a folder, and nothing yet.
    fn targets(&self) -> [PathBuf; 3] {
        ["file", "folder", "none"].map(|name| self.folder.join(name))
    }

    #[track_caller]
    fn is_untouched(&self, what: &str) {
        assert_eq!(Tree::of(&self.folder), self.before, "{what}");
    }
}
