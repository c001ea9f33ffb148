//! Made-up JSON: plain, odd and broken.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use serde_json::Value as Json;

/// Numbers that are as good as random and always the same.
pub struct Dice(pub u64);

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

pub fn plain(dice: &mut Dice, depth: usize) -> String {
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
pub fn odd(dice: &mut Dice) -> (&'static str, Vec<u8>) {
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
        3 => ("more than 1,000 levels", nested(1001 + levels * 100, &inner)),
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

pub fn broken(dice: &mut Dice) -> Vec<u8> {
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

/// The value with every number as a double, as JavaScript and Go have it.
pub fn in_doubles(json: Json) -> Json {
    match json {
        Json::Number(number) => number.as_f64().map_or(Json::Null, Json::from),
        Json::Array(items) => items.into_iter().map(in_doubles).collect(),
        Json::Object(members) => {
            Json::Object(members.into_iter().map(|(key, value)| (key, in_doubles(value))).collect())
        }
        other => other,
    }
}

/// What a program makes of each document, which it reads after its length in four bytes, and answers in the same way;
/// `None` of one that it refuses.
pub fn answers(program: &mut Command, documents: &[(&str, Vec<u8>)]) -> Vec<Option<Vec<u8>>> {
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for (_, document) in documents {
                stdin.write_all(&u32::try_from(document.len()).unwrap().to_le_bytes()).unwrap();
                stdin.write_all(document).unwrap();
            }
            drop(stdin);
        });
        child.stdout.take().unwrap().read_to_end(&mut answers).unwrap();
    });
    assert!(child.wait().unwrap().success());
    let mut rest = answers.as_slice();
    let mut each = Vec::new();
    while let Some((size, after)) = rest.split_first_chunk() {
        let (answer, after) = after.split_at(usize::try_from(u32::from_le_bytes(*size)).unwrap());
        each.push((!answer.is_empty()).then(|| answer.to_vec()));
        rest = after;
    }
    assert_eq!(each.len(), documents.len());
    each
}
