//! The installed plugins that settings turn on, and the hooks that they bring.
//!
//! Claude Code keeps a list of what is installed where. A plugin's hooks are in `hooks/hooks.json`, in its manifest,
//! or in files that the manifest names (2.1.197 and 2.1.332).

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use super::paths::{self, SettingsKind};
use super::source::{self, FileContent, SettingsSource, texts};
use super::{argv, own_settings};
use crate::inputs::without_dots;
use crate::judged::claude::PLACE_READ_OF_PLUGINS;
use crate::{Fact, Inputs, Launch};

const MANIFEST: &str = ".claude-plugin/plugin.json";

/// What has to be read of those that these settings turn on. Asked again with what was read.
pub fn files<'a>(
    settings: impl Iterator<Item = &'a Map<String, Json>>,
    launch: &Launch,
    inputs: &Inputs,
) -> Vec<PathBuf> {
    let mut files: Vec<_> = argv::plugin_folders(launch, inputs)
        .iter()
        .flat_map(|folder| hook_files(folder, inputs).into_iter().chain(server_files(folder)))
        .collect();
    let enabled = enabled(settings);
    if enabled.is_empty() {
        return files;
    }
    files.extend(lists(launch, inputs));
    for folder in installed(&enabled, launch, inputs) {
        files.extend(hook_files(&folder, inputs));
        files.extend(server_files(&folder));
    }
    files
}

/// The folders of these plugins and of those that `--plugin-dir` loads.
pub fn folders<'a>(
    settings: impl Iterator<Item = &'a Map<String, Json>>,
    launch: &Launch,
    inputs: &Inputs,
) -> Vec<PathBuf> {
    let mut folders = argv::plugin_folders(launch, inputs);
    folders.extend(installed(&enabled(settings), launch, inputs));
    folders
}

/// Where a plugin's MCP servers stand.
pub fn server_files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    PLACE_READ_OF_PLUGINS.iter().map(|name| folder.join(name))
}

/// The hooks of these plugins.
pub fn hooks(folders: &[PathBuf], inputs: &Inputs) -> Vec<SettingsSource> {
    let mut sources = Vec::new();
    for folder in folders {
        for path in hook_files(folder, inputs) {
            if let FileContent::Object(settings) = source::object(&path, inputs) {
                sources.push(SettingsSource { path, kind: SettingsKind::Project, settings });
            }
        }
        let said = match manifest(folder, inputs).remove("hooks") {
            // Some by their file, some as they are.
            Some(Json::Array(several)) => several,
            one => one.into_iter().collect(),
        };
        for hooks in said {
            let Json::Object(hooks) = hooks else { continue };
            // With the events in it, or around another `hooks`.
            let settings = match hooks {
                around if around.get("hooks").is_some_and(Json::is_object) => around,
                events => Map::from_iter([("hooks".to_owned(), events.into())]),
            };
            sources.push(SettingsSource {
                path: folder.join(MANIFEST),
                kind: SettingsKind::Project,
                settings,
            });
        }
    }
    sources
}

fn hook_files(folder: &Path, inputs: &Inputs) -> Vec<PathBuf> {
    let mut files = vec![folder.join("hooks/hooks.json")];
    let manifest = manifest(folder, inputs);
    let named =
        manifest.get("hooks").into_iter().flat_map(|hooks| hooks.as_str().into_iter().chain(texts(hooks)));
    for path in named.map(|path| without_dots(&folder.join(path))) {
        if path.starts_with(folder) && !files.contains(&path) {
            files.push(path);
        }
    }
    files
}

fn manifest(folder: &Path, inputs: &Inputs) -> Map<String, Json> {
    match source::object(&folder.join(MANIFEST), inputs) {
        FileContent::Object(manifest) => manifest,
        _ => Map::new(),
    }
}

/// What the files say of those that may turn plugins on, and the user's own `--settings`.
pub fn enabling(files: &[PathBuf], launch: &Launch, inputs: &Inputs) -> Vec<Map<String, Json>> {
    let files = files.iter().filter(|path| may_enable(path, inputs));
    let read = files.filter_map(|path| match source::settings(path, inputs) {
        FileContent::Object(settings) => Some(settings),
        _ => None,
    });
    read.chain(own_settings::read(launch, inputs).ok().flatten().map(|own| own.settings)).collect()
}

/// The names of the plugins that settings turn on.
fn enabled<'a>(settings: impl Iterator<Item = &'a Map<String, Json>>) -> Vec<&'a str> {
    let plugins = settings.filter_map(|settings| settings.get("enabledPlugins")?.as_object()).flatten();
    plugins.filter(|(_, is_on)| **is_on != false).map(|(name, _)| name.as_str()).collect()
}

/// Whether a file may hold the key: most do not, and are not taken apart for it.
fn may_enable(path: &Path, inputs: &Inputs) -> bool {
    let Some(Fact::File(bytes)) = inputs.fact(path) else { return false };
    // What is no UTF-8 may be UTF-16. As text, since `memmem` asks the processor what it can: 20 µs on a virtual
    // machine.
    std::str::from_utf8(bytes).map_or(true, |text| text.contains("enabledPlugins") || text.contains("\\u"))
}

/// The lists of what is installed.
fn lists(launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
    let moved =
        paths::var("CLAUDE_CODE_PLUGIN_CACHE_DIR", launch, inputs).map(|folder| inputs.dirs.cwd.join(folder));
    let folders = paths::config_dirs(launch, inputs).into_iter().map(|folder| folder.join("plugins"));
    moved.into_iter().chain(folders).map(|folder| folder.join("installed_plugins.json")).collect()
}

/// The folders of those that are installed, for every project.
fn installed(enabled: &[&str], launch: &Launch, inputs: &Inputs) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    if enabled.is_empty() {
        return folders;
    }
    for path in lists(launch, inputs) {
        let FileContent::Object(mut list) = source::object(&path, inputs) else { continue };
        let Some(Json::Object(plugins)) = list.remove("plugins") else { continue };
        for (_, copies) in plugins.into_iter().filter(|(name, _)| enabled.contains(&name.as_str())) {
            let copies = match copies {
                Json::Array(copies) => copies,
                one => vec![one],
            };
            let paths = copies.iter().filter_map(|copy| copy.get("installPath")?.as_str());
            for folder in paths.map(PathBuf::from).filter(|folder| folder.is_absolute()) {
                if !folders.contains(&folder) {
                    folders.push(folder);
                }
            }
        }
    }
    folders
}
