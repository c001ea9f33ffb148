//! What Go's `encoding/json` accepts, our reader reads to the same value or refuses.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use serde_json::Value as Json;
use shims::json::{GO, parse};

use crate::support::{Sandbox, real};

/// Reads documents, each after its length in four bytes, and writes back what was read in the same way; of one
/// that is refused, nothing.
const PROGRAM: &str = r#"package main

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
)

func main() {
	all, _ := io.ReadAll(os.Stdin)
	for len(all) > 0 {
		size := binary.LittleEndian.Uint32(all)
		var value any
		out := []byte{}
		if json.Unmarshal(all[4:4+size], &value) == nil {
			out, _ = json.Marshal(value)
		}
		all = all[4+size:]
		binary.Write(os.Stdout, binary.LittleEndian, uint32(len(out)))
		os.Stdout.Write(out)
	}
}
"#;

/// Numbers that are as good as random and always the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }

    fn of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }
}

const TEXTS: [&str; 8] = ["", "a", "providers", "é🦀", r"\n\t\\\/\u00e9", r"\ud83e\udd80", "$(x)", r#"\""#];
const NUMBERS: [&str; 9] =
    ["0", "-0", "1.5e3", "-17", "9007199254740993", "1e-400", "0.1", "1E+2", "4611686018427387904"];

fn plain(dice: &mut Dice, depth: usize) -> String {
    let space = dice.of(&["", "", " ", "\n\t", "\r\n"]);
    match dice.below(if depth == 0 { 4 } else { 7 }) {
        0 => format!("{space}\"{}\"", dice.of(&TEXTS)),
        1 => format!("{space}{}", dice.of(&NUMBERS)),
        2 => dice.of(&["true", "false"]).to_owned(),
        3 => format!("null{space}"),
        4 => {
            let count = dice.below(4);
            let items: Vec<_> = (0..count).map(|_| plain(dice, depth - 1)).collect();
            format!("[{}{space}]", items.join(","))
        }
        _ => {
            let count = dice.below(4);
            let members: Vec<_> = (0..count)
                .map(|at| format!("{space}\"{}{at}\"{space}:{}", dice.of(&TEXTS), plain(dice, depth - 1)))
                .collect();
            format!("{{{}}}{space}", members.join(","))
        }
    }
}

/// The kinds of odd documents, with one of each made.
fn odd(dice: &mut Dice) -> (&'static str, Vec<u8>) {
    let inner = plain(dice, 2);
    let nested = |levels: usize, inner: &str| {
        format!("{}{inner}{}", "[".repeat(levels), "]".repeat(levels)).into_bytes()
    };
    let levels = dice.below(700);
    match dice.below(14) {
        0 => {
            let bad = dice.of::<[u8]>(&[b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf0\x9f", b"\x80\x80"]);
            ("bytes that are no UTF-8", [b"{\"a\": \"x", bad, b"y\", \"", bad, b"\": 1}"].concat())
        }
        1 => {
            let half =
                dice.of(&[r"\ud800", r"\udc00", r"\ud800\ud800", r"\ud800A", r"\udbff\u0041", r"\uD83E\n"]);
            ("half a surrogate pair", format!("[\"{half}\", {{\"k{half}\": {inner}}}]").into_bytes())
        }
        2 => ("200 to 900 levels", nested(200 + levels, &inner)),
        3 => ("more than 1,000 levels", nested(1001 + levels * 10, &inner)),
        4 => {
            let huge = dice.of(&["1e400", "-1e400", "1e99999999999", "123456789e300"]);
            ("a number beyond a double", format!("{{\"n\": {huge}, \"m\": {inner}}}").into_bytes())
        }
        5 => {
            let long = dice.of(&[
                "123456789012345678901234567890",
                "0.1000000000000000055511151231257827021181583404541015625",
                "18446744073709551616",
                "-9223372036854775809",
                "5e-324",
                "1.7976931348623157e308",
            ]);
            ("a number of many digits", format!("[{long}]").into_bytes())
        }
        6 => ("a key twice", format!("{{\"a\": {inner}, \"b\": 1, \"a\": {}}}", plain(dice, 1)).into_bytes()),
        7 => ("a byte order mark", format!("\u{feff}{inner}").into_bytes()),
        8 => ("comments", format!("// c\n{inner} /* c */").into_bytes()),
        9 => ("a trailing comma", format!("[{inner},]").into_bytes()),
        10 => {
            let space = dice.of(&["\u{a0}", "\u{2028}", "\u{b}", "\u{c}", "\u{85}", "\0"]);
            ("other white space", format!("{space}[{space}{inner}]").into_bytes())
        }
        11 => (
            "a control character in a text",
            format!("[\"{}\"]", char::from(u8::try_from(dice.below(33)).unwrap())).into_bytes(),
        ),
        12 => (
            "separators and NUL as escapes",
            format!("[\"\\u0000\\u2028\u{2028}\u{7f}\", {inner}]").into_bytes(),
        ),
        _ => (
            "other words",
            dice.of(&[
                "NaN",
                "Infinity",
                "-Infinity",
                "True",
                "nul",
                "[undefined]",
                "+1",
                ".5",
                "1.",
                "01",
                "0x10",
                "'a'",
                "{a: 1}",
                "-",
                "[1 2]",
                "",
            ])
            .as_bytes()
            .to_vec(),
        ),
    }
}

fn broken(dice: &mut Dice) -> Vec<u8> {
    let mut bytes = plain(dice, 3).into_bytes();
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len().max(1));
        match dice.below(3) {
            0 if !bytes.is_empty() => _ = bytes.remove(at),
            1 if !bytes.is_empty() => bytes[at] = dice.of::<[u8]>(&[b"\"\\{}[],:0e-. u"])[dice.below(14)],
            _ => bytes.insert(at.min(bytes.len()), u8::try_from(dice.below(256)).unwrap()),
        }
    }
    bytes
}

/// The value with every number as a double, as Go has it.
fn as_go_has_it(json: Json) -> Json {
    match json {
        Json::Number(number) => number.as_f64().map_or(Json::Null, Json::from),
        Json::Array(items) => items.into_iter().map(as_go_has_it).collect(),
        Json::Object(members) => {
            Json::Object(members.into_iter().map(|(key, value)| (key, as_go_has_it(value))).collect())
        }
        other => other,
    }
}

#[test]
#[cfg_attr(not(feature = "go-client"), ignore = "needs go: --features go-client")]
#[allow(clippy::print_stdout, reason = "shown with --nocapture")]
fn what_go_reads_is_read_alike_or_refused() {
    let sandbox = Sandbox::new();
    let program = sandbox.path("read.go");
    sandbox.write(&program, PROGRAM);
    let mut go = Command::new(real::program("go").unwrap());
    go.args(["run", program.to_str().unwrap()]).env("GOCACHE", sandbox.path("cache")).env("GOFLAGS", "");
    go.env("GOTOOLCHAIN", "local").env("GOPROXY", "off").current_dir(sandbox.path("tmp"));

    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut documents: Vec<(&str, Vec<u8>)> = Vec::new();
    documents.extend((0..900).map(|_| ("plain", plain(&mut dice, 4).into_bytes())));
    documents.extend((0..900).map(|_| odd(&mut dice)));
    documents.extend((0..900).map(|_| ("broken", broken(&mut dice))));

    let mut child = go.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for (_, document) in &documents {
                stdin.write_all(&u32::try_from(document.len()).unwrap().to_le_bytes()).unwrap();
                stdin.write_all(document).unwrap();
            }
            drop(stdin);
        });
        child.stdout.take().unwrap().read_to_end(&mut answers).unwrap();
    });
    assert!(child.wait().unwrap().success());

    let mut rest = answers.as_slice();
    let (mut alike, mut refused_by_go, mut taken) = (0, 0, 0);
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    for (kind, document) in &documents {
        let shown = String::from_utf8_lossy(&document[..document.len().min(300)]);
        let (size, after) = rest.split_first_chunk().expect("an answer");
        let (theirs, after) = after.split_at(usize::try_from(u32::from_le_bytes(*size)).unwrap());
        rest = after;
        let ours = parse(document, GO);
        if theirs.is_empty() {
            assert_ne!(*kind, "plain", "Go refuses {shown}");
            refused_by_go += 1;
            taken += usize::from(ours.is_ok());
            continue;
        }
        match ours {
            Ok(ours) => {
                // Deeper ones are beyond serde_json, and plain by now.
                let theirs = serde_json::from_slice(theirs).or_else(|_| parse(theirs, GO)).unwrap();
                assert_eq!(as_go_has_it(ours), as_go_has_it(theirs), "{kind}: {shown}");
                alike += 1;
            }
            Err(_) => *refused.entry(kind).or_default() += 1,
        }
    }
    println!(
        "{} documents: {alike} read alike, {refused_by_go} refused by Go ({taken} of them read by us), refused by us \
         alone: {refused:?}",
        documents.len()
    );
    // Values that deep cannot be dropped without using up the stack.
    let kinds: Vec<_> = refused.keys().copied().collect();
    assert_eq!(kinds, ["more than 1,000 levels"]);
    assert_eq!(taken, 0, "what Go refuses, Crush refuses");
    assert!(alike >= 1200, "{alike}");
}
