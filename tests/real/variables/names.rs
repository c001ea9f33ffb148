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
    let family = shims::by_name(agent).expect("an agent").info().managed_env_vars;
    names.extend(family.iter().map(|pattern| pattern.replace('*', "X")));
    names.into_iter().collect()
}

/// Which of these texts the agent's program or package lacks.
#[track_caller]
pub fn lacking<'a>(agent: &str, texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let program = program(agent);
    let mut left: Vec<_> = texts.collect();
    let mut look = |bytes: &[u8]| left.retain(|text| memchr::memmem::find(bytes, text.as_bytes()).is_none());
    if agent == "hermes" {
        for package in ["hermes_cli", "gateway"] {
            each_python(&site_packages(&program).join(package), &mut look);
        }
    } else {
        look(&fs::read(program).unwrap());
    }
    left
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

/// What Claude Code's program reads from `env`, and what has one of its prefixes.
pub fn read_by_name(claude: &[u8]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    find(claude, &[CLAUDE[0], CLAUDE[2]], &mut names);
    names
}

/// What a piece of Claude Code's program with its schema names.
pub fn in_schema(piece: &[u8]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    find(piece, &[CLAUDE[1]], &mut names);
    names
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
    let starts = Regex::new(&PREFIXES.join("|")).unwrap();
    let mut starts = starts.find_iter(bytes).map(|found| found.start()).peekable();
    let is_part = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    while let Some(start) = starts.next() {
        let rest = &bytes[start..starts.peek().map_or(bytes.len(), |next| *next)];
        let length = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        let name = std::str::from_utf8(&rest[..length]).expect("ASCII");
        names.insert(name.trim_end_matches('_').to_owned());
    }
    // Longer ones are other texts end to end.
    names.retain(|name| (4..=64).contains(&name.len()));
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
