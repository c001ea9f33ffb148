//! The runtime home: what is linked, and what is left out.

use super::*;

#[test]
fn an_isolated_home_takes_nothing_and_lets_go_of_what_it_had() {
    let files = [("/h/.codex/config.toml", "a=1"), ("/h/.codex/AGENTS.md", "x"), ("/h/.codex/.env", "A=1")];
    let mut machine = machine(&files);
    let link = Entry { name: "AGENTS.md".into(), kind: EntryKind::Link("/h/.codex/AGENTS.md".into()) };
    machine.facts.insert("/s/codex/p/isolated/home".into(), Fact::Dir(vec![link]));
    let isolated = Launch { isolated: true, ..launch() };
    assert!(
        !Codex
            .required_files(&isolated, &machine)
            .iter()
            .any(|path| path == Path::new("/h/.codex/config.toml"))
    );
    let plan = plan(&isolated, &machine).expect("a plan");
    assert!(!written(&plan, "/s/codex/p/isolated/home/config.toml").contains("a = 1"));
    assert_eq!(plan.links[Path::new("/s/codex/p/isolated/home/AGENTS.md")], None);
    assert!(plan.links.values().flatten().all(|link| link.target.starts_with("/s")));
}

#[test]
fn the_users_home_is_linked_but_for_what_is_a_homes_own() {
    let own =
        ["auth.json", "state_5.sqlite-wal", "memories", "installation_id", ".tmp-x", "session_index.jsonl"];
    let shared = ["AGENTS.md", "work.config.toml", ".credentials.json", "instr.md"];
    let paths: Vec<_> = own.iter().chain(&shared).map(|name| format!("/h/.codex/{name}")).collect();
    let files: Vec<_> = paths.iter().map(|path| (path.as_str(), "")).collect();
    let plan = plan(&launch(), &machine(&files)).expect("a plan");
    let linked = |name: &str| plan.links.contains_key(&Path::new(HOME).join(name));
    assert!(shared.iter().all(|name| linked(name)));
    assert!(!own.iter().any(|name| linked(name)));
}

#[test]
fn a_launch_from_within_a_session_finds_the_users_own_home() {
    let mut machine = machine(&[
        ("/s/codex-shared/home-1/.agent-run.json", r#"{"real_home":"/mine"}"#),
        ("/s/codex-shared/home-1/AGENTS.md", "not this"),
        ("/mine/config.toml", "a = 1"),
        ("/mine/AGENTS.md", ""),
    ]);
    machine.env.insert("CODEX_HOME".into(), "/s/codex-shared/home-1".into());
    let inside = plan(&launch(), &machine).expect("a plan");
    let home =
        inside.env[std::ffi::OsStr::new("CODEX_HOME")].as_ref().and_then(Value::plain).expect("a home");
    let home = home.into_string().expect("UTF-8");
    assert!(home != HOME && home.starts_with("/s/codex-shared/home-"), "another home of the user's: {home}");
    assert!(written(&inside, &format!("{home}/config.toml")).contains("a = 1"));
    let link = inside.links[&Path::new(&*home).join("AGENTS.md")].as_ref().expect("a link");
    assert_eq!(link.target, Path::new("/mine/AGENTS.md"));
    for gone in ["/c/codex/gone", "/s/codex-shared/gone"] {
        machine.env.insert("CODEX_HOME".into(), gone.into());
        let without = plan(&launch(), &machine).expect("a plan");
        assert_eq!(
            written(&without, &format!("{HOME}/.agent-run.json")),
            "{\"real_home\":\"/h/.codex\",\"carried\":true,\"provider_id\":\"agent-run-xxxxxxxx\"}\n"
        );
    }
}

#[test]
fn links_into_a_former_home_go() {
    let mut machine = machine(&[("/s/codex-shared/home/.agent-run.json", r#"{"real_home":"/old"}"#)]);
    let link = |to: &str| EntryKind::Link(to.into());
    let entries = [("x", link("/old/x")), ("y", link("/elsewhere/y"))];
    let entries = entries.map(|(name, kind)| Entry { name: name.into(), kind });
    machine.facts.insert(HOME.into(), Fact::Dir(entries.into()));
    let plan = plan(&launch(), &machine).expect("a plan");
    assert_eq!(plan.links[&Path::new(HOME).join("x")], None);
    assert!(!plan.links.contains_key(&Path::new(HOME).join("y")));
}

#[test]
fn a_dotenv_that_would_undo_the_launch_is_left_out() {
    let linked = |launch: &Launch, text: &str| {
        let plan = plan(launch, &machine(&[("/h/.codex/.env", text)])).expect("a plan");
        let home =
            plan.env[std::ffi::OsStr::new("CODEX_HOME")].as_ref().and_then(Value::plain).expect("a home");
        let has = plan.links.contains_key(&Path::new(&home).join(".env"));
        assert_eq!(warnings(&plan).is_empty(), has, "{text}");
        has
    };
    let local = Sourced::new("http://localhost:1/v1".into(), Origin::Default(String::new()));
    let foreign_keys = ["P_KEY".to_owned()].into();
    let local = Launch { base_url: local, foreign_keys, ..launch() };
    let harmless = "A=1\nP_KEY=x\nOPENAI_API_KEY=x\nHTTPS_PROXY=http://proxy\n# NO_PROXY=x\nCODEX_HOME=/x\n";
    assert!(linked(&local, harmless));
    assert!(!linked(&local, "A=1\n export NO_PROXY = corp"));
    assert!(linked(&launch(), "NO_PROXY=corp"), "a remote provider is reached as the user says");
    assert!(!linked(&launch(), "AGENT_RUN_CODEX_API_KEY_xxxxxxxx=x"));
    assert!(!linked(&launch(), "export\tAGENT_RUN_CODEX_API_KEY_xxxxxxxx=x"), "as dotenvy reads it");
    assert!(!linked(&launch(), "OPENAI_FEDERATION_RULE_ID=x"), "it would stop Codex");
    assert!(!linked(&Launch { proxy: crate::Proxy::None, ..launch() }, "HTTPS_PROXY=http://proxy"));
    let extra_env = [("A".to_owned(), Value::from("2"))].into();
    assert!(!linked(&Launch { extra_env, ..launch() }, "A=1"));
}

#[test]
fn a_launch_without_the_dotenv_shares_everything_else() {
    let machine = machine(&[
        ("/h/.codex/.env", "HTTPS_PROXY=http://proxy"),
        ("/h/.codex/AGENTS.md", "x"),
        ("/h/.codex/auth.json", "x"),
        ("/s/codex-shared/home/themes", "x"),
        ("/s/codex-shared/home/cache", "x"),
        ("/s/codex-shared/home/.env", "kept by hand"),
    ]);
    let plan = plan(&Launch { proxy: crate::Proxy::None, ..launch() }, &machine).expect("a plan");
    let beside = Path::new("/s/codex-shared/home-without-env");
    assert_eq!(plan.env[std::ffi::OsStr::new("CODEX_HOME")], Some(beside.as_os_str().into()));
    let links = plan.links.iter().filter(|(path, _)| path.starts_with(beside));
    let links: Vec<_> =
        links.map(|(path, link)| (path, link.as_ref().expect("a link").target.clone())).collect();
    let mut expected: Vec<_> = [".credentials.json", "AGENTS.md", "config.toml", "history.jsonl", "memories"]
        .into_iter()
        .chain(["mention_usage.json", "plugins", "rules", "session_index.jsonl", "skills", "themes"])
        .chain(["version.json"])
        .map(|name| (beside.join(name), Path::new(HOME).join(name)))
        .chain(
            ["archived_sessions", "sessions", "thread-writer-locks"]
                .map(|name| (beside.join(name), Path::new("/s/codex-shared").join(name))),
        )
        .collect();
    expected.sort();
    assert_eq!(links, expected.iter().map(|(path, target)| (path, target.clone())).collect::<Vec<_>>());
    for name in ["memories", "plugins", "rules", "skills"] {
        assert!(
            plan.dirs.contains(&Path::new(HOME).join(name)),
            "{name}: Codex makes no folder through a link"
        );
    }
    let marker = written(&plan, "/s/codex-shared/home-without-env/.agent-run.json");
    assert_eq!(marker, written(&plan, &format!("{HOME}/.agent-run.json")));
}

#[test]
fn sessions_keep_their_providers_id_when_the_secret_is_another() {
    let with = |secret: u8, facts: &Inputs| Inputs {
        secret: crate::MachineSecret::new([secret; 16]),
        ..facts.clone()
    };
    let id = |inputs: &Inputs| {
        let plan = plan(&launch(), inputs).expect("a plan");
        let id = words(&plan)[1].to_owned();
        (id, plan)
    };
    let (before, first) = id(&with(1, &machine(&[])));
    let there = after(&first, machine(&[]));
    assert_ne!(id(&with(2, &machine(&[]))).0, before, "else it proves nothing");
    let (now, again) = id(&with(2, &there));
    assert_eq!(now, before);
    assert_eq!(
        written(&again, &format!("{HOME}/.agent-run.json")),
        written(&first, &format!("{HOME}/.agent-run.json"))
    );
    // A home of the user's elsewhere has its own folder beside the same sessions.
    let mut elsewhere = with(2, &there);
    elsewhere.env.insert("CODEX_HOME".into(), "/other".into());
    assert_eq!(id(&elsewhere).0, before);
    // What is no id of agent-run's counts as none.
    for text in ["agent-run", "agent-run-xxxxxxxx", "openai", "agent-run-12345678\"}"] {
        let marker = serde_json::json!({"real_home": "/h/.codex", "carried": true, "provider_id": text});
        let path = format!("{HOME}/.agent-run.json");
        assert_eq!(
            id(&with(2, &machine(&[(&path, &marker.to_string())]))).0,
            id(&with(2, &machine(&[]))).0,
            "{text}"
        );
    }
}
