use super::super::tests::{file, inputs, launch, settled};
use super::*;

fn base(args: &[&str], inputs: &Inputs) -> PathBuf {
    let launch = launch(args);
    HermesHomes::find(&launch, &HermesArgs::of(&launch), inputs).base
}

fn with(vars: &[(&str, &str)], files: &[(&str, &str)]) -> Inputs {
    let mut inputs = inputs();
    inputs.env.extend(vars.iter().map(|(name, value)| (name.into(), value.into())));
    for (path, text) in files {
        inputs.facts.insert(path.into(), Fact::File(text.as_bytes().to_vec()));
    }
    inputs
}

#[test]
fn the_base_home_is_found_as_hermes_finds_it() {
    let coder = ("/home/u/.hermes/active_profile", "coder\n");
    for (args, vars, files, home) in [
        (&[][..], &[][..], &[][..], "/home/u/.hermes"),
        (&[], &[], &[coder], "/home/u/.hermes/profiles/coder"),
        (&["-p", "work"], &[], &[coder], "/home/u/.hermes/profiles/work"),
        (&["-p", "default"], &[], &[coder], "/home/u/.hermes"),
        (&[], &[("HERMES_HOME", "/opt/data")], &[coder], "/opt/data"),
        (&[], &[("HERMES_HOME", "/opt/profiles/x")], &[coder], "/opt/profiles/x"),
        (&["-p", "y"], &[("HERMES_HOME", "/opt/profiles/x")], &[], "/opt/profiles/y"),
        (&[], &[("HERMES_HOME", "/home/u/.hermes/profiles/x")], &[coder], "/home/u/.hermes/profiles/x"),
        (&[], &[("HERMES_HOME", "data")], &[], "/work/data"),
    ] {
        assert_eq!(base(args, &with(vars, files)), Path::new(home), "{args:?} {vars:?} {files:?}");
    }
}

#[test]
fn a_launch_within_a_launch_finds_the_users_home() {
    let marker = r#"{"real_home": "/opt/data", "managed_dir": null}"#;
    let vars = [("HERMES_HOME", "/cache/hermes/x-1"), ("HERMES_MANAGED_DIR", "/cache/hermes/x-1/managed")];
    let inputs = with(&vars, &[("/cache/hermes/x-1/.agent-run.json", marker)]);
    assert_eq!(base(&[], &inputs), Path::new("/opt/data"));
    assert_eq!(base(&[], &with(&vars, &[])), Path::new("/home/u/.hermes"), "the cache was emptied");
    let launch = launch(&[]);
    assert!(HermesHomes::find(&launch, &HermesArgs::of(&launch), &inputs).policy.is_none());
}

#[test]
fn an_isolated_launch_has_its_own_base_and_tells_of_the_users() {
    let launch = Launch { isolated: true, ..launch(&[]) };
    let homes = HermesHomes::find(&launch, &HermesArgs::of(&launch), &inputs());
    assert_eq!(homes.base, Path::new("/state/hermes/local"));
    assert_eq!(homes.users, Path::new("/home/u/.hermes"));
}

#[test]
fn a_file_that_cannot_be_read_is_not_taken_for_nothing() {
    for (name, fact) in [
        (
            "active_profile",
            Fact::Unreadable(std::io::Error::from(std::io::ErrorKind::PermissionDenied).into()),
        ),
        ("active_profile", Fact::File(vec![0xff])),
        (".env", Fact::Unreadable(std::io::Error::from(std::io::ErrorKind::PermissionDenied).into())),
        (".op.env", Fact::Unreadable(std::io::Error::from(std::io::ErrorKind::PermissionDenied).into())),
    ] {
        let mut inputs = inputs();
        inputs.facts.insert(Path::new("/home/u/.hermes").join(name), fact);
        let launch = launch(&[]);
        let homes = HermesHomes::find(&launch, &HermesArgs::of(&launch), &inputs);
        let error = Message::of(&homes.check(&inputs).expect_err(name)).render();
        assert!(error.contains(name) && error.contains("\nhelp: "), "{error}");
    }
}

#[test]
fn a_missing_profile_and_a_cache_in_hermes_own_home_are_refused() {
    let check = |args: &[&str], inputs: &Inputs| {
        let launch = launch(args);
        let homes = HermesHomes::find(&launch, &HermesArgs::of(&launch), inputs);
        homes.check(inputs).map_err(|error| Message::of(&error).render())
    };
    assert!(check(&[], &inputs()).is_ok());
    assert!(check(&["-p", "nope"], &inputs()).expect_err("missing").contains("`nope`"));
    assert!(check(&["--profile=../x"], &inputs()).expect_err("no name").contains("`../x`"));
    let mut inside = inputs();
    inside.dirs.cache = "/home/u/.hermes/cache".into();
    assert!(check(&[], &inside).expect_err("replaced").contains("XDG_CACHE_HOME"));
}

/// A plan with a policy folder, which a variable names or is the administrator's.
fn under_policy(folder: &str, args: &[&str], files: &[(&str, &str)], isolated: bool) -> Result<Plan> {
    let launch = Launch { isolated, ..launch(args) };
    let files: Vec<_> = files.iter().map(|(name, text)| (format!("{folder}/{name}"), *text)).collect();
    let files: Vec<_> = files.iter().map(|(path, text)| (&**path, *text)).collect();
    let mut inputs = with(&[("HERMES_MANAGED_DIR", folder)], &files);
    inputs.facts.insert(folder.into(), Fact::Dir(Vec::new()));
    Plan::of(&super::super::Hermes, &launch, &settled(&launch, inputs))
}

const LIFTING: [(&str, &str); 2] = [
    (
        "config.yaml",
        "display: {tui_auto_resume_recent: true}\nagent: {environment_probe: on, x: 1}\nwrite_sessions_json: 0\n",
    ),
    (".env", "AUXILIARY_MY_TASK_BASE_URL=http://theirs\n"),
];

#[test]
fn a_named_policy_folder_lifts_nothing_that_protects() {
    let plan = under_policy("/it", &["--tui"], &LIFTING, false).expect("plans");
    let above = file(&plan, "managed/config.yaml");
    let pinned = "display: {tui_auto_resume_recent: false}\nagent: {environment_probe: false, x: 1}\n";
    assert_eq!(above, format!("{pinned}write_sessions_json: true\n"));
    assert!(file(&plan, "managed/.env").contains("\nAUXILIARY_MY_TASK_BASE_URL=''\n"));
    assert!(plan.notes.is_empty(), "{:?}", plan.notes);
}

#[test]
fn what_a_policy_says_of_the_interface_counts_above_the_users() {
    for folder in ["/it", ADMINISTRATORS] {
        for file in [("config.yaml", "display: {interface: tui}\n"), (".env", "HERMES_TUI=1\n")] {
            assert!(under_policy(folder, &["-c"], &[file], false).is_err(), "{folder} {file:?}");
            assert!(under_policy(folder, &[], &[file], false).is_ok(), "{folder} {file:?}");
            assert!(under_policy(folder, &["-c"], &[file], true).is_ok(), "{folder} {file:?}");
        }
    }
}

#[test]
fn what_an_administrator_lifts_is_named_and_stops_what_would_leak() {
    for args in [&["--tui"][..], &["gateway", "run"]] {
        let error = under_policy(ADMINISTRATORS, args, &LIFTING, false).expect_err("refused");
        assert!(Message::of(&error).render().contains("\nhelp: "), "{args:?}");
    }
    let warning = |isolated| {
        let plan = under_policy(ADMINISTRATORS, &["chat"], &LIFTING, isolated).expect("plans");
        let [crate::Note::Warning(text)] = &plan.notes[..] else { panic!("{:?}", plan.notes) };
        text.render()
    };
    let lifted =
        "`agent.environment_probe`, `display.tui_auto_resume_recent`, `write_sessions_json`, which overrides";
    assert!(warning(false).contains(lifted), "{}", warning(false));
    assert!(!warning(true).contains("tui_auto"), "an isolated home's sessions are its own");
    let plan = under_policy(ADMINISTRATORS, &["--tui"], &[("config.yaml", "agent:\nyolo: 1\n")], false);
    assert!(plan.expect("plans").notes.is_empty());
}
