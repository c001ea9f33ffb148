//! Values with holes: `extra_env` and `headers` of the config, and the values of a plan.
//!
//! A [`Template`] is what the user wrote, parsed. A [`Value`] is what a plan carries: its secret parts
//! are only named, so that a plan can be printed. `agent-run` fills them in when it starts the agent.

use std::ffi::OsString;
use std::fmt;

use serde::{Serialize, Serializer};

/// A piece of a [`Value`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Part {
    /// Plain text; a path may not be UTF-8.
    Text(OsString),
    /// The provider's key.
    Key,
    /// The inherited variable of this name, which may be a secret too.
    Env(String),
}

/// A value of the child's environment or of a header, with its secrets named and not shown.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Value(Vec<Part>);

impl Value {
    /// The provider's key itself.
    pub fn key() -> Self {
        Self(vec![Part::Key])
    }

    /// The pieces, in order.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The text, if no part of it is secret.
    pub fn plain(&self) -> Option<OsString> {
        self.0.iter().try_fold(OsString::new(), |mut text, part| match part {
            Part::Text(more) => {
                text.push(more);
                Some(text)
            }
            Part::Key | Part::Env(_) => None,
        })
    }

    /// Whether a part of it is secret.
    pub fn is_secret(&self) -> bool {
        !self.0.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// The value with `more` after it.
    #[must_use]
    pub fn then(mut self, more: impl Into<Self>) -> Self {
        self.0.extend(more.into().0);
        self
    }
}

impl<T: Into<OsString>> From<T> for Value {
    fn from(text: T) -> Self {
        Self(vec![Part::Text(text.into())])
    }
}

impl fmt::Display for Value {
    /// The text with `<key>` and `<env:NAME>` where a secret goes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => write!(f, "{}", text.display()),
            Part::Key => f.write_str("<key>"),
            Part::Env(name) => write!(f, "<env:{name}>"),
        })
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What `${context:…}` can name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Field {
    /// The provider's name.
    Provider,
    /// The protocol's name.
    Protocol,
    /// The model's id.
    Model,
    /// The key.
    Key,
    /// The agent's name.
    Agent,
    /// The base URL.
    BaseUrl,
}

impl Field {
    /// Its name between `${context:` and `}`.
    pub fn name(self) -> &'static str {
        FIELDS.iter().find(|(_, field)| *field == self).map_or("", |(name, _)| name)
    }
}

const FIELDS: [(&str, Field); 6] = [
    ("provider", Field::Provider),
    ("protocol", Field::Protocol),
    ("model", Field::Model),
    ("key", Field::Key),
    ("agent", Field::Agent),
    ("base_url", Field::BaseUrl),
];

#[derive(Clone, Debug, Eq, PartialEq)]
enum Segment {
    Text(String),
    Env(String),
    Context(Field),
}

/// Text with `${env:NAME}` and `${context:FIELD}` in it; `$${` stands for a literal `${`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Template(Vec<Segment>);

impl Template {
    /// Parses what the user wrote.
    ///
    /// # Errors
    /// One sentence that says what is wrong with which `${…}` and what may stand there.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            if let Some(before) = rest[..at].strip_suffix('$') {
                plain.push_str(before);
                plain.push_str("${");
                rest = &rest[at + 2..];
                continue;
            }
            plain.push_str(&rest[..at]);
            let (inside, after) = rest[at + 2..].split_once('}').ok_or_else(|| {
                // What follows may be anything, a key too.
                let place = text[..text.len() - rest.len() + at].chars().count() + 1;
                format!("`${{` at character {place} has no closing `}}`; write `$${{` for a literal `${{`")
            })?;
            if !plain.is_empty() {
                pieces.push(Segment::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Self::placeholder(inside)?);
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Segment::Text(plain));
        }
        Ok(Self(pieces))
    }

    fn placeholder(inside: &str) -> Result<Segment, String> {
        // Longer than any name, it may be a key in the wrong place, which no message may show. What controls a
        // terminal is in no name either.
        let is_name = inside.chars().count() <= 32 && !inside.contains(char::is_control);
        let shown = if is_name { inside } else { "…" };
        let (namespace, name) = inside.split_once(':').ok_or_else(|| {
            format!("`${{{shown}}}` has no prefix; write `${{env:{shown}}}` or `${{context:…}}`")
        })?;
        match namespace {
            "env" if name.is_empty() || name.contains(['=', '\0']) => {
                Err(format!("`${{{shown}}}` names no variable"))
            }
            "env" => Ok(Segment::Env(name.to_owned())),
            "context" => FIELDS
                .iter()
                .find(|(field, _)| *field == name)
                .map(|&(_, field)| Segment::Context(field))
                .ok_or_else(|| {
                    let known: Vec<_> = FIELDS.iter().map(|(field, _)| *field).collect();
                    format!("`${{{shown}}}` is unknown; context has {}", known.join(", "))
                }),
            _ => Err(format!("`${{{shown}}}` is unknown; the prefixes are env and context")),
        }
    }

    /// The variables that `${env:…}` names.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Segment::Env(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether `${context:key}` is in it.
    pub fn names_key(&self) -> bool {
        self.0.contains(&Segment::Context(Field::Key))
    }

    /// The value, with each context field filled in; the key and variables stay named.
    pub fn fill(&self, context: impl Fn(Field) -> String) -> Value {
        let parts = self.0.iter().map(|piece| match piece {
            Segment::Text(text) => Part::Text(text.into()),
            Segment::Env(name) => Part::Env(name.clone()),
            Segment::Context(Field::Key) => Part::Key,
            Segment::Context(field) => Part::Text(context(*field).into()),
        });
        Value(parts.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        Template::parse(text).expect("parses").fill(|field| format!("{field:?}")).to_string()
    }

    #[test]
    fn holes_are_filled_and_secrets_stay_named() {
        assert_eq!(filled("plain $HOME {x}"), "plain $HOME {x}");
        assert_eq!(filled("a ${context:model} b"), "a Model b");
        assert_eq!(filled("Bearer ${context:key}"), "Bearer <key>");
        assert_eq!(filled("${env:HOME}/x"), "<env:HOME>/x");
        assert_eq!(filled("$${literal} ${context:agent}"), "${literal} Agent");
        assert_eq!(filled(""), "");
    }

    #[test]
    fn every_error_names_the_hole() {
        for (text, part) in [
            ("x ${env:HOME", "no closing"),
            ("${HOME}", "no prefix"),
            ("${env:}", "names no variable"),
            ("${context:colour}", "provider, protocol, model, key, agent, base_url"),
            ("${file:x}", "env and context"),
        ] {
            let error = Template::parse(text).expect_err(text);
            assert!(error.contains(part), "{error}");
        }
        for text in ["é ${env:A SECRET", "${SECRETxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx}"] {
            let error = Template::parse(text).expect_err(text);
            assert!(!error.contains("SECRET"), "{error}");
        }
        for text in ["${a\nhelp: b}", "${x:\u{1b}[2J}", "${context:\u{7}}", "${env:=\r}"] {
            let error = Template::parse(text).expect_err(text);
            assert!(!error.contains(char::is_control), "{error:?}");
        }
        assert!(Template::parse("é$${ ${env:A").expect_err("open").contains("at character 6"));
    }
}
