//! The user's own settings, without any that route.

use std::path::Path;

use anyhow::{Result, anyhow};
use serde_json::json;

use super::yaml::{Mapping, Node};
use crate::judged::hermes::{
    SETTING_REPLACED as ROUTING, SETTING_REPLACED_IN_AUXILIARY as SIDE_TASKS,
    SETTING_REPLACED_IN_CURATOR as CURATOR, SETTING_REPLACED_IN_DELEGATION as DELEGATION,
    SETTING_REPLACED_IN_GATEWAY as GATEWAY, SETTING_REPLACED_IN_PLATFORMS as OF_PLATFORMS, TASK_OWN,
};
use crate::yaml::Flaw;
use crate::{Inputs, Message};

/// The user's settings, in a home.
pub const FILE: &str = "config.yaml";

/// The tables that keep what does not route.
const TABLES: [(&str, &[&str]); 3] = [("delegation", DELEGATION), ("gateway", GATEWAY), ("curator", CURATOR)];

/// Reads a settings file that must be understood.
///
/// Hermes itself would go on with its defaults, and with whatever key it finds, without the user's
/// approval rules.
pub fn read(path: &Path, inputs: &Inputs) -> Result<Mapping> {
    const HELP: &str = "fix the file; without it your own rules and settings would not apply";
    let text = inputs.text(path).map_err(|error| Message::helped(&error, HELP))?;
    let Some(text) = text else { return Ok(Mapping::default()) };
    Mapping::parse(text).map_err(|Flaw { line, column, what }| {
        anyhow!(Message::new(format!("could not read {}:{line}:{column}: {what}", path.display()), HELP))
    })
}

/// Takes everything that routes out of settings that the launch did not write.
pub fn strip(settings: &mut Mapping) {
    settings.retain(|key| !ROUTING.contains(&key));
    for (name, table) in settings.tables() {
        let routing = TABLES.iter().find(|(table, _)| *table == name).map_or(&[][..], |(_, routing)| routing);
        table.retain(|key| !routing.contains(&key));
    }
    strip_platforms(settings);
}

/// Takes out what routes within a platform of the gateway, if there is any. A platform's name and the depth are the user's
/// choice.
fn strip_platforms(settings: &mut Mapping) {
    settings.retain(|key| !OF_PLATFORMS.contains(&key));
    settings.tables().for_each(|(_, table)| strip_platforms(table));
}

/// Takes the same out of JSON.
pub fn strip_routes_of_platforms(settings: &mut serde_json::Map<String, serde_json::Value>) {
    settings.retain(|key, _| !OF_PLATFORMS.contains(&&**key));
    settings.values_mut().filter_map(serde_json::Value::as_object_mut).for_each(strip_routes_of_platforms);
}

/// The paths of those.
fn routes_of_platforms(settings: &Mapping) -> Vec<String> {
    let paths = settings.entries().flat_map(|(key, node)| {
        let within = node.mapping().map(routes_of_platforms).unwrap_or_default();
        let own = OF_PLATFORMS.contains(&key).then(|| key.to_owned());
        own.into_iter().chain(within.into_iter().map(move |path| format!("{key}.{path}")))
    });
    paths.collect()
}

/// The keys of `settings` that route.
pub fn routing_keys(settings: &Mapping) -> Vec<String> {
    let top = settings.entries().map(|(key, _)| key).filter(|key| ROUTING.contains(key)).map(str::to_owned);
    let within = TABLES.iter().flat_map(|(name, routing)| {
        let table = settings.get(name).and_then(Node::mapping);
        let keys = table.into_iter().flat_map(Mapping::entries).map(|(key, _)| key);
        keys.filter(|key| routing.contains(key)).map(move |key| format!("{name}.{key}"))
    });
    top.chain(within).chain(routes_of_platforms(settings)).collect()
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
        settings.retain(|key| TASK_OWN.contains(&key));
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
    fn a_platforms_own_routes_are_taken_out_and_named() {
        let text = "platforms: {api_server: {enabled: true, extra: {port: 1, model_routes: {evil: {base_url: x}}}},\n  \
            chat: {channel_overrides: {c: {provider: y}}, token: t}}\ngateway: {platforms: {a: {model_routes: z}}}\n";
        let mut settings = Mapping::parse(text).expect("YAML");
        assert_eq!(
            routing_keys(&settings),
            [
                "platforms.api_server.extra.model_routes",
                "platforms.chat.channel_overrides",
                "gateway.platforms.a.model_routes"
            ]
        );
        strip(&mut settings);
        let expected = json!({
            "platforms": {"api_server": {"enabled": true, "extra": {"port": 1}}, "chat": {"token": "t"}},
            "gateway": {"platforms": {"a": {}}},
        });
        assert_eq!(settings.json(), expected);
        assert!(routes_of_platforms(&settings).is_empty());
    }

    #[test]
    fn nothing_that_routes_survives_and_the_rest_does() {
        let mut theirs = String::from(
            "approvals: {mode: off}\ngateway: {proxy_url: x, delivery_ledger: true}\n\
             delegation: {model: x, provider: p, base_url: u, api_key: k, api_mode: a, reasoning_effort: false}\n\
             curator: {auxiliary: {provider: custom, model: x, base_url: u}, enabled: true}\n",
        );
        // As Hermes 0.19 spells what it reads.
        let routing = "model providers custom_providers fallback_providers fallback_model auxiliary provider \
            credential_pool_strategies model_aliases provider_routing smart_model_routing base_url api_base api_key \
            api_mode context_length";
        for key in routing.split_whitespace() {
            theirs.push_str(key);
            theirs.push_str(": {vision: {api_key: stale}}\n");
        }
        let mut settings = Mapping::parse(&theirs).expect("parses");
        let within =
            ["model", "provider", "base_url", "api_key", "api_mode"].map(|key| format!("delegation.{key}"));
        let all = routing.split_whitespace().map(str::to_owned).chain(within);
        assert_eq!(
            routing_keys(&settings),
            all.chain(["gateway.proxy_url".into(), "curator.auxiliary".into()]).collect::<Vec<_>>()
        );
        strip(&mut settings);
        assert_eq!(
            settings.lines(),
            "approvals: {mode: off}\ngateway: {delivery_ledger: true}\ndelegation: {reasoning_effort: false}\n\
             curator: {enabled: true}\n"
        );
    }

    #[test]
    fn side_tasks_go_the_main_way_in_the_users_time() {
        let theirs = "auxiliary: {transient_retries: 1, vision: {provider: openrouter, timeout: 9}, mine: {model: x}, \
             moa_reference: {base_url: x, extra_body: {}}}";
        let tasks = side_tasks(&Mapping::parse(theirs).expect("parses"));
        let lines = tasks.lines();
        assert!(lines.starts_with("\"transient_retries\": 1\n"), "{lines}");
        assert!(lines.contains("\"vision\": {timeout: 9, \"provider\": \"main\"}\n"), "{lines}");
        assert!(lines.contains("\"mine\": {\"provider\": \"main\"}\n"), "{lines}");
        // The side tasks of Hermes 0.19 (`DEFAULT_CONFIG`).
        for task in "web_extract compression skills_hub approval mcp title_generation memory_query_rewrite \
            tts_audio_tags triage_specifier kanban_decomposer profile_describer goal_judge curator monitor \
            background_review moa_reference moa_aggregator"
            .split_whitespace()
        {
            assert!(lines.contains(&format!("\"{task}\": {{\"provider\": \"main\"}}\n")), "{task}: {lines}");
        }
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
