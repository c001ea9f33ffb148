//! Crush: folders of our own for its settings, its choices and its sessions, named by two variables and a flag.
//!
//! Crush merges its settings from `/etc/crush/crush.json`, `crush.json` in the config folder (`CRUSH_GLOBAL_CONFIG`),
//! the `crushrc` beside it, `crush.json` in its data folder (`CRUSH_GLOBAL_DATA`, where it keeps what is chosen in its
//! interface), the project's own files, and at last `crush.json` in the session folder (`--data-dir`); seen in 0.90.1.
//! Only the last one beats a project, so everything that is chosen is in it, and in no other. The user's own folders
//! are read and never named to Crush.

mod case_fold;
mod config;
mod conflicts;
mod context;
mod expansion;
mod flags;
mod git;
mod history;
mod homes;
mod literal;
mod model;
mod project;
mod project_files;
mod settings;
#[cfg(test)]
mod tests;
mod trials;
mod variables;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use anyhow::{Result, bail};
use serde_json::{Map, Value as Json};

use self::config::CrushProvider;
use self::homes::CrushHomes;
use self::project_files::ProjectFiles;
use crate::Message;
use crate::judged::crush as judged;
use crate::project_texts::NamedText;
use crate::{Agent, AgentInfo, ConflictingSetting, Inputs, Launch, Plan, Protocol};

/// A JSON object.
type JsonObject = Map<String, Json>;

/// Crush.
pub struct Crush;

const INFO: AgentInfo = AgentInfo {
    name: "crush",
    title: "Crush",
    install: "go install github.com/charmbracelet/crush@latest",
    // 0.48 is the first version that reads settings in the session folder.
    minimum: "0.48.0",
    tested: "0.90.1",
    known_problems: judged::PROBLEMS,
    trials: trials::of,
    protocols: &[Protocol::OpenaiChatCompletions, Protocol::Anthropic],
    managed_env_vars: variables::FAMILY,
    env_spared: variables::SPARED,
    // Crush looks below the folders of XDG for instructions and skills too (0.90.1).
    home_variables: &["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", homes::CONFIG, homes::DATA],
    one_shot: &["run", "-q"],
    // Which release is the newest is asked at each start, and there is no switch; what was used goes to
    // `data.charm.land` unless metrics are off (seen in 0.90.1).
    own_hosts: &["api.github.com", "data.charm.land"],
    has_runtime_home: true,
    resumes: Some("-s ID"),
    listed_models: usize::MAX,
    texts: judged::PLACE_TEXT,
    texts_below: true,
    ..AgentInfo::USUAL
};

impl Agent for Crush {
    fn info(&self) -> &'static AgentInfo {
        &INFO
    }

    fn fallback_programs(&self, inputs: &Inputs) -> Vec<PathBuf> {
        let gopath = inputs.var("GOPATH").and_then(|list| std::env::split_paths(list).next());
        let bin = || gopath.unwrap_or_else(|| inputs.dirs.home.join("go")).join("bin");
        vec![inputs.var("GOBIN").map_or_else(bin, PathBuf::from).join(self.name())]
    }

    fn start_folders(&self, launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
        vec![homes::start(launch, inputs).1]
    }

    fn named_texts(&self, launch: &Launch, inputs: &Inputs) -> Vec<NamedText> {
        context::named(launch, inputs)
    }

    fn required_files(&self, launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
        let (_, start) = homes::start(launch, inputs);
        let first: Vec<_> = project::reads(&start, inputs).chain(history::earlier(launch, inputs)).collect();
        if first.iter().any(|path| inputs.fact(path).is_none()) {
            // Where the project is decides about the rest.
            return first;
        }
        let homes = CrushHomes::of(launch, inputs);
        let mut paths = Vec::new();
        let own = [homes.script(), homes.theirs.settings(), variables::dotenv_path(inputs)];
        if own.iter().any(|path| inputs.fact(path).is_none()) {
            paths.extend(own);
            paths.extend(project_files::paths(&homes.start, &homes.project));
            paths.extend(homes.theirs.reads());
        }
        // What is in these may lead on.
        paths.extend(homes.project.reads(&homes.session, inputs));
        paths.extend(homes.history.reads(inputs));
        paths.extend(homes.former_reads(inputs));
        paths
    }

    fn plan(&self, launch: &Launch, inputs: &Inputs, plan: &mut Plan) -> Result<()> {
        let homes = CrushHomes::of(launch, inputs);
        match homes.flags.command.as_deref() {
            Some(command @ ("server" | "logout" | "signout")) => {
                bail!(Message::leaves_server(&format!("crush {command}")));
            }
            // It writes below XDG_DATA_HOME, whatever the launch says (seen in 0.90.1).
            Some(command @ "update-providers") => bail!(Message::new(
                format!(
                    "`crush {command}` would change your own list of providers, which a launch does not use"
                ),
                format!("run plain `crush {command}`, without agent-run"),
            )),
            _ => {}
        }
        // A session brings its last model back if Crush still lists it.
        let provider = CrushProvider::of(launch, homes.flags.resumes, inputs)?;
        let mut settings = homes.theirs.carried(inputs)?;
        let files = ProjectFiles::read(&homes.start, &homes.project, launch, inputs)?;

        for name in &launch.key_variables {
            if let Some(path) = homes.theirs.naming(name, &settings, inputs) {
                plan.keep_key_variable(name, &path);
            }
        }
        let mut ours = homes.variables();
        ours.extend(provider.variables.iter().cloned());
        for name in &files.emptied {
            plan.set(name, "");
        }
        variables::set(&ours, &files.variables, launch, inputs, plan);
        let changes =
            |name: &str| plan.env.contains_key(OsStr::new(name)) || launch.extra_env.contains_key(name);
        context::texts(&homes, &files, &settings, inputs, &changes)?;
        // Crush never summarizes a session whose model has no window (seen in 0.90.1).
        if launch.model.value.context_window.is_none() {
            plan.info(launch.assumption());
        }
        homes.prepare(inputs, plan);
        let pinned = variables::pins(&ours, &files.variables, launch, &settings);
        if homes.flags.data_dir {
            provider.choose(&mut settings);
            plan.warn(Message::new(
                "--data-dir is not agent-run's own folder: the project's settings, or a model chosen in Crush \
                 before, may override this launch",
                "omit --data-dir",
            ));
        } else {
            homes.project.show_in(&homes.session, inputs, plan);
            homes.history.show_in(&homes.session, homes.project.is_initialized(inputs), inputs, plan);
            plan.dirs.insert(homes.session.clone());
            let session = provider.session(pinned, files.overrides.clone());
            plan.write(homes.session.join("crush.json"), pretty(&session));
            let mut flag = OsString::from("--data-dir=");
            flag.push(&homes.session);
            plan.arg(flag);
        }
        plan.write(homes.config.join("crush.json"), pretty(&settings.into()));
        files.tell(plan);
        plan.append_user_args(launch);
        Ok(())
    }

    fn conflict_files(&self, _inputs: &Inputs) -> Vec<PathBuf> {
        vec![conflicts::SYSTEM.into()]
    }

    fn conflicts(&self, launch: &Launch, inputs: &Inputs, plan: &Plan) -> Vec<ConflictingSetting> {
        conflicts::of(launch, inputs, plan)
    }
}

fn pretty(json: &Json) -> String {
    // The same text as by `{:#}`, without a formatter between each two pieces.
    let mut text = serde_json::to_string_pretty(json).unwrap_or_else(|_| format!("{json:#}"));
    text.push('\n');
    text
}
