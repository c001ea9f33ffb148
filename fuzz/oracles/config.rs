//! What must hold of any config file, whatever is in it.

use std::collections::BTreeSet;
use std::path::Path;

use agent_run::internals::{Config, Loaded, append, findings, parse, parse_for};

use super::PLANTED_KEY;

const PATH: &str = "c.yaml";
const FRESH: &str = "fuzz:\n  protocols: [anthropic]\n  base_urls: {anthropic: 'https://h.example'}\n";

/// A config file.
pub fn config(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    match parse(text.to_owned(), Path::new(PATH)) {
        Ok(loaded) => {
            accepted(text, &loaded);
            true
        }
        Err(problems) => {
            let messages: Vec<_> = problems.messages().map(|message| message.render()).collect();
            // serde takes the last of two providers of one name, and refuses other keys that are given twice.
            let is_twice = messages.iter().any(|message| is_provider_twice(message));
            if let Some(config) = by_libyaml(text).filter(|_| !is_twice) {
                assert!(!findings(&config).is_empty(), "libyaml reads this: {problems}");
            }
            assert!((1..=200).contains(&messages.len()), "{} messages", messages.len());
            for message in &messages {
                is_helpful(text, message);
            }
            false
        }
    }
}

fn is_provider_twice(message: &str) -> bool {
    let (place, _) = message.split_once(": the key is given twice").unwrap_or_default();
    place.split_once("providers.").is_some_and(|(_, name)| !name.contains('.'))
}

/// A message has a place in the file, a `help:`, and no key in it.
fn is_helpful(text: &str, message: &str) {
    let (what, help) = message.split_once("\nhelp: ").unwrap_or_else(|| panic!("no help: {message}"));
    let mut lines = what.lines().skip(1);
    assert!(
        !help.is_empty() && lines.all(|line| line.starts_with("  ") && line.contains(" | ")),
        "{message}"
    );
    assert!(!message.chars().any(|c| c.is_control() && c != '\n'), "a control character: {message:?}");
    let mut place = what.splitn(4, ':');
    assert_eq!(place.next(), Some(PATH), "{message}");
    let [line, column] = [place.next(), place.next()].map(|number| number.and_then(|it| it.parse().ok()));
    let (line, column): (usize, usize) = (line.expect(message), column.expect(message));
    // A parser may point behind the last line, at what is missing there.
    assert!((1..=text.split(['\n', '\r']).count() + 1).contains(&line), "{message}");
    assert!((1..=text.chars().count() + 2).contains(&column), "{message}");
    assert!(!message.contains(PLANTED_KEY), "a key is shown: {message}");
}

fn accepted(text: &str, loaded: &Loaded) {
    let config = &loaded.config;
    if let Some(theirs) = by_libyaml(text) {
        assert_eq!(summary(config), summary(&theirs));
    }
    for name in config.providers.keys() {
        for_one_launch(text, config, name);
    }
    for warning in loaded.warnings().map(shims::Message::render) {
        assert!(warning.contains("\nhelp: ") && !warning.contains(PLANTED_KEY), "{warning}");
    }
    let shown = format!("{config:?}");
    let mut keys = config.providers.values().filter_map(|provider| provider.key.as_ref());
    // Where it stands once, and no alias brings it elsewhere, it is the key and nothing else.
    if keys.any(|key| key.0.contains(PLANTED_KEY))
        && text.matches(PLANTED_KEY).count() == 1
        && !text.contains('&')
    {
        assert!(!shown.contains(PLANTED_KEY), "a key is shown: {shown}");
    }
    for name in config.providers.keys() {
        let line = loaded.locate(&["providers", name]).expect("a provider has its place");
        assert!(line <= text.split(['\n', '\r']).count(), "{name} in line {line}");
    }
    if let Ok(after) = append(text, "fuzz", FRESH) {
        takes_one_more(text, config, &after);
    }
}

/// What libyaml and serde make of the text, where that can be compared: they know no merge keys, and count no aliases.
/// A tag is theirs to judge.
fn by_libyaml(text: &str) -> Option<Config> {
    let differs = ["&", "<<", "!"].iter().any(|mark| text.contains(mark));
    if differs { None } else { serde_yaml::from_str(text).ok() }
}

/// A launch reads its own provider as the whole reading does, and the variables of all other keys.
fn for_one_launch(text: &str, config: &Config, name: &str) {
    let one =
        parse_for(text.to_owned(), Path::new(PATH), name).unwrap_or_else(|error| panic!("{name}: {error}"));
    let variables = |config: &Config| -> BTreeSet<String> {
        let decoded = config.providers.values().filter_map(|provider| provider.key_env.clone());
        decoded.chain(config.others.key_variables.iter().cloned()).collect()
    };
    assert_eq!(variables(&one.config), variables(config), "{name}");
    let provider = |config: &Config| {
        let provider = &config.providers[name];
        (format!("{provider:?}"), provider.key.as_ref().map(|key| key.0.clone()))
    };
    assert_eq!(one.config.providers.len(), 1, "{name}");
    assert_eq!(provider(&one.config), provider(config));
}

/// All of a config: what prints, and the keys, which do not.
fn summary(config: &Config) -> (String, Vec<Option<&str>>) {
    let keys = config.providers.values().map(|provider| provider.key.as_ref().map(|key| key.0.as_str()));
    (format!("{config:?}"), keys.collect())
}

/// The new text is the old one with a piece more in it, and means the old config with a provider more.
fn takes_one_more(text: &str, config: &Config, after: &str) {
    let same = |(a, b): &(u8, u8)| a == b;
    let head = text.bytes().zip(after.bytes()).take_while(same).count();
    let tail = text.bytes().rev().zip(after.bytes().rev()).take_while(same).count();
    // Of an empty map in one line the brackets go.
    let lost = text.len().saturating_sub(head + tail);
    assert!(lost == 0 || (lost <= 2 && text.contains("{}")), "{lost} bytes changed in {after}");
    let after = parse(after.to_owned(), Path::new(PATH)).unwrap_or_else(|error| panic!("{error}\n{after}"));
    let mut after = after.config;
    assert_eq!(after.providers.keys().next_back().map(String::as_str), Some("fuzz"));
    after.providers.pop();
    assert_eq!(summary(&after), summary(config));
}
