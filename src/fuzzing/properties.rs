//! What must hold of made-up but well-formed things: merges, environments, configs, ids.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value as Json, json};
use shims::{Agent, Launch, Protocol, Value};

use super::machine::{Machine, launch};
use super::{claude_json, codex_toml, config, crush_json, filters, hermes_yaml, model_list};
use crate::env::Environment;
use crate::exec;

const KEY: &str = "sk-the-key-of-the-provider";

/// `PROPTEST_CASES` asks for more; nothing is written beside the source.
fn cases() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

/// A name that means something to the agent, or any other.
fn name(known: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![3 => select(known).prop_map(str::to_owned), 1 => "[a-zA-Z_][a-zA-Z0-9_.@/ -]{0,8}"]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,12}",
        "\\PC{0,6}",
        select(&["", "true", "off", "1.50", "null", "$HOME", "${A}", "a: b", "- x", "line\nline", "é\u{2028}"][..])
            .prop_map(str::to_owned)
    ]
}

/// Data with names that mean something to the agent on every level.
fn data(known: &'static [&'static str]) -> impl Strategy<Value = Json> {
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

fn object(known: &'static [&'static str]) -> impl Strategy<Value = Json> {
    prop::collection::vec((name(known), data(known)), 0..8)
        .prop_map(|entries| entries.into_iter().collect::<Map<_, _>>().into())
}

fn divided(first: &impl ToString, second: &impl ToString) -> Vec<u8> {
    format!("{}\n%%\n{}", first.to_string(), second.to_string()).into_bytes()
}

const CLAUDE: &[&str] = &[
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
const CODEX: &[&str] = &[
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
const CRUSH: &[&str] = &[
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
const HERMES: &[&str] = &[
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

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn merging_claudes_state_twice_is_merging_it_once(state in object(CLAUDE), settings in object(CLAUDE)) {
        prop_assert!(claude_json(&divided(&state, &settings)));
    }

    #[test]
    fn merging_codexs_config_twice_is_merging_it_once(own in object(CODEX), left in object(CODEX)) {
        let toml = |json: &Json| toml::to_string(&without_null(json)).expect("TOML");
        prop_assert!(codex_toml(&divided(&toml(&own), &toml(&left))));
    }

    #[test]
    fn merging_crushs_settings_twice_is_merging_them_once(
        mut own in object(CRUSH),
        mut choices in object(CRUSH),
        sound in any::<bool>(),
    ) {
        for settings in [&mut own, &mut choices] {
            // What has another kind in the two files, and `options` that are none, Crush refuses itself.
            if sound {
                settings["options"] = json!({"debug": true, "disable_notifications": true});
            }
        }
        let one = own.to_string();
        prop_assert!(crush_json(one.as_bytes()) || !sound, "{one}");
        crush_json(&divided(&own, &choices));
    }

    #[test]
    fn merging_hermess_settings_twice_is_merging_them_once(own in object(HERMES)) {
        prop_assert!(hermes_yaml(serde_yaml::to_string(&own).expect("YAML").as_bytes()));
        prop_assert!(hermes_yaml(own.to_string().as_bytes()), "JSON is YAML too: {own}");
    }

    #[test]
    fn a_sound_config_is_read_the_same_both_ways_and_takes_one_more_provider(text in config_text()) {
        prop_assert!(config(text.as_bytes()), "{text}");
    }

    #[test]
    fn any_rows_become_sane_records(rows in prop::collection::vec(object(ROWS), 0..12)) {
        model_list(json!({ "data": rows }).to_string().as_bytes());
    }

    #[test]
    fn filters_keep_a_part_of_the_ids_each_once(
        ids in prop::collection::vec("(a|b|zz)/[a-z]{0,3}-?[0-9]{0,3}(\\.[0-9]{1,2})?", 0..20),
        rules in prop::collection::vec((select(PATTERNS), any::<bool>(), prop::option::of(0_usize..5)), 0..4),
    ) {
        let rule = |(filter, desc, top): &(&str, bool, Option<usize>)| {
            json!({ "filter": filter, "desc": desc, "top": top, "order_key": ["$1", "\\2"] })
        };
        let rules: Json = rules.iter().map(rule).collect();
        prop_assert!(filters(&divided(&rules, &ids.join("\n"))));
    }

    #[test]
    fn unset_then_set_leaves_no_foreign_variable_of_the_family(
        (agent, protocol) in pairs(),
        launch in launches(),
        picks in prop::collection::vec((any::<prop::sample::Index>(), "[A-Z0-9_]{0,12}"), 0..24),
        noise in noise(),
    ) {
        let agent = shims::by_name(agent).expect("an agent");
        let mut launch = launch;
        launch.protocol.value = protocol;
        let mut machine = Machine::default();
        let names: Vec<_> = agent.env_family().iter().copied().chain(FOREIGN_KEYS).collect();
        for (index, filling) in picks {
            let name = index.get(&names).replacen('*', &filling, 1);
            // A folder of another's must not be looked for in the machine's root.
            machine.env.insert(name.into(), "/h/foreign".into());
        }
        machine.env.extend(noise.clone());
        let Ok(plan) = machine.plan(agent.name(), &launch) else {
            return Err(TestCaseError::reject("refused"));
        };

        let inherited = Environment::made_of(machine.env.clone());
        let command = exec::command(&plan, Path::new("/bin/x"), Some(KEY), &inherited).expect("filled in");
        let child: BTreeMap<&OsStr, &OsStr> =
            command.get_envs().filter_map(|(name, value)| Some((name, value?))).collect();
        for (name, value) in &child {
            let text = name.to_str().unwrap_or_default();
            let is_family = agent.env_family().iter().any(|pattern| shims::inputs::matches(pattern, text));
            if !is_family && !FOREIGN_KEYS.contains(&text) {
                continue;
            }
            let planned = plan.env.get(*name).and_then(Option::as_ref);
            prop_assert!(planned.is_some(), "{text} of the family is inherited");
            let expected = planned.map(filled);
            prop_assert_eq!(expected.as_deref(), Some(*value), "{}", text);
            prop_assert!(!value.to_string_lossy().contains("foreign"), "{text} is another's");
        }
        for (name, value) in &noise {
            prop_assert_eq!(child.get(name.as_os_str()), Some(&value.as_os_str()), "{:?} is not ours", name);
        }
        let odd = child.keys().find(|name| !machine.env.contains_key(**name) && !plan.env.contains_key(**name));
        prop_assert!(odd.is_none(), "{odd:?} comes from nowhere");
        prop_assert!(plan.env.keys().all(|name| plan.env[name].is_some() || !child.contains_key(name.as_os_str())));
    }
}

/// TOML has no `null`, and wants a list to be of anything but it.
fn without_null(json: &Json) -> Json {
    match json {
        Json::Object(entries) => {
            let entries = entries.iter().filter(|(_, value)| !value.is_null());
            entries.map(|(key, value)| (key.clone(), without_null(value))).collect::<Map<_, _>>().into()
        }
        Json::Array(items) => items.iter().filter(|item| !item.is_null()).map(without_null).collect(),
        other => other.clone(),
    }
}

const ROWS: &[&str] = &[
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
const PATTERNS: &[&str] = &["", "^a/(.*)$", "([a-z]+)-?([0-9]+)", "zz|b", "(?i)A(B)?", "[0-9]$"];
const FOREIGN_KEYS: [&str; 2] = ["Q_KEY", "R_KEY"];

/// Every agent with every protocol it speaks.
fn pairs() -> impl Strategy<Value = (&'static str, Protocol)> {
    let pair =
        |agent: &'static dyn Agent| agent.protocols().iter().map(move |&protocol| (agent.name(), protocol));
    let pairs: Vec<_> = shims::AGENTS.iter().flat_map(|agent| pair(*agent)).collect();
    (0..pairs.len()).prop_map(move |at| pairs[at])
}

fn launches() -> impl Strategy<Value = Launch> {
    let url = select(&["https://host.example/v1", "http://127.0.0.1:8080", "https://host.example"][..]);
    (url, any::<[bool; 4]>(), subsequence(vec!["X-A", "X-B", "X-C"], 0..=3)).prop_map(
        |(url, [keyed, api_key, isolated, sized], headers)| {
            let mut launch = launch(Protocol::Anthropic, url);
            (launch.keyed, launch.anthropic_use_api_key, launch.isolated) = (keyed, api_key, isolated);
            launch.model.value.context_window = sized.then_some(128_000);
            launch.base_urls = [("anthropic", url.to_owned()), ("openai", url.to_owned())].into();
            launch.headers = headers.into_iter().map(|name| (name.to_owned(), Value::from("v"))).collect();
            launch.foreign_keys = FOREIGN_KEYS.map(str::to_owned).into();
            launch.key_variable = None;
            launch
        },
    )
}

/// Variables that no agent and no launcher cares for, with bytes of any kind.
fn noise() -> impl Strategy<Value = BTreeMap<OsString, OsString>> {
    let bytes = || prop::collection::vec(1_u8..=255, 0..12);
    let name = bytes().prop_map(|mut tail| {
        tail.retain(|byte| *byte != b'=');
        OsString::from_vec([b"NOISE_", &tail[..]].concat())
    });
    prop::collection::btree_map(name, bytes().prop_map(OsString::from_vec), 0..6)
}

fn filled(value: &Value) -> OsString {
    let mut text = OsString::new();
    for part in value.parts() {
        match part {
            shims::Part::Text(plain) => text.push(plain),
            shims::Part::Key => text.push(KEY),
            shims::Part::Env(name) => panic!("{name} is in no launch here"),
        }
    }
    text
}

/// A config that is sound: providers in both styles, keys in any order, comments and blank lines between.
fn config_text() -> impl Strategy<Value = String> {
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
