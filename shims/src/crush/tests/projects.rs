//! What a project's files would make Crush do before anyone sees it.

use super::*;

fn warnings(plan: &Plan) -> Vec<String> {
    let warning = |note: &Note| match note {
        Note::Warning(text) => Some(text.render()),
        Note::Info(_) => None,
    };
    plan.notes.iter().filter_map(warning).collect()
}

const NAMES: [&str; 26] = [
    "GIT_CONFIG_COUNT",
    "GIT_NEW_IN_2027",
    "UV_FIND_LINKS",
    "UV_NEW_IN_2027",
    "Pip_Find_Links",
    "YARN_NPM_REGISTRY_SERVER",
    "RUBYGEMS_GEMDEPS",
    "UV_INDEX_MINE_URL",
    "DOCKER_HOST",
    "CARGO_REGISTRIES_X_INDEX",
    "LD_PRELOAD",
    "XDG_CONFIG_HOME",
    "Npm_Config_Registry",
    "NODE_OPTIONS",
    "CRUSH_LD_PRELOAD",
    "PYTHONPATH",
    "TERMUX_VERSION",
    "RES_OPTIONS",
    "CCACHE_PREFIX",
    "PWD",
    "TCL_LIBRARY",
    "YACC",
    // By their endings alone.
    "C_INCLUDE_PATH",
    "PSModulePath",
    "NEW_IN_2027_OPTIONS",
    "NEW_IN_2027_HOME",
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
    let names = "GIT_DIR GIT_WORK_TREE GIT_SSH_COMMAND GIT_SSL_NO_VERIFY HOME PATH CRUSH_PATH BUNDLER_SETUP PIPX_HOME \
                 BUN_INSTALL_CACHE_DIR Yarn_Cache_Folder MISE_DATA_DIR COMPILER_PATH LIBRARY_PATH GUILE_LOAD_PATH CAML_LD_LIBRARY_PATH";
    for name in names.split_whitespace() {
        let files = [("/h/p/.env", &*format!("export {name}=./evil\n"))];
        let error = Message::of(&try_plan(&launch(&[]), machine(&[], &files)).expect_err(name)).render();
        assert!(error.contains(&format!("/h/p/.env sets {name}. ")) && error.contains("\nhelp: "), "{error}");
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
fn what_the_config_sets_stays_whatever_a_project_names() {
    let own = Launch { extra_env: [("TEAM".to_owned(), "mine".into())].into(), ..launch(&[]) };
    let settings = json!({"env": {"TEAM": "evil", "CRUSH_TEAM": "evil", "OTHER": "x"}}).to_string();
    let planned = plan(&own, machine(&[], &[("/h/p/crush.json", &settings)]));
    let pins = session(&own, &planned)["env"].clone();
    for name in ["TEAM", "CRUSH_TEAM"] {
        assert!(pins[name].as_str().is_some_and(|value| value.contains("TEAM")), "{name}: {pins}");
    }
    assert_eq!(pins.get("OTHER"), None);
}

#[test]
fn what_chooses_no_code_is_the_projects() {
    let names = "DATABASE_URL DJANGO_SETTINGS_MODULE GOOGLE_API_KEY GOERLI_RPC_URL LDAP_URL PATHS HGTV ENV AWS_PROFILE \
                 PHPMYADMIN_PORT RUSTFS_KEY DART_API_KEY PYTHONANYWHERE_TOKEN NODE_PORT DENO_ENV POETRY_VERSION \
                 COMPOSE_PROJECT_NAME MIX_PUSHER_APP_KEY MIX_ENV SSH_HOST SSH_PRIVATE_KEY CONTAINER_NAME TF_VAR_x \
                 GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL GIT_TOKEN GIT_BRANCH GIT_COMMIT_SHA GIT_ATTR_SOURCE GH_TOKEN \
                 NODE_ENV NODE_AUTH_TOKEN NPM_TOKEN YARN_NPM_AUTH_TOKEN PYTHONUNBUFFERED PYTHONDONTWRITEBYTECODE \
                 UV_LINK_MODE UV_PUBLISH_TOKEN UV_INDEX_MINE_PASSWORD RUST_LOG RUST_BACKTRACE CARGO_REGISTRY_TOKEN \
                 CARGO_REGISTRIES_X_TOKEN CGO_ENABLED GOOS GOMAXPROCS BUNDLE_ID RUBY_VERSION DOTNET_ENVIRONMENT \
                 DOCKER_IMAGE DOCKER_BUILDKIT DOCKER_DEFAULT_PLATFORM DOCKER_USERNAME LD_SDK_KEY PHP_IDE_CONFIG \
                 DATABASE_PATH API_BASE_PATH LOG_PATH SSL_KEY_PATH WP_HOME FEATURE_FLAGS DB_OPTIONS TABLE_PREFIX";
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
    inputs.facts.insert(
        "/h/p/.env".into(),
        Fact::Unreadable(std::io::Error::other("it is larger than 64 MiB").into()),
    );
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

#[test]
fn a_context_path_is_looked_at_where_crush_expands_it_to() {
    let texts = |own: &str, project: &str, env: &[(&str, &str)]| {
        let files =
            [("/h/.config/crush/crush.json", own), ("/h/p/crush.json", project), ("/h/p/.env", "Q=/h/k")];
        let launch = launch(&[]);
        let inputs = known(&launch, machine(env, &files));
        let refused = Plan::of(&Crush, &launch, &inputs).is_err();
        let texts = context::named(&launch, &inputs).into_iter().map(|text| text.path.display().to_string());
        (refused, texts.collect::<Vec<_>>())
    };
    let project = r#"{"options": {"context_paths": ["$NOTES/../k"]}}"#;
    let home = [("HOME", "/h"), ("OPENAI_X", "/x")];
    let own = |notes: &str| json!({"env": {"NOTES": notes}}).to_string();
    assert_eq!(texts(&own("${HOME}/notes"), project, &home), (false, vec!["/h/notes/../k".to_owned()]));
    // By the project's variable, one that a launch removes, and what nobody knows.
    for notes in ["$Q", "$OPENAI_X", "${NOPE:-/h/notes}", "$(pwd)"] {
        assert!(texts(&own(notes), project, &home).0, "{notes}");
    }
    for path in ["$Q", "$OPENAI_X/h/k"] {
        let own = json!({"options": {"context_paths": [path]}}).to_string();
        assert!(texts(&own, "{}", &home).0, "{path} of the user's own");
    }
    let own = r#"{"options": {"context_paths": ["$HOME/x", "docs/../k"]}}"#;
    assert_eq!(texts(own, "{}", &home), (false, vec!["/h/x".to_owned(), "/h/p/k".to_owned()]));
}

#[test]
fn what_is_a_projects_own_is_so_for_a_family_that_is_not() {
    use crate::inputs::matches;
    use crate::judged::crush::{PROJECT_OVERRULED, PROJECT_OWN, PROJECT_PLAIN, PROJECT_SUPPOSED};
    for own in PROJECT_OWN {
        let name = own.replace('*', "X");
        let family = |name: &str| PROJECT_OVERRULED.iter().any(|(pattern, _)| matches(pattern, name));
        assert!(family(&name) || family(&name.to_ascii_lowercase()), "{own} is in no family");
        assert!(!variables::runs_programs(&name), "{own}");
    }
    for plain in PROJECT_PLAIN {
        let name = plain.replace('*', "x");
        assert!(PROJECT_SUPPOSED.iter().any(|ending| matches(ending, &name)), "{plain} has no such ending");
        assert!(!variables::runs_programs(&name.to_ascii_uppercase()), "{plain}");
    }
}
