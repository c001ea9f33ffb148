//! Files that settings name and whose text Codex sends.
//!
//! A project's settings may name `/proc/self/environ` as the instructions for the model, or a file of the project that
//! is a link to it: the key would be in the request and in the session (seen in 0.171). So a launch is refused where
//! such a file is no regular one or leads to keys, whoever names it. Of what a role names, 0.158 and 0.171 take no
//! instructions. It is looked at all the same.

use std::path::PathBuf;

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

/// The files whose texts Codex would send, each with the setting that names it.
pub fn named(launch: &Launch, home: &CodexHome, inputs: &Inputs) -> Vec<NamedText> {
    let starts = projects::starts(launch, inputs);
    let mut texts = Vec::new();
    let mut add = |table: &Table, place: &str, bases: &[PathBuf]| {
        for &key in SETTING_SENT {
            let mut add = |path: PathBuf| texts.push(NamedText { path, by: format!("{key} in {place}") });
            match table.get(key) {
                Some(Toml::String(file)) => {
                    let file = match file.strip_prefix("~/") {
                        Some(rest) => inputs.dirs.home.join(rest),
                        None => file.into(),
                    };
                    // A pipe that the user's own words name is meant to be one, as `<(…)` of a shell.
                    let is_meant = place == TYPED && file.starts_with("/dev");
                    let paths = bases.iter().filter(|_| !is_meant).map(|base| base.join(&file));
                    paths.flat_map(|path| [without_dots(&path), path]).for_each(&mut add);
                }
                Some(Toml::Array(names)) => {
                    let names = names.iter().filter_map(Toml::as_str).filter(|_| key == NAMES);
                    let more = PLACE_TEXT_ABOVE.iter().copied().filter(|_| key == MARKERS);
                    let names: Vec<_> = names.chain(more).filter(|name| !name.contains('/')).collect();
                    let folders = starts.iter().flat_map(|start| start.ancestors());
                    folders.flat_map(|folder| names.iter().map(|name| folder.join(name))).for_each(&mut add);
                }
                _ => {}
            }
        }
    };
    for file in files(launch, home, inputs) {
        let text = inputs.readable(&file).unwrap_or_default();
        if SETTING_SENT.iter().any(|key| config::may_say(text, key)) {
            let folder = file.parent().unwrap_or(&file).to_owned();
            add(&text.parse::<Table>().unwrap_or_default(), &file.display().to_string(), &[folder]);
        }
    }
    add(&argv::said(launch.words()), TYPED, &starts);
    texts
}

/// Every file of settings.
fn files(launch: &Launch, home: &CodexHome, inputs: &Inputs) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = [managed::SYSTEM, managed::MANAGED].map(PathBuf::from).into();
    files.push(home.runtime.join("config.toml"));
    if !home.isolated {
        files.push(home.real.join("config.toml"));
    }
    files.extend(projects::reads(launch, home, inputs));
    files.extend(roles::reads(home, inputs));
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files
}
