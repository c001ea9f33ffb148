//! What a name does, by its words.

use std::fs;

use crate::variables::names;

/// Words, and the kind of a name that has one of them; the first that fits counts.
const WORDS: [(&str, &[&str]); 5] = [
    (
        "authenticates",
        &[
            "apikey",
            "auth",
            "bearer",
            "credential",
            "federation",
            "key",
            "login",
            "oauth",
            "password",
            "secret",
            "spiffe",
            "token",
        ],
    ),
    (
        "routes",
        &[
            "bedrock", "endpoint", "foundry", "gateway", "host", "mantle", "provider", "proxy", "region",
            "socket", "uri", "url", "vertex",
        ],
    ),
    ("model", &["model"]),
    ("request", &["beta", "body", "header"]),
    ("background", &["background", "bg", "bridge", "daemon", "remote", "runner", "teleport"]),
];

/// The kind, if it is one that matters.
pub fn by_words(name: &str) -> Option<&'static str> {
    let words = words(name);
    let has = |word: &&str| words.iter().any(|w| w == word || w.strip_suffix('s') == Some(word));
    WORDS.iter().find(|(_, list)| list.iter().any(has)).map(|(kind, _)| *kind)
}

/// The words of `MAX_TOKENS`, `max-tokens` or `maxTokens`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        let starts = c.is_ascii_uppercase() && before.is_ascii_lowercase();
        if !c.is_ascii_alphanumeric() || starts {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The groups in which Claude Code's own schema of variables puts those that matter: a kind, and its names. Each is
/// found by one member (2.1.197 and 2.1.332).
pub fn of_claudes_schema() -> Vec<(&'static str, Vec<String>)> {
    let members = [
        ("authenticates", "ANTHROPIC_API_KEY"),
        ("routes", "ANTHROPIC_BASE_URL"),
        ("model", "ANTHROPIC_DEFAULT_OPUS_MODEL"),
        ("request", "ANTHROPIC_CUSTOM_HEADERS"),
    ];
    let bytes = fs::read(names::program("claude")).unwrap();
    let groups = members.map(|(kind, member)| {
        let at = memchr::memmem::find(&bytes, format!("{member}:()=>").as_bytes())
            .unwrap_or_else(|| panic!("Claude Code's schema of variables no longer groups {member}"));
        let start = memchr::memrchr(b'{', &bytes[..at]).unwrap_or(at);
        let end = memchr::memchr(b'}', &bytes[at..]).map_or(bytes.len(), |end| at + end);
        let text = String::from_utf8_lossy(&bytes[start + 1..end]);
        let names = text.split(',').filter_map(|entry| entry.split_once(":()=>"));
        (kind, names.map(|(name, _)| name.to_owned()).collect())
    });
    groups.to_vec()
}

/// Every name of that schema, and those that the program reads one by one.
pub fn claudes_variables() -> std::collections::BTreeSet<String> {
    let bytes = fs::read(names::program("claude")).unwrap();
    let find = |text: &str| memchr::memmem::find(&bytes, text.as_bytes());
    let ends =
        ["ANTHROPIC_API_KEY:()=>", "ANTHROPIC_BASE_URL:()=>"].map(|member| find(member).unwrap_or_default());
    let schema = &bytes[ends[0].saturating_sub(8_000)..ends[1] + 8_000];
    let mut names = names::read_by_name(&bytes);
    names.extend(names::in_schema(schema));
    names
}

#[test]
fn a_name_is_known_by_its_words() {
    for (name, kind) in [
        ("CLAUDE_CODE_API_BASE_URL", Some("routes")),
        ("apiKeyHelper", Some("authenticates")),
        ("modelOverrides", Some("model")),
        ("--fallback-model", Some("model")),
        ("extra_headers", Some("request")),
        ("CLAUDE_BG_BACKEND", Some("background")),
        ("EDITOR", None),
        ("monkeys", None),
    ] {
        assert_eq!(by_words(name), kind, "{name}");
    }
}
