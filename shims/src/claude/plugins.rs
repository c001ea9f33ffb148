//! Plugins, and the hooks that they bring: those that the user's words, the environment and settings name, those that
//! settings turn on and that are installed or in a local marketplace, and a project's skills that are plugins.
//!
//! Claude Code keeps a list of what is installed where. A plugin's hooks are in `hooks/hooks.json`, in its manifest,
//! or in files that the manifest names (2.1.197 and 2.1.332).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use super::paths::{self, SettingsKind};
use super::source::{self, FileContent, SettingsSource, texts};
use super::{argv, front_matter, own_settings};
use crate::inputs::without_dots;
use crate::judged::claude::PLACE_READ_OF_PLUGINS;
use crate::{EntryKind, Fact, Inputs, Launch};

const MANIFEST: &str = ".claude-plugin/plugin.json";

const INSTALLED: &str = "installed_plugins.json";
const KNOWN: &str = "known_marketplaces.json";

/// How many plugins of one folder are looked into.
const MOST_PLUGINS: usize = 100;

/// Where a plugin comes from that settings turn on and nobody installs: Claude Code itself, an argument, a folder.
const NOT_INSTALLED: [&str; 4] = ["@builtin", "@inline", "@skills-dir", "@synced"];

/// The settings that were read, for what they say of plugins.
pub struct Plugins<'a> {
    pub settings: Vec<&'a Map<String, Json>>,
    /// The `.claude` folders of the project.
    pub roots: &'a [PathBuf],
    pub launch: &'a Launch,
    pub inputs: &'a Inputs,
}

/// A plugin that settings turn on.
struct Enabled<'a> {
    name: &'a str,
    folder: PathBuf,
    /// The list that it was found by, where nothing is installed.
    marketplace: Option<PathBuf>,
}

impl Plugins<'_> {
    /// What has to be read of them. Asked again with what was read.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = self.named();
        // What is no plugin has no manifest, and nothing else of it is read.
        files.extend(front_matter::skill_folders(self.roots, self.inputs).map(|skill| skill.join(MANIFEST)));
        let names = enabled(&self.settings);
        if !names.is_empty() {
            let lists = || folders_of_lists(self.launch, self.inputs).into_iter();
            files.extend(lists().flat_map(|folder| [folder.join(INSTALLED), folder.join(KNOWN)]));
        }
        let found = self.find(&names);
        files.extend(found.into_iter().filter_map(|plugin| plugin.marketplace));
        let (folders, searched) = self.folders();
        files.extend(folders.iter().flat_map(|folder| hook_files(folder, self.inputs)));
        files.extend(folders.iter().flat_map(|folder| server_files(folder, self.inputs)));
        files.extend(front_matter::files_below(&folders[..searched], self.inputs));
        files
    }

    /// Their folders, and how many of them are searched for skills, commands and agents: not those that the user
    /// installed, since a hundred documents there would take longer than the rest of a launch.
    pub fn folders(&self) -> (Vec<PathBuf>, usize) {
        let (inputs, mut folders) = (self.inputs, self.named());
        // One may hold several plugins (2.1.332).
        for folder in folders.clone() {
            let below = inputs.entries(&folder).iter().filter(|entry| entry.kind != EntryKind::File);
            folders.extend(below.take(MOST_PLUGINS).map(|entry| folder.join(&entry.name)));
        }
        let skills = front_matter::skill_folders(self.roots, inputs);
        let manifest = |folder: &PathBuf| inputs.fact(&folder.join(MANIFEST));
        folders.extend(skills.filter(|skill| manifest(skill).is_some_and(|fact| *fact != Fact::Absent)));
        let found = self.find(&enabled(&self.settings)).into_iter();
        let (local, installed): (Vec<_>, Vec<_>) = found.partition(|plugin| plugin.marketplace.is_some());
        folders.extend(local.into_iter().map(|plugin| plugin.folder));
        let searched = folders.len();
        folders.extend(installed.into_iter().map(|plugin| plugin.folder));
        (folders, searched)
    }

    /// What the words, the environment and the `env` of settings name.
    fn named(&self) -> Vec<PathBuf> {
        let mut named = argv::plugin_folders(self.launch, self.inputs);
        let lists = self.settings.iter().filter_map(|settings| settings.get("env")?.get(argv::PLUGIN_DIRS));
        named.extend(lists.filter_map(Json::as_str).flat_map(|list| argv::listed_folders(list, self.inputs)));
        named
    }

    /// Where the plugins of these names are: as they are installed, and in a marketplace that settings name by its
    /// folder, else in one that Claude Code knows.
    fn find<'n>(&self, names: &[&'n str]) -> Vec<Enabled<'n>> {
        let mut found: Vec<Enabled<'n>> = Vec::new();
        if names.is_empty() {
            return found;
        }
        let lists = folders_of_lists(self.launch, self.inputs);
        let read = |name| lists.iter().filter_map(move |folder| self.object(&folder.join(name)));
        let (installed, known): (Vec<_>, Vec<_>) = (read(INSTALLED).collect(), read(KNOWN).collect());
        let named = || self.settings.iter().filter_map(|it| it.get("extraKnownMarketplaces")?.as_object());
        for &name in names {
            let copies = installed.iter().filter_map(|list| list.get("plugins")?.get(name));
            let copies =
                copies.flat_map(|one| one.as_array().map_or(std::slice::from_ref(one), Vec::as_slice));
            let paths = copies.filter_map(|copy| copy.get("installPath")?.as_str()).map(PathBuf::from);
            let paths: Vec<_> = paths.filter(|folder| folder.is_absolute()).collect();
            let known = known.iter().filter(|_| paths.is_empty());
            let (plugin, marketplace) = name.rsplit_once('@').unwrap_or((name, ""));
            let marketplaces = named().chain(known).filter_map(|list| list.get(marketplace));
            let listed = marketplaces.filter_map(|marketplace| self.listed(plugin, marketplace));
            found.extend(listed.map(|(folder, file)| Enabled { name, folder, marketplace: Some(file) }));
            found.extend(paths.into_iter().map(|folder| Enabled { name, folder, marketplace: None }));
        }
        found
    }

    /// The folder of a plugin in a local marketplace, and the file that says so. The folder is the marketplace's own
    /// as long as nobody looked for that file.
    fn listed(&self, plugin: &str, marketplace: &Json) -> Option<(PathBuf, PathBuf)> {
        let path = marketplace.get("installLocation").or_else(|| marketplace.get("source")?.get("path"))?;
        let path = self.inputs.dirs.cwd.join(path.as_str()?);
        let is_file = path.extension().is_some_and(|extension| extension == "json");
        let (folder, file) = if is_file {
            let folder = path.parent()?;
            let is_inner = folder.file_name().is_some_and(|name| name == ".claude-plugin");
            (if is_inner { folder.parent()? } else { folder }.to_owned(), path)
        } else {
            (path.clone(), path.join(".claude-plugin/marketplace.json"))
        };
        let Some(list) = self.object(&file) else {
            return self.inputs.fact(&file).is_none().then_some((folder, file));
        };
        let root = list.get("metadata").and_then(|metadata| metadata.get("pluginRoot")?.as_str());
        let entry = list.get("plugins")?.as_array()?.iter().find(|entry| entry["name"] == plugin)?;
        let source = entry.get("source")?.as_str()?;
        Some((without_dots(&folder.join(root.unwrap_or_default()).join(source)), file))
    }

    fn object(&self, path: &Path) -> Option<Map<String, Json>> {
        match source::object(path, self.inputs) {
            FileContent::Object(object) => Some(object),
            _ => None,
        }
    }

    /// What they say of hooks: whole files, since what is no hook in them chooses no model.
    pub fn hooks(&self) -> Vec<SettingsSource> {
        let mut files: BTreeSet<_> =
            self.folders().0.iter().flat_map(|it| said_by(it, self.inputs)).collect();
        let found = self.find(&enabled(&self.settings));
        files.extend(found.into_iter().filter_map(|plugin| plugin.marketplace));
        let read = files.into_iter().filter_map(|path| {
            let settings = Map::from_iter([("hooks".to_owned(), self.object(&path)?.into())]);
            Some(SettingsSource { path, kind: SettingsKind::Project, settings })
        });
        read.collect()
    }

    /// A plugin whose hooks were not read, and why. What the user's own settings turn on and is not installed is not
    /// loaded.
    pub fn unread(&self, sources: &[SettingsSource]) -> Option<(PathBuf, String)> {
        let inputs = self.inputs;
        let is_folder = |path: &PathBuf| matches!(inputs.fact(path), Some(Fact::Dir(_) | Fact::Absent));
        if let Some(path) = self.named().into_iter().find(|path| !is_folder(path)) {
            return Some((path, "is no folder that can be read".to_owned()));
        }
        let is_closed =
            |path: &PathBuf| matches!(inputs.fact(path), Some(Fact::Stream | Fact::Unreadable(_)));
        if let Some(path) = self.folders().0.iter().flat_map(|it| said_by(it, inputs)).find(is_closed) {
            return Some((path, front_matter::CLOSED.to_owned()));
        }
        sources.iter().filter(|source| !source.is_users()).find_map(|source| {
            let names = enabled(&[&source.settings]);
            let found = self.find(&names);
            let is_found = |name: &str| found.iter().any(|plugin| plugin.name == name);
            let is_installed = |name: &str| !NOT_INSTALLED.iter().any(|from| name.ends_with(from));
            let name = names.into_iter().find(|name| is_installed(name) && !is_found(name))?;
            Some((
                source.path.clone(),
                format!("turns on the plugin `{name}`, which may come from elsewhere"),
            ))
        })
    }
}

/// The names of the plugins that settings turn on.
fn enabled<'a>(settings: &[&'a Map<String, Json>]) -> Vec<&'a str> {
    let plugins = settings.iter().filter_map(|settings| settings.get("enabledPlugins")?.as_object());
    let names: BTreeSet<&str> =
        plugins.flatten().filter(|(_, is_on)| **is_on != false).map(|(name, _)| name.as_str()).collect();
    names.into_iter().collect()
}

/// Where a plugin's MCP servers stand.
pub fn server_files(folder: &Path, inputs: &Inputs) -> impl Iterator<Item = PathBuf> {
    let usual = PLACE_READ_OF_PLUGINS.iter().map(|name| folder.join(name));
    usual.chain(named_in_manifest("mcpServers", folder, inputs))
}

/// Where a plugin says what hooks it brings.
fn said_by(folder: &Path, inputs: &Inputs) -> Vec<PathBuf> {
    let mut files = hook_files(folder, inputs);
    files.push(folder.join(MANIFEST));
    files
}

fn hook_files(folder: &Path, inputs: &Inputs) -> Vec<PathBuf> {
    let mut files = named_in_manifest("hooks", folder, inputs);
    files.push(folder.join("hooks/hooks.json"));
    files
}

/// The files and folders of a plugin that its manifest names.
pub fn named_in_manifest(key: &str, folder: &Path, inputs: &Inputs) -> Vec<PathBuf> {
    let FileContent::Object(manifest) = source::object(&folder.join(MANIFEST), inputs) else {
        return Vec::new();
    };
    let named =
        manifest.get(key).into_iter().flat_map(|named| named.as_str().into_iter().chain(texts(named)));
    let paths = named.map(|path| without_dots(&folder.join(path)));
    paths.filter(|path| path.starts_with(folder)).collect()
}

/// What the files say of those that may name plugins, and the user's own `--settings`.
pub fn enabling(files: &[PathBuf], launch: &Launch, inputs: &Inputs) -> Vec<Map<String, Json>> {
    let files = files.iter().filter(|path| may_enable(path, inputs));
    let read = files.filter_map(|path| match source::settings(path, inputs) {
        FileContent::Object(settings) => Some(settings),
        _ => None,
    });
    read.chain(own_settings::read(launch, inputs).ok().flatten().map(|own| own.settings)).collect()
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
