//! The example is true.

use super::{config, keys, provider};
use crate::config::DEMO;

/// The example with its commented-out keys put in force: those behind a `#` in the first column that is
/// not followed by one space, as prose is.
pub fn in_force() -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.starts_with(' ') || rest.starts_with("  ") => rest.to_owned() + "\n",
        _ => line.to_owned() + "\n",
    };
    let (head, body) = DEMO.split_once("\nproviders:").expect("the providers");
    format!("{head}\nproviders:") + &body.lines().map(line).collect::<String>()
}

#[test]
fn the_example_loads_as_it_is_and_with_every_key_in_force() {
    assert_eq!(config(DEMO).providers.len(), 6);
    let whole = config(&in_force());
    assert_eq!(whole.providers.len(), 9);
    assert!(whole.providers["example"].isolated && whole.providers["example"].sessions.is_some());
    assert!(whole.isolated_homes.codex.contains("work"));
}

/// It is read in an editor, mostly in a terminal.
#[test]
fn the_example_fits_80_columns() {
    let wide: Vec<_> = DEMO.lines().filter(|line| line.chars().count() > 80).collect();
    assert_eq!(wide, Vec::<&str>::new());
}

#[test]
fn every_cloud_provider_of_the_example_keeps_its_key_in_a_variable() {
    for (name, provider) in &config(DEMO).providers {
        assert_eq!(provider.key_env.is_some(), name != "ollama", "{name}");
    }
}

#[test]
fn the_example_shows_every_key() {
    let whole = in_force();
    let written: Vec<_> = whole
        .lines()
        .flat_map(|line| line.split_once('#').map_or(line, |(code, _)| code).split(['{', ',']))
        .filter_map(|part| part.trim().trim_start_matches("- ").split_once(':').map(|(key, _)| key))
        .collect();
    let places = [
        "unknown: 1".to_owned(),
        "isolated_homes: {unknown: 1}\nproviders: {}".to_owned(),
        "shims: {unknown: 1}\nproviders: {}".to_owned(),
        "providers: {p: {unknown: 1}}".to_owned(),
        "providers: {p: {base_urls: {unknown: 1}}}".to_owned(),
        provider("models: [{unknown: 1}]"),
        provider("model_api_filters: [{unknown: 1}]"),
        provider("tiers: {unknown: 1}"),
        provider("codex: {unknown: 1}"),
    ];
    let keys: Vec<_> = places.iter().flat_map(|place| keys(place)).collect();
    assert!(keys.len() >= 50, "{keys:?}");
    for key in keys {
        assert!(written.contains(&key.as_str()), "`{key}` is not in the example");
    }
}
