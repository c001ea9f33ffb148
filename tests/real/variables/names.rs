//! The names of variables that an agent's own program knows.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::bytes::Regex;

use crate::support::real;

/// Claude Code's readable JavaScript: what is read from `env`, its schema (groups of `NAME:()=>…`), and what the
/// runtime listens to.
const CLAUDE: &[&str] = &[
    r"\benv\.([A-Z][A-Z0-9_]{3,})",
    r"[{,]([A-Z][A-Z0-9_]{3,}):\(\)=>",
    r"\b((?:BUN|NODE|CLAUDE|ANTHROPIC|SSL)_[A-Z0-9_]{2,})\b",
];

/// Hermes Agent's and its libraries' Python.
const PYTHON: &[&str] = &[
    r#"(?:environ(?:\.get|\.pop|\.setdefault)?|getenv|get_env_value|env_var|env_get|_env)\s*[(\[]\s*["']([A-Za-z_][A-Za-z0-9_]{2,})["']"#,
];

/// Compiled programs hold names end to end: each is split where one of these starts.
const PREFIXES: &[&str] = &[
    "CODEX_",
    "CRUSH_",
    "OPENAI_",
    "ANTHROPIC_",
    "CHATGPT_",
    "CATWALK_",
    "AWS_",
    "AZURE_",
    "GOOGLE_",
    "GEMINI_",
    "VERTEX",
    "OTEL_",
    "SSL_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "OLLAMA_",
    "HYPER_",
    "RUST_",
    "GITHUB_",
    "GODEBUG",
];

/// Those of this agent, and one of each pattern that a launch removes, sorted.
#[track_caller]
pub fn of(agent: &str) -> Vec<String> {
    let mut names = in_program(agent);
    let family = shims::by_name(agent).expect("an agent").managed_env_vars();
    names.extend(family.iter().map(|pattern| pattern.replace('*', "X")));
    names.into_iter().collect()
}

/// Whether the agent's program or package holds this text.
#[track_caller]
pub fn holds(agent: &str, text: &str) -> bool {
    let program = program(agent);
    if agent != "hermes" {
        return memchr::memmem::find(&fs::read(program).unwrap(), text.as_bytes()).is_some();
    }
    let mut is_held = false;
    each_python(&site_packages(&program).join("hermes_cli"), &mut |bytes| {
        is_held |= memchr::memmem::find(bytes, text.as_bytes()).is_some();
    });
    is_held
}

/// Those that the agent's program or package names.
#[track_caller]
pub fn in_program(agent: &str) -> BTreeSet<String> {
    let program = program(agent);
    let mut names = BTreeSet::new();
    match agent {
        "claude" => find(&fs::read(program).unwrap(), CLAUDE, &mut names),
        "hermes" => {
            each_python(&site_packages(&program), &mut |bytes| find(bytes, PYTHON, &mut names));
        }
        _ => compiled(&fs::read(program).unwrap(), &mut names),
    }
    assert!(names.len() > 100, "{agent}: only {} names were found", names.len());
    names
}

/// Where the Python of the program's own environment is.
fn site_packages(program: &Path) -> PathBuf {
    let venv = program.parent().and_then(Path::parent).unwrap();
    let lib = fs::read_dir(venv.join("lib")).unwrap().flatten().next().expect("a Python");
    lib.path().join("site-packages")
}

/// The file that holds the agent's code.
#[track_caller]
pub fn program(agent: &str) -> PathBuf {
    let folders = real::folders();
    let found =
        folders.iter().map(|folder| folder.join(agent)).find(|file| file.exists()).expect("installed");
    if agent == "hermes" {
        return found;
    }
    let found = found.canonicalize().unwrap();
    if agent != "codex" {
        return found;
    }
    // Its package is a script; the program lies in a package of the platform's.
    let packages = found.ancestors().find(|folder| folder.ends_with("@openai")).expect("npm's folders");
    let mut folders = vec![packages.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if kind.is_dir() {
                folders.push(path);
            } else if path.ends_with("bin/codex") {
                return path;
            }
        }
    }
    panic!("no native program of Codex below {}", packages.display())
}

fn find(bytes: &[u8], patterns: &[&str], names: &mut BTreeSet<String>) {
    for pattern in patterns {
        let pattern = Regex::new(pattern).unwrap();
        names.extend(
            pattern.captures_iter(bytes).map(|found| String::from_utf8_lossy(&found[1]).into_owned()),
        );
    }
}

fn compiled(bytes: &[u8], names: &mut BTreeSet<String>) {
    let words = Regex::new(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*").unwrap();
    for word in words.find_iter(bytes) {
        let word = std::str::from_utf8(word.as_bytes()).expect("ASCII");
        let mut starts: Vec<_> =
            PREFIXES.iter().flat_map(|prefix| word.match_indices(prefix).map(|(at, _)| at)).collect();
        starts.sort_unstable();
        starts.dedup();
        starts.push(word.len());
        names.extend(starts.windows(2).map(|part| word[part[0]..part[1]].trim_end_matches('_').to_owned()));
    }
    names.retain(|name| name.len() > 3);
}

fn each_python(folder: &Path, visit: &mut dyn FnMut(&[u8])) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() {
            each_python(&path, visit);
        } else if path.extension().is_some_and(|kind| kind == "py") {
            visit(&fs::read(path).unwrap());
        }
    }
}
