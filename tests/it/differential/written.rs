//! `PyYAML` reads the entries that are written into the config as they are meant, with both of its parsers.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::yaml::python;
use crate::support::Sandbox;

const READ: &str = r"
import json, sys, yaml
for line in sys.stdin:
    text = json.loads(line)
    one, other = [yaml.load(text, Loader=loader) for loader in (yaml.CSafeLoader, yaml.SafeLoader)]
    assert one == other, text
    print(json.dumps(one))
";

/// Texts that are something else in one YAML or another, or end too early in brackets.
const TEXTS: [&str; 34] = [
    "plain",
    "a b",
    "yes",
    "No",
    "off",
    "y",
    "null",
    "~",
    "true",
    "1.5",
    "4.10",
    "017",
    "0o17",
    "0x1F",
    "1_000",
    "12:30",
    "2001-02-03",
    "<<",
    "=",
    "a: b",
    "a #b",
    "a, b",
    "[x]",
    "{x: y}",
    "- x",
    "?x",
    ":x",
    "x:?y",
    "'x'",
    "\"x\"",
    "\\n",
    "!x",
    "*x",
    "é\u{2028}\u{1f600}\u{ffff}",
];

#[test]
#[cfg_attr(not(feature = "real-agents"), ignore = "needs Hermes' Python: --features real-agents")]
fn pyyaml_reads_what_is_written_into_the_config() {
    let sandbox = Sandbox::new();
    let mut documents = String::new();
    for text in TEXTS {
        let command = format!("print {}", shlex::try_quote(text).expect("no NUL"));
        let words = [
            "providers",
            "add",
            "ollama",
            "--dry-run",
            &format!("--model={text}"),
            "--key-command",
            &command,
        ];
        let ran = sandbox.agent_run(&words).exits(0);
        _ = writeln!(documents, "{}", json!(format!("providers:\n{}", ran.stdout)));
    }
    let read = python(READ, documents);
    assert_eq!(read.len(), TEXTS.len());
    for (text, entry) in TEXTS.iter().zip(read) {
        let entry: Json = serde_json::from_str(&entry).expect("JSON");
        let entry = &entry["providers"]["ollama"];
        assert_eq!(
            (&entry["default_model"], &entry["key_command"]),
            (&json!(text), &json!(["print", text])),
            "{entry}"
        );
    }
}
