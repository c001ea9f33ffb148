//! What a project's own settings would do to a launch.
//!
//! Codex reads `.codex/config.toml` in the folder it works in and in those above it, and takes what it says once
//! the user trusts the project (0.171): servers, which may be sent variables, and settings that choose a model.
//! The launch's own variables have names that no project can guess. What a project names all the same is turned
//! off, and what cannot be read here is not read by Codex either: its folder counts as untrusted in this launch.

use std::path::{Path, PathBuf};

use toml::{Table, Value as Toml};

use super::argv;
use super::config::{SettingsText, may_say, table};
use super::home::CodexHome;
use super::managed;
use super::merge::put_over;
use super::models::Catalogue;
use super::roles;
use super::settings::unused_server;
use crate::inputs::without_dots;
/// What of a project's settings chooses a model and that no `-c` word outdoes, and what chooses the window.
use crate::judged::codex::{PROJECT_NAMED as NAMED, PROJECT_PINNED as WINDOW};
use crate::{Fact, Inputs, Launch, Message, Plan, distinct};

/// What the launch says against projects.
#[derive(Default)]
pub struct ProjectOverrides {
    /// Servers that are off, by name.
    pub servers: Table,
    /// Folders that are not trusted, by path.
    pub distrusted: Table,
}

/// Where it works: in our working folder, or in what `--cd` names.
pub fn starts(launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
    let cwd = &inputs.dirs.cwd;
    let named = argv::folders(launch.words()).into_iter().map(|folder| without_dots(&cwd.join(folder)));
    std::iter::once(cwd.clone()).chain(named).collect()
}

/// The folders whose settings Codex may take: where it works, and those above.
fn folders(launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
    distinct(starts(launch, inputs).iter().flat_map(|start| start.ancestors())).map(Path::to_owned).collect()
}

/// What [`overrides`] must know.
pub fn reads(launch: &Launch, home: &CodexHome, inputs: &Inputs) -> Vec<PathBuf> {
    let mut paths = profiles(launch, home);
    for folder in folders(launch, inputs) {
        // Most folders have none, and are asked once.
        let settings = folder.join(".codex");
        let has = |name: &str| match inputs.fact(&settings) {
            Some(Fact::Dir(entries)) => entries.iter().any(|entry| entry.name == name),
            // What is in it may be read all the same.
            Some(Fact::Unreadable(_)) => true,
            _ => false,
        };
        if has("config.toml") {
            paths.push(settings.join("config.toml"));
        }
        if has("agents") && !inputs.is_same(&settings, &home.real) {
            let roles = settings.join("agents");
            let entries =
                inputs.entries(&roles).iter().filter(|entry| roles::is_toml(Path::new(&entry.name)));
            paths.extend(entries.map(|entry| roles.join(&entry.name)));
            paths.push(roles);
        }
        paths.push(settings);
    }
    paths
}

/// Decides about each project, and warns of what is turned off or cannot be.
pub fn overrides(launch: &Launch, home: &CodexHome, inputs: &Inputs, plan: &mut Plan) -> ProjectOverrides {
    let mut overrides = ProjectOverrides::default();
    let catalogue = Catalogue::of(launch, inputs);
    let secrets = plan.secret_variables(launch);
    let mut own = None;
    let folders = folders(launch, inputs);
    let read = |folder: &PathBuf| table(&folder.join(".codex/config.toml"), inputs);
    for folder in &folders {
        let settings = folder.join(".codex");
        let path = settings.join("config.toml");
        // The user's own word, also where the home folder is a project.
        let is_own = inputs.is_same(&settings, &home.real);
        match SettingsText::read(&path, inputs) {
            SettingsText::Nothing => {}
            SettingsText::Settings(table) if is_own => {
                note_home_as_project(launch, catalogue.is_some(), &path, &table, plan);
            }
            SettingsText::Settings(table) => {
                if let Some(profile) = injects(&table) {
                    let said = format!("sets permissions.{profile}.network.mitm, which can send any key");
                    let help = "remove it, or put the whole profile into your own config.toml";
                    overrides.distrust(folder, &path, &said, help, inputs, plan);
                }
                // No variable of agent-run is for a project to name, by whatever guess.
                let wanted = |name: &str| secrets.contains(name) || name.starts_with("AGENT_RUN_");
                let servers = table.get("mcp_servers").and_then(Toml::as_table);
                for (name, server) in servers.into_iter().flatten() {
                    let own = own.get_or_insert_with(|| OwnServers::of(launch, home, inputs));
                    let (alone, together) = own.with(name, server);
                    let servers = || alone.iter().chain([&together]);
                    let is_changed = alone.as_ref().is_none_or(|alone| redirects(alone, &together));
                    if !is_changed || !servers().any(|server| variables(server).any(wanted)) {
                        continue;
                    }
                    if alone.is_some() {
                        warn_of_own(&path, name, launch, plan);
                    } else {
                        plan.warn_of_server(&path, name, launch);
                    }
                    // Another project file may say where it is.
                    let others = folders.iter().filter_map(read);
                    let others = others.filter_map(|table| table.get("mcp_servers")?.get(name).cloned());
                    let mut all = servers().cloned().chain(others);
                    let placed = all.find(|it| it.get("url").or_else(|| it.get("command")).is_some());
                    overrides.servers.insert(name.to_owned(), off(placed.as_ref().unwrap_or(server)).into());
                }
                let decides = |key: &str| key != "model_catalog_json" || catalogue.is_none();
                let chosen = NAMED.iter().filter(|(key, _)| decides(key) && chooses(&table, key));
                for (key, effect) in chosen {
                    plan.warn(format!("{} sets {key}, which {effect}", path.display()));
                }
            }
            // The generated file holds the user's own, and an error there was met before.
            SettingsText::Unreadable if is_own => {}
            SettingsText::Unreadable => {
                let help = "fix the file or remove it";
                overrides.distrust(folder, &path, "could not be read", help, inputs, plan);
            }
        }
        if !is_own {
            roles::warn_of_projects(&settings.join("agents"), launch, inputs, plan);
        }
    }
    if argv::makes_worktree(launch.words()) {
        plan.info(
            "--worktree: what the commit has in .codex is not looked at; a role there may ask for another model \
             than this launch's",
        );
    }
    overrides
}

impl ProjectOverrides {
    fn distrust(
        &mut self,
        folder: &Path,
        path: &Path,
        why: &str,
        help: &str,
        inputs: &Inputs,
        plan: &mut Plan,
    ) {
        let path = path.display();
        // Codex asks by what the folder is, whatever `-C` calls it (0.158, 0.171).
        let real = inputs.real(folder);
        let (Some(folder), Some(real)) = (folder.to_str(), real.to_str()) else {
            plan.warn(format!("{path} {why}, and Codex may obey it"));
            return;
        };
        plan.warn(Message::new(
            format!("{path} {why}; Codex does not trust this project's settings in this launch"),
            help,
        ));
        let untrusted = Table::from_iter([("trust_level".to_owned(), "untrusted".into())]);
        self.distrusted.extend([folder, real].map(|it| (it.to_owned(), untrusted.clone().into())));
    }
}

/// The permission profile that sends variables and files along with what commands request. 0.158 takes one from a
/// trusted project, and 0.171 stops at it.
fn injects(table: &Table) -> Option<&str> {
    let profiles = table.get("permissions").and_then(Toml::as_table).into_iter().flatten();
    let mut injecting =
        profiles.filter(|(_, it)| it.get("network").is_some_and(|it| it.get("mitm").is_some()));
    injecting.next().map(|(name, _)| name.as_str())
}

/// What may be said of a server without changing where it is, what it runs and what it is sent (0.171).
const HARMLESS: [&str; 11] = [
    "default_tools_approval_mode",
    "disabled_tools",
    "enabled",
    "enabled_tools",
    "required",
    "scopes",
    "startup_timeout_ms",
    "startup_timeout_sec",
    "supports_parallel_tool_calls",
    "tool_timeout_sec",
    "tools",
];

/// The home folder is a project, and Codex reads the user's own settings again as the project's, above the file
/// made of them. Most of what was left out of that file is pinned by a `-c` word, or taken from no project (0.171).
fn note_home_as_project(launch: &Launch, has_catalogue: bool, path: &Path, table: &Table, plan: &mut Plan) {
    // No word unsets a service tier in every version, nor the endpoint, which stops Codex.
    let mut again = vec!["experimental_thread_store_endpoint", "service_tier"];
    if !has_catalogue {
        again.push("model_catalog_json");
        again.extend(WINDOW.iter().filter(|_| launch.model.value.context_window.is_none()));
    }
    again.retain(|key| table.contains_key(*key));
    if !again.is_empty() {
        plan.info(format!(
            "the home folder is a trusted project, so Codex reads {} again as a project's: {}",
            path.display(),
            again.join(", ")
        ));
    }
}

fn chooses(table: &Table, key: &str) -> bool {
    match (key, table.get(key)) {
        // Roles among the settings of sub-agents.
        ("agents", Some(Toml::Table(agents))) => agents.values().any(Toml::is_table),
        (_, value) => value.is_some(),
    }
}

/// Whether a server would be sent the variable.
fn wants(table: &Table, name: &str) -> bool {
    let servers = table.get("mcp_servers").and_then(Toml::as_table).into_iter().flatten();
    servers.into_iter().any(|(_, server)| variables(server).any(|it| it == name))
}

/// A server like this one that is off. It has an address or a command, as this one, since Codex refuses a server
/// with neither and one with both, and the project may not be trusted.
fn off(server: &Toml) -> Table {
    if server.get("url").is_some() {
        return unused_server();
    }
    Table::from_iter([("command".to_owned(), "true".into()), ("enabled".to_owned(), false.into())])
}

/// Turns off every server of the user's own, for a provider that takes function tools only.
pub fn turn_off_own(launch: &Launch, home: &CodexHome, inputs: &Inputs, servers: &mut Table) {
    let own = OwnServers::of(launch, home, inputs).below;
    servers.extend(own.into_iter().map(|(name, server)| (name, off(&server).into())));
}

/// The files of the profiles that the user's words name.
fn profiles(launch: &Launch, home: &CodexHome) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for mut name in argv::profiles(launch.words()) {
        name.push(".config.toml");
        files.extend((!home.isolated).then(|| home.real.join(&name)));
        files.push(home.runtime.join(name));
    }
    files
}

/// The servers that are no project's, by name.
struct OwnServers {
    /// What a project's settings are added to.
    below: Table,
    /// What is added to a project's settings.
    above: Table,
}

impl OwnServers {
    fn of(launch: &Launch, home: &CodexHome, inputs: &Inputs) -> Self {
        let servers = |mut table: Table| match table.remove("mcp_servers") {
            Some(Toml::Table(servers)) => servers,
            _ => Table::new(),
        };
        let read = |path: &Path| table(path, inputs).map(servers).unwrap_or_default();
        let mut own = read(&home.settings());
        own.extend(home.own_settings().map(|path| read(&path)).unwrap_or_default());
        let mut below = read(Path::new(managed::SYSTEM));
        put_over(&mut below, &own);
        for profile in profiles(launch, home) {
            put_over(&mut below, &read(&profile));
        }
        let mut above = servers(argv::said(launch.words()));
        put_over(&mut above, &read(Path::new(managed::MANAGED)));
        Self { below, above }
    }

    /// A server as it is without a project's settings, if it is then, and with them.
    fn with(&self, name: &str, project: &Toml) -> (Option<Toml>, Toml) {
        let put = |layers: [Option<&Toml>; 3]| {
            let mut all = Table::new();
            for layer in layers.into_iter().flatten() {
                put_over(&mut all, &Table::from_iter([(name.to_owned(), layer.clone())]));
            }
            all.remove(name)
        };
        let (below, above) = (self.below.get(name), self.above.get(name));
        let together = put([below, Some(project), above]);
        (put([below, None, above]), together.unwrap_or_else(|| project.clone()))
    }
}

/// Whether a server of the user's own is elsewhere, runs something else or is sent more once a project is `together`
/// with it.
fn redirects(alone: &Toml, together: &Toml) -> bool {
    let said = together.as_table().into_iter().flatten();
    said.into_iter().any(|(key, value)| !HARMLESS.contains(&key.as_str()) && alone.get(key) != Some(value))
}

fn warn_of_own(path: &Path, name: &str, launch: &Launch, plan: &mut Plan) {
    let (path, provider) = (path.display(), &launch.provider);
    plan.warn(Message::new(
        format!(
            "{path} changes your own MCP server `{name}`, which gets the key of provider `{provider}`; it is off \
             in this launch"
        ),
        format!("remove `mcp_servers.{name}` from that file to use it"),
    ));
}

/// The variables that a server is sent: a remote one by header, a command by its environment.
fn variables(server: &Toml) -> impl Iterator<Item = &str> {
    let token = server.get("bearer_token_env_var").and_then(Toml::as_str);
    let headers = server.get("env_http_headers").and_then(Toml::as_table).into_iter().flatten();
    let passed = server.get("env_vars").and_then(Toml::as_array).into_iter().flatten();
    let passed = passed.filter_map(|it| it.as_str().or_else(|| it.get("name")?.as_str()));
    token.into_iter().chain(headers.filter_map(|(_, variable)| variable.as_str())).chain(passed)
}

/// Lets the variable of the user's key stay where a server of the user's own is sent it.
pub fn keep_key_variable(launch: &Launch, home: &CodexHome, inputs: &Inputs, plan: &mut Plan) {
    if home.isolated || launch.key_variables.is_empty() {
        return;
    }
    for path in [home.real.join("config.toml"), home.runtime.join("config.toml")] {
        let text = inputs.readable(&path).unwrap_or_default();
        for name in &launch.key_variables {
            if may_say(text, name) && text.parse::<Table>().is_ok_and(|table| wants(&table, name)) {
                plan.keep_key_variable(name, &path);
            }
        }
    }
}
