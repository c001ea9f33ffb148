//! A launch decodes its own provider alone, and says of it what `config check` says.

use std::path::Path;

use super::errors::refused;
use super::{messages, parse, provider};
use crate::config::load::{parse_for, parse_sound};

const PATH: &str = "c.yaml";
/// What is wrong with a provider of another name.
const ANOTHER: [&str; 4] =
    ["  q: 5\n", "  q: {nonsense: [1, {a: b}], key_env: Q_KEY}\n", "  q:\n", "  q: {}\n  q: {}\n"];

fn launch(text: &str, name: &str) -> Result<Vec<String>, Vec<String>> {
    let loaded = parse_for(text.to_owned(), Path::new(PATH), name)
        .map_err(|all| all.messages().map(|message| message.render()).collect::<Vec<_>>())?;
    Ok(loaded.config.others.key_variables)
}

/// Whether the message is about a provider that is not called `p`.
fn is_of_another(message: &str) -> bool {
    let key = message.splitn(4, ':').nth(3).unwrap_or_default().trim_start();
    key.starts_with("providers.") && !["providers.p.", "providers.p:"].iter().any(|own| key.starts_with(own))
}

#[test]
fn a_launch_says_what_the_check_says() {
    let mut count = 0;
    for text in refused() {
        let mut expected = messages(&text);
        expected.retain(|message| !is_of_another(message));
        if text.contains("  p:") {
            assert_eq!(launch(&text, "p").err().unwrap_or_default(), expected, "{text}");
            count += usize::from(!expected.is_empty());
        }
    }
    assert!(count > 50, "{count} texts");
}

#[test]
fn what_is_wrong_with_another_provider_stops_no_launch() {
    for another in ANOTHER {
        let text = provider("") + another;
        assert!(messages(&text).iter().all(|message| is_of_another(message)), "{text}");
        let variables = if another.contains("Q_KEY") { &["Q_KEY"][..] } else { &[] };
        assert_eq!(launch(&text, "p"), Ok(variables.iter().map(|&name| name.to_owned()).collect()), "{text}");
        let sound =
            parse_sound(text.clone(), Path::new(PATH)).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(sound.config.providers.keys().collect::<Vec<_>>(), ["p"]);
        assert!(sound.check("p").is_ok() && sound.check("none").is_ok());
        let said = sound
            .check("q")
            .err()
            .map(|problems| problems.messages().map(|message| message.render()).collect::<Vec<_>>());
        assert_eq!(
            (said, launch(&text, "q").err()),
            (Some(messages(&text)), Some(messages(&text))),
            "{text}"
        );
        // What is wrong with its own, it says in the same words beside another.
        let wrong = provider("key_env: 1\nnonsense: 2") + another;
        assert_eq!(
            launch(&wrong, "p").err(),
            Some(messages(&provider("key_env: 1\nnonsense: 2"))),
            "{wrong}"
        );
    }
    // As YAML the whole file is read.
    for broken in ["  q: [\n", "  q: *a\n", "  q: 'x\n"] {
        assert!(launch(&(provider("") + broken), "p").is_err(), "{broken}");
    }
}

#[test]
fn the_variables_of_other_keys_are_known_however_they_are_written() {
    for (other, variables) in [
        ("  q: {key_env: A, headers: {key_env: B}, keep_env: [key_env, C]}\n", &["A"][..]),
        (
            "  q:\n    models: [key_env, {id: key_env}]\n    key_env: 'A'\n  r: {key_env: \"B\"}\n",
            &["A", "B"],
        ),
        ("  q: &q {key_env: A}\n  r: *q\n  s: {<<: *q, key_env: B}\n  t: {<<: *q}\n", &["A", "B", "A"]),
        ("  q: {<<: {key_env: A}}\n", &["A"]),
        ("  q: {key_env: [A]}\n  r: {key_env: 'no name'}\n  s: key_env\n  t: [key_env, A]\n", &[]),
    ] {
        let text = provider("") + other;
        assert_eq!(
            launch(&text, "p").as_deref(),
            Ok(&variables.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()[..]),
            "{text}"
        );
    }
}

#[test]
fn where_no_provider_has_the_name_all_sound_ones_are_known() {
    let text = provider("") + "  q: {}\n";
    let loaded = parse_for(text, Path::new(PATH), "none").unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(loaded.config.providers.keys().collect::<Vec<_>>(), ["p"]);
    assert!(parse("colour: blue\nproviders: {}\n").is_err());
    assert!(
        launch("colour: blue\nproviders: {}\n", "p").is_err(),
        "what is wrong elsewhere stops every launch"
    );
}

#[test]
fn whose_the_sessions_of_other_providers_are_is_known() {
    for link in ["", "  x: &x {key_env: X_KEY}\n  y: *x\n"] {
        let text = format!(
            "{}{link}  own: {{sessions: own}}\n  alone: {{nonsense: 1, isolated: true}}\n  \
             odd: {{sessions: mine}}\n  shared:\n    sessions: shared\n    isolated: false\n",
            provider("")
        );
        let loaded = parse_for(text, Path::new(PATH), "p").unwrap_or_else(|problems| panic!("{problems}"));
        let mut apart = loaded.config.others.sessions;
        apart.retain(|(_, sessions)| *sessions == shims::Sessions::Own);
        let apart: Vec<_> = apart.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(apart, ["own", "alone", "odd"], "{link}");
    }
}

#[test]
fn the_variables_that_headers_of_other_providers_name_are_known() {
    for (before, entry) in [
        ("", "{headers: {api-key: '${env:X_KEY}', b: 'plain ${context:model}'}, models: ['${env:NO}']}"),
        ("", "{Headers:\n    {X: 'Bearer ${env:X_KEY}', Y: '$${env:NO}'}}"),
        ("  h: {headers: &h {api-key: '${env:X_KEY}'}}\n", "{headers: *h}"),
    ] {
        let text = format!("{}{before}  q: {entry}\n", provider(""));
        let loaded = parse_for(text, Path::new(PATH), "p").unwrap_or_else(|problems| panic!("{problems}"));
        let found: std::collections::BTreeSet<_> =
            loaded.config.others.header_variables.into_iter().collect();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["X_KEY"], "{entry}");
    }
}

#[test]
fn the_variable_of_a_key_is_known_however_it_is_spelled() {
    for entry in [
        "key_env: X_KEY",
        "key_env: $X_KEY",
        "key_env: '${X_KEY} '",
        "key-env: X_KEY",
        "KEY_ENV: \"X_KEY\\n\"",
    ] {
        let text = format!("{}  q: {{{entry}}}\n", provider(""));
        let loaded = parse_for(text, Path::new(PATH), "p").unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(loaded.config.others.key_variables, ["X_KEY"], "{entry}");
    }
}

#[test]
fn a_key_file_is_known_however_it_is_spelled() {
    for (entry, known) in [
        ("key_file: /k", 1),
        ("Key-File: /k", 1),
        ("\"key\\x5ff\\u0069le\": /k", 1),
        ("? key_file\n    : /k", 1),
        ("key_env: X_KEY", 0),
    ] {
        let text = format!("{}  q:\n    {entry}\n", provider(""));
        let loaded = parse_for(text, Path::new(PATH), "p").unwrap_or_else(|problems| panic!("{problems}"));
        let found: Vec<_> = loaded.key_files().into_iter().map(|(name, _)| name).collect();
        assert_eq!(found, vec!["q"; known], "{entry}");
    }
}
