//! A draft as text: an entry of the config, with comments that say where it came from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::draft::{ImportedProvider, KeyLocation};
use super::names::variable;
use super::secret::may_hold_key;
use crate::config::yaml_scalar as scalar;
use crate::key::place::KeyPlace;
use crate::{header, key};

/// What to do with keys that are in the other tool's files.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Keys {
    /// Say where they are.
    Leave,
    /// Copy them.
    Copy,
}

/// The entry as it would be in a file of its own: comments, the name, the keys.
pub fn yaml(draft: &ImportedProvider, name: &str, keys: Keys) -> String {
    let mut yaml = format!("# From {}.\n", one_line(&draft.from));
    for note in &draft.notes {
        _ = writeln!(yaml, "# {}", one_line(note));
    }
    match &draft.preset {
        Some(preset) => yaml + &preset.entry(name, None, None),
        None => yaml + &format!("{}:\n{}\n", scalar(name), lines(draft, name, keys).join("\n")),
    }
}

fn lines(draft: &ImportedProvider, name: &str, keys: Keys) -> Vec<String> {
    let mut lines = vec![format!("  protocols: [{}]", protocols(draft)), "  base_urls:".to_owned()];
    for (family, url) in [("openai", &draft.openai), ("anthropic", &draft.anthropic)] {
        lines.extend(url.as_ref().map(|url| format!("    {family}: {}", scalar(url))));
    }
    lines.extend(key_lines(&draft.key, &draft.from, name, keys));
    if draft.anthropic_use_api_key {
        lines.push("  anthropic_use_api_key: true".to_owned());
    }
    lines.extend(draft.default_model.as_ref().map(|model| format!("  default_model: {}", scalar(model))));
    lines.extend(section(
        "tiers",
        draft.tiers.iter().map(|(tier, model)| format!("{tier}: {}", scalar(model))),
    ));
    let model = |(id, context): &(String, Option<u64>)| match context {
        None => format!("- {}", scalar(id)),
        Some(tokens) => format!("- {{id: {}, context_window: {tokens}}}", scalar(id)),
    };
    lines.extend(section("models", draft.models.iter().map(model)));
    lines.extend(header_lines(draft, keys));
    lines
}

fn protocols(draft: &ImportedProvider) -> String {
    draft.protocols.iter().map(|protocol| protocol.name()).collect::<Vec<_>>().join(", ")
}

/// A key of the entry with lines below it, if there are any.
fn section(key: &str, below: impl Iterator<Item = String>) -> Vec<String> {
    let below: Vec<_> = below.map(|line| format!("    {line}")).collect();
    let head = if below.is_empty() { None } else { Some(format!("  {key}:")) };
    head.into_iter().chain(below).collect()
}

fn key_lines(key: &KeyLocation, from: &str, name: &str, keys: Keys) -> Vec<String> {
    let command = |argv: &[String]| KeyPlace::Command(argv.to_vec()).line();
    let lines = match key {
        KeyLocation::None => Vec::new(),
        KeyLocation::Variable(name) => vec![format!("key_env: {}", scalar(name))],
        KeyLocation::Command(argv) if keys == Keys::Leave && argv.iter().any(|word| may_hold_key(word)) => {
            vec![
                "# The command that prints its key may contain the key, and was omitted.".to_owned(),
                format!("key_env: {}", variable(name)),
            ]
        }
        KeyLocation::Command(argv) => vec![command(argv)],
        KeyLocation::Literal { key, place, .. } if key::shape::mistaken(key).is_some() => {
            let what = key::shape::mistaken(key).map_or("no key", |mistake| mistake.what);
            vec![
                format!(
                    "# What is stored in {} is {what}, and was omitted. Export the key as:",
                    one_line(place)
                ),
                format!("key_env: {}", variable(name)),
            ]
        }
        KeyLocation::Literal { key, place, .. } if keys == Keys::Copy => {
            // The other values may be from another file.
            let comment =
                (!from.contains(place.as_str())).then(|| format!("# The key is from {}.", one_line(place)));
            comment.into_iter().chain([format!("key: {}", scalar(key))]).collect()
        }
        KeyLocation::Literal { key, place, command: argv } => {
            let which = key::fingerprint(key);
            let mut lines = vec![
                format!("# The key {which} is stored in {}. Export it as:", one_line(place)),
                format!("key_env: {}", variable(name)),
            ];
            if let Some(argv) = argv {
                lines.push("# Or, instead of `key_env`, read it from there:".to_owned());
                lines.push(format!("# {}", command(argv)));
            }
            lines
        }
    };
    lines.into_iter().map(|line| format!("  {line}")).collect()
}

fn header_lines(draft: &ImportedProvider, keys: Keys) -> Vec<String> {
    let secret = draft.secret_headers.iter();
    let (copied, left): (Vec<_>, Vec<_>) = match keys {
        Keys::Copy => (secret.collect(), Vec::new()),
        Keys::Leave => (Vec::new(), secret.collect()),
    };
    let headers: BTreeMap<_, _> = draft.headers.iter().chain(copied).collect();
    let mut seen = BTreeSet::new();
    let (headers, refused): (Vec<_>, Vec<_>) = headers.into_iter().partition(|(name, value)| {
        !header::is_the_connections(name) && !value.is_empty() && seen.insert(name.to_ascii_lowercase())
    });
    let headers = headers.iter().map(|(name, value)| format!("{}: {}", scalar(name), scalar(value)));
    let mut lines = section("headers", headers);
    for (name, _) in refused {
        let name = one_line(name);
        lines
            .push(format!("  # The header {name} was omitted: it is empty, duplicate, or set by the agent."));
    }
    for (name, _) in left {
        let name = one_line(name);
        lines.push(format!(
            "  # The header {name} may hold a secret and was omitted. Add it to `headers` as \
             `{name}: \"${{env:VARIABLE}}\"`."
        ));
    }
    lines
}

/// Text on one line of a comment.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::draft::merged;
    use shims::Protocol;

    use super::*;
    use crate::config::{append, parse};

    fn literal() -> ImportedProvider {
        let mut draft = ImportedProvider {
            name: "x".to_owned(),
            from: "there".to_owned(),
            ..ImportedProvider::default()
        };
        draft.serve(Protocol::Anthropic, "https://host/anthropic/v1/");
        draft.key = KeyLocation::Literal {
            key: "sk-\"1'#".to_owned(),
            place: "a file".to_owned(),
            command: Some(vec!["jq".to_owned(), "-er".to_owned(), ".a".to_owned()]),
        };
        draft.header("X-Api-Key", "hunter2");
        draft.header("X-Title", "a: b # ${c}");
        draft.models = vec![("4.1".to_owned(), None), ("m".to_owned(), Some(5))];
        draft
    }

    #[test]
    fn a_key_is_said_only_when_keys_are_asked_for() {
        let draft = literal();
        let left = yaml(&draft, "x", Keys::Leave);
        assert!(!left.contains("sk-") && !left.contains("hunter2"), "{left}");
        assert!(
            left.contains("key_env: X_API_KEY") && left.contains("# key_command: [jq, -er, .a]"),
            "{left}"
        );
        let copied = yaml(&draft, "x", Keys::Copy);
        let text = append("", "x", &copied).unwrap_or_else(|error| panic!("{error}\n{copied}"));
        let config = parse(text, "c".as_ref()).unwrap_or_else(|error| panic!("{error}")).config;
        let provider = &config.providers["x"];
        assert_eq!(provider.key.as_ref().map(|key| key.0.as_str()), Some("sk-\"1'#"));
        assert_eq!(provider.headers["X-Title"].fill(|_| String::new()).to_string(), "a: b # ${c}");
        assert!(provider.headers.contains_key("X-Api-Key"));
    }

    #[test]
    fn what_is_drafted_is_an_entry_of_the_config() {
        let yaml = yaml(&literal(), "x", Keys::Leave);
        let text = append("providers: {}\n", "x", &yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
        let config = parse(text, "c".as_ref()).unwrap_or_else(|error| panic!("{error}")).config;
        let provider = &config.providers["x"];
        assert_eq!(provider.base_url(Protocol::Anthropic), Some("https://host/anthropic"));
        assert_eq!(provider.models[0].id, "4.1");
        assert_eq!(provider.models[1].context_window, Some(5));
    }

    #[test]
    fn halves_of_one_provider_become_one() {
        let mut other = literal();
        other.anthropic = None;
        other.protocols.clear();
        other.serve(Protocol::OpenaiResponses, "https://host/v1");
        let one = merged(vec![literal(), other.clone()]);
        assert_eq!(one.len(), 1);
        assert_eq!(one[0].protocols, [Protocol::Anthropic, Protocol::OpenaiResponses]);
        other.key = KeyLocation::None;
        assert_eq!(merged(vec![literal(), other]).len(), 2, "another key is another provider");
    }
}
