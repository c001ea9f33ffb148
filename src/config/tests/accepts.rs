//! What is taken, and what it means.

use std::fmt::Write;
use std::time::Duration;

use shims::{Protocol, Proxy};

use super::{config, parse, provider};
use crate::config::{Args, Config, KeySource};

/// Texts that show what may stand where.
pub fn accepted() -> Vec<String> {
    vec![
        crate::config::DEMO.to_owned(),
        "---\nproviders:\r\n...\n".to_owned(),
        "\u{feff}providers: {}\n".to_owned(),
        provider(
            "key: 0123\ndefault_model: 4.10\nmodels: ['5', {id: 6, context_window: 0x10, input_cost_per_million: 1}]\n\
             isolated: True\nmodel_api_filters: ~\nargs:\nextra_env: {A: 1_000, B: yes, C: null, D: , E: 1e3, F: \"a\\tb\"}\n\
             key_env:\nkey_file: ~\ntiers: {opus: true}\nheaders:\ncodex:\nproxy: socks5://u:p@host:1\n",
        ),
        provider(
            "extra_env:\n  A: |\n    two\n    lines\n  B: >-\n    folded\n    text\n  C: 'it''s'\n  D: a\n    b\n",
        ),
        provider("model_api_filters:\n- filter: a\n- {filter: b, top: null, desc: false, order_key: []}\n"),
        "providers: {}\nmodels_ttl: 90\nisolated-homes: {codex: {a: {}, b: }}\nshims: {dir: /x}\n".to_owned(),
    ]
}

#[test]
fn a_character_in_two_halves_as_json_writes_it() {
    let text = |escape: &str| {
        format!(
            "providers:\n  \"{escape}\": {{protocols: [anthropic], base_urls: {{anthropic: 'http://h'}}}}\n"
        )
    };
    let config = parse(&text(r"\ud83e\udd80")).expect("an emoji").config;
    assert_eq!(config.providers.keys().collect::<Vec<_>>(), ["🦀"]);
    for half in [r"\ud83e", r"\ud83ex", r"\udd80\ud83e", r"\ud83e\u0041"] {
        assert!(parse(&text(half)).is_err(), "{half}");
    }
}

#[test]
fn libyaml_and_serde_read_the_same() {
    for text in accepted() {
        let theirs: Config = serde_yaml::from_str(&text).expect("libyaml reads it");
        assert_eq!(format!("{:#?}", config(&text)), format!("{theirs:#?}"));
    }
}

#[test]
fn text_is_taken_as_written() {
    let config = config(&provider("key: 0123\ndefault_model: 4.10\nextra_env: {A: 1_000, B: true}"));
    let provider = &config.providers["p"];
    assert!(matches!(provider.key_source(), Some(KeySource::Literal(key)) if key.0 == "0123"));
    assert_eq!(provider.default_model.as_deref(), Some("4.10"));
    let value = |name: &str| provider.extra_env[name].fill(|_| String::new()).to_string();
    assert_eq!([value("A"), value("B")], ["1_000", "true"]);
}

#[test]
fn base_urls_lose_trailing_slashes_and_serve_their_family() {
    let config =
        config("providers: {p: {protocols: [openai-responses], base_urls: {openai: 'https://host/v1//'}}}");
    let provider = &config.providers["p"];
    assert_eq!(provider.base_url(Protocol::OpenaiResponses), Some("https://host/v1"));
    assert_eq!(provider.base_url(Protocol::OpenaiChatCompletions), Some("https://host/v1"));
    assert_eq!(provider.base_url(Protocol::Anthropic), None);
}

#[test]
fn filters_are_all_models_unless_said_otherwise() {
    let filters = |lines: &str| {
        let mut config = config(&provider(lines));
        let provider = config.providers.swap_remove("p").expect("the provider");
        (provider.loads_models(), provider.model_api_filters)
    };
    let (loads, kept) = filters("");
    let kept = kept.expect("the implicit rule");
    assert!(loads && kept.len() == 1 && kept[0].top.is_none() && !kept[0].desc);
    for off in
        ["model_api_filters: []", "model_api_filters: ~", "model_api_filters: null", "model_api_filters:"]
    {
        assert!(!filters(off).0, "{off}");
    }
    assert!(!filters("disable_model_loading_from_api: true").0);
    let (loads, rules) =
        filters("model_api_filters: [{filter: a}, {filter: b, top: null}, {filter: c, top: 0}]");
    let rules = rules.expect("rules");
    assert!(loads && rules.iter().all(|rule| rule.desc && rule.order_key.is_none()));
    assert_eq!(rules.iter().map(|rule| rule.top).collect::<Vec<_>>(), [Some(100), None, Some(0)]);
}

#[test]
fn a_command_beside_a_literal_key_wins_with_a_warning() {
    let loaded = parse(&provider("key: a\nkey_command: [pass, show, b]")).unwrap_or_else(|p| panic!("{p}"));
    assert!(matches!(loaded.config.providers["p"].key_source(), Some(KeySource::Command(_))));
    assert_eq!(
        loaded.warnings().map(shims::Message::render).collect::<Vec<_>>(),
        ["c.yaml: providers.p has both `key` and `key_command`, and the command is used\nhelp: remove `key`"]
    );
}

#[test]
fn arguments_are_a_list_or_lists_by_agent() {
    let args = |lines: &str| config(&provider(lines)).providers.swap_remove("p").expect("the provider").args;
    assert!(
        matches!(args("args: [--verbose, '1', 2]"), Args::All(words) if words == ["--verbose", "1", "2"])
    );
    assert!(matches!(args("args: {claude: [-x]}"), Args::ByAgent(lists) if lists["claude"] == ["-x"]));
    assert!(matches!(args("args:"), Args::All(words) if words.is_empty()));
}

#[test]
fn proxies_and_lifetimes_become_what_they_mean() {
    let proxy =
        |text: &str| config(&provider(text)).providers.swap_remove("p").expect("the provider").proxy.0;
    assert_eq!(proxy(""), Proxy::Inherit);
    assert_eq!(proxy("proxy: inherit"), Proxy::Inherit);
    assert_eq!(proxy("proxy: none"), Proxy::None);
    assert_eq!(proxy("proxy: http://host:1"), Proxy::Url("http://host:1".to_owned()));
    assert_eq!(config("providers: {}").models_ttl, Duration::from_secs(12 * 60 * 60));
    assert_eq!(config("providers: {}\nmodels_ttl: 30m").models_ttl, Duration::from_secs(30 * 60));
    assert_eq!(config("providers: {}\nmodels_ttl: 45").models_ttl, Duration::from_secs(45));
}

#[test]
fn anchors_aliases_and_merge_keys_work() {
    let text = "\
providers:
  a: &a
    protocols: &protocols [openai-responses]
    base_urls: {openai: &url https://host/v1}
    default_model: 4.10
    extra_env: &env {A: x, B: y}
  b: &b {<<: *a, default_model: other}
  c: {<<: *b, key: c}
  d: {<<: [{default_model: first}, *b]}
  e: {protocols: *protocols, base_urls: {openai: *url}, extra_env: {<<: *env, B: z}}
";
    let config = config(text);
    let models: Vec<_> = config.providers.values().map(|p| p.default_model.as_deref()).collect();
    assert_eq!(models, [Some("4.10"), Some("other"), Some("other"), Some("first"), None]);
    let env = |name: &str| config.providers["e"].extra_env[name].fill(|_| String::new()).to_string();
    assert_eq!([env("A"), env("B")], ["x", "z"]);
    let loaded = parse(text).unwrap_or_else(|p| panic!("{p}"));
    let line = |key: &[&str]| loaded.locate(key);
    assert_eq!(line(&["providers", "b", "default_model"]), Some(7));
    assert_eq!(line(&["providers", "b", "extra_env"]), Some(6));
}

#[test]
fn keys_are_located() {
    let loaded =
        parse(&provider("models:\n  - a\n  - {id: b}\nextra_env: {A: x}")).unwrap_or_else(|p| panic!("{p}"));
    let at = |key: &[&str]| loaded.locate(key);
    assert_eq!(at(&["providers"]), Some(1));
    assert_eq!(at(&["providers", "p", "base_urls", "openai"]), Some(4));
    assert_eq!(at(&["providers", "p", "models", "1", "id"]), Some(7));
    assert_eq!(at(&["providers", "p", "extra_env", "A"]), Some(8));
    assert_eq!(at(&["providers", "p", "key"]), None);
    assert_eq!(at(&["providers", "p", "models", "9"]), None);
    assert_eq!(at(&[]), None);
}

#[test]
fn large_files_load() {
    let mut text = String::from("providers:\n");
    for number in 0..1_000 {
        let _ = writeln!(text, "  p{number}:\n    protocols: [anthropic, openai-responses]\n    base_urls:");
        let _ =
            writeln!(text, "      openai: https://host{number}/v1\n      anthropic: https://host{number}");
        let _ = writeln!(text, "    key_env: KEY_{number}\n    models:");
        text.push_str(&"      - a-model\n".repeat(70));
    }
    assert!(text.len() > 1 << 20);
    assert_eq!(config(&text).providers.len(), 1_000);
    // The thorough way reads it too, and finds the one thing wrong at its end.
    text.push_str("colour: blue\n");
    let problems = parse(&text).err().expect("a problem");
    assert_eq!(problems.messages().count(), 1);
    assert!(problems.to_string().starts_with("c.yaml:77002:1: colour: unknown key"), "{problems}");
}
