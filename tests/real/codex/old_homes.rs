//! Makes homes as older versions had them, filled by the real Codex, and counts what is in homes.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::Stage;
use super::others::Editor;
use super::sessions::{rollouts, session_id};
use crate::support::{real, run};

/// Who made the homes.
#[derive(Clone, Copy, PartialEq)]
pub enum By {
    /// The version before this one: a home in the cache, sessions and databases in the state folder.
    VersionBefore,
    /// The tool before that: everything in one folder in the cache, with an older Codex.
    OldTool,
}

/// The homes of one kind, and what is in them.
pub struct Former<'a> {
    pub stage: &'a Stage,
    pub by: By,
}

/// What is counted.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Counts {
    sessions: BTreeSet<String>,
    archived: BTreeSet<String>,
    history: BTreeSet<String>,
    names: BTreeSet<String>,
    approvals: BTreeSet<String>,
    trusted: BTreeSet<String>,
    skills: BTreeSet<String>,
}

impl Former<'_> {
    pub fn cache(&self, provider: &str) -> PathBuf {
        self.stage.sandbox.home(".cache/agent-run/codex").join(provider)
    }

    pub fn state(&self, provider: &str) -> PathBuf {
        match self.by {
            By::VersionBefore => self.stage.sandbox.home(".local/state/agent-run/codex").join(provider),
            By::OldTool => self.cache(provider),
        }
    }

    /// The id that its sessions are recorded under.
    fn id<'a>(&self, provider: &'a str) -> &'a str {
        if self.by == By::VersionBefore { "agent-run" } else { provider }
    }

    /// Makes a home as it was, with a session, an archived one, an answer, trust in a folder, a line of the history,
    /// a skill with a program in it, and (where Codex had them) a name and a goal of a session.
    pub fn make(&self, provider: &str) {
        let (cache, state) = (self.cache(provider), self.state(provider));
        let put = |path: &Path, text: &str| self.stage.sandbox.write(path, text);
        let (id, url) = (self.id(provider), self.stage.a.url("/v1"));
        let model = format!("model = 'model-{provider}'\nmodel_provider = '{id}'\n");
        let table = format!(
            "[model_providers.{id}]\nname = '{provider}'\nbase_url = '{url}'\nenv_key = 'P_KEY'\nwire_api = 'responses'\n"
        );
        let trust = format!("[projects.'/trusted/at/{provider}']\ntrust_level = 'trusted'\n");
        for folder in ["sessions", "archived_sessions", "sqlite"] {
            fs::create_dir_all(state.join(folder)).unwrap();
        }
        fs::create_dir_all(&cache).unwrap();
        if self.by == By::VersionBefore {
            let sqlite = format!("sqlite_home = '{}'\n", state.join("sqlite").display());
            let generated = format!("{model}{sqlite}{table}");
            for name in ["sessions", "archived_sessions"] {
                symlink(state.join(name), cache.join(name)).unwrap();
            }
            let home = self.stage.sandbox.home(".codex");
            put(&cache.join(".agent-run.json"), &format!("{}\n", json!({ "real_home": home })));
            put(&state.join("base.toml"), &format!("# 0\n{generated}"));
            put(&state.join("last.toml"), &generated);
            // Codex wrote into it after the launch.
            put(&cache.join("config.toml"), &format!("{generated}{trust}"));
        } else {
            fs::remove_dir(state.join("sqlite")).unwrap();
            let profile =
                format!("[profiles.agent-run]\nmodel_provider = '{id}'\nmodel = 'model-{provider}'\n");
            put(&cache.join("config.toml"), &format!("{table}{profile}{trust}"));
        }
        let first = self.exec(provider, &["exec", &format!("first at {provider}")]);
        self.exec(provider, &["exec", &format!("second at {provider}")]);
        archive(&state, &first);
        if self.by == By::VersionBefore {
            let mut editor = Editor::start(self.command(provider, &["app-server"]));
            let thread = editor.ask("thread/start", &json!({}))["thread"]["id"].clone();
            let input = json!([{ "type": "text", "text": format!("third at {provider}") }]);
            editor.ask("turn/start", &json!({ "threadId": thread, "input": input }));
            editor.wait_for("turn/completed");
            editor.ask(
                "thread/name/set",
                &json!({ "threadId": thread, "name": format!("named at {provider}") }),
            );
            let goal =
                json!({ "threadId": thread, "objective": format!("goal at {provider}"), "status": "paused" });
            editor.ask("thread/goal/set", &goal);
            editor.end();
        }
        let said = json!({ "session_id": first, "ts": 1, "text": format!("typed at {provider}") });
        let both = json!({ "session_id": "x", "ts": 1, "text": "typed at all" });
        put(&cache.join("history.jsonl"), &format!("{both}\n{said}\n"));
        let rule = |word: &str| format!("prefix_rule(pattern=[\"{word}\"], decision=\"allow\")\n");
        put(&cache.join("rules/default.rules"), &format!("{}{}", rule("true"), rule(provider)));
        let skill = format!("---\nname: skill-{provider}\ndescription: d\n---\nx\n");
        put(&cache.join(format!("skills/skill-{provider}/SKILL.md")), &skill);
        let program = cache.join(format!("skills/skill-{provider}/run"));
        put(&program, "#!/bin/sh\n");
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn command(&self, provider: &str, words: &[&str]) -> std::process::Command {
        let program = match self.by {
            By::VersionBefore => PathBuf::from("codex"),
            By::OldTool => real::minimum_folder().join("codex"),
        };
        let mut command = self.stage.sandbox.command(program);
        command.env("CODEX_HOME", self.cache(provider));
        command.args(["-c", "features.daemon_auto_start=false"]).args(words);
        if self.by == By::OldTool {
            // Its own option, `-p agent-run`, was of a kind that no supported Codex takes.
            let choices = [format!("model_provider={provider}"), format!("model=model-{provider}")];
            command.args(choices.iter().flat_map(|it| ["-c", it]));
        }
        command
    }

    fn exec(&self, provider: &str, words: &[&str]) -> String {
        session_id(&run(&mut self.command(provider, words)).exits(0).stderr).to_owned()
    }

    pub fn counts(&self, providers: &[&str]) -> Counts {
        let mut counts = Counts::default();
        for provider in providers {
            counts.add(&self.state(provider), &self.cache(provider));
        }
        counts
    }
}

impl Counts {
    /// Each kind adds up to as many as there are files or lines, so that nothing is there twice.
    pub fn add(&mut self, state: &Path, home: &Path) {
        let lines = |name: &str| -> Vec<String> {
            let text = fs::read_to_string(home.join(name)).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        };
        let name = |path: String| path.rsplit('/').next().unwrap().to_owned();
        let put = |set: &mut BTreeSet<String>, more: Vec<String>| {
            let unique: BTreeSet<_> = more.iter().cloned().collect();
            assert_eq!(unique.len(), more.len(), "doubled: {more:?}");
            set.extend(unique);
        };
        put(&mut self.sessions, rollouts(&state.join("sessions")).into_iter().map(name).collect());
        put(&mut self.archived, rollouts(&state.join("archived_sessions")).into_iter().map(name).collect());
        put(&mut self.history, lines("history.jsonl"));
        put(&mut self.names, lines("session_index.jsonl"));
        put(&mut self.approvals, lines("rules/default.rules"));
        let config: toml::Table = lines("config.toml").join("\n").parse().unwrap();
        let projects = config.get("projects").and_then(toml::Value::as_table);
        put(&mut self.trusted, projects.into_iter().flat_map(|it| it.keys().cloned()).collect());
        let skills = fs::read_dir(home.join("skills")).into_iter().flatten();
        let skills = skills.map(|it| it.unwrap().file_name().into_string().unwrap());
        put(&mut self.skills, skills.filter(|it| it != ".system").collect());
    }

    pub fn sizes(&self) -> [usize; 7] {
        [
            &self.sessions,
            &self.archived,
            &self.history,
            &self.names,
            &self.approvals,
            &self.trusted,
            &self.skills,
        ]
        .map(BTreeSet::len)
    }
}

/// Moves a session where Codex keeps those that are put away, under its own name.
fn archive(state: &Path, id: &str) {
    let file = rollouts(&state.join("sessions")).into_iter().find(|it| it.contains(id)).unwrap();
    let to = state.join("archived_sessions").join(Path::new(&file).file_name().unwrap());
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::rename(file, to).unwrap();
}
