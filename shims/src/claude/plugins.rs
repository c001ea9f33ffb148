//! Plugins, and the hooks that they bring: those that the user's words, the environment and settings name, those that
//! settings turn on and that are installed or in a local marketplace, and a project's skills that are plugins.
//!
//! Claude Code keeps a list of what is installed where. A plugin's hooks are in `hooks/hooks.json`, in its manifest,
//! or in files that the manifest names (2.1.197 and 2.1.332).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use super::paths::{self, SettingsKind};
use super::source::{self, FileContent, SettingsSource, texts};
use super::{argv, front_matter, own_settings};
use crate::inputs::without_dots;
use crate::judged::claude::PLACE_READ_OF_PLUGINS;
use crate::{EntryKind, Fact, Inputs, Launch};

pub const MANIFEST: &str = ".claude-plugin/plugin.json";

const INSTALLED: &str = "installed_plugins.json";
const KNOWN: &str = "known_marketplaces.json";

/// How many plugins of one folder are looked into.
const MOST_PLUGINS: usize = 100;

/// Where a plugin comes from that settings turn on and nobody installs: Claude Code itself, an argument, a folder.
const NOT_INSTALLED: [&str; 4] = ["@builtin", "@inline", "@skills-dir", "@synced"];

/// The plugins that may be loaded.
pub struct Plugins<'a> {
    inputs: &'a Inputs,
    /// The `.claude` folders of the project.
    roots: &'a [PathBuf],
    /// What the words, the environment and the `env` of settings name.
    named: Vec<PathBuf>,
    /// The lists of what is installed and known, of which nothing is read where settings turn nothing on.
    lists: Vec<PathBuf>,
    found: Vec<Enabled>,
    pub folders: Vec<PathBuf>,
    /// How many of them are searched for skills, commands and agents: not those that the user installed, since a
    /// hundred documents there would take longer than the rest of a launch.
    pub searched: usize,
}

/// What settings turn on, and which of them.
pub type EnabledBy<'a> = BTreeMap<&'a str, &'a SettingsSource>;

/// A plugin that settings turn on.
struct Enabled {
    name: String,
    folder: PathBuf,
    /// The list that it was found by, where nothing is installed, and what that says of it.
    marketplace: Option<(PathBuf, Map<String, Json>)>,
}

impl Enabled {
    /// The list that names files of the plugin beside those of its manifest, which are not looked for.
    fn named_in_list(&self) -> Option<&PathBuf> {
        let (list, entry) = self.marketplace.as_ref()?;
        let is_file = |value: &Json| value.is_string() || texts(value).next().is_some();
        let mut kinds = front_matter::KINDS.iter().chain(&["hooks"]);
        kinds.any(|kind| entry.get(*kind).is_some_and(is_file)).then_some(list)
    }
}

impl<'a> Plugins<'a> {
    /// Those of these settings, with what they turn on.
    pub fn new<'s>(
        settings: impl IntoIterator<Item = &'s SettingsSource> + Clone,
        enabled: &EnabledBy<'_>,
        roots: &'a [PathBuf],
        launch: &Launch,
        inputs: &'a Inputs,
    ) -> Self {
        let mut named = argv::plugin_folders(launch, inputs);
        let lists =
            settings.clone().into_iter().filter_map(|it| it.settings.get("env")?.get(argv::PLUGIN_DIRS));
        named.extend(lists.filter_map(Json::as_str).flat_map(|list| argv::listed_folders(list, inputs)));
        let named: Vec<_> = named.iter().map(|folder| without_dots(folder)).collect();
        let lists = if enabled.is_empty() { Vec::new() } else { folders_of_lists(launch, inputs) };
        let found = find(enabled, settings, &lists, inputs);
        let mut folders = named.clone();
        for folder in &named {
            folders.extend(plugins_in(folder, inputs).take(MOST_PLUGINS));
        }
        let skills = front_matter::skill_folders(roots, inputs);
        let manifest = |folder: &PathBuf| inputs.fact(&folder.join(MANIFEST));
        folders.extend(skills.filter(|skill| manifest(skill).is_some_and(|fact| *fact != Fact::Absent)));
        let (local, installed): (Vec<_>, Vec<_>) =
            found.iter().partition(|plugin| plugin.marketplace.is_some());
        folders.extend(local.into_iter().map(|plugin| plugin.folder.clone()));
        let searched = folders.len();
        folders.extend(installed.into_iter().map(|plugin| plugin.folder.clone()));
        Self { inputs, roots, named, lists, found, folders, searched }
    }

    /// What has to be read of them. Asked again with what was read.
    pub fn files(self) -> Vec<PathBuf> {
        let Self { inputs, folders, .. } = &self;
        // What is no plugin has no manifest, and nothing else of it is read.
        let skills = front_matter::skill_folders(self.roots, inputs).map(|skill| skill.join(MANIFEST));
        let lists = self.lists.iter().flat_map(|folder| [folder.join(INSTALLED), folder.join(KNOWN)]);
        let mut files: Vec<_> = self.named.iter().cloned().chain(skills).chain(lists).collect();
        files.extend(self.found.iter().filter_map(|plugin| Some(plugin.marketplace.as_ref()?.0.clone())));
        files.extend(folders.iter().flat_map(|folder| hook_files(folder, inputs)));
        files.extend(folders.iter().flat_map(|folder| server_files(folder, inputs)));
        files.extend(front_matter::files_below(&folders[..self.searched], inputs));
        files
    }

    /// What they say of hooks, whatever it is.
    pub fn hooks(&self) -> Vec<SettingsSource> {
        let mut found: BTreeMap<PathBuf, Vec<Json>> = BTreeMap::new();
        for path in self.folders.iter().flat_map(|folder| hook_files(folder, self.inputs)) {
            found.entry(path).or_insert_with_key(|path| hooks_in(path, self.inputs).into_iter().collect());
        }
        for (path, entry) in self.found.iter().filter_map(|plugin| plugin.marketplace.as_ref()) {
            found.entry(path.clone()).or_default().extend(entry.get("hooks").cloned());
        }
        let sources = found.into_iter().map(|(path, hooks)| {
            let settings = Map::from_iter([("hooks".to_owned(), hooks.into())]);
            SettingsSource { path, kind: SettingsKind::Project, settings }
        });
        sources.collect()
    }

    /// A plugin whose hooks were not read, and why. What the user's own settings turn on and is not installed is not
    /// loaded.
    pub fn unread(&self, enabled: &EnabledBy<'_>) -> Option<(PathBuf, String)> {
        let inputs = self.inputs;
        let is_folder = |path: &&PathBuf| matches!(inputs.fact(path), Some(Fact::Dir(_) | Fact::Absent));
        if let Some(path) = self.named.iter().find(|path| !is_folder(path)) {
            return Some((path.clone(), "is no folder that can be read".to_owned()));
        }
        let is_full = |path: &&PathBuf| plugins_in(path, inputs).nth(MOST_PLUGINS).is_some();
        if let Some(path) = self.named.iter().find(is_full) {
            return Some((path.clone(), "holds too many plugins to be read".to_owned()));
        }
        let is_closed =
            |path: &PathBuf| matches!(inputs.fact(path), Some(Fact::Stream | Fact::Unreadable(_)));
        if let Some(path) = self.folders.iter().flat_map(|it| hook_files(it, inputs)).find(is_closed) {
            return Some((path, front_matter::CLOSED.to_owned()));
        }
        if let Some(list) = self.found.iter().find_map(Enabled::named_in_list) {
            return Some((list.clone(), "names files of a plugin that are not read".to_owned()));
        }
        let needs_installing = |name: &str| !NOT_INSTALLED.iter().any(|from| name.ends_with(from));
        let is_found = |name: &str| self.found.iter().any(|plugin| plugin.name == name);
        let mut projects = enabled.iter().filter(|(_, source)| !source.is_users());
        let (name, source) = projects.find(|(name, _)| needs_installing(name) && !is_found(name))?;
        let why = format!("turns on the plugin `{name}`, which may come from elsewhere");
        Some((source.path.clone(), why))
    }
}

/// A folder that is named may hold several plugins (2.1.332).
fn plugins_in<'a>(folder: &'a Path, inputs: &'a Inputs) -> impl Iterator<Item = PathBuf> + 'a {
    let below = inputs.entries(folder).iter().filter(|entry| entry.kind != EntryKind::File);
    below.map(|entry| folder.join(&entry.name))
}

/// Where the plugins of these names are: as they are installed, and in a marketplace that settings name by its
/// folder, else in one that Claude Code knows.
fn find<'s>(
    names: &EnabledBy<'_>,
    settings: impl IntoIterator<Item = &'s SettingsSource> + Clone,
    lists: &[PathBuf],
    inputs: &Inputs,
) -> Vec<Enabled> {
    let mut found = Vec::new();
    let read = |name| lists.iter().filter_map(move |folder| object(&folder.join(name), inputs));
    let (installed, known): (Vec<_>, Vec<_>) = (read(INSTALLED).collect(), read(KNOWN).collect());
    let named = settings.into_iter().filter_map(|it| it.settings.get("extraKnownMarketplaces")?.as_object());
    let named: Vec<_> = named.collect();
    let mut read: BTreeMap<PathBuf, Option<Map<String, Json>>> = BTreeMap::new();
    for &name in names.keys() {
        let copies = installed.iter().filter_map(|list| list.get("plugins")?.get(name));
        let copies = copies.flat_map(|one| one.as_array().map_or(std::slice::from_ref(one), Vec::as_slice));
        let paths = copies.filter_map(|copy| copy.get("installPath")?.as_str()).map(PathBuf::from);
        let paths: Vec<_> = paths.filter(|folder| folder.is_absolute()).collect();
        let known = known.iter().filter(|_| paths.is_empty());
        let (plugin, marketplace) = name.rsplit_once('@').unwrap_or((name, ""));
        let marketplaces = named.iter().copied().chain(known).filter_map(|list| list.get(marketplace));
        for (top, file) in marketplaces.filter_map(|marketplace| place_of(marketplace, inputs)) {
            let list = read.entry(file.clone()).or_insert_with(|| object(&file, inputs));
            let (folder, entry) = match list.as_ref().map(|list| listed(plugin, &top, list)) {
                Some(Some(listed)) => listed,
                // As long as nobody looked for the list.
                None if inputs.fact(&file).is_none() => (top, Map::new()),
                _ => continue,
            };
            found.push(Enabled { name: name.to_owned(), folder, marketplace: Some((file, entry)) });
        }
        let plugin = |folder| Enabled { name: name.to_owned(), folder, marketplace: None };
        found.extend(paths.into_iter().map(plugin));
    }
    found
}

/// The folder of a local marketplace, and its list.
fn place_of(marketplace: &Json, inputs: &Inputs) -> Option<(PathBuf, PathBuf)> {
    let path = marketplace.get("installLocation").or_else(|| marketplace.get("source")?.get("path"))?;
    let path = inputs.dirs.cwd.join(path.as_str()?);
    if path.extension().is_none_or(|extension| extension != "json") {
        let list = path.join(".claude-plugin/marketplace.json");
        return Some((path, list));
    }
    let folder = path.parent()?;
    let is_inner = folder.file_name().is_some_and(|name| name == ".claude-plugin");
    Some((if is_inner { folder.parent()? } else { folder }.to_owned(), path))
}

/// The folder of a plugin that a marketplace lists, and its entry there.
fn listed(plugin: &str, folder: &Path, list: &Map<String, Json>) -> Option<(PathBuf, Map<String, Json>)> {
    let root = list.get("metadata").and_then(|metadata| metadata.get("pluginRoot")?.as_str());
    let entry = list.get("plugins")?.as_array()?.iter().find(|entry| entry["name"] == plugin)?;
    let source = entry.get("source")?.as_str()?;
    let folder = without_dots(&folder.join(root.unwrap_or_default()).join(source));
    Some((folder, entry.as_object()?.clone()))
}

fn object(path: &Path, inputs: &Inputs) -> Option<Map<String, Json>> {
    match source::object(path, inputs) {
        FileContent::Object(object) => Some(object),
        _ => None,
    }
}

/// The names of the plugins that these turn on, weakest first, each with a project's settings that do so, else the
/// user's. What a file turns off counts where Claude Code is `sure` to read that file.
pub fn enabled<'a>(
    sources: impl Iterator<Item = &'a SettingsSource>,
    is_sure: impl Fn(&SettingsSource) -> bool,
) -> EnabledBy<'a> {
    let mut on = EnabledBy::new();
    for source in sources {
        for (name, is_on) in source.plugins() {
            if is_on {
                let by = on.entry(name).or_insert(source);
                if by.is_users() {
                    *by = source;
                }
            } else if is_sure(source) {
                on.remove(name);
            }
        }
    }
    on
}

/// Where a plugin's MCP servers stand.
pub fn server_files(folder: &Path, inputs: &Inputs) -> impl Iterator<Item = PathBuf> {
    let usual = PLACE_READ_OF_PLUGINS.iter().map(|name| folder.join(name));
    usual.chain(named_in_manifest("mcpServers", folder, inputs))
}

/// Where a plugin says what hooks it brings.
pub fn hook_files(folder: &Path, inputs: &Inputs) -> impl Iterator<Item = PathBuf> {
    let usual = [MANIFEST, "hooks/hooks.json"].map(|name| folder.join(name));
    usual.into_iter().chain(named_in_manifest("hooks", folder, inputs))
}

/// What one of these files says of hooks. A manifest says more than that.
fn hooks_in(path: &Path, inputs: &Inputs) -> Option<Json> {
    let mut content = object(path, inputs)?;
    if path.ends_with(MANIFEST) { content.remove("hooks") } else { Some(content.into()) }
}

/// The files and folders of a plugin that its manifest names.
pub fn named_in_manifest(key: &str, folder: &Path, inputs: &Inputs) -> Vec<PathBuf> {
    let Some(manifest) = object(&folder.join(MANIFEST), inputs) else { return Vec::new() };
    let named =
        manifest.get(key).into_iter().flat_map(|named| named.as_str().into_iter().chain(texts(named)));
    let paths = named.map(|path| without_dots(&folder.join(path)));
    paths.filter(|path| path.starts_with(folder)).collect()
}

/// What the files say of those that may name plugins, whosever they are, and the user's own `--settings`.
pub fn enabling(files: &[PathBuf], launch: &Launch, inputs: &Inputs) -> Vec<SettingsSource> {
    let files = files.iter().filter(|path| may_enable(path, inputs));
    let read = files.filter_map(|path| match source::settings(path, inputs) {
        FileContent::Object(settings) => {
            Some(SettingsSource { path: path.clone(), kind: SettingsKind::Project, settings })
        }
        _ => None,
    });
    read.chain(own_settings::read(launch, inputs).ok().flatten()).collect()
}

/// Whether a file may name plugins: most do not, and are not taken apart for it.
fn may_enable(path: &Path, inputs: &Inputs) -> bool {
    let Some(Fact::File(bytes)) = inputs.fact(path) else { return false };
    // What is no UTF-8 may be UTF-16. As text, since `memmem` asks the processor what it can: 20 µs on a virtual
    // machine.
    let names = |text: &str| ["enabledPlugins", argv::PLUGIN_DIRS, "\\u"].iter().any(|it| text.contains(it));
    std::str::from_utf8(bytes).map_or(true, names)
}

/// Where the lists of what is installed and known are.
fn folders_of_lists(launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
    let moved =
        paths::var("CLAUDE_CODE_PLUGIN_CACHE_DIR", launch, inputs).map(|folder| inputs.dirs.cwd.join(folder));
    let folders = paths::config_dirs(launch, inputs).into_iter().map(|folder| folder.join("plugins"));
    moved.into_iter().chain(folders).collect()
}
