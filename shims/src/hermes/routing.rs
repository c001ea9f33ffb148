//! Where the requests of a launch go, as `config.yaml` and variables.
//!
//! Hermes reads the file again on every turn, so what it routes by is also part of the runtime home's
//! name: another launch never turns a running session around.

use anyhow::{Result, bail};
use serde_json::{Map, Value as Json, json};

use super::settings;
use super::words::Words;
use super::yaml::Mapping;
use crate::{Launch, Model, Plan, Value};

/// The window below which Hermes 0.19 refuses to start (`MINIMUM_CONTEXT_LENGTH`).
const SMALLEST_WINDOW: u64 = 64_000;

/// What Hermes 0.19 asks for as output of a custom provider when nobody says less.
const DEFAULT_OUTPUT: u64 = 65_536;

/// How many models the `/model` picker is given: the file is parsed on every turn.
const MOST_MODELS: usize = 500;

/// A header, and the variable that carries it.
#[derive(Debug)]
struct Header<'a> {
    name: &'a str,
    variable: String,
    value: &'a Value,
}

/// How one launch routes.
#[derive(Debug)]
pub struct Routing<'a> {
    launch: &'a Launch,
    model: Model,
    jobs: bool,
}

impl<'a> Routing<'a> {
    /// The routing of a launch, with the model that the user's own words name, if they do.
    pub fn of(launch: &'a Launch, words: &Words) -> Self {
        let model = match words.model() {
            None => launch.model.value.clone(),
            Some(id) => {
                let known = launch.models.iter().find(|model| model.id == id);
                known.cloned().unwrap_or_else(|| Model::named(id))
            }
        };
        Self { launch, model, jobs: words.runs_jobs() }
    }

    /// The id of the model.
    pub fn model(&self) -> &str {
        &self.model.id
    }

    /// Refuses a model that Hermes would refuse.
    pub fn check(&self) -> Result<()> {
        match self.model.context_window {
            Some(window) if window < SMALLEST_WINDOW => bail!(
                "Hermes needs a context window of {SMALLEST_WINDOW} tokens, and `{}` of {} has {window}\n\
                 help: choose another model with `--model`, or correct its `context_window` in the config",
                self.model.id,
                self.launch.provider
            ),
            _ => Ok(()),
        }
    }

    /// A variable that Hermes 0.19 hides from the tools it runs: it does so by name, and it knows
    /// `AUXILIARY_*_API_KEY` for its own.
    fn variable(&self, what: &str) -> String {
        let safe = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        let provider: String = self.launch.provider.chars().map(safe).collect();
        format!("AUXILIARY_AGENT_RUN_{provider}{what}_API_KEY")
    }

    /// Every header goes by a variable of ours: one that was written down plain may still be a token, and
    /// the file is no place for one.
    fn headers(&self) -> impl Iterator<Item = Header<'a>> {
        self.launch.headers.iter().enumerate().map(|(index, (name, value))| Header {
            name,
            variable: self.variable(&format!("_HEADER_{index}")),
            value,
        })
    }

    /// Sets the variables that the config names.
    pub fn set_variables(&self, plan: &mut Plan) {
        // Hermes refuses keys of less than four characters, and then tries one it finds by the host.
        plan.set(self.variable(""), if self.launch.keyed { Value::key() } else { "agent-run".into() });
        for Header { variable, value, .. } in self.headers() {
            plan.set(variable, value.clone());
        }
    }

    /// What requests go by: part of the runtime home's name.
    pub fn identity(&self) -> Json {
        json!([self.model_section(), self.jobs])
    }

    fn model_section(&self) -> Json {
        let mut section = json!({
            "default": self.model.id,
            "provider": "custom",
            "base_url": self.launch.base_url.value,
        });
        if let Some(window) = self.model.context_window {
            section["context_length"] = window.into();
        }
        if let Some(limit) = self.model.output_limit().filter(|&limit| limit < DEFAULT_OUTPUT) {
            section["max_tokens"] = limit.into();
        }
        // Side tasks only look here for headers.
        if let Some(headers) = self.header_section() {
            section["default_headers"] = headers;
        }
        section
    }

    fn header_section(&self) -> Option<Json> {
        let reference = |header: Header<'_>| format!("${{{}}}", header.variable);
        let headers: Map<_, _> =
            self.headers().map(|header| (header.name.to_owned(), reference(header).into())).collect();
        (!headers.is_empty()).then(|| headers.into())
    }

    fn provider_section(&self) -> Json {
        let listed = self.launch.models.iter().filter(|model| model.id != self.model.id);
        let models: Map<_, _> = [&self.model]
            .into_iter()
            .chain(listed)
            .take(MOST_MODELS)
            .map(|model| {
                let window = model.context_window.map(|window| json!({ "context_length": window }));
                (model.id.clone(), window.unwrap_or_else(|| json!({})))
            })
            .collect();
        let key = self.variable("");
        let mut section = json!({
            "name": format!("agent-run-{}", self.launch.provider),
            "base_url": self.launch.base_url.value,
            "key_env": key,
            "api_mode": "chat_completions",
            "default_model": self.model.id,
            "discover_models": models.len() < 2,
            "models": models,
        });
        if let Some(headers) = self.header_section() {
            section["extra_headers"] = headers;
        }
        // Jobs see no variables but those of `.env`; a reference is filled in from the process.
        if self.jobs {
            section["api_key"] = format!("${{{key}}}").into();
        }
        section
    }

    /// The user's settings with the routing in them.
    pub fn merged(&self, mut settings: Mapping) -> Mapping {
        let side_tasks = settings::side_tasks(&settings);
        settings::strip(&mut settings);
        settings.set("model", self.model_section());
        settings.set("providers", json!({ "custom": self.provider_section() }));
        settings.set("auxiliary", side_tasks);
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::launch;
    use super::*;
    use crate::Template;

    fn lines(launch: &Launch) -> String {
        Routing::of(launch, &Words::of(launch)).merged(Mapping::default()).lines()
    }

    #[test]
    fn limits_are_told_as_far_as_they_are_known() {
        let limited = |window, output| {
            let mut launch = launch(&[]);
            launch.model.value =
                Model { context_window: window, max_output_tokens: output, ..Model::named("m") };
            let section = Routing::of(&launch, &Words::of(&launch)).model_section();
            (section["context_length"].as_u64(), section["max_tokens"].as_u64())
        };
        assert_eq!(limited(None, None), (None, None));
        assert_eq!(limited(Some(128_000), Some(8_000)), (Some(128_000), Some(8_000)));
        assert_eq!(limited(Some(128_000), Some(100_000)), (Some(128_000), None));
    }

    #[test]
    fn the_users_own_model_word_brings_its_limits() {
        let mut launch = launch(&["-z", "hi", "-m", "small"]);
        launch.models = vec![Model { context_window: Some(32_000), ..Model::named("small") }];
        let routing = Routing::of(&launch, &Words::of(&launch));
        assert_eq!(routing.model(), "small");
        let error = routing.check().expect_err("too small").to_string();
        assert!(error.contains("64000") && error.contains("32000") && error.contains("\nhelp: "), "{error}");
        let unknown = Launch { args: vec!["-m".into(), "x".into()], ..launch };
        assert!(Routing::of(&unknown, &Words::of(&unknown)).check().is_ok());
    }

    #[test]
    fn headers_and_the_key_are_only_named() {
        let mut launch = launch(&[]);
        let value = |text| Template::parse(text).expect("parses").fill(|_| String::new());
        launch.headers.insert("X-Plain".into(), value("a"));
        launch.headers.insert("X-Secret".into(), value("${env:TOKEN}"));
        launch.headers.insert("X-Literal".into(), value("$${HOME}"));
        let lines = lines(&launch);
        for part in [
            r#""X-Plain": "${AUXILIARY_AGENT_RUN_LOCAL_HEADER_1_API_KEY}""#,
            r#""X-Secret": "${AUXILIARY_AGENT_RUN_LOCAL_HEADER_2_API_KEY}""#,
            r#""X-Literal": "${AUXILIARY_AGENT_RUN_LOCAL_HEADER_0_API_KEY}""#,
            r#""key_env": "AUXILIARY_AGENT_RUN_LOCAL_API_KEY""#,
        ] {
            assert!(lines.contains(part), "{part} in {lines}");
        }
        let mut plan = Plan::default();
        Routing::of(&launch, &Words::of(&launch)).set_variables(&mut plan);
        let planned = plan.lines(true).to_string();
        assert!(planned.contains("set AUXILIARY_AGENT_RUN_LOCAL_API_KEY=<key>\n"), "{planned}");
        assert!(
            planned.contains("set AUXILIARY_AGENT_RUN_LOCAL_HEADER_2_API_KEY=<env:TOKEN>\n"),
            "{planned}"
        );
    }

    #[test]
    fn jobs_get_the_key_by_reference() {
        assert!(!lines(&launch(&["chat"])).contains("\"api_key\""));
        let jobs = lines(&launch(&["cron", "run", "x"]));
        assert!(jobs.contains(r#""api_key": "${AUXILIARY_AGENT_RUN_LOCAL_API_KEY}""#), "{jobs}");
    }
}
