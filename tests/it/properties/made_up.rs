//! What the properties are tried on: documents, environments, launches and configs, made up.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStringExt;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value as Json};
use shims::{Agent, Launch, Protocol, Sessions, Value};

use super::oracles::machine::launch;

/// A name that means something to the agent, or any other.
pub fn name(known: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![3 => select(known).prop_map(str::to_owned), 1 => "[a-zA-Z_][a-zA-Z0-9_.@/ -]{0,8}"]
}

pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,12}",
        "\\PC{0,6}",
        select(&["", "true", "off", "1.50", "null", "$HOME", "${A}", "a: b", "- x", "line\nline", "é\u{2028}"][..])
            .prop_map(str::to_owned)
    ]
}

/// Data with names that mean something to the agent on every level.
pub fn data(known: &'static [&'static str]) -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i32>().prop_map(Json::from),
        (-1e9..1e9_f64).prop_map(Json::from),
        text().prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::vec((name(known), inner), 0..6)
                .prop_map(|entries| entries.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

pub fn object(known: &'static [&'static str]) -> impl Strategy<Value = Json> {
    prop::collection::vec((name(known), data(known)), 0..8)
        .prop_map(|entries| entries.into_iter().collect::<Map<_, _>>().into())
}

pub fn divided(first: &impl ToString, second: &impl ToString) -> Vec<u8> {
    format!("{}\n%%\n{}", first.to_string(), second.to_string()).into_bytes()
}

pub const CLAUDE: &[&str] = &[
    "hasCompletedOnboarding",
    "customApiKeyResponses",
    "approved",
    "env",
    "projects",
    "apiKeyHelper",
    "availableModels",
    "agent",
    "ANTHROPIC_BETAS",
    "ANTHROPIC_CUSTOM_HEADERS",
    "CLAUDE_CODE_EXTRA_BODY",
];
pub const CODEX: &[&str] = &[
    "model",
    "model_provider",
    "model_providers",
    "agent-run",
    "base_url",
    "name",
    "mcp_servers",
    "features",
    "daemon_auto_start",
    "shell_environment_policy",
    "set",
    "hooks",
    "state",
    "/h/.codex/config.toml",
    "profile",
    "projects",
    "model_reasoning_effort",
    "sqlite_home",
];
pub const CRUSH: &[&str] = &[
    "providers",
    "models",
    "recent_models",
    "options",
    "data_directory",
    "disable_notifications",
    "mcp",
    "oauth_token",
    "env",
    "HTTPS_PROXY",
    "lsp",
];
pub const HERMES: &[&str] = &[
    "model",
    "providers",
    "fallback_providers",
    "auxiliary",
    "vision",
    "provider",
    "timeout",
    "delegation",
    "api_key",
    "mcp_servers",
    "approvals",
];

/// TOML has no `null`, and wants a list to be of anything but it.
pub fn without_null(json: &Json) -> Json {
    match json {
        Json::Object(entries) => {
            let entries = entries.iter().filter(|(_, value)| !value.is_null());
            entries.map(|(key, value)| (key.clone(), without_null(value))).collect::<Map<_, _>>().into()
        }
        Json::Array(items) => items.iter().filter(|item| !item.is_null()).map(without_null).collect(),
        other => other.clone(),
    }
}

pub const ROWS: &[&str] = &[
    "id",
    "name",
    "object",
    "context_length",
    "max_tokens",
    "pricing",
    "prompt",
    "completion",
    "top_provider",
    "providers",
    "parent",
    "aliases",
    "created",
    "expiration_date",
    "capabilities",
    "supported_parameters",
    "architecture",
    "modality",
];
pub const PATTERNS: &[&str] = &["", "^a/(.*)$", "([a-z]+)-?([0-9]+)", "zz|b", "(?i)A(B)?", "[0-9]$"];
pub const FOREIGN_KEYS: [&str; 2] = ["Q_KEY", "R_KEY"];

/// Every agent with every protocol it speaks.
pub fn pairs() -> impl Strategy<Value = (&'static str, Protocol)> {
    let pair = |agent: &'static dyn Agent| {
        agent.info().protocols.iter().map(move |&protocol| (agent.name(), protocol))
    };
    let pairs: Vec<_> = shims::AGENTS.iter().flat_map(|agent| pair(*agent)).collect();
    (0..pairs.len()).prop_map(move |at| pairs[at])
}

pub fn launches() -> impl Strategy<Value = Launch> {
    let url = select(&["https://host.example/v1", "http://127.0.0.1:8080", "https://host.example"][..]);
    (url, any::<[bool; 4]>(), subsequence(vec!["X-A", "X-B", "X-C"], 0..=3)).prop_map(
        |(url, [keyed, api_key, isolated, sized], headers)| {
            let mut launch = launch(Protocol::Anthropic, url);
            (launch.keyed, launch.anthropic_use_api_key, launch.isolated) = (keyed, api_key, isolated);
            launch.sessions = if isolated { Sessions::Own } else { Sessions::Shared };
            launch.model.value.context_window = sized.then_some(128_000);
            launch.base_urls = [("anthropic", url.to_owned()), ("openai", url.to_owned())].into();
            launch.headers = headers.into_iter().map(|name| (name.to_owned(), Value::from("v"))).collect();
            launch.foreign_keys = FOREIGN_KEYS.map(str::to_owned).into();
            launch.key_variables.clear();
            launch
        },
    )
}

/// Variables that no agent and no launcher cares for, with bytes of any kind.
pub fn noise() -> impl Strategy<Value = BTreeMap<OsString, OsString>> {
    let bytes = || prop::collection::vec(1_u8..=255, 0..12);
    let name = bytes().prop_map(|mut tail| {
        tail.retain(|byte| *byte != b'=');
        OsString::from_vec([b"NOISE_", &tail[..]].concat())
    });
    prop::collection::btree_map(name, bytes().prop_map(OsString::from_vec), 0..6)
}

/// A config that is sound: providers in both styles, keys in any order, comments and blank lines between.
pub fn config_text() -> impl Strategy<Value = String> {
    let line = select(
        &[
            "key_env: KEY",
            "default_model: m-1",
            "models: [a, {id: b, context_window: 1000, vision: true}]",
            "models:\n      - a\n      - id: 4.10\n        name: 'B: x'",
            "model_api_filters: []",
            "extra_env: {A: '${env:HOME}/x', B: \"$${\"}",
            "headers:\n      X-A: 'Bearer ${context:key}'",
            "tiers: {haiku: small}",
            "isolated: true",
            "sessions: own",
            "codex: {tools: minimal}",
            "proxy: none",
            "args: {codex: [--search, '']}",
            "models_url: https://host.example/list?x=1",
            "# a comment",
            "",
        ][..],
    );
    let provider =
        ("[a-zA-Z0-9][a-zA-Z0-9_.@+-]{0,10}", prop::collection::btree_set(line, 0..6), any::<bool>());
    let head = select(&["", "# mine\n\n", "models_ttl: 2d\n", "---\n"][..]);
    let tail =
        select(&["", "shims: {dir: /b}\n", "\n# the end\n", "isolated_homes:\n  codex: {work: {}}\n"][..]);
    (head, prop::collection::vec(provider, 0..5), tail).prop_map(|(head, providers, tail)| {
        let mut text = format!("{head}providers:");
        let mut named = std::collections::BTreeSet::new();
        let mut entries = String::new();
        for (name, lines, flow) in providers {
            if !named.insert(name.clone()) {
                continue;
            }
            let quoted = if flow { format!("'{name}'") } else { format!("\"{name}\"") };
            _ = writeln!(entries, "  {quoted}:\n    protocols: [anthropic, openai-responses]");
            _ = writeln!(
                entries,
                "    base_urls: {{anthropic: https://h.example, openai: 'https://h.example/v1'}}"
            );
            let mut models = false;
            for line in lines {
                if line.starts_with("models:") && std::mem::replace(&mut models, true) {
                    continue;
                }
                _ = writeln!(entries, "    {line}");
            }
        }
        text += if entries.is_empty() { " {}\n" } else { "\n" };
        text + &entries + tail
    })
}
