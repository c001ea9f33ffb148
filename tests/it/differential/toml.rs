use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};
use toml::{Table, Value as Toml};

use super::Random;
use crate::support::real;

const KEYS: [&str; 12] =
    ["a", "b", "model", "a-b", "1", "\"e.vil\"", "'x y'", "a.b", "\"\\u0061\"", "\"\"", "ä", "mcp_servers"];
const VALUES: [&str; 34] = [
    "1",
    "-0",
    "+1_000",
    "0x1F",
    "0o7",
    "0b1",
    "1.5",
    "1e3",
    "1e400",
    "inf",
    "nan",
    "true",
    "\"x\"",
    "'x'",
    "\"\"\"a\nb\"\"\"",
    "'''a\nb'''",
    "\"\\u00e4\\U0001F980\"",
    "\"\\e\\x41\"",
    "\"\\q\"",
    "\"tab\there\"",
    "[1, 2]",
    "[1,\n 'a', # c\n]",
    "[[], [{}]]",
    "{ a = 1 }",
    "{ a = 1, }",
    "{\n a = 1,\n b = 2 # c\n}",
    "{ a.b = 1, a.c = 2 }",
    "1979-05-27",
    "1979-05-27T07:32:00Z",
    "1979-05-27T07:32",
    "07:32:00",
    "01",
    "tru",
    "{ a = 1, a = 2 }",
];

fn document(random: &mut Random) -> String {
    let mut text = String::from(random.of(&["", "", "", "", "\u{feff}", "# c\n", "\n"]));
    for _ in 0..=random.below(5) {
        match random.below(6) {
            0 => text += &["[", random.of(&KEYS), "]"].concat(),
            1 => text += &["[[", random.of(&KEYS), "]]"].concat(),
            _ => {
                let (key, value) = (random.of(&KEYS), random.of(&VALUES));
                let (before, after) = (random.of(&["", " "]), random.of(&["", " ", "\t"]));
                text += &[before, key, after, "=", random.of(&["", " "]), value].concat();
            }
        }
        text += random.of(&["", "", "", " # c", "\t", "\u{a0}", " #\u{1}"]);
        text += random.of(&["\n", "\n", "\n", "\r\n", "\r", ""]);
    }
    text
}

fn documents() -> Vec<String> {
    let mut random = Random::new(12);
    (0..4000).map(|_| document(&mut random)).collect()
}

/// As JSON of Python's `tomllib` would be: dates as text, and numbers that JSON has not by name.
fn shown(value: &Toml) -> Json {
    match value {
        Toml::String(text) => json!(text),
        Toml::Integer(number) => json!(number.to_string()),
        Toml::Float(number) if number.is_nan() => json!("nan"),
        Toml::Float(number) => json!({ "float": format!("{:016x}", number.to_bits()) }),
        Toml::Boolean(it) => json!(it),
        Toml::Datetime(_) => json!("date"),
        Toml::Array(items) => items.iter().map(shown).collect(),
        Toml::Table(table) => {
            Json::Object(table.iter().map(|(key, value)| (key.clone(), shown(value))).collect())
        }
    }
}

/// The older crate writes `07:32` as `07:32:00`.
fn without_dates(value: Json) -> Json {
    match value {
        Json::Object(table) if table.contains_key("$__toml_private_datetime") => json!("date"),
        Json::Object(table) => {
            Json::Object(table.into_iter().map(|(key, value)| (key, without_dates(value))).collect())
        }
        Json::Array(items) => items.into_iter().map(without_dates).collect(),
        other => other,
    }
}

fn ours(text: &str) -> Option<Json> {
    // As `Inputs::text` hands it over.
    let table: Table = text.strip_prefix('\u{feff}').unwrap_or(text).parse().ok()?;
    Some(shown(&table.into()))
}

/// Codex 0.171 reads with the `toml` crate too, of TOML 1.0 or 1.1: what the older one takes, ours takes as the same.
#[test]
fn whatever_an_older_toml_crate_reads_is_read_alike() {
    let (mut read, mut refused) = (0, 0);
    for text in documents() {
        let theirs = toml_1_0::from_str::<Json>(text.strip_prefix('\u{feff}').unwrap_or(&text));
        let Ok(theirs) = theirs else { continue };
        read += 1;
        let Ok(value) = text.strip_prefix('\u{feff}').unwrap_or(&text).parse::<Table>() else {
            refused += 1;
            println!("refused: {text:?}");
            continue;
        };
        // Numbers that JSON has not become null there and here.
        assert_eq!(without_dates(serde_json::to_value(&value).unwrap()), without_dates(theirs), "{text:?}");
    }
    println!("{read} documents read by the older crate; ours refused {refused}");
    assert!(read > 500, "the documents say little");
    assert_eq!(refused, 0);
}

/// Python's, an implementation that shares nothing with ours. The 1.0 that it reads is a part of the 1.1 that ours
/// reads.
#[test]
#[cfg_attr(not(feature = "real-agents"), ignore = "needs the Python of Hermes")]
fn whatever_pythons_tomllib_reads_is_read_alike() {
    let python = real::python_of_hermes();
    let script = "import datetime, json, struct, sys, tomllib\n\
        def shown(v):\n\
        \x20if isinstance(v, bool) or isinstance(v, str): return v\n\
        \x20if isinstance(v, int): return str(v) if -2**63 <= v < 2**63 else 'big'\n\
        \x20if isinstance(v, float): return 'nan' if v != v else {'float': struct.pack('>d', v).hex()}\n\
        \x20if isinstance(v, dict): return {k: shown(x) for k, x in v.items()}\n\
        \x20if isinstance(v, list): return [shown(x) for x in v]\n\
        \x20return 'date'\n\
        def read(t):\n\
        \x20try: return shown(tomllib.loads(t))\n\
        \x20except Exception: return None\n\
        print(json.dumps([read(t) for t in json.load(sys.stdin)]))\n";
    let mut child = Command::new(python)
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let all: Vec<_> = documents().iter().map(|text| text.trim_start_matches('\u{feff}').to_owned()).collect();
    let mut to = child.stdin.take().unwrap();
    to.write_all(serde_json::to_string(&all).unwrap().as_bytes()).unwrap();
    drop(to);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let theirs: Vec<Json> = serde_json::from_slice(&output.stdout).unwrap();
    let (mut read, mut refused) = (0, 0);
    for (text, theirs) in all.iter().zip(theirs).filter(|(_, theirs)| !theirs.is_null()) {
        read += 1;
        match ours(text) {
            Some(ours) => assert_eq!(ours, theirs, "{text:?}"),
            // Python makes it infinite. Codex' crate refuses it, as ours does.
            None if text.contains("1e400") => refused += 1,
            None => panic!("refused: {text:?}"),
        }
    }
    println!("{read} documents read by Python; ours refused {refused}, all for a number that is too large");
    assert!(read > 500, "the documents say little");
}
