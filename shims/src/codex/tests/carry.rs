//! What older versions kept for each provider apart.

use super::*;

fn planned(launch: &Launch, files: &[(&str, &str)], folders: &[(&str, &[(&str, EntryKind)])]) -> Plan {
    let mut machine = machine(files);
    for (path, entries) in folders {
        let entry = |(name, kind): &(&str, EntryKind)| Entry { name: name.into(), kind: kind.clone() };
        machine.facts.insert(path.into(), Fact::Dir(entries.iter().map(entry).collect()));
    }
    plan(launch, &machine).expect("a plan")
}

const STATE: &[(&str, EntryKind)] = &[("base.toml", EntryKind::File), ("sessions", EntryKind::Dir)];

#[test]
fn sessions_and_answers_of_each_provider_are_brought_together_once() {
    let base = "model = 'm'\nx = 1\n[mcp_servers.theirs]\ncommand = 'true'\n";
    let last = "model = 'picked'\nx = 2\n[projects.'/work/p']\ntrust_level = 'trusted'\n";
    let other =
        "x = 1\n[mcp_servers.theirs]\ncommand = 'true'\n[projects.'/work/q']\ntrust_level = 'trusted'\n";
    let files = [
        ("/h/.codex/config.toml", "x = 1\n[mcp_servers.theirs]\ncommand = 'true'\n"),
        ("/s/codex/p/base.toml", base),
        ("/s/codex/p/last.toml", last),
        ("/s/codex/q/base.toml", base),
        ("/s/codex/q/last.toml", other),
    ];
    let providers = [("p", EntryKind::Dir), ("q", EntryKind::Dir), (".p.lock", EntryKind::File)];
    let runtime = [
        ("history.jsonl", EntryKind::File),
        ("rules", EntryKind::Dir),
        ("sessions", EntryKind::Link("/s/codex/p/sessions".into())),
    ];
    let folders: [(&str, &[_]); 5] = [
        ("/s/codex", &providers),
        ("/c/codex", &providers),
        ("/c/codex/p", &runtime),
        ("/s/codex/p", STATE),
        ("/s/codex/q", STATE),
    ];
    let first = planned(&launch(), &files, &folders);
    let copies: Vec<_> =
        first.carry.iter().map(|it| format!("{} {}", it.from.display(), it.to.display())).collect();
    assert_eq!(
        copies,
        [
            "/s/codex/p/sessions /s/codex-shared/sessions",
            "/c/codex/p/history.jsonl /s/codex-shared/home/history.jsonl",
            "/c/codex/p/rules /s/codex-shared/home/rules",
            "/s/codex/q/sessions /s/codex-shared/sessions",
        ]
    );
    let value = &first.carry[0].values[0];
    assert_eq!(
        (&*value.key, &*value.was[0], &*value.text),
        ("model_provider", "agent-run", "agent-run-xxxxxxxx")
    );
    let config: toml::Table = written(&first, CONFIG).parse().expect("TOML");
    for folder in ["/work/p", "/work/q"] {
        assert_eq!(config["projects"][folder]["trust_level"].as_str(), Some("trusted"));
    }
    assert_eq!(config["x"].as_integer(), Some(2));
    assert!(!config.contains_key("model"));

    let done = [&files[..], &[("/s/codex-shared/carried", "")]].concat();
    assert!(planned(&launch(), &done, &folders).carry.is_empty(), "once");
}

#[test]
fn sessions_that_are_kept_apart_stay_apart() {
    let providers = ["gone", "kept", "own", "p", "q"].map(|name| (name, EntryKind::Dir));
    let linked = [("AGENTS.md", EntryKind::Link("/h/.codex/AGENTS.md".into()))];
    let marked =
        |more: &[(&'static str, EntryKind)]| [&[(".agent-run.json", EntryKind::File)], more].concat();
    let (apart, linked) = (marked(&[("rules", EntryKind::Dir)]), marked(&linked));
    let folders: [(&str, &[_]); 12] = [
        ("/s/codex", &providers),
        ("/c/codex", &providers),
        ("/c/codex/gone", &apart),
        ("/c/codex/kept", &linked),
        ("/c/codex/own", &linked),
        ("/c/codex/p", &apart),
        ("/c/codex/q", &apart),
        ("/s/codex/gone", STATE),
        ("/s/codex/kept", STATE),
        ("/s/codex/own", STATE),
        ("/s/codex/p", STATE),
        ("/s/codex/q", STATE),
    ];
    let files = [("/h/.codex/AGENTS.md", "")];
    let from = |launch: &Launch| -> Vec<_> {
        let plan = planned(launch, &files, &folders);
        let text = warnings(&plan).join("\n");
        assert_eq!(text.contains("codex/gone"), !launch.isolated, "named where it is left: {text}");
        plan.carry.iter().map(|it| it.from.display().to_string()).collect()
    };
    let said = [("own", crate::Sessions::Own), ("q", crate::Sessions::Shared)];
    let others = || said.map(|(name, sessions)| (name.to_owned(), sessions)).into();
    // Of `p` and `q` the config says that they share, though their homes had nothing of the user's when they were
    // made; of `gone` and `kept` it says nothing any more.
    assert_eq!(
        from(&Launch { others: others(), ..launch() }),
        [
            "/s/codex/kept/sessions",
            "/s/codex/p/sessions",
            "/c/codex/p/rules",
            "/s/codex/q/sessions",
            "/c/codex/q/rules"
        ]
    );
    assert_eq!(from(&Launch { isolated: true, ..launch() }), ["/s/codex/p/sessions", "/c/codex/p/rules"]);
}

#[test]
fn a_home_of_the_old_tool_is_taken_over_unless_it_was_one_without_a_provider() {
    let providers = ["m", "p", "work"].map(|name| (name, EntryKind::Dir));
    let home = ["AGENTS.md", "auth.json", "config.toml", "sessions", ".env"];
    let home = home.map(|name| (name, if name == "sessions" { EntryKind::Dir } else { EntryKind::File }));
    let folders: [(&str, &[_]); 4] =
        [("/c/codex", &providers), ("/c/codex/m", &home), ("/c/codex/p", &home), ("/c/codex/work", &home)];
    let trust =
        "model = 'x'\n[projects.'/work/m']\ntrust_level = 'trusted'\n[profiles.agent-run]\nmodel = 'x'\n";
    let files = [
        ("/h/.codex/hooks.json", "{}"),
        ("/c/codex/m/config.toml", trust),
        ("/c/codex/work/config.toml", "cli_auth_credentials_store = 'file'\n"),
    ];
    let plan = planned(&launch(), &files, &folders);
    let from: Vec<_> = plan.carry.iter().map(|it| it.from.to_str().expect("UTF-8")).collect();
    assert_eq!(
        from,
        ["/c/codex/m/sessions", "/c/codex/m/AGENTS.md", "/c/codex/p/sessions", "/c/codex/p/AGENTS.md"]
    );
    let value = &plan.carry[0].values[0];
    assert_eq!((&*value.was[0], &*value.text), ("m", "agent-run-xxxxxxxx"));
    let config: toml::Table = written(&plan, CONFIG).parse().expect("TOML");
    assert_eq!(config["projects"]["/work/m"]["trust_level"].as_str(), Some("trusted"));
    assert!(!config.contains_key("profiles") && !config.contains_key("model"));
}

#[test]
fn a_home_without_a_provider_is_taken_over_as_one() {
    let mut machine = machine(&[("/c/codex/work/auth.json", "{}")]);
    machine.facts.insert("/s/codex/work/home".into(), Fact::Absent);
    let plan = |machine: &Inputs| Plan::of_providerless_home(&Codex, "work", &[], machine).expect("a plan");
    let [carry] = &plan(&machine).carry[..] else { panic!("one") };
    assert_eq!((&*carry.from, &*carry.to), (Path::new("/c/codex/work"), Path::new("/s/codex/work/home")));
    assert!(carry.whole && carry.leaves("state_5.sqlite-wal".as_ref()) && !carry.leaves("tmpl".as_ref()));
    machine.facts.insert("/s/codex/work/home".into(), Fact::Dir(Vec::new()));
    assert!(plan(&machine).carry.is_empty(), "once");
}

#[test]
fn what_only_a_database_holds_goes_on_in_the_one_that_was_used_last() {
    let providers = ["p", "q"].map(|name| (name, EntryKind::Dir));
    let names = ["goals_1.sqlite", "goals_1.sqlite-wal", "logs_2.sqlite", "state_5.sqlite"];
    let databases = names.map(|name| (name, EntryKind::File));
    let folders: [(&str, &[_]); 5] = [
        ("/s/codex", &providers),
        ("/s/codex/p", STATE),
        ("/s/codex/q", STATE),
        ("/s/codex/p/sqlite", &databases),
        ("/s/codex/q/sqlite", &databases),
    ];
    let plan = planned(&launch(), &[], &folders);
    let wanted: [PathBuf; 2] =
        ["/s/codex/p/sqlite/goals_1.sqlite".into(), "/s/codex/q/sqlite/goals_1.sqlite".into()];
    assert_eq!(plan.adopt, [("/s/codex-shared/sqlite/goals_1.sqlite".into(), wanted.into())].into());
}

#[test]
fn a_provider_with_sessions_of_its_own_shares_the_users_settings_and_no_session() {
    let providers = [("p", EntryKind::Dir), ("q", EntryKind::Dir)];
    let folders: [(&str, &[_]); 3] = [("/s/codex", &providers), ("/s/codex/p", STATE), ("/s/codex/q", STATE)];
    let own = Launch { sessions: crate::Sessions::Own, ..launch() };
    let plan = planned(&own, &[("/h/.codex/AGENTS.md", "x")], &folders);
    let home = Path::new("/s/codex/p/own/home");
    assert_eq!(plan.env[std::ffi::OsStr::new("CODEX_HOME")], Some(home.as_os_str().into()));
    let target = |name: &str| plan.links[&home.join(name)].as_ref().expect(name).target.clone();
    assert_eq!(target("AGENTS.md"), Path::new("/h/.codex/AGENTS.md"));
    assert_eq!(target("sessions"), Path::new("/s/codex/p/own/sessions"));
    assert!(words(&plan).contains(&r#"sqlite_home="/s/codex/p/own/sqlite""#));
    let copies: Vec<_> = plan.carry.iter().map(|it| (it.from.as_path(), it.to.as_path())).collect();
    assert_eq!(copies, [(Path::new("/s/codex/p/sessions"), Path::new("/s/codex/p/own/sessions"))]);
}

#[test]
fn what_the_user_has_too_is_named_unless_it_is_codexs_own() {
    let providers = [("p", EntryKind::Dir), ("q", EntryKind::Dir)];
    let home = ["rules", "sessions", "skills"].map(|name| (name, EntryKind::Dir));
    let home = [&home[..], &[("version.json", EntryKind::File)]].concat();
    let unpacked = [(".system", EntryKind::Dir)];
    let folders: [(&str, &[_]); 6] = [
        ("/c/codex", &providers),
        ("/c/codex/p", &home),
        ("/c/codex/p/skills", &unpacked),
        ("/c/codex/q", &home),
        ("/c/codex/q/skills", &unpacked),
        ("/c/codex/q/rules", &[("default.rules", EntryKind::File)]),
    ];
    let mut files = vec![("/h/.codex/skills", ""), ("/h/.codex/rules", "")];
    let plan = planned(&launch(), &files, &folders);
    let said = warnings(&plan);
    let left: Vec<_> = said.iter().filter(|text| text.contains("was not copied")).collect();
    assert_eq!(left.len(), 2, "{said:?}");
    assert!(left.iter().any(|text| text.starts_with("/c/codex/q/rules of an older version")), "{said:?}");
    let to_version = |plan: &Plan| plan.carry.iter().filter(|it| it.to.ends_with("version.json")).count();
    assert_eq!(to_version(&plan), 1, "of what says nothing of a session that of one home");
    files.push(("/h/.codex/version.json", ""));
    let plan = planned(&launch(), &files, &folders);
    assert_eq!((to_version(&plan), warnings(&plan).len()), (0, said.len()));
}

/// Whether it is a home without a provider, which shares nothing, is in its settings.
#[test]
fn a_home_of_the_old_tool_that_the_config_does_not_name_waits_for_its_settings() {
    let (name, home) =
        ([("gone", EntryKind::Dir)], [("sessions", EntryKind::Dir), ("rules", EntryKind::Dir)]);
    let folders: [(&str, &[_]); 2] = [("/c/codex", &name), ("/c/codex/gone", &home)];
    let mut machine = machine(&[]);
    for (path, entries) in folders {
        let entry = |(name, kind): &(&str, EntryKind)| Entry { name: name.into(), kind: kind.clone() };
        machine.facts.insert(path.into(), Fact::Dir(entries.iter().map(entry).collect()));
    }
    machine
        .facts
        .insert("/c/codex/gone/config.toml".into(), Fact::Unreadable(std::io::Error::other("denied").into()));
    let plan = plan(&launch(), &machine).expect("a plan");
    assert!(plan.carry.is_empty(), "{:?}", plan.carry);
    let warnings = warnings(&plan).join("\n");
    assert!(warnings.contains("/c/codex/gone/config.toml: denied"), "{warnings}");
    assert!(written(&plan, "/s/codex-shared/home/.agent-run.json").contains("\"unread_homes\":[\"gone\"]"));
}
