//! What the catalog knows of one model, whoever said it.
//!
//! A field that nobody stated is `None`: nothing is guessed, and no default window or price is made up.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use shims::{Model, Protocol};

/// One model of a provider's list, in our terms.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct ModelRecord {
    /// The id that goes over the wire, byte for byte as the provider wrote it.
    pub id: String,
    /// The name people read, free of control characters.
    pub name: Option<String>,
    /// Tokens of the whole window, as served.
    pub context_window: Option<u64>,
    /// Tokens of one prompt, where the provider limits it below the window.
    pub max_input_tokens: Option<u64>,
    /// Tokens of one answer; unknown when the stated limit would leave no space for a prompt.
    pub max_output_tokens: Option<u64>,
    /// What a prompt may hold.
    pub input_modalities: Option<BTreeSet<Modality>>,
    /// What an answer may hold.
    pub output_modalities: Option<BTreeSet<Modality>>,
    /// Whether the model calls tools.
    pub tools: Option<bool>,
    /// Whether the model reasons before it answers.
    pub reasoning: Option<bool>,
    /// US dollars for a million prompt tokens.
    pub input_cost_per_million: Option<f64>,
    /// US dollars for a million answer tokens.
    pub output_cost_per_million: Option<f64>,
    /// US dollars for a million prompt tokens read from the provider's cache.
    pub cached_input_cost_per_million: Option<f64>,
    /// When the model came out, in seconds since 1970.
    pub created: Option<i64>,
    /// The day after which the model is gone, as `YYYY-MM-DD`.
    pub retires_at: Option<String>,
    /// The protocols that serve this model; all of the provider's when empty.
    pub protocols: BTreeSet<Protocol>,
    /// Whether one can chat with it.
    pub kind: ModelKind,
    /// The model this id is only another name for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias_of: Option<String>,
    /// Who said it: the list's URL without its query, or `config`.
    pub source: Option<String>,
}

/// A kind of content.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Modality {
    /// Written text.
    Text,
    /// Pictures.
    Image,
    /// Sound.
    Audio,
    /// Moving pictures.
    Video,
    /// Documents.
    File,
}

/// What a model is for.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelKind {
    /// An agent can work with it, or nothing says that it cannot.
    #[default]
    Chat,
    /// Embeddings, pictures, speech and the like, or a model that is switched off.
    #[serde(rename = "other")]
    NonChat,
}

impl ModelRecord {
    /// A model of which only the id is known.
    pub fn named(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }

    /// Whether a list of models to choose from shows it.
    pub fn is_chat(&self) -> bool {
        self.kind == ModelKind::Chat
    }

    /// Whether the model is served over `protocol`, as far as anybody said.
    pub fn speaks(&self, protocol: Protocol) -> bool {
        self.protocols.is_empty() || self.protocols.contains(&protocol)
    }

    fn takes(&self, modality: Modality) -> Option<bool> {
        self.input_modalities.as_ref().map(|inputs| inputs.contains(&modality))
    }
}

impl From<ModelRecord> for Model {
    fn from(record: ModelRecord) -> Self {
        let vision = record.takes(Modality::Image);
        let files = record.takes(Modality::File);
        Self {
            id: record.id,
            name: record.name,
            context_window: record.context_window,
            max_output_tokens: record.max_output_tokens,
            reasoning: record.reasoning,
            vision,
            supports_attachments: vision.map(|vision| vision || files == Some(true)),
            input_cost_per_million: record.input_cost_per_million,
            output_cost_per_million: record.output_cost_per_million,
            cached_input_cost_per_million: record.cached_input_cost_per_million,
            cached_output_cost_per_million: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_record_does_not_know_an_adapter_does_not_hear() {
        let model = Model::from(ModelRecord::named("m"));
        assert_eq!(model, Model::named("m"));
    }

    #[test]
    fn vision_follows_from_the_input_modalities() {
        let takes = |inputs: &[Modality]| {
            let record = ModelRecord {
                input_modalities: Some(inputs.iter().copied().collect()),
                ..ModelRecord::named("m")
            };
            let model = Model::from(record);
            (model.vision, model.supports_attachments)
        };
        assert_eq!(takes(&[Modality::Text]), (Some(false), Some(false)));
        assert_eq!(takes(&[Modality::Text, Modality::Image]), (Some(true), Some(true)));
        assert_eq!(takes(&[Modality::File]), (Some(false), Some(true)));
    }
}
