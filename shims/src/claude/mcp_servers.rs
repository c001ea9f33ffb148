//! A project's MCP servers that would be sent the provider's key.
//!
//! Claude Code fills in `${NAME}` in the URL and the headers of a remote server from its own environment,
//! and with `-p` it connects to those of a project without a question. 2.1.332 leaves the provider's key out there;
//! older versions send it, so that a repository could fetch the key without running anything. Servers that are
//! commands inherit the environment anyway: that is a matter of trust in the project.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use super::found::FoundSettings;
use super::source::{self, FileContent, names};
use super::{paths, plugins};
use crate::{Inputs, Plan};

/// A file of MCP servers.
pub struct ServerFile {
    pub path: PathBuf,
    pub content: Map<String, Json>,
}

/// Where projects keep them: the working folder, and those above it.
pub fn files(inputs: &Inputs) -> impl Iterator<Item = PathBuf> {
    inputs.dirs.cwd.ancestors().map(|folder| folder.join(".mcp.json"))
}

/// The remote servers that name a variable with a secret of this launch, with a warning for each.
pub fn to_turn_off(found: &FoundSettings<'_>, secrets: &BTreeSet<String>, plan: &mut Plan) -> Vec<String> {
    let mut off: Vec<String> = Vec::new();
    for ServerFile { path, content } in &found.servers {
        let servers = content.get("mcpServers").and_then(Json::as_object).into_iter().flatten();
        for (name, _) in servers.filter(|(_, server)| wants_secret(server, secrets)) {
            plan.warn_of_server(path, name, found.launch);
            if !off.contains(name) {
                off.push(name.clone());
            }
        }
    }
    off
}

/// Whether it is a remote server that names a variable with a secret.
fn wants_secret(server: &Json, secrets: &BTreeSet<String>) -> bool {
    let text = server.to_string();
    is_remote(server) && secrets.iter().any(|secret| names(&text, secret))
}

/// Whether Claude Code could send it something. The `type` decides, whatever else the entry holds, and without one a
/// `command` does (2.1.197, 2.1.332); what is neither clearly counts as remote.
fn is_remote(server: &Json) -> bool {
    let is_command = match server.get("type") {
        Some(kind) => kind == "stdio",
        None => server.get("command").and_then(Json::as_str).is_some_and(|command| !command.is_empty()),
    };
    !is_command || server.get("url").is_some()
}

/// Warns of an administrator's servers that name the key: nothing overrules them.
pub fn name_managed(found: &FoundSettings<'_>, secrets: &BTreeSet<String>, plan: &mut Plan) {
    for path in paths::managed_servers() {
        name_unheld(&path, "your administrator's MCP server", found, secrets, plan);
    }
}

/// Warns of servers of plugins that name the key: they are in no list that could turn them off.
pub fn name_of_plugins(found: &FoundSettings<'_>, secrets: &BTreeSet<String>, plan: &mut Plan) {
    // One may be installed for several projects.
    let files = found.plugins.iter().flat_map(|folder| plugins::server_files(folder, found.inputs));
    for path in files.collect::<BTreeSet<_>>() {
        name_unheld(&path, "the plugin's MCP server", found, secrets, plan);
    }
}

fn name_unheld(
    path: &Path,
    what: &str,
    found: &FoundSettings<'_>,
    secrets: &BTreeSet<String>,
    plan: &mut Plan,
) {
    let provider = &found.launch.provider;
    let consequence = match source::object(path, found.inputs) {
        FileContent::Nothing => return,
        FileContent::Broken(_) | FileContent::Closed(_) => format!(
            "{} could not be read: its MCP servers may get the key of provider `{provider}`",
            path.display()
        ),
        FileContent::Object(content) => {
            let servers = match content.get("mcpServers") {
                Some(Json::Array(items)) => items.iter().filter_map(Json::as_object).collect(),
                Some(servers) => servers.as_object().into_iter().collect(),
                // A plugin's file may leave it out around them, other than its manifest.
                None if path.ends_with(plugins::MANIFEST) => Vec::new(),
                None => vec![&content],
            };
            let mut servers = servers.into_iter().flatten();
            let Some((name, _)) = servers.find(|(_, it)| wants_secret(it, secrets)) else { return };
            format!(
                "{}: {what} `{name}` names the key of provider `{provider}`, and Claude Code before 2.1.332 \
                 sends it there",
                path.display()
            )
        }
    };
    plan.warn(consequence);
}

/// Whether the user's own servers of the state file, everywhere or in one project, name the variable.
pub fn users_own_name(state: &Json, variable: &str) -> bool {
    let everywhere = state.get("mcpServers").into_iter();
    let projects = state.get("projects").and_then(Json::as_object).into_iter().flat_map(Map::values);
    everywhere
        .chain(projects.filter_map(|project| project.get("mcpServers")))
        .any(|servers| names(&servers.to_string(), variable))
}
