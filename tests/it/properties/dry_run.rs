//! Whatever is configured, typed and inherited: what `--dry-run` prints is what a launch does, in both modes.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;
use serde_json::Value as Json;

use super::case::{Case, KEY, case};
use crate::support::tree::files_holding;
use crate::support::{Ran, Sandbox, run};

fn plan_of(ran: &Ran) -> Json {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}\n{}", ran.stdout))
}

fn word(json: &Json) -> OsString {
    match json["bytes"].as_array() {
        Some(bytes) => OsString::from_vec(
            bytes.iter().map(|byte| u8::try_from(byte.as_u64().unwrap()).unwrap()).collect(),
        ),
        None => json.as_str().unwrap().into(),
    }
}

fn list<'a>(plan: &'a Json, key: &str) -> &'a [Json] {
    plan[key].as_array().unwrap_or_else(|| panic!("no {key} in {plan:#}"))
}

fn path(json: &Json) -> &Path {
    Path::new(json.as_str().unwrap())
}

fn pieces(bytes: &[u8]) -> Vec<OsString> {
    let mut pieces: Vec<_> =
        bytes.split(|byte| *byte == 0).map(|piece| OsStr::from_bytes(piece).to_owned()).collect();
    assert_eq!(pieces.pop(), Some(OsString::new()));
    pieces
}

/// What the plan says of the environment, carried out by hand.
fn meant(plan: &Json, command: &Command) -> BTreeMap<OsString, OsString> {
    let inherited = command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    let mut env: BTreeMap<OsString, OsString> = inherited.collect();
    for name in list(plan, "unset") {
        env.remove(&word(name));
    }
    for (name, value) in plan["set"].as_object().unwrap() {
        let value = value.as_str().unwrap().replace("<key>", KEY).replace("<env:FROM>", "outside");
        env.insert(name.into(), value.into());
    }
    env
}

/// What `--dry-run -v` prints of the files.
fn shown(text: &str) -> BTreeMap<PathBuf, Vec<&str>> {
    let mut files: BTreeMap<PathBuf, Vec<&str>> = BTreeMap::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(path) = line.strip_prefix("write ") else { continue };
        let contents = files.entry(path.into()).or_default();
        while let Some(line) = lines.next_if(|line| line.starts_with("  | ")) {
            contents.push(&line[4..]);
        }
    }
    files
}

fn entries_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        found.push(entry.path());
        if entry.file_type().unwrap().is_dir() {
            entries_below(&entry.path(), found);
        }
    }
}

/// Everything on the disk is as the plan says, and nothing else is new.
fn is_carried_out(plan: &Json, sandbox: &Sandbox, before: &[PathBuf]) {
    let mut named: Vec<&Path> = Vec::new();
    for file in list(plan, "files") {
        let path = path(&file["path"]);
        let contents = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(
            String::from_utf8_lossy(&contents),
            file["contents"].as_str().unwrap(),
            "{}",
            path.display()
        );
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
        named.push(path);
    }
    for link in list(plan, "links") {
        let at = path(&link["path"]);
        match link["target"].as_str() {
            Some(target) => assert_eq!(fs::read_link(at).unwrap(), Path::new(target), "{}", at.display()),
            None => assert!(!at.is_symlink(), "{}", at.display()),
        }
        named.push(at);
    }
    for merge in list(plan, "merges") {
        let path = path(&merge["path"]);
        let json: Json =
            serde_json::from_str(&fs::read_to_string(path).unwrap().replace("\\ud800", "")).unwrap();
        assert_eq!(json["hasCompletedOnboarding"], true);
        named.push(path);
    }
    for dir in list(plan, "dirs").iter().chain(list(plan, "user_dirs")) {
        assert!(path(dir).is_dir(), "{dir}");
        named.push(path(dir));
    }
    let mut now = Vec::new();
    entries_below(&sandbox.home(""), &mut now);
    // What is locked is no part of the plan.
    let is_lock = |path: &Path| {
        let name = path.file_name().unwrap_or_default();
        [".mock.lock", ".all.lock", ".agent-run.in-use"].iter().any(|lock| name == OsStr::new(lock))
    };
    named.extend(now.iter().map(PathBuf::as_path).filter(|path| is_lock(path)));
    for new in now.iter().filter(|path| !before.contains(path)) {
        assert!(named.iter().any(|named| named.starts_with(new)), "{} is not planned", new.display());
    }
}

fn cases() -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let given = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if asked { given } else { ProptestConfig { cases: 60, max_shrink_iters: 200, ..given } }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_dry_run_says_what_a_launch_does(case in case()) {
        is_done_as_said(&case);
    }
}

fn is_done_as_said(case: &Case) {
    let sandbox = case.sandbox();
    let mut before = Vec::new();
    entries_below(&sandbox.home(""), &mut before);
    let dry = |by_link, options: &[&str]| run(&mut case.command(&sandbox, by_link, options));
    let (by_name, by_link) = (dry(false, &["--dry-run", "--json"]), dry(true, &["--dry-run", "--json"]));
    assert_eq!((by_name.code, &by_name.stderr), (by_link.code, &by_link.stderr));
    let mut command = case.command(&sandbox, case.by_link, &[]);
    let launched = run(&mut command);
    if by_name.code != 0 {
        assert_eq!((launched.code, &launched.stderr), (by_name.code, &by_name.stderr));
        assert!(by_name.stderr.contains("\nhelp: "), "{}", by_name.stderr);
        return;
    }
    assert_eq!(launched.code, 0, "{}", launched.stderr);
    let (printed, other) = (plan_of(&by_name), plan_of(&by_link));
    let plan = &printed["plan"];
    assert_eq!(plan, &other["plan"]);

    let choice = &printed["choices"]["model"];
    assert_eq!(choice["value"].as_str(), Some(case.model.unwrap_or("m1")));
    let origin = if case.model.is_some() { "--model" } else { "providers.mock.default_model" };
    assert!(choice["origin"].as_str().unwrap().ends_with(origin), "{choice}");

    let dumped =
        |what: &str| fs::read(sandbox.path("bin").join(format!("{}.{what}", case.program()))).unwrap();
    let argv = pieces(&dumped("argv"));
    assert_eq!(&argv[1], sandbox.path("bin").join(word(&plan["program"])).as_os_str());
    let args: Vec<_> = list(plan, "args").iter().map(word).collect();
    assert_eq!(&argv[2..], &args[..]);
    // Claude Code gets the user's settings and those of the launch as one.
    let is_kept = |word: &&OsString| case.agent != "claude" || *word != "--settings={}";
    let words: Vec<_> = case.words.iter().filter(is_kept).cloned().collect();
    let args: Vec<_> = args.iter().filter(is_kept).cloned().collect();
    assert!(args.ends_with(&words) || case.agent == "hermes", "{args:?}");

    let env: BTreeMap<_, _> = pieces(&dumped("env"))
        .iter()
        .map(|pair| {
            let at = pair.as_bytes().iter().position(|byte| *byte == b'=').unwrap();
            (
                OsStr::from_bytes(&pair.as_bytes()[..at]).to_owned(),
                OsStr::from_bytes(&pair.as_bytes()[at + 1..]).to_owned(),
            )
        })
        .collect();
    assert_eq!(env, meant(plan, &command));

    is_carried_out(plan, &sandbox, &before);
    let keeps = [sandbox.home(".key"), sandbox.home(".config/agent-run/config.yaml")];
    let holding = files_holding(&sandbox.home(""), KEY);
    assert!(holding.iter().all(|path| keeps.contains(path)), "the key is in {holding:?}");
    assert!(!by_name.stdout.contains(KEY) && args.iter().all(|arg| !arg.to_string_lossy().contains(KEY)));

    // On the machine as the launch left it, another dry run shows those very files again.
    let text = dry(case.by_link, &["--dry-run", "-v"]).stdout;
    assert!(!text.contains(KEY));
    for (path, lines) in shown(&text) {
        let contents = fs::read(&path).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&contents).lines().collect::<Vec<_>>(),
            lines,
            "{}",
            path.display()
        );
    }
}
