//! python-dotenv: no variable that it sets from a file is missed by what looks through the file, and what is written
//! for it is read as it was meant.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use shims::hermes_variables::words;

use super::yaml::{Random, python};

/// Reads JSON texts, one a line, as Hermes reads a `.env`; writes the names that it sets, one list a line.
const NAMES: &str = r#"
import io, json, sys
from dotenv import dotenv_values
for line in sys.stdin:
    text = json.loads(line).replace("\0", "")
    # Text mode, as the file is opened.
    stream = io.TextIOWrapper(io.BytesIO(text.encode("utf-8")), encoding="utf-8")
    print(json.dumps(sorted(dotenv_values(stream=stream, interpolate=False))))
"#;

const NAMED: [&str; 8] = [
    "HERMES_MANAGED_DIR",
    "HERMES_MODEL",
    "AUXILIARY_X_MODEL",
    "CUSTOM_BASE_URL",
    "http_proxy",
    "PYTHON_DOTENV_DISABLED",
    "A",
    "LLM_MODEL",
];
const AROUND: [&str; 22] = [
    "export ", "export\t", " ", "\t", "'", "\"", "=", " = ", "#", " #", "\n", "\r\n", "\r", "\u{b}",
    "\u{85}", "\u{2028}", "\\", "\\'", "${A}", "x", "\0", "\u{feff}",
];

#[test]
#[cfg_attr(not(feature = "real-agents"), ignore = "needs Hermes' Python: --features real-agents")]
#[allow(clippy::print_stdout, reason = "shown with --nocapture")]
fn no_variable_of_a_dotenv_is_missed() {
    let mut random = Random(0x0000_ddb1_a5e5_ba11);
    let mut documents = Vec::new();
    for index in 0..3000 {
        let mut text = String::new();
        for _ in 0..=random.next(6) {
            if index % 3 == 0 {
                _ = writeln!(
                    text,
                    "{}={}",
                    random.pick(&NAMED),
                    random.pick(&["1", "'two words'", "\"x\"", ""])
                );
                continue;
            }
            for _ in 0..random.next(3) {
                text.push_str(random.pick(&AROUND));
            }
            text.push_str(random.pick(&NAMED));
            text.push_str(random.pick(&["=", " =", "'=", "\"=", "\n", "=x\n", "='y"]));
            for _ in 0..random.next(4) {
                text.push_str(random.pick(&AROUND));
            }
        }
        documents.push(text);
    }
    let lines: Vec<String> = documents.iter().map(|text| format!("{}\n", json!(text))).collect();
    let input = lines.concat();
    let answers = python(NAMES, input);
    assert_eq!(answers.len(), documents.len());
    let mut found = 0;
    for (text, answer) in documents.iter().zip(&answers) {
        let ours = words(text.as_bytes());
        let theirs: Json = serde_json::from_str(answer).expect("JSON");
        for name in theirs.as_array().expect("a list").iter().filter_map(Json::as_str) {
            // A name with other characters in it is the name of no variable that Hermes looks for.
            if NAMED.contains(&name) {
                assert!(ours.contains(name), "{name} of {text:?}");
                found += 1;
            }
        }
    }
    println!("{} documents, {found} variables of theirs, none missed", documents.len());
    assert!(found > 3000, "{found}");
}
