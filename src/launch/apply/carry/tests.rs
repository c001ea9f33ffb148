use super::*;
use crate::fs::made_up_dirs;

#[test]
fn copies_are_whole_and_add_up_and_originals_stay() {
    let (_root, dirs) = made_up_dirs();
    let put = |path: &str, text: &str| {
        let path = dirs.state.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        fs::write(&path, text).expect("written");
    };
    let get = |path: &str| fs::read_to_string(dirs.state.join(path)).expect(path);
    for provider in ["p", "q"] {
        put(
            &format!("codex/{provider}/sessions/2026/rollout-{provider}.jsonl"),
            "{\"id\":\"old\"} old\n{\"id\":\"old\"}\n",
        );
        put(&format!("codex/{provider}/sessions/2026/rollout-same.jsonl"), &format!("\"{provider}\"\n"));
        put(&format!("codex/{provider}/history.jsonl"), &format!("both\n{provider}\n"));
        put(&format!("codex/{provider}/rules/default.rules"), &format!("{provider}\nboth"));
    }
    symlink("/etc", dirs.state.join("codex/p/sessions/link")).expect("linked");
    let carries: Vec<_> = ["p", "q"]
        .iter()
        .flat_map(|provider| {
            ["sessions", "history.jsonl", "rules", "absent"].map(|name| Carry {
                from: dirs.state.join("codex").join(provider).join(name),
                to: dirs.state.join("codex-shared").join(name),
                values: vec![KeyText {
                    key: "id".to_owned(),
                    was: vec!["old".to_owned()],
                    text: "new-1".to_owned(),
                }],
                ..Carry::default()
            })
        })
        .collect();
    for _ in 0..2 {
        let mut folders = Folders::of(&dirs);
        let mut left = Left::default();
        for it in &carries {
            carry(it, &mut folders, &mut left).expect("copied");
        }
        assert!(left.unread.is_empty(), "{left:?}");
        assert_eq!(
            left.second,
            [dirs.state.join("codex/q/sessions/2026/rollout-same.jsonl")],
            "and it is named"
        );
        for provider in ["p", "q"] {
            let session = get(&format!("codex-shared/sessions/2026/rollout-{provider}.jsonl"));
            assert_eq!(session, "{\"id\":\"new-1\"} old\n{\"id\":\"new-1\"}\n");
            assert!(
                get(&format!("codex/{provider}/sessions/2026/rollout-{provider}.jsonl")).contains("\"old\"")
            );
        }
        assert_eq!(
            get("codex-shared/sessions/2026/rollout-same.jsonl"),
            "\"p\"\n",
            "a file that is there stays"
        );
        assert_eq!(get("codex-shared/history.jsonl"), "both\np\nq\n");
        assert_eq!(get("codex-shared/rules/default.rules"), "p\nboth\nq\n");
        assert!(!dirs.state.join("codex-shared/sessions/link").exists());
    }
    let modified =
        |path: &str| fs::metadata(dirs.state.join(path)).and_then(|it| it.modified()).expect("a time");
    assert_eq!(
        modified("codex/p/sessions/2026/rollout-p.jsonl"),
        modified("codex-shared/sessions/2026/rollout-p.jsonl")
    );
}

#[test]
fn a_home_is_taken_over_as_one_and_once() {
    let (_root, dirs) = made_up_dirs();
    let from = dirs.cache.join("codex/work");
    for (name, mode) in
        [("auth.json", 0o600), ("skills/x/run", 0o755), ("state_5.sqlite", 0o600), ("tmp-notes", 0o600)]
    {
        fs::create_dir_all(from.join(name).parent().expect("a folder")).expect("created");
        fs::write(from.join(name), name).expect("written");
        fs::set_permissions(from.join(name), fs::Permissions::from_mode(mode)).expect("a mode");
    }
    symlink("/elsewhere", from.join("link")).expect("linked");
    let to = dirs.state.join("codex/work/home");
    let home = Carry {
        whole: true,
        without: ["state_*", "tmp"].map(str::to_owned).into(),
        ..Carry::new(from.clone(), to.clone())
    };
    // Cut short before, and gone on with.
    let fresh = beside(&to, "new");
    Folders::of(&dirs).private(&fresh).expect("created");
    fs::write(fresh.join("auth.json"), "auth.json").expect("written");
    let mut left = Left::default();
    carry(&home, &mut Folders::of(&dirs), &mut left).expect("copied");
    assert!(left.second.is_empty() && left.unread.is_empty(), "{left:?}");
    assert_eq!(fs::read_link(to.join("link")).expect("a link"), Path::new("/elsewhere"));
    assert!(!to.join("state_5.sqlite").exists() && !fresh.exists());
    assert!(to.join("tmp-notes").exists(), "the user's, whatever its name begins with");
    let mode = fs::metadata(to.join("skills/x/run")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "it can be run");
    fs::remove_file(to.join("auth.json")).expect("removed");
    carry(&home, &mut Folders::of(&dirs), &mut left).expect("nothing to do");
    assert!(!to.join("auth.json").exists() && from.join("auth.json").exists());
}
