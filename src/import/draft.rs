//! A provider on its way from another tool's settings to an entry of our config.

use std::collections::BTreeMap;
use std::fmt::Write;

use shims::Protocol;

use super::names::variable;
use crate::config::Provider;
use crate::key;

/// What another tool says of a provider.
#[derive(Clone, Default)]
pub struct Draft {
    /// What it is called there.
    pub name: String,
    /// Where that stands, for people.
    pub from: String,
    pub protocols: Vec<Protocol>,
    pub openai: Option<String>,
    pub anthropic: Option<String>,
    pub key: Kept,
    pub anthropic_use_api_key: bool,
    pub default_model: Option<String>,
    /// Ids, each with the size of its context if that is known.
    pub models: Vec<(String, Option<u64>)>,
    /// Model ids by tier.
    pub tiers: Vec<(&'static str, String)>,
    /// Values as templates of ours.
    pub headers: BTreeMap<String, String>,
    /// Headers whose values may be secret, as they are.
    pub secret_headers: BTreeMap<String, String>,
    /// What has no place in our config, or wants a look.
    pub notes: Vec<String>,
}

/// Where the other tool keeps the key.
#[derive(Clone, Default, Eq, PartialEq)]
pub enum Kept {
    #[default]
    Nowhere,
    Variable(String),
    Command(Vec<String>),
    Literal {
        key: String,
        /// Where it stands.
        place: String,
        /// A command that prints it from there.
        command: Option<Vec<String>>,
    },
}

/// What to do with keys that stand in the other tool's files.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Keys {
    /// Say where they are.
    Leave,
    /// Copy them.
    Copy,
}

impl Draft {
    /// Whether `provider` is where this one is.
    pub fn is_at(&self, provider: &Provider) -> bool {
        let same = |url: &Option<String>, protocol| {
            url.as_deref().is_none_or(|url| provider.base_url(protocol) == Some(url.trim_end_matches('/')))
        };
        same(&self.openai, Protocol::OpenaiChatCompletions) && same(&self.anthropic, Protocol::Anthropic)
    }

    /// The URL for `protocol`; an Anthropic one loses the `/v1` that agents add.
    pub fn serve(&mut self, protocol: Protocol, url: &str) {
        let url = url.trim().trim_end_matches('/');
        if !self.protocols.contains(&protocol) {
            self.protocols.push(protocol);
        }
        if protocol == Protocol::Anthropic {
            let url = url.strip_suffix("/messages").unwrap_or(url);
            self.anthropic = Some(url.strip_suffix("/v1").unwrap_or(url).to_owned());
        } else {
            let ends = ["/chat/completions", "/responses"];
            let url = ends.iter().find_map(|end| url.strip_suffix(end)).unwrap_or(url);
            self.openai = Some(url.to_owned());
        }
    }

    /// Takes a header: as it is, or only by name where it may be secret.
    pub fn header(&mut self, name: &str, value: &str) {
        let secret = ["auth", "key", "token", "secret", "cookie", "pass"];
        let named = secret.iter().any(|word| name.to_ascii_lowercase().contains(word));
        let secret = named || may_hold_key(value);
        let list = if secret { &mut self.secret_headers } else { &mut self.headers };
        list.insert(name.to_owned(), value.replace("${", "$${"));
    }

    /// The entry as it would stand in a file of its own: comments, the name, the keys.
    pub fn yaml(&self, name: &str, keys: Keys) -> String {
        let mut yaml = format!("# From {}.\n", one_line(&self.from));
        self.notes.iter().for_each(|note| _ = writeln!(yaml, "# {}", one_line(note)));
        _ = writeln!(yaml, "{}:", scalar(name));
        let mut line = |text: &str| _ = writeln!(yaml, "  {text}");
        let protocols: Vec<_> = self.protocols.iter().map(|protocol| protocol.name()).collect();
        line(&format!("protocols: [{}]", protocols.join(", ")));
        line("base_urls:");
        for (family, url) in [("openai", &self.openai), ("anthropic", &self.anthropic)] {
            url.iter().for_each(|url| line(&format!("  {family}: {}", scalar(url))));
        }
        self.key_lines(name, keys).iter().for_each(|text| line(text));
        if self.anthropic_use_api_key {
            line("anthropic_use_api_key: true");
        }
        if let Some(model) = &self.default_model {
            line(&format!("default_model: {}", scalar(model)));
        }
        if !self.tiers.is_empty() {
            line("tiers:");
            self.tiers.iter().for_each(|(tier, model)| line(&format!("  {tier}: {}", scalar(model))));
        }
        if !self.models.is_empty() {
            line("models:");
            for (id, context) in &self.models {
                match context {
                    None => line(&format!("  - {}", scalar(id))),
                    Some(tokens) => {
                        line(&format!("  - id: {}", scalar(id)));
                        line(&format!("    context_window: {tokens}"));
                    }
                }
            }
        }
        let copied = if keys == Keys::Copy { Some(&self.secret_headers) } else { None };
        let headers: BTreeMap<_, _> = self.headers.iter().chain(copied.into_iter().flatten()).collect();
        if !headers.is_empty() {
            line("headers:");
            headers.iter().for_each(|(name, value)| line(&format!("  {}: {}", scalar(name), scalar(value))));
        }
        if keys == Keys::Leave {
            for name in self.secret_headers.keys() {
                line(&format!(
                    "# The header {} may hold a secret and is left out: write it as",
                    one_line(name)
                ));
                line(&format!("# `headers: {{{}: \"${{env:VARIABLE}}\"}}`.", one_line(name)));
            }
        }
        yaml
    }

    fn key_lines(&self, name: &str, keys: Keys) -> Vec<String> {
        let command = |argv: &[String]| {
            let words: Vec<_> = argv.iter().map(|word| scalar(word)).collect();
            format!("key_command: [{}]", words.join(", "))
        };
        match &self.key {
            Kept::Nowhere => Vec::new(),
            Kept::Variable(name) => vec![format!("key_env: {}", scalar(name))],
            Kept::Command(argv) if keys == Keys::Leave && argv.iter().any(|word| may_hold_key(word)) => vec![
                "# The command that prints its key there may hold the key itself, and is left out."
                    .to_owned(),
                format!("key_env: {}", variable(name)),
            ],
            Kept::Command(argv) => vec![command(argv)],
            Kept::Literal { key, .. } if keys == Keys::Copy => vec![format!("key: {}", scalar(key))],
            Kept::Literal { key, place, command: argv } => {
                let which = key::fingerprint(key);
                let mut lines = vec![format!(
                    "# The key {which} stands in {}. Put it into this variable:",
                    one_line(place)
                )];
                lines.push(format!("key_env: {}", variable(name)));
                if let Some(argv) = argv {
                    lines.push("# Or, instead of `key_env`, read it from there:".to_owned());
                    lines.push(format!("# {}", command(argv)));
                }
                lines
            }
        }
    }
}

/// Several tools of one switcher may name the same provider, each with the URL of its own protocol.
pub fn merged(drafts: Vec<Draft>) -> Vec<Draft> {
    let mut merged: Vec<Draft> = Vec::new();
    for draft in drafts {
        let fits = |there: &&mut Draft| {
            let key = |kept: &Kept| match kept {
                Kept::Literal { key, .. } => Some(key.clone()),
                _ => None,
            };
            let same_key =
                there.key == draft.key || (key(&there.key).is_some() && key(&there.key) == key(&draft.key));
            let apart = (there.openai.is_none() || draft.openai.is_none())
                && (there.anthropic.is_none() || draft.anthropic.is_none());
            there.name == draft.name && same_key && apart
        };
        match merged.iter_mut().find(fits) {
            None => merged.push(draft),
            Some(there) => {
                there.protocols.extend(&draft.protocols);
                there.openai = there.openai.take().or(draft.openai);
                there.anthropic = there.anthropic.take().or(draft.anthropic);
                let other = draft.default_model.filter(|model| there.default_model.as_ref() != Some(model));
                match (&there.default_model, other) {
                    (None, other) => there.default_model = other,
                    (Some(_), Some(other)) => {
                        there.notes.push(format!("{} used the model {other}", draft.from))
                    }
                    _ => {}
                }
                there.from = format!("{} and {}", there.from, draft.from);
                there.notes.extend(draft.notes);
                there.tiers.extend(draft.tiers);
                there.models.extend(draft.models);
                there.headers.extend(draft.headers);
                there.secret_headers.extend(draft.secret_headers);
            }
        }
    }
    merged
}

/// Whether some of the text may be a key: what looks like one, or what a command merely repeats.
fn may_hold_key(text: &str) -> bool {
    let long = |word: &str| word.len() >= 32 && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let repeats = |word: &str| matches!(word, "echo" | "printf");
    let mut words = text.split(|c: char| c.is_whitespace() || "=:,;'\"".contains(c));
    text.contains("sk-") || words.any(|word| long(word) || repeats(word))
}

/// Text on one line of a comment.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Text as a YAML scalar: plain where nobody could take it for anything else, quoted as JSON otherwise.
fn scalar(text: &str) -> String {
    let inside = |c: char| c.is_ascii_alphanumeric() || "-_./:@+~^$=%".contains(c);
    let first = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_' || c == '~');
    let word = ["true", "false", "null", "yes", "no", "on", "off", "~", "y", "n"];
    let plain = first
        && text.chars().all(inside)
        && !text.ends_with(':')
        && !word.contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{append, parse};

    fn literal() -> Draft {
        let mut draft = Draft { name: "x".to_owned(), from: "there".to_owned(), ..Draft::default() };
        draft.serve(Protocol::Anthropic, "https://host/anthropic/v1/");
        draft.key = Kept::Literal {
            key: "sk-\"1'#".to_owned(),
            place: "a file".to_owned(),
            command: Some(vec!["jq".to_owned(), "-r".to_owned(), ".a".to_owned()]),
        };
        draft.header("X-Api-Key", "hunter2");
        draft.header("X-Title", "a: b # ${c}");
        draft.models = vec![("4.1".to_owned(), None), ("m".to_owned(), Some(5))];
        draft
    }

    #[test]
    fn a_key_is_told_only_when_keys_are_asked_for() {
        let draft = literal();
        let left = draft.yaml("x", Keys::Leave);
        assert!(!left.contains("sk-") && !left.contains("hunter2"), "{left}");
        assert!(
            left.contains("key_env: X_API_KEY") && left.contains("# key_command: [jq, \"-r\", \".a\"]"),
            "{left}"
        );
        let copied = draft.yaml("x", Keys::Copy);
        let text = append("", "x", &copied).unwrap_or_else(|error| panic!("{error}\n{copied}"));
        let config = parse(text, "c".as_ref()).unwrap_or_else(|error| panic!("{error}")).config;
        let provider = &config.providers["x"];
        assert_eq!(provider.key.as_ref().map(|key| key.0.as_str()), Some("sk-\"1'#"));
        assert_eq!(provider.headers["X-Title"].fill(|_| String::new()).to_string(), "a: b # ${c}");
        assert!(provider.headers.contains_key("X-Api-Key"));
    }

    #[test]
    fn what_is_drafted_is_an_entry_of_the_config() {
        let yaml = literal().yaml("x", Keys::Leave);
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
        other.key = Kept::Nowhere;
        assert_eq!(merged(vec![literal(), other]).len(), 2, "another key is another provider");
    }
}
