//! The user's own settings, without any that route.

use std::path::Path;

use anyhow::{Result, anyhow};
use serde_json::json;

use super::yaml::{Mapping, Node};
use crate::Inputs;
use crate::Message;
use crate::judged::hermes::{
    SETTING_REPLACED as ROUTING, SETTING_REPLACED_IN_AUXILIARY as SIDE_TASKS,
    SETTING_REPLACED_IN_DELEGATION as DELEGATION,
};
use crate::yaml::Flaw;

/// The user's settings, in a home.
pub const FILE: &str = "config.yaml";

/// What of a user's side task does not route.
const SIDE_TASK_KEYS: [&str; 4] = ["enabled", "timeout", "download_timeout", "language"];

/// Reads a settings file that must be understood.
///
/// Hermes itself would go on with its defaults, and with whatever key it finds, without the user's
/// approval rules.
pub fn read(path: &Path, inputs: &Inputs) -> Result<Mapping> {
    const HELP: &str = "fix the file; without it your own rules and settings would not hold";
    let text = inputs.text(path).map_err(|error| anyhow!(Message::new(format!("{error:#}"), HELP)))?;
    let Some(text) = text else { return Ok(Mapping::default()) };
    Mapping::parse(text).map_err(|Flaw { line, column, what }| {
        anyhow!(Message::new(format!("could not read {}:{line}:{column}: {what}", path.display()), HELP))
    })
}

/// Takes everything that routes out of settings that the launch did not write.
pub fn strip(settings: &mut Mapping) {
    settings.retain(|key| !ROUTING.contains(&key));
    if let Some(delegation) = settings.get("delegation").and_then(Node::mapping) {
        let mut delegation = delegation.clone();
        delegation.retain(|key| !DELEGATION.contains(&key));
        settings.set("delegation", delegation);
    }
}

/// The keys of `settings` that route.
pub fn routing_keys(settings: &Mapping) -> Vec<&str> {
    settings.entries().map(|(key, _)| key).filter(|key| ROUTING.contains(key)).collect()
}

/// The side tasks, all on the main route; times and languages are the user's.
pub fn side_tasks(settings: &Mapping) -> Mapping {
    let theirs = settings.get("auxiliary").and_then(Node::mapping).cloned().unwrap_or_default();
    let mut tasks = Mapping::default();
    for (name, value) in theirs.entries().filter(|(_, value)| value.mapping().is_none()) {
        tasks.set(name, value.clone());
    }
    let plugins = theirs.entries().filter(|(_, value)| value.mapping().is_some()).map(|(task, _)| task);
    for task in SIDE_TASKS.iter().copied().chain(plugins) {
        let mut settings = theirs.get(task).and_then(Node::mapping).cloned().unwrap_or_default();
        settings.retain(|key| SIDE_TASK_KEYS.contains(&key));
        settings.set("provider", json!("main"));
        tasks.set(task, settings);
    }
    tasks
}

#[cfg(test)]
mod tests {
    use super::super::tests::inputs;
    use super::*;
    use crate::Fact;

    #[test]
    fn nothing_that_routes_survives_and_the_rest_does() {
        let mut theirs = String::from(
            "approvals: {mode: off}\ndelegation: {model: x, api_key: k, reasoning_effort: false}\n",
        );
        for key in ROUTING {
            theirs.push_str(key);
            theirs.push_str(": {vision: {api_key: stale}}\n");
        }
        let mut settings = Mapping::parse(&theirs).expect("parses");
        assert_eq!(routing_keys(&settings), ROUTING);
        strip(&mut settings);
        assert_eq!(settings.lines(), "approvals: {mode: off}\ndelegation: {reasoning_effort: false}\n");
    }

    #[test]
    fn side_tasks_go_the_main_way_in_the_users_time() {
        let theirs =
            "auxiliary: {transient_retries: 1, vision: {provider: openrouter, timeout: 9}, mine: {model: x}}";
        let tasks = side_tasks(&Mapping::parse(theirs).expect("parses"));
        let lines = tasks.lines();
        assert!(lines.starts_with("\"transient_retries\": 1\n"), "{lines}");
        assert!(lines.contains("\"vision\": {timeout: 9, \"provider\": \"main\"}\n"), "{lines}");
        assert!(lines.contains("\"mine\": {\"provider\": \"main\"}\n"), "{lines}");
    }

    #[test]
    fn a_file_that_does_not_parse_is_refused_by_line_and_column() {
        let path = Path::new("/home/u/.hermes/config.yaml");
        let mut inputs = inputs();
        inputs.facts.insert(path.into(), Fact::File(b"approvals:\n  deny: [rm\nmodel: x\n".to_vec()));
        let error = Message::of(&read(path, &inputs).expect_err("broken")).render();
        assert!(error.starts_with("could not read /home/u/.hermes/config.yaml:3:"), "{error}");
        assert!(error.contains("\nhelp: "), "{error}");
        inputs.facts.insert(path.into(), Fact::File(b"a: \xff\n".to_vec()));
        let error = Message::of(&read(path, &inputs).expect_err("not UTF-8")).render();
        assert!(error.contains("not UTF-8") && error.contains("\nhelp: "), "{error}");
    }
}
