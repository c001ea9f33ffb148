//! From any provider's answer to records, by what the answer holds and not by what was asked.
//!
//! One URL answers in several shapes, depending on headers, and gateways borrow shapes from each other; so
//! nothing here knows a provider. Raw answers are read and dropped: they are never stored.

pub mod capabilities;
mod fields;
mod page;
mod prices;
mod time;
mod value;

use std::collections::HashMap;
use std::fmt;

use serde_json::Value;
use shims::proxy;

use self::prices::Prices;
use self::value::text;
use super::record::ModelRecord;
use crate::ui::sanitize::{is_unsafe_to_print, printable};

pub use page::{Next, stated_error};
pub use time::day;

/// More models than any provider has; what comes after is dropped.
pub const MAX_ROWS: usize = 5_000;
/// The longest id we believe in, in bytes.
const MAX_ID: usize = 256;
/// Longer names are cut; people read them in a column.
const MAX_NAME: usize = 120;

/// A list as far as it has been read.
#[derive(Debug, Default)]
pub struct ModelList {
    /// The models in the provider's order, those one cannot chat with among them.
    pub records: Vec<ModelRecord>,
    /// Rows without a usable id, and rows whose id came before.
    pub skipped: usize,
    /// Rows beyond [`MAX_ROWS`].
    pub dropped: usize,
    seen: HashMap<String, usize>,
    parents: Vec<(usize, String)>,
}

/// Why an answer is not a list of models.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reject {
    /// A web page.
    Html,
    /// Neither JSON nor a web page.
    NotJson(String),
    /// The provider says what went wrong, whatever its status code said.
    Error(String),
    /// JSON without a list in any of the known places.
    NoList,
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Html => f.write_str("a web page instead of a model list"),
            Self::NotJson(why) => write!(f, "invalid JSON: {why}"),
            Self::Error(message) => f.write_str(message),
            Self::NoList => f.write_str("no model array"),
        }
    }
}

impl ModelList {
    /// Adds one page of a list, and says where the next one is. If the page is not a list, what was read before stays.
    pub fn add_page(&mut self, body: &[u8], source: &str) -> Result<Option<Next>, Reject> {
        let page = parse(body)?;
        let rows = page::rows(&page)?;
        for (index, row) in rows.iter().enumerate() {
            if self.records.len() == MAX_ROWS {
                self.dropped += rows.len() - index;
                break;
            }
            self.add_row(row, source);
        }
        Ok(page::next(&page))
    }

    /// Gives fine-tunes the window of the model they are loaded onto, once all pages are there.
    #[must_use]
    pub fn finish(mut self) -> Self {
        for (index, parent) in std::mem::take(&mut self.parents) {
            let window = self.seen.get(&parent).and_then(|&parent| self.records[parent].context_window);
            self.records[index].context_window = window;
        }
        self
    }

    /// Whether so many rows were unusable that this is hardly a list of models.
    pub fn is_malformed(&self) -> bool {
        self.skipped > self.records.len()
    }

    fn add_row(&mut self, row: &Value, source: &str) {
        let Some((id, id_key)) = id(row).filter(|(id, _)| !self.seen.contains_key(*id)) else {
            self.skipped += 1;
            return;
        };
        let record = record(row, id, id_key, source);
        if let Some(parent) = fields::parent(row).filter(|_| record.context_window.is_none()) {
            self.parents.push((self.records.len(), parent.to_owned()));
        }
        self.seen.insert(record.id.clone(), self.records.len());
        self.records.push(record);
    }
}

/// Whether an answer is a page for people.
pub fn is_web_page(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    body.trim_ascii_start().first() == Some(&b'<')
}

fn parse(body: &[u8]) -> Result<Value, Reject> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if is_web_page(body) {
        return Err(Reject::Html);
    }
    // serde_json refuses more than 128 levels by itself.
    serde_json::from_slice(body).or_else(|error| {
        // One row of a server in Python may hold a NaN, and a name may be cut in the middle of a surrogate pair.
        let lenient = shims::json::parse(&with_null_for_nan(body), shims::json::JAVASCRIPT);
        lenient.map_err(|_| Reject::NotJson(error.to_string()))
    })
}

/// The text with `null` for `NaN`, `Infinity` and `-Infinity`, which Python writes where JSON has no number.
fn with_null_for_nan(body: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(body.len());
    let (mut at, mut is_string) = (0, false);
    while at < body.len() {
        let rest = &body[at..];
        let word = [&b"NaN"[..], b"-Infinity", b"Infinity"].into_iter().find(|word| rest.starts_with(word));
        match (is_string, rest[0], word) {
            (false, _, Some(word)) => {
                text.extend(b"null");
                at += word.len();
                continue;
            }
            (true, b'\\', _) => {
                text.extend(&rest[..rest.len().min(2)]);
                at += 2;
                continue;
            }
            (_, b'"', _) => is_string = !is_string,
            _ => {}
        }
        text.push(rest[0]);
        at += 1;
    }
    text
}

/// What an answer with a bad status says about it: the message of an error envelope, or plain text.
pub fn error_text(body: &[u8]) -> Option<String> {
    match parse(body) {
        Ok(Value::String(text)) => Some(text),
        Ok(page) => page::stated_error(&page).or_else(|| page::loose_message(&page)),
        Err(Reject::Html) => None,
        Err(_) => std::str::from_utf8(body).ok().map(str::to_owned),
    }
}

/// The id of a row and the key it stands under.
fn id(row: &Value) -> Option<(&str, &'static str)> {
    const KEYS: [&str; 7] = ["id", "slug", "key", "model_id", "model_name", "model", "name"];
    let strange_id = row.get("id").is_some_and(|id| !id.is_null() && !id.is_string());
    let model_without_id =
        row.get("object").is_some_and(|object| object == "model") && text(row, "id").is_none();
    if strange_id || model_without_id {
        return None;
    }
    let (id, key) =
        KEYS.iter().find_map(|key| Some((row.get(key)?.as_str().filter(|id| !id.is_empty())?, *key)))?;
    let id = id.strip_prefix("models/").unwrap_or(id);
    let usable =
        (1..=MAX_ID).contains(&id.len()) && !id.chars().any(|c| c.is_whitespace() || is_unsafe_to_print(c));
    usable.then_some((id, key))
}

fn record(row: &Value, id: &str, id_key: &str, source: &str) -> ModelRecord {
    let live = fields::live_providers(row);
    let context_window = fields::context_window(row, &live);
    let output_modalities = capabilities::output_modalities(row);
    let mut prices = Prices::of(row, live.first().copied());
    if prices.are_zero() && !fields::may_be_free(row, id) {
        prices = Prices::default();
    }
    ModelRecord {
        id: id.to_owned(),
        name: name(row, id_key),
        context_window,
        max_input_tokens: fields::max_input(row, context_window),
        max_output_tokens: fields::max_output(row, context_window),
        input_modalities: capabilities::input_modalities(row),
        tools: fields::tools(row, &live),
        reasoning: fields::reasoning(row),
        input_cost_per_million: prices.input,
        output_cost_per_million: prices.output,
        cached_input_cost_per_million: prices.cached_input,
        created: time::created(row),
        retires_at: time::retires_at(row),
        protocols: capabilities::protocols(row),
        kind: capabilities::kind(row, id, output_modalities.as_ref(), proxy::is_private(source)),
        output_modalities,
        alias_of: fields::alias_of(row, id),
        source: Some(source.to_owned()),
    }
}

fn name(row: &Value, id_key: &str) -> Option<String> {
    const KEYS: [&str; 8] = [
        "display_name",
        "displayName",
        "name",
        "title",
        "metadata.display_name",
        "model_spec.name",
        "model_name",
        "label",
    ];
    let named = KEYS.iter().filter(|key| **key != id_key).find_map(|key| text(row, key));
    named.map(|name| printable(name, MAX_NAME)).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests;
