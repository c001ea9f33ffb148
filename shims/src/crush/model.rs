//! A model in Crush's own words.

use serde_json::{Value as Json, json};

use crate::Model;

/// A model as Crush's settings describe it; what is not known is left out, but for the window, which is `window`.
pub fn entry(model: &Model, window: u64) -> Json {
    let limit = model.output_limit();
    // Crush sends `default_max_tokens` as the limit of a reasoning model's title: it must not be zero then.
    let can_reason = model.reasoning == Some(true) && limit.is_some();
    // Crush's `in_cached` is the price of writing to the cache and `out_cached` that of reading from it
    // (how 0.90 adds up the cost of a session).
    let fields = [
        ("name", Some(json!(model.name.as_ref().unwrap_or(&model.id)))),
        ("context_window", Some(model.context_window.unwrap_or(window).into())),
        ("default_max_tokens", limit.map(Json::from)),
        ("can_reason", can_reason.then_some(true.into())),
        ("supports_attachments", model.supports_attachments.or(model.vision).map(Json::from)),
        ("cost_per_1m_in", model.input_cost_per_million.map(Json::from)),
        ("cost_per_1m_out", model.output_cost_per_million.map(Json::from)),
        ("cost_per_1m_in_cached", model.cached_output_cost_per_million.map(Json::from)),
        ("cost_per_1m_out_cached", model.cached_input_cost_per_million.map(Json::from)),
    ];
    let mut entry = json!({ "id": model.id });
    for (key, value) in fields {
        if let Some(value) = value {
            entry[key] = value;
        }
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_model_reaches_crush_in_its_own_words() {
        let full = Model {
            name: Some("K Two".into()),
            context_window: Some(1000),
            max_output_tokens: Some(100),
            reasoning: Some(true),
            vision: Some(true),
            input_cost_per_million: Some(1.0),
            output_cost_per_million: Some(2.0),
            cached_input_cost_per_million: Some(0.1),
            cached_output_cost_per_million: Some(1.25),
            ..Model::named("k2")
        };
        let meant = json!({
            "id": "k2", "name": "K Two", "context_window": 1000, "default_max_tokens": 100, "can_reason": true,
            "supports_attachments": true, "cost_per_1m_in": 1.0, "cost_per_1m_out": 2.0,
            "cost_per_1m_in_cached": 1.25, "cost_per_1m_out_cached": 0.1,
        });
        assert_eq!(entry(&full, 1), meant);
        let unlimited = Model { max_output_tokens: Some(1000), ..full };
        let entry = entry(&unlimited, 1);
        assert!(entry.get("can_reason").is_none() && entry.get("default_max_tokens").is_none());
    }
}
