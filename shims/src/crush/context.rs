//! Files that settings have Crush put into the prompt: `context_paths` and `global_context_paths`, of which Crush joins
//! the lists of all its settings, so that a launch cannot take one away.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};
use serde_json::Value as Json;

use super::expansion::{any_text, inserted, is_name, may_run, split};
use super::homes::CrushHomes;
use super::project_files::ProjectFiles;
use super::{JsonObject, case_fold};
use crate::inputs::without_dots;
use crate::project_texts::NamedText;
use crate::{Inputs, Launch, Message};

const LISTS: [&str; 2] = ["context_paths", "global_context_paths"];

/// The lists, each with its name.
fn lists(settings: &JsonObject) -> impl Iterator<Item = (&String, &Json)> {
    let options = settings.iter().filter(|(key, _)| case_fold::is(key, "options"));
    let members = options.filter_map(|(_, options)| options.as_object()).flatten();
    members.filter(|(key, _)| LISTS.iter().any(|list| case_fold::is(key, list)))
}

/// The files and folders of all lists, the user's own among them: a project may have a link where such a path leads.
pub fn named(launch: &Launch, inputs: &Inputs) -> Vec<NamedText> {
    let homes = CrushHomes::of(launch, inputs);
    let files = ProjectFiles::read(&homes.start, &homes.project, launch, inputs);
    let (Ok(files), Ok(own)) = (files, homes.theirs.carried(inputs)) else { return Vec::new() };
    // What is wrong with any of these is said by the plan.
    texts(&homes, &files, &own, inputs, &|_| false).unwrap_or_default()
}

/// The same, where what a launch `changes` in the environment is known.
///
/// # Errors
/// When one may hold the environment, or it is not known where it leads.
pub fn texts(
    homes: &CrushHomes<'_>,
    files: &ProjectFiles,
    own: &JsonObject,
    inputs: &Inputs,
    changes: &dyn Fn(&str) -> bool,
) -> Result<Vec<NamedText>> {
    let values = KnownValues::of(&files.variables, own, inputs, changes);
    let theirs = homes.theirs.settings();
    let mut texts = Vec::new();
    let projects = files.settings.iter().map(|(file, settings)| (file, settings, true));
    for (file, settings, is_projects) in projects.chain([(&theirs, own, false)]) {
        for (key, list) in lists(settings) {
            let by = format!("options.{key} in {}", file.display());
            if any_text(list, None, &|path| values.expanded(path).is_none()) {
                return Err(anyhow!(Message::new(
                    format!(
                        "{by} may put the provider's key into the prompt: nobody knows where a path leads before Crush expands it"
                    ),
                    "name the file by its path, or with one `$NAME` of your own environment",
                )));
            }
            let is_refused = |path: &str| {
                values.expanded(path).is_some_and(|expanded| may_hold_environment(path, &expanded))
            };
            if is_projects && any_text(list, None, &is_refused) {
                return Err(anyhow!(Message::new(
                    format!(
                        "{by} may put the provider's key into the prompt: it names files of processes, such as \
                         /proc/self/environ, or a path that may lead there"
                    ),
                    "name files there by their paths, without `..` within a path and without `$`",
                )));
            }
            let paths = list.as_array().into_iter().flatten().filter_map(Json::as_str);
            for path in paths.filter_map(|path| values.expanded(path)) {
                // Crush joins a relative path to the name that the shell has for the folder, if that is one.
                for start in homes.project.starts(&homes.start) {
                    let whole = start.join(&path);
                    let path = if path.starts_with('/') { whole } else { without_dots(&whole) };
                    texts.push(NamedText { path, by: by.clone() });
                }
            }
        }
    }
    Ok(texts)
}

/// The variables as Crush has them when it expands a path.
struct KnownValues<'a> {
    inputs: &'a Inputs,
    /// Those of `env` in the user's own settings, as far as they are known.
    own: BTreeMap<&'a str, Option<String>>,
    /// What a project sets, and what a launch does, is not known.
    project: &'a BTreeSet<String>,
    changes: &'a dyn Fn(&str) -> bool,
}

impl<'a> KnownValues<'a> {
    fn of(
        project: &'a BTreeSet<String>,
        own: &'a JsonObject,
        inputs: &'a Inputs,
        changes: &'a dyn Fn(&str) -> bool,
    ) -> Self {
        let mut values = Self { inputs, own: BTreeMap::new(), project, changes };
        let env = own.get("env").and_then(Json::as_object).into_iter().flatten();
        // Crush sets them in this order, each with those before it (0.90.1).
        for (name, value) in env.map(|(name, value)| (name.as_str(), value)).collect::<BTreeMap<_, _>>() {
            let value = value.as_str().and_then(|text| inserted(text, |name| values.value(name)));
            values.own.insert(name, value);
        }
        values
    }

    fn value(&self, name: &str) -> Option<String> {
        if self.project.contains(name) || (self.changes)(name) {
            return None;
        }
        let inherited = || Some(self.inputs.var(name).unwrap_or_default().to_str()?.to_owned());
        self.own.get(name).cloned().unwrap_or_else(inherited)
    }

    /// A path as Crush reads it (0.90.1): with the home for `~`, and expanded if it begins with `$`.
    fn expanded(&self, path: &str) -> Option<String> {
        match path.strip_prefix('~') {
            Some(rest) => Some(format!("{}{rest}", self.inputs.dirs.home.to_str()?)),
            None if path.starts_with('$') => inserted(path, |name| self.value(name)),
            None => Some(path.to_owned()),
        }
    }
}

/// Whether a path of a project, which is `expanded` then, may lead to files of processes. Crush reads all files of a
/// folder (0.90.1).
fn may_hold_environment(path: &str, expanded: &str) -> bool {
    let mut rest = path.strip_prefix('~').unwrap_or(path);
    if let Some(behind) = path.strip_prefix('$') {
        let (name, behind) = split(behind);
        if may_run(path) || !is_name(name) || behind.contains('$') {
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
    let is_outside = (above > 0 || path.starts_with('$'))
        && (above > 0 && within.is_empty() || within.iter().any(is_special));
    let mut whole = expanded.split('/').filter(|part| !["", "."].contains(part));
    let is_system = expanded.starts_with('/') && whole.next().is_none_or(|part| is_special(&part));
    is_unclear || is_outside || is_system
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_may_lead_to_the_environment_is_no_context() {
        let machine = |home: &str| {
            let mut inputs = Inputs::default();
            inputs.dirs.home = home.into();
            inputs.env = [("HOME", home), ("P", "/proc")].map(|(a, b)| (a.into(), b.into())).into();
            inputs
        };
        let inputs = machine("/home/dev");
        let own = serde_json::json!({"env": {"A": "$B/x", "B": "$HOME/../dev/./b", "D": "${NOPE:-/proc}", "E": "$P",
            "F": "$EVIL", "G": "$OURS", "I": "$I/$B$A", "Q": "\\$HOME"}});
        let project = ["EVIL".to_owned()].into();
        let changes = |name: &str| name == "OURS" || name == "CRUSH_GLOBAL_DATA";
        let own = own.as_object().expect("an object");
        let values_of = |inputs| KnownValues::of(&project, own, inputs, &changes);
        let values = values_of(&inputs);
        let is_refused =
            |path: &str| values.expanded(path).is_none_or(|expanded| may_hold_environment(path, &expanded));
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
            "$P/self",
            "$D/self",
            "$E/self",
            "$F",
            "$G",
            "$Q/x",
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
            "$NOPE",
            "~/dev/RULES.md",
            "/home/dev/p/RULES.md",
            "/srv/dev/proc/RULES.md",
        ] {
            assert!(!is_refused(path), "{path:?}");
        }
        let inputs = machine("/");
        for path in ["~", "~/proc/self/environ", "~proc/self/environ", "$HOME"] {
            let expanded = values_of(&inputs).expanded(path).expect("known");
            assert!(may_hold_environment(path, &expanded), "{path:?}");
        }
        // As Crush does, in the order of the names.
        assert_eq!(values.expanded("$A").as_deref(), Some("/x"));
        assert_eq!(values.expanded("$B/${A}").as_deref(), Some("/home/dev/../dev/./b//x"));
        assert_eq!(values.expanded("$I").as_deref(), Some("//home/dev/../dev/./b/x"));
    }
}
