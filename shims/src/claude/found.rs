//! Everything that settings files say, and what happens where one cannot be read.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::Map;

use super::argv::{enters_worktree, forwards};
use super::front_matter::Document;
use super::mcp_servers::{self, ServerFile};
use super::onboarding::StateFile;
use super::paths::{self, Repository, SettingsKind};
use super::plugins::{self, Plugins};
use super::source::{self, FileContent, SettingsSource};
use super::{front_matter, own_settings};
use crate::{Inputs, Launch, Message, Plan};

/// What is in the files, of one launch.
pub struct FoundSettings<'a> {
    pub launch: &'a Launch,
    pub inputs: &'a Inputs,
    pub state: &'a StateFile,
    /// The state file's `env` and the settings, weakest first.
    pub sources: Vec<SettingsSource>,
    /// What administrators impose.
    pub policies: Vec<SettingsSource>,
    /// The MCP servers of projects.
    pub servers: Vec<ServerFile>,
    /// The `.claude` folders of the project and of what `--add-dir` adds, as far as there are any.
    pub roots: Vec<PathBuf>,
    /// The folders of the plugins that may be loaded.
    pub plugins: Vec<PathBuf>,
    /// The hooks that they bring.
    pub plugin_hooks: Vec<SettingsSource>,
    /// A place whose hooks were not read, and why.
    pub unread: Option<(PathBuf, String)>,
    /// The skills, commands and agents in all of them that were read.
    pub documents: Vec<Document<'a>>,
    /// Whether the last of the sources is the user's own `--settings`.
    pub has_own: bool,
}

impl<'a> FoundSettings<'a> {
    /// Reads everything. A file of a project's that cannot be read turns its whole kind off.
    ///
    /// # Errors
    /// When a file of the user's or an administrator's is no JSON, or the user's own words choose the kinds.
    pub fn read(
        launch: &'a Launch,
        inputs: &'a Inputs,
        state: &'a StateFile,
        plan: &mut Plan,
    ) -> Result<Self> {
        let env = Map::from_iter([("env".to_owned(), state.env.clone())]);
        let mut sources =
            vec![SettingsSource { path: state.path.clone(), kind: SettingsKind::User, settings: env }];
        let mut off: Vec<SettingsKind> = Vec::new();
        let repository = Repository::of(inputs);
        for (kind, path) in paths::settings(launch, inputs, &repository) {
            let content = source::settings(&path, inputs);
            match (content.fault(&path), content, kind) {
                (None, FileContent::Object(settings), _) => {
                    sources.push(SettingsSource { path, kind, settings });
                }
                (None, ..) => {}
                (Some(_), FileContent::Closed(_), SettingsKind::User) => warn_of(&path, plan),
                (Some(fault), _, SettingsKind::User) => bail!(Message::new(
                    fault,
                    "fix the file or move it out of the way; Claude Code would start without it"
                )),
                (Some(fault), ..) => turn_off(kind, &fault, launch, plan, &mut off)?,
            }
        }
        let mut servers = Vec::new();
        for path in mcp_servers::files(inputs) {
            let content = source::object(&path, inputs);
            match (content.fault(&path), content) {
                (None, FileContent::Object(content)) => servers.push(ServerFile { path, content }),
                (None, _) => {}
                (Some(fault), _) => turn_off(SettingsKind::Project, &fault, launch, plan, &mut off)?,
            }
        }
        if !off.is_empty() {
            // The user's own stay. Claude Code reads no `.mcp.json` without the project's settings either (2.1.197
            // and 2.1.332).
            let left = [(SettingsKind::Project, "project"), (SettingsKind::Local, "local")];
            let left = left.into_iter().filter(|(kind, _)| !off.contains(kind)).map(|(_, name)| name);
            plan.arg("--setting-sources");
            plan.arg(std::iter::once("user").chain(left).collect::<Vec<_>>().join(","));
        }
        let own = own_settings::read(launch, inputs)?;
        let has_own = own.is_some();
        sources.extend(own);
        let mut roots = front_matter::project_roots(launch, inputs, &repository);
        roots.retain(|root| !inputs.is_absent(root));
        let policies = policies(inputs, plan)?;
        let settings = sources.iter().chain(&policies);
        // Of the rest, Claude Code opens some without taking what they say.
        let is_all = off.is_empty() && !forwards(launch, "--setting-sources") && !enters_worktree(launch);
        let own_folder = inputs.dirs.cwd.join(".claude");
        let is_sure = |it: &SettingsSource| it.is_users() || is_all && it.path.parent() == Some(&own_folder);
        let enabled = plugins::enabled(settings.clone(), is_sure);
        let all = Plugins::new(settings, &enabled, &roots, launch, inputs);
        let folders: Vec<_> = roots.iter().chain(&all.folders[..all.searched]).cloned().collect();
        let documents = front_matter::documents(&folders, inputs);
        let mut kinds = front_matter::KINDS.iter();
        let unread = kinds.find_map(|kind| front_matter::unread(kind, &folders, inputs));
        let unread = unread.map(|(path, why)| (path, why.to_owned())).or_else(|| all.unread(&enabled));
        let (plugin_hooks, plugins) = (all.hooks(), all.folders);
        Ok(Self {
            launch,
            inputs,
            state,
            sources,
            policies,
            servers,
            roots,
            plugins,
            plugin_hooks,
            unread,
            documents,
            has_own,
        })
    }

    /// What the user's own `--settings` says.
    pub fn own(&self) -> Option<&SettingsSource> {
        self.sources.last().filter(|_| self.has_own)
    }

    /// All settings, the administrators' among them.
    pub fn all(&self) -> impl Iterator<Item = &SettingsSource> {
        self.sources.iter().chain(&self.policies)
    }

    /// The user's own, but for the administrators'.
    pub fn users(&self) -> impl Iterator<Item = &SettingsSource> {
        self.sources.iter().filter(|source| source.is_users())
    }
}

fn policies(inputs: &Inputs, plan: &mut Plan) -> Result<Vec<SettingsSource>> {
    let mut policies = Vec::new();
    for path in paths::policies(inputs) {
        match source::settings(&path, inputs) {
            FileContent::Nothing => {}
            FileContent::Object(settings) => {
                policies.push(SettingsSource { path, kind: SettingsKind::User, settings });
            }
            FileContent::Broken(fault) => bail!(Message::new(
                format!("{}:{fault}", path.display()),
                "ask your administrator to correct this managed policy"
            )),
            FileContent::Closed(_) => warn_of(&path, plan),
        }
    }
    Ok(policies)
}

fn warn_of(path: &Path, plan: &mut Plan) {
    let path = path.display();
    plan.warn(Message::new(
        format!("{path} is not a regular file or cannot be read: its settings may override this launch"),
        "replace it with a regular file",
    ));
}

/// Leaves out all settings of one kind, because `what` could say anything.
fn turn_off(
    kind: SettingsKind,
    what: &str,
    launch: &Launch,
    plan: &mut Plan,
    off: &mut Vec<SettingsKind>,
) -> Result<()> {
    if forwards(launch, "--setting-sources") {
        bail!(Message::new(what, "fix the file, or omit --setting-sources, and the launch skips it"));
    }
    let kinds = match kind {
        SettingsKind::Local => "all local settings are",
        _ => "all of the project's settings and MCP servers are",
    };
    plan.warn(Message::new(format!("{what}; {kinds} off in this launch"), "fix the file or remove it"));
    if !off.contains(&kind) {
        off.push(kind);
    }
    Ok(())
}
