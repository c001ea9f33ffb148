//! What a project's files would make Crush do before anyone sees it.

use super::*;

fn warnings(plan: &Plan) -> Vec<String> {
    let warning = |note: &Note| match note {
        Note::Warning(text) => Some(text.render()),
        Note::Info(_) => None,
    };
    plan.notes.iter().filter_map(warning).collect()
}

const NAMES: [&str; 9] = [
    "GIT_CONFIG_COUNT",
    "GIT_TEST_FSMONITOR",
    "LD_PRELOAD",
    "XDG_CONFIG_HOME",
    "DOCKER_CONFIG",
    "Npm_Config_Registry",
    "NODE_OPTIONS",
    "CRUSH_LD_PRELOAD",
    "PYTHONPATH",
];

#[test]
fn a_dotenv_sets_none_by_which_a_program_runs_another() {
    for name in NAMES {
        let files = [("/h/p/.env", &*format!("{name}: ./evil\nFINE=1\n"))];
        let planned = plan(&launch(&[]), machine(&[], &files));
        assert_eq!(env(&planned, name).as_deref(), Some(""), "{name}");
        assert_eq!(env(&planned, "FINE"), None);
        let said = warnings(&planned);
        assert!(
            matches!(&said[..], [one] if one.starts_with(&format!("set to an empty value in this launch: {name} in /h/p/.env"))),
            "{said:?}"
        );
        if name.starts_with("CRUSH_") {
            continue;
        }
        // Crush does not take what is set already, be it by the user or by the config.
        let planned = plan(&launch(&[]), machine(&[(name, "mine")], &files));
        assert_eq!((env(&planned, name), warnings(&planned)), (None, vec![]), "{name}");
        if name == "XDG_CONFIG_HOME" {
            continue; // refused there
        }
        let own = Launch { extra_env: [(name.to_owned(), "mine".into())].into(), ..launch(&[]) };
        let planned = plan(&own, machine(&[], &files));
        assert_eq!((env(&planned, name).as_deref(), warnings(&planned)), (Some("mine"), vec![]), "{name}");
    }
}

#[test]
fn a_dotenv_that_sets_what_cannot_be_empty_stops_the_launch() {
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_SSH_COMMAND", "HOME", "PATH", "CRUSH_PATH"] {
        let files = [("/h/p/.env", &*format!("export {name}=./evil\n"))];
        let error = Message::of(&try_plan(&launch(&[]), machine(&[], &files)).expect_err(name)).render();
        assert!(error.contains(&format!("/h/p/.env sets {name}, ")) && error.contains("\nhelp: "), "{error}");
        if !name.starts_with("CRUSH_") {
            let planned = plan(&launch(&[]), machine(&[(name, "/mine")], &files));
            assert_eq!((env(&planned, name), warnings(&planned)), (None, vec![]), "{name}");
        }
    }
}

#[test]
fn settings_of_a_project_leave_them_as_they_are() {
    let launch = launch(&[]);
    for name in NAMES.into_iter().chain(["GIT_DIR", "PATH", "HOME", "CRUSH_GIT_DIR", "BASH_FUNC_git%%"]) {
        let settings = json!({"Env": {name: "./evil", "FINE": "1"}}).to_string();
        let planned = plan(&launch, machine(&[], &[("/h/p/crush.json", &settings)]));
        let bare = name.strip_prefix("CRUSH_").unwrap_or(name);
        let kept = if bare.contains('%') { String::new() } else { format!("${{{bare}?}}") };
        let pins = session(&launch, &planned)["env"].clone();
        assert_eq!((&pins[name], pins.get("FINE")), (&json!(kept), None), "{name}");
        assert_eq!(env(&planned, bare), None, "an empty one would be one that is set: {name}");
        let said = warnings(&planned);
        assert!(
            matches!(&said[..], [one] if one.starts_with(&format!("without effect in this launch: Env.{name} in /h/p/crush.json"))),
            "{said:?}"
        );
        let own = json!({"env": {bare: "mine"}}).to_string();
        let files = [("/h/p/crush.json", &*settings), ("/h/.config/crush/crush.json", &*own)];
        let planned = plan(&launch, machine(&[], &files));
        assert_eq!(session(&launch, &planned)["env"][name], "mine", "{name} of the user's own settings");
    }
}

#[test]
fn what_only_commands_builds_and_editors_use_is_the_projects() {
    let names = "GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL PATHS RUST_LOG GOOGLE_API_KEY LDAP_URL NPM_TOKEN \
                 CARGO_REGISTRY_TOKEN GIT_TOKEN GIT_BRANCH DOCKER_IMAGE DOCKER_BUILDKIT BUNDLE_ID HGTV ENV CC CXX \
                 CARGO_TARGET_DIR RUSTC EDITOR VISUAL GIT_ATTR_SOURCE LUA_PATH JULIA_DEPOT_PATH PHP_INI_SCAN_DIR \
                 UV_CACHE_DIR PYTHONUNBUFFERED CGO_ENABLED DOTNET_ENVIRONMENT";
    for name in names.split_whitespace() {
        let settings = json!({"env": {name: "x"}}).to_string();
        let files = [("/h/p/.env", &*format!("{name}=x\n")), ("/h/p/crush.json", &*settings)];
        let planned = plan(&launch(&[]), machine(&[], &files));
        assert_eq!((env(&planned, name), warnings(&planned)), (None, vec![]), "{name}");
        assert_eq!(session(&launch(&[]), &planned)["env"].get(name), None);
    }
}

#[test]
fn a_pipe_in_place_of_a_projects_file_stops_the_launch() {
    for name in judged::PLACE_READ {
        let mut inputs = machine(&[], &[]);
        inputs.facts.insert(Path::new("/h/p").join(name), Fact::Stream);
        let error = Message::of(&try_plan(&launch(&[]), inputs).expect_err(name)).render();
        assert!(error.contains(&format!("/h/p/{name}: it is not")) && error.contains("\nhelp: "), "{error}");
    }
}

#[test]
fn a_dotenv_that_only_crush_would_read_stops_the_launch() {
    let mut inputs = machine(&[], &[]);
    inputs.facts.insert("/h/p/.env".into(), Fact::Unreadable("it is larger than 64 MiB".into()));
    let error = Message::of(&try_plan(&launch(&[]), inputs).expect_err("refused")).render();
    assert!(error.contains("/h/p/.env: it is larger than 64 MiB\nhelp: "), "{error}");
}

#[test]
fn a_context_path_that_may_hold_the_key_stops_the_launch() {
    let refusal = |text: &str, dotenv: &str| {
        let files = [("/h/p/crush.json", text), ("/h/p/.env", dotenv)];
        try_plan(&launch(&[]), machine(&[], &files)).err().map(|error| Message::of(&error).render())
    };
    for text in [
        r#"{"options": {"context_paths": ["README.md", "/proc/self/environ"]}}"#,
        r#"{"OPTION\u017f": {"Context_Paths": ["../../proc/self/environ"]}}"#,
        r#"{"options": {"global_context_paths": ["$DOCS/x"]}}"#,
    ] {
        let error = refusal(text, "DOCS=/proc/self").expect(text);
        assert!(error.contains(" in /h/p/crush.json ") && error.contains("\nhelp: "), "{error}");
    }
    assert_eq!(refusal(r#"{"options": {"context_paths": ["$DOCS/x", "a.md"]}}"#, ""), None);
}
