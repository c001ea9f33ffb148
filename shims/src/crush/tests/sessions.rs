//! Whose sessions a launch goes on with, and where they are.

use super::*;

#[test]
fn a_provider_may_keep_its_sessions_apart() {
    let folder = |launch: &Launch| {
        let plan = plan(launch, machine(&[], &[]));
        let links = plan.links.iter().filter(|(path, _)| path.ends_with("crush.db"));
        let targets: Vec<_> = links.filter_map(|(_, link)| Some(link.as_ref()?.target.clone())).collect();
        targets.into_iter().next().expect("a link")
    };
    let own = folder(&Launch { sessions: crate::Sessions::Own, ..launch(&[]) });
    assert!(own.starts_with("/h/.local/state/agent-run/crush/own/kimi"), "{}", own.display());
    assert!(folder(&launch(&[])).starts_with("/h/.local/state/agent-run/crush/projects"));
}

#[test]
fn an_isolated_launch_shares_nothing() {
    let own = [("/h/.config/crush/crush.json", "not JSON"), ("/h/.config/crush/crushrc", "exit 1")];
    let isolated = Launch { isolated: true, ..launch(&[]) };
    let asked = asked(&isolated, &mut machine(&[], &own));
    assert!(!asked.is_empty() && asked.iter().all(|path| !path.starts_with("/h/.config")));
    let plan = plan(&isolated, machine(&[], &own));
    let base = "/h/.local/state/agent-run/crush/isolated/kimi";
    assert!(plan.links.values().flatten().all(|link| link.target.starts_with(base)));
    assert!(!plan.files.keys().any(|path| path.ends_with("crushrc")));
    assert_eq!(env(&plan, DATA), Some(format!("{base}/global")));
    assert_eq!(env(&plan, "CRUSH_SKILLS_DIR"), Some(format!("{base}/config/skills")), "whatever the model");
    assert!(plan.dirs.contains(Path::new(&format!("{base}/config"))));
}

#[test]
fn within_a_launch_the_settings_outside_of_it_count() {
    let outer = "/elsewhere/agent-run/crush/other/config";
    let inner = [(CONFIG, outer), ("AGENT_RUN_ORIG_CRUSH_GLOBAL_CONFIG", "/own")];
    let outside = plan(&launch(&[]), machine(&inner, &[]));
    assert_eq!(env(&outside, "AGENT_RUN_ORIG_CRUSH_GLOBAL_CONFIG").as_deref(), Some("/own"));
    let reads = |env: &[(&str, &str)]| asked(&launch(&[]), &mut machine(env, &[]));
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
    assert!(
        plan.notes
            .iter()
            .any(|note| matches!(note, Note::Warning(text) if text.render().contains("\nhelp: ")))
    );
    assert_eq!(plan.files.len(), 1, "only the global settings");
    let settings: Json = serde_json::from_str(&file(&plan, "config-with-provider/crush.json")).expect("JSON");
    assert_eq!(settings["models"]["large"]["provider"], "agent-run-kimi-xxxxxxxx");
}

#[test]
fn a_project_has_one_history_and_each_choice_a_folder_of_its_own() {
    let places = |launch: &Launch| {
        let plan = plan(launch, machine(&[], &[]));
        let folder = plan.args[0].to_string_lossy().replace("--data-dir=", "");
        let database = plan.links[Path::new(&format!("{folder}/crush.db"))].clone().expect("a link");
        (folder, database.target)
    };
    let (folder, history) = places(&launch(&[]));
    // Git may answer with a folder above then, so that other files are looked at.
    let named = places(&launch(&["run", "--cwd", ".", "hi"]));
    assert!(named.0 != folder && named.1 == history);
    let elsewhere = places(&launch(&["--cwd=/h/other"]));
    assert!(elsewhere.0 != folder && elsewhere.1 != history);
    let standing = Launch { standing_args: vec!["-c/h/other".into()], ..launch(&[]) };
    assert_eq!(places(&standing), elsewhere);

    let mut others = vec![launch(&[]); 4];
    others[0].provider = "glm".into();
    others[1].model.value.id = "k3".into();
    others[2].protocol.value = Protocol::Anthropic;
    others[3].args = vec!["-C".into()];
    for other in &others {
        let (own, shared) = places(other);
        assert!(own != folder && shared == history, "{own}");
    }
}

#[test]
fn a_session_that_is_taken_up_goes_on_with_the_launchs_model() {
    let listed = |args| {
        let launch = Launch { models: vec![Model::named("old")], ..launch(args) };
        let plan = plan(&launch, machine(&[], &[]));
        let path = plan.args[0].to_string_lossy().replace("--data-dir=", "") + "/crush.json";
        let json: Json = serde_json::from_str(&file(&plan, &path)).expect("JSON");
        json["providers"]["agent-run-kimi-xxxxxxxx"]["models"].as_array().expect("models").len()
    };
    assert_eq!(listed(&["run", "-C", "hi"]), 1);
    assert_eq!(listed(&["run", "hi"]), 2);
}
