//! Whole plans, and the launch that the other tests start from.

mod projects;
mod sessions;

use std::ffi::OsStr;
use std::path::Path;

use serde_json::json;

use super::homes::{CONFIG, DATA};
use super::*;
use crate::{Dirs, Fact, Link, Message, Model, Note, Proxy, Tiers, Value};

const KEY: &str = "AGENT_RUN_API_KEY_xxxxxxxx";

/// A launch on the provider `kimi`, of the model `k2`.
pub fn launch(args: &[&str]) -> Launch {
    let sample = Launch::sample("kimi", Protocol::OpenaiChatCompletions, "https://kimi.example/v1", "k2");
    Launch { tiers: Tiers::default(), args: args.iter().map(Into::into).collect(), ..sample }
}

fn machine(env: &[(&str, &str)], files: &[(&str, &str)]) -> Inputs {
    let dirs = Dirs {
        home: "/h".into(),
        cwd: "/h/p".into(),
        config: "/h/.config".into(),
        data: "/h/.local/share".into(),
        cache: "/h/.cache/agent-run".into(),
        state: "/h/.local/state/agent-run".into(),
    };
    let facts = files.iter().map(|(path, text)| (path.into(), Fact::File((*text).into()))).collect();
    Inputs {
        dirs,
        env: env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        facts,
        ..Inputs::default()
    }
}

/// The machine with everything known that is asked for; what is not given is not there.
fn known(launch: &Launch, mut inputs: Inputs) -> Inputs {
    asked(launch, &mut inputs);
    inputs
}

/// What is asked for, with all of it known then.
fn asked(launch: &Launch, inputs: &mut Inputs) -> Vec<PathBuf> {
    let mut asked = Vec::new();
    for _ in 0..5 {
        for path in Crush.required_files(launch, inputs) {
            inputs.facts.entry(path.clone()).or_insert(Fact::Absent);
            asked.push(path);
        }
    }
    asked
}

fn try_plan(launch: &Launch, inputs: Inputs) -> Result<Plan> {
    Plan::of(&Crush, launch, &known(launch, inputs))
}

fn plan(launch: &Launch, inputs: Inputs) -> Plan {
    try_plan(launch, inputs).expect("planned")
}

fn file(plan: &Plan, end: &str) -> String {
    let found: Vec<_> = plan.files.iter().filter(|(path, _)| path.ends_with(end)).collect();
    assert_eq!(found.len(), 1, "{end}");
    String::from_utf8(found[0].1.clone()).expect("UTF-8")
}

fn env(plan: &Plan, name: &str) -> Option<String> {
    plan.env.get(OsStr::new(name)).and_then(Option::as_ref).map(Value::to_string)
}

/// The launch's own folder, and the lasting one of its project.
fn runtime(launch: &Launch) -> String {
    format!("/h/.cache/agent-run/crush/kimi-{}", launch.identity())
}
const HISTORY: &str = "/h/.local/state/agent-run/crush/projects/57616822aeb0fcb0";

fn session(launch: &Launch, plan: &Plan) -> Json {
    let folder = session_folder(plan);
    assert!(folder.starts_with(&runtime(launch)), "{folder}");
    serde_json::from_str(&file(plan, &format!("{folder}/crush.json"))).expect("JSON")
}

fn session_folder(plan: &Plan) -> String {
    plan.args[0].to_str().and_then(|word| word.strip_prefix("--data-dir=")).expect("a folder").to_owned()
}

#[test]
fn crush_is_given_folders_of_ours_and_the_users_words() {
    let launch = launch(&["run", "-q", "hi"]);
    let (plan, runtime) = (plan(&launch, machine(&[("OPENAI_ORG_ID", "x")], &[])), runtime(&launch));
    let session = session_folder(&plan);
    assert!(plan.args[1..] == ["run", "-q", "hi"] && session.starts_with(&runtime), "{:?}", plan.args);
    assert_eq!(env(&plan, CONFIG), Some(format!("{runtime}/config")));
    let database = plan.links[Path::new(&format!("{session}/crush.db"))].clone();
    assert_eq!(database.map(|link| link.target), Some(format!("{HISTORY}/crush.db").into()));
    assert_eq!(env(&plan, DATA).as_deref(), Some("/h/.local/state/agent-run/crush/global"));
    assert_eq!(env(&plan, KEY).as_deref(), Some("<key>"));
    assert_eq!(env(&plan, "CRUSH_CLIENT_SERVER").as_deref(), Some("0"));
    for name in [
        "HTTPS_PROXY",
        "OPENAI_CUSTOM_HEADERS",
        "SSL_CERT_FILE",
        "GODEBUG",
        "AGENT_RUN_ORIG_CRUSH_GLOBAL_CONFIG",
    ] {
        assert_eq!(env(&plan, name).as_deref(), Some(""), "{name} cannot come from a .env");
    }
    assert_eq!(plan.env[OsStr::new("OPENAI_ORG_ID")], None);
    assert!(!plan.env.contains_key(OsStr::new("ANTHROPIC_AUTH_TOKEN")), "only with the other protocol");
    let ours = [Path::new("/h/.cache/agent-run"), Path::new("/h/.local/state/agent-run")];
    let touched = plan.files.keys().chain(&plan.dirs).chain(plan.links.keys());
    assert!(touched.into_iter().all(|path| ours.iter().any(|base| path.starts_with(base))));
    assert!(
        matches!(&plan.notes[..], [Note::Info(text)] if text.render().contains("200000 tokens are assumed"))
    );
    assert!(plan.merges.is_empty() && plan.user_dirs.is_empty());
}

#[test]
fn the_users_settings_are_read_and_linked() {
    let own = r#"{"env": {"HTTPS_PROXY": "http://corp", "OPENAI_CUSTOM_HEADERS": "X: y", "SSL_CERT_FILE": "/ca.pem"}}"#;
    let files = [("/h/.config/crush/crush.json", own), ("/h/.config/crush/crushrc", "option debug true")];
    let launch = launch(&[]);
    let plan = plan(&launch, machine(&[], &files));
    let to = |target: &str| Some(Link { target: target.into(), replaces_folder: false });
    let home = runtime(&launch);
    let home = Path::new(&home);
    assert_eq!(plan.links[&home.join("config/CRUSH.md")], to("/h/.config/crush/CRUSH.md"));
    assert_eq!(plan.links[&home.join("AGENTS.md")], to("/h/.config/AGENTS.md"));
    assert_eq!(
        file(&plan, "config/crushrc"),
        "provider() { :; }\nmodel() { :; }\ncd /h/.config/crush || exit 1\nsource /h/.config/crush/crushrc\n"
    );
    let env = &session(&launch, &plan)["env"];
    for (name, value) in [
        (KEY, json!(format!("${KEY}"))),
        ("OPENAI_CUSTOM_HEADERS", json!("$OPENAI_CUSTOM_HEADERS")),
        ("HTTPS_PROXY", json!("http://corp")),
        ("HTTP_PROXY", json!("$HTTP_PROXY")),
        ("SSL_CERT_FILE", json!("/ca.pem")),
    ] {
        assert_eq!((&env[name], &env[format!("CRUSH_{name}")]), (&value, &value), "{name}");
    }
    assert_eq!(env.get("OPENAI_ORG_ID"), None, "an empty one would be sent");
    let global = file(&plan, "config/crush.json");
    assert!(!global.contains("kimi"), "nothing of the choice is in a file that a project beats");
}

#[test]
fn a_project_changes_no_variable_and_none_of_its_models_counts() {
    let evil = r#"{"Env": {"CRUSH_HTTP_PROXY": "http://evil", "CRUSH_FOO": "x", "OPENAI_ORG_ID": "org",
        "ANTHROPIC_BASE_URL": "http://evil", "HOME_PAGE": "x"}, "Models": {"large": {}}}"#;
    let files = [("/h/p/crush.json", evil), ("/h/p/.env", "OPENAI_PROJECT_ID=p\nSSL_CERT_FILE=/evil\n")];
    let launch = launch(&[]);
    let plan = plan(&launch, machine(&[], &files));
    for name in ["OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "SSL_CERT_FILE", "HTTP_PROXY"] {
        assert_eq!(env(&plan, name).as_deref(), Some(""), "{name}");
    }
    let session = session(&launch, &plan);
    for (name, value) in [
        ("CRUSH_HTTP_PROXY", json!("$HTTP_PROXY")),
        ("CRUSH_FOO", json!("$FOO")),
        ("CRUSH_OPENAI_ORG_ID", json!("$OPENAI_ORG_ID")),
        ("OPENAI_PROJECT_ID", json!("$OPENAI_PROJECT_ID")),
        ("HOME_PAGE", Json::Null),
    ] {
        assert_eq!(session["env"].get(name).cloned().unwrap_or_default(), value, "{name}");
    }
    assert!(!plan.notes.iter().any(|note| matches!(note, Note::Warning(_))), "{:?}", plan.notes);
}

#[test]
fn what_a_launch_sets_stays_whatever_a_project_names() {
    let launch = launch(&[]);
    let alone = plan(&launch, machine(&[], &[]));
    let names: Vec<_> = alone.env.keys().filter_map(|name| name.to_str()).collect();
    let pinned = |plan: &Plan| session(&launch, plan)["env"].as_object().expect("pins").clone();
    let pins = pinned(&alone);
    assert!([CONFIG, DATA, "CRUSH_CLIENT_SERVER"].iter().all(|name| pins.contains_key(*name)));
    for (name, start) in names.iter().flat_map(|name| ["", "CRUSH_", "CRUSH_CRUSH_"].map(|it| (name, it))) {
        let bare = name.strip_prefix("CRUSH_").unwrap_or(name);
        let json = json!({"env": {format!("{start}{name}"): "x", bare: "/evil"}}).to_string();
        let dotenv = format!("{start}{name}=x\n{bare}=/evil\n");
        for (file, text) in [("crush.json", &json), (".crush.json", &json), (".env", &dotenv)] {
            let planned = plan(&launch, machine(&[], &[(&format!("/h/p/{file}"), text)]));
            let now = pinned(&planned);
            for (pin, value) in &pins {
                assert_eq!(now.get(pin), Some(value), "{pin} with {file}: {text}");
            }
            for (name, value) in &alone.env {
                let (now, nothing) = (&planned.env[name], Some(Value::from("")));
                assert!(now == value || (value.is_none() && *now == nothing), "{name:?} with {file}: {text}");
            }
        }
    }
}

#[test]
fn no_name_of_a_projects_becomes_a_command_of_ours() {
    let named = json!({"env": {"CRUSH_(id)": "x", "CRUSH_{ id; }": "x", "CRUSH_A`id`": "x", "CRUSH_X=1": "x",
        "CRUSH_CRUSH_CRUSH_HTTP_PROXY": "x", "CRUSH_CRUSH_CACHE_DIR": "x"}})
    .to_string();
    let launch = launch(&[]);
    let plan = plan(&launch, machine(&[], &[("/h/p/crush.json", &named)]));
    let session = session(&launch, &plan);
    for (name, value) in [
        ("CRUSH_(id)", ""),
        ("CRUSH_{ id; }", ""),
        ("CRUSH_A`id`", ""),
        ("CRUSH_CRUSH_CRUSH_HTTP_PROXY", "$HTTP_PROXY"),
        ("CRUSH_CRUSH_CACHE_DIR", "$CRUSH_CACHE_DIR"),
    ] {
        assert_eq!(session["env"][name], value, "{name}");
    }
    assert!(plan.env.keys().all(|name| !name.as_encoded_bytes().contains(&b'=')), "{:?}", plan.env);
}

#[test]
fn what_crush_reads_before_its_settings_cannot_come_from_a_dotenv() {
    let set = |text: &str, name: &str| env(&plan(&launch(&[]), machine(&[], &[("/h/p/.env", text)])), name);
    for name in ["CRUSH_PROFILE", "CRUSH_NEW_IN_2027", "HYPER_URL", "CATWALK_URL"] {
        assert_eq!(set(&format!("{name}=1"), name).as_deref(), Some(""), "{name}");
        assert_eq!(set("", name), None, "{name}");
    }
}

#[test]
fn crushs_own_variables_go_but_for_those_that_move_nothing() {
    let inherited = [
        ("CRUSH_HTTP_PROXY", "x"),
        ("CRUSH_NEW_IN_2027", "x"),
        ("CRUSH_DISABLE_METRICS", "1"),
        ("OPENAI_API_KEY", "sk-own"),
        ("OPENAI_NEW", "x"),
        ("AGENT_RUN_HEADER_1_0123abcd", "x"),
        ("AGENT_RUN_API_KEY_0123abcd", "x"),
        ("ANTHROPIC_NEW", "x"),
        ("HYPER_URL", "x"),
        ("CATWALK_URL", "x"),
    ];
    let plan = plan(&launch(&[]), machine(&inherited, &[]));
    let gone: Vec<_> =
        inherited.iter().filter(|(name, _)| plan.env.get(OsStr::new(name)) == Some(&None)).collect();
    assert_eq!(
        gone,
        [&[&inherited[0], &inherited[1]], &inherited[4..].iter().collect::<Vec<_>>()[..]].concat()
    );
}

#[test]
fn the_variable_of_the_key_stays_only_where_the_users_own_server_names_it() {
    let launch = Launch { key_variables: ["MY_KEY".into()].into(), ..launch(&[]) };
    let stays = |path: &str, text: &str| {
        let plan = plan(&launch, machine(&[("MY_KEY", "sk")], &[(path, text)]));
        !plan.env.contains_key(OsStr::new("MY_KEY"))
    };
    let server = r#"{"mcp": {"a": {"url": "u", "headers": {"A": "$MY_KEY"}}}}"#;
    assert!(stays("/h/.config/crush/crush.json", server));
    assert!(stays("/h/.config/crush/crushrc", "mcp add a --header \"A: $MY_KEY\""));
    assert!(!stays("/h/.config/crush/crushrc", "provider add a --api-key $MY_KEY"));
    assert!(!stays("/h/.config/crush/crush.json", r#"{"providers": {"a": {"api_key": "$MY_KEY"}}}"#));
    assert!(!stays("/h/p/crush.json", server));
}

#[test]
fn a_key_does_not_stay_under_the_name_of_a_variable_that_is_spared() {
    for name in ["OPENAI_API_KEY", "ANTHROPIC_API_KEY"] {
        let launched = Launch { key_variables: [name.into()].into(), ..launch(&[]) };
        let gone = |launch: &Launch, files: &[(&str, &str)]| {
            plan(launch, machine(&[(name, "sk")], files)).env.get(OsStr::new(name)) == Some(&None)
        };
        assert!(gone(&launched, &[]), "{name}");
        assert!(gone(&Launch { foreign_keys: [name.to_owned()].into(), ..launch(&[]) }, &[]), "{name}");
        assert!(!gone(&launch(&[]), &[]), "{name} of the user's own tools");
        let server = format!(r#"{{"mcp": {{"a": {{"url": "u", "headers": {{"A": "${name}"}}}}}}}}"#);
        assert!(!gone(&launched, &[("/h/.config/crush/crush.json", &server)]), "{name}");
    }
}

#[test]
fn what_is_spared_is_of_the_family_and_has_a_reason() {
    for (name, reason) in variables::SPARED {
        let is_family = variables::FAMILY.iter().any(|pattern| crate::inputs::matches(pattern, name));
        assert!(is_family && !variables::FAMILY.contains(name), "{name}");
        assert!(!reason.is_empty(), "{name}");
    }
}

#[test]
fn what_would_leave_a_server_behind_is_refused() {
    for command in ["server", "logout", "signout"] {
        let error =
            Message::of(&try_plan(&launch(&["-d", command]), machine(&[], &[])).expect_err(command)).render();
        assert!(error.contains(command) && error.contains("\nhelp: "), "{error}");
    }
}

#[test]
fn a_script_that_is_gone_is_emptied() {
    let stale = format!("{}/config/crushrc", runtime(&launch(&[])));
    let stale = [(stale.as_str(), "source /h/.config/crush/crushrc")];
    assert_eq!(file(&plan(&launch(&[]), machine(&[], &stale)), "config/crushrc"), "");
    assert!(!plan(&launch(&[]), machine(&[], &[])).files.keys().any(|path| path.ends_with("crushrc")));
}

#[test]
fn proxies_are_those_of_the_launch() {
    let proxy = |launch: &Launch, name: &str| {
        env(&plan(launch, machine(&[("HTTP_PROXY", "http://inherited")], &[])), name)
    };
    assert_eq!(proxy(&launch(&[]), "HTTP_PROXY"), None, "stays as it is");
    let none = Launch { proxy: Proxy::None, ..launch(&[]) };
    assert_eq!(proxy(&none, "HTTP_PROXY").as_deref(), Some(""));
    let own = Launch { proxy: Proxy::Url("http://own".into()), ..launch(&[]) };
    assert_eq!(proxy(&own, "HTTPS_PROXY").as_deref(), Some("http://own"));
}

#[test]
fn a_users_file_that_crush_refuses_stops_the_launch() {
    let broken = machine(&[], &[("/h/.config/crush/crush.json", "{\n// x\n}")]);
    let error = Message::of(&try_plan(&launch(&[]), broken).expect_err("refused")).render();
    assert!(error.starts_with("could not read /h/.config/crush/crush.json:2:1: "), "{error}");
}

#[test]
fn a_base_url_that_would_end_every_start_is_set_to_nothing() {
    let name = "OPENAI_BASE_URL";
    let planned = |variables: &[(&str, &str)], files: &[(&str, &str)]| {
        let plan = plan(&launch(&[]), machine(variables, files));
        let pinned = session(&launch(&[]), &plan)["env"].get("CRUSH_OPENAI_BASE_URL").is_some();
        (env(&plan, name), pinned)
    };
    let nothing = Some(String::new());
    assert_eq!(planned(&[(name, "127.0.0.1:1")], &[]), (nothing.clone(), false));
    assert_eq!(planned(&[(name, "http://127.0.0.1:1")], &[]), (None, false));
    let dotenv = ("/h/p/.env", "OPENAI_BASE_URL=127.0.0.1:1\n");
    assert_eq!(planned(&[], &[dotenv]), (nothing, true));
    assert_eq!(planned(&[(name, "http://127.0.0.1:1")], &[dotenv]), (None, true));
    assert_eq!(planned(&[], &[]), (None, false));
}
