use super::super::tests::{inputs, launch};
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
