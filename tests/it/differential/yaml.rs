//! `PyYAML`: what is written of a document must mean the same to `PyYAML` as the document itself, or be refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::json;
use shims::hermes_yaml::Mapping;

use crate::support::real;

/// Documents of each class.
const COUNT: usize = 2000;

/// Numbers from a seed (xorshift), so that a failure can be run again.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or_default() % below
    }

    pub fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.next(of.len())]
    }
}

const KEYS: [&str; 10] =
    ["model", "approvals", "mode", "mcp_servers", "a-b", "x.y", "timeout", "_v", "deny", "display"];
const VALUES: [&str; 26] = [
    "off",
    "on",
    "yes",
    "null",
    "~",
    "true",
    "12",
    "-3",
    "1.5",
    "0o17",
    "017",
    "0x1F",
    "1_000",
    "12:30",
    "1e5",
    "2001-02-03",
    "text",
    "two words",
    "'single'",
    "\"double \\\" \\n\"",
    "'it''s'",
    "http://host:1/x?y=1#z",
    "~/x.y",
    "${HOME}/x",
    "-x",
    "50%",
];
const ODD_VALUES: [&str; 48] = [
    "",
    "!!str 12",
    "!!bool 'on'",
    "!!int \"3\"",
    "!!float 1",
    "!!float 1e5",
    "!!null x",
    "! 12",
    "! '12'",
    "!<tag:yaml.org,2002:str> 1",
    "!<tag:yaml.org,2002:int> 7",
    "!!binary aGk=",
    "!!set {a, b}",
    "!!seq [1]",
    "!!map {a: 1}",
    "!!omap [{a: 1}]",
    "!!pairs [{a: 1}, {a: 2}]",
    "&a1 x",
    "[1, 2,]",
    "[a, [b, {c: d}]]",
    "{a: 1, b: , c}",
    "{? k : v}",
    "[a: b]",
    "[\"x\":y]",
    "\"x\"#y",
    "'x' # y",
    "\"\\u263a\\x41\\U0001f600\"",
    "\"a\\\n  b\"",
    "\"a\n  \n  b\"",
    "|\n  one\n   two\n",
    "|-\n  one\n\n",
    "|+\n  one\n\n",
    ">\n  a\n  b\n\n  c\n",
    ">2\n   a\n  b\n",
    "|1\n  x\n",
    ".inf",
    "-.NaN",
    "1:2.5",
    "2001-1-2 3:4:5",
    "2001-02-03T04:05:06.7 -5:30",
    "a:b",
    "a,b",
    "?x",
    "-x",
    "plain\n  more\n\n  yet",
    "= x",
    "<< x",
    "\u{e9}\u{1f600}",
];
const BROKEN: [&str; 32] = [
    "*gone",
    "&a1 [*a1]",
    "!thing x",
    "!!int x",
    "!!bool maybe",
    "!!float x",
    "!!timestamp x",
    "@x",
    "`x`",
    "%x",
    "[1, 2",
    "{a: 1",
    "'open",
    "\"\\q\"",
    "\"\\ud83e\"",
    "a: b: c",
    "=",
    "<<",
    "0x_",
    "2001-13-14",
    "}",
    "]",
    "\u{1}",
    "\u{7f}",
    "|0\n x",
    "- x",
    "? [a]\n  : b",
    "{[a]: b}",
    "!!set [a]",
    "!!omap {a: 1}",
    "!<x",
    "&a x",
];
const BLANKS: [&str; 4] = [" ", "  ", "\t", " \t "];
const BREAKS: [&str; 6] = ["\r\n", "\r", "\u{85}", "\u{2028}", "\u{2029}", "\n \n"];
const HEADS: [&str; 5] =
    ["---\n", "%YAML 1.1\n---\n", "%TAG !e! tag:yaml.org,2002:\n--- \n", "# x\n\n", "\u{feff}"];
const LINES: [&str; 13] = [
    "# comment",
    "# x\u{85}q: r",
    "# x\u{2028}s: t",
    "",
    "  ",
    "\t",
    "1: a",
    "'1': b",
    "true: c",
    "1.0: d",
    "<<: {m: 1}",
    "<<: [{m: 2}, {m: 3, n: 4}]",
    "? key\n: value",
];

/// A mapping in block style.
fn block(random: &mut Random, indent: usize, depth: usize, values: &[&[&str]], odd: bool) -> String {
    let mut text = String::new();
    for _ in 0..=random.next(4) {
        if odd && random.next(4) == 0 {
            _ = writeln!(text, "{:indent$}{}", "", random.pick(&LINES));
        }
        let blank = if odd { random.pick(&BLANKS) } else { " " };
        _ = write!(text, "{:indent$}{}:", "", random.pick(&KEYS));
        match random.next(if depth > 2 { 2 } else { 5 }) {
            0 | 1 => {
                let values = values[random.next(values.len())];
                let value = random.pick(values).replace('\n', &format!("\n{:indent$}", ""));
                _ = writeln!(text, "{blank}{value}");
            }
            2 => {
                let inset = random.next(2) * 2;
                text.push('\n');
                for _ in 0..=random.next(3) {
                    let values = values[random.next(values.len())];
                    let value = random.pick(values).replace('\n', &format!("\n{:indent$}  ", ""));
                    _ = writeln!(text, "{:width$}-{blank}{value}", "", width = indent + inset);
                }
            }
            3 => {
                let values = values[random.next(values.len())];
                let items: Vec<_> = (0..random.next(4)).map(|_| random.pick(values)).collect();
                let items: Vec<_> =
                    items.iter().filter(|item| odd || !item.contains(['{', '?', '%'])).copied().collect();
                let gap = if odd { random.pick(&[", ", ",", ",\n", " ,\n- "]) } else { ", " };
                _ = writeln!(text, "{blank}[{}]", items.join(gap));
            }
            _ => {
                text.push('\n');
                let deeper = indent + 1 + random.next(3);
                text.push_str(&block(random, deeper, depth + 1, values, odd));
            }
        }
    }
    text
}

/// Something of the text changed.
fn damaged(random: &mut Random, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=random.next(3) {
        let at = random.next(chars.len() + 1);
        match random.next(4) {
            0 if at < chars.len() => _ = chars.remove(at),
            1 => chars.insert(
                at,
                random
                    .pick(&[
                        "{", "}", "[", "]", ":", "\"", "'", "#", "&", "*", "!", "|", "?", ",", "%", "-",
                        "\t", "\n", " ",
                    ])
                    .chars()
                    .next()
                    .unwrap_or(' '),
            ),
            2 => chars.truncate(at.max(1)),
            _ => chars.rotate_left(at.min(3)),
        }
    }
    chars.into_iter().collect()
}

fn documents() -> Vec<(&'static str, String)> {
    let mut random = Random(0x5eed_1234_5678_9abc);
    let mut all = Vec::new();
    for _ in 0..COUNT {
        all.push(("plain", block(&mut random, 0, 0, &[&VALUES], false)));
        let mut odd = block(&mut random, 0, 0, &[&VALUES, &ODD_VALUES, &ODD_VALUES], true);
        if random.next(3) == 0 {
            odd = odd.replace('\n', random.pick(&BREAKS));
        }
        if random.next(4) == 0 {
            odd.insert_str(0, random.pick(&HEADS));
        }
        all.push(("odd", odd));
        let odd = random.next(2) == 0;
        let wrong = block(&mut random, 0, 1, &[&VALUES, &ODD_VALUES, &BROKEN], odd);
        all.push(("broken", damaged(&mut random, &wrong)));
    }
    all
}

/// Runs a program of the Python that the Hermes of the tests has, and gives its lines.
pub fn python(program: &str, input: String) -> Vec<String> {
    let folders: Vec<PathBuf> = real::folders();
    let python = folders.iter().map(|dir| dir.join("python")).find(|python| python.exists());
    let mut child = Command::new(python.expect("a Python: run tests/agents/install hermes"))
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut stdin = child.stdin.take().expect("piped");
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("ends");
    writer.join().expect("joins").expect("is read");
    String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned).collect()
}

#[test]
#[cfg_attr(not(feature = "real-agents"), ignore = "needs Hermes' Python: --features real-agents")]
#[allow(clippy::print_stdout, reason = "shown with --nocapture")]
fn pyyaml_reads_the_same() {
    let documents = documents();
    let mut lines = String::new();
    let mut flaws = Vec::new();
    for (_, document) in &documents {
        let written = Mapping::parse(document).map(|mapping| mapping.lines());
        _ = writeln!(lines, "{}", json!({ "document": document, "written": written.as_ref().ok() }));
        flaws.push(written.err().map(|flaw| flaw.what).unwrap_or_default());
    }
    let verdicts = python(include_str!("yaml.py"), lines);
    assert_eq!(verdicts.len(), documents.len(), "a verdict for each");

    let mut counts: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let mut wrong = String::new();
    for (((class, document), verdict), flaw) in documents.iter().zip(&verdicts).zip(&flaws) {
        let word = verdict.split(' ').next().unwrap_or_default();
        let reason = if word == "refused" { format!("refused: {flaw}") } else { word.to_owned() };
        *counts.entry((class, reason)).or_default() += 1;
        let fine =
            matches!(word, "same" | "neither") || (word == "refused" && *class != "plain" && is_meant(flaw));
        if !fine && wrong.len() < 6000 {
            _ = writeln!(wrong, "--- {class}: {verdict} {flaw}\n{document:?}");
        }
    }
    for ((class, reason), count) in &counts {
        println!("{count:6} {class}: {reason}");
    }
    assert!(wrong.is_empty(), "{wrong}");
    let read = |class| counts.get(&(class, "same".to_owned())).copied().unwrap_or_default();
    assert_eq!(read("plain"), COUNT);
    assert!(read("odd") > COUNT / 3 && read("broken") > COUNT / 20, "{counts:?}");
}

/// What is refused although Hermes takes it, and why.
const MEANT: [(&str, &str); 2] = [
    ("an alias inside its own value", "Hermes would fill in `${…}` without end"),
    ("the tag `!!binary` does not fit here", "base64 with characters that are none, which Python skips"),
];

fn is_meant(flaw: &str) -> bool {
    MEANT.iter().any(|(what, _)| *what == flaw)
}
