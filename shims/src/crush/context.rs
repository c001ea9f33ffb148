//! Files that settings have Crush put into the prompt: `context_paths` and `global_context_paths`, of which Crush joins
//! the lists of all its settings, so that a launch cannot take one away.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::Value as Json;

use super::expansion::{PREFIX, any_text, is_name, is_of_name, may_run};
use super::homes::CrushHomes;
use super::project_files::ProjectFiles;
use super::{JsonObject, case_fold};
use crate::project_texts::NamedText;
use crate::{Inputs, Launch, Message};

const LISTS: [&str; 2] = ["context_paths", "global_context_paths"];

/// The lists, each with its name.
fn lists(settings: &JsonObject) -> impl Iterator<Item = (&String, &Json)> {
    let options = settings.iter().filter(|(key, _)| case_fold::is(key, "options"));
    let members = options.filter_map(|(_, options)| options.as_object()).flatten();
    members.filter(|(key, _)| LISTS.iter().any(|list| case_fold::is(key, list)))
}

/// Refuses files that a project would put into the prompt and that may hold the environment.
///
/// # Errors
/// When there is one.
pub fn check(settings: &[(PathBuf, JsonObject)], variables: &BTreeSet<String>, home: &Path) -> Result<()> {
    for (file, settings) in settings {
        for (key, list) in lists(settings) {
            if any_text(list, None, &|path| may_hold_environment(path, variables, home)) {
                bail!(Message::new(
                    format!(
                        "options.{key} in {} may put the provider's key into the prompt: it names files of processes, \
                         such as /proc/self/environ, or a path that may lead there",
                        file.display()
                    ),
                    "name files of the project there, without `..` within a path and without `$`",
                ));
            }
        }
    }
    Ok(())
}

/// The files and folders of all lists, the user's own among them: a project may have a link where such a path leads.
pub fn named(launch: &Launch, inputs: &Inputs) -> Vec<NamedText> {
    let homes = CrushHomes::of(launch, inputs);
    let Ok(files) = ProjectFiles::read(&homes.start, &homes.project, launch, inputs) else {
        return Vec::new();
    };
    // What is wrong with either is said by the plan.
    let own = homes.theirs.carried(inputs).unwrap_or_default();
    let own = (homes.theirs.settings(), own);
    let variables = own.1.get("env").and_then(Json::as_object);
    let mut texts = Vec::new();
    for (file, settings) in files.settings.iter().chain([&own]) {
        for (key, list) in lists(settings) {
            let paths = list.as_array().into_iter().flatten().filter_map(Json::as_str);
            for path in paths.filter(|path| !may_hold_environment(path, &files.variables, &inputs.dirs.home))
            {
                let path = homes.start.join(expanded(path, variables, inputs));
                texts.push(NamedText { path, by: format!("options.{key} in {}", file.display()) });
            }
        }
    }
    texts
}

/// A path as Crush reads it, of those that [`may_hold_environment`] allows: with a variable at its beginning or none.
fn expanded(path: &str, variables: Option<&JsonObject>, inputs: &Inputs) -> PathBuf {
    if let Some(rest) = path.strip_prefix('~') {
        return format!("{}{rest}", inputs.dirs.home.display()).into();
    }
    let Some(behind) = path.strip_prefix('$') else { return path.into() };
    let (name, rest) = split(behind);
    let own = variables.and_then(|own| own.get(name)).and_then(Json::as_str);
    let inherited = || inputs.var(name).map(|value| value.to_string_lossy().into_owned());
    format!("{}{rest}", own.map(str::to_owned).or_else(inherited).unwrap_or_default()).into()
}

/// The name of a variable behind its `$`, and what follows.
fn split(behind: &str) -> (&str, &str) {
    match behind.strip_prefix('{') {
        Some(braced) => braced.split_once('}').unwrap_or_default(),
        None => behind.split_at(behind.find(|c| !is_of_name(c)).unwrap_or(behind.len())),
    }
}

/// Whether a launch sets it, to a folder of its own, say.
fn is_launchs(variable: &str) -> bool {
    [PREFIX, "CRUSH_"].iter().any(|start| variable.starts_with(start))
}

/// Whether a path may lead to files of processes. Crush puts the home for `~`, expands the whole text if it begins with
/// `$`, and reads all files of a folder (0.90.1).
fn may_hold_environment(path: &str, variables: &BTreeSet<String>, home: &Path) -> bool {
    let mut rest = path.strip_prefix('~').unwrap_or(path);
    if let Some(behind) = path.strip_prefix('$') {
        let (name, behind) = split(behind);
        let is_left_out = |c: char| c.is_control() || c == '$' || c == '\\';
        if may_run(path)
            || !is_name(name)
            || is_launchs(name)
            || variables.contains(name)
            || behind.contains(is_left_out)
        {
            return true;
        }
        rest = behind;
    }
    let parts: Vec<_> = rest.split('/').filter(|part| !["", "."].contains(part)).collect();
    let above = parts.iter().take_while(|part| **part == "..").count();
    let within = &parts[above..];
    // Behind a link, `..` leads elsewhere.
    let is_unclear = within.contains(&"..");
    let is_special = |part: &&str| ["proc", "dev"].contains(part);
    let is_outside = if above > 0 || path.starts_with('$') {
        above > 0 && within.is_empty() || within.iter().any(is_special)
    } else if path.starts_with(['/', '~']) {
        // All of it is known, up to links.
        let home = if path.starts_with('~') { home.to_string_lossy() } else { "".into() };
        let whole = format!("{home}{rest}");
        whole.split('/').find(|part| !["", "."].contains(part)).is_none_or(|part| is_special(&part))
    } else {
        false
    };
    is_unclear || is_outside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_may_lead_to_the_environment_is_no_context() {
        let variables = ["EVIL".to_owned()].into();
        let is_refused = |path: &str| may_hold_environment(path, &variables, Path::new("/home/dev"));
        for path in [
            "/proc/self/environ",
            "$(id)",
            "//proc/./self/environ",
            "../../proc/self/environ",
            "./../../proc/1",
            "/dev/fd/../environ",
            "/dev/stdin",
            "/var/run/../proc/self/environ",
            "docs/../../proc/self/environ",
            "~/../../proc/self/environ",
            "~/x/../../../proc",
            "$HOME/../../proc/self/environ",
            "${HOME}/../../proc/self/environ",
            "$HOME/../../pr\0oc/self/environ",
            "$HOME/../../pr\\\noc/self/environ",
            "${A:-/pr}oc/self/environ",
            "$A$EVIL",
            "$EVIL/self/environ",
            "/",
            "/..",
            "../..",
            "$HOME/..",
            r"$HOME/.con\\fig",
            "$CRUSH_GLOBAL_DATA/x",
        ] {
            assert!(is_refused(path), "{path:?}");
        }
        for path in [
            "docs/rules.md",
            "proc/self/environ",
            "./dev/x.md",
            "../shared/rules.md",
            "/etc/rules.md",
            "~/notes.md",
            "~",
            "$HOME/notes.md",
            "${XDG_CONFIG_HOME}/x",
            "process.md",
            "~/dev/RULES.md",
            "/home/dev/p/RULES.md",
            "/srv/dev/proc/RULES.md",
        ] {
            assert!(!is_refused(path), "{path:?}");
        }
        for path in ["~", "~/proc/self/environ", "~proc/self/environ"] {
            assert!(may_hold_environment(path, &variables, Path::new("/")), "{path:?}");
        }
    }
}
