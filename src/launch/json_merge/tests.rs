use super::*;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};

const KEY: &str = "sk-0123456789-abcdefghijKLMNOP";
const TAIL: &str = "3456789-abcdefghijKLMNOP";

struct TestHome(tempfile::TempDir);

impl TestHome {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn with(text: &str) -> Self {
        let home = Self::new();
        fs::write(home.path("f.json"), text).expect("written");
        home
    }

    fn merge(&self, edits: Vec<Edit>, key: Option<&str>) -> Result<()> {
        merge(&self.path("f.json"), &Merge { edits, lock: self.path("f.json.lock") }, key)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path("f.json")).expect("there")
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).expect("a folder");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("one").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

fn flag() -> Vec<Edit> {
    vec![Edit::Set("done", true.into())]
}

fn approve() -> Vec<Edit> {
    vec![Edit::AddKeyTail(&["keys", "approved"], 24)]
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("there").permissions().mode() & 0o777
}

#[test]
fn a_missing_file_is_made_private_and_nothing_else_is_left() {
    let home = TestHome::new();
    home.merge(flag(), None).expect("merged");
    assert_eq!(home.text(), "{\n  \"done\": true\n}");
    assert_eq!((mode(&home.path("f.json")), home.names()), (0o600, vec!["f.json".to_owned()]));
}

#[test]
fn everything_else_stays_text_for_text() {
    let odd = r#"{
  "big": 123456789012345678901234567890.10,
  "half": "\ud83d",
  "projects": {
"/w": {"b": 1, "a": 1e2}
  },
  "done": false
}"#;
    let home = TestHome::with(odd);
    fs::set_permissions(home.path("f.json"), Permissions::from_mode(0o640)).expect("set");
    home.merge(flag(), None).expect("merged");
    assert_eq!(home.text(), odd.replace("false", "true"));
    assert_eq!(mode(&home.path("f.json")), 0o640);
}

#[test]
fn a_member_is_added_in_the_style_of_the_file_and_no_other_byte_changes() {
    for (before, after) in [
        (
            "\u{feff}{\"a\": 1.0e400,\r\n\t\"b\":12 }\r\n",
            "\u{feff}{\"a\": 1.0e400,\r\n\t\"b\":12,\"done\": true }\r\n",
        ),
        ("{\r\n\t\"a\":{\"b\":[1 , 2]}\r\n}", "{\r\n\t\"a\":{\"b\":[1 , 2]},\r\n\t\"done\": true\r\n}"),
        ("{\"done\":false,\"x\":\"\\ud800\"}\n", "{\"done\":true,\"x\":\"\\ud800\"}\n"),
        ("{\"done\":1, \"done\" : 2}", "{\"done\":1, \"done\" : true}"),
        ("\n{ }\n", "\n{\n  \"done\": true\n}\n"),
    ] {
        let home = TestHome::with(before);
        home.merge(flag(), None).expect("merged");
        assert_eq!(home.text(), after);
    }
    for (before, after) in
        [("[ \"x\"\n ]", format!("[ \"x\", \"{TAIL}\"\n ]")), ("[ ]", format!("[\"{TAIL}\" ]"))]
    {
        let text = |list: &str| format!("{{\"keys\":{{\"approved\":{list},\"rejected\":[]}} }}\n");
        let home = TestHome::with(&text(before));
        home.merge(approve(), Some(KEY)).expect("merged");
        assert_eq!(home.text(), text(&after));
    }
}

#[test]
fn nothing_is_written_when_nothing_changes() {
    use std::os::unix::fs::MetadataExt;
    let home = TestHome::with(&format!(r#"{{"done":true,"keys":{{"approved":["{TAIL}"]}}}}"#));
    let before = fs::metadata(home.path("f.json")).expect("there").ino();
    home.merge([flag(), approve()].concat(), Some(KEY)).expect("merged");
    assert_eq!(fs::metadata(home.path("f.json")).expect("there").ino(), before);
}

#[test]
fn the_end_of_a_key_is_added_once() {
    for (before, after) in [
        ("{}", vec![TAIL]),
        (r#"{"keys": null}"#, vec![TAIL]),
        (r#"{"keys": {"approved": ["x"], "rejected": []}}"#, vec!["x", TAIL]),
    ] {
        let home = TestHome::with(before);
        for _ in 0..2 {
            home.merge(approve(), Some(KEY)).expect("merged");
        }
        let json: Json = serde_json::from_str(&home.text()).expect("JSON");
        assert_eq!(json["keys"]["approved"], Json::from(after), "{before}");
    }
}

#[test]
fn a_short_key_is_never_stored_and_a_strange_shape_stays() {
    for (text, key) in [("{}", TAIL), (r#"{"keys": "x"}"#, KEY), (r#"{"keys": {"approved": 1}}"#, KEY)] {
        let home = TestHome::with(text);
        home.merge(approve(), Some(key)).expect("merged");
        assert_eq!(home.text(), text);
    }
}

#[test]
fn a_broken_file_is_refused_and_left() {
    for text in ["", "{\"a\":1,", "[]", "null"] {
        let home = TestHome::with(text);
        let error = crate::error::render(&home.merge(flag(), None).expect_err(text));
        assert!(
            error.contains("f.json") && error.contains(" line 1 ") && error.contains("\nhelp: "),
            "{error}"
        );
        assert_eq!((home.text().as_str(), home.names().len()), (text, 1));
    }
}

#[test]
fn links_are_written_through() {
    let home = TestHome::new();
    fs::create_dir(home.path("real")).expect("created");
    symlink("middle", home.path("f.json")).expect("linked");
    symlink("real/file.json", home.path("middle")).expect("linked");
    home.merge(flag(), None).expect("merged through a dangling link");
    home.merge(vec![Edit::Set("more", 1.into())], None).expect("merged");
    let json: Json = serde_json::from_str(&home.text()).expect("JSON");
    assert_eq!((&json["done"], &json["more"]), (&Json::Bool(true), &Json::from(1)));
    assert_eq!(fs::read_link(home.path("f.json")).expect("a link"), Path::new("middle"));
    assert_eq!(home.names(), ["f.json", "middle", "real"]);
}

#[test]
fn what_cannot_be_written_does_not_stop_the_launch() {
    let home = TestHome::new();
    symlink("gone/file.json", home.path("f.json")).expect("linked");
    home.merge(flag(), None).expect("a warning");
    assert_eq!(home.names(), ["f.json"]);
}

#[test]
fn a_missing_folder_is_made_private() {
    let home = TestHome::new();
    let path = home.path("cc/f.json");
    merge(&path, &Merge { edits: flag(), lock: home.path("cc/f.json.lock") }, None).expect("merged");
    assert_eq!((mode(&home.path("cc")), mode(&path)), (0o700, 0o600));
}

#[test]
fn merges_at_once_lose_nothing() {
    const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let home = TestHome::new();
    std::thread::scope(|scope| {
        for name in NAMES {
            let home = &home;
            scope.spawn(move || home.merge(vec![Edit::Set(name, true.into())], None).expect("merged"));
        }
    });
    let json: Json = serde_json::from_str(&home.text()).expect("JSON");
    assert_eq!(json.as_object().map(serde_json::Map::len), Some(NAMES.len()), "{}", home.text());
    assert_eq!(home.names(), ["f.json"]);
}

#[test]
fn a_key_that_only_the_agent_can_read_is_left_alone() {
    let edits = [Edit::Set("done", true.into())];
    assert_eq!(merged(r#"{"n\ud800": 3}"#, &edits, None).expect("no error"), None);
}

#[test]
fn a_file_that_another_process_keeps_is_left_and_the_help_says_whom_to_look_for() {
    let home = TestHome::with("{}");
    let held = AtomicFile::open(&home.path("f.json")).expect("held");
    let error = crate::error::render(&home.merge(flag(), None).expect_err("held for too long"));
    assert_eq!(error.matches("\nhelp: ").count(), 1, "{error}");
    assert!(error.contains("\nhelp: wait for it, or find the process with `fuser -v "), "{error}");
    assert!(error.starts_with("could not change ") && error.contains(" for 10 s"), "{error}");
    assert_eq!(home.text(), "{}");
    let written = crate::fs::files::write(
        &home.path("f.json"),
        b"x",
        &shims::Dirs { cache: home.0.path().to_owned(), ..shims::Dirs::default() },
    );
    assert!(crate::error::render(&written.expect_err("held")).contains("with `fuser -v "));
    drop(held);
}
