//! The schema's shapes that serde does not derive: checked values, maps that refuse a key given twice,
//! and values that may be written in two ways.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{Hash, Hasher};

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use shims::{Message, Model, Template};

use super::names::{AgentName, Name};
use super::types::Args;
use super::values::{Argument, ModelId, Validate};

/// Text that passed its rule.
struct Checked<R: Validate>(R::Out);

impl<'de, R: Validate> Deserialize<'de> for Checked<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        R::check(String::deserialize(deserializer)?).map(Self).map_err(D::Error::custom)
    }
}

impl<R: Validate<Out = String>> PartialEq for Checked<R> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<R: Validate<Out = String>> Eq for Checked<R> {}

impl<R: Validate<Out = String>> Hash for Checked<R> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

/// A value that must be there.
pub fn one<'de, R: Validate, D: Deserializer<'de>>(deserializer: D) -> Result<R::Out, D::Error> {
    Ok(Checked::<R>::deserialize(deserializer)?.0)
}

/// A value that may be missing or `null`.
pub fn some<'de, R: Validate, D: Deserializer<'de>>(deserializer: D) -> Result<Option<R::Out>, D::Error> {
    Ok(Option::<Checked<R>>::deserialize(deserializer)?.map(|checked| checked.0))
}

/// A command: at least its program, and no shell.
pub fn command<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let words = Option::<Vec<Checked<Argument>>>::deserialize(deserializer)?;
    let words: Option<Vec<_>> = words.map(|words| words.into_iter().map(|word| word.0).collect());
    if words.as_ref().is_some_and(|words| words.first().is_none_or(String::is_empty)) {
        let help = "write the program and its arguments as a list, as in `[pass, show, deepseek]`";
        return Err(D::Error::custom(Message::new("the command is empty", help)));
    }
    Ok(words)
}

/// The entries of a map in their order. Whether a key is given twice is the tree's to say.
fn entries<'de, K, V, D>(deserializer: D) -> Result<impl Iterator<Item = (String, V)>, D::Error>
where
    K: Validate<Out = String>,
    V: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(IndexMap::<Checked<K>, V>::deserialize(deserializer)?.into_iter().map(|(key, value)| (key.0, value)))
}

/// A map by provider, in the file's order.
pub fn by_provider<'de, V: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<IndexMap<String, V>, D::Error> {
    entries::<Name, V, D>(deserializer).map(Iterator::collect)
}

/// A map of text with placeholders, such as variables or headers.
pub fn templates<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<String, Template>, D::Error>
where
    K: Validate<Out = String>,
    V: Validate<Out = Template>,
    D: Deserializer<'de>,
{
    Ok(entries::<K, Checked<V>, D>(deserializer)?.map(|(name, value)| (name, value.0)).collect())
}

/// Names in any order, each once.
pub fn names<'de, R: Validate<Out = String>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeSet<String>, D::Error> {
    let names = Option::<Vec<Checked<R>>>::deserialize(deserializer)?;
    Ok(names.into_iter().flatten().map(|name| name.0).collect())
}

/// The names of homes, of which nothing more is said so far.
pub fn homes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct NoSettings {}

    Ok(entries::<Name, NoSettings, D>(deserializer)?.map(|(name, _)| name).collect())
}

/// Models, each an id alone or a map.
pub fn models<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Model>, D::Error> {
    let entries = Vec::<Written>::deserialize(deserializer)?;
    Ok(entries.into_iter().map(|entry| entry.0).collect())
}

struct Written(Model);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ModelVisitor).map(Self)
    }
}

struct ModelVisitor;

impl<'de> Visitor<'de> for ModelVisitor {
    type Value = Model;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a model")
    }

    fn visit_str<E: Error>(self, id: &str) -> Result<Model, E> {
        ModelId::check(id.to_owned()).map(Model::named).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Model, A::Error> {
        Model::deserialize(MapAccessDeserializer::new(map))
    }
}

impl<'de> Deserialize<'de> for Args {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ArgsVisitor)
    }
}

struct ArgsVisitor;

impl<'de> Visitor<'de> for ArgsVisitor {
    type Value = Args;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list, or a map of lists by agent")
    }

    fn visit_unit<E: Error>(self) -> Result<Args, E> {
        Ok(Args::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Args, A::Error> {
        Arguments::deserialize(SeqAccessDeserializer::new(list)).map(|words| Args::All(words.0))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Args, A::Error> {
        let lists = entries::<AgentName, Arguments, _>(MapAccessDeserializer::new(map))?;
        Ok(Args::ByAgent(lists.map(|(agent, words)| (agent, words.0)).collect()))
    }
}

struct Arguments(Vec<String>);

impl<'de> Deserialize<'de> for Arguments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Vec::<Checked<Argument>>::deserialize(deserializer)?;
        Ok(Self(words.into_iter().map(|word| word.0).collect()))
    }
}
