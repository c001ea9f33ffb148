//! One launch with a batch of variables, and what is wrong with it.

use std::fmt;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value as Json, json};

use crate::matrix::{HIJACK, KEY, STRAY, needles};
use crate::support::net::{self, Sink};
use crate::support::{MockProvider, Sandbox, real, run};

/// Where a variable is set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    Inherited,
    User,
    Project,
}

/// What a variable says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Value {
    Url,
    One,
    Stray,
}

/// One variable, one value, one place.
#[derive(Clone, Debug)]
pub struct Probe {
    pub name: String,
    pub place: Place,
    pub value: Value,
}

impl Probe {
    fn text(&self) -> String {
        match self.value {
            Value::Url => format!("{HIJACK}/v1"),
            Value::One => "1".to_owned(),
            Value::Stray => STRAY.to_owned(),
        }
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}:{}={:?}", self.place, self.name, self.value)
    }
}

/// An agent's words, and where its files hold variables.
pub struct Subject {
    pub agent: &'static str,
    pub protocol: &'static str,
    pub words: &'static [&'static str],
    /// Files of the user's home and of the project that set variables, by their format.
    pub user: Option<(&'static str, Format)>,
    pub project: Option<(&'static str, Format)>,
}

/// How a file says variables.
#[derive(Clone, Copy)]
pub enum Format {
    /// JSON with an `env`.
    Json,
    /// Lines `NAME=value`.
    Dotenv,
}

/// A network where everything else is the sink, and the provider.
pub struct Machine {
    subject: &'static Subject,
    sandbox: Sandbox,
    sink: Sink,
    chosen: MockProvider,
    launches: usize,
}

impl Machine {
    #[track_caller]
    pub fn set(subject: &'static Subject) -> Self {
        let sandbox = real::sandbox(subject.agent).expect("looked for before").var("CHOSEN_KEY", KEY);
        let sandbox = sandbox
            .var("HERMES_DISABLE_LAZY_INSTALLS", "1")
            .var("TIRITH_ENABLED", "false")
            .var("CRUSH_DISABLE_METRICS", "1");
        let sink = Sink::open(&sandbox);
        let chosen = MockProvider::start(&sandbox, "chosen");
        let url = chosen.url("");
        sandbox.config(&format!(
            "providers:\n  m: {{protocols: [{}], base_urls: {{anthropic: '{url}', openai: '{url}/v1'}}, key_env: \
             CHOSEN_KEY, default_model: m-main, models: [{{id: m-main, context_window: 200000}}], \
             model_api_filters: []}}\n",
            subject.protocol
        ));
        Self { subject, sandbox, sink, chosen, launches: 0 }
    }

    /// How many launches there were.
    pub fn launches(&self) -> usize {
        self.launches
    }

    /// Launches with these, and says what is wrong.
    pub fn fault(&mut self, probes: &[Probe]) -> Option<String> {
        self.launches += 1;
        let (home, work) = (self.sandbox.path("fresh/home"), self.sandbox.path("fresh/work"));
        _ = fs::remove_dir_all(self.sandbox.path("fresh"));
        fs::create_dir_all(&home).unwrap();
        self.sandbox.repository(&work);
        let of = |place| probes.iter().filter(move |probe| probe.place == place);
        for (place, folder, file) in
            [(Place::User, &home, self.subject.user), (Place::Project, &work, self.subject.project)]
        {
            let vars: Vec<_> = of(place).map(|probe| (probe.name.clone(), probe.text())).collect();
            let Some((name, format)) = file.filter(|_| !vars.is_empty()) else { continue };
            self.sandbox.write(&folder.join(name), written(&vars, format));
        }
        let mut command = self.sandbox.command("timeout");
        command.args(["-k", "2", "60", "agent-run", "launch", "m", self.subject.agent, "--"]);
        command.args(self.subject.words).current_dir(&work).env("HOME", &home);
        command.env("AGENT_RUN_CONFIG", self.sandbox.home(".config/agent-run/config.yaml"));
        command.envs(of(Place::Inherited).map(|probe| (probe.name.clone(), probe.text())));
        let (heard, unheard) = (self.chosen.requests().len(), net::unheard());
        self.sink.clear();
        let ran = run(&mut command);
        if needles::found(ran.stderr.as_bytes()).is_some() {
            return Some("the key on stderr".to_owned());
        }
        if let Some(fault) = self.asked_elsewhere(heard) {
            return Some(fault);
        }
        if ran.code != 0 || !ran.stdout.contains("PONG-FROM-MOCK") {
            let last = ran.stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
            return Some(format!(
                "no answer, exit code {}: {}",
                ran.code,
                last.chars().take(300).collect::<String>()
            ));
        }
        if net::unheard() != unheard {
            return Some(net::UNHEARD.to_owned());
        }
        Self::key_in_files(&home).or_else(|| Self::key_in_files(&work))
    }

    fn asked_elsewhere(&self, heard: usize) -> Option<String> {
        let allowed = shims::by_name(self.subject.agent).expect("an agent").info().own_hosts;
        for seen in self.sink.seen() {
            if !allowed.contains(&&*seen.host) {
                return Some(format!("{:?} of {}:{}", seen.way, seen.host, seen.port));
            }
            if needles::found(seen.sent.as_bytes()).is_some() || seen.sent.contains(STRAY) {
                return Some(format!("a key to {}", seen.host));
            }
        }
        for request in &self.chosen.requests()[heard..] {
            let headers = &request["headers"];
            if request.to_string().contains(STRAY) {
                return Some(format!("the stray key at the provider: {}", brief(request)));
            }
            if request["protocol"].is_null() {
                continue;
            }
            if request["method"] == "POST" && request["model"] != "m-main" {
                return Some(format!("another model: {}", brief(request)));
            }
            let is_ours = headers["authorization"] == format!("Bearer {KEY}") || headers["x-api-key"] == KEY;
            if !is_ours {
                return Some(format!("without the key: {}", brief(request)));
            }
        }
        None
    }

    fn key_in_files(folder: &Path) -> Option<String> {
        let holding = crate::support::tree::files_holding(folder, KEY);
        holding.first().map(|file| format!("the key in {}", file.display()))
    }
}

fn brief(request: &Json) -> Json {
    json!([request["method"], request["path"], request["model"]])
}

fn written(vars: &[(String, String)], format: Format) -> String {
    match format {
        Format::Json => {
            let env: Map<_, _> =
                vars.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
            json!({ "env": env }).to_string()
        }
        Format::Dotenv => {
            let lines: Vec<_> = vars.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
            lines.concat()
        }
    }
}
