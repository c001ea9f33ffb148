//! What the disk adds: files that cannot be read, and files that others can.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::provider;
use crate::config::{DEMO, load};

fn written(folder: &tempfile::TempDir, mode: u32, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join("my config.yaml");
    fs::write(&path, bytes).expect("written");
    fs::set_permissions(&path, Permissions::from_mode(mode)).expect("a mode");
    path
}

#[track_caller]
fn refused(path: &Path) -> String {
    let message = crate::error::render(&load(path).err().expect("an error"));
    message.replace(&path.parent().expect("a folder").display().to_string(), "DIR")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn the_example_gives_no_warning() {
    let folder = folder();
    let loaded = load(&written(&folder, 0o600, DEMO)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loaded.warnings().next(), None);
}

#[test]
fn a_key_that_others_can_read_is_a_warning() {
    let folder = folder();
    let text = provider("key: sk-SECRET");
    for (mode, warned) in [(0o644, true), (0o640, true), (0o604, true), (0o600, false), (0o400, false)] {
        let path = written(&folder, mode, &text);
        let loaded = load(&path).unwrap_or_else(|error| panic!("{error}"));
        let warnings: Vec<_> = loaded.warnings().collect();
        assert_eq!(warnings, loaded.warnings_for(&["p"]));
        assert!(loaded.warnings_for(&["q"]).is_empty());
        assert_eq!(warnings.len(), usize::from(warned), "{mode:o}");
        if let [warning] = &warnings[..] {
            let at = path.display();
            let text = "providers.p.key is in a file that other users can read";
            assert_eq!(warning.render(), format!("{at}: {text}\nhelp: run `chmod 600 '{at}'`"));
        }
        fs::remove_file(&path).expect("removed");
    }
    let path = written(&folder, 0o644, provider("key_env: KEY"));
    assert_eq!(load(&path).unwrap_or_else(|error| panic!("{error}")).warnings().next(), None);
}

#[test]
fn a_file_that_is_not_there_or_no_file_is_said() {
    let folder = folder();
    let none = "there is no config: DIR/none.yaml\nhelp: `agent-run providers add` creates it";
    assert_eq!(refused(&folder.path().join("none.yaml")), none);
    let inner = folder.path().join("folder");
    fs::create_dir(&inner).expect("a folder");
    let inside = "could not read the config: DIR/folder: it is a folder\nhelp: name a file, with `--config` or in AGENT_RUN_CONFIG";
    assert_eq!(refused(&inner), inside);
    let file = written(&folder, 0o600, "");
    assert!(refused(&file.join("x")).contains("help: "));
}

#[test]
fn a_file_that_may_not_be_read_is_said() {
    // Root may read everything.
    if nix::unistd::geteuid().is_root() {
        return;
    }
    let folder = folder();
    let message = refused(&written(&folder, 0o000, "providers: {}"));
    let help = "help: check its permissions: `ls -ld 'DIR/my config.yaml'`";
    assert!(message.ends_with(&format!("permission denied\n{help}")), "{message}");
}

#[test]
fn a_file_that_is_not_text_is_said_with_the_place() {
    let folder = folder();
    let path = written(&folder, 0o600, b"providers:\n  p\xc3\xa9\xff: {}\n");
    let message = "DIR/my config.yaml:2:5: the file is not valid UTF-8 here\n\
                   help: save it as UTF-8; `agent-run config edit` opens the file";
    assert_eq!(refused(&path), message);
}

#[test]
fn a_file_too_large_is_refused() {
    let folder = folder();
    let path = written(&folder, 0o600, "providers: {}\n");
    let file = fs::OpenOptions::new().write(true).open(&path).expect("opened");
    file.set_len((16 << 20) + 1).expect("grown");
    assert!(refused(&path).contains("DIR/my config.yaml: it is larger than 16 MiB\nhelp: "));
}
