//! What must hold of any config file, whatever is in it; a room of [`crate::fuzzing`].

#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "to panic is how a promise is found broken"
)]

use std::path::Path;

use super::load::thorough;
use super::{Config, Loaded, append, check, parse, yaml};
use crate::fuzzing::CANARY;

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
            assert!(yaml::quick::<Config>(text).is_none_or(|config| !check::findings(&config).is_empty()));
            let messages: Vec<_> = problems.messages().collect();
            assert!((1..=200).contains(&messages.len()), "{} messages", messages.len());
            for message in &messages {
                is_helpful(text, message);
            }
            false
        }
    }
}

/// A message has a place in the file, a `help:`, and no key in it.
fn is_helpful(text: &str, message: &str) {
    let (what, help) = message.split_once("\nhelp: ").unwrap_or_else(|| panic!("no help: {message}"));
    assert!(!help.is_empty() && !what.contains('\n'), "{message}");
    assert!(!message.chars().any(|c| c.is_control() && c != '\n'), "a control character: {message:?}");
    let mut place = what.splitn(4, ':');
    assert_eq!(place.next(), Some(PATH), "{message}");
    let [line, column] = [place.next(), place.next()].map(|number| number.and_then(|it| it.parse().ok()));
    let (line, column): (usize, usize) = (line.expect(message), column.expect(message));
    // A parser may point behind the last line, at what is missing there.
    assert!((1..=text.split(['\n', '\r']).count() + 1).contains(&line), "{message}");
    assert!((1..=text.chars().count() + 2).contains(&column), "{message}");
    assert!(!message.contains(CANARY), "a key is shown: {message}");
}

fn accepted(text: &str, loaded: &Loaded) {
    let config = &loaded.config;
    // Both ways through the file are one in what they make of it.
    let slow = match thorough(text) {
        Ok(slow) => slow,
        // Two parsers, of YAML 1.1 and 1.2: what the fast one takes in the odder corners, as the lines of a quoted
        // text that are not indented, `config check` may refuse.
        Err(_) if !is_usual(text) => return,
        Err(problems) if problems[0].message.starts_with("this is not YAML") => return,
        Err(problems) => panic!("only the fast way takes this: {problems:?}"),
    };
    assert_eq!(told(config), told(&slow));
    for warning in loaded.warnings() {
        assert!(warning.contains("\nhelp: ") && !warning.contains(CANARY), "{warning}");
    }
    let shown = format!("{config:?}");
    let mut keys = config.providers.values().filter_map(|provider| provider.key.as_ref());
    // Where it stands once, and no alias brings it elsewhere, it is the key and nothing else.
    if keys.any(|key| key.0.contains(CANARY)) && text.matches(CANARY).count() == 1 && !text.contains('&') {
        assert!(!shown.contains(CANARY), "a key is shown: {shown}");
    }
    for name in config.providers.keys() {
        let (line, _) = loaded.locate(&["providers", name]).expect("a provider has its place");
        assert!(line <= text.split(['\n', '\r']).count(), "{name} in line {line}");
    }
    if let Ok(after) = append(text, "fuzz", FRESH) {
        takes_one_more(text, config, &after);
    }
}

/// Whether the text has nothing in it that YAML 1.1 and 1.2 read differently.
fn is_usual(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || " \n:-_.,[]{}\"'#/~+$^()<=@".contains(c))
}

/// All of a config: what prints, and the keys, which do not.
fn told(config: &Config) -> (String, Vec<Option<&str>>) {
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
    assert_eq!(told(&after), told(config));
}
