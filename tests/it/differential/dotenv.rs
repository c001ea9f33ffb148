use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use shims::dotenv::{Dialect, names};

use super::Random;
use crate::support::real;

const BLANKS: [&str; 8] = ["", "", " ", "\t", "  ", "\u{a0}", "\u{2003}", "\u{b}"];
const BREAKS: [&str; 5] = ["\n", "\n", "\r\n", "\n\n", "\r"];
const NAMES: [&str; 8] = ["A", "NO_PROXY", "CODEX_HOME", "a.b", "_x", "1A", "Ä", "A-B"];
const VALUES: [&str; 20] = [
    "",
    "1",
    "a b",
    "\"x\"",
    "'x'",
    "\"x",
    "'x",
    "\"a\nB=1\"",
    "'a\nB=1'",
    "a#b",
    "a # C=1",
    "${A}",
    "$A",
    "\\",
    "\\\"",
    "\"a\\\"\nB=1\"",
    "a'b\nD=2'",
    "\"a\" B=1",
    "a\\\nE=1",
    "\u{feff}",
];

/// Documents as people write them.
fn plain(random: &mut Random) -> String {
    let lines =
        ["A=1", "export B=two", "C=\"three four\"", "D='five'", "# a comment", "", "E=http://h/?x=y#z", "F="];
    let count = random.below(8);
    (0..count).flat_map(|_| [random.of(&lines), "\n"]).collect()
}

/// Documents of every odd piece.
fn odd(random: &mut Random) -> String {
    let mut text = String::from(if random.below(8) == 0 { "\u{feff}" } else { "" });
    for _ in 0..=random.below(5) {
        let export =
            random.of(&["", "", "export ", "export\t", "export\u{a0}", "export", "exportx ", "'", "\""]);
        text += random.of(&BLANKS);
        text += random.of(&["", "", "", "#", "\\"]);
        text += export;
        text += random.of(&NAMES);
        text += random.of(&["", "", "", "'", "\""]);
        text += random.of(&BLANKS);
        text += random.of(&["=", "=", "=", "=", "", ":", "=="]);
        text += random.of(&BLANKS);
        text += random.of(&VALUES);
        text += random.of(&BREAKS);
    }
    text
}

fn documents() -> (Vec<String>, Vec<String>) {
    let mut random = Random::new(11);
    let plain = (0..500).map(|_| plain(&mut random)).collect();
    (plain, (0..6000).map(|_| odd(&mut random)).collect())
}

/// What theirs sets is known to us, in plain documents nothing else, and in odd ones not much more.
fn compare(theirs: impl Fn(usize, &str) -> BTreeSet<String>, plain: &[String], odd: &[String]) {
    let mut more = 0;
    for (at, text) in plain.iter().chain(odd).enumerate() {
        let ours: BTreeSet<String> = names(text.as_bytes(), Dialect::Lines).into_iter().collect();
        let theirs = theirs(at, text);
        let missed: Vec<_> = theirs.difference(&ours).collect();
        assert!(missed.is_empty(), "{missed:?} of {text:?}");
        assert!(at >= plain.len() || ours == theirs, "{ours:?}, not {theirs:?}: {text:?}");
        more += usize::from(ours != theirs);
    }
    println!("{} documents; {more} odd ones were taken to set more than they do", plain.len() + odd.len());
}

#[test]
fn whatever_dotenvy_sets_is_known() {
    let (plain, odd) = documents();
    let read = |_, text: &str| {
        let pairs = dotenvy::from_read_iter(text.as_bytes());
        pairs.flatten().map(|(name, _)| name).collect()
    };
    compare(read, &plain, &odd);
}

/// With the python-dotenv that Hermes brings.
#[test]
#[cfg_attr(not(feature = "real-agents"), ignore = "needs the Python of Hermes")]
fn whatever_python_dotenv_sets_is_known() {
    let python = real::python_of_hermes();
    let (plain, odd) = documents();
    let script = "import io, json, logging, sys\nfrom dotenv import dotenv_values\n\
        logging.disable()\n\
        print(json.dumps([[k for k, v in dotenv_values(stream=io.StringIO(t)).items() if v is not None]\n\
        \x20   for t in json.load(sys.stdin)]))\n";
    let mut child = Command::new(python)
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let all: Vec<_> = plain.iter().chain(&odd).collect();
    let mut to = child.stdin.take().unwrap();
    to.write_all(serde_json::to_string(&all).unwrap().as_bytes()).unwrap();
    drop(to);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let theirs: Vec<BTreeSet<String>> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(theirs.len(), all.len());
    // python-dotenv takes a byte order mark for a part of the first name, which is then no variable of ours.
    let is_whole = |name: &&String| !name.starts_with('\u{feff}');
    let theirs = |at: usize, _: &str| theirs[at].iter().filter(is_whole).cloned().collect();
    compare(theirs, &plain, &odd);
}

/// godotenv's own rules for where a name begins, as its 1.5 has them, on its own examples and on worse.
#[test]
fn whatever_godotenv_sets_is_known() {
    for (text, wanted) in [
        ("A=1\nB: 2\nexport C=3\n", &["A", "B", "C"][..]),
        ("A='x' B=2", &["A", "B"]),
        ("A=\"multi\nline\" B=2\nC=3", &["A", "B", "C"]),
        ("A=\"esc\\\"aped\"\nB=2", &["A", "B"]),
        ("export\tA: 'x'", &["A"]),
        ("A.b=1\nC-d=2", &["A.b"]),
        ("# A=1\n\n  B = 2 # C=3", &["B"]),
    ] {
        let ours = names(text.as_bytes(), Dialect::Go);
        for name in wanted {
            assert!(ours.iter().any(|it| it == name), "{name} of {text:?}: {ours:?}");
        }
    }
}
