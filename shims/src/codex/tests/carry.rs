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
    let (old, new) = &first.carry[0].replace[0];
    assert_eq!(old, r#""model_provider":"agent-run""#);
    assert_eq!(new, r#""model_provider":"agent-run-xxxxxxxx""#);
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
fn an_isolated_providers_sessions_stay_its_own() {
    let providers = [("p", EntryKind::Dir), ("q", EntryKind::Dir)];
    let linked = [("AGENTS.md", EntryKind::Link("/h/.codex/AGENTS.md".into()))];
    let apart = [("rules", EntryKind::Dir)];
    let folders: [(&str, &[_]); 6] = [
        ("/s/codex", &providers),
        ("/c/codex", &providers),
        ("/c/codex/p", &apart),
        ("/c/codex/q", &linked),
        ("/s/codex/p", STATE),
        ("/s/codex/q", STATE),
    ];
    let files = [("/h/.codex/AGENTS.md", "")];
    let from = |launch: &Launch| -> Vec<_> {
        planned(launch, &files, &folders).carry.iter().map(|it| it.from.display().to_string()).collect()
    };
    assert_eq!(from(&launch()), ["/s/codex/q/sessions"]);
    assert_eq!(from(&Launch { isolated: true, ..launch() }), ["/s/codex/p/sessions", "/c/codex/p/rules"]);
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
