use std::collections::BTreeSet;

use shims::dotenv::{DotenvDialect, names};

use super::Random;

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
fn compare(theirs: impl Fn(&str) -> BTreeSet<String>, plain: &[String], odd: &[String]) {
    let mut more = 0;
    for (at, text) in plain.iter().chain(odd).enumerate() {
        let ours: BTreeSet<String> = names(text.as_bytes(), DotenvDialect::Lines).into_iter().collect();
        let theirs = theirs(text);
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
    let read = |text: &str| {
        let pairs = dotenvy::from_read_iter(text.as_bytes());
        pairs.flatten().map(|(name, _)| name).collect()
    };
    compare(read, &plain, &odd);
}
