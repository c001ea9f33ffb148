//! Files that settings name and whose text Codex sends.
//!
//! A project's settings may name `/proc/self/environ` as the instructions for the model, or a file of the project that
//! is a link to it: the key would be in the request and in the session (seen in 0.171). So a launch is refused where
//! such a file is no regular one or leads to keys, whoever names it. Of what a role names, 0.158 and 0.171 take no
//! instructions. It is looked at all the same. A role that is no TOML is not sent: its start goes to stderr.

use std::path::{Path, PathBuf};

use toml::{Table, Value as Toml};

use super::home::CodexHome;
use super::{argv, config, managed, projects, roles};
use crate::inputs::without_dots;
use crate::judged::codex::{PLACE_TEXT_ABOVE, SETTING_SENT};
use crate::project_texts::NamedText;
use crate::{Inputs, Launch};

/// Names that count where a folder on the way has no `AGENTS.md`.
const NAMES: &str = "project_doc_fallback_filenames";

/// By which Codex finds the root of a project, if not by `.git`: up to it texts are taken from the folders above.
const MARKERS: &str = "project_root_markers";

/// Where a setting stands that is said on the command line.
const TYPED: &str = "your own -c";

/// What names the file of a role, in a table of `agents`.
const ROLE_FILE: &str = "config_file";

/// The files whose texts Codex would send, each with the setting that names it.
pub fn named(launch: &Launch, home: &CodexHome, inputs: &Inputs) -> Vec<NamedText> {
    let starts = projects::starts(launch, inputs);
    let mut texts = Vec::new();
    let mut add = |table: &Table, place: &str, bases: &[PathBuf]| {
        let mut add =
            |path: PathBuf, key: &str| texts.push(NamedText { path, by: format!("{key} in {place}") });
        let roles = table.get("agents").and_then(Toml::as_table).into_iter().flatten();
        let roles = roles.filter_map(|(name, role)| {
            Some((format!("agents.{name}.{ROLE_FILE}"), role.get(ROLE_FILE)?.as_str()?))
        });
        let single =
            SETTING_SENT.iter().filter_map(|key| Some(((*key).to_owned(), table.get(*key)?.as_str()?)));
        for (key, file) in single.chain(roles) {
            for base in bases {
                let path = named_path(base, file, inputs);
                // In the home of the launch, which its own settings may name, agent-run keeps no key.
                let paths = [without_dots(&path), path];
                let paths = paths.into_iter().filter(|path| *base != home.runtime || !path.starts_with(base));
                paths.for_each(|path| add(path, &key));
            }
        }
        let folders: Vec<_> = starts.iter().flat_map(|start| start.ancestors()).collect();
        let everywhere = |name: &&str| folders.iter().map(|folder| folder.join(name)).collect::<Vec<_>>();
        if let Some(Toml::Array(names)) = table.get(NAMES) {
            // Codex takes the white space away, and then no name with a `/` (0.158, 0.171).
            let names: Vec<_> = names.iter().filter_map(Toml::as_str).map(str::trim).collect();
            let names = names.iter().filter(|name| !["", ".", ".."].contains(*name) && !name.contains('/'));
            names.flat_map(everywhere).for_each(|path| add(path, NAMES));
        }
        if table.get(MARKERS).is_some_and(Toml::is_array) {
            PLACE_TEXT_ABOVE.iter().flat_map(everywhere).for_each(|path| add(path, MARKERS));
        }
    };
    for file in files(launch, home, inputs) {
        let text = inputs.readable(&file).unwrap_or_default();
        if SETTING_SENT.iter().chain(&[ROLE_FILE]).any(|key| config::may_say(text, key)) {
            let folder = file.parent().unwrap_or(&file).to_owned();
            // Codex reads a copy of the user's own.
            let copy = (folder == home.real).then(|| home.runtime.clone());
            let bases: Vec<_> = std::iter::once(folder).chain(copy).collect();
            add(&text.parse::<Table>().unwrap_or_default(), &file.display().to_string(), &bases);
        }
    }
    add(&argv::said(launch.words()), TYPED, &starts);
    let by = format!("the roles in {}", home.real.join("agents").display());
    let own = roles::reads(home, inputs).into_iter().filter(|path| roles::is_toml(path));
    texts.extend(own.map(|path| NamedText { path, by: by.clone() }));
    texts
}

/// What a path names that a setting in the folder `base` gives (0.158, 0.171).
pub fn named_path(base: &Path, path: &str, inputs: &Inputs) -> PathBuf {
    match path.strip_prefix('~') {
        Some("") => inputs.dirs.home.clone(),
        Some(rest) if rest.starts_with('/') => inputs.dirs.home.join(rest.trim_start_matches('/')),
        _ => base.join(path),
    }
}

/// Every file of settings.
fn files(launch: &Launch, home: &CodexHome, inputs: &Inputs) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = [managed::SYSTEM, managed::MANAGED].map(PathBuf::from).into();
    files.extend([home.settings()].into_iter().chain(home.own_settings()));
    files.extend(projects::reads(launch, home, inputs));
    files.extend(roles::reads(home, inputs));
    files.retain(|file| roles::is_toml(file));
    files
}
