use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("one").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn write(target: &Path, text: &str) -> io::Result<()> {
    let mut fresh = AtomicFile::open(target)?;
    fresh.write(text.as_bytes(), 0o600)?;
    fresh.commit()
}

#[test]
fn what_a_killed_writer_left_is_used_up() {
    let root = folder();
    let target = root.path().join("f");
    for mode in [0o600, 0o400, 0o000] {
        let left = beside(&target, "new");
        fs::write(&left, "half of something longer").expect("written");
        fs::set_permissions(&left, Permissions::from_mode(mode)).expect("set");
        write(&target, "whole").expect("written");
        assert_eq!((fs::read(&target).expect("there"), names(root.path()).len()), (b"whole".to_vec(), 1));
    }
}

#[test]
fn what_others_planted_under_the_temporary_name_is_never_written_through() {
    let root = folder();
    let (target, victim) = (root.path().join("f"), root.path().join("victim"));
    let left = beside(&target, "new");
    fs::write(&victim, "untouched").expect("written");
    let plant: [&dyn Fn(); 3] = [
        &|| symlink(&victim, &left).expect("linked"),
        &|| fs::hard_link(&victim, &left).expect("linked"),
        &|| nix::unistd::mkfifo(&left, nix::sys::stat::Mode::S_IRWXU).expect("made"),
    ];
    for plant in plant {
        plant();
        write(&target, "ours").expect("written");
        assert_eq!(fs::read(&victim).expect("there"), b"untouched");
        assert_eq!(fs::read(&target).expect("there"), b"ours");
        assert_eq!(names(root.path()), ["f", "victim"]);
    }
    fs::create_dir(&left).expect("made");
    assert!(write(&target, "other").is_err());
    assert!(left.is_dir());
}

#[test]
fn writers_at_once_each_write_whole_and_change_what_they_read() {
    let root = folder();
    let target = root.path().join("f");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let mut fresh = AtomicFile::open(&target).expect("begun");
                    let count = fs::read_to_string(&target).unwrap_or_default().lines().count();
                    fresh.write("line\n".repeat(count + 1).as_bytes(), 0o600).expect("written");
                    fresh.commit().expect("renamed");
                }
            });
        }
    });
    assert_eq!(fs::read_to_string(&target).expect("there").lines().count(), 200, "none was lost");
    assert_eq!(names(root.path()), ["f"]);
}

#[test]
fn a_file_that_is_there_is_left_and_a_dropped_one_is_gone() {
    let root = folder();
    let target = root.path().join("f");
    for (text, is_new) in [("first", true), ("second", false)] {
        let mut fresh = AtomicFile::open(&target).expect("begun");
        fresh.write(text.as_bytes(), 0o600).expect("written");
        assert_eq!(fresh.commit_new().expect("tried"), is_new);
    }
    drop(AtomicFile::open(&target).expect("begun"));
    assert_eq!((fs::read(&target).expect("there"), names(root.path()).len()), (b"first".to_vec(), 1));
}

#[test]
fn links_replaced_at_once_or_after_a_killed_one_leave_one_link() {
    let root = folder();
    let path = root.path().join("l");
    symlink("half", beside(&path, "new")).expect("linked");
    std::thread::scope(|scope| {
        for name in ["a", "b", "c", "d"] {
            let path = &path;
            scope.spawn(move || {
                (0..50).for_each(|_| replace_link(path, Path::new(name)).expect("replaced"));
            });
        }
    });
    assert_eq!(names(root.path()), ["l"]);
    let last = fs::read_link(&path).expect("a link");
    assert!(["a", "b", "c", "d"].contains(&&*last.to_string_lossy()), "{}", last.display());
}
