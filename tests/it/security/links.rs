use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::{AGENTS, QUIET, TWO, Victim, sandbox};
use crate::support::lists::{Lists, respond};
use crate::support::{Ran, Sandbox};

/// Where the folders of agent-run are, below the home.
const BASES: [&str; 2] = [".cache/agent-run", ".local/state/agent-run"];

/// Everything that writes below them, by the first folder it writes to.
pub(super) fn act(sandbox: &Sandbox, lists: &Lists, folder: &str) -> Vec<Ran> {
    if AGENTS.contains(&folder) {
        return vec![sandbox.agent_run(&["launch", "mock", folder])];
    }
    let list = || sandbox.agent_run(&["models", "list", "mock", "--refresh"]);
    lists.now(|_, stream| respond(stream, "500 Oops", &[], b""));
    // What failed just now is not tried again, so a completion takes the lock and starts nothing.
    let mut ran = vec![list(), sandbox.agent_run(&["models", "complete", "mock"])];
    lists.now_json(TWO);
    ran.push(list());
    lists.now_json(r#"{"data": [{"id": "m-other"}]}"#);
    ran.push(list());
    lists.now(|_, stream| respond(stream, "500 Oops", &[], b""));
    ran.push(list());
    // It says nothing, and nobody waits for its exit code.
    _ = sandbox.agent_run(&["models", "refresh-detached", "--in-session", "--", "mock"]);
    ran
}

/// The paths below our folders, the folders themselves among them.
pub(super) fn ours(sandbox: &Sandbox) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            found.push(entry.path());
            if entry.file_type().unwrap().is_dir() {
                walk(&entry.path(), found);
            }
        }
    }
    let mut found = Vec::new();
    for base in BASES {
        walk(&sandbox.home(base), &mut found);
    }
    found.sort();
    found
}

pub(super) fn clear(sandbox: &Sandbox) {
    for base in BASES {
        _ = fs::remove_dir_all(sandbox.home(base));
    }
}

/// The path below its base, and the first folder of it.
pub(super) fn place(sandbox: &Sandbox, path: &Path) -> (String, String) {
    let below = BASES.iter().find_map(|base| path.strip_prefix(sandbox.home(base)).ok()).unwrap();
    let first = below.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    (below.display().to_string(), first)
}

/// Plants a link in each place, for each target, acts, and looks at the victim.
#[track_caller]
fn plant_everywhere(sandbox: &Sandbox, paths: &[PathBuf], act: &dyn Fn(&str) -> Vec<Ran>) -> usize {
    let victim = Victim::of(sandbox);
    let mut cases = 0;
    for path in paths {
        let (shown, first) = place(sandbox, path);
        for target in victim.targets() {
            clear(sandbox);
            fs::DirBuilder::new().recursive(true).mode(0o700).create(path.parent().unwrap()).unwrap();
            symlink(&target, path).unwrap();
            let ran = act(&first);
            let what = format!("{shown} -> {}: {ran:#?}", target.display());
            victim.is_untouched(&what);
            assert!(ran.iter().all(|ran| ran.code == 0 || ran.stderr.contains("help: ")), "{what}");
            assert!(ran.iter().all(|ran| !ran.stderr.contains("panicked")), "{what}");
            cases += 1;
        }
    }
    cases
}

#[test]
fn a_link_planted_in_any_place_of_a_launch_leads_nothing_outside() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, &format!("{QUIET}    models: [{{id: m-one, context_window: 65536}}]\n"));
    for dir in [".codex/skills", ".hermes/skills", ".config/crush", ".claude"] {
        fs::create_dir_all(sandbox.home(dir)).unwrap();
    }
    for agent in AGENTS {
        sandbox.agent_run(&["launch", "mock", agent]).exits(0);
    }
    let mut paths = ours(&sandbox);
    paths.retain(|path| AGENTS.contains(&&*place(&sandbox, path).1));
    let act = |first: &str| act(&sandbox, &lists, first);
    let cases = plant_everywhere(&sandbox, &paths, &act);
    assert!(cases > 60, "{cases} cases, {paths:?}");
}

#[test]
fn a_link_planted_among_the_model_lists_leads_nothing_outside() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, "");
    act(&sandbox, &lists, "models");
    let mut paths = ours(&sandbox);
    paths.retain(|path| place(&sandbox, path).1 == "models");
    let kinds: Vec<_> = paths.iter().filter_map(|path| path.extension()).collect();
    assert_eq!(kinds, ["before", "failed", "list", "lock"], "each kind of file is there");
    let cases = plant_everywhere(&sandbox, &paths, &|first| act(&sandbox, &lists, first));
    assert_eq!(cases, 15);
    let clear = |_: &str| {
        let clear = |words: &[&str]| sandbox.agent_run(&[&["models", "cache", "clear"], words].concat());
        vec![clear(&["mock"]), clear(&[])]
    };
    assert_eq!(plant_everywhere(&sandbox, &paths, &clear), 15);
}

#[test]
fn what_was_moved_aside_before_is_removed_and_a_link_there_is_not_followed() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, QUIET);
    let victim = Victim::of(&sandbox);
    fs::create_dir_all(sandbox.home(".codex/skills")).unwrap();
    sandbox.agent_run(&["launch", "mock", "codex"]).exits(0);
    let links = ours(&sandbox).into_iter().filter(|path| path.is_symlink());
    let link = links.into_iter().find(|path| path.ends_with("sessions")).expect("the sessions are a link");
    for target in victim.targets() {
        // A folder that Codex made in the link's place, and a link where the last such folder went.
        _ = fs::remove_file(&link);
        fs::create_dir_all(link.join("made-by-codex")).unwrap();
        let aside = link.with_file_name(".agent-run-sessions-replaced");
        _ = fs::remove_dir_all(&aside);
        symlink(&target, &aside).unwrap();
        let ran = sandbox.agent_run(&["launch", "mock", "codex"]).exits(0);
        victim.is_untouched(&format!("{}: {ran:?}", target.display()));
    }
}

#[test]
fn a_link_left_half_made_by_a_launch_that_was_killed_is_no_obstacle() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, QUIET);
    let victim = Victim::of(&sandbox);
    fs::create_dir_all(sandbox.home(".codex/skills")).unwrap();
    sandbox.agent_run(&["launch", "mock", "codex"]).exits(0);
    let link = ours(&sandbox).into_iter().find(|path| path.is_symlink()).expect("a link");
    let name = link.file_name().unwrap().to_string_lossy().into_owned();
    fs::remove_file(&link).unwrap();
    symlink(victim.folder.join("folder"), &link).unwrap();
    // exec keeps the number of the process, so the shell's own is the launcher's.
    let script = format!(
        "ln -s {} {}/.agent-run-{name}-new-$$; exec agent-run launch mock codex",
        victim.folder.join("file").display(),
        link.parent().unwrap().display()
    );
    let ran = sandbox.run("sh", &["-c", &script]).exits(0);
    victim.is_untouched(&format!("{ran:?}"));
    assert!(!fs::read_link(&link).unwrap().starts_with(&victim.folder));
}

#[test]
fn links_in_the_users_own_folders_are_said_and_left_or_replaced_and_never_followed() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, QUIET);
    let victim = Victim::of(&sandbox);
    let share = sandbox.home(".local/share");
    let man = share.join("man");
    let places = [
        (sandbox.home(".local/bin/claude@mock"), &["shims", "install", "claude@mock"] as &[&str], true),
        (sandbox.home(".local/bin/codex@mock"), &["shims", "remove", "codex@mock"], true),
        (share.join("bash-completion/completions/agent-run"), &["shims", "install"], true),
        (share.join("bash-completion/completions/codex@mock"), &["shims", "install"], true),
        (share.join("fish/vendor_completions.d/agent-run.fish"), &["shims", "install"], true),
        (share.join("zsh/site-functions/_agent-run"), &["shims", "install"], true),
        (man.join("man1/agent-run.1"), &["help", "--man", "MAN"], false),
        (man.join("man5/agent-run-config.5"), &["help", "--man"], false),
    ];
    let mut cases = 0;
    for (path, words, stays) in places {
        for target in victim.targets() {
            _ = fs::remove_dir_all(sandbox.home(".local"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            symlink(&target, &path).unwrap();
            let man = man.display().to_string();
            let words: Vec<_> = words.iter().map(|&word| if word == "MAN" { &man } else { word }).collect();
            let ran = sandbox.agent_run(&words);
            let what = format!("{} -> {}: {ran:?}", path.display(), target.display());
            victim.is_untouched(&what);
            assert_eq!(fs::read_link(&path).is_ok_and(|now| now == target), stays, "{what}");
            cases += 1;
        }
    }
    assert_eq!(cases, 24);
}

#[test]
fn the_example_is_written_through_no_link() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, QUIET);
    let victim = Victim::of(&sandbox);
    let path = sandbox.home(".config/agent-run/config.yaml");
    fs::remove_file(&path).unwrap();
    symlink(victim.folder.join("none"), &path).unwrap();
    sandbox.agent_run(&["config", "--bootstrap-config"]).exits(1).complains(&["there is no config"]);
    victim.is_untouched("config --bootstrap-config");
    sandbox.agent_run(&["providers", "add", "deepseek", "--yes"]).exits(1).complains(&["help: "]);
    victim.is_untouched("providers add");
}

#[test]
fn the_lock_of_a_merge_is_a_folder_of_ours_or_nothing_is_removed() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, QUIET);
    let victim = Victim::of(&sandbox);
    for target in victim.targets() {
        _ = fs::remove_file(sandbox.home(".claude.json"));
        let lock = sandbox.home(".claude.json.lock");
        _ = fs::remove_file(&lock);
        symlink(&target, &lock).unwrap();
        sandbox.agent_run(&["launch", "mock", "claude"]).exits(0);
        victim.is_untouched("a lock");
        assert_eq!(fs::read_link(&lock).unwrap(), target);
    }
}

#[test]
fn a_user_may_keep_his_files_and_folders_behind_links() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, QUIET);
    let dotfiles = sandbox.path("dotfiles");
    let text = fs::read_to_string(sandbox.home(".config/agent-run/config.yaml")).unwrap();
    sandbox.write(&dotfiles.join("config.yaml"), text);
    sandbox.write(&dotfiles.join("claude.json"), "{\"mine\": 1}\n");
    fs::set_permissions(dotfiles.join("config.yaml"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::set_permissions(dotfiles.join("claude.json"), fs::Permissions::from_mode(0o644)).unwrap();
    let links = [(".config/agent-run/config.yaml", "config.yaml"), (".claude.json", "claude.json")];
    for (link, file) in links {
        _ = fs::remove_file(sandbox.home(link));
        symlink(dotfiles.join(file), sandbox.home(link)).unwrap();
    }
    for (link, folder) in [(".cache", "cache"), (".local", "local")] {
        fs::create_dir(dotfiles.join(folder)).unwrap();
        symlink(dotfiles.join(folder), sandbox.home(link)).unwrap();
    }
    sandbox.agent_run(&["providers", "add", "deepseek", "--yes"]).exits(0);
    for agent in AGENTS {
        sandbox.agent_run(&["launch", "mock", agent]).exits(0);
    }
    sandbox.agent_run(&["shims", "install"]).exits(0);
    for (link, file) in links {
        assert_eq!(fs::read_link(sandbox.home(link)).unwrap(), dotfiles.join(file));
    }
    let read = |file: &str| fs::read_to_string(dotfiles.join(file)).unwrap();
    let mode = |file: &str| fs::metadata(dotfiles.join(file)).unwrap().permissions().mode() & 0o777;
    assert!(read("config.yaml").contains("\n  deepseek:\n"));
    assert!(read("claude.json").contains("\"hasCompletedOnboarding\": true"));
    assert_eq!((mode("config.yaml"), mode("claude.json")), (0o640, 0o644));
    assert!(
        dotfiles.join("cache/agent-run/codex").is_dir() && dotfiles.join("local/bin/codex@mock").is_symlink()
    );
}

#[test]
fn our_own_folder_may_be_a_link_to_a_private_one_and_to_no_other() {
    let lists = Lists::json(TWO);
    let sandbox = sandbox(&lists, QUIET);
    let disk = sandbox.path("disk");
    fs::create_dir(&disk).unwrap();
    for (base, agent) in BASES.into_iter().zip(["crush", "codex"]) {
        _ = fs::remove_dir_all(sandbox.home(base));
        fs::create_dir_all(sandbox.home(base).parent().unwrap()).unwrap();
        symlink(&disk, sandbox.home(base)).unwrap();
        fs::set_permissions(&disk, fs::Permissions::from_mode(0o755)).unwrap();
        sandbox
            .agent_run(&["launch", "mock", agent])
            .exits(125)
            .complains(&["other users can", "help: run `chmod 700 "]);
        let mode = fs::metadata(&disk).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode, fs::read_dir(&disk).unwrap().count()), (0o755, 0), "it is left as it is");
        fs::set_permissions(&disk, fs::Permissions::from_mode(0o700)).unwrap();
        sandbox.agent_run(&["launch", "mock", agent]).exits(0);
        assert!(fs::read_dir(&disk).unwrap().count() > 0, "{base}");
        fs::remove_dir_all(&disk).unwrap();
        sandbox.agent_run(&["launch", "mock", agent]).exits(125).complains(&["broken link", "help: "]);
        fs::remove_file(sandbox.home(base)).unwrap();
        fs::create_dir(&disk).unwrap();
    }
}
