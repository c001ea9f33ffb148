//! What is read, and what is refused where.

use std::fmt::Write as _;

use super::*;

fn again(text: &str) -> String {
    Mapping::parse(text).expect(text).lines()
}

#[test]
fn aliases_and_merges_are_expanded_and_the_last_key_wins() {
    assert_eq!(again("a: &x {m: 1, n: 2}\nb: {<<: *x, n: 3}\n"), "a: {m: 1, n: 2}\nb: {m: 1, n: 3}\n");
    assert_eq!(again("a: 1\nb: 2\na: 3\n"), "a: 3\nb: 2\n");
}

#[test]
fn what_hermes_takes_is_taken() {
    for (text, read) in [
        ("a:\tb\n", "a: b\n"),
        ("a: !!bool 'on'\nb: !!int \"3\"\nc: !!float 1e5\n", "a: true\nb: 3\nc: !!float \"1e5\"\n"),
        ("a: !<tag:yaml.org,2002:str> 1\n", "a: \"1\"\n"),
        ("%TAG !y! tag:yaml.org,2002:\n--- \na: !y!str 1\n", "a: \"1\"\n"),
        ("a: [\n- 1,\nb\n]\n", ""),
        ("a: [\n1,\nb\n]\nc: d\n", "a: [1, b]\nc: d\n"),
        ("a: \"x\"#y\n", "a: \"x\"\n"),
        ("a: b\u{85}c: d\u{2028}e: f\u{2029}g: h\n", "a: b\nc: d\ne: f\ng: h\n"),
        ("# x\u{85}a: b # y\u{2028}c: d\n", "a: b\nc: d\n"),
        ("1: a\n'1': b\n", "1: a\n\"1\": b\n"),
        (
            "a: &a {x: 1}\nb: &b {x: 2, y: 3}\nc: {<<: *a, <<: *b}\n",
            "a: {x: 1}\nb: {x: 2, y: 3}\nc: {x: 2, y: 3}\n",
        ),
        ("a: 2001-02-03 4:05:06 # y\n", "a: 2001-02-03 4:05:06\n"),
        ("a: !!set {b, c}\n", "a: !!set {b: null, c: null}\n"),
        ("[]\n", ""),
        ("off\n", ""),
        ("''\n", ""),
        ("\u{feff}a: b\n", "a: b\n"),
    ] {
        let is = Mapping::parse(text).map(|mapping| mapping.lines());
        if read.is_empty() && text.starts_with("a:") {
            assert!(is.is_err(), "{text}: {is:?}");
        } else {
            assert_eq!(is.expect(text), read, "{text}");
        }
    }
    let deep = format!("a: {}1{}\n", "[".repeat(440), "]".repeat(440));
    assert_eq!(again(&deep), deep);
    assert!(Mapping::parse(&format!("a: {}", "[".repeat(100_000))).is_err());
}

#[test]
fn nothing_is_an_empty_mapping() {
    for text in ["", "# only a comment\n", "---\n", "~\n", "null\n"] {
        assert_eq!(again(text), "", "{text}");
    }
}

#[test]
fn flaws_are_said_with_line_and_column() {
    for (text, line) in [
        ("a: 1\nb: [1, 2\n", 3),
        ("a: 1\nb: @x\n", 2),
        ("- a\n", 1),
        ("a: 1\n---\nb: 2\n", 2),
        ("a: &x [*x]\n", 1),
        ("a: 1\n<<: 3\n", 2),
        ("a: 1\nb: !thing 3\n", 2),
        ("[a]: 1\n", 1),
    ] {
        let flaw = Mapping::parse(text).expect_err(text);
        assert_eq!(flaw.line, line, "{text}: {flaw:?}");
        assert!(flaw.column > 0 && !flaw.what.is_empty(), "{flaw:?}");
    }
}

#[test]
fn a_few_aliases_cannot_fill_the_memory() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..20 {
        let before = format!("*a{}", level - 1);
        _ = writeln!(text, "a{level}: &a{level} [{}]", [before.as_str(); 10].join(", "));
    }
    assert!(Mapping::parse(&text).is_err());
    // Anchors within anchors, each with a copy of all that is in it.
    let anchors = (0..400).map(|level| format!("&a{level} [")).collect::<Vec<_>>().concat();
    let nested = format!("a: {anchors}{}{}\n", "x, ".repeat(1000), "]".repeat(400));
    assert!(Mapping::parse(&nested).is_err());
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a, ".repeat(1000));
    assert!(Mapping::parse(&long).is_err());
    let usual = format!("a: &a {{k: {}}}\nb: [{}]\n", "x".repeat(2000), "*a, ".repeat(20));
    assert!(Mapping::parse(&usual).is_ok());
}
