//! Whole plans, and the launch that the other tests start from.

use std::path::Path;

use serde_json::json;

use super::*;
use crate::{Dirs, Fact, Link, Model, Note, Origin, Sourced, Tiers};

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

fn try_plan(launch: &Launch, mut inputs: Inputs) -> Result<Plan> {
    for path in Crush.reads(launch, &inputs) {
        inputs.facts.entry(path).or_insert(Fact::Absent);
    }
    Plan::of(&Crush, launch, &inputs)
}

fn plan(launch: &Launch, inputs: Inputs) -> Plan {
    try_plan(launch, inputs).expect("planned")
}

fn file(plan: &Plan, end: &str) -> String {
    let found: Vec<_> = plan.files.iter().filter(|(path, _)| path.ends_with(end)).collect();
    assert_eq!(found.len(), 1, "{end}");
    String::from_utf8(found[0].1.contents.clone()).expect("UTF-8")
}

fn env(plan: &Plan, name: &str) -> Option<String> {
    plan.env.get(OsStr::new(name)).and_then(Option::as_ref).map(Value::to_string)
}

const SESSION: &str = "/h/.local/state/agent-run/crush/data/kimi/57616822aeb0fcb0";

#[test]
fn crush_is_given_folders_of_ours_and_the_users_words() {
    let plan = plan(&launch(&["run", "-q", "hi"]), machine(&[], &[]));
    assert_eq!(plan.args, [&format!("--data-dir={SESSION}"), "run", "-q", "hi"]);
    assert_eq!(env(&plan, CONFIG).as_deref(), Some("/h/.cache/agent-run/crush/kimi/config"));
    assert_eq!(env(&plan, DATA).as_deref(), Some("/h/.local/state/agent-run/crush/global"));
    assert_eq!(env(&plan, KEY).as_deref(), Some("<key>"));
    assert_eq!(env(&plan, "CRUSH_CLIENT_SERVER").as_deref(), Some("0"));
    for name in ["HTTPS_PROXY", "OPENAI_CUSTOM_HEADERS", "AGENT_RUN_ORIG_CRUSH_GLOBAL_CONFIG"] {
        assert_eq!(env(&plan, name).as_deref(), Some(""), "{name} cannot come from a .env");
    }
    assert_eq!(plan.env[OsStr::new("OPENAI_ORG_ID")], None);
    assert!(!plan.env.contains_key(OsStr::new("ANTHROPIC_AUTH_TOKEN")), "only with the other protocol");
    let ours = [Path::new("/h/.cache/agent-run"), Path::new("/h/.local/state/agent-run")];
    let touched = plan.files.keys().chain(&plan.dirs).chain(plan.links.keys());
    assert!(touched.into_iter().all(|path| ours.iter().any(|base| path.starts_with(base))));
    assert!(plan.notes.is_empty() && plan.merges.is_empty() && plan.user_dirs.is_empty());
}

#[test]
fn the_users_settings_are_read_and_linked() {
    let own = r#"{"env": {"HTTPS_PROXY": "http://corp", "OPENAI_CUSTOM_HEADERS": "X: y"}}"#;
    let files = [("/h/.config/crush/crush.json", own), ("/h/.config/crush/crushrc", "option debug true")];
    let plan = plan(&launch(&[]), machine(&[], &files));
    let to = |target: &str| Some(Link { target: target.into(), replaces_folder: false });
    let home = Path::new("/h/.cache/agent-run/crush/kimi");
    assert_eq!(plan.links[&home.join("config/CRUSH.md")], to("/h/.config/crush/CRUSH.md"));
    assert_eq!(plan.links[&home.join("AGENTS.md")], to("/h/.config/AGENTS.md"));
    assert_eq!(
        file(&plan, "config/crushrc"),
        "provider() { :; }\nmodel() { :; }\ncd /h/.config/crush || exit 1\nsource /h/.config/crush/crushrc\n"
    );
    let session: Json = serde_json::from_str(&file(&plan, &format!("{SESSION}/crush.json"))).expect("JSON");
    let env = &session["env"];
    assert_eq!(
        (&env[KEY], &env["OPENAI_CUSTOM_HEADERS"]),
        (&json!("$AGENT_RUN_API_KEY"), &json!("$OPENAI_CUSTOM_HEADERS"))
    );
    assert_eq!((&env["HTTPS_PROXY"], &env["HTTP_PROXY"]), (&json!("http://corp"), &json!("$HTTP_PROXY")));
}

#[test]
fn a_script_that_is_gone_is_emptied() {
    let stale = [("/h/.cache/agent-run/crush/kimi/config/crushrc", "source /h/.config/crush/crushrc")];
    assert_eq!(file(&plan(&launch(&[]), machine(&[], &stale)), "config/crushrc"), "");
    assert!(!plan(&launch(&[]), machine(&[], &[])).files.keys().any(|path| path.ends_with("crushrc")));
}

#[test]
fn an_isolated_launch_shares_nothing() {
    let own = [("/h/.config/crush/crush.json", "not JSON"), ("/h/.config/crush/crushrc", "exit 1")];
    let isolated = Launch { isolated: true, ..launch(&[]) };
    assert!(Crush.reads(&isolated, &machine(&[], &own)).iter().all(|path| !path.starts_with("/h/.config")));
    let plan = plan(&isolated, machine(&[], &own));
    assert!(plan.links.values().all(Option::is_none));
    assert!(!plan.files.keys().any(|path| path.ends_with("crushrc")));
    let base = "/h/.local/state/agent-run/crush/isolated/kimi";
    assert_eq!(env(&plan, DATA), Some(format!("{base}/global")));
    assert!(plan.args[0].to_string_lossy().starts_with(&format!("--data-dir={base}/data/")));
    assert!(env(&plan, "CRUSH_SKILLS_DIR").is_some());
}

#[test]
fn within_a_launch_the_settings_outside_of_it_count() {
    let outer = "/elsewhere/agent-run/crush/other/config";
    let inner = [(CONFIG, outer), ("AGENT_RUN_ORIG_CRUSH_GLOBAL_CONFIG", "/own")];
    let outside = plan(&launch(&[]), machine(&inner, &[]));
    assert_eq!(env(&outside, "AGENT_RUN_ORIG_CRUSH_GLOBAL_CONFIG").as_deref(), Some("/own"));
    let reads = |env: &[(&str, &str)]| Crush.reads(&launch(&[]), &machine(env, &[]));
    assert!(reads(&inner).contains(&"/own/crush.json".into()));
    assert!(reads(&[(CONFIG, outer)]).contains(&"/h/.config/crush/crush.json".into()));
    assert!(
        reads(&[(CONFIG, "rel"), ("AGENT_RUN_ORIG_CRUSH_GLOBAL_CONFIG", "/own")])
            .contains(&"/h/p/rel/crush.json".into())
    );
    assert!(reads(&[(DATA, "/data")]).contains(&"/data/crush.json".into()));
}

#[test]
fn the_users_own_session_folder_is_used_and_warned_of() {
    let plan = plan(&launch(&["--data-dir", "/mine"]), machine(&[], &[]));
    assert_eq!(plan.args, ["--data-dir", "/mine"]);
    assert!(matches!(&plan.notes[..], [Note::Warning(text)] if text.contains("\nhelp: ")));
    assert_eq!(plan.files.len(), 1, "only the global settings");
}

#[test]
fn projects_and_providers_have_sessions_apart() {
    let flag = |launch: &Launch| plan(launch, machine(&[], &[])).args[0].clone();
    let here = flag(&launch(&[]));
    assert_eq!(flag(&launch(&["run", "--cwd", ".", "hi"])), here);
    assert_ne!(flag(&launch(&["--cwd=/h/other"])), here);
    assert_ne!(flag(&Launch { provider: "glm".into(), ..launch(&[]) }), here);
    let standing = Launch { standing_args: vec!["-c/h/other".into()], ..launch(&[]) };
    assert_eq!(flag(&standing), flag(&launch(&["--cwd=/h/other"])));
}

#[test]
fn a_model_asked_for_is_not_undone_by_a_session() {
    let asked = |args| {
        let model = Sourced::new(Model::named("k2"), Origin::Option("--model"));
        let launch = Launch { model, models: vec![Model::named("old")], ..launch(args) };
        let json: Json = serde_json::from_str(&file(&plan(&launch, machine(&[], &[])), "config/crush.json"))
            .expect("JSON");
        json["providers"]["agent-run-kimi"]["models"].as_array().expect("models").len()
    };
    assert_eq!(asked(&["run", "-C", "hi"]), 1);
    assert_eq!(asked(&["run", "hi"]), 2);
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
    let error = try_plan(&launch(&[]), broken).expect_err("refused").to_string();
    assert!(error.starts_with("could not read /h/.config/crush/crush.json:2:1: "), "{error}");
}
