//! Golden plans: what a launch does, for every agent and every protocol it speaks.
//!
//! `UPDATE=1 cargo test` rewrites them; read the difference before committing it.

use std::fs;
use std::path::Path;

use crate::support::Sandbox;

const CONFIG: &str = "\
providers:
  acme:
    protocols: [anthropic, openai-responses, openai-chat-completions]
    base_urls:
      anthropic: https://api.acme.example/anthropic
      openai: https://api.acme.example/v1
    key_env: ACME_KEY
    default_model: acme-large
    tiers: {haiku: acme-small}
    headers: {X-Team: blue}
    models:
      - {id: acme-large, name: Acme Large, context_window: 131072, max_output_tokens: 16384, reasoning: true}
      - acme-small
    model_api_filters: []
";

/// Every agent with every protocol it speaks; the shell's plan is the same for all three.
const PLANS: [(&str, &str); 6] = [
    ("claude", "anthropic"),
    ("codex", "openai-responses"),
    ("hermes", "openai-chat-completions"),
    ("crush", "openai-chat-completions"),
    ("crush", "anthropic"),
    ("shell", "anthropic"),
];

#[test]
fn plans_are_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans");
    let update = std::env::var_os("UPDATE").is_some();
    let mut different = Vec::new();
    for (agent, protocol) in PLANS {
        let sandbox = Sandbox::new().var("ACME_KEY", "sk-planted");
        sandbox.config(CONFIG);
        // The first word after `shell` is the program.
        sandbox.fake_agent(if agent == "shell" { "an argument" } else { agent });
        let options = ["launch", "acme", "--protocol", protocol, "--dry-run", "-v", agent, "an argument"];
        let plan = hashes_hidden(&sandbox.redacted(&sandbox.agent_run(&options).clean().stdout));
        assert!(!plan.contains("sk-planted"), "{plan}");
        let file = folder.join(format!("{agent}-{protocol}.txt"));
        if update {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&file, &plan).unwrap();
        }
        if fs::read_to_string(&file).unwrap_or_default() != plan {
            different.push(format!("{}:\n{plan}", file.display()));
        }
    }
    assert!(different.is_empty(), "UPDATE=1 records them again\n{}", different.join("\n"));
}

/// Folder names that hash a path of the sandbox differ from run to run; they are 12 or 16 digits long.
fn hashes_hidden(text: &str) -> String {
    let digits = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let mut hidden = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(digits) {
        let run = rest[start..].find(|c| !digits(c)).unwrap_or(rest.len() - start);
        hidden += &rest[..start];
        hidden += if matches!(run, 12 | 16) { "[HASH]" } else { &rest[start..start + run] };
        rest = &rest[start + run..];
    }
    hidden += rest;
    // Paths were sorted with what is hidden now. A file's content goes with its path.
    let mut entries: Vec<String> = Vec::new();
    for line in hidden.split('\n') {
        match entries.last_mut() {
            Some(entry) if line.starts_with("  | ") => entry.extend(["\n", line]),
            _ => entries.push(line.to_owned()),
        }
    }
    let kind = |entry: &str| ["dir ", "write ", "link "].into_iter().find(|kind| entry.starts_with(kind));
    entries.chunk_by_mut(|a, b| kind(a).is_some() && kind(a) == kind(b)).for_each(<[_]>::sort_unstable);
    entries.join("\n")
}
