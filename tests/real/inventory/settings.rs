//! The keys of an agent's settings, as the agent itself says them: Crush prints a schema, Hermes has a table of defaults,
//! Claude Code an object of checks, and Codex the names of a struct.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value as Json;

use crate::support::{Sandbox, real, run};
use crate::variables::names;

/// Those of this agent, sorted; a key within a table as `table.key`.
pub fn of(agent: &str) -> BTreeSet<String> {
    match agent {
        "claude" => of_claude(),
        "codex" => of_codex(),
        "crush" => of_crush(),
        _ => of_hermes(),
    }
}

fn of_crush() -> BTreeSet<String> {
    let sandbox = real::sandbox("crush").expect("looked for before");
    let schema: Json = serde_json::from_str(&run(sandbox.command("crush").arg("schema")).stdout).unwrap();
    let mut keys = BTreeSet::new();
    for (name, table) in schema["$defs"].as_object().unwrap() {
        for key in table["properties"].as_object().into_iter().flat_map(|all| all.keys()) {
            keys.insert(if name == "Config" { key.clone() } else { format!("{name}.{key}") });
        }
    }
    keys
}

fn of_hermes() -> BTreeSet<String> {
    const PRINT: &str = "
from hermes_cli.config import DEFAULT_CONFIG, _KNOWN_ROOT_KEYS
def walk(table, above):
    for key, value in table.items():
        print(above + str(key))
        if isinstance(value, dict) and above.count('.') < 2:
            walk(value, above + str(key) + '.')
walk(DEFAULT_CONFIG, '')
for key in _KNOWN_ROOT_KEYS:
    print(key)";
    let sandbox = Sandbox::new();
    let mut python: Command = sandbox.command("env");
    let ran = run(python.arg(real::python_of_hermes()).args(["-c", PRINT]));
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.stdout.lines().map(str::to_owned).collect()
}

/// The object of checks around a key that only settings have.
fn of_claude() -> BTreeSet<String> {
    let bytes = fs::read(names::program("claude")).unwrap();
    // Lazily as of 2.1.332, at once in 2.1.197.
    let key = memchr::memmem::find_iter(&bytes, b"skipWebFetchPreflight:").find(|at| {
        let near = String::from_utf8_lossy(&bytes[*at..(*at + 120).min(bytes.len())]);
        near.contains(".optional().describe(")
    });
    let key = key.expect("Claude Code no longer checks its settings by an object");
    // It begins with this key.
    let first = memchr::memmem::rfind(&bytes[..key], b"apiKeyHelper:").expect("its first keys");
    keys_of_object(&bytes[first..])
}

/// The keys up to the end of the object that the text is within.
fn keys_of_object(text: &[u8]) -> BTreeSet<String> {
    let (mut keys, mut depth, mut at, mut start) = (BTreeSet::new(), 0_usize, 0, Some(0));
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' | b'\'' | b'`' => {
                at += 1;
                while text.get(at).is_some_and(|&other| other != byte) {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth == 0 => break,
            b')' | b']' | b'}' => depth -= 1,
            b':' if depth == 0 => {
                if let Some(start) = start.take() {
                    keys.insert(String::from_utf8_lossy(&text[start..at]).trim_matches('"').to_owned());
                }
            }
            b',' if depth == 0 => start = Some(at + 1),
            _ => {}
        }
        at += 1;
    }
    keys
}

fn of_codex() -> BTreeSet<String> {
    let bytes = fs::read(names::program("codex")).unwrap();
    // A field that only this struct has, and the table that it is for.
    let structs = [("experimental_thread_store_endpoint", ""), ("min_rollout_idle_hours", "memories.")];
    structs.iter().flat_map(|(field, table)| fields_of_codex(&bytes, field, table)).collect()
}

/// The fields of a struct, which the program holds end to end: known names are cut out, and what is left between them is
/// a name, or some, that nobody judged.
fn fields_of_codex(bytes: &[u8], field: &str, table: &str) -> BTreeSet<String> {
    let at = memchr::memmem::find_iter(bytes, field);
    let is_part = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
    let runs = at.map(|at| {
        let start = bytes[..at].iter().rposition(|byte| !is_part(byte)).map_or(0, |before| before + 1);
        let end = bytes[at..].iter().position(|byte| !is_part(byte)).map_or(bytes.len(), |end| at + end);
        String::from_utf8_lossy(&bytes[start..end]).into_owned()
    });
    let run = runs.max_by_key(String::len).expect("Codex no longer holds the names of its settings");
    let mut known: Vec<_> = crate::judged::of("codex")
        .into_iter()
        .filter(|row| row.what == "setting")
        .filter_map(|row| row.name.strip_prefix(table).map(str::to_owned))
        .collect();
    known.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let mut parts = vec![(run, false)];
    for name in known {
        parts = parts
            .into_iter()
            .flat_map(|(part, is_name)| {
                if is_name {
                    return vec![(part, true)];
                }
                let rest = part.split(&*name).map(|rest| (rest.to_owned(), false));
                let rest: Vec<_> = rest.collect();
                let count = rest.len();
                let name = (name.clone(), true);
                rest.into_iter()
                    .enumerate()
                    .flat_map(|(at, rest)| if at + 1 < count { vec![rest, name.clone()] } else { vec![rest] })
                    .collect()
            })
            .collect();
    }
    let fields = parts.into_iter().map(|(part, _)| part).filter(|part| part.len() > 2);
    fields.map(|field| format!("{table}{field}")).collect()
}

#[test]
fn the_keys_of_an_object_are_those_at_its_top() {
    let text = br#"a:()=>O(r({x:1})).describe("b: (c"),"d":H.str('e\'f,g:'),h:i(`,j:`)}),k:1"#;
    assert_eq!(keys_of_object(text), ["a", "d", "h"].map(str::to_owned).into());
}
