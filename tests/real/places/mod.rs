//! The places that an agent opens: settings, servers, hooks, plugins, skills, commands, agents and dotenvs.
//!
//! Each pinned agent is launched under `strace` on a home and projects that hold everything. Whatever it opens or
//! looks for below the home, the projects, the folders above them and `/etc` must be in a judged list of
//! `shims/judged/`. So a new version that reads a new place fails here, and not at a user's.

mod claude;
mod codex;
mod crush;
mod hermes;
mod judged;
mod trace;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::net::{self, Sink};
use crate::support::{MockProvider, Sandbox, real, run};
use judged::Judged;

/// The key of the provider.
const KEY: &str = "sk-planted-0123456789-ABCDEFGHIJ";

/// A machine with a home, a project two folders down with a linked worktree, and a folder apart.
struct Stage {
    sandbox: Sandbox,
    chosen: MockProvider,
    _sink: Sink,
}

/// A file to plant: its path and its text.
type File = (&'static str, &'static str);

impl Stage {
    /// `None` where the agent or a tool is missing, and in the original of a test that goes on in namespaces.
    #[track_caller]
    fn set(agent: &str, protocol: &str) -> Option<Self> {
        if real::sandbox(agent).is_none() || !real::tools(&["strace", "git"]) || !net::is_inside() {
            return None;
        }
        let sandbox = real::sandbox(agent)?.var("MOCK_KEY", KEY);
        // A first start of Hermes fetches programs of its own.
        let sandbox = sandbox.var("HERMES_DISABLE_LAZY_INSTALLS", "1").var("TIRITH_ENABLED", "false");
        let sink = Sink::open(&sandbox);
        let chosen = MockProvider::start(&sandbox, "chosen");
        let url = chosen.url("");
        sandbox.config(&format!(
            "providers:\n  m: {{protocols: [{protocol}], base_urls: {{anthropic: '{url}', openai: '{url}/v1'}}, \
             key_env: MOCK_KEY, default_model: m-main, models: [{{id: m-main, context_window: 200000}}], \
             model_api_filters: []}}\n"
        ));
        let stage = Self { sandbox, chosen, _sink: sink };
        for folder in ["top/up/project/sub", "added", "plugin"] {
            std::fs::create_dir_all(stage.sandbox.path(folder)).unwrap();
        }
        let git = |words: &[&str]| {
            let mut git = stage.sandbox.command("git");
            git.args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(words);
            run(git.current_dir(stage.sandbox.path("top/up/project"))).exits(0);
        };
        git(&["init", "-q"]);
        git(&["commit", "-q", "--allow-empty", "-m", "first"]);
        git(&["worktree", "add", "-q", &stage.sandbox.path("linked").display().to_string()]);
        std::fs::create_dir(stage.sandbox.path("linked/sub")).unwrap();
        Some(stage)
    }

    /// Plants files in each of these folders.
    fn plant(&self, folders: &[&str], files: &[File]) {
        for folder in folders {
            for (name, text) in files {
                self.sandbox.write(&self.sandbox.path(folder).join(name), text);
            }
        }
    }

    /// A launch in this folder.
    fn launch(&self, agent: &str, folder: &str, words: &[&str]) -> Command {
        let mut command = self.sandbox.command("agent-run");
        command.args(["launch", "m", agent, "--"]).args(words).current_dir(self.sandbox.path(folder));
        command
    }

    /// A path as the lists name it, for a launch in this folder; `None` for one that is of no interest: the agent's
    /// program, and the launcher's own files.
    fn named(&self, path: &Path, launched: &str) -> Option<String> {
        let root = self.sandbox.path("").canonicalize().unwrap();
        if let Ok(below) = path.strip_prefix("/etc") {
            return Some(Path::new("/etc").join(below).display().to_string());
        }
        // Folders above the sandbox are like those in it that are above the project.
        let below = path.strip_prefix(&root).ok()?;
        let folders: [(&str, &str); 8] = [
            ("home", "{home}"),
            ("top/up/project", if launched.starts_with("linked") { "{main}" } else { "{project}" }),
            ("linked", "{linked}"),
            ("added", "{added}"),
            ("plugin", "{plugin}"),
            ("top/up", "{above}"),
            ("top", "{above}"),
            ("", "{above}"),
        ];
        let (folder, name) = folders.iter().find(|(folder, _)| below.starts_with(folder))?;
        let rest = below.strip_prefix(folder).unwrap();
        if *name == "{above}"
            && ["bin", "tmp", "work", "trace", "etc", "chosen.log"].iter().any(|own| rest.starts_with(own))
        {
            return None;
        }
        let is_ours = [".cache/agent-run", ".local/state/agent-run", ".config/agent-run"];
        if *name == "{home}" && is_ours.iter().any(|own| rest.starts_with(own)) {
            return None;
        }
        Some(PathBuf::from(name).join(rest).display().to_string().trim_end_matches('/').to_owned())
    }

    /// Launches in each folder with these words, and judges what was opened.
    #[track_caller]
    fn judge(&self, agent: &str, judged: &Judged, launches: &[(&str, &[&str])]) {
        let mut faults = String::new();
        for (folder, words) in launches {
            let heard = self.chosen.posts().len();
            let words: Vec<_> = words
                .iter()
                .map(|word| word.replace("{root}", &self.sandbox.path("").display().to_string()))
                .collect();
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            let (trace, ran) = trace::traced(&self.sandbox, &self.launch(agent, folder, &words));
            assert!(
                self.chosen.posts().len() > heard,
                "{folder} {words:?}: the provider was not asked: {ran:?}"
            );
            let case = format!("in {folder}");
            faults.push_str(&judged.faults(&case, &trace, &|path| self.named(path, folder)));
        }
        let mut lines: Vec<_> = faults.lines().collect();
        lines.sort_unstable();
        lines.dedup();
        assert!(
            lines.is_empty(),
            "{agent} opens places that nobody judged, or that the launcher does not look at.\nRead what it does with \
             each, teach the adapter, and add a line to shims/judged/{agent}.txt:\n{}",
            lines.join("\n")
        );
    }
}
