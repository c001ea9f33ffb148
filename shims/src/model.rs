//! One model, as the config, the catalog and the adapters speak of it.

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

use crate::Message;
use crate::window::{LONG_CONTEXT, split_long_context};

/// One model as the config or the catalog knows it; what is unknown stays `None`.
/// This is also the form of an entry of the config, with these names.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The id that goes over the wire, byte for byte.
    #[serde(deserialize_with = "id")]
    pub id: String,
    /// The name people read.
    pub name: Option<String>,
    /// Tokens of the whole window, as served.
    pub context_window: Option<u64>,
    /// Tokens of one answer at the most.
    pub max_output_tokens: Option<u64>,
    /// Whether the model reasons.
    pub reasoning: Option<bool>,
    /// Whether the model takes images.
    pub vision: Option<bool>,
    /// Whether the model takes attachments.
    pub supports_attachments: Option<bool>,
    /// US dollars for a million input tokens.
    pub input_cost_per_million: Option<f64>,
    /// US dollars for a million output tokens.
    pub output_cost_per_million: Option<f64>,
    /// US dollars for a million input tokens read from the provider's cache.
    pub cached_input_cost_per_million: Option<f64>,
    /// US dollars for a million output tokens written to the provider's cache.
    pub cached_output_cost_per_million: Option<f64>,
}

impl Model {
    /// A model of which only the id is known.
    pub fn named(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }

    /// The output limit if it is known and sane: above zero and below the window.
    ///
    /// Provider lists often give the window as the output limit; a client that reserves that much has
    /// no space left for the prompt.
    pub fn output_limit(&self) -> Option<u64> {
        let output = self.max_output_tokens.filter(|&output| output > 0)?;
        match self.context_window {
            Some(window) if output >= window => None,
            _ => Some(output),
        }
    }
}

/// A model's id, which goes over the wire byte for byte.
///
/// # Errors
/// What is said of a text that is none, and what to do.
pub fn model_id(text: String) -> Result<String, Message> {
    let (id, _) = split_long_context(&text);
    let is_suffix = id.eq_ignore_ascii_case(LONG_CONTEXT);
    if id.trim() == id && !id.is_empty() && !is_suffix && !text.chars().any(char::is_control) {
        return Ok(text);
    }
    Err(Message::new(
        "this is not a model id",
        "write the id as in the provider's list, without white space around it",
    ))
}

fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    model_id(String::deserialize(deserializer)?).map_err(D::Error::custom)
}
