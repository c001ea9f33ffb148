//! Settings on this machine that conflict with a launch, and what the plan does about it: for `doctor` and `why`.
//!
//! The variables are those the plan itself changes; the settings are those the agent's adapter knows of. No
//! value is shown, but for the host of a URL.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use serde::Serialize;
use shims::inputs::matches;
use shims::proxy::{PROXY_VARIABLES, host};
use shims::{Agent, Fact, Inputs, Launch, Plan};

use super::snapshot;

/// Settings in one place that a plan deals with in one way.
#[derive(Debug, Eq, PartialEq, Serialize)]
pub struct Overruled {
    /// The file, or the environment.
    pub place: String,
    /// The settings.
    pub names: Vec<String>,
    /// What keeps them from deciding.
    pub answer: String,
    /// What becomes of them, if they are variables.
    #[serde(skip)]
    change: Option<VariableChange>,
}

/// What a plan does about a variable.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum VariableChange {
    RemovesForeignKey,
    Removes,
    Replaces,
}

impl VariableChange {
    fn answer(self) -> &'static str {
        match self {
            Self::RemovesForeignKey => "another provider's key, removed from the agent's environment",
            Self::Removes => "removed from the agent's environment",
            Self::Replaces => "replaced in the agent's environment",
        }
    }
}

impl Overruled {
    /// The whole as one sentence.
    pub fn sentence(&self) -> String {
        let names = self.names.join(", ");
        let is = if self.names.len() == 1 { "is" } else { "are" };
        match self.change {
            Some(VariableChange::RemovesForeignKey) => {
                format!("{names} (another provider's key) {is} removed from the agent's environment")
            }
            Some(_) => format!("{names} {is} {}", self.answer),
            None => format!("{}: {names}: {}", self.place, self.answer),
        }
    }
}

/// Reads the files that only the adapter's [`Agent::conflicts`] look into.
pub fn read_files(agent: &dyn Agent, inputs: &mut Inputs) {
    // A folder's files are known once it was read.
    while snapshot::read_new(&agent.conflict_files(inputs), inputs) {}
}

/// Everything that `plan` overrules.
pub fn of(agent: &dyn Agent, launch: &Launch, inputs: &Inputs, plan: &Plan) -> Vec<Overruled> {
    let mut found: BTreeMap<(String, &str, Option<VariableChange>), Vec<String>> = BTreeMap::new();
    for (name, planned) in &plan.env {
        let (Some(name), Some(theirs)) = (name.to_str(), inputs.env.get(name)) else { continue };
        let is_family = agent.info().managed_env_vars.iter().any(|pattern| matches(pattern, name));
        let change = match planned {
            _ if theirs.is_empty() => continue,
            None if launch.foreign_keys.contains(name) => VariableChange::RemovesForeignKey,
            None if is_family || PROXY_VARIABLES.contains(&name) => VariableChange::Removes,
            Some(ours) if is_family && ours.plain().as_deref() != Some(theirs) => VariableChange::Replaces,
            _ => continue,
        };
        let place = "the environment".to_owned();
        found.entry((place, change.answer(), Some(change))).or_default().push(with_host(name, theirs));
    }
    for conflict in agent.conflicts(launch, inputs, plan) {
        let place = conflict.path.display().to_string();
        found.entry((place, conflict.answer, None)).or_default().push(conflict.key);
    }
    let overruled = |((place, answer, change), names): ((_, &str, _), _)| Overruled {
        place,
        names,
        answer: answer.to_owned(),
        change,
    };
    found.into_iter().map(overruled).collect()
}

fn with_host(name: &str, value: &OsStr) -> String {
    match value.to_str().filter(|value| name.ends_with("_URL") && value.contains("://")) {
        Some(url) => format!("{name} (to {})", host(url)),
        None => name.to_owned(),
    }
}

/// The administrator's files among what was read.
pub fn policies(inputs: &Inputs) -> impl Iterator<Item = &Path> {
    let administrators = |path: &Path| ["/etc", "/Library"].iter().any(|root| path.starts_with(root));
    let is_file = |fact: &Fact| matches!(fact, Fact::File(_) | Fact::Unreadable(_));
    inputs
        .facts
        .iter()
        .filter(move |(path, fact)| administrators(path) && is_file(fact))
        .map(|(path, _)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_outside_of_the_users_reach_are_policies() {
        let mut inputs = Inputs::default();
        for (path, fact) in [
            ("/etc/claude-code/managed-settings.json", Fact::File("{}".into())),
            ("/etc/codex/managed_config.toml", Fact::Absent),
            ("/home/u/etc/settings.json", Fact::File("{}".into())),
        ] {
            inputs.facts.insert(path.into(), fact);
        }
        let found: Vec<_> = policies(&inputs).map(|path| path.display().to_string()).collect();
        assert_eq!(found, ["/etc/claude-code/managed-settings.json"]);
    }

    #[test]
    fn of_a_url_only_the_host_is_said() {
        let shown = |name, value: &str| with_host(name, value.as_ref());
        assert_eq!(shown("X_BASE_URL", "https://u:pw@h.example/p?key=k"), "X_BASE_URL (to h.example)");
        assert_eq!(shown("X_BASE_URL", "sk-misplaced"), "X_BASE_URL");
        assert_eq!(shown("X_KEY", "https://h.example"), "X_KEY");
    }
}
