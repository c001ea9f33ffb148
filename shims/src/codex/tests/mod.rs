//! Whole plans of Codex, on machines that do not exist.

mod config;
mod home;

use std::path::Path;

use super::*;
use crate::{Dirs, Entry, EntryKind, Fact, Model, Note, Origin, Sourced, ToolSet, Value};

const CONFIG: &str = "/c/codex/p/config.toml";

fn launch() -> Launch {
    Launch::sample("p", Protocol::OpenaiResponses, "https://host.example/v1", "M")
}

/// A machine where only these files are, and each folder knows what is in it.
fn machine(files: &[(&str, &str)]) -> Inputs {
    let dirs = Dirs {
        home: "/h".into(),
        cwd: "/w".into(),
        cache: "/c".into(),
        state: "/s".into(),
        ..Dirs::default()
    };
    let mut inputs = Inputs { dirs, ..Inputs::default() };
    for (path, text) in files {
        inputs.facts.insert(path.into(), Fact::File(text.as_bytes().to_vec()));
        let path = Path::new(path);
        let folder = inputs.facts.entry(path.parent().expect("a folder").into()).or_insert(Fact::Absent);
        let entry = Entry { name: path.file_name().expect("a name").into(), kind: EntryKind::File };
        match folder {
            Fact::Dir(entries) => entries.push(entry),
            other => *other = Fact::Dir(vec![entry]),
        }
    }
    inputs
}

/// Plans as `agent-run` does: what is declared and not there is absent.
fn plan(launch: &Launch, machine: &Inputs) -> Result<Plan> {
    let mut inputs = machine.clone();
    let mut told = Inputs { facts: std::collections::BTreeMap::new(), ..machine.clone() };
    loop {
        let wanted = Codex.reads(launch, &told);
        let new: Vec<_> = wanted.into_iter().filter(|path| told.fact(path).is_none()).collect();
        if new.is_empty() {
            return Plan::of(&Codex, launch, &told);
        }
        for path in new {
            let fact = inputs.facts.remove(&path).unwrap_or(Fact::Absent);
            told.facts.insert(path, fact);
        }
    }
}

fn written(plan: &Plan, path: &str) -> String {
    let file = plan.files.get(Path::new(path)).unwrap_or_else(|| panic!("{path} is not written"));
    String::from_utf8(file.contents.clone()).expect("UTF-8")
}

/// The config that a first launch generates from the user's own.
fn generated(own: &str) -> toml::Table {
    let plan = plan(&launch(), &machine(&[("/h/.codex/config.toml", own)])).expect("a plan");
    written(&plan, CONFIG).parse().expect("TOML")
}

fn warnings(plan: &Plan) -> Vec<&str> {
    let text = |note: &'_ Note| match note {
        Note::Warning(text) => Some(text.clone().leak() as &str),
        Note::Info(_) => None,
    };
    plan.notes.iter().filter_map(text).collect()
}

/// The machine as it is after `plan` was carried out.
fn after(plan: &Plan, mut machine: Inputs) -> Inputs {
    for (path, file) in &plan.files {
        machine.facts.insert(path.clone(), Fact::File(file.contents.clone()));
    }
    machine
}

fn words(plan: &Plan) -> Vec<&str> {
    plan.args.iter().map(|word| word.to_str().expect("UTF-8")).collect()
}

#[test]
fn a_first_launch_on_an_empty_home() {
    let plan = plan(&launch(), &machine(&[])).expect("a plan");
    let expected = r#"# Made by agent-run, anew on each launch; what Codex writes here is kept.

model = "M"
model_provider = "agent-run"
sqlite_home = "/s/codex/p/sqlite"

[features]
daemon_auto_start = false
unbounded_connection_retries = false

[model_providers.agent-run]
base_url = "https://host.example/v1"
env_key = "AGENT_RUN_CODEX_API_KEY"
name = "p"
wire_api = "responses"

[shell_environment_policy.set]
AGENT_RUN_CODEX_API_KEY = ""
"#;
    assert_eq!(written(&plan, CONFIG), expected);
    assert_eq!(written(&plan, "/c/codex/p/.agent-run.json"), "{\"real_home\":\"/h/.codex\"}\n");
    assert_eq!(
        words(&plan),
        [
            "-c",
            r#"model_provider="agent-run""#,
            "-c",
            r#"model_providers.agent-run={ base_url = "https://host.example/v1", env_key = "AGENT_RUN_CODEX_API_KEY", name = "p", wire_api = "responses" }"#,
            "-c",
            r#"model="M""#,
            "-c",
            r#"sqlite_home="/s/codex/p/sqlite""#,
            "-c",
            "features.daemon_auto_start=false",
            "-c",
            r#"shell_environment_policy.set.AGENT_RUN_CODEX_API_KEY="""#,
        ]
    );
    assert_eq!(plan.env[std::ffi::OsStr::new("CODEX_HOME")], Some("/c/codex/p".into()));
    assert_eq!(plan.env[std::ffi::OsStr::new("AGENT_RUN_CODEX_API_KEY")], Some(Value::key()));
    assert_eq!(plan.env[std::ffi::OsStr::new("OPENAI_API_KEY")], None);
    let links: Vec<_> = plan.links.iter().map(|(at, to)| (at.clone(), to.clone().expect("a link"))).collect();
    let to = |name: &str| (Path::new("/c/codex/p").join(name), Path::new("/s/codex/p").join(name));
    let links: Vec<_> = links.into_iter().map(|(at, link)| (at, link.target)).collect();
    assert_eq!(links, [to("archived_sessions"), to("sessions")]);
    assert!(plan.notes.is_empty());
}

#[test]
fn a_keyless_provider_names_no_key_at_all() {
    let plan = plan(&Launch { keyed: false, ..launch() }, &machine(&[])).expect("a plan");
    assert!(!written(&plan, CONFIG).contains("KEY"));
    assert!(!words(&plan).iter().any(|word| word.contains("KEY")));
    assert!(!plan.env.contains_key(std::ffi::OsStr::new("AGENT_RUN_CODEX_API_KEY")));
}

#[test]
fn headers_travel_by_variables_that_commands_do_not_see() {
    let headers = [("X-Team", Value::from("a")), ("X-Token", Value::from("t-").then(Value::key()))];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).into();
    let plan = plan(&Launch { headers, ..launch() }, &machine(&[])).expect("a plan");
    let config: toml::Table = written(&plan, CONFIG).parse().expect("TOML");
    let names = &config["model_providers"]["agent-run"]["env_http_headers"];
    assert_eq!(names["X-Team"].as_str(), Some("AGENT_RUN_CODEX_HEADER_1"));
    assert_eq!(names["X-Token"].as_str(), Some("AGENT_RUN_CODEX_HEADER_2"));
    let value = |name: &str| plan.env[std::ffi::OsStr::new(name)].as_ref().map(ToString::to_string);
    assert_eq!(value("AGENT_RUN_CODEX_HEADER_2").as_deref(), Some("t-<key>"));
    assert_eq!(config["shell_environment_policy"]["set"]["AGENT_RUN_CODEX_HEADER_2"].as_str(), Some(""));
}

#[test]
fn a_resumed_session_keeps_its_model_unless_one_is_asked_for() {
    let pins = |launch: &Launch| {
        let plan = plan(launch, &machine(&[])).expect("a plan");
        words(&plan).iter().any(|word| word.starts_with("model="))
    };
    let resume = Launch { args: vec!["resume".into(), "--last".into()], ..launch() };
    assert!(!pins(&resume));
    assert!(pins(&Launch { args: vec!["exec".into(), "resume".into()], ..launch() }));
    let model = Sourced::new(Model::named("N"), Origin::Option("--model"));
    assert!(pins(&Launch { model, ..resume }));
    let standing = Launch { standing_args: vec!["--search".into()], args: vec!["resume".into()], ..launch() };
    assert!(!pins(&standing));
}

#[test]
fn an_administrators_provider_is_warned_of() {
    let warned = |text| {
        let plan = plan(&launch(), &machine(&[(MANAGED, text)])).expect("a plan");
        !warnings(&plan).is_empty()
    };
    assert!(warned("model_provider = 'x'"));
    assert!(!warned("approval_policy = 'never'"));
}

#[test]
fn a_bare_home_is_codexs_own_but_for_the_login() {
    let machine = machine(&[]);
    let plan = Plan::of_bare_home(&Codex, "work", &["login".into()], &machine).expect("a plan");
    assert_eq!(words(&plan), ["-c", "cli_auth_credentials_store=\"file\"", "login"]);
    assert_eq!(plan.env[std::ffi::OsStr::new("CODEX_HOME")], Some("/s/codex/work/home".into()));
    assert!(plan.files.is_empty() && plan.links.is_empty());
}

#[test]
fn a_projects_server_that_wants_the_key_is_off_and_told() {
    let servers = "[mcp_servers.a]\nurl = 'http://x'\nbearer_token_env_var = 'AGENT_RUN_CODEX_API_KEY'\n\
                   [mcp_servers.b]\nurl = 'http://x'\nenv_http_headers = { k = 'OWN_KEY' }\n\
                   [mcp_servers.c]\nurl = 'http://x'\nbearer_token_env_var = 'GITHUB_TOKEN'\n\
                   [mcp_servers.d]\ncommand = 'x'\n";
    let mut launch = launch();
    launch.key_variable = Some("OWN_KEY".to_owned());
    let plan = plan(&launch, &machine(&[("/w/.codex/config.toml", servers)])).expect("planned");
    let off: Vec<_> = plan.args.iter().filter_map(|arg| arg.to_str()?.strip_prefix("mcp_servers.")).collect();
    let how = "={ url = \"http://127.0.0.1:9/unused\", enabled = false }";
    assert_eq!(off, [format!("a{how}"), format!("b{how}")]);
    assert_eq!(plan.notes.len(), 2, "{:?}", plan.notes);

    let mut at_home = machine(&[("/h/.codex/config.toml", servers)]);
    at_home.dirs.cwd = "/h/w".into();
    let plan = super::tests::plan(&launch, &at_home).expect("planned");
    assert!(plan.notes.is_empty(), "a server of the user's own is the user's word: {:?}", plan.notes);
}
