//! Where the requests of a launch go, as `config.yaml` and variables.
//!
//! Hermes reads the file again on every turn, so what it routes by is also part of the runtime home's
//! name: another launch never turns a running session around.

use anyhow::{Result, bail};
use serde_json::{Map, Value as Json, json};

use super::argv::HermesArgs;
use super::yaml::{Mapping, Node};
use super::{literal, settings};
use crate::{Inputs, Launch, Message, Model, Plan, Value};

/// The window below which Hermes 0.19 refuses to start (`MINIMUM_CONTEXT_LENGTH`).
const SMALLEST_WINDOW: u64 = 64_000;

/// What Hermes 0.19 asks for as output of a custom provider when nobody says less.
const DEFAULT_OUTPUT: u64 = 65_536;

/// How many models the `/model` picker is given: the file is parsed on every turn.
const MOST_MODELS: usize = 500;

/// The key of `display` by which the TUI opens the last session at its start.
const AUTO_RESUME: &str = "tui_auto_resume_recent";

/// Keys that Hermes 0.19 takes for a placeholder (`_PLACEHOLDER_SECRET_VALUES`).
const PLACEHOLDERS: [&str; 12] = [
    "*",
    "**",
    "***",
    "changeme",
    "your_api_key",
    "your_api_key_here",
    "your-api-key",
    "placeholder",
    "example",
    "dummy",
    "null",
    "none",
];

/// Why Hermes 0.19 would not send a key but `no-key-required`, or a key that it finds by the host's name.
pub fn refused_key(key: &str) -> Option<&'static str> {
    let key = key.trim();
    if key.chars().count() < 4 {
        return Some("Hermes does not send a key of fewer than four characters");
    }
    let is_placeholder = PLACEHOLDERS.iter().any(|word| key.eq_ignore_ascii_case(word));
    is_placeholder.then_some("Hermes treats this key as a placeholder and does not send it")
}

/// How one launch routes.
pub struct Routing<'a> {
    launch: &'a Launch,
    inputs: &'a Inputs,
    model: Model,
    jobs: bool,
}

/// How the variables of a launch begin.
pub const OURS: &str = "AUXILIARY_AGENT_RUN_";

/// A variable that Hermes 0.19 hides from the tools it runs, and that no project can guess: it hides by name, and
/// knows `AUXILIARY_*_API_KEY` for its own.
pub fn variable(launch: &Launch, what: &str, inputs: &Inputs) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let provider: String = launch.provider.chars().map(safe).collect();
    format!("{}_API_KEY", inputs.secret_variable(&format!("{OURS}{provider}{what}")))
}

impl<'a> Routing<'a> {
    /// The routing of a launch, with the model that the user's own words name, if they do.
    pub fn of(launch: &'a Launch, words: &HermesArgs, inputs: &'a Inputs) -> Self {
        let model = match words.model() {
            None => launch.model.value.clone(),
            Some(id) => {
                let known = launch.models.iter().find(|model| model.id == id);
                known.cloned().unwrap_or_else(|| Model::named(id))
            }
        };
        Self { launch, inputs, model, jobs: words.runs_jobs() }
    }

    /// The id of the model.
    pub fn model(&self) -> &str {
        &self.model.id
    }

    /// Refuses a model that Hermes would refuse, and what it would make something else of.
    pub fn check(&self) -> Result<()> {
        let help = "choose another model with `--model`, or set `default_model` in the config";
        literal::setting(&self.model.id, "the model id", help)?;
        literal::setting(&self.launch.base_url.value, "the base URL", "correct `base_urls` in the config")?;
        match self.model.context_window {
            Some(window) if window < SMALLEST_WINDOW => bail!(Message::new(
                format!(
                    "Hermes needs a context window of {SMALLEST_WINDOW} tokens, and `{}` on {} has {window}",
                    self.model.id, self.launch.provider
                ),
                self.launch.wider_window()
            )),
            _ => Ok(()),
        }
    }

    fn variable(&self, what: &str) -> String {
        variable(self.launch, what, self.inputs)
    }

    /// Every header goes by a variable of agent-run: one that was written down plain may still be a token, and
    /// the file is no place for one.
    fn headers(&self) -> impl Iterator<Item = (&'a str, String, &'a Value)> {
        let carrier = |index| self.variable(&format!("_HEADER_{index}"));
        self.launch.headers.iter().enumerate().map(move |(at, (name, value))| (&**name, carrier(at), value))
    }

    /// Sets the variables that the config names.
    pub fn set_variables(&self, plan: &mut Plan) {
        // Hermes refuses keys of less than four characters, and then tries one it finds by the host.
        plan.set(self.variable(""), if self.launch.keyed { Value::key() } else { "agent-run".into() });
        for (_, variable, value) in self.headers() {
            plan.set(variable, value.clone());
        }
    }

    /// What requests go by: part of the runtime home's name.
    pub fn identity(&self) -> String {
        format!("{}\0{}\0{}", self.launch.identity(), self.model_and_limits(), self.jobs)
    }

    fn model_section(&self) -> Json {
        let mut section = self.model_and_limits();
        // Side tasks only look here for headers.
        if let Some(headers) = self.header_section() {
            section["default_headers"] = headers;
        }
        section
    }

    fn model_and_limits(&self) -> Json {
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
        section
    }

    fn header_section(&self) -> Option<Json> {
        let headers: Map<_, _> = self
            .headers()
            .map(|(name, variable, _)| (name.to_owned(), format!("${{{variable}}}").into()))
            .collect();
        (!headers.is_empty()).then(|| headers.into())
    }

    /// The provider's name inside Hermes, which no project can guess.
    fn name(&self) -> String {
        let safe = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
        let provider: String = self.launch.provider.chars().map(safe).collect();
        self.inputs.secret_id(&format!("agent-run-{provider}"))
    }

    fn provider_section(&self) -> Json {
        // Once chosen, an id that Hermes fills in would be.
        let listed = self.launch.models.iter();
        let listed = listed.filter(|model| model.id != self.model.id && literal::is_literal(&model.id));
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
            "name": self.name(),
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
        // Else it runs `python3 -m pip` at its start, which takes a project's `pip.py`, with the key in its environment
        // (0.19.0).
        let mut agent = settings.get("agent").and_then(Node::mapping).cloned().unwrap_or_default();
        agent.set("environment_probe", json!(false));
        settings.set("agent", agent);
        // Else the TUI opens the last session, by the URL that it was recorded with (0.19.0).
        let is_resuming = |(name, table): &(&str, &mut Mapping)| {
            *name == "display" && !self.launch.isolated && table.get(AUTO_RESUME).is_some()
        };
        for (_, display) in settings.tables().filter(is_resuming) {
            display.set(AUTO_RESUME, json!(false));
        }
        // The list of chats that a launch looks at.
        settings.set("write_sessions_json", json!(true));
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{inputs, launch};
    use super::*;
    use crate::Template;

    fn lines(launch: &Launch) -> String {
        Routing::of(launch, &HermesArgs::of(launch), &inputs()).merged(Mapping::default()).lines()
    }

    #[test]
    fn limits_are_said_as_far_as_they_are_known() {
        let limited = |window, output| {
            let mut launch = launch(&[]);
            launch.model.value =
                Model { context_window: window, max_output_tokens: output, ..Model::named("m") };
            let section = Routing::of(&launch, &HermesArgs::of(&launch), &inputs()).model_section();
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
        let inputs = inputs();
        let routing = Routing::of(&launch, &HermesArgs::of(&launch), &inputs);
        assert_eq!(routing.model(), "small");
        let error = Message::of(&routing.check().expect_err("too small")).render();
        assert!(error.contains("64000") && error.contains("32000") && error.contains("\nhelp: "), "{error}");
        let unknown = Launch { args: vec!["-m".into(), "x".into()], ..launch };
        assert!(Routing::of(&unknown, &HermesArgs::of(&unknown), &inputs).check().is_ok());
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
            r#""X-Plain": "${AUXILIARY_AGENT_RUN_LOCAL_HEADER_1_xxxxxxxx_API_KEY}""#,
            r#""X-Secret": "${AUXILIARY_AGENT_RUN_LOCAL_HEADER_2_xxxxxxxx_API_KEY}""#,
            r#""X-Literal": "${AUXILIARY_AGENT_RUN_LOCAL_HEADER_0_xxxxxxxx_API_KEY}""#,
            r#""key_env": "AUXILIARY_AGENT_RUN_LOCAL_xxxxxxxx_API_KEY""#,
        ] {
            assert!(lines.contains(part), "{part} in {lines}");
        }
        let mut plan = Plan::default();
        Routing::of(&launch, &HermesArgs::of(&launch), &inputs()).set_variables(&mut plan);
        let planned = plan.lines(true);
        assert!(planned.contains("set AUXILIARY_AGENT_RUN_LOCAL_xxxxxxxx_API_KEY=<key>\n"), "{planned}");
        assert!(
            planned.contains("set AUXILIARY_AGENT_RUN_LOCAL_HEADER_2_xxxxxxxx_API_KEY=<env:TOKEN>\n"),
            "{planned}"
        );
    }

    #[test]
    fn keys_that_hermes_does_not_send_are_known() {
        for key in ["k", "abc", "None", "DUMMY", "your-api-key", "***"] {
            assert!(refused_key(key).is_some(), "{key}");
        }
        for key in ["abcd", "ollama", "sk-none", "nones"] {
            assert!(refused_key(key).is_none(), "{key}");
        }
    }

    #[test]
    fn what_hermes_would_fill_in_is_refused_or_left_out() {
        let secret = "${OPENROUTER_API_KEY}";
        let refused = |launch: &Launch| {
            let inputs = inputs();
            let routing = Routing::of(launch, &HermesArgs::of(launch), &inputs);
            let error = Message::of(&routing.check().expect_err("refused")).render();
            assert!(error.contains("OPENROUTER_API_KEY") && error.contains("\nhelp: "), "{error}");
        };
        let mut chosen = launch(&[]);
        chosen.model.value = Model::named(secret);
        refused(&chosen);
        refused(&launch(&["-m", secret]));
        let mut elsewhere = launch(&[]);
        elsewhere.base_url.value.push_str(secret);
        refused(&elsewhere);
        let mut listed = launch(&[]);
        listed.models.extend(["good", secret, " m", "a\nb"].map(Model::named));
        let lines = lines(&listed);
        assert!(lines.contains("\"good\": {}") && !lines.contains("OPENROUTER"), "{lines}");
        assert!(!lines.contains("\" m\"") && !lines.contains("\\u000a"), "{lines}");
    }

    #[test]
    fn jobs_get_the_key_by_reference() {
        assert!(!lines(&launch(&["chat"])).contains("\"api_key\""));
        let jobs = lines(&launch(&["cron", "run", "x"]));
        assert!(jobs.contains(r#""api_key": "${AUXILIARY_AGENT_RUN_LOCAL_xxxxxxxx_API_KEY}""#), "{jobs}");
    }
}
